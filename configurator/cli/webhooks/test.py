"""``configurator webhooks test``."""

from __future__ import annotations

from pathlib import Path

import click

from configurator.cli.console import Console, Settings
from configurator.cli.options import command as command_decorator
from configurator.cli.options import file_option, option, output_option, run_options, spec_path
from configurator.cli.signals import stop_on_signal, terminate_as_interrupt
from configurator.cli.webhooks.common import exit_code, look_out, show_results


@command_decorator("test")
@click.argument("names", metavar="[APPLICATION|PROJECT]...", nargs=-1)
@file_option()
@option("--deliver", is_flag=True, help="Have GitLab send a real test event, which may start a build, and look for it.")
@option(
    "--wait",
    type=click.FloatRange(min=0),
    default=15,
    show_default=True,
    metavar="SECONDS",
    help="How long to look for the build of a test event.",
)
@output_option("json")
@run_options
@click.pass_obj
def command(
    settings: Settings,
    names: tuple[str, ...],
    file: Path | None,
    deliver: bool,
    wait: float,
    output: str,
    allow_commands: bool,
    workers: int,
) -> int:
    """Say for each webhook of the spec whether its events would build.

    Looks at the address, whether Jenkins knows the job and takes the token, and whether the event passes the job's
    filters: Jenkins answers GitLab 200 also where it builds nothing. Nothing is started without --deliver.
    """
    from configurator.run import Run
    from configurator.webhooks.trial import try_hooks

    if deliver and not names:
        raise click.UsageError("--deliver may start a build of each job: name the applications, projects or jobs.")
    console = Console(settings)
    path = spec_path(file)
    with terminate_as_interrupt(), Run.open(path, allow_commands=allow_commands, workers=workers) as run:
        settings.protect(run.redactor)
        with console.scan_progress() as watcher, stop_on_signal() as stop:
            results = try_hooks(run, names, watcher, stop, deliver=deliver, wait=wait)
    if output == "json":
        show_results(console, results, output, interrupted=stop.is_set())
    else:
        from configurator.report.webhooks_results_text import trials_text

        console.out(trials_text(results, look_out(console)))
    return exit_code(results, interrupted=stop.is_set())
