"""What went wrong, told to people, and the exit code that follows. Never a traceback for bad input."""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from types import TracebackType

import click

import configurator
from configurator.cli.console import Console
from configurator.errors import EXIT_FAILED, EXIT_INPUT, ConfiguratorError, InputError
from configurator.report.json_report import problem_json
from configurator.report.paint import Paint
from configurator.report.safe import clean, clean_lines

_ROOT = Path(configurator.__file__).parent
_SPEAK_OF_CODE = (
    AttributeError,
    TypeError,
    NameError,
    IndexError,
    ImportError,
    AssertionError,
    RecursionError,
)
"""Errors whose message tells of the program. Others may quote data, and the data may be a secret."""


def report(error: BaseException, console: Console) -> int:
    """Print ``error`` on standard error.

    Returns:
        The exit code.
    """
    if isinstance(error, ConfiguratorError):
        _report_known(error, console)
        return error.exit_code
    if isinstance(error, click.Abort | KeyboardInterrupt):
        _say(console, "Interrupted.")
        return EXIT_FAILED
    if isinstance(error, click.ClickException):
        if console.json_logs:
            console.event("error", error.format_message())
        else:
            error.show()
        return EXIT_INPUT
    _report_bug(error, console)
    return EXIT_FAILED


def _report_known(error: ConfiguratorError, console: Console) -> None:
    if isinstance(error, InputError):
        if console.json_logs:
            problems = json.dumps([problem_json(problem) for problem in error.problems])
            console.event("error", "bad input", problems=json.loads(console.settings.redact(problems)))
            return
        from configurator.report.errors import render_problems

        console.err(console.settings.redact(render_problems(error.problems)).rstrip("\n") + "\n")
        return
    message, hint = console.settings.redact(error.message), console.settings.redact(error.hint)
    if console.json_logs:
        console.event("error", message, hint=hint)
        return
    first, *more = clean_lines(message)
    lines = [f"{Paint(console.colour_err).bad('Error:')} {first}", *(f"  {line}" for line in more)]
    if hint:
        lines += [f"  {line}" for line in clean_lines(hint)]
    console.err("\n".join(lines) + "\n")


def _report_bug(error: BaseException, console: Console) -> None:
    """Type and place of an error that nobody foresaw; with -vv the way there, and its text, redacted."""
    kind = type(error).__name__
    _say(
        console,
        f"This is a bug in configurator {configurator.__version__}: {kind} in {_place(error.__traceback__)}. "
        "Please report it with the output of the same command under -vv.",
    )
    if console.settings.verbose > 1:
        trace = "".join(traceback.format_tb(error.__traceback__)).rstrip()
        message = _text_of(error, console)
        if console.json_logs:
            console.event("debug", f"{kind}: {message}", traceback=trace)
        else:
            console.err("\n".join([*clean_lines(trace), f"{kind}: {clean(message)}"]) + "\n")


def _text_of(error: BaseException, console: Console) -> str:
    """The error's own text, if the secrets in it can be masked, or if there can be none."""
    if console.settings.redactor is None and type(error) not in _SPEAK_OF_CODE:
        return "(text withheld: it may quote a secret)"
    return console.settings.redact(str(error))


def _say(console: Console, message: str) -> None:
    if console.json_logs:
        console.event("error", message)
    else:
        console.err(f"{Paint(console.colour_err).bad('Error:')} {clean(message)}\n")


def _place(trace: TracebackType | None) -> str:
    """The innermost line of this program on the way to the error."""
    ours = [
        frame for frame in traceback.extract_tb(trace) if Path(frame.filename).is_relative_to(_ROOT)
    ] or traceback.extract_tb(trace)
    if not ours:
        return "an unknown place"
    frame = ours[-1]
    file = Path(frame.filename)
    shown = file.relative_to(_ROOT.parent) if file.is_relative_to(_ROOT) else Path(file.name)
    return f"{shown.as_posix()}:{frame.lineno} ({frame.name})"
