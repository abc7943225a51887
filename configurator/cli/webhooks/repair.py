"""``configurator webhooks repair``."""

from __future__ import annotations

import click

from configurator.cli.asking import confirm
from configurator.cli.console import Console, Settings
from configurator.cli.options import command as command_decorator
from configurator.cli.options import option, output_option, spec_path
from configurator.cli.signals import stop_on_signal, terminate_as_interrupt
from configurator.cli.webhooks.choice import Choice, choice_options
from configurator.cli.webhooks.common import exit_code, show_nothing, show_results, show_selection
from configurator.errors import InputError, Problem
from configurator.webhooks.model import HookClass
from configurator.webhooks.selection import REPAIRABLE


@command_decorator("repair")
@choice_options(REPAIRABLE)
@option("--deliver", is_flag=True, help="Allow test deliveries that may start a build, where no harmless one will do.")
@option("--dry-run", is_flag=True, help="Only say what would be done.")
@option("--yes", is_flag=True, help="Do not ask.")
@output_option("json")
@click.pass_obj
def command(settings: Settings, choice: Choice, deliver: bool, dry_run: bool, yes: bool, output: str) -> int:
    """Bring this spec's webhooks in order.

    Of mismatched, stale and failing webhooks with this spec's mark: address, events, filter, SSL setting, and the
    token on both sides. One that GitLab disabled, or whose latest delivery failed, is tried with a test delivery: only
    a good answer enables it, and shows that it works.
    """
    from configurator.run import Run
    from configurator.webhooks.repair import repair
    from configurator.webhooks.scan import scan

    console = Console(settings)
    classes = _classes(choice)
    path = spec_path(choice.file)
    with (
        terminate_as_interrupt(),
        Run.open(path, allow_commands=choice.allow_commands, workers=choice.workers) as run,
    ):
        settings.protect(run.redactor)
        with console.scan_progress() as watcher:
            picture = scan(run.world, choice.scope(deliveries=HookClass.FAILING in classes), watcher)
        found = choice.narrow(picture).findings
        selected = [one for one in found if one.is_any(*classes) and one.hook.owner == picture.owner]
        if not selected:
            return show_nothing(console, picture, "repair", output)
        if not dry_run:
            show_selection(console, selected, picture, "repair", output, must=not yes)
            if not yes:
                confirm(console, "Repair these webhooks?")
        with console.scan_progress(len(selected)) as watcher, stop_on_signal() as stop:
            results = repair(selected, run, watcher, stop, deliver=deliver, dry_run=dry_run)
    interrupted = stop.is_set()
    show_results(console, results, output, picture=picture, interrupted=interrupted)
    return exit_code(results, interrupted=interrupted or not picture.complete)


def _classes(choice: Choice) -> tuple[HookClass, ...]:
    """The classes to repair: those that were named, or all. Raises InputError for others, all at once."""
    hint = f"choose from {', '.join(one for one in HookClass if one in REPAIRABLE)}"
    others = [one for one in dict.fromkeys(choice.hook_classes) if one not in REPAIRABLE]
    if others:
        raise InputError([Problem(f"{one} webhooks are nothing to repair", hint=hint) for one in others])
    return choice.hook_classes or tuple(REPAIRABLE)
