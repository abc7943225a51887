"""``configurator token check``."""

from __future__ import annotations

from pathlib import Path

import click

from configurator.cli.console import Console, Settings
from configurator.cli.options import command as command_decorator
from configurator.cli.options import file_option, option, output_option, run_options, spec_path
from configurator.cli.signals import terminate_as_interrupt
from configurator.errors import EXIT_DONE, EXIT_FAILED


@command_decorator("check")
@click.argument("names", nargs=-1, metavar="[GITLAB]...")
@file_option()
@option(
    "--min-days",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Fail when a token has fewer days left than this. Below 30 it is a warning in any case.",
)
@output_option("json")
@run_options
@click.pass_obj
def command(
    settings: Settings,
    names: tuple[str, ...],
    file: Path | None,
    min_days: int,
    output: str,
    allow_commands: bool,
    workers: int,
) -> int:
    """Say for every token and connection whether it will do, and the cure.

    Of all gitlab entries of the spec, or of those named, and of Jenkins. Changes nothing. Exit code 1 when a check
    fails.
    """
    from configurator.run import Run
    from configurator.tokens.checking.inspect_spec import inspect_spec
    from configurator.tokens.checks import Verdict

    console = Console(settings)
    path = spec_path(file)
    with (
        terminate_as_interrupt(),
        Run.open(path, allow_commands=allow_commands, workers=workers) as run,
    ):
        settings.protect(run.redactor)
        with console.progress() as listener:
            listener.stage("looking at every token and connection")
            checks = inspect_spec(run, names, min_days=min_days)
    if output == "json":
        from configurator.report.checks_json import checks_json
        from configurator.report.json_report import dump

        console.out(dump(checks_json(checks)))
    else:
        from configurator.report.checks_text import checks_text

        console.out(checks_text(checks, colour=console.colour_out, width=console.width_out))
    return EXIT_FAILED if any(one.verdict is Verdict.FAIL for one in checks) else EXIT_DONE
