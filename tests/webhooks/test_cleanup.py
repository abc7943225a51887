"""Removing webhooks: every doubt spares one, everything removed is in the backup, and the summary is true."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from configurator.errors import (
    AnswerLostError,
    NotFoundError,
    PermissionMissingError,
    ServerError,
    UnauthorisedError,
    UnreachableError,
)
from configurator.webhooks import cleanup as module
from configurator.webhooks.backup import Backup, BackupError
from configurator.webhooks.catalogue import Presence
from configurator.webhooks.cleanup import remove
from configurator.webhooks.model import Catalogue, Done, Ending, Finding, HookClass
from configurator.world.world import World
from tests.webhooks.cleanup_parts import (
    GITLAB,
    JENKINS,
    OWNER,
    FakeGitLab,
    FakeLook,
    FakeWorld,
    Heard,
    details,
    endings,
    found,
    hook_of,
    lines_of,
    picture_of,
)

Fault = Callable[[str, int], Exception | None]
DONE, SKIPPED, FAILED = Ending.DONE, Ending.SKIPPED, Ending.FAILED


class Room:
    """A GitLab and a Jenkins in memory, and a cleanup on them."""

    def __init__(self, path: Path, look: FakeLook) -> None:
        self.path = path
        self.look = look
        self.fault: Fault = lambda method, hook_id: None
        self.gitlab = FakeGitLab(lambda method, hook_id: self.fault(method, hook_id), self._is_in_the_backup)
        self.world = FakeWorld(self.gitlab)
        self.findings: list[Finding] = []
        self.heard = Heard()
        self.stop = threading.Event()

    def _is_in_the_backup(self, hook_id: int, attributes: Any) -> None:
        [line] = [one for one in lines_of(self.path) if one["hook"]["id"] == hook_id]
        assert {name: line["hook"][name] for name in attributes} == attributes

    def seed(self, *findings: Finding) -> None:
        for finding in findings:
            self.gitlab.seed(finding.hook)
        self.findings += findings

    def orphans(self, count: int) -> None:
        self.seed(*(found(hook_of(number, f"gone{number}")) for number in range(1, count + 1)))

    def clean(self, selected: list[Finding] | None = None) -> tuple[Done, ...]:
        chosen = self.findings if selected is None else selected
        with Backup.create(self.path, OWNER) as backup:
            dones = remove(chosen, picture_of(self.findings), cast(World, self.world), backup, self.heard, self.stop)
        assert [one.finding for one in dones] == chosen
        assert sorted(self.heard.dones, key=chosen_place(chosen)) == sorted(dones, key=chosen_place(chosen))
        assert all(one.action == "delete" for one in dones)
        there = {hook.id for hook in self.gitlab.all()}
        for one in dones:
            assert one.ending is not DONE or one.finding.hook.id not in there
        return dones

    def left(self) -> list[int]:
        return sorted(hook.id for hook in self.gitlab.all())


def chosen_place(chosen: list[Finding]) -> Callable[[Done], int]:
    return lambda done: chosen.index(done.finding)


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    look = FakeLook()
    monkeypatch.setattr(module, "SecondLook", look)
    monkeypatch.setattr(module, "take_catalogue", look.take_catalogue)
    made = Room(tmp_path / "backup.jsonl", look)
    yield made
    made.world.pool.shutdown()


def twins(**keeper: Any) -> tuple[Finding, Finding]:
    """Hook 1 stays, hook 2 is its duplicate."""
    stays = found(hook_of(1, "job", **keeper), HookClass.LIVE)
    return stays, found(hook_of(2, "job"), HookClass.DUPLICATE, keeper=1)


# ---- what goes


def test_orphans_go_and_are_in_the_backup_first(room: Room) -> None:
    room.orphans(3)
    dones = room.clean()
    assert endings(dones) == {1: DONE, 2: DONE, 3: DONE} and room.left() == []
    lines = lines_of(room.path)
    assert {one["hook"]["id"] for one in lines} == {1, 2, 3}
    assert lines[0]["gitlab_url"] == GITLAB and lines[0]["project"] == "shop/payments"
    assert "custom_headers" in lines[0]["hook"], "read singly, for what a list leaves out"
    assert sorted(room.look.asked) == ["gone1", "gone2", "gone3"]


def test_in_this_order(room: Room) -> None:
    room.seed(*twins())
    room.clean(room.findings[1:])
    assert room.gitlab.requests == [("get", 2), ("get", 1), ("events", 1), ("delete", 2)]
    assert lines_of(room.path)[0]["others"] == [1]
    assert not room.look.asked and len(room.heard.stages) == 1, "nothing is asked of Jenkins for duplicates"


@pytest.mark.parametrize("cls", [HookClass.STALE, HookClass.MISROUTED, HookClass.FAILING, HookClass.UNMANAGED])
def test_further_classes_need_no_second_look(room: Room, cls: HookClass) -> None:
    room.seed(found(hook_of(1, "job"), cls))
    assert endings(room.clean()) == {1: DONE} and not room.look.asked


# ---- what is spared


@pytest.mark.parametrize("cls", [HookClass.LIVE, HookClass.UNKNOWN, HookClass.FOREIGN])
def test_what_is_never_removed_is_not_whoever_asks(room: Room, cls: HookClass) -> None:
    room.seed(found(hook_of(1), cls), found(hook_of(2, description="Managed by configurator (other)")))
    assert endings(room.clean()) == {1: SKIPPED, 2: SKIPPED} and room.left() == [1, 2]


def test_gone_already(room: Room) -> None:
    room.orphans(2)
    del room.gitlab.projects[7][1]
    dones = room.clean()
    assert endings(dones) == {1: DONE, 2: DONE}
    assert details(dones)[1] == "it was gone already: somebody else deleted it"
    assert len(lines_of(room.path)) == 1


def test_what_apply_moves_is_not_removed_whoever_asks(room: Room) -> None:
    room.seed(found(hook_of(1, "old"), HookClass.STALE, moves_to="new"))
    dones = room.clean()
    assert endings(dones) == {1: SKIPPED} and room.left() == [1]
    assert "`configurator apply` moves the hook" in details(dones)[1]


def test_the_project_turned_invisible(room: Room) -> None:
    room.orphans(1)
    room.gitlab.projects.clear()
    dones = room.clean()
    assert endings(dones) == {1: FAILED} and "no such project" in details(dones)[1]
    assert not room.path.exists()


def test_a_hook_that_only_the_list_shows(room: Room) -> None:
    room.orphans(1)

    def fault(method: str, hook_id: int) -> None:
        if method == "get":
            raise NotFoundError("GitLab", "not found")

    room.fault = fault
    assert endings(room.clean()) == {1: FAILED} and room.left() == [1]


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"url": f"{JENKINS}/project/job"}, "url"),
        ({"description": "Managed by configurator (other)"}, "description"),
        ({"push_events": False, "merge_requests_events": True}, "merge_requests_events, push_events"),
        ({"push_events_branch_filter": "main"}, "push_events_branch_filter"),
    ],
)
@pytest.mark.parametrize("cls", [HookClass.ORPHANED, HookClass.STALE])
def test_changed_since(room: Room, change: dict[str, Any], names: str, cls: HookClass) -> None:
    room.seed(found(hook_of(1), cls))
    room.gitlab.projects[7][1] |= change
    dones = room.clean()
    assert endings(dones) == {1: SKIPPED} and f"({names})" in details(dones)[1]
    assert room.left() == [1] and not room.path.exists()


def test_its_health_is_no_change(room: Room) -> None:
    room.orphans(1)
    room.gitlab.projects[7][1] |= {"alert_status": "disabled", "disabled_until": "2026-02-03T00:00:00Z"}
    assert endings(room.clean()) == {1: DONE}


def test_a_job_that_is_there_after_all(room: Room) -> None:
    room.orphans(2)
    room.look.jobs.add("gone1")
    dones = room.clean()
    assert endings(dones) == {1: SKIPPED, 2: DONE} and details(dones)[1] == "its job is there: item gone1"


def test_a_job_that_can_not_be_made_sure_of(room: Room) -> None:
    room.orphans(2)
    room.look.answers["gone1"] = (Presence.UNKNOWN, "Jenkins is starting")
    dones = room.clean()
    assert endings(dones) == {1: SKIPPED, 2: DONE} and "Jenkins is starting" in details(dones)[1]


@pytest.mark.parametrize("url", ["https://else.example.com/project/gone", f"{JENKINS}/github-webhook/"])
def test_an_orphan_whose_url_names_no_job(room: Room, url: str) -> None:
    room.seed(found(hook_of(1, url=url)))
    assert "names no job" in details(room.clean())[1] and room.left() == [1]


def test_jenkins_that_went_away_before_is_not_asked_for_each(room: Room) -> None:
    room.orphans(30)
    room.seed(*twins_from(100))
    room.look.catalogue = Catalogue(complete=False, problem="Jenkins: connection refused")
    dones = room.clean([one for one in room.findings if one.cls is not HookClass.LIVE])
    assert [one for one, ending in endings(dones).items() if ending is DONE] == [101], "needs no Jenkins"
    assert all("connection refused" in one.detail for one in dones if one.ending is SKIPPED)
    assert room.look.asked == [] and len(room.gitlab.requests) < 20


def twins_from(first: int) -> tuple[Finding, Finding]:
    stays = found(hook_of(first, "job"), HookClass.LIVE)
    return stays, found(hook_of(first + 1, "job"), HookClass.DUPLICATE, keeper=first)


def test_jenkins_that_goes_away_in_the_middle_is_given_up(room: Room) -> None:
    room.orphans(40)
    unknown = (Presence.UNKNOWN, "no answer within 30 s")
    room.look.answers = {f"gone{number}": unknown for number in range(11, 41)}
    dones = room.clean()
    assert sum(one.ending is DONE for one in dones) == 10 and len(room.left()) == 30
    assert len(room.look.asked) == 15
    assert all("no answer" in one.detail for one in dones if one.ending is SKIPPED)
    assert details(dones)[40].startswith("not tried: ")


def test_single_hiccups_do_not_stop_it(room: Room) -> None:
    room.orphans(40)
    room.look.answers = {f"gone{number}": (Presence.UNKNOWN, "busy") for number in range(1, 41, 2)}
    assert sum(one.ending is DONE for one in room.clean()) == 20


@pytest.mark.parametrize(("log", "ending"), [(["200", "404"], SKIPPED), (["404", "200"], DONE), ([], DONE)])
def test_a_former_jenkins_that_still_takes_deliveries(room: Room, log: list[str], ending: Ending) -> None:
    """Half of the jobs were moved, and the former Jenkins still runs the others."""
    room.world.former = ["https://user:pw@old.example.com"]
    room.seed(found(hook_of(1, url="https://old.example.com/project/gone")))
    room.gitlab.logs[1] = log
    dones = room.clean()
    assert endings(dones) == {1: ending}
    if ending is SKIPPED:
        assert details(dones)[1].endswith("the former address https://***@old.example.com took it well: 200")


def test_of_an_orphan_at_the_present_address_no_log_is_read(room: Room) -> None:
    room.orphans(1)
    room.gitlab.logs[1] = ["200"]
    assert endings(room.clean()) == {1: DONE} and ("events", 1) not in room.gitlab.requests


# ---- duplicates


def test_a_duplicate_that_sends_what_its_keeper_does_not(room: Room) -> None:
    """A list shows no custom headers, and a proxy before Jenkins may ask for them."""
    room.seed(*twins())
    room.gitlab.projects[7][2]["custom_headers"] = [{"key": "X-Proxy-Key"}, {"key": "X-Both"}]
    room.gitlab.projects[7][1]["custom_headers"] = [{"key": "X-Both"}]
    dones = room.clean(room.findings[1:])
    assert endings(dones) == {2: SKIPPED} and room.left() == [1, 2]
    assert details(dones)[2] == "hook 1, which would stay in its place, does not send X-Proxy-Key"


@pytest.mark.parametrize(
    ("stays", "goes", "ending"),
    [
        (["401"], ["200"], SKIPPED),
        (["401"], [], SKIPPED),
        (["internal error", "200"], ["200"], SKIPPED),
        (["401"], ["401"], DONE),
        (["200", "401"], ["200"], DONE),
        ([], ["200"], DONE),
    ],
)
def test_the_one_that_works_stays(room: Room, stays: list[str], goes: list[str], ending: Ending) -> None:
    """Nobody knows which of two has the right token, but GitLab's log does. Where it disables none, nothing else."""
    room.seed(*twins())
    room.gitlab.logs = {1: stays, 2: goes}
    dones = room.clean(room.findings[1:])
    assert endings(dones) == {2: ending}
    assert ending is DONE or details(dones)[2].startswith("the latest delivery of hook 1, which would stay")


