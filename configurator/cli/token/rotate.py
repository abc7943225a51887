"""``configurator token rotate``."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from configurator.cli.asking import confirm
from configurator.cli.console import Console, Settings
from configurator.cli.options import command as command_decorator
from configurator.cli.options import file_option, option, output_option, run_options, spec_path
from configurator.cli.signals import stop_on_signal, terminate_as_interrupt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from configurator.tokens.rotating.model import Rotated
    from configurator.tokens.rotating.rotations import Rotations


@command_decorator("rotate")
@click.argument("names", nargs=-1, metavar="[GITLAB]...")
@file_option()
@option("--days", type=click.IntRange(0, 400), help="Rotate when fewer days are left. Default: what the spec says.")
@option("--force", is_flag=True, help="Rotate also when it is not due; with --resume, give up a token that is lost.")
@option("--dry-run", is_flag=True, help="Prove everything, and rotate nothing.")
@option("--resume", is_flag=True, help="Finish a rotation that was interrupted.")
@option(
    "--recovery",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the new token is kept until it is everywhere. Default: a file in the user's folder of states.",
)
@option("--yes", is_flag=True, help="Do not ask.")
@output_option("json")
@run_options
@click.pass_obj
def command(
    settings: Settings,
    names: tuple[str, ...],
    file: Path | None,
    days: int | None,
    force: bool,
    dry_run: bool,
    resume: bool,
    recovery: Path | None,
    yes: bool,
    output: str,
    allow_commands: bool,
    workers: int,
) -> int:
    """Renew tokens before they end, everywhere they are used.

    Of the gitlab entries of the spec that have `rotation:`, or of those named. First everything proves that it takes
    a new token; only then GitLab is asked for it. It goes to a recovery file, to the sinks and to Jenkins, and is
    tried. Interrupted anywhere, `--resume` finishes.
    """
    from configurator.run import Run
    from configurator.tokens.keeping.store import TokenStore
    from configurator.tokens.rotating.model import Wish
    from configurator.tokens.rotating.rotations import Rotations, chosen, exit_code

    console = Console(settings)
    if resume and dry_run:
        raise click.UsageError("--resume and --dry-run exclude each other.")
    path = spec_path(file)
    with terminate_as_interrupt(), Run.open(path, allow_commands=allow_commands, workers=workers) as run:
        settings.protect(run.redactor)
        entries = chosen(run, names)
        if recovery is not None and len(entries) > 1:
            raise click.UsageError("--recovery is one file: name one gitlab entry with it.")
        wish = Wish(days, force, recovery, allow_commands)
        with Rotations(run, entries, wish, cache(TokenStore.open), os.environ) as rotations:
            results = _resume(rotations, console) if resume else _rotate(rotations, console, dry_run=dry_run, yes=yes)
    _show(results, console, output)
    return exit_code(results)


def _resume(rotations: Rotations, console: Console) -> Sequence[Rotated]:
    with stop_on_signal() as stop, console.progress() as listener:
        rotations.listen(listener)
        return rotations.resume(stop)


def _rotate(rotations: Rotations, console: Console, *, dry_run: bool, yes: bool) -> Sequence[Rotated]:
    from configurator.report.paint import Paint
    from configurator.report.rotation_text import proven_text

    with console.progress() as listener:
        rotations.listen(listener)
        rotations.prepare()
    if dry_run or not rotations.ready:
        return rotations.dry()
    if not yes:
        console.err(proven_text(rotations.ready, Paint(console.colour_err)))
        confirm(console, "Rotate?")
    with stop_on_signal() as stop, console.progress() as listener:
        rotations.listen(listener)
        return rotations.carry_out(stop)


def _show(results: Sequence[Rotated], console: Console, output: str) -> None:
    if output == "json":
        from configurator.report.json_report import dump
        from configurator.report.rotation_json import rotations_json

        console.out(dump(rotations_json(results)))
        return
    from configurator.report.paint import Paint
    from configurator.report.rotation_text import results_text

    console.out(results_text(results, Paint(console.colour_out)))
