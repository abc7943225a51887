"""Putting webhooks back: what is missing and nothing else, as it was, and with words for what nobody knows."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from configurator.errors import InputError
from configurator.marks import Mark, fingerprint, hook_token, with_url_mark
from configurator.run import Run
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.server import Fault, Request, Response
from configurator.secret import Secret
from configurator.webhooks.backup import Backup
from configurator.webhooks.model import Done, Ending, Finding, Hook, HookClass
from configurator.webhooks.restore import restore
from tests.kinds.bench import KEY, Bench
from tests.webhooks.cleanup_parts import Heard, details, endings, lines_of

PROJECT = "shop/payments"
DONE, SKIPPED, INCOMPLETE, FAILED, PLANNED = (
    Ending.DONE,
    Ending.SKIPPED,
    Ending.INCOMPLETE,
    Ending.FAILED,
    Ending.PLANNED,
)


class Desk:
    """An embedded GitLab whose hooks are backed up, removed and put back."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.gitlab = bench.gitlab
        self.path = bench.path.parent / "backup.jsonl"
        self.heard = Heard()
        self.stop = threading.Event()

    def marked(self, job: str, project: str = PROJECT, **fields: Any) -> int:
        """A hook as configurator makes it; its id."""
        project_id = self.gitlab.projects[project].id
        token = hook_token(Secret(KEY), project_id, job)
        mark = Mark("platform", key=fingerprint(Secret(KEY), token))
        fields.setdefault("description", str(mark))
        return self.add(job, project, token=token.reveal(), **fields)

    def add(self, job: str, project: str = PROJECT, *, user: str = "", **fields: Any) -> int:
        """A hook to a job; its id."""
        url = f"{self.bench.jenkins.url}/project/{job}".replace("://", f"://{user}")
        return int(self.gitlab.add_hook(project, fields.pop("url", url), **fields).id)

    def remove(self, *ids: int, project: str = PROJECT, owner: str = "platform") -> None:
        """Back up and delete hooks (all of the project unless named), without any question."""
        number = self.gitlab.projects[project].id
        with self.bench.open() as run, Backup.create(self.path, owner) as backup:
            client = run.world.gitlabs["gitlab"]
            there = client.hooks(number)
            for one in there:
                if ids and one["id"] not in ids:
                    continue
                hook = Hook("gitlab", project, number, client.hook(number, one["id"]))
                job = hook.url.partition("?")[0].rpartition("/project/")[2]
                others = [two["id"] for two in there if two["url"] == hook.url and two["id"] != hook.id]
                backup.write(Finding(hook, HookClass.ORPHANED, "gone", job), hook.attributes, client.url, others)
                client.delete_hook(number, hook.id)

    def restore(self, **options: Any) -> tuple[Done, ...]:
        with self.bench.open() as run:
            return self.put_back(run, **options)

    def put_back(self, run: Run, **options: Any) -> tuple[Done, ...]:
        self.heard = Heard()
        dones = restore(self.path, run.world, self.heard, self.stop, **options)
        assert sorted(map(id, self.heard.dones)) == sorted(map(id, dones))
        assert all(one.action == "restore" for one in dones)
        assert len(dones) == len(lines_of(self.path))
        return dones

    def hooks(self, project: str = PROJECT) -> list[Any]:
        return list(self.gitlab.hooks(project))

    def edit(self, number: int, **changes: Any) -> None:
        """Change a hook line of the backup, 0 being the first."""
        head, *lines = self.path.read_text(encoding="utf-8").splitlines()
        lines[number] = json.dumps({**json.loads(lines[number]), **changes})
        self.path.write_text("\n".join([head, *lines, ""]), encoding="utf-8")


@contextmanager
def _desk(path: Path, version: str = "18.5.0") -> Iterator[Desk]:
    with Bench(path / "configurator.yaml", JenkinsSandbox(), GitLabSandbox(version)) as bench:
        bench.alone()
        yield Desk(bench)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with _desk(tmp_path) as made:
        yield made


def _settings(hook: Any) -> dict[str, Any]:
    gone = ("id", "created_at", "updated_at", "deliveries", "failures", "disabled_until", "recent_failures")
    return {name: value for name, value in vars(hook).items() if name not in gone}