@pytest.mark.parametrize(
    ("happens", "words"),
    [
        (lambda hooks: hooks.pop(1), "is gone"),
        (lambda hooks: hooks[1].update(push_events=False), "was changed since (push_events)"),
        (lambda hooks: hooks[1].update(url=f"{JENKINS}/project/other"), "was changed since (url)"),
        (lambda hooks: hooks[1].update(alert_status="temporarily_disabled"), "is temporarily disabled"),
    ],
)
def test_a_duplicate_whose_keeper_does_not_stay(room: Room, happens: Callable[[Any], None], words: str) -> None:
    room.seed(*twins())
    happens(room.gitlab.projects[7])
    dones = room.clean(room.findings[1:])
    assert endings(dones) == {2: SKIPPED} and f"hook 1, which would stay in its place, {words}" in details(dones)[2]
    assert 2 in room.left()


def test_where_both_are_disabled_one_may_go(room: Room) -> None:
    room.seed(*twins())
    for hook in room.gitlab.projects[7].values():
        hook["alert_status"] = "disabled"
    assert endings(room.clean(room.findings[1:])) == {2: DONE}


@pytest.mark.parametrize("keeper", [None, 3])
def test_a_duplicate_without_a_known_keeper(room: Room, keeper: int | None) -> None:
    room.seed(found(hook_of(2, "job"), HookClass.DUPLICATE, keeper=keeper))
    assert "is not known" in details(room.clean())[2] and room.left() == [2]


