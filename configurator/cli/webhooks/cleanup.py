"""``configurator webhooks cleanup``."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from configurator.cli.asking import confirm
from configurator.cli.console import Console, Settings
from configurator.cli.options import command as command_decorator
from configurator.cli.options import option, output_option, spec_path
from configurator.cli.signals import stop_on_signal, terminate_as_interrupt
from configurator.cli.webhooks.choice import Choice, choice_options
from configurator.cli.webhooks.common import exit_code, planned, show_nothing, show_results, show_selection
from configurator.errors import EXIT_DONE
from configurator.webhooks.model import HookClass
from configurator.webhooks.selection import DEFAULT_CLASSES, REMOVABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from configurator.run import Run
    from configurator.webhooks.model import Done, Finding, Picture


@command_decorator("cleanup")
@choice_options(REMOVABLE)
@option("--stale", is_flag=True, help="Also stale webhooks: former addresses, and forms that do not work.")
@option("--only-marked", is_flag=True, help="Leave webhooks alone that carry no mark.")
@option("--max-deletes", type=click.IntRange(min=0), default=20, show_default=True, help="Most deletions in one run.")
@option(
    "--max-percent",
    type=click.FloatRange(0, 100),
    default=30,
    show_default=True,
    help="Largest share of the webhooks under this Jenkins' addresses that may go, in percent.",
)
@option(
    "--backup",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what is removed to this new file. Default: webhooks-backup-TIME.jsonl in the current folder.",
)
@option("--dry-run", is_flag=True, help="Only say what would be removed.")
@option("--yes", is_flag=True, help="Do not ask.")
@output_option("json")
@click.pass_obj
def command(
    settings: Settings,
    choice: Choice,
    stale: bool,
    only_marked: bool,
    max_deletes: int,
    max_percent: float,
    backup: Path | None,
    dry_run: bool,
    yes: bool,
    output: str,
) -> int:
    """Remove webhooks whose job is gone, and duplicates.

    Shows them and asks. With --class, removes the webhooks of those classes instead of orphaned and duplicate ones.
    Each is looked at again right before it goes, and written to a backup first, from which
    `configurator webhooks restore` puts it back. A webhook with another owner's mark is never removed.
    """
    from configurator.run import Run
    from configurator.webhooks.scan import scan
    from configurator.webhooks.selection import guard, left_to_apply, select

    console = Console(settings)
    classes = _classes(choice, stale)
    path = spec_path(choice.file)
    with (
        terminate_as_interrupt(),
        Run.open(path, allow_commands=choice.allow_commands, workers=choice.workers) as run,
    ):
        settings.protect(run.redactor)
        with console.scan_progress() as watcher:
            picture = scan(run.world, choice.scope(deliveries=HookClass.FAILING in classes), watcher)
        meant = choice.narrow(picture)
        selected = select(meant, classes, only_marked=only_marked)
        shown = replace(picture, warnings=(*picture.warnings, *left_to_apply(meant, classes)))
        if not selected:
            return show_nothing(console, shown, "remove", output)
        show_selection(console, selected, shown, "remove", output, must=not (yes or dry_run))
        if dry_run and output == "json":
            show_results(console, planned(selected, "delete"), output, picture=shown)
        guard(selected, picture, max_deletes, max_percent)
        if dry_run:
            console.note("Nothing was removed: this was a dry run.")
            return EXIT_DONE
        if not yes:
            confirm(console, "Remove these webhooks?")
        results, written, interrupted = _remove(run, selected, picture, backup, console)
    show_results(console, results, output, picture=shown, backup=written, spec=choice.file, interrupted=interrupted)
    return exit_code(results, interrupted=interrupted)


def _classes(choice: Choice, stale: bool) -> tuple[HookClass, ...]:
    """The classes to remove: those that were named, or the usual ones."""
    named = choice.hook_classes or DEFAULT_CLASSES
    return (*named, HookClass.STALE) if stale and HookClass.STALE not in named else named


def _remove(
    run: Run, selected: Sequence[Finding], picture: Picture, path: Path | None, console: Console
) -> tuple[Sequence[Done], Path | None, bool]:
    """Write the backup, and remove. Returns how it ended, the backup if it holds anything, whether it was stopped."""
    from configurator.webhooks.backup import Backup, default_name
    from configurator.webhooks.cleanup import remove

    with (
        Backup.create(path or default_name(datetime.now(UTC)), run.world.owner) as backup,
        console.scan_progress(len(selected)) as watcher,
        stop_on_signal() as stop,
    ):
        console.note(f"What is removed is written to {backup.path} first.")  # known also where this is broken off
        results = remove(selected, picture, run.world, backup, watcher, stop)
    return results, backup.path if backup.count else None, stop.is_set()
