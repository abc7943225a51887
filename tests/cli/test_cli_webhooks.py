from __future__ import annotations

import importlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest

from configurator.cli.options import Command as BaseCommand
from configurator.cli.webhooks import COMMANDS
from configurator.errors import RefusedError
from configurator.webhooks.backup import Backup
from configurator.webhooks.model import Done, Ending, Finding, Hook, HookClass, Integration, Picture
from configurator.webhooks.scan import Scope

C = HookClass


def finding(cls: HookClass, id_: int, project: str = "shop/payments", owner: str | None = "platform") -> Finding:
    mark = f"Managed by configurator ({owner}) key=0123abcd" if owner else None
    url = f"https://jenkins.example.com/project/job-{id_}"
    attributes = {"id": id_, "url": url, "push_events": True, "description": mark, "created_at": "2020-05-04T10:00:00Z"}
    return Finding(Hook("gitlab", project, 7, attributes), cls, "because", f"job-{id_}")


ALL = (
    finding(C.ORPHANED, 1),
    finding(C.ORPHANED, 2, "shop/catalog", None),
    finding(C.ORPHANED, 3, owner="other"),
    finding(C.FAILING, 4),
    finding(C.STALE, 5),
    finding(C.DUPLICATE, 6, owner=None),
    *(finding(C.LIVE, at) for at in range(10, 20)),
    finding(C.FOREIGN, 30, owner=None),
)


@dataclass
class World:
    """Stands for the servers: what the scan sees, how each piece of work ends, and what was asked for."""

    picture: Picture = field(default_factory=lambda: Picture("platform", ALL, projects=2))
    ending: Ending = Ending.DONE
    stops: bool = False
    calls: dict[str, Any] = field(default_factory=dict)
    owner: str = "platform"

    def scan(self, world: Any, scope: Scope, watcher: Any) -> Picture:
        self.calls["scope"] = scope
        watcher.stage("reading GitLab")
        watcher.scanned(2, 2, len(self.picture.findings))
        return self.picture

    def remove(
        self, selected: Sequence[Finding], picture: Picture, world: Any, backup: Backup, watcher: Any, stop: Any
    ) -> tuple[Done, ...]:
        self.calls["removed"] = [one.hook.id for one in selected]
        assert picture is self.picture
        for one in selected if self.ending is Ending.DONE else ():
            backup.write(one, one.hook.attributes, "https://gitlab.example.com")
        return self._work(selected, "delete", watcher, stop)

    def restore(
        self, path: Path, world: Any, watcher: Any, stop: threading.Event, dry_run: bool = False
    ) -> tuple[Done, ...]:
        self.calls.setdefault("restored", []).append((path, dry_run))
        if dry_run and self.ending is Ending.DONE:
            return (Done(ALL[0], "restore", Ending.PLANNED, "it would be made again"),)
        return self._work(ALL[:1], "restore", watcher, stop)

    def repair(
        self, selected: Sequence[Finding], run: Any, watcher: Any, stop: Any, *, deliver: bool, dry_run: bool
    ) -> tuple[Done, ...]:
        self.calls["repaired"] = [one.hook.id for one in selected], deliver, dry_run
        if dry_run:
            return tuple(Done(one, "repair", Ending.PLANNED) for one in selected)
        return self._work(selected, "repair", watcher, stop)

    def try_hooks(
        self, run: Any, names: Sequence[str], watcher: Any, stop: Any, *, deliver: bool, wait: float
    ) -> tuple[Done, ...]:
        self.calls["tried"] = tuple(names), deliver, wait
        return self._work(ALL[:1], "test", watcher, stop)

    def _work(self, selected: Sequence[Finding], action: str, watcher: Any, stop: threading.Event) -> tuple[Done, ...]:
        results = tuple(Done(one, action, self.ending, "said so") for one in selected)
        for one in results:
            watcher.done(one)
        if self.stops:
            stop.set()
        return results