# ---- as it was


@pytest.mark.parametrize("version", ["15.0.0", "16.9.0", "17.1.0", "18.5.0", "19.4.0"])
def test_back_as_it_was_with_its_token(tmp_path: Path, version: str) -> None:
    with _desk(tmp_path, version) as desk:
        desk.marked(
            "a%20b/gr%C3%B6%C3%9Fe",
            push_events=False,
            merge_requests_events=True,
            confidential_note_events=None,
            enable_ssl_verification=False,
        )
        desk.marked("c", push_events=True, push_events_branch_filter="release/*", branch_filter_strategy="wildcard")
        if version > "15.2":  # before, there is no strategy, and this is no wildcard
            desk.marked("d", push_events_branch_filter="^main$", branch_filter_strategy="regex")
        if version < "17.1":
            for hook in desk.hooks():
                hook.url, hook.description = with_url_mark(hook.url, Mark("platform", key=_key(hook))), None
        before = {hook.url: _settings(hook) for hook in desk.hooks()}
        desk.remove()
        assert desk.hooks() == []
        dones = desk.restore()
        after = {hook.url: _settings(hook) for hook in desk.hooks()}
        assert after == before
        assert {one.ending for one in dones} == {DONE}, details(dones)
        assert {one.ending for one in desk.restore()} == {SKIPPED}
        assert len(desk.hooks()) == len(before)


def _key(hook: Any) -> str | None:
    return fingerprint(Secret(KEY), Secret(hook.token))


def test_name_and_text_come_back(desk: Desk) -> None:
    desk.marked("a", name="Build A", custom_webhook_template='{"ref": "{{ref}}"}')
    desk.remove()
    assert set(endings(desk.restore()).values()) == {DONE}
    [hook] = desk.hooks()
    assert (hook.name, hook.custom_webhook_template) == ("Build A", '{"ref": "{{ref}}"}')


def test_user_info_comes_back_and_is_told_nobody(desk: Desk) -> None:
    desk.marked("a", user="robot:hunter2@")
    desk.remove()
    dones = desk.restore()
    assert "robot:hunter2@" in desk.hooks()[0].url
    assert "hunter2" not in str(dones) + str(desk.heard)


def test_a_disabled_one_delivers_again_and_says_so(desk: Desk) -> None:
    desk.marked("a")
    desk.remove()
    line = lines_of(desk.path)[0]
    desk.edit(0, hook={**line["hook"], "alert_status": "temporarily_disabled"})
    [done] = desk.restore()
    assert done.ending is DONE and "had it temporarily disabled" in done.detail


# ---- only what is missing


def test_what_is_there_is_left_alone(desk: Desk) -> None:
    first, second = desk.marked("a"), desk.marked("b")
    desk.remove()
    url = f"{desk.bench.jenkins.url}/project/a"
    again = desk.marked("a")
    desk.gitlab.hooks(PROJECT)[0].push_events = False
    dones = desk.restore()
    assert endings(dones) == {first: SKIPPED, second: DONE}
    assert details(dones)[first] == f"it is there, as hook {again}"
    assert sorted(hook.url for hook in desk.hooks()) == [url, url[:-1] + "b"]


def test_one_whose_deletion_failed_is_there(desk: Desk) -> None:
    hook_id = desk.marked("a")
    desk.remove()
    desk.edit(0, hook={**lines_of(desk.path)[0]["hook"], "id": desk.marked("other")})
    [done] = desk.restore()
    assert done.detail == "it is there" and len(desk.hooks()) == 1 and done.finding.hook.id != hook_id


def test_another_mark_is_another_hook(desk: Desk) -> None:
    desk.marked("a")
    desk.remove()
    desk.marked("a", description="Managed by configurator (other)")
    assert [one.ending for one in desk.restore()] == [DONE] and len(desk.hooks()) == 2


def test_a_project_that_was_moved_gets_its_hook_back(desk: Desk) -> None:
    desk.marked("gone")
    desk.remove()
    desk.gitlab.move_project(PROJECT, "shop/moved")
    assert [one.ending for one in desk.restore()] == [DONE]
    assert len(desk.hooks("shop/moved")) == 1


