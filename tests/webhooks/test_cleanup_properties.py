"""For random worlds, and whatever happens between look and deletion: nothing that works goes, all can come back."""

from __future__ import annotations

import json
import tempfile
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from configurator.errors import (
    AnswerLostError,
    PermissionMissingError,
    ServerError,
    UnauthorisedError,
    UnreachableError,
)
from configurator.hook_url import job_of, read_address
from configurator.marks import Mark, fingerprint, hook_token
from configurator.webhooks import cleanup as module
from configurator.webhooks.backup import Backup
from configurator.webhooks.catalogue import Presence
from configurator.webhooks.classify import classify
from configurator.webhooks.cleanup import remove
from configurator.webhooks.model import Catalogue, Done, Ending, Finding, Hook, HookClass, JobSeen
from configurator.webhooks.restore import restore
from configurator.webhooks.selection import REMOVABLE, select
from configurator.world.world import World
from tests.webhooks.cleanup_parts import (
    JENKINS,
    KEY,
    OWNER,
    FakeGitLab,
    FakeLook,
    FakeWorld,
    Heard,
    hook_of,
    judge,
    lines_of,
    picture_of,
)
from tests.webhooks.worlds import FORMER, ROOT, SALT, RandomWorld, worlds

pytestmark = pytest.mark.no_cover  # many examples of what other tests reach, too slow to be traced

JOBS = ("a", "b", "folder/c", "Größe d")
ERRORS = (
    lambda: UnreachableError("GitLab", "connection refused"),
    lambda: AnswerLostError("GitLab", "the connection was closed"),
    lambda: ServerError("GitLab", "500", status=500),
    lambda: PermissionMissingError("GitLab", "needs the Maintainer role", "Maintainer role"),
    lambda: UnauthorisedError("GitLab", "the token was revoked"),
)


@st.composite
def hooks(draw: st.DrawFn) -> list[Hook]:
    found = []
    for number in range(1, draw(st.integers(1, 14)) + 1):
        project = draw(st.integers(1, 3))
        job = draw(st.sampled_from(JOBS))
        owner = draw(st.sampled_from((None, None, OWNER, OWNER, "other")))
        key = fingerprint(KEY, hook_token(KEY, project, job))
        mark = str(Mark(owner, key=key)) if owner else None
        path = draw(st.sampled_from((f"/project/{job}", f"/project/{job}", "/github-webhook/")))
        root = draw(st.sampled_from((JENKINS, JENKINS, JENKINS, "https://else.example.com")))
        attributes: dict[str, Any] = {
            "url": root + path,
            "project_id": project,
            "description": mark,
            "merge_requests_events": draw(st.booleans()),
            "push_events": draw(st.booleans()),
            "confidential_note_events": draw(st.sampled_from((None, False, True))),
            "alert_status": draw(st.sampled_from(("executable", "executable", "disabled"))),
        }
        found.append(hook_of(number, job, f"shop/p{project}", **attributes))
    return found


@dataclass
class Happening:
    """Something that happens right before request number ``at``, or instead of its answer."""

    at: int
    what: str
    subject: int
    error: int


HAPPENINGS = st.lists(
    st.builds(
        Happening,
        st.integers(0, 40),
        st.sampled_from(
            ("job", "remove", "change", "disable", "refuse", "lose", "invisible", "silent", "full", "stop")
        ),
        st.integers(0, 13),
        st.integers(0, len(ERRORS) - 1),
    ),
    max_size=6,
)


class TruthfulLook(FakeLook):
    """Remembers which jobs it said are absent, so that what goes for that reason can be told."""

    said_absent: set[str]

    def __init__(self, jobs: set[str]) -> None:
        super().__init__(jobs)
        self.said_absent = set()

    def look(self, address: Any) -> tuple[Presence, str]:
        presence, evidence = super().look(address)
        if presence is Presence.ABSENT:
            assert address.job not in self.jobs
            self.said_absent.add(str(address.job))
        else:
            self.said_absent.discard(str(address.job))
        return presence, evidence


