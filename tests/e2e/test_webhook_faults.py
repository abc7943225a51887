"""Cleanup and restore while servers, rights, disk and user fail: nothing that works goes, the summary is true."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from configurator.errors import InputError, RefusedError
from configurator.marks import Mark, fingerprint, hook_token
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.server import EmbeddedServer, Fault, Request, Response
from configurator.secret import Secret
from configurator.webhooks.backup import Backup, read_backup
from configurator.webhooks.cleanup import remove
from configurator.webhooks.model import Done, Ending, HookClass, Picture
from configurator.webhooks.restore import restore
from configurator.webhooks.scan import Scope, scan
from configurator.webhooks.selection import guard, narrow, select
from tests.e2e.conftest import REAL
from tests.e2e.faults import RETRY_AFTER, Clock
from tests.kinds.bench import KEY, Bench, hooked
from tests.webhooks.cleanup_parts import Heard

pytestmark = pytest.mark.skipif(bool(REAL), reason="faults are injected into the embedded servers")

PROJECTS = ("shop/payments", "shop/catalog", "shop/search")
ALWAYS = 10_000
PASSWORD = "hunter2-in-a-url"
DONE, SKIPPED, FAILED = Ending.DONE, Ending.SKIPPED, Ending.FAILED


class Watching(Heard):
    """A listener of scans as well."""

    def scanned(self, projects: int, of: int | None, hooks: int) -> None:
        """Nothing."""


class Ground:
    """Six orphans in each of three projects, among hooks that work, one that is nobody's, and a duplicate."""

    def __init__(self, bench: Bench, clock: Clock, folder: Path) -> None:
        self.bench, self.clock, self.folder = bench, clock, folder
        self.jenkins, self.gitlab = bench.jenkins, bench.gitlab
        self.stop = threading.Event()
        self.heard = Watching()
        self._backups = 0
        for path in PROJECTS[1:]:
            bench.project(path)
        bench.spec["jobs"] = [hooked(f"{path.partition('/')[2]}-{part}", path) for path in PROJECTS for part in "ab"]
        bench.spec["jobs"].append(hooked("by hand"))
        bench.done()
        bench.spec["jobs"].pop()  # its job stays where it is, and so does its hook
        root = self.jenkins.url
        for path in PROJECTS:
            self.gitlab.add_hook(path, "https://elsewhere.example.com/project/gone", push_events=True)
            for number in range(6):
                job = f"{path.partition('/')[2]}-gone-{number}"
                url = f"{root}/project/{job}".replace("://", f"://robot:{PASSWORD}@" if number == 5 else "://")
                token = hook_token(Secret(KEY), self.gitlab.projects[path].id, job)
                mark = Mark("platform", key=fingerprint(Secret(KEY), token))
                ours = {"token": token.reveal(), "description": str(mark)} if number % 2 else {}
                self.gitlab.add_hook(path, url, **ours)
        self.gitlab.add_hook(PROJECTS[0], f"{root}/project/payments-a")
        self.before = self.hooks()

    @property
    def path(self) -> Path:
        return self.folder / f"backup-{self._backups}.jsonl"

    def hooks(self) -> dict[int, str]:
        """URL by id of every hook there is."""
        return {hook.id: hook.url for path in self.gitlab.projects for hook in self.gitlab.hooks(path)}

    def look(self) -> Picture:
        with self.bench.open() as run:
            return scan(run.world, Scope(), self.heard)

    def clean(self, strike: Callable[[], None] = lambda: None) -> tuple[Done, ...]:
        """Scan, let it strike, remove; what must hold whatever happened is checked."""
        self._backups += 1
        self.heard = Watching(on_done=self.heard.on_done)
        there = self.hooks()
        with self.bench.open() as run:
            picture = scan(run.world, Scope(), self.heard)
            selected = select(picture)
            guard(selected, picture, 100, 90)
            strike()
            with Backup.create(self.path, run.world.owner) as backup:
                dones = remove(selected, picture, run.world, backup, self.heard, self.stop)
        self._assert_true(dones, there)
        return dones

    def _assert_true(self, dones: tuple[Done, ...], before: dict[int, str]) -> None:
        now = self.hooks()
        gone = before.keys() - now.keys()
        stored = read_backup(self.path).entries if self.path.exists() else ()
        assert gone <= {one.finding.hook.id for one in stored}, "nothing goes without its line"
        assert all(before[one] == next(e for e in stored if e.finding.hook.id == one).finding.hook.url for one in gone)
        assert {one.finding.hook.id for one in dones if one.ending is DONE} == gone, "the summary is true"
        assert all(one.detail for one in dones)
        working = {one for one, url in before.items() if "gone-" not in url} - self._duplicates(before)
        assert working <= now.keys(), "nothing that works goes"
        assert PASSWORD not in "".join(one.detail + one.finding.evidence for one in dones) + str(self.heard.stages)

    def _duplicates(self, hooks: dict[int, str]) -> set[int]:
        same = [one for one, url in hooks.items() if url.endswith("/project/payments-a")]
        return set(sorted(same)[1:])

    def assert_finished(self) -> None:
        """Faults over: another cleanup finishes the work, the one after finds nothing, and all can be put back."""
        for server in (self.jenkins, self.gitlab):
            server.faults.clear()
        self.stop.clear()
        self.heard.on_done = None
        assert {one.ending for one in self.clean()} <= {DONE}
        assert self.clean() == ()
        backups = [self.folder / f"backup-{number}.jsonl" for number in range(1, self._backups + 1)]
        for path in filter(Path.exists, backups):
            self.restore(path)
        assert sorted(self.hooks().values()) == sorted(self.before.values())
        for path in filter(Path.exists, backups):
            assert {one.ending for one in self.restore(path)} == {SKIPPED}
        assert sorted(self.hooks().values()) == sorted(self.before.values())

    def restore(self, path: Path) -> tuple[Done, ...]:
        with self.bench.open() as run:
            return restore(path, run.world, self.heard, self.stop)


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    clock = Clock()
    clock.install(monkeypatch)
    with Bench(tmp_path / "configurator.yaml", JenkinsSandbox(), GitLabSandbox()) as bench:
        bench.alone()
        yield Ground(bench, clock, tmp_path)


