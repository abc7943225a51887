"""The scheduled pipeline of the example says only what the command line understands."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from configurator.cli.app import group

PIPELINE = Path(__file__).parents[2] / "examples" / "webhooks" / ".gitlab-ci.yml"
JOB: dict[str, Any] = yaml.safe_load(PIPELINE.read_text(encoding="utf-8"))["webhooks"]
COMMANDS = [line for line in JOB["script"] if line.startswith("configurator ")]


def parsed(line: str) -> click.Context:
    """The context of ``configurator webhooks COMMAND …``. Raises UsageError for what the command line does not know."""
    _, *groups, name = shlex.split(line)[:3]
    command: click.Command | None = group
    for word in (*groups, name):
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), word)
    assert command is not None
    return command.make_context(name, shlex.split(line)[3:])


def test_the_pipeline_lists_then_removes_without_asking_and_keeps_the_backup() -> None:
    listing, cleanup = (parsed(line) for line in COMMANDS)
    assert (listing.info_name, cleanup.info_name) == ("list", "cleanup")
    assert cleanup.params["yes"]
    assert cleanup.params["only_marked"]
    assert {str(listing.params["out"]), str(cleanup.params["backup"])} == set(JOB["artifacts"]["paths"])


def test_an_unknown_option_would_be_noticed() -> None:
    with pytest.raises(click.UsageError):
        parsed(COMMANDS[0] + " --nonsense")
