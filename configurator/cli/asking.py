"""Asking before something is changed."""

from __future__ import annotations

import click

from configurator.cli.console import Console
from configurator.errors import RefusedError


def confirm(console: Console, question: str) -> None:
    """Ask the person at the terminal, who has seen by now what is about to be done.

    Raises:
        RefusedError: the answer is no, or there is nobody to ask.
    """
    if not console.can_ask():
        raise RefusedError(
            "Nothing was changed: there is no terminal to ask on.",
            "Look at what would be done, then repeat the command with --yes.",
        )
    if not click.confirm(question, err=True):
        raise RefusedError("Nothing was changed: you did not agree.")
