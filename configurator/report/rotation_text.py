"""Rotations of tokens for people. No value is ever in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from configurator.report.paint import Paint
from configurator.report.safe import clean
from configurator.tokens.rotating.model import FAILURES, Ending, Mode, Rotated, Step, StepResult
from configurator.tokens.rotating.rotation import Ready

_WORDS = {
    Ending.ROTATED: "rotated",
    Ending.PROVED: "would be rotated",
    Ending.NOT_DUE: "left alone",
    Ending.NOTHING: "nothing to resume",
    Ending.SETTLED: "settled",
    Ending.REFUSED: "refused",
    Ending.FAILED: "not rotated",
    Ending.INCOMPLETE: "rotated, but not everywhere yet",
    Ending.LOST: "rotated, and the new token is lost",
    Ending.UNKNOWN: "not known whether it was rotated",
}


def results_text(results: Sequence[Rotated], paint: Paint) -> str:
    """What became of each token, with every step. Ends with a line break."""
    lines: list[str] = []
    for one in results:
        lines += [_heading(one, paint), *_steps(one.steps, paint)]
        lines += [f"  {clean(one.detail)}"] if one.detail else []
        lines += [f"  Recovery file: {clean(str(one.recovery))}"] if one.recovery else []
    return "\n".join(lines) + "\n"


def proven_text(ready: Mapping[str, Ready], paint: Paint) -> str:
    """What is about to be done, before somebody agrees. Ends with a line break."""
    lines: list[str] = []
    for name, one in ready.items():
        how = "replaced, with overlap" if one.way.mode is Mode.OVERLAP else "rotated in place: the old one dies at once"
        until = one.subject.expires_at or "ever"
        lines.append(paint.bold(clean(f"{name}: the {one.subject}, good until {until}, is to be {how}")))
        lines += _steps(one.steps, paint)
    return "\n".join(lines) + "\n"


def _heading(one: Rotated, paint: Paint) -> str:
    words = _WORDS[one.ending]
    if one.ending in FAILURES or one.ending is Ending.REFUSED:
        words = paint.bad(words)
    elif one.ending is Ending.ROTATED:
        words = paint.good(words)
    name = f" {one.kind} token {one.token!r}".replace("  ", " ") if one.token else ""
    until = f", good until {one.expires_at}" if one.expires_at else ""
    return f"{paint.bold(clean(one.gitlab))}:{clean(name)} {words}{clean(until)}"


def _steps(steps: Sequence[Step], paint: Paint) -> list[str]:
    return [f"  {_sign(step.result, paint)} {clean(step.target)}: {clean(step.detail)}" for step in steps]


def _sign(result: StepResult, paint: Paint) -> str:
    word = f"{result.value:<7}"
    if result in (StepResult.FAILED, StepResult.SKIPPED):
        return paint.bad(word)
    return paint.warning(word) if result is StepResult.UNKNOWN else paint.good(word)