@pytest.mark.parametrize("there", [True, False])
def test_another_project_with_the_same_id_gets_nothing(desk: Desk, there: bool) -> None:
    """A GitLab that was set up anew at the same address counts from 1 again."""
    desk.marked("gone")
    desk.remove()
    if there:
        desk.bench.project("other/project")
    desk.edit(0, project="other/project")
    for dry_run in (True, False):
        [done] = desk.restore(dry_run=dry_run)
        assert done.ending is FAILED
        assert f"is {PROJECT} here, in the backup it is other/project" in done.detail
    assert desk.hooks() == []


def test_a_removed_twin_comes_back_beside_the_one_that_stayed(desk: Desk) -> None:
    stays, *twins = (desk.marked("a") for _ in range(3))
    desk.remove(*twins)
    assert [one.ending for one in desk.restore()] == [DONE, DONE]
    assert len(desk.hooks()) == 3 and desk.hooks()[0].id == stays
    assert [one.ending for one in desk.restore()] == [SKIPPED, SKIPPED]
    desk.gitlab.hooks(PROJECT)
    newest = desk.hooks()[-1]
    with desk.bench.open() as run:
        run.world.gitlabs["gitlab"].delete_hook(newest.project_id, newest.id)
    assert sorted(one.ending for one in desk.restore()) == [DONE, SKIPPED] and len(desk.hooks()) == 3


def test_a_lost_answer_makes_no_twin(desk: Desk) -> None:
    desk.marked("a"), desk.marked("b")
    desk.remove()
    desk.gitlab.inject(Fault(_post, "cut-after"))
    assert [one.ending for one in desk.restore()] == [DONE, DONE] and len(desk.hooks()) == 2


def _post(request: Request) -> bool:
    return request.method == "POST" and request.path.endswith("/hooks")


def test_many_projects(desk: Desk) -> None:
    paths = [f"shop/p{number}" for number in range(6)]
    lines = []
    for path in paths:
        desk.bench.project(path)
        desk.marked("a", path), desk.marked("b", path)
        desk.remove(project=path)
        lines += desk.path.read_text(encoding="utf-8").splitlines()[1:]
        head = desk.path.read_text(encoding="utf-8").splitlines()[0]
        desk.path.unlink()
    desk.path.write_text("\n".join([head, *lines, ""]), encoding="utf-8")
    assert [one.ending for one in desk.restore()] == [DONE] * 12
    assert [len(desk.hooks(path)) for path in paths] == [2] * 6
    assert not looked_up(desk), "one listing tells all their paths; look-ups are limited to 400 a minute"
    desk.gitlab.inject(Fault(lambda request: request.path == "/api/v4/projects", "answer", Response(403, "{}")))
    assert [one.ending for one in desk.restore()] == [SKIPPED] * 12
    assert len(looked_up(desk)) == 6, "without a listing each is looked up"


def looked_up(desk: Desk) -> list[str]:
    return [one.path for one in desk.gitlab.log if one.path.removeprefix("/api/v4/projects/").isdigit()]


def test_a_dry_run_makes_nothing(desk: Desk) -> None:
    first, second, third = desk.marked("a"), desk.add("b", token="t"), desk.add("{job}", url_variables={"job": "x"})
    desk.remove()
    dones = desk.restore(dry_run=True)
    assert endings(dones) == {first: PLANNED, second: PLANNED, third: FAILED} and desk.hooks() == []
    assert details(dones)[first] == "it would be made again" and "set it by hand" in details(dones)[second]


# ---- what can't be complete


def test_whose_token_is_not_known(desk: Desk) -> None:
    unmarked = desk.add("a", token="somebody's")
    theirs = desk.marked("b", description="Managed by configurator (other) key=01234567")
    rotated = desk.marked("c", description="Managed by configurator (platform) key=01234567")
    desk.remove()
    dones = desk.restore()
    assert endings(dones) == {unmarked: INCOMPLETE, theirs: INCOMPLETE, rotated: INCOMPLETE}
    assert "whether it had a secret token is not known" in details(dones)[unmarked]
    assert "its secret token is not known" in details(dones)[theirs]
    assert "can't be derived from this webhook secret" in details(dones)[rotated]
    assert [hook.token for hook in desk.hooks()] == [None] * 3