def test_two_are_never_each_others_keeper(room: Room) -> None:
    one = found(hook_of(1, "job"), HookClass.DUPLICATE, keeper=2)
    room.seed(one, found(hook_of(2, "job"), HookClass.DUPLICATE, keeper=1))
    dones = room.clean()
    assert endings(dones) == {1: SKIPPED, 2: SKIPPED} and "is to be removed as well" in details(dones)[1]
    assert room.left() == [1, 2]


def test_a_keeper_that_goes_for_another_reason_keeps_nobody(room: Room) -> None:
    stays, twin = twins()
    room.seed(replace(stays, cls=HookClass.STALE), twin)
    assert endings(room.clean()) == {1: DONE, 2: SKIPPED} and room.left() == [2]


# ---- what goes wrong


@pytest.mark.parametrize(
    "error",
    [
        PermissionMissingError("GitLab", "DELETE: needs the Maintainer role", "Maintainer role", "ask for it"),
        ServerError("GitLab", "DELETE: GitLab is in maintenance mode", "later", 503),
        ServerError("GitLab", "DELETE: this GitLab is read-only", "", 403),
        RuntimeError("unheard of"),
    ],
)
def test_one_that_fails_does_not_stop_the_others(room: Room, error: Exception) -> None:
    room.orphans(3)

    def fault(method: str, hook_id: int) -> None:
        if (method, hook_id) == ("delete", 2):
            raise error

    room.fault = fault
    dones = room.clean()
    assert endings(dones) == {1: DONE, 2: FAILED, 3: DONE} and str(error) in details(dones)[2]
    assert {one["hook"]["id"] for one in lines_of(room.path)} == {1, 2, 3}, "a restore finds it still there"


