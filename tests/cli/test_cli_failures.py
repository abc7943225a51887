from __future__ import annotations

import json
import logging
from pathlib import Path

import click
import pytest

from configurator.cli.console import Console, Settings
from configurator.cli.failures import report
from configurator.clients.redaction import Redactor
from configurator.errors import (
    ConfiguratorError,
    InputError,
    Place,
    Problem,
    RefusedError,
    ServerError,
    UnreachableError,
)
from configurator.secret import Secret


def console(**settings: object) -> Console:
    return Console(Settings(**settings))  # type: ignore[arg-type]


def test_a_known_error_shows_message_and_hint(command, fake) -> None:
    fake.planning = UnreachableError("Jenkins https://j.example", "connection refused", "Is it running?")
    ended = command("plan")
    assert ended.code == 1
    assert ended.out == ""
    assert "Error: Jenkins https://j.example: connection refused\n  Is it running?\n" in ended.err
    assert fake.was_called("close")


def test_an_error_without_a_hint_and_with_control_characters(command, fake) -> None:
    fake.planning = ServerError("Jenkins", "odd \x1b[2J answer\nsecond line")
    assert command("plan").err.endswith("Error: Jenkins: odd \\x1b[2J answer\n  second line\n")


def test_bad_input_shows_every_problem(command, fake) -> None:
    fake.opening = InputError(
        [Problem("unknown key nmae", Place("a.yaml", 3, 5, "    nmae: x"), "did you mean name?"), Problem("second")]
    )
    ended = command("plan")
    assert ended.code == 3
    assert "a.yaml:3:5" in ended.err
    assert "unknown key nmae" in ended.err
    assert "second" in ended.err


def test_errors_as_json(command, fake) -> None:
    fake.opening = InputError([Problem("unknown key", Place("a.yaml", 3, 5, ""))])
    ended = command("plan", "--log-format", "json")
    assert json.loads(ended.err)["problems"][0]["line"] == 3
    fake.opening = RefusedError("no", "because")
    ended = command("plan", "--log-format", "json")
    assert ended.code == 4
    assert json.loads(ended.err) == {"level": "error", "message": "no", "hint": "because"}


def test_a_bug_says_where_and_never_what_the_data_was(command, fake) -> None:
    fake.planning = ValueError("token hunter2hunter2 is odd")
    ended = command("plan")
    assert ended.code == 1
    assert "This is a bug in configurator" in ended.err
    assert "ValueError in configurator/cli/plan.py:" in ended.err
    assert "hunter2" not in ended.err
    assert "Traceback" not in ended.err
    assert "conftest.py" not in ended.err


def test_a_bug_shows_its_way_with_vv(command, fake) -> None:
    fake.redactor.learn(Secret("hunter2hunter2"))
    fake.planning = ValueError("token hunter2hunter2 is odd")
    ended = command("plan", "-vv")
    assert 'conftest.py", line' in ended.err
    assert "ValueError: token (secret) is odd" in ended.err
    assert "hunter2" not in ended.err


def test_a_bug_before_the_secrets_are_known_withholds_its_text(command, fake) -> None:
    fake.opening = ValueError("token hunter2hunter2 is odd")
    ended = command("plan", "-vv")
    assert "ValueError: (text withheld" in ended.err
    assert "hunter2" not in ended.err
    fake.opening = None
    fake.planning = AttributeError("'NoneType' object has no attribute 'x'")
    assert "AttributeError: 'NoneType' object has no attribute 'x'" in command("-vv", "plan").err


def test_a_bug_as_json(command, fake) -> None:
    fake.redactor.learn(Secret("hunter2"))
    fake.planning = ValueError("hunter2")
    ended = command("--log-format", "json", "-vv", "plan")
    events = [json.loads(line) for line in ended.err.splitlines()]
    assert [event["level"] for event in events] == ["info", "error", "debug"]
    assert "ValueError: (secret)" in events[2]["message"]
    assert "hunter2" not in ended.err


def test_errors_mask_the_secrets_of_the_run(command, fake) -> None:
    fake.redactor.learn(Secret("hunter2hunter2"))
    fake.planning = ServerError("Jenkins", "it quotes hunter2hunter2")
    assert "it quotes (secret)" in command("plan").err


