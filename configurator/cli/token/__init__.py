"""``configurator token``: one file per command."""

from __future__ import annotations

import click

from configurator.cli.lazy import CommandGroup

COMMANDS = {
    "check": "Say for every token and connection whether it will do, and the cure.",
    "rotate": "Renew tokens before they end, everywhere they are used.",
}


@click.command(
    "token",
    cls=CommandGroup,
    package="configurator.cli.token",
    summaries=COMMANDS,
    epilog="See also the options of `configurator --help`: -v, -q, …",
)
def command() -> None:
    """Check tokens, and renew them before they end."""
