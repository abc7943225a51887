"""Progress of a scan and of the work on webhooks, on standard error: a bar on a terminal, lines elsewhere.

Each class watches a scan (``stage``, ``scanned``) and the work that follows (``warning``, ``done``), and may be called
from many threads at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from configurator.report.progress import Bar, JsonLines, Lines, Silent
from configurator.report.safe import clean
from configurator.report.webhooks_results_text import result_line
from configurator.webhooks.model import Done, Ending

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

Clock = Callable[[], float]

_FIRST_PAUSE = 2.0  # seconds until the first line: a scan that is over by then needs none
_LONGEST_PAUSE = 30.0  # seconds between two lines of a scan that takes minutes
_BAR_PAUSE = 0.1  # seconds between two changes of a bar


@dataclass(frozen=True, slots=True)
class Seen:
    """How far a scan is.

    Attributes:
        projects: how many were looked at.
        of: how many there are, None while that is not known.
        hooks: how many were found in them.
        rate: projects per second since the beginning.
    """

    projects: int
    of: int | None
    hooks: int
    rate: float

    def __str__(self) -> str:
        of = "" if self.of is None else f" of {self.of:,}"
        left = f", {_duration((self.of - self.projects) / self.rate)} left" if self.of and self.rate else ""
        return f"{self.projects:,}{of} projects, {self.hooks:,} hooks, {self.rate:,.0f} projects/s{left}"


class Pace:
    """Decides when it is time to say how far a scan is: soon at first, then ever less often.

    Args:
        clock: seconds, as ``time.monotonic`` gives them.
        pause: seconds until the first word.
        longest: seconds that a pause grows to, doubling each time.
    """

    def __init__(
        self, clock: Clock = time.monotonic, pause: float = _FIRST_PAUSE, longest: float = _LONGEST_PAUSE
    ) -> None:
        self._clock = clock
        self._began: float | None = None
        self._due = 0.0
        self._pause = pause
        self._longest = longest

    def look(self, projects: int, of: int | None, hooks: int) -> Seen | None:
        """How far it is, when it is time to say so."""
        now = self._clock()
        if self._began is None:
            self._began, self._due = now, now + self._pause
        if now < self._due:
            return None
        self._pause = min(self._pause * 2, self._longest)
        self._due = now + self._pause
        seconds = now - self._began
        return Seen(projects, of, hooks, projects / seconds if seconds else 0.0)


class ScanSilent(Silent):
    """Says nothing."""

    def scanned(self, projects: int, of: int | None, hooks: int) -> None:
        """So many projects ``of`` all (None: not known yet) were looked at, and ``hooks`` found in them."""

    def warning(self, text: str) -> None:
        """Something that a person should know and that belongs to no single hook."""

    def done(self, done: Done) -> None:
        """The work on a hook ended."""


class ScanLines(Lines, ScanSilent):
    """A line for each stage and each hook, and now and then one for how far a scan is.

    Args:
        write: takes a line with its line break.
        colour: with escape sequences.
        clock: seconds, for the rate.
    """

    def __init__(self, write: Callable[[str], None], *, colour: bool = False, clock: Clock = time.monotonic) -> None:
        super().__init__(write, colour=colour)
        self._pace = Pace(clock)

    def scanned(self, projects: int, of: int | None, hooks: int) -> None:
        """Print how far the scan is, when it is time."""
        with self._lock:
            seen = self._pace.look(projects, of, hooks)
        if seen is not None:
            self._scan_line(seen)

    def warning(self, text: str) -> None:
        """Print the warning."""
        self._print(f"{self._paint.warning('Warning:')} {clean(text)}")

    def done(self, done: Done) -> None:
        """Print how the work on the hook ended. What a dry run plans is the result, which follows."""
        if done.ending is not Ending.PLANNED:
            self._print(result_line(done, self._paint))

    def _scan_line(self, seen: Seen) -> None:
        self._print(str(seen))


class ScanJsonLines(ScanLines, JsonLines):
    """The same as JSON, one object on a line."""

    def warning(self, text: str) -> None:
        """Print the warning."""
        self._event({"level": "warning", "event": "warning", "message": text})

    def done(self, done: Done) -> None:
        """Print how the work on the hook ended."""
        hook = done.finding.hook
        self._event(
            {
                "level": "error" if done.ending is Ending.FAILED else "info",
                "event": "webhook",
                "action": done.action,
                "gitlab": hook.gitlab,
                "project": hook.project,
                "hook_id": hook.id,
                "job": done.finding.job,
                "result": done.ending.value,
                "detail": done.detail,
            }
        )

    def _scan_line(self, seen: Seen) -> None:
        data = {"projects": seen.projects, "of": seen.of, "hooks": seen.hooks, "rate": round(seen.rate, 1)}
        self._event({"level": "info", "event": "scan", **data})


class ScanBar(Bar, ScanSilent):
    """A bar that leaves the terminal as it was; what failed stays, as lines above it.

    Args:
        stream: the terminal.
        total: hooks to work on; None = a scan, which learns its total on the way.
        colour: with colours.
        clock: seconds, for the rate.
    """

    def __init__(
        self, stream: TextIO, total: int | None = None, *, colour: bool = True, clock: Clock = time.monotonic
    ) -> None:
        super().__init__(stream, total, colour=colour)
        self._pace = Pace(clock, _BAR_PAUSE, _BAR_PAUSE)

    def scanned(self, projects: int, of: int | None, hooks: int) -> None:
        """Move the bar to where the scan is."""
        seen = self._pace.look(projects, of, hooks)
        if seen is not None and self._progress is not None and self._task is not None:
            self._progress.update(self._task, total=of, completed=projects, description=str(seen))

    def warning(self, text: str) -> None:
        """Print the warning above the bar."""
        self._above(f"{self._paint.warning('Warning:')} {clean(text)}")

    def done(self, done: Done) -> None:
        """Move the bar on; print a failure above it."""
        if self._progress is None or self._task is None:
            return
        if done.ending in (Ending.FAILED, Ending.INCOMPLETE):
            self._above(result_line(done, self._paint))
        self._progress.advance(self._task)

    def _above(self, line: str) -> None:
        if self._progress is not None:
            from rich.text import Text

            self._progress.console.print(Text.from_ansi(line))

    def _counters(self) -> list[ProgressColumn]:
        """A scan tells its numbers itself, and gets a bar as soon as it knows how much there is."""
        from rich.progress import BarColumn

        return super()._counters() or [BarColumn(bar_width=20)]


def _duration(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 100 else f"{whole // 60} min {whole % 60} s"
