"""The command ``configurator`` itself: its commands, imported when they are called, and its exit codes."""

from __future__ import annotations

from collections.abc import Sequence

import click

import configurator
from configurator.cli.console import Console, Settings
from configurator.cli.failures import report
from configurator.cli.lazy import LazyGroup
from configurator.cli.options import global_options
from configurator.errors import EXIT_DONE

COMMANDS = {
    "validate": "Check the spec alone: no server, no secret, nothing executed.",
    "plan": "Show what apply would change.",
    "apply": "Make Jenkins and GitLab match the spec.",
    "status": "Show every integration: connected, as whom, until when, and what hangs on it.",
    "connect": "Obtain a token of GitLab, try it, and keep it.",
    "token": "Check tokens, and renew them before they end.",
    "webhooks": "See every webhook, remove the dead ones, repair, restore and try them.",
    "schema": "Print the JSON Schema of the spec, for editors.",
    "sandbox": "Run an embedded Jenkins and GitLab to try things on.",
    "demo": "Show the whole story on the sandbox.",
}

EPILOG = (
    "Exit codes: 0 done, or nothing to do; 1 something failed; 2 changes pending (plan --detailed-exitcode); "
    "3 bad input; 4 refused by a guard, or a conflict is left."
)


@click.command(
    cls=LazyGroup,
    package="configurator.cli",
    summaries=COMMANDS,
    params=global_options(),
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(configurator.__version__, prog_name="configurator")
def group() -> None:
    """Make a Jenkins controller and a GitLab instance match one YAML spec.

    The options below may stand before or after the command.
    """


def run(arguments: Sequence[str]) -> int:
    """Run a command line.

    Args:
        arguments: without the program's name.

    Returns:
        The exit code. Errors have been printed on standard error.
    """
    settings = Settings()
    try:
        code = group.main(args=list(arguments), prog_name="configurator", standalone_mode=False, obj=settings)
    except (Exception, KeyboardInterrupt) as error:
        return report(error, Console(settings))
    finally:
        settings.stop_logs()
    return code if isinstance(code, int) else EXIT_DONE
