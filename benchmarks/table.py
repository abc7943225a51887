"""Rows, limits, and both as Markdown tables that read well on a terminal, too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measured step.

    Attributes:
        jobs: size of the workload.
        who: ``admin``, ``limited`` or ``jenkins-job-builder``.
        step: what was done.
        jenkins, gitlab: requests; None = not counted.
        seconds, cpu_seconds: of the client's process.
        peak_mb: of the client's process.
    """

    jobs: int
    who: str
    step: str
    jenkins: int | None
    gitlab: int | None
    seconds: float
    cpu_seconds: float
    peak_mb: float

    def cells(self) -> list[str]:
        """The row for :func:`markdown`."""
        counts = ["" if count is None else str(count) for count in (self.jenkins, self.gitlab)]
        times = [f"{self.seconds:.2f}", f"{self.cpu_seconds:.2f}"]
        return [str(self.jobs), self.who, self.step, *counts, *times, f"{self.peak_mb:.0f}"]


HEADINGS = ("jobs", "who", "step", "to Jenkins", "to GitLab", "seconds", "CPU s", "peak MB")


@dataclass(frozen=True)
class Limit:
    """What a number may be at most."""

    what: str
    measured: float
    most: float

    @property
    def kept(self) -> bool:
        """Whether it is."""
        return self.measured <= self.most

    def cells(self) -> list[str]:
        """The limit for :func:`markdown`."""
        return [self.what, f"{self.measured:.4g}", f"{self.most:.4g}", "yes" if self.kept else "NO"]


LIMIT_HEADINGS = ("limit", "measured", "at most", "kept")


def markdown(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A Markdown table, columns aligned."""
    rows = [list(headings), *(list(line) for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(headings))]
    rows.insert(1, ["-" * width for width in widths])
    return "".join(f"| {' | '.join(map(str.ljust, row, widths))} |\n" for row in rows)