def test_from_gitlab_19_on_it_is_known_that_there_was_no_token(tmp_path: Path) -> None:
    with _desk(tmp_path, "19.0.0") as desk:
        without, kept = desk.add("a"), desk.add("b", token="somebody's")
        signed = desk.add("c", signing_token="whsec_" + "A" * 43 + "=")
        desk.remove()
        dones = desk.restore()
        assert endings(dones) == {without: DONE, kept: INCOMPLETE, signed: INCOMPLETE}
        assert "its secret token is not known" in details(dones)[kept]
        assert "signing token" in details(dones)[signed]


@pytest.mark.parametrize("how", ["no reference", "not set"])
def test_without_the_webhook_secret(desk: Desk, how: str) -> None:
    desk.marked("a")
    desk.remove()
    if how == "no reference":
        del desk.bench.entry["webhooks"]
    else:
        del desk.bench.environ["KEY"]
    [done] = desk.restore()
    assert done.ending is INCOMPLETE and "needs the webhook secret of the spec" in done.detail


def test_a_backup_of_another_spec(desk: Desk) -> None:
    desk.marked("a", description="Managed by configurator (other) key=01234567")
    desk.remove(owner="other")
    assert [one.ending for one in desk.restore()] == [INCOMPLETE]
    assert desk.heard.warnings and "written by other, this is platform" in desk.heard.warnings[0]


def test_header_values_and_variables_are_not_known(desk: Desk) -> None:
    headers = desk.marked("a", custom_headers={"X-One": "1", "X-Two": "2"})
    unused = desk.marked("b", url_variables={"key": "v"})
    used = desk.marked("{folder}/{job}", url_variables={"folder": "f", "job": "j"})
    desk.remove()
    dones = desk.restore()
    assert endings(dones) == {headers: INCOMPLETE, unused: INCOMPLETE, used: FAILED}
    assert "set X-One, X-Two by hand" in details(dones)[headers]
    assert "URL variables are not known: set key" in details(dones)[unused]
    assert "{folder}, {job}" in details(dones)[used] and "make it by hand" in details(dones)[used]


def test_what_gitlab_drops_without_a_word(tmp_path: Path) -> None:
    with _desk(tmp_path, "16.9.0") as desk:
        desk.marked("a")
        desk.remove()
        hook = lines_of(desk.path)[0]["hook"]
        mark = Mark("platform", key=_derived(desk, "a"))
        desk.edit(0, hook={**hook, "description": str(mark), "milestone_events": True})
        [done] = desk.restore()
        assert done.ending is INCOMPLETE and "did not take description, milestone_events" in done.detail
        assert [one.ending for one in desk.restore()] == [SKIPPED], "the same URL must do where marks can't be seen"


def _derived(desk: Desk, job: str) -> str | None:
    return fingerprint(Secret(KEY), hook_token(Secret(KEY), desk.gitlab.projects[PROJECT].id, job))


# ---- what goes wrong


def test_a_refused_hook_does_not_stop_the_others(desk: Desk) -> None:
    ids = [desk.marked(job) for job in "abc"]
    desk.remove()
    desk.gitlab.inject(Fault(_post, "answer", Response(422, '{"error": "Invalid url given"}')))
    dones = desk.restore()
    assert endings(dones) == {ids[0]: FAILED, ids[1]: DONE, ids[2]: DONE}
    assert "Invalid url given" in details(dones)[ids[0]] and "allow list" in details(dones)[ids[0]]


def test_an_answer_that_stays_lost(desk: Desk) -> None:
    desk.marked("a")
    desk.remove()
    desk.gitlab.inject(Fault(_post, "cut-before", times=2))
    [done] = desk.restore()
    assert done.ending is FAILED and "it may have been made" in done.detail and desk.hooks() == []


def test_a_project_that_is_gone(desk: Desk) -> None:
    desk.marked("a")
    desk.remove()
    desk.edit(0, project_id=4711)
    [done] = desk.restore()
    assert done.ending is FAILED and "its project is not there, or can't be seen" in done.detail


