"""Groups of commands that know their commands by name and help, and import the one that is called."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from typing import Any

import click

from configurator.cli.options import Command


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, so that ``--help`` stays quick.

    Args:
        package: the command ``NAME`` is ``command`` in the module ``PACKAGE.NAME``.
        summaries: the first line of each command's help, in the order in which one meets the commands.
    """

    def __init__(self, *arguments: Any, package: str, summaries: Mapping[str, str], **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.package = package
        self.summaries = summaries

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order in which one meets them."""
        return list(self.summaries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; an unknown one is a usage error that names the nearest."""
        if cmd_name not in self.summaries:
            if cmd_name.startswith("-"):
                return None
            near = difflib.get_close_matches(cmd_name, self.summaries, n=1)
            hint = f"Did you mean '{near[0]}'?" if near else f"Commands: {', '.join(self.summaries)}."
            ctx.fail(f"No such command '{cmd_name}'. {hint}")
        command = importlib.import_module(f"{self.package}.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.summaries.items()))


class CommandGroup(LazyGroup, Command):
    """A command that has commands of its own, such as ``configurator webhooks``."""
