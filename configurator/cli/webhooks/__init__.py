"""``configurator webhooks``: one file per command."""

from __future__ import annotations

import click

from configurator.cli.lazy import CommandGroup

COMMANDS = {
    "list": "Show every webhook that calls this Jenkins, and what is wrong with it.",
    "cleanup": "Remove webhooks whose job is gone, and duplicates.",
    "restore": "Put back what cleanup removed.",
    "repair": "Bring this spec's webhooks in order.",
    "test": "Say for each webhook of the spec whether its events would build.",
}


@click.command(
    "webhooks",
    cls=CommandGroup,
    package="configurator.cli.webhooks",
    summaries=COMMANDS,
    epilog="See also the options of `configurator --help`: -v, -q, …",
)
def command() -> None:
    """See every webhook, remove the dead ones, repair, restore and try them."""
