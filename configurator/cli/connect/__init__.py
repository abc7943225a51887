"""``configurator connect``: one file per command."""

from __future__ import annotations

import click

from configurator.cli.lazy import CommandGroup

COMMANDS = {
    "gitlab": "Obtain a token of GitLab, try it, and keep it.",
}


@click.command(
    "connect",
    cls=CommandGroup,
    package="configurator.cli.connect",
    summaries=COMMANDS,
    epilog="See also the options of `configurator --help`: -v, -q, …",
)
def command() -> None:
    """Obtain a token of GitLab, try it, and keep it."""
