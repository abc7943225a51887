"""``configurator schema``."""

from __future__ import annotations

import click

from configurator.cli.console import Console, Settings
from configurator.cli.options import command as command_decorator
from configurator.errors import EXIT_DONE


@command_decorator("schema")
@click.pass_obj
def command(settings: Settings) -> int:
    """Print the JSON Schema of the spec, for editors."""
    from configurator.report.json_report import dump
    from configurator.spec.schema import schema

    Console(settings).out(dump(schema()))
    return EXIT_DONE