class Scene:
    """A GitLab and a Jenkins in memory to which things happen, and the rule that is checked at every deletion."""

    def __init__(self, seen: list[Hook], jobs: set[str], happenings: list[Happening], path: Path) -> None:
        self.path = path
        self.happenings = happenings
        self.look = TruthfulLook(jobs)
        self.gitlab = FakeGitLab(self._happen, self._check)
        self.deleted: dict[int, dict[str, Any]] = {}
        self.world = FakeWorld(self.gitlab)
        self.stop = threading.Event()
        self.full = False
        for hook in seen:
            self.gitlab.seed(hook)
        self.picture = picture_of(judge(seen, jobs, [JENKINS]))
        self._by_id: dict[int, Finding] = {one.hook.id: one for one in self.picture.findings}
        self._requests = 0

    def _happen(self, method: str, subject: int) -> Exception | None:
        self._requests += 1
        lost: Exception | None = None
        for one in self.happenings:
            if one.at == self._requests:
                event(one.what)
                lost = self._do(one) or lost
        return lost

    def _do(self, one: Happening) -> Exception | None:
        ids = list(self._by_id)
        hook = self._by_id[ids[one.subject % len(ids)]].hook
        there = self.gitlab.projects.get(hook.project_id, {})
        job = JOBS[one.subject % len(JOBS)]
        match one.what:
            case "job":
                self.look.jobs.add(job)
            case "remove":
                there.pop(hook.id, None)
            case "change" if hook.id in there:
                there[hook.id] |= {"url": f"{JENKINS}/project/{job}", "push_events": True}
            case "disable" if hook.id in there:
                there[hook.id]["alert_status"] = "disabled"
            case "invisible":
                self.gitlab.projects.pop(hook.project_id, None)
            case "silent":
                self.look.answers = dict.fromkeys(JOBS, (Presence.UNKNOWN, "no answer within 30 s"))
            case "full":
                self.full = True
            case "stop":
                self.stop.set()
            case "lose":
                return AnswerLostError("GitLab", "the connection was closed")
            case "refuse":
                raise ERRORS[one.error]()
        return None

    def _check(self, hook_id: int, attributes: Mapping[str, Any]) -> None:
        """Right before a hook goes: it may, and its line is on the disk."""
        self.deleted[hook_id] = dict(attributes)
        [line] = [one for one in lines_of(self.path) if one["hook"]["id"] == hook_id]
        assert {name: line["hook"][name] for name in attributes} == attributes
        finding = self._by_id[hook_id]
        assert finding.hook.owner in (OWNER, None)
        job = job_of(attributes["url"], [JENKINS])
        if finding.cls is not HookClass.DUPLICATE:
            assert job in self.look.said_absent
            return
        [keeper] = [one for one in self.gitlab.all() if one.id == finding.keeper]
        assert job_of(keeper.url, [JENKINS]) == job and keeper.id not in self.deleted
        assert set(Hook("gitlab", "", 1, attributes).events) <= set(keeper.events)

    def clean(self) -> tuple[Done, ...]:
        write = Backup.write

        def guarded(backup: Backup, *arguments: Any) -> None:
            if self.full:
                backup._broken = "No space left on device"
            write(backup, *arguments)

        selected = select(self.picture)
        heard = Heard()
        with (
            patch.object(module, "SecondLook", self.look),
            patch.object(module, "take_catalogue", self.look.take_catalogue),
            patch.object(Backup, "write", guarded),
            Backup.create(self.path, OWNER) as backup,
        ):
            dones = remove(selected, self.picture, cast(World, self.world), backup, heard, self.stop)
        assert tuple(one.finding for one in dones) == selected
        assert Counter(id(one) for one in heard.dones) == Counter(id(one) for one in dones)
        return dones


def _scene(seen: list[Hook], jobs: set[str], happenings: list[Happening], folder: str) -> Scene:
    return Scene(seen, jobs, happenings, Path(folder) / "backup.jsonl")


def _shape(hooks: list[dict[str, Any]], project: int) -> Counter[str]:
    """Hooks without what GitLab gives them anew."""
    fresh = ("id", "created_at", "alert_status", "disabled_until", "url_variables", "custom_headers")
    kept = ({name: one[name] for name in sorted(one) if name not in fresh} for one in hooks)
    return Counter(json.dumps({"project": project, **one}) for one in kept)


def _all(gitlab: FakeGitLab) -> Counter[str]:
    return sum((_shape(list(hooks.values()), project) for project, hooks in gitlab.projects.items()), Counter())


