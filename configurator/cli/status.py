"""``configurator status``."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from configurator.cli.console import Console, Settings
from configurator.cli.failures import report
from configurator.cli.options import command as command_decorator
from configurator.cli.options import file_option, option, output_option, run_options, spec_path
from configurator.cli.signals import terminate_as_interrupt
from configurator.errors import ConfiguratorError, InputError, Problem

if TYPE_CHECKING:
    from configurator.report.webhooks_text import Look
    from configurator.tokens.watching.model import Status

_READABLE = 0o644  # whoever collects the file is another user, and there is no secret in it


@command_decorator("status")
@file_option()
@output_option("json", "prometheus")
@option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the result to this file, replaced as a whole; for the node exporter: a folder it reads, NAME.prom.",
)
@option(
    "--watch",
    type=click.IntRange(min=1),
    is_flag=False,
    flag_value=60,
    metavar="[SECONDS]",
    help="Look again every so many seconds (60), until Ctrl-C.",
)
@option(
    "--min-days",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Fail when a token has fewer days left than this. Below 30 it is a warning in any case.",
)
@run_options
@click.pass_obj
def command(
    settings: Settings,
    file: Path | None,
    output: str,
    out: Path | None,
    watch: int | None,
    min_days: int,
    allow_commands: bool,
    workers: int,
) -> int:
    """Show every integration: connected, as whom, until when, and what hangs on it.

    Changes nothing. Exit code 1 means that something is red; a spec that is not applied yet is yellow only. With
    --watch, text that does not go to a terminal tells changes only, JSON is one object on a line.
    """
    console = Console(settings)
    if watch is not None and output == "prometheus" and out is None:
        raise click.UsageError("With --watch, metrics go to a file: name it with --out FILE.")
    if output == "prometheus" and out is not None and out.suffix != ".prom":
        raise click.UsageError(f"Name it {out.stem}.prom: the node exporter reads no other file than NAME.prom.")
    look = _Look(console, spec_path(file), output, out, min_days, allow_commands, workers)
    with terminate_as_interrupt():
        if watch is None:
            status = look.take()
            look.show(status)
            return status.exit_code
        return _watch(look, watch)


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at everything, and how it is shown."""

    console: Console
    path: Path
    output: str
    out: Path | None
    min_days: int
    allow_commands: bool
    workers: int

    def take(self, *, quiet: bool = False) -> Status:
        """Load the spec, ask the servers. Every look begins anew, so that a token renewed in between counts.

        Args:
            quiet: without progress.
        """
        from configurator.report.progress import Silent
        from configurator.run import Run
        from configurator.tokens.watching.status import take_status

        with Run.open(self.path, allow_commands=self.allow_commands, workers=self.workers) as run:
            self.console.settings.protect(run.redactor)
            with Silent() if quiet else self.console.progress() as listener:
                return take_status(run, min_days=self.min_days, listener=listener)

    def show(self, status: Status) -> None:
        """Print the result, or write it to the file."""
        text = self._text(status)
        if self.out is None:
            self.console.out(text)
            return
        _write(self.out, text)
        self.console.note(f"The status is in {self.out}")

    def show_again(self, before: Status | None, status: Status, seconds: int) -> None:
        """The same, in a row of looks.

        Args:
            before: the look before; None = this is the first.
            seconds: until the next.
        """
        console = self.console
        if self.out is not None:
            _write(self.out, self._text(status))
        if self.output == "json" and self.out is None:
            from configurator.report.status_json import status_line

            console.out(status_line(status))
        elif self.output == "text" and self.out is None and console.width_out is not None:
            click.clear()
            console.out(f"{self._text(status)}\nLooked at {status.at.astimezone():%H:%M:%S}, ")
            console.out(f"again every {seconds} s; Ctrl-C ends it.\n")
        else:
            self._tell_changes(before, status)

    def _tell_changes(self, before: Status | None, status: Status) -> None:
        """Text that is no terminal's goes to standard output, what accompanies a file is a message."""
        from configurator.report.status_text import changes_text

        if self.out is not None:
            if not (self.console.settings.quiet or self.console.json_logs):
                self.console.err(changes_text(before, status, self._look(error=True)))
            return
        self.console.out(self._text(status) if before is None else changes_text(before, status, self._look()))

    def _text(self, status: Status) -> str:
        if self.output == "json":
            from configurator.report.json_report import dump
            from configurator.report.status_json import status_json

            return dump(status_json(status))
        if self.output == "prometheus":
            from configurator.report.status_prometheus import status_prometheus

            return status_prometheus(status)
        from configurator.report.status_text import status_text
        from configurator.report.webhooks_text import Look

        return status_text(status, Look(verbose=self.console.verbose) if self.out else self._look())

    def _look(self, *, error: bool = False) -> Look:
        from configurator.report.webhooks_text import Look

        console = self.console
        if error:
            return Look(console.colour_err, console.width_err, console.verbose)
        return Look(console.colour_out, console.width_out, console.verbose)


def _watch(look: _Look, seconds: int) -> int:
    """Look again and again. Returns the exit code of the last look once a signal ends it.

    Raises:
        ConfiguratorError: the first look fails for what is no server's fault: a wrong spec, a secret that is not set,
            a file that can't be written. Later such failures are told, and the next look comes all the same.
    """
    before: Status | None = None
    code: int | None = None
    try:
        while True:
            try:
                status = look.take(quiet=before is not None and look.console.width_err is None)
                code = status.exit_code  # before it is shown: Ctrl-C comes as soon as somebody has read it
                look.show_again(before, status, seconds)
                before = status
            except ConfiguratorError as error:
                if before is None:
                    raise
                code = report(error, look.console)
            time.sleep(seconds)
    except KeyboardInterrupt:
        if code is None:
            raise
        return code


def _write(path: Path, text: str) -> None:
    """Replace the file as a whole. Raises InputError."""
    from configurator.private_file import replace_private

    try:
        replace_private(path, text, _READABLE)
    except OSError as error:
        raise InputError([Problem(f"can't write the status to {path}: {error.strerror or error}")]) from error
