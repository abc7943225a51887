"""What `connect` tells a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from configurator.report.paint import Paint
from configurator.report.safe import clean
from configurator.tokens.checks import Check, Verdict


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Two columns, indented."""
    known = list(rows)
    width = max((len(name) for name, _ in known), default=0)
    return "".join(f"  {name:<{width}}  {clean(text)}\n" for name, text in known)


def checks_lines(checks: Sequence[Check], colour: bool) -> str:
    """One line for each check, with its cure below."""
    paint = Paint(colour)
    marks = {
        Verdict.OK: paint.good("ok"),
        Verdict.WARN: paint.warning("warn"),
        Verdict.FAIL: paint.bad("fail"),
        Verdict.UNKNOWN: paint.warning("?"),
    }
    lines = []
    for one in checks:
        mark = marks[one.verdict] + " " * max(0, 4 - len("?" if one.verdict is Verdict.UNKNOWN else one.verdict))
        lines.append(f"  {mark}  {one.check:<9}  {clean(one.evidence)}")
        if one.cure:
            lines.append(f"                   {clean(one.cure)}")
    return "".join(f"{line}\n" for line in lines)
