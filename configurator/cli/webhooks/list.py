"""``configurator webhooks list``."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from configurator.cli.console import Console, Settings
from configurator.cli.options import command as command_decorator
from configurator.cli.options import option, output_option, spec_path
from configurator.cli.signals import terminate_as_interrupt
from configurator.cli.webhooks.choice import Choice, choice_options
from configurator.cli.webhooks.common import look_out
from configurator.errors import EXIT_DONE, EXIT_FAILED, InputError, Problem
from configurator.webhooks.model import HookClass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from configurator.run import Run
    from configurator.webhooks.model import Finding, Picture


@command_decorator("list")
@choice_options(HookClass)
@option("--everything", is_flag=True, help="Also webhooks that call something other than this Jenkins.")
@option(
    "--deep/--no-deep",
    default=None,
    help="Read the log of every webhook's deliveries, and look for GitLab's own Jenkins integration: one request more "
    "for each webhook and project. Default: for the spec's projects, not with --all or --group.",
)
@option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the result to this file.")
@output_option("json", "csv", "html")
@click.pass_obj
def command(
    settings: Settings, choice: Choice, everything: bool, deep: bool | None, out: Path | None, output: str
) -> int:
    """Show every webhook that calls this Jenkins, and what is wrong with it.

    Changes nothing. Webhooks that work are counted, and listed with -v or --class live. Exit code 1 means that
    something could not be read, so that webhooks may be missing from the list.
    """
    from configurator.run import Run
    from configurator.webhooks.scan import scan

    console = Console(settings)
    if output == "html" and out is None and console.width_out is not None:
        raise click.UsageError("A terminal shows no HTML: write it to a file with --out FILE.")
    deep = not choice.wide if deep is None else deep
    path = spec_path(choice.file)
    with (
        terminate_as_interrupt(),
        Run.open(path, allow_commands=choice.allow_commands, workers=choice.workers) as run,
    ):
        settings.protect(run.redactor)
        with console.scan_progress() as watcher:
            picture = scan(run.world, choice.scope(deliveries=deep, integrations=deep), watcher)
    shown = choice.listed(picture, everything=everything)
    picture = replace(picture, integrations=choice.narrow(picture).integrations)
    if output == "text":
        from configurator.report.webhooks_text import picture_text

        result = picture_text(picture, shown, look_out(console), choice.hook_classes, everything=everything)
    else:
        result = _rendered(run, picture, shown, output)
    if out is None:
        console.out(result)
    else:
        _write(out, result)
        console.note(f"The list is in {out}")
    return EXIT_DONE if picture.complete else EXIT_FAILED


def _rendered(run: Run, picture: Picture, shown: Sequence[Finding], output: str) -> str:
    """The list for programs, spreadsheets or browsers."""
    if output == "json":
        from configurator.report.json_report import dump
        from configurator.report.webhooks_json import picture_json

        return dump(picture_json(picture, shown))
    if output == "csv":
        from configurator.report.webhooks_csv import findings_csv

        return findings_csv(shown)
    from configurator.report.webhooks_html import Addresses, picture_html

    spec = run.loaded.spec
    addresses = Addresses(spec.jenkins.url, {entry.name: entry.url for entry in spec.gitlab})
    return picture_html(picture, shown, addresses, datetime.now(UTC).isoformat(timespec="seconds"))


def _write(path: Path, text: str) -> None:
    """Write the result. Raises InputError."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError([Problem(f"can't write the list to {path}: {error.strerror or error}")]) from error
