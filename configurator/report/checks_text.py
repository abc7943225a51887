"""Checks as text for a terminal or a log: a line for each, its cure below it where there is one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from configurator.report.columns import display_width, fold, pad
from configurator.report.paint import Paint
from configurator.report.safe import clean
from configurator.tokens.checks import Check, Verdict

_WIDEST = 12  # columns up to which the name of a check sets the width of its column
_VERDICT = max(len(verdict) for verdict in Verdict)


def checks_text(checks: Sequence[Check], *, colour: bool = False, width: int | None = None) -> str:
    """The checks by subject, in their order; a count last. Ends with a line break.

    Args:
        checks: those of one subject stand together.
        colour: with escape sequences.
        width: columns of the terminal; None = lines as long as they get.
    """
    paint = Paint(colour)
    lines: list[str] = []
    names = min(_WIDEST, max((display_width(clean(one.check)) for one in checks), default=0))
    for subject, of_subject in groupby(checks, key=lambda one: one.subject):
        lines.append(paint.bold(clean(subject)))
        for one in of_subject:
            lines += check_lines(one, paint, names, width)
        lines.append("")
    return "\n".join([*lines, summary(checks, paint)]) + "\n"


def check_lines(check: Check, paint: Paint, names: int, width: int | None) -> list[str]:
    """One check: verdict, name, evidence, and below it the cure.

    Args:
        names: columns for the name.
        width: as for :func:`checks_text`.
    """
    margin = 2 + _VERDICT + 2 + names + 2
    room = None if width is None else width - margin
    first, *more = fold(clean(check.evidence), room)
    start = f"  {paint_verdict(check.verdict, paint)}  {pad(clean(check.check), names)}"
    lines = [f"{start}  {first}".rstrip(), *(" " * margin + line for line in more)]
    if check.cure:
        arrow, *rest = fold(clean(check.cure), None if room is None else room - 2)
        lines += [f"{' ' * margin}→ {arrow}", *(f"{' ' * margin}  {line}" for line in rest)]
    return lines


def paint_verdict(verdict: Verdict, paint: Paint) -> str:
    """A verdict in its colour, padded to the longest of them."""
    text = pad(verdict.value, _VERDICT)
    if verdict is Verdict.OK:
        return paint.good(text)
    return paint.bad(text) if verdict is Verdict.FAIL else paint.warning(text)


def summary(checks: Iterable[Check], paint: Paint) -> str:
    """How many checks ended how; the worst first."""
    listed = [one.verdict for one in checks]
    order = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WARN, Verdict.OK)
    counts = ", ".join(f"{listed.count(verdict)} {verdict}" for verdict in order if verdict in listed)
    return paint.bold(f"Checks: {counts or 'none'}.")