def test_a_revoked_token_stops_it(room: Room) -> None:
    room.orphans(10)

    def fault(method: str, hook_id: int) -> None:
        if hook_id >= 4:
            raise UnauthorisedError("GitLab", "the token was revoked", "make a new one")

    room.fault = fault
    dones = room.clean()
    assert list(endings(dones).values()) == [DONE] * 3 + [FAILED] + [SKIPPED] * 6
    assert details(dones)[10] == "not tried: GitLab: the token was revoked. Make a new one"
    assert len([one for one in room.gitlab.requests if one[0] == "get"]) == 4


def test_a_gitlab_that_went_away_is_given_up(room: Room) -> None:
    room.orphans(20)

    def fault(method: str, hook_id: int) -> None:
        if hook_id >= 4:
            raise UnreachableError("GitLab", "connection refused")

    room.fault = fault
    dones = room.clean()
    assert list(endings(dones).values()) == [DONE] * 3 + [FAILED] * 3 + [SKIPPED] * 14
    assert "not tried: GitLab: connection refused" in details(dones)[20]


@pytest.mark.parametrize(
    ("applied", "can_look", "ending", "words"),
    [
        (True, True, DONE, "its answer was lost"),
        (False, True, FAILED, "not deleted"),
        (True, False, FAILED, "may have been deleted"),
        (False, False, FAILED, "may have been deleted"),
    ],
)
def test_an_answer_that_stays_lost(room: Room, applied: bool, can_look: bool, ending: Ending, words: str) -> None:
    room.orphans(1)
    sent = False

    def fault(method: str, hook_id: int) -> Exception | None:
        nonlocal sent
        if method == "delete":
            sent = True
            lost = AnswerLostError("GitLab", "the connection was closed")
            if applied:
                return lost
            raise lost
        if sent and not can_look:
            raise UnreachableError("GitLab", "connection refused")
        return None

    room.fault = fault
    dones = room.clean()
    assert endings(dones) == {1: ending} and words.replace("its answer", "answer") in details(dones)[1]


