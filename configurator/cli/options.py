"""Options that several commands share. Each has an environment variable, named after its long form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from configurator.cli.console import Settings
from configurator.errors import InputError, Problem

DEFAULT_FILE = "configurator.yaml"
DEFAULT_FOLDER = "configurator"


class Option(click.Option):
    """An option with the environment variable ``CONFIGURATOR_NAME``, told in the help."""

    def __init__(self, declarations: Sequence[str], **attributes: Any) -> None:
        super().__init__(declarations, **attributes)
        if self.name:
            long = max(self.opts, key=len).lstrip("-")
            self.envvar = f"CONFIGURATOR_{long.upper().replace('-', '_')}"
            self.show_envvar = True


option = partial(click.option, cls=Option)
"""``click.option`` for this program."""


def global_options(hidden: bool = False) -> list[click.Parameter]:
    """-v, -q, --log-format and --no-color, which write into the context's :class:`Settings`.

    Args:
        hidden: for commands: accepted there, explained in the program's own help.
    """
    shared: dict[str, Any] = {"expose_value": False, "callback": _into_settings, "hidden": hidden}
    return [
        Option(["-v", "--verbose"], count=True, help="Say more: -v informs, -vv debugs.", **shared),
        Option(["-q", "--quiet"], is_flag=True, help="No progress, only results and errors.", **shared),
        Option(
            ["--log-format"],
            type=click.Choice(["text", "json"]),
            default="text",
            show_default=True,
            help="Format of progress, logs and errors on standard error.",
            **shared,
        ),
        Option(["--no-color"], is_flag=True, help="No colour. NO_COLOR is obeyed, too.", **shared),
    ]


def _into_settings(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Remember a global option; what was said after the command wins over what was said before it."""
    if not parameter.name or context.get_parameter_source(parameter.name) is ParameterSource.DEFAULT:
        return
    setattr(context.ensure_object(Settings), parameter.name, value)


class Command(click.Command):
    """A command that takes the global options, too, and starts the logs before it runs."""

    def __init__(self, *arguments: Any, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.params.extend(global_options(hidden=True))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        ctx.ensure_object(Settings).start_logs()
        return super().invoke(ctx)


command = partial(click.command, cls=Command, epilog="See also the options of `configurator --help`: -v, -q, …")
"""``click.command`` for this program."""

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def file_option() -> Decorator:
    """-f: where the spec is."""
    return option(
        "-f",
        "--file",
        type=click.Path(exists=True, path_type=Path),
        help=f"The spec: a file, or a folder of them. Default: {DEFAULT_FILE} or {DEFAULT_FOLDER}/.",
    )


def output_option(*formats: str) -> Decorator:
    """-o: the format of the result."""
    return option(
        "-o",
        "--output",
        type=click.Choice(["text", *formats]),
        default="text",
        show_default=True,
        help="Format of the result on standard output.",
    )


def run_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """--allow-commands and --workers: how a spec is opened."""
    allow = option(
        "--allow-commands",
        is_flag=True,
        help="Run the commands of {command: …} secrets. Only for specs you trust.",
    )
    workers = option(
        "--workers",
        type=click.IntRange(1, 64),
        default=8,
        show_default=True,
        help="Requests at the same time.",
    )
    return allow(workers(function))


def plan_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """--prune and --adopt: what belongs into the plan."""
    prune = option("--prune", is_flag=True, help="Delete what carries our mark and is no longer in the spec.")
    adopt = option(
        "--adopt",
        multiple=True,
        metavar="GLOB",
        help="Take over what was made by hand under these names, such as 'payments/*'. "
        "May be repeated; in the variable they are separated by white space.",
    )
    return prune(adopt(function))


def spec_path(given: Path | None) -> Path:
    """The spec that is meant: the given one, or the default in the current folder.

    Raises:
        InputError: there is none.
    """
    if given is not None:
        return given
    file, folder = Path(DEFAULT_FILE), Path(DEFAULT_FOLDER)
    if file.is_file():
        return file
    if folder.is_dir() and any(path.suffix in (".yaml", ".yml") for path in folder.iterdir()):
        return folder
    raise InputError(
        [
            Problem(
                f"there is no {DEFAULT_FILE} here, and no folder {DEFAULT_FOLDER}/ with YAML files in it",
                hint="name the spec with -f PATH, or go to its folder",
            )
        ]
    )
