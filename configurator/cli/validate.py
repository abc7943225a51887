"""``configurator validate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from configurator.cli.console import Console, Settings
from configurator.cli.options import command as command_decorator
from configurator.cli.options import file_option, output_option, spec_path
from configurator.errors import EXIT_DONE, InputError

if TYPE_CHECKING:
    from configurator.spec.expanded import Expanded


@command_decorator("validate")
@file_option()
@output_option("json")
@click.pass_obj
def command(settings: Settings, file: Path | None, output: str) -> int:
    """Check the spec alone: no server, no secret, nothing executed."""
    from configurator.report.json_report import VERSION, dump, problem_json

    console = Console(settings)
    try:
        expanded, warnings = _expanded(spec_path(file))
    except InputError as error:
        if output != "json":
            raise
        problems = [problem_json(problem) for problem in error.problems]
        console.out(dump({"version": VERSION, "valid": False, "problems": problems, "warnings": []}))
        return error.exit_code
    counts = _counts(expanded)
    if output == "json":
        report = {"version": VERSION, "valid": True, "counts": counts, "problems": []}
        console.out(dump({**report, "warnings": list(warnings)}))
        return EXIT_DONE
    from configurator.report.text import warnings_text

    console.out(warnings_text(warnings, colour=console.colour_out))
    console.out(f"valid: {', '.join(_counted(number, what) for what, number in counts.items())}\n")
    return EXIT_DONE


def _expanded(path: Path) -> tuple[Expanded, tuple[str, ...]]:
    """What the spec asks for, and the warnings of reading it."""
    from configurator.spec.expand import expand
    from configurator.spec.loader import load

    loaded = load(path)
    expanded = expand(loaded)
    return expanded, tuple(dict.fromkeys((*loaded.warnings, *expanded.warnings)))


def _counts(expanded: Expanded) -> dict[str, int]:
    return {
        "applications": len(expanded.spec.applications),
        "folders": len(expanded.folders),
        "jobs": len(expanded.jobs),
        "views": len(expanded.views),
        "webhooks": sum(job.hook is not None for job in expanded.jobs),
    }


def _counted(number: int, plural: str) -> str:
    return f"{number} {plural.removesuffix('s') if number == 1 else plural}"
