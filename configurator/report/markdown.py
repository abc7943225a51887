"""A plan as Markdown for a merge request comment in GitLab.

Everything that a spec or a server contributed stands in fences or ``code`` elements: there GitLab makes
no mentions (``@all``), runs no quick actions (``/merge``) and renders no HTML, so that nobody can write
instructions to GitLab into the name of a job.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from configurator.model import Action, Change, Plan
from configurator.report import outline
from configurator.report.paint import SYMBOLS, Paint
from configurator.report.safe import clean, fenced, html_code
from configurator.report.text import change_lines

_LIMIT = 900_000  # characters; GitLab refuses comments over 1,000,000
_GROUP_LIMIT = 100_000
_ITEMS = 100
_LINE = 500
_HEADINGS = {
    Action.CREATE: "To create",
    Action.UPDATE: "To update",
    Action.DELETE: "To delete",
    Action.CONFLICT: "Conflicts",
}


def plan_markdown(plan: Plan) -> str:
    """The plan: a heading, a table of counts, one foldable block per application; under 1 MB."""
    top = [
        f"### Plan: {outline.counts(plan)}",
        "",
        f"Spec {html_code(plan.owner)}, {html_code(plan.created_at)}",
        "",
        *_table(plan),
    ]
    if not plan.pending:
        top += ["", "Nothing to do."]
    bottom = [
        *_section("What to do about the conflicts", outline.conflict_advice(plan.changes)),
        *_section(f"{outline.REMOVED}; --prune deletes", [_named(change) for change in plan.prunable]),
        *_section("Not checked", _unchecked(plan)),
        *_section("Warnings", [clean(warning) for warning in plan.warnings]),
    ]
    room = _LIMIT - _size(top) - _size(bottom)
    return "\n".join([*top, *_groups(plan.changes, room), *bottom]) + "\n"


def _table(plan: Plan) -> list[str]:
    cells = [(f"{SYMBOLS[action]} {heading}", plan.count(action)) for action, heading in _HEADINGS.items()]
    cells.append(("Unchanged", plan.unchanged))
    return [
        "| " + " | ".join(heading.replace("~", r"\~") for heading, _ in cells) + " |",
        "|" + " ---: |" * len(cells),
        "| " + " | ".join(str(number) for _, number in cells) + " |",
    ]


def _groups(changes: Sequence[Change], room: int) -> list[str]:
    """One block per group, as many as fit into ``room`` characters, and how many did not."""
    lines: list[str] = []
    groups = outline.groups(changes)
    for at, group in enumerate(groups):
        body = [line.removeprefix("  ") for change in group.changes for line in change_lines(change, Paint())]
        summary = f"{html_code(group.title)}: {_shape(group)}"
        block = _details(summary, _at_most(body, _GROUP_LIMIT), "diff")
        room -= _size(block)
        if room < 0:
            left = sum(len(hidden.changes) for hidden in groups[at:])
            return [
                *lines,
                "",
                f"… and {left} more changes in {len(groups) - at} groups: too many for a comment.",
            ]
        lines += block
    return lines


def _shape(group: outline.Group) -> str:
    return ", ".join(f"{number} {kind} to {action.value}" for action, kind, number in group.shape).replace(
        "to conflict", "in conflict"
    )


def _section(title: str, items: list[str]) -> list[str]:
    if not items:
        return []
    hidden = len(items) - _ITEMS
    shown = [item if len(item) <= _LINE else item[: _LINE - 1] + "…" for item in items[:_ITEMS]]
    return _details(
        f"{title} ({len(items)})",
        [*shown, f"… and {hidden} more"] if hidden > 0 else shown,
        open_=len(items) <= 5,
    )


def _details(summary: str, body: list[str], language: str = "", open_: bool = False) -> list[str]:
    tag = "<details open>" if open_ else "<details>"
    return ["", f"{tag}<summary>{summary}</summary>", "", *fenced(body, language), "", "</details>"]


def _unchecked(plan: Plan) -> list[str]:
    return [f"{reason}: {outline.some(names, 20)}" for reason, names in outline.by_reason(plan.unchecked).items()]


def _named(change: Change) -> str:
    return f"{change.key.kind} {clean(change.key.name)}"


def _at_most(lines: list[str], limit: int) -> list[str]:
    """As many of ``lines`` as ``limit`` characters hold, and how many are left out."""
    used = 0
    for at, line in enumerate(lines):
        used += len(line) + 1
        if used > limit:
            return [*lines[:at], f"… and {len(lines) - at} more lines"]
    return lines


def _size(lines: Iterable[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)