def test_a_revoked_token_stops_it(desk: Desk) -> None:
    for job in "abcdef":
        desk.marked(job)
    desk.remove()
    with desk.bench.open() as run:
        revoked = Response(401, '{"error": "invalid_token", "error_description": "Token was revoked."}')
        desk.gitlab.inject(Fault(_post, "answer", revoked, times=100))
        dones = desk.put_back(run)
    assert [one.ending for one in dones] == [FAILED] + [SKIPPED] * 5
    assert "not tried: " in dones[5].detail and "revoked" in dones[5].detail
    assert desk.gitlab.count("POST", "/hooks") == 1


def test_a_gitlab_that_is_away(desk: Desk) -> None:
    desk.marked("a")
    desk.remove()
    with desk.bench.open() as run, ExitStack() as stack:
        run.world.gitlabs["gitlab"].http._sleep = lambda seconds: None
        desk.gitlab.inject(Fault(lambda request: True, "cut-before", times=1000))
        stack.callback(desk.gitlab.faults.clear)
        [done] = desk.put_back(run)
    assert done.ending is FAILED and "connection was closed" in done.detail


def test_a_bug_takes_nothing_with_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.marked("a"), desk.marked("b")
    desk.remove()
    with desk.bench.open() as run:
        client = run.world.gitlabs["gitlab"]
        real, calls = client.create_hook, iter([True, False])

        def once(*arguments: Any) -> Any:
            if next(calls):
                raise KeyError("id")
            return real(*arguments)

        monkeypatch.setattr(client, "create_hook", once)
        assert [one.ending for one in desk.put_back(run)] == [FAILED, DONE]
        monkeypatch.setattr(client, "hooks", lambda project: [{"no": "hook"}])
        dones = desk.put_back(run)
    assert [one.ending for one in dones] == [FAILED, FAILED] and "a bug in configurator: KeyError" in dones[0].detail


def test_stopped(desk: Desk) -> None:
    for job in "abc":
        desk.marked(job)
    desk.remove()
    with desk.bench.open() as run:
        client = run.world.gitlabs["gitlab"]
        real = client.create_hook

        def stopping(*arguments: Any) -> Any:
            desk.stop.set()
            return real(*arguments)

        client.create_hook = stopping  # type: ignore[method-assign]
        assert [one.ending for one in desk.put_back(run)] == [DONE, SKIPPED, SKIPPED]
        assert [one.ending for one in desk.put_back(run)] == [SKIPPED] * 3


# ---- which GitLab


def test_a_gitlab_that_has_another_name_now(desk: Desk) -> None:
    desk.marked("a")
    desk.remove()
    desk.edit(0, gitlab="former", gitlab_url=desk.gitlab.url.upper().replace("HTTP", "http") + "/")
    [done] = desk.restore()
    assert done.ending is DONE and done.finding.hook.gitlab == "gitlab"


def test_every_gitlab_that_the_spec_does_not_have_is_named(desk: Desk) -> None:
    desk.marked("a"), desk.marked("b"), desk.marked("c")
    desk.remove()
    desk.edit(0, gitlab_url="https://elsewhere.example.com")
    desk.edit(1, gitlab="second", gitlab_url="https://second.example.com")
    with pytest.raises(InputError) as caught:
        desk.restore()
    assert len(caught.value.problems) == 2 and desk.hooks() == []
    assert "GitLab gitlab https://elsewhere.example.com" in str(caught.value.problems[0])
    assert desk.gitlab.url in str(caught.value.problems[1])


def test_a_cut_off_line_is_told(desk: Desk) -> None:
    desk.marked("a"), desk.marked("b")
    desk.remove()
    desk.path.write_bytes(desk.path.read_bytes()[:-9])
    with desk.bench.open() as run:
        dones = restore(desk.path, run.world, desk.heard, desk.stop)
    assert [one.ending for one in dones] == [DONE] and "last line is not complete" in desk.heard.warnings[0]


def test_null_is_never_sent_and_switches_nothing_on(desk: Desk) -> None:
    desk.marked("a", push_events=None, merge_requests_events=True, confidential_note_events=None)
    desk.remove()
    [done] = desk.restore()
    [hook] = desk.hooks()
    assert done.ending is DONE and not hook.flags["push_events"] and hook.flags["confidential_note_events"] is None
