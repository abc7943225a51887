"""Where output goes: results to standard output; progress, logs and errors to standard error."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from configurator.errors import ConfiguratorError
from configurator.report.safe import clean, clean_json

if TYPE_CHECKING:
    from configurator.clients.redaction import Redactor
    from configurator.report.progress import Silent
    from configurator.report.webhooks_progress import ScanSilent

_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)


@dataclass
class Settings:
    """The global options.

    Attributes:
        verbose: how often -v was given.
        quiet: no progress.
        log_format: ``text`` or ``json``, for standard error.
        no_color: never colour.
        redactor: knows the secrets of the run, once it is open.
    """

    verbose: int = 0
    quiet: bool = False
    log_format: str = "text"
    no_color: bool = False
    redactor: Redactor | None = None

    def start_logs(self) -> None:
        """Send the program's logs to standard error."""
        handler = _StderrHandler()
        handler.setFormatter(_JsonFormatter() if self.log_format == "json" else _TextFormatter("%(message)s"))
        self._mask(handler)
        logger = logging.getLogger("configurator")
        self.stop_logs()
        logger.addHandler(handler)
        logger.setLevel(logging.ERROR if self.quiet else _LEVELS[min(self.verbose, 2)])

    @staticmethod
    def stop_logs() -> None:
        """Leave logging as it was before."""
        logger = logging.getLogger("configurator")
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)

    def protect(self, redactor: Redactor) -> None:
        """Mask what ``redactor`` knows in logs and errors from now on."""
        self.redactor = redactor
        for handler in logging.getLogger("configurator").handlers:
            self._mask(handler)

    def redact(self, text: str) -> str:
        """``text`` without the secrets of this run."""
        return self.redactor.clean(text) if self.redactor else text

    def _mask(self, handler: logging.Handler) -> None:
        """Before a run is open: token-like words and user info in URLs. After: its secrets, too."""
        from configurator.clients.redaction import RedactingFilter, Redactor

        handler.addFilter(RedactingFilter(self.redactor or Redactor()))


class Console:
    """Writes for people and programs. A reader that went away (``| head``) stops the writing, not the work.

    Args:
        settings: the global options.
        environ: the environment, for ``NO_COLOR`` and ``TERM``.
    """

    def __init__(self, settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
        self.settings = settings
        self._may_colour = not (settings.no_color or environ.get("NO_COLOR") or environ.get("TERM") == "dumb")

    @property
    def verbose(self) -> bool:
        """Whether everything is to be shown."""
        return self.settings.verbose > 0

    @property
    def json_logs(self) -> bool:
        """Whether standard error takes JSON, one object on a line."""
        return self.settings.log_format == "json"

    @property
    def colour_out(self) -> bool:
        """Whether results are coloured."""
        return self._may_colour and sys.stdout.isatty()

    @property
    def colour_err(self) -> bool:
        """Whether messages are coloured."""
        return self._may_colour and sys.stderr.isatty()

    @property
    def width_out(self) -> int | None:
        """Columns of the terminal that results go to, None where they go elsewhere."""
        return shutil.get_terminal_size().columns if sys.stdout.isatty() else None

    @property
    def width_err(self) -> int | None:
        """Columns of the terminal that messages go to, None where they go elsewhere."""
        return shutil.get_terminal_size().columns if sys.stderr.isatty() else None

    @staticmethod
    def can_ask() -> bool:
        """Whether a person sits at both ends."""
        return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()

    def out(self, text: str) -> None:
        """Print a result; ``text`` brings its line breaks."""
        _write(sys.stdout, text)

    def err(self, text: str) -> None:
        """Print a message for people; ``text`` brings its line breaks."""
        _write(sys.stderr, text)

    def note(self, message: str) -> None:
        """Print a remark on standard error, unless -q was given."""
        if self.settings.quiet:
            return
        self.event("info", message) if self.json_logs else self.err(clean(message) + "\n")

    def event(self, level: str, message: str, **more: object) -> None:
        """Print one JSON object on standard error."""
        self.err(clean_json(json.dumps({"level": level, "message": message, **more}, ensure_ascii=False)) + "\n")

    def progress(self, total: int | None = None) -> Silent:
        """A listener for a plan (``total`` None) or an apply of ``total`` changes; for a ``with`` block."""
        from configurator.report import progress

        if self.settings.quiet:
            return progress.Silent()
        if self.json_logs:
            return progress.JsonLines(self.err)
        if sys.stderr.isatty() and not self.settings.verbose:
            return progress.Bar(sys.stderr, total, colour=self.colour_err)
        return progress.Lines(self.err, colour=self.colour_err)

    def scan_progress(self, total: int | None = None) -> ScanSilent:
        """A watcher for a scan of webhooks (``total`` None) or for work on ``total`` of them; for a ``with`` block."""
        from configurator.report import webhooks_progress as progress

        if self.settings.quiet:
            return progress.ScanSilent()
        if self.json_logs:
            return progress.ScanJsonLines(self.err)
        if sys.stderr.isatty() and not self.settings.verbose:
            return progress.ScanBar(sys.stderr, total, colour=self.colour_err)
        return progress.ScanLines(self.err, colour=self.colour_err)


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:  # closed by whoever called us
        return
    try:
        try:
            stream.write(text)
        except UnicodeEncodeError:  # a terminal that does not speak UTF-8: rather escapes than a crash
            stream.write(text.encode(stream.encoding, "backslashreplace").decode(stream.encoding))
        stream.flush()
    except BrokenPipeError:
        # Whatever is still to come goes nowhere, and so does what Python flushes at its end.
        with contextlib.suppress(OSError, io.UnsupportedOperation):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
    except OSError as error:
        raise ConfiguratorError(f"the output can't be written: {error.strerror or error}") from error


class _StderrHandler(logging.StreamHandler[TextIO]):
    """Writes to what is standard error at that moment.

    While a bar is shown, that is the bar's own stream, which puts every line above it. A handler that kept the stream
    it began with would write into the middle of the bar.
    """

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # the base class keeps one
        """Standard error, as it is now."""
        return sys.stderr


class _TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"{record.levelname.lower()}: {clean(super().format(record))}"


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        data = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        return clean_json(json.dumps(data, ensure_ascii=False))