def test_somebody_else_was_quicker(room: Room) -> None:
    room.orphans(1)

    def fault(method: str, hook_id: int) -> None:
        if method == "delete":
            room.gitlab.projects[7].clear()

    room.fault = fault
    assert "somebody else" in details(room.clean())[1] and endings(room.heard.dones) == {1: DONE}


def test_a_delete_that_is_denied_while_the_hook_is_there(room: Room) -> None:
    room.orphans(1)

    def fault(method: str, hook_id: int) -> None:
        if method == "delete":
            raise NotFoundError("GitLab", "not found")

    room.fault = fault
    assert endings(room.clean()) == {1: FAILED} and room.left() == [1]


def test_without_a_backup_nothing_more_goes(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.orphans(10)
    real = Backup.write

    def write(self: Backup, finding: Finding, *rest: Any) -> None:
        if finding.hook.id == 4:
            raise BackupError("the backup can't be written: No space left on device", "make room")
        real(self, finding, *rest)

    monkeypatch.setattr(Backup, "write", write)
    dones = room.clean()
    assert list(endings(dones).values()) == [DONE] * 3 + [FAILED] + [SKIPPED] * 6
    assert "not deleted" in details(dones)[4] and details(dones)[9].startswith("not tried: the backup can't")
    assert room.left() == list(range(4, 11))


def test_stopped_in_the_middle(room: Room) -> None:
    room.orphans(10)

    def fault(method: str, hook_id: int) -> None:
        if (method, hook_id) == ("delete", 3):
            room.stop.set()

    room.fault = fault
    dones = room.clean()
    assert list(endings(dones).values()) == [DONE] * 3 + [SKIPPED] * 7, "what was under way is finished"
    assert details(dones)[4] == "not tried: stopped by the user"


def test_stopped_before(room: Room) -> None:
    room.orphans(3)
    room.stop.set()
    assert set(endings(room.clean()).values()) == {SKIPPED}
    assert room.gitlab.requests == [] and not room.path.exists()


def test_nothing_selected(room: Room) -> None:
    assert room.clean([]) == ()
