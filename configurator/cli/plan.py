"""``configurator plan``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from configurator.cli.console import Console, Settings
from configurator.cli.options import command as command_decorator
from configurator.cli.options import file_option, option, output_option, plan_options, run_options, spec_path

if TYPE_CHECKING:
    from configurator.model import Plan


@command_decorator("plan")
@file_option()
@plan_options
@option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the plan to this file, for apply.")
@option("--detailed-exitcode", is_flag=True, help="Exit 2 when changes are pending, 4 when a conflict is.")
@output_option("json", "markdown")
@run_options
@click.pass_obj
def command(
    settings: Settings,
    file: Path | None,
    prune: bool,
    adopt: tuple[str, ...],
    out: Path | None,
    detailed_exitcode: bool,
    output: str,
    allow_commands: bool,
    workers: int,
) -> int:
    """Show what apply would change.

    Reads the servers and changes nothing.
    """
    from configurator.planfile import PlanFile, write
    from configurator.run import Run, exit_code_of_plan

    console = Console(settings)
    path = spec_path(file)
    with Run.open(path, allow_commands=allow_commands, workers=workers) as run:
        settings.protect(run.redactor)
        with console.progress() as listener:
            plan = run.plan(prune=prune, adopt=adopt, listener=listener)
    if out is not None:
        write(out, PlanFile.of(plan, spec=path, prune=prune, adopt=adopt))
    console.out(render(plan, output, console))
    if out is not None:
        console.note(f"The plan is in {out}; carry it out with: configurator apply {out}")
    return exit_code_of_plan(plan, detailed_exitcode)


def render(plan: Plan, output: str, console: Console) -> str:
    """The plan in the format asked for: ``text``, ``json`` or ``markdown``."""
    if output == "json":
        from configurator.report.json_report import dump, plan_json

        return dump(plan_json(plan))
    if output == "markdown":
        from configurator.report.markdown import plan_markdown

        return plan_markdown(plan)
    from configurator.report.text import plan_text

    return plan_text(plan, colour=console.colour_out, verbose=console.verbose)