def _once_after(
    server: EmbeddedServer, count: int, matches: Callable[[Request], bool], act: Callable[[], None]
) -> None:
    """Right before the request number ``count + 1`` that matches is answered, do something."""
    handle, lock, seen = server.handle, threading.Lock(), [0]

    def watching(request: Request) -> Response:
        if matches(request):
            with lock:
                seen[0] += 1
                if seen[0] == count + 1:
                    act()
        return handle(request)

    server.handle = watching  # type: ignore[method-assign]


def _delete(request: Request) -> bool:
    return request.method == "DELETE"


def _asks_for_a_job(request: Request) -> bool:
    return "-gone-" in request.path


def _any(request: Request) -> bool:
    return True


def _count(dones: tuple[Done, ...], ending: Ending) -> int:
    return sum(one.ending is ending for one in dones)


def test_without_a_fault(ground: Ground) -> None:
    picture = ground.look()
    counts = picture.counts()
    assert (counts[HookClass.ORPHANED], counts[HookClass.DUPLICATE]) == (18, 1)
    assert {one.ending for one in ground.clean()} == {DONE}
    ground.assert_finished()


def test_jenkins_answers_503_in_the_middle(ground: Ground) -> None:
    starting = Fault(_any, "answer", Response(503, "Jenkins is starting"), times=ALWAYS)
    _once_after(ground.jenkins, 5, _asks_for_a_job, lambda: ground.jenkins.inject(starting))
    dones = ground.clean()
    assert 1 < _count(dones, DONE) < 10 and _count(dones, FAILED) == 0
    assert any(one.detail.startswith("not tried") for one in dones)
    ground.assert_finished()


def test_jenkins_answers_503_before(ground: Ground) -> None:
    fault = Fault(_any, "answer", Response(503, "Jenkins is starting"), times=ALWAYS)
    dones = ground.clean(lambda: ground.jenkins.inject(fault))
    done = [one for one in dones if one.ending is DONE]
    assert [one.finding.cls for one in done] == [HookClass.DUPLICATE], "which needs no Jenkins"
    ground.assert_finished()


def test_jenkins_times_out_in_the_middle(ground: Ground) -> None:
    ground.bench.spec["jenkins"]["timeout"] = 0.3
    slow = Fault(_any, "delay", seconds=0.6, times=ALWAYS)
    _once_after(ground.jenkins, 5, _asks_for_a_job, lambda: ground.jenkins.inject(slow))
    dones = ground.clean()
    assert 0 < _count(dones, DONE) < 12 and any("no answer within" in one.detail for one in dones)
    ground.bench.spec["jenkins"]["timeout"] = 30
    ground.assert_finished()


