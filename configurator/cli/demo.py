"""``configurator demo``."""

from __future__ import annotations

import click

from configurator.cli.console import Settings
from configurator.cli.options import command as command_decorator


@command_decorator("demo")
@click.pass_obj
def command(settings: Settings) -> int:
    """Show the whole story on the sandbox.

    Starts an embedded Jenkins and GitLab on this machine; nothing to install or configure.
    """
    from configurator.demo import run

    return run()
