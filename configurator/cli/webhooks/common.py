"""What the commands on webhooks have in common: how they show results, and the exit codes that follow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from configurator.cli.console import Console
from configurator.errors import EXIT_DONE, EXIT_FAILED
from configurator.webhooks.model import Done, Ending, Finding, Picture

if TYPE_CHECKING:
    from configurator.report.webhooks_text import Look

NOT_ALL = frozenset((Ending.FAILED, Ending.INCOMPLETE, Ending.SKIPPED))
"""Endings after which something is left to do."""


def look_out(console: Console) -> Look:
    """How texts on standard output look."""
    from configurator.report.webhooks_text import Look

    return Look(console.colour_out, console.width_out, console.verbose)


def look_err(console: Console) -> Look:
    """How texts on standard error look."""
    from configurator.report.webhooks_text import Look

    return Look(console.colour_err, console.width_err, console.verbose)


def show_selection(
    console: Console, selected: Sequence[Finding], picture: Picture, verb: str, output: str, *, must: bool
) -> None:
    """Show what is about to be done: the first half of the text result, a message beside a JSON result.

    Args:
        must: also where messages are unwelcome, since a question follows.
    """
    from configurator.report.webhooks_results_text import selection_text

    if output == "text":
        console.out(selection_text(selected, picture, look_out(console), verb))
    elif must or not (console.settings.quiet or console.json_logs):
        console.err(selection_text(selected, picture, look_err(console), verb))


def show_results(
    console: Console,
    results: Sequence[Done],
    output: str,
    *,
    picture: Picture | None = None,
    backup: Path | None = None,
    spec: Path | None = None,
    interrupted: bool = False,
) -> None:
    """Print what was done, as text or JSON; ``spec`` is the file that was named on the command line, if one was."""
    if output == "json":
        from configurator.report.json_report import dump
        from configurator.report.webhooks_json import results_json

        console.out(dump(results_json(results, picture=picture, backup=backup, interrupted=interrupted)))
        return
    from configurator.report.webhooks_results_text import results_text

    console.out(results_text(results, look_out(console), backup, spec, interrupted=interrupted))


def show_nothing(console: Console, picture: Picture, verb: str, output: str) -> int:
    """Say that nothing is to be done. Returns the exit code: a picture with holes is no good news."""
    if output == "json":
        show_results(console, (), output, picture=picture)
    else:
        from configurator.report.webhooks_results_text import nothing_text

        console.out(nothing_text(picture, look_out(console), verb))
    return EXIT_DONE if picture.complete else EXIT_FAILED


def planned(findings: Iterable[Finding], action: str) -> list[Done]:
    """What a dry run would do."""
    return [Done(one, action, Ending.PLANNED) for one in findings]


def exit_code(results: Iterable[Done], unwelcome: frozenset[Ending] = NOT_ALL, *, interrupted: bool = False) -> int:
    """1 when the user stopped it, or a hook ended in an ``unwelcome`` way; else 0."""
    return EXIT_FAILED if interrupted or any(one.ending in unwelcome for one in results) else EXIT_DONE