@settings(max_examples=100)
@given(hooks(), st.sets(st.sampled_from(JOBS)), HAPPENINGS)
def test_nothing_that_works_goes_and_the_summary_is_true(
    seen: list[Hook], jobs: set[str], happenings: list[Happening]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        scene = _scene(seen, jobs, happenings, folder)
        try:
            dones = scene.clean()
        finally:
            scene.world.pool.shutdown()
        lined = {one["hook"]["id"] for one in lines_of(scene.path)} if scene.path.exists() else set()
        assert set(scene.deleted) <= lined
        for done in dones:
            hook_id = done.finding.hook.id
            event(f"{done.finding.cls} {done.ending}")
            if done.ending is Ending.DONE:
                assert hook_id in scene.deleted
            elif hook_id in scene.deleted:
                assert "may have been deleted" in done.detail, done
            assert done.ending is not Ending.SKIPPED or done.detail


@settings(max_examples=60)
@given(hooks(), st.sets(st.sampled_from(JOBS)))
def test_undisturbed_exactly_the_selected_go_and_all_come_back(seen: list[Hook], jobs: set[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        scene = _scene(seen, jobs, [], folder)
        before = _all(scene.gitlab)
        kept = {one.hook.id for one in scene.picture.findings} - {one.hook.id for one in select(scene.picture)}
        dones = scene.clean()
        assert {one.ending for one in dones} <= {Ending.DONE, Ending.SKIPPED}
        assert all("disabled" in one.detail for one in dones if one.ending is Ending.SKIPPED)
        assert kept <= {hook.id for hook in scene.gitlab.all()}
        for hook in scene.gitlab.all():
            marked_elsewhere = hook.owner not in (OWNER, None)
            job = job_of(hook.url, [JENKINS])
            assert marked_elsewhere or job is None or job in jobs
        if scene.path.exists():
            world = cast(World, scene.world)
            back = restore(scene.path, world, Heard(), threading.Event())
            assert {one.ending for one in back} <= {Ending.DONE, Ending.INCOMPLETE}
            assert _all(scene.gitlab) == before
            again = restore(scene.path, world, Heard(), threading.Event())
            assert {one.ending for one in again} == {Ending.SKIPPED}
            assert _all(scene.gitlab) == before
        scene.world.pool.shutdown()


@settings(max_examples=100)
@given(worlds(problem=False), st.booleans())
def test_what_is_classified_as_dead_is_dead(random: RandomWorld, credulous: bool) -> None:
    """The real classifier on random worlds, where this user may not see all; Jenkins is asked again, or not at all."""
    truth = Catalogue({name.casefold(): JobSeen(name, "job") for name in random.exists})
    findings = classify(random.hooks, random.catalogue, random.terms, OWNER, SALT)
    by_place = {(one.hook.gitlab, one.hook.project_id, one.hook.id): one for one in findings}
    removed: set[tuple[str, int, int]] = set()

    def check(gitlab: str, hook_id: int, attributes: Mapping[str, Any]) -> None:
        place = (gitlab, int(attributes["project_id"]), hook_id)
        finding = by_place[place]
        address = read_address(attributes["url"], (ROOT, FORMER))
        removed.add(place)
        assert address is not None and finding.hook.owner in (OWNER, None)
        reached = truth.find(address)
        if finding.cls is HookClass.ORPHANED:
            assert reached is None
            return
        keeper = by_place[gitlab, place[1], finding.keeper or 0].hook
        there = read_address(keeper.url, (ROOT, FORMER))
        assert keeper.id in gitlabs[gitlab].projects[place[1]] and there is not None
        assert reached is not None and truth.find(there) is not None
        assert set(finding.hook.events) <= set(keeper.events)

    gitlabs = {
        name: FakeGitLab(before_delete=partial(check, name), url=f"https://{name}.example.com") for name in random.terms
    }
    for hook in random.hooks:
        gitlabs[hook.gitlab].seed(hook)
    world = FakeWorld(*gitlabs.values(), former=[FORMER])
    world.gitlabs = gitlabs
    look = FakeLook()
    found = (Presence.ABSENT, "not there")
    look.look = lambda address: found if credulous or truth.find(address) is None else (Presence.EXISTS, "there")  # type: ignore[method-assign]
    picture = picture_of(findings)
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.object(module, "SecondLook", look),
        patch.object(module, "take_catalogue", look.take_catalogue),
        Backup.create(Path(folder) / "backup", OWNER) as backup,
    ):
        dones = remove(select(picture), picture, cast(World, world), backup, Heard(), threading.Event())
    world.pool.shutdown()
    assert {_place(one.finding.hook) for one in dones if one.ending is Ending.DONE} == removed
    for one in dones:
        event(f"{one.finding.cls} {one.ending}")


def _place(hook: Hook) -> tuple[str, int, int]:
    return hook.gitlab, hook.project_id, hook.id


@given(hooks(), st.sets(st.sampled_from(JOBS)), st.sets(st.sampled_from(sorted(REMOVABLE))), st.booleans())
def test_no_selection_meets_what_is_somebody_elses(
    seen: list[Hook], jobs: set[str], classes: set[HookClass], only_marked: bool
) -> None:
    picture = picture_of(judge(seen, jobs, [JENKINS]))
    for finding in select(picture, classes, only_marked=only_marked):
        assert finding.cls in classes
        assert finding.hook.owner == OWNER or (finding.hook.owner is None and not only_marked)