def test_a_jenkins_that_lost_its_jobs(ground: Ground) -> None:
    """Its home was not mounted: every job is missing, and none of them is gone."""
    items = list(ground.jenkins.controller.items.root.walk())

    def lose() -> None:
        for item in items:
            if item.parent is not None and item.parent.parent is None:
                ground.jenkins.controller.remove(item)

    before = ground.hooks()
    _once_after(ground.jenkins, 4, _asks_for_a_job, lose)
    dones = ground.clean()
    assert 0 < _count(dones, DONE) <= 6 and any("none of the jobs" in one.detail for one in dones)
    assert len(before) - len(ground.hooks()) == _count(dones, DONE)


def test_a_job_that_is_made_in_between(ground: Ground) -> None:
    def make() -> None:
        with ground.bench.open() as run:
            for job in ("catalog-gone-1", "catalog-gone-4"):
                xml = ground.jenkins.config("catalog-a")
                run.world.jenkins.create_item(job, xml.encode())

    dones = ground.clean(make)
    spared = [one for one in dones if one.ending is SKIPPED]
    assert sorted(str(one.finding.job) for one in spared) == ["catalog-gone-1", "catalog-gone-4"]
    assert all("its job is there" in one.detail for one in spared)


@pytest.mark.parametrize("action", ["cut-after", "cut-before"])
def test_gitlab_cuts_the_connection_of_a_delete(ground: Ground, action: Any) -> None:
    dones = ground.clean(lambda: ground.gitlab.inject(Fault(_delete, action, times=3)))
    assert _count(dones, DONE) >= len(dones) - 1
    ground.assert_finished()


def test_gitlab_cuts_every_delete_after_it_was_applied(ground: Ground) -> None:
    dones = ground.clean(lambda: ground.gitlab.inject(Fault(_delete, "cut-after", times=ALWAYS)))
    assert {one.ending for one in dones} == {DONE}
    ground.assert_finished()


def test_gitlab_asks_to_wait(ground: Ground) -> None:
    refusal = Response(429, "Retry later", {"Retry-After": str(int(RETRY_AFTER))})
    dones = ground.clean(lambda: ground.gitlab.inject(Fault(_any, "answer", refusal, times=3)))
    assert {one.ending for one in dones} == {DONE}
    assert max(ground.clock.slept) >= RETRY_AFTER - 1
    ground.assert_finished()


def test_a_project_turns_invisible(ground: Ground) -> None:
    project = ground.gitlab.projects[PROJECTS[1]]
    members = dict(project.members)
    _once_after(ground.gitlab, 4, _delete, project.members.clear)
    dones = ground.clean()
    failed = [one for one in dones if one.ending is not DONE]
    assert failed and {one.finding.hook.project for one in failed} == {PROJECTS[1]}
    assert {one.ending for one in failed} == {FAILED} and all("no such project" in one.detail for one in failed)
    project.members.update(members)
    ground.assert_finished()


def test_the_role_is_taken_away(ground: Ground) -> None:
    project = ground.gitlab.projects[PROJECTS[0]]
    members = dict(project.members)
    dones = ground.clean(lambda: project.members.update(dict.fromkeys(members, 30)))
    failed = [one for one in dones if one.ending is FAILED]
    assert len(failed) == 7 and all("Maintainer role" in one.detail for one in failed)
    assert _count(dones, DONE) == 12
    project.members.update(members)
    ground.assert_finished()


def test_the_token_is_revoked_half_way(ground: Ground) -> None:
    [token] = [one for one in ground.gitlab.tokens if one.value == ground.bench.environ["GITLAB"]]
    _once_after(ground.gitlab, 5, _delete, lambda: setattr(token, "revoked", True))
    dones = ground.clean()
    assert 1 <= _count(dones, DONE) <= 5 and 1 <= _count(dones, FAILED) <= 4
    assert any("not tried: " in one.detail and "revoked" in one.detail for one in dones)
    token.revoked = False
    ground.assert_finished()


@pytest.mark.parametrize("mode", ["maintenance", "read_only"])
def test_gitlab_can_be_read_only(ground: Ground, mode: str) -> None:
    dones = ground.clean(lambda: setattr(ground.gitlab.settings, mode, True))
    assert {one.ending for one in dones} == {FAILED} and len(dones) == 19
    setattr(ground.gitlab.settings, mode, False)
    ground.assert_finished()


