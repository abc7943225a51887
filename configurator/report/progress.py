"""Progress of a plan or an apply on standard error: a bar on a terminal, lines elsewhere.

Each class is a listener: ``stage``, ``started`` and ``finished`` may be called from many threads at once.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from configurator.model import Change, Outcome, Result
from configurator.report.paint import SYMBOLS, Paint
from configurator.report.safe import clean, clean_json

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn, TaskID

_LONG = 1.0  # seconds from which on the time is worth a word


class Silent:
    """Says nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to put away."""

    def stage(self, text: str) -> None:
        """What is being done now, such as ``reading Jenkins …``."""

    def started(self, change: Change) -> None:
        """Work on ``change`` begins."""

    def finished(self, result: Result) -> None:
        """A change ended, one way or another."""


class Lines(Silent):
    """A line for each stage and each finished change.

    Args:
        write: takes a line with its line break.
        colour: with escape sequences.
    """

    def __init__(self, write: Callable[[str], None], *, colour: bool = False) -> None:
        self._write = write
        self._paint = Paint(colour)
        self._lock = threading.Lock()

    def stage(self, text: str) -> None:
        """Print the stage."""
        self._print(clean(text))

    def finished(self, result: Result) -> None:
        """Print how the change ended."""
        self._print(result_line(result, self._paint))

    def _print(self, line: str) -> None:
        with self._lock:
            self._write(line + "\n")


class JsonLines(Lines):
    """The same as JSON, one object on a line, for ``--log-format json``."""

    def stage(self, text: str) -> None:
        """Print the stage."""
        self._event({"level": "info", "event": "stage", "message": text})

    def finished(self, result: Result) -> None:
        """Print how the change ended."""
        change = result.change
        self._event(
            {
                "level": "error" if result.outcome is Outcome.FAILED else "info",
                "event": "change",
                "action": change.action.value,
                "kind": change.key.kind,
                "name": change.key.name,
                "result": result.outcome.value,
                "error": result.error,
                "seconds": round(result.seconds, 3),
            }
        )

    def _event(self, data: dict[str, object]) -> None:
        self._print(clean_json(json.dumps(data, ensure_ascii=False)))


class Bar(Silent):
    """A bar that leaves the terminal as it was; failures stay, as lines above it. Use it in a ``with`` block.

    Args:
        stream: the terminal.
        total: changes to come; None = not known, as while planning.
        colour: with colours.
    """

    def __init__(self, stream: TextIO, total: int | None = None, *, colour: bool = True) -> None:
        self._stream = stream
        self._total = total
        self._paint = Paint(colour)
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        """Show the bar."""
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn

        console = Console(file=self._stream, no_color=not self._paint.on, markup=False, highlight=False)
        text = TextColumn("{task.description}", markup=False)
        self._progress = Progress(SpinnerColumn(), *self._counters(), text, console=console, transient=True)
        self._task = self._progress.add_task("", total=self._total)
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def stage(self, text: str) -> None:
        """Show the stage beside the bar."""
        self._describe(clean(text))

    def started(self, change: Change) -> None:
        """Show the change beside the bar."""
        self._describe(f"{SYMBOLS[change.action]} {clean(str(change.key))}")

    def finished(self, result: Result) -> None:
        """Move the bar on; print a failure above it."""
        if self._progress is None or self._task is None:
            return
        if result.outcome is Outcome.FAILED:
            from rich.text import Text

            self._progress.console.print(Text.from_ansi(result_line(result, self._paint)))
        self._progress.advance(self._task)

    def _counters(self) -> list[ProgressColumn]:
        """The bar and its numbers; nothing where there is nothing to count."""
        from rich.progress import BarColumn, MofNCompleteColumn

        return [BarColumn(), MofNCompleteColumn()] if self._total is not None else []

    def _describe(self, text: str) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, description=text)


def result_line(result: Result, paint: Paint) -> str:
    """How one change ended, on one line."""
    change = result.change
    what = f"{paint.symbol(change.action)} {clean(str(change.key))}"
    if result.outcome is Outcome.DONE:
        return f"{what} ({result.seconds:.1f} s)" if result.seconds >= _LONG else what
    word = paint.bad("failed") if result.outcome is Outcome.FAILED else paint.warning("skipped")
    return f"{what}: {word}: {clean(result.error.strip())}"
