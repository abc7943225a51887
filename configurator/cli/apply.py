"""``configurator apply``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from configurator.cli.asking import confirm
from configurator.cli.console import Console, Settings
from configurator.cli.options import command as command_decorator
from configurator.cli.options import file_option, option, output_option, plan_options, run_options, spec_path
from configurator.cli.signals import stop_on_signal, terminate_as_interrupt

if TYPE_CHECKING:
    from configurator.model import Applied, Plan
    from configurator.planfile import PlanFile


@command_decorator("apply")
@click.argument("planfile", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@file_option()
@plan_options
@option("--max-deletes", type=click.IntRange(min=0), help="Most deletions in one run. Default: the spec's, or 20.")
@option("--yes", is_flag=True, help="Do not ask.")
@output_option("json")
@run_options
@click.pass_context
def command(
    context: click.Context,
    planfile: Path | None,
    file: Path | None,
    prune: bool,
    adopt: tuple[str, ...],
    max_deletes: int | None,
    yes: bool,
    output: str,
    allow_commands: bool,
    workers: int,
) -> int:
    """Make Jenkins and GitLab match the spec.

    Shows the plan and asks before it changes anything. With PLANFILE, written by `configurator plan --out`,
    carries out exactly that plan, and refuses when it is no longer what would be done.
    """
    from configurator.run import Run, exit_code_of_apply

    console = Console(context.ensure_object(Settings))
    stored = _stored(context, planfile)
    if stored is not None:
        path, prune, adopt = Path(stored.spec), stored.prune, stored.adopt
    else:
        path = spec_path(file)
    with terminate_as_interrupt(), Run.open(path, allow_commands=allow_commands, workers=workers) as run:
        console.settings.protect(run.redactor)
        with console.progress() as listener:
            plan = run.plan(prune=prune, adopt=adopt, listener=listener)
        if stored is not None:
            stored.require_same(plan)
        ask = plan.pending and not yes
        _show(plan, output, console, must=ask)
        run.guard(plan, max_deletes)
        if ask:
            confirm(console, "Apply these changes?")
        total = sum(change.action.value != "conflict" for change in plan.changes)
        with console.progress(total) as listener, stop_on_signal() as stop:
            applied = run.apply(plan, max_deletes=max_deletes, listener=listener, stop=stop)
    _report(applied, output, console)
    return exit_code_of_apply(applied)


def _stored(context: click.Context, planfile: Path | None) -> PlanFile | None:
    """The plan file, when one is given; what it decides can't be given beside it."""
    if planfile is None:
        return None
    from configurator.planfile import read

    for name in ("file", "prune", "adopt"):
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{name} is not for use with a plan file: the plan says it already.", context)
    return read(planfile)


def _show(plan: Plan, output: str, console: Console, must: bool) -> None:
    """The plan: the first half of the text result, a message beside a JSON result."""
    from configurator.report.text import plan_text

    if output == "text":
        console.out(plan_text(plan, colour=console.colour_out, verbose=console.verbose))
    elif must or not (console.settings.quiet or console.json_logs):
        console.err(plan_text(plan, colour=console.colour_err, verbose=console.verbose))


def _report(applied: Applied, output: str, console: Console) -> None:
    if output == "json":
        from configurator.report.json_report import applied_json, dump

        console.out(dump(applied_json(applied)))
    elif applied.results or _beside_the_plan(applied):
        from configurator.report.text import applied_text

        console.out("\n" + applied_text(applied, colour=console.colour_out, verbose=console.verbose))


def _beside_the_plan(applied: Applied) -> Sequence[object]:
    """What came up that the plan, which was shown before, does not tell."""
    return [*applied.warnings, *applied.unchecked]