def test_gitlab_goes_away_in_the_middle(ground: Ground) -> None:
    away = Fault(_any, "cut-before", times=ALWAYS)
    _once_after(ground.gitlab, 5, _delete, lambda: ground.gitlab.inject(away))
    dones = ground.clean()
    assert 5 <= _count(dones, DONE) <= 9 and any(one.detail.startswith("not tried: ") for one in dones)
    ground.assert_finished()


def test_the_disk_is_full_in_the_middle(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    real, lock, written = os.write, threading.Lock(), [0]

    def write(handle: int, data: Any) -> int:
        if b'"gitlab_url"' in bytes(data):
            with lock:
                written[0] += 1
            if written[0] > 5:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(handle, data)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        dones = ground.clean()
    assert _count(dones, DONE) == 5 and _count(dones, DONE) == len(read_backup(ground.path).entries)
    assert all("No space left" in one.detail for one in dones if one.ending is not DONE)
    ground.assert_finished()


def test_a_backup_that_can_not_be_made(ground: Ground) -> None:
    ground.folder = ground.folder / "missing"
    with pytest.raises(InputError, match="nothing was deleted"):
        ground.clean()
    assert ground.hooks() == ground.before


def test_stopped_by_the_user(ground: Ground) -> None:
    def third(done: Done) -> None:
        if _count(tuple(ground.heard.dones), DONE) == 3:
            ground.stop.set()

    ground.heard.on_done = third
    dones = ground.clean()
    assert 3 <= _count(dones, DONE) < 19 and _count(dones, FAILED) == 0
    assert {one.detail for one in dones if one.ending is SKIPPED} == {"not tried: stopped by the user"}
    ground.assert_finished()


def test_two_cleanups_at_once(ground: Ground) -> None:
    """Two pipelines with the same picture: each hook goes once, and what the other one did counts as done."""
    ends: dict[str, tuple[Done, ...]] = {}
    with ground.bench.open() as one, ground.bench.open() as two:
        pictures = {name: scan(run.world, Scope(), Watching()) for name, run in (("one", one), ("two", two))}

        def clean(name: str, run: Any) -> None:
            with Backup.create(ground.folder / name, "platform") as backup:
                picture = pictures[name]
                ends[name] = remove(select(picture), picture, run.world, backup, Watching(), threading.Event())

        threads = [threading.Thread(target=clean, args=pair) for pair in (("one", one), ("two", two))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    every = [end for dones in ends.values() for end in dones]
    assert {end.ending for end in every} == {DONE}
    deleted = [end.finding.hook.id for end in every if "already" not in end.detail]
    assert len(deleted) == len(set(deleted)) == 19 == len(ground.before) - len(ground.hooks())


def test_an_incomplete_picture_is_refused(ground: Ground) -> None:
    ground.gitlab.inject(Fault(lambda request: request.path.endswith("/hooks"), "answer", Response(500), times=1))
    picture = ground.look()
    with pytest.raises(RefusedError, match="not everything could be looked at"):
        guard(select(narrow(picture, projects=[PROJECTS[2]])), picture, 100, 100)


def test_restore_that_is_cut_short_is_finished_by_the_next(ground: Ground) -> None:
    ground.clean()
    posts = Fault(lambda request: request.method == "POST", "cut-after", times=4)
    ground.gitlab.inject(posts)
    _once_after(ground.gitlab, 9, lambda request: request.method == "POST", ground.stop.set)
    first = ground.restore(ground.path)
    ground.stop.clear()
    second = ground.restore(ground.path)
    assert _count(first, SKIPPED) > 0 and {one.ending for one in second} <= {DONE, Ending.INCOMPLETE, SKIPPED}
    assert sorted(ground.hooks().values()) == sorted(ground.before.values())


def test_restored_hooks_have_their_tokens(ground: Ground) -> None:
    tokens = {hook.url: hook.token for path in PROJECTS for hook in ground.gitlab.hooks(path) if hook.description}
    ground.clean()
    dones = ground.restore(ground.path)
    back = {hook.url: hook.token for path in PROJECTS for hook in ground.gitlab.hooks(path) if hook.description}
    assert back == tokens
    ours = {one.ending for one in dones if one.finding.hook.owner}
    others = {one.ending for one in dones if not one.finding.hook.owner}
    assert (ours, others) == ({DONE}, {Ending.INCOMPLETE})