@pytest.mark.parametrize("options", [(), ("--log-format", "json")])
@pytest.mark.parametrize(
    "error",
    [
        ServerError("Jenkins", "it said no", "try hunter2hunter2"),
        InputError([Problem("it is hunter2hunter2", hint="not hunter2hunter2")]),
    ],
)
def test_hints_and_problems_are_masked_too(command, fake, options: tuple[str, ...], error: ConfiguratorError) -> None:
    fake.redactor.learn(Secret("hunter2hunter2"))
    fake.planning = error
    result = command("plan", *options)
    assert "(secret)" in result.err
    assert "hunter2" not in result.err


def test_logs_mask_the_secrets_of_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings()
    settings.start_logs()
    settings.protect(Redactor([Secret("hunter2hunter2")]))
    logging.getLogger("configurator").warning("it quotes hunter2hunter2")
    assert capsys.readouterr().err == "warning: it quotes (secret)\n"


def test_a_bug_without_a_trace(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(ValueError("x"), console()) == 1
    assert "in an unknown place" in capsys.readouterr().err


def test_a_bug_outside_of_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        json.loads("{")
    except ValueError as error:
        report(error, console())
    assert "JSONDecodeError in decoder.py:" in capsys.readouterr().err


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), click.Abort()])
def test_ctrl_c_exits_1(command, fake, interruption: BaseException) -> None:
    fake.planning = interruption
    ended = command("plan")
    assert ended.code == 1
    assert "Interrupted." in ended.err


def test_logs_go_to_stderr_by_level(capsys: pytest.CaptureFixture[str]) -> None:
    for settings, shown in [
        (Settings(), ["warning"]),
        (Settings(verbose=1), ["info", "warning"]),
        (Settings(verbose=5), ["debug", "info", "warning"]),
        (Settings(quiet=True), []),
    ]:
        settings.start_logs()
        logger = logging.getLogger("configurator.test")
        logger.debug("m\x1b[2J")
        logger.info("m")
        logger.warning("https://user:hunter2@host")
        err = capsys.readouterr().err
        assert [line.partition(":")[0] for line in err.splitlines()] == shown
        assert "hunter2" not in err
        assert "\x1b" not in err


def test_logs_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    Settings(log_format="json").start_logs()
    logging.getLogger("configurator.clients").warning("slow: %s", "x")
    data = json.loads(capsys.readouterr().err)
    assert data["level"] == "warning"
    assert data["logger"] == "configurator.clients"
    assert data["message"] == "slow: x"
    assert data["time"]


class NotUtf8:
    """A terminal that speaks ASCII alone."""

    encoding = "ascii"

    def __init__(self) -> None:
        self.written = ""

    def write(self, text: str) -> None:
        text.encode("ascii")
        self.written += text

    def flush(self) -> None:
        pass


def test_a_terminal_that_speaks_ascii_gets_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = NotUtf8()
    monkeypatch.setattr("sys.stdout", stream)
    console().out("a → b")
    assert stream.written == "a \\u2192 b"


class Terminal(NotUtf8):
    """A terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("settings", "environ", "colour"),
    [
        (Settings(), {}, True),
        (Settings(no_color=True), {}, False),
        (Settings(), {"NO_COLOR": "0"}, False),
        (Settings(), {"NO_COLOR": ""}, True),
        (Settings(), {"TERM": "dumb"}, False),
    ],
)
def test_colour(monkeypatch: pytest.MonkeyPatch, settings: Settings, environ: dict[str, str], colour: bool) -> None:
    monkeypatch.setattr("sys.stdout", Terminal())
    monkeypatch.setattr("sys.stderr", Terminal())
    tty = Console(settings, environ)
    assert tty.colour_out is colour
    assert tty.colour_err is colour


def test_the_kind_of_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    def kind(**settings: object) -> str:
        return type(console(**settings).progress(3)).__name__

    assert kind() == "Lines"
    assert kind(quiet=True) == "Silent"
    assert kind(log_format="json") == "JsonLines"
    monkeypatch.setattr("sys.stderr", Terminal())
    assert kind() == "Bar"
    assert kind(verbose=1) == "Lines"


def test_who_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert not Console.can_ask()
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("sys.stderr", Terminal())
    assert Console.can_ask()


def test_options_after_the_command_win(command, fake, tmp_path: Path) -> None:
    ended = command("--log-format", "json", "plan", "--log-format", "text")
    assert ended.err == "reading Jenkins …\n"
    assert command("-q", "plan").err == ""
    assert command("plan", "-q").err == ""


def test_global_options_from_the_environment(command, fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONFIGURATOR_LOG_FORMAT", "json")
    assert json.loads(command("plan").err)["message"] == "reading Jenkins …"
    monkeypatch.setenv("CONFIGURATOR_QUIET", "1")
    assert command("plan").err == ""
