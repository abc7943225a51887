"""``configurator webhooks restore``."""

from __future__ import annotations

from pathlib import Path

import click

from configurator.cli.asking import confirm
from configurator.cli.console import Console, Settings
from configurator.cli.options import command as command_decorator
from configurator.cli.options import file_option, option, output_option, run_options, spec_path
from configurator.cli.signals import stop_on_signal, terminate_as_interrupt
from configurator.cli.webhooks.common import exit_code, look_err, look_out, show_results
from configurator.webhooks.model import Done, Ending

_UNWELCOME = frozenset((Ending.FAILED, Ending.INCOMPLETE))
"""A hook that is there already was skipped, and that is well."""


@command_decorator("restore")
@click.argument("backup", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@file_option()
@option("--dry-run", is_flag=True, help="Only say what would be put back.")
@option("--yes", is_flag=True, help="Do not ask.")
@output_option("json")
@run_options
@click.pass_obj
def command(
    settings: Settings,
    backup: Path,
    file: Path | None,
    dry_run: bool,
    yes: bool,
    output: str,
    allow_commands: bool,
    workers: int,
) -> int:
    """Put back what cleanup removed.

    Makes the webhooks of the file BACKUP again that are missing, with the tokens that can be derived; what has to be
    set by hand is said. Exit code 1 means that something could not be put back as it was.
    """
    from configurator.run import Run
    from configurator.webhooks.restore import restore

    console = Console(settings)
    path = spec_path(file)
    with terminate_as_interrupt(), Run.open(path, allow_commands=allow_commands, workers=workers) as run:
        settings.protect(run.redactor)
        if dry_run or not yes:
            with console.scan_progress() as watcher, stop_on_signal() as stop:
                results = restore(backup, run.world, watcher, stop, dry_run=True)
            missing = any(one.ending is Ending.PLANNED for one in results)
            if dry_run or not missing or stop.is_set():
                show_results(console, results, output, interrupted=stop.is_set())
                return exit_code(results, _UNWELCOME, interrupted=stop.is_set())
            _show(console, results, output)
            confirm(console, "Put these webhooks back?")
        with console.scan_progress() as watcher, stop_on_signal() as stop:
            results = restore(backup, run.world, watcher, stop)
    show_results(console, results, output, interrupted=stop.is_set())
    return exit_code(results, _UNWELCOME, interrupted=stop.is_set())


def _show(console: Console, results: tuple[Done, ...], output: str) -> None:
    """What would be put back, before the question."""
    from configurator.report.webhooks_results_text import results_text

    if output == "text":
        console.out(results_text(results, look_out(console)))
    else:
        console.err(results_text(results, look_err(console)))