@pytest.fixture
def world(fake: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    """The stand-in in the place of all that asks servers."""
    stand_in = World()
    fake.world = stand_in
    entry = SimpleNamespace(name="gitlab", url="https://gitlab.example.com")
    spec = SimpleNamespace(jenkins=SimpleNamespace(url="https://jenkins.example.com"), gitlab=[entry])
    fake.loaded = SimpleNamespace(spec=spec)
    monkeypatch.setattr("configurator.webhooks.scan.scan", stand_in.scan)
    monkeypatch.setattr("configurator.webhooks.cleanup.remove", stand_in.remove)
    monkeypatch.setattr("configurator.webhooks.restore.restore", stand_in.restore)
    monkeypatch.setattr("configurator.webhooks.repair.repair", stand_in.repair)
    monkeypatch.setattr("configurator.webhooks.trial.try_hooks", stand_in.try_hooks)
    Path("backup.jsonl").touch()
    return stand_in


def holes(world: World) -> None:
    world.picture = Picture("platform", ALL, projects=2, problems=("legal/contracts is not visible",))


def hook_ids(text: str) -> list[int]:
    return [one["hook_id"] for one in json.loads(text)["hooks"]]


# The group


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_their_own_help_says(name: str) -> None:
    command = importlib.import_module(f"configurator.cli.webhooks.{name}").command
    assert isinstance(command, BaseCommand)
    assert command.name == name
    assert (command.help or "").partition("\n")[0].strip() == COMMANDS[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_its_variable_and_a_help_text(name: str) -> None:
    for option in importlib.import_module(f"configurator.cli.webhooks.{name}").command.params:
        if isinstance(option, click.Option):
            long = max(option.opts, key=len).removeprefix("--")
            assert option.envvar == f"CONFIGURATOR_{long.upper().replace('-', '_')}"
            assert option.help


def test_help_lists_the_commands_and_unknown_ones_are_usage_errors(command) -> None:
    shown = command("webhooks", "--help")
    assert shown.code == 0
    assert all(name in shown.out for name in COMMANDS)
    wrong = command("webhooks", "lst")
    assert wrong.code == 3
    assert "No such command 'lst'. Did you mean 'list'?" in wrong.err
    assert command("webhooks", "--nope").code == 3
    assert command("webhooks", "-x").code == 3
    assert command("webhooks").code == 3


def test_global_options_stand_anywhere(command, world: World) -> None:
    for arguments in (["-q", "webhooks", "list"], ["webhooks", "-q", "list"], ["webhooks", "list", "-q"]):
        assert command(*arguments).err == ""


# list


def test_list_shows_what_is_wrong_and_exits_0(command, world: World) -> None:
    ended = command("webhooks", "list")
    assert ended.code == 0
    assert ended.out.startswith("orphaned (3): ")
    assert "hook 10" not in ended.out
    assert "hook 30" not in ended.out
    assert ended.err == "reading GitLab\n"


def test_an_incomplete_list_exits_1(command, world: World) -> None:
    holes(world)
    ended = command("webhooks", "list")
    assert ended.code == 1
    assert "legal/contracts is not visible" in ended.out


def test_the_scope_of_a_list(command, world: World) -> None:
    command("webhooks", "list")
    assert world.calls["scope"] == Scope(deliveries=True, integrations=True)
    command("webhooks", "list", "--all", "--gitlab", "a", "--gitlab", "b")
    assert world.calls["scope"] == Scope(all=True, gitlabs=("a", "b"))
    command("webhooks", "list", "--group", "shop", "--deep", "--project", "shop/payments")
    assert world.calls["scope"] == Scope(groups=("shop",), deliveries=True, integrations=True)
    command("webhooks", "list", "--no-deep", "--project", "shop/payments")
    assert world.calls["scope"] == Scope(projects=("shop/payments",))
    command("webhooks", "list", "--no-deep", "--project", "shop/*")
    assert world.calls["scope"] == Scope()


def test_the_scope_comes_from_the_environment(command, world: World, fake, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {"ALL": "1", "GITLAB": "a b", "CLASS": "live stale", "DEEP": "1", "WORKERS": "3", "OUTPUT": "json"}
    for name, value in variables.items():
        monkeypatch.setenv(f"CONFIGURATOR_{name}", value)
    ended = command("webhooks", "list")
    assert world.calls["scope"] == Scope(all=True, gitlabs=("a", "b"), deliveries=True, integrations=True)
    assert hook_ids(ended.out) == [5, *range(10, 20)]
    assert fake.called("open")["workers"] == 3


def test_filters_of_a_list(command, world: World) -> None:
    assert hook_ids(command("webhooks", "list", "-o", "json").out) == [1, 2, 3, 4, 5, 6, *range(10, 20)]
    assert hook_ids(command("webhooks", "list", "-o", "json", "--everything").out)[-1] == 30
    assert hook_ids(command("webhooks", "list", "-o", "json", "--class", "foreign").out) == [30]
    assert hook_ids(command("webhooks", "list", "-o", "json", "--project", "*/catalog").out) == [2]
    assert hook_ids(command("webhooks", "list", "-o", "json", "--older-than", "90000").out) == []
    ended = command("webhooks", "list", "-o", "json", "--class", "orphaned", "--class", "stale")
    assert hook_ids(ended.out) == [1, 2, 3, 5]
    assert json.loads(ended.out)["scanned"] == {"projects": 2, "hooks": 17}


def test_integrations_follow_the_filter_of_projects(command, world: World) -> None:
    found = (Integration("gitlab", "shop/payments", 7, "x", "y", ()), Integration("gitlab", "shop/z", 8, "x", "y", ()))
    world.picture = Picture("platform", ALL, found, 2)
    data = json.loads(command("webhooks", "list", "-o", "json", "--project", "shop/z").out)
    assert [one["project"] for one in data["integrations"]] == ["shop/z"]


def test_foreign_hooks_of_an_unfiltered_text(command, world: World) -> None:
    assert "foreign (1): " in command("webhooks", "list", "--everything").out


def test_csv_and_html_and_a_file(command, world: World, tmp_path: Path) -> None:
    assert command("webhooks", "list", "-o", "csv").out.startswith("class,gitlab,project")
    assert command("webhooks", "list", "-o", "html").out.startswith("<!doctype html>")
    ended = command("webhooks", "list", "-o", "html", "--out", "list.html")
    assert ended.out == ""
    assert "The list is in list.html" in ended.err
    assert (tmp_path / "list.html").read_text().startswith("<!doctype html>")
    wrong = command("webhooks", "list", "--out", "nowhere/list.txt")
    assert wrong.code == 3
    assert "can't write the list to nowhere/list.txt" in wrong.err


def test_a_terminal_gets_no_html(command, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("configurator.cli.console.Console.width_out", property(lambda _: 80))
    ended = command("webhooks", "list", "-o", "html")
    assert ended.code == 3
    assert "--out FILE" in ended.err
    assert "scope" not in world.calls


def test_an_unknown_class_is_a_usage_error(command, world: World) -> None:
    assert command("webhooks", "list", "--class", "dead").code == 3


# cleanup


def test_cleanup_without_a_terminal_needs_yes(command, world: World) -> None:
    ended = command("webhooks", "cleanup")
    assert ended.code == 4
    assert "--yes" in ended.err
    assert "hook 1" in ended.out
    assert "removed" not in world.calls
    assert not list(Path().glob("webhooks-backup-*"))


def test_cleanup_removes_what_is_ours_or_unmarked_and_names_the_backup(command, world: World) -> None:
    ended = command("webhooks", "cleanup", "--yes", "--backup", "b.jsonl")
    assert ended.code == 0
    assert world.calls["removed"] == [1, 2, 6]
    assert "Webhooks: 3 removed." in ended.out
    assert "`configurator webhooks restore b.jsonl`" in ended.out
    assert len(Path("b.jsonl").read_text().splitlines()) >= 3
    assert world.calls["scope"] == Scope()


def test_the_restore_that_is_named_has_the_spec_that_was_named(command, world: World) -> None:
    ended = command("webhooks", "cleanup", "--yes", "--backup", "b.jsonl", "-f", "configurator.yaml")
    assert "`configurator webhooks restore -f configurator.yaml b.jsonl`" in ended.out


@pytest.mark.parametrize("output", ["text", "json"])
def test_what_apply_moves_stays_and_is_told(command, world: World, output: str) -> None:
    moving = replace(ALL[4], moves_to="new")
    world.picture = Picture("platform", (*ALL[:4], moving, *ALL[5:]), projects=2)
    ended = command("webhooks", "cleanup", "--stale", "--yes", "-o", output)
    assert world.calls["removed"] == [1, 2, 6]
    assert "the spec renamed job-5 to new, and `configurator apply` moves it there" in ended.out


@pytest.mark.parametrize(
    ("name", "fits", "does_not"),
    [("list", "foreign", "dead"), ("cleanup", "unmanaged", "live"), ("repair", "mismatched", "orphaned")],
)
def test_the_help_names_the_classes_that_fit(command, name: str, fits: str, does_not: str) -> None:
    help_ = command("webhooks", name, "--help").out
    [named] = re.findall(r"--class\s+\[([a-z|\s]+)\]", help_)
    assert fits in named
    assert does_not not in named


def test_a_person_is_asked(command, world: World, terminal: Callable[[str], None]) -> None:
    terminal("n")
    ended = command("webhooks", "cleanup")
    assert ended.code == 4
    assert "you did not agree" in ended.err
    terminal("y")
    assert command("webhooks", "cleanup").code == 0
    assert len(list(Path().glob("webhooks-backup-*.jsonl"))) == 1


def test_before_a_question_beside_json_the_hooks_are_shown(command, world, terminal: Callable[[str], None]) -> None:
    terminal("y")
    ended = command("webhooks", "cleanup", "-o", "json", "-q")
    assert "3 hooks to remove" in ended.err
    assert hook_ids(ended.out) == [1, 2, 6]


@pytest.mark.parametrize(
    ("options", "removed"),
    [
        (["--only-marked"], [1]),
        (["--stale"], [1, 2, 5, 6]),
        (["--class", "stale"], [5]),
        (["--class", "stale", "--stale"], [5]),
        (["--class", "failing", "--class", "duplicate"], [4, 6]),
        (["--project", "shop/catalog"], [2]),
    ],
)
def test_what_cleanup_removes(command, world: World, options: list[str], removed: list[int]) -> None:
    assert command("webhooks", "cleanup", "--yes", *options).code == 0
    assert world.calls["removed"] == removed
    assert world.calls["scope"].deliveries is ("failing" in options)


def test_classes_that_are_never_removed(command, world: World) -> None:
    ended = command("webhooks", "cleanup", "--yes", "--class", "live")
    assert ended.code == 3
    assert "never removed" in ended.err


@pytest.mark.parametrize("options", [["--max-deletes", "2"], ["--max-percent", "10"]])
def test_a_guard_refuses_before_it_asks(command, world: World, options, terminal: Callable[[str], None]) -> None:
    terminal("y")
    ended = command("webhooks", "cleanup", *options)
    assert ended.code == 4
    assert options[0] in ended.err
    assert "removed" not in world.calls


def test_an_incomplete_picture_removes_nothing(command, world: World) -> None:
    holes(world)
    ended = command("webhooks", "cleanup", "--yes")
    assert ended.code == 4
    assert "removed" not in world.calls


def test_a_dry_run(command, world: World) -> None:
    ended = command("webhooks", "cleanup", "--dry-run")
    assert ended.code == 0
    assert "3 hooks to remove" in ended.out
    assert "Nothing was removed: this was a dry run." in ended.err
    data = json.loads(command("webhooks", "cleanup", "--dry-run", "-o", "json", "-q").out)
    assert [(one["hook_id"], one["result"]) for one in data["hooks"]] == [(number, "planned") for number in (1, 2, 6)]
    assert data["backup"] is None
    assert command("webhooks", "cleanup", "--dry-run", "--max-deletes", "1").code == 4
    assert "removed" not in world.calls


@pytest.mark.parametrize("ending", [Ending.FAILED, Ending.SKIPPED])
def test_what_was_not_removed_exits_1(command, world: World, ending: Ending) -> None:
    world.ending = ending
    ended = command("webhooks", "cleanup", "--yes")
    assert ended.code == 1
    assert f"{ending}  shop/payments hook 1" in ended.out
    assert "The backup" not in ended.out
    assert not list(Path().glob("webhooks-backup-*"))


def test_an_interruption_exits_1(command, world: World) -> None:
    world.stops = True
    ended = command("webhooks", "cleanup", "--yes", "-o", "json")
    assert ended.code == 1
    assert json.loads(ended.out)["interrupted"] is True


def test_nothing_to_remove(command, world: World) -> None:
    world.picture = Picture("platform", ALL[6:], projects=2)
    ended = command("webhooks", "cleanup")
    assert ended.code == 0
    assert ended.out == "Nothing to remove: looked at 10 webhooks of this Jenkins in 2 projects.\n"
    assert json.loads(command("webhooks", "cleanup", "-o", "json").out)["hooks"] == []


def test_nothing_found_in_an_incomplete_picture_exits_1(command, world: World) -> None:
    world.picture = Picture("platform", ALL[6:], projects=2, problems=("p",))
    assert command("webhooks", "cleanup").code == 1


# restore


def test_restore_shows_what_is_missing_and_asks(command, world: World, terminal: Callable[[str], None]) -> None:
    assert command("webhooks", "restore", "backup.jsonl").code == 4
    terminal("y")
    ended = command("webhooks", "restore", "backup.jsonl")
    assert ended.code == 0
    assert "to restore  shop/payments hook 1" in ended.out
    assert "Webhooks: 1 restored." in ended.out
    assert [dry for _, dry in world.calls["restored"]] == [True, True, False]


def test_restore_with_yes_looks_once(command, world: World) -> None:
    data = json.loads(command("webhooks", "restore", "backup.jsonl", "--yes", "-o", "json").out)
    assert [(one["action"], one["result"]) for one in data["hooks"]] == [("restore", "done")]
    assert world.calls["restored"] == [(Path("backup.jsonl"), False)]


def test_before_a_question_beside_json_the_missing_are_shown(command, world, terminal: Callable[[str], None]) -> None:
    terminal("y")
    ended = command("webhooks", "restore", "backup.jsonl", "-o", "json", "-q")
    assert "to restore  shop/payments hook 1" in ended.err
    assert json.loads(ended.out)["summary"]["done"] == 1


def test_a_dry_restore(command, world: World) -> None:
    assert command("webhooks", "restore", "backup.jsonl", "--dry-run").code == 0
    assert world.calls["restored"] == [(Path("backup.jsonl"), True)]


@pytest.mark.parametrize(("ending", "code"), [(Ending.SKIPPED, 0), (Ending.INCOMPLETE, 1), (Ending.FAILED, 1)])
def test_how_restore_ends(command, world: World, ending: Ending, code: int) -> None:
    world.ending = ending
    assert command("webhooks", "restore", "backup.jsonl").code == code
    assert command("webhooks", "restore", "backup.jsonl", "--yes").code == code


def test_an_interrupted_restore(command, world: World) -> None:
    world.stops = True
    assert command("webhooks", "restore", "backup.jsonl", "--yes").code == 1


def test_a_backup_that_is_not_there(command, world: World) -> None:
    ended = command("webhooks", "restore", "nowhere.jsonl")
    assert ended.code == 3
    assert "does not exist" in ended.err


# repair


def test_repair_is_for_marked_hooks(command, world: World, terminal: Callable[[str], None]) -> None:
    assert command("webhooks", "repair").code == 4
    terminal("y")
    ended = command("webhooks", "repair")
    assert ended.code == 0
    assert world.calls["repaired"] == ([4, 5], False, False)
    assert world.calls["scope"] == Scope(deliveries=True)
    assert "2 hooks to repair" in ended.out
    assert "Webhooks: 2 repaired." in ended.out


def test_repair_of_one_class(command, world: World) -> None:
    ended = command("webhooks", "repair", "--yes", "--class", "stale", "--deliver", "-o", "json")
    assert world.calls["repaired"] == ([5], True, False)
    assert world.calls["scope"] == Scope()
    assert hook_ids(ended.out) == [5]


@pytest.mark.parametrize("name", ["live", "orphaned", "unknown"])
def test_classes_that_are_never_repaired(command, world: World, name: str) -> None:
    ended = command("webhooks", "repair", "--class", name, "--class", "stale", "--yes")
    assert ended.code == 3
    assert f"{name} webhooks are nothing to repair" in ended.err
    assert "choose from failing, mismatched, stale" in ended.err
    assert world.calls == {}


def test_a_dry_repair(command, world: World) -> None:
    ended = command("webhooks", "repair", "--dry-run")
    assert ended.code == 0
    assert "to repair  shop/payments hook 4" in ended.out


def test_what_was_not_repaired_exits_1(command, world: World) -> None:
    world.ending = Ending.INCOMPLETE
    assert command("webhooks", "repair", "--yes").code == 1
    world.ending = Ending.DONE
    holes(world)
    assert command("webhooks", "repair", "--yes").code == 1


def test_nothing_to_repair(command, world: World) -> None:
    ended = command("webhooks", "repair", "--class", "mismatched")
    assert ended.code == 0
    assert ended.out.startswith("Nothing to repair")


# test


def test_deliveries_are_never_sent_to_everything(command, world: World) -> None:
    ended = command("webhooks", "test", "--deliver")
    assert (ended.code, world.calls) == (3, {})
    assert "name the applications, projects or jobs" in ended.err


def test_test(command, world: World) -> None:
    ended = command("webhooks", "test", "payments", "shop/x", "--deliver", "--wait", "3")
    assert ended.code == 0
    assert world.calls["tried"] == (("payments", "shop/x"), True, 3.0)
    assert "Webhooks: 1 passed." in ended.out
    data = json.loads(command("webhooks", "test", "-o", "json").out)
    assert data["hooks"][0]["action"] == "test"
    assert world.calls["tried"] == ((), False, 15.0)


@pytest.mark.parametrize("ending", [Ending.FAILED, Ending.INCOMPLETE])
def test_a_hook_that_does_not_work_exits_1(command, world: World, ending: Ending) -> None:
    world.ending = ending
    assert command("webhooks", "test").code == 1


# progress


@contextmanager
def stderr_is_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setattr("sys.stderr.isatty", lambda: True)
        yield


def test_progress_by_kind_of_standard_error(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    from configurator.cli.console import Console, Settings
    from configurator.report import webhooks_progress as progress

    assert type(Console(Settings(quiet=True)).scan_progress()) is progress.ScanSilent
    assert type(Console(Settings(log_format="json")).scan_progress()) is progress.ScanJsonLines
    assert type(Console(Settings()).scan_progress()) is progress.ScanLines
    assert Console(Settings()).width_err is None
    with stderr_is_a_terminal(monkeypatch):
        assert type(Console(Settings()).scan_progress(3)) is progress.ScanBar
        assert type(Console(Settings(verbose=1)).scan_progress()) is progress.ScanLines
        assert (Console(Settings()).width_err or 0) > 0


def test_a_refusal_of_the_scan_is_told(command, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Picture:
        raise RefusedError("no", "why")

    monkeypatch.setattr("configurator.webhooks.scan.scan", refuse)
    assert command("webhooks", "list").code == 4
