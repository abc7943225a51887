from __future__ import annotations

import json
import stat
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_format import parse
from status_builders import credential, down, example, gitlab, jenkins

from configurator.errors import ConfiguratorError, InputError, Problem
from configurator.report.status_json import status_json
from configurator.report.status_text import changes_text, status_text
from configurator.report.webhooks_text import Look
from configurator.tokens.checks import Verdict
from configurator.tokens.watching.model import Status

Step = Status | BaseException
GREEN, RED = example(gitlab(), jenkins()), example(down(), jenkins())


class Looks:
    """What ``take_status`` gives, look after look, and the waits in between. After the last one comes Ctrl-C."""

    def __init__(self) -> None:
        self.steps: list[Step] = [GREEN]
        self.options: list[dict[str, Any]] = []
        self.waits: list[float] = []
        self.seen: Callable[[], None] = lambda: None

    def take(self, run: Any, **options: Any) -> Status:
        self.options.append(options)
        step = self.steps.pop(0)
        if isinstance(step, BaseException):
            raise step
        return step

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.seen()
        if not self.steps:
            raise KeyboardInterrupt


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch, fake: Any) -> Iterator[Looks]:
    made = Looks()
    module = types.ModuleType("configurator.tokens.watching.status")
    module.take_status = made.take  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "configurator.tokens.watching.status", module)
    monkeypatch.setattr("configurator.cli.status.time.sleep", made.wait)
    yield made


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Standard output is a terminal; every clearing of it is noted."""
    cleared: list[str] = []
    monkeypatch.setattr("configurator.cli.console.Console.width_out", property(lambda _: 100))
    monkeypatch.setattr("configurator.cli.status.click.clear", lambda: cleared.append("cleared"))
    return cleared


def test_text(command, looks: Looks) -> None:
    ended = command("status")
    assert (ended.code, ended.out) == (0, status_text(GREEN, Look()))
    assert looks.options[0]["min_days"] == 0


def test_red_is_1_and_yellow_is_0(command, looks: Looks) -> None:
    looks.steps = [RED, example(jenkins(), credential(Verdict.WARN, "it differs"))]
    assert command("status").code == 1
    assert command("status").code == 0


def test_json(command, looks: Looks) -> None:
    assert json.loads(command("status", "-o", "json").out) == status_json(GREEN)


def test_a_file_that_the_node_exporter_would_never_read_is_refused(command, looks: Looks, tmp_path: Path) -> None:
    ended = command("status", "-o", "prometheus", "--out", str(tmp_path / "metrics.txt"))
    assert (ended.code, looks.options) == (3, [])
    assert "Name it metrics.prom" in ended.err
    assert not list(tmp_path.glob("metrics*"))


def test_prometheus(command, looks: Looks) -> None:
    assert "configurator_up" in parse(command("status", "-o", "prometheus").out)


def test_every_option_arrives(command, looks: Looks, fake: Any) -> None:
    Path("x.yaml").touch()
    command("status", "-f", "x.yaml", "--min-days", "14", "--allow-commands", "--workers", "3")
    assert fake.called("open") == {"path": Path("x.yaml"), "allow_commands": True, "workers": 3}
    assert looks.options[0]["min_days"] == 14


class TestOut:
    def test_others_may_read_it(self, command, looks: Looks) -> None:
        ended = command("status", "-o", "prometheus", "--out", "c.prom")
        assert ended.out == ""
        assert "c.prom" in ended.err
        assert stat.S_IMODE(Path("c.prom").stat().st_mode) == 0o644
        assert "configurator_up" in parse(Path("c.prom").read_text())

    def test_it_is_replaced_as_a_whole_and_nothing_is_left_beside_it(self, command, looks: Looks) -> None:
        Path("c.prom").write_text("old")
        Path("c.prom").chmod(0o600)
        before = Path("c.prom").stat().st_ino
        command("status", "-o", "prometheus", "--out", "c.prom")
        assert Path("c.prom").stat().st_ino != before
        assert stat.S_IMODE(Path("c.prom").stat().st_mode) == 0o644
        assert sorted(path.name for path in Path().iterdir()) == ["c.prom", "configurator.yaml"]

    def test_red_is_written_and_exits_1(self, command, looks: Looks) -> None:
        looks.steps = [RED]
        assert command("status", "-o", "json", "--out", "s.json").code == 1
        assert json.loads(Path("s.json").read_text()) == status_json(RED)

    def test_text_in_a_file_has_no_colour(self, command, looks: Looks, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("configurator.cli.console.Console.colour_out", property(lambda _: True))
        command("status", "--out", "s.txt")
        assert Path("s.txt").read_text() == status_text(GREEN, Look())

    def test_a_folder_that_is_not_there(self, command, looks: Looks) -> None:
        ended = command("status", "--out", "no/where.prom")
        assert ended.code == 3
        assert "can't write the status to no/where.prom: No such file or directory" in ended.err


class TestWatch:
    def test_every_minute_unless_told_otherwise(self, command, looks: Looks) -> None:
        looks.steps = [GREEN, GREEN]
        command("status", "--watch")
        assert looks.waits == [60, 60]
        looks.steps, looks.waits = [GREEN], []
        command("status", "--watch", "5", "--min-days", "3")
        assert looks.waits == [5]

    def test_a_pipe_hears_of_changes_only(self, command, looks: Looks) -> None:
        looks.steps = [GREEN, GREEN, RED, RED, GREEN]
        ended = command("status", "--watch")
        assert ended.out == (
            status_text(GREEN, Look()) + changes_text(GREEN, RED, Look()) + changes_text(RED, GREEN, Look())
        )

    @pytest.mark.parametrize(("last", "code"), [(GREEN, 0), (RED, 1)])
    def test_ctrl_c_ends_it_with_the_last_code(self, command, looks: Looks, last: Status, code: int) -> None:
        looks.steps = [GREEN, RED, last]
        ended = command("status", "--watch")
        assert ended.code == code
        assert "Interrupted" not in ended.err

    def test_ctrl_c_during_a_later_look(self, command, looks: Looks) -> None:
        looks.steps = [RED, KeyboardInterrupt()]
        assert command("status", "--watch").code == 1

    def test_ctrl_c_before_there_is_anything_to_say(self, command, looks: Looks) -> None:
        looks.steps = [KeyboardInterrupt()]
        ended = command("status", "--watch")
        assert (ended.code, ended.err.lstrip()) == (1, "Error: Interrupted.\n")

    def test_an_error_in_between_is_told_and_does_not_end_it(self, command, looks: Looks) -> None:
        looks.steps = [GREEN, InputError([Problem("the spec is half written")]), ConfiguratorError("odd"), GREEN]
        ended = command("status", "--watch")
        assert (ended.code, len(looks.waits)) == (0, 4)
        assert "the spec is half written" in ended.err
        assert "odd" in ended.err
        assert ended.out == status_text(GREEN, Look())

    def test_an_error_last_is_the_last_code(self, command, looks: Looks) -> None:
        looks.steps = [GREEN, InputError([Problem("gone")])]
        assert command("status", "--watch").code == 3

    def test_a_spec_that_is_wrong_from_the_start_ends_it(self, command, looks: Looks) -> None:
        looks.steps = [InputError([Problem("wrong")])]
        assert command("status", "--watch").code == 3
        assert looks.waits == []

    def test_a_terminal_is_drawn_anew(self, command, looks: Looks, screen: list[str]) -> None:
        looks.steps = [GREEN, RED]
        ended = command("status", "--watch", "7")
        assert screen == ["cleared"] * 2
        assert status_text(RED, Look(width=100)) in ended.out
        assert "again every 7 s; Ctrl-C ends it.\n" in ended.out

    def test_json_is_a_line_for_each_look(self, command, looks: Looks, screen: list[str]) -> None:
        looks.steps = [GREEN, GREEN, RED]
        lines = command("status", "--watch", "-o", "json").out.splitlines()
        assert [json.loads(line) for line in lines] == [status_json(one) for one in (GREEN, GREEN, RED)]
        assert screen == []

    def test_a_file_is_kept_up_to_date_and_changes_are_messages(self, command, looks: Looks) -> None:
        contents: list[str] = []
        looks.steps = [GREEN, RED]
        looks.seen = lambda: contents.append(Path("c.prom").read_text())
        ended = command("status", "--watch", "-o", "prometheus", "--out", "c.prom")
        assert 'configurator_up{spec="platform",server="gitlab:gitlab"} 1' in contents[0]
        assert 'configurator_up{spec="platform",server="gitlab:gitlab"} 0' in contents[1]
        assert ended.out == ""
        assert changes_text(GREEN, RED, Look()) in ended.err
        looks.steps = [GREEN, RED]
        assert command("status", "--watch", "-o", "prometheus", "--out", "c.prom", "-q").err == ""

    def test_a_file_that_can_not_be_written_once_is_written_later(self, command, looks: Looks) -> None:
        folder = Path("folder")
        folder.mkdir()

        def seen() -> None:
            (folder / "s.txt").unlink(missing_ok=True)
            folder.rmdir() if len(looks.waits) == 1 else folder.mkdir(exist_ok=True)

        looks.steps, looks.seen = [GREEN, GREEN, GREEN], seen
        ended = command("status", "--watch", "--out", "folder/s.txt")
        assert ended.code == 0
        assert "can't write the status" in ended.err

    def test_a_file_that_can_not_be_written_at_all_ends_it(self, command, looks: Looks) -> None:
        assert command("status", "--watch", "--out", "no/where.txt").code == 3
        assert looks.waits == []

    def test_ctrl_c_while_the_first_result_is_being_read(
        self, command, looks: Looks, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(*_: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("configurator.cli.status._Look.show_again", interrupted)
        looks.steps = [RED]
        ended = command("status", "--watch")
        assert (ended.code, "Interrupted" in ended.err) == (1, False)

    def test_metrics_want_a_file(self, command, looks: Looks) -> None:
        ended = command("status", "--watch", "-o", "prometheus")
        assert ended.code == 3
        assert "--out" in ended.err

    @pytest.mark.parametrize("seconds", ["0", "-1", "soon"])
    def test_nonsense(self, command, looks: Looks, seconds: str) -> None:
        assert command("status", f"--watch={seconds}").code == 3

    def test_progress_is_told_once_only(self, command, looks: Looks, fake: Any) -> None:
        from configurator.report.progress import Silent

        looks.steps = [GREEN, GREEN]
        command("status", "--watch")
        assert [type(options["listener"]) is Silent for options in looks.options] == [False, True]
