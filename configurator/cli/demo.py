"""``configurator demo``."""

from __future__ import annotations

import click

from configurator.cli.console import Console, Settings
from configurator.cli.options import command as command_decorator
from configurator.cli.options import option
from configurator.cli.signals import terminate_as_interrupt
from configurator.errors import EXIT_DONE


@command_decorator("demo")
@option("--keep", is_flag=True, help="Leave both servers running at the end, to be looked at in a browser.")
@click.pass_obj
def command(settings: Settings, keep: bool) -> int:
    """Show the whole story on the sandbox.

    Starts an embedded Jenkins and GitLab on this machine; nothing to install or configure.
    """
    from configurator.cli import app
    from configurator.demo import run

    with terminate_as_interrupt():
        try:
            return run(app.run, Console(settings).out, keep)
        except KeyboardInterrupt:
            if not keep:
                raise
    return EXIT_DONE
