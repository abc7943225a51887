"""One difference of a resource: ``path: before → after``, or a small diff where a value has many lines."""

from __future__ import annotations

import difflib

from configurator.model import Field
from configurator.report.safe import clean, clean_lines

ABSENT = "(absent)"
_WIDTH = 80  # characters of a value on one line
_CONTEXT = 16  # characters shown before the first difference of two long values
_DIFF_LINES = 12


def field_lines(field: Field) -> list[str]:
    """The lines that show ``field``, clean, not indented."""
    path = clean(field.path)
    if _is_long_text(field.before) or _is_long_text(field.after):
        return [f"{path}:", *(f"  {line}" for line in _diff(field.before or "", field.after or ""))]
    before, after = _shortened(_shown(field.before), _shown(field.after))
    return [f"{path}: {before} → {after}"]


def _is_long_text(value: str | None) -> bool:
    return value is not None and "\n" in value.strip("\n")


def _shown(value: str | None) -> str:
    if value is None:
        return ABSENT
    return clean(value) or '""'


def _shortened(before: str, after: str) -> tuple[str, str]:
    """Both values, cut to the stretch where they begin to differ."""
    start = 0
    if max(len(before), len(after)) > _WIDTH:
        same = next((at for at, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
        start = max(0, same - _CONTEXT)
    return _cut(before, start), _cut(after, start)


def _cut(value: str, start: int) -> str:
    head = "…" if start else ""
    rest = value[start:]
    return head + (rest if len(rest) <= _WIDTH else rest[: _WIDTH - 1] + "…")


def _diff(before: str, after: str) -> list[str]:
    lines = [
        _cut(line, 0)
        for line in difflib.unified_diff(clean_lines(before), clean_lines(after), n=1, lineterm="")
        if not line.startswith(("---", "+++", "@@"))
    ]
    if not lines:  # they differ in line breaks alone, which clean_lines levels
        return ["(only line breaks differ)"]
    hidden = len(lines) - _DIFF_LINES
    return [*lines[:_DIFF_LINES], f"… and {hidden} more lines"] if hidden > 0 else lines
