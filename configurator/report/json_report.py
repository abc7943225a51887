"""Plans and results as JSON, in the format that programs rely on (version 1).

Only names, kinds, reasons and differing fields travel, never the bodies of resources.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from configurator.errors import Problem
from configurator.model import Action, Applied, Change, Plan, Unchecked
from configurator.report import outline
from configurator.report.safe import clean_json

VERSION = 1


def plan_json(plan: Plan) -> dict[str, Any]:
    """The plan as plain data: version, owner, created_at, summary, changes, prunable, warnings, unchecked."""
    return {
        "version": VERSION,
        "owner": plan.owner,
        "created_at": plan.created_at,
        "summary": summary_json(plan),
        "changes": [change_json(change) for change in plan.changes],
        "prunable": [change_json(change) for change in plan.prunable],
        "warnings": list(plan.warnings),
        "unchecked": _unchecked_json(plan.unchecked),
    }


def applied_json(applied: Applied) -> dict[str, Any]:
    """The plan that was carried out, with ``result``, ``error`` and ``seconds`` on each change."""
    changes = [
        {
            **change_json(result.change),
            "result": result.outcome.value,
            "error": result.error,
            "seconds": round(result.seconds, 3),
        }
        for result in applied.results
    ]
    return {
        **plan_json(applied.plan),
        "changes": changes,
        "warnings": list(outline.all_warnings(applied)),
        "unchecked": _unchecked_json(outline.all_unchecked(applied)),
        "interrupted": applied.interrupted,
        "seconds": round(applied.seconds, 3),
    }


def summary_json(plan: Plan) -> dict[str, int]:
    """How many changes of each action, and how many resources match."""
    return {**{action.value: plan.count(action) for action in Action}, "unchanged": plan.unchanged}


def change_json(change: Change) -> dict[str, Any]:
    """One change: action, kind, name, reason, fields."""
    return {
        "action": change.action.value,
        "kind": change.key.kind,
        "name": change.key.name,
        "reason": change.reason,
        "fields": [{"path": field.path, "before": field.before, "after": field.after} for field in change.fields],
    }


def problem_json(problem: Problem) -> dict[str, Any]:
    """One problem of the input: message, file, line, column (null without a place), hint, chain."""
    place = problem.place
    return {
        "message": problem.message,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "hint": problem.hint,
        "chain": list(problem.chain),
    }


def dump(data: object) -> str:
    """``data`` as indented JSON text that is safe on a terminal, ending with a line break."""
    return clean_json(json.dumps(data, indent=2, ensure_ascii=False)) + "\n"


def _unchecked_json(unchecked: Iterable[Unchecked]) -> list[dict[str, str]]:
    return [{"kind": item.kind, "name": item.name, "reason": item.reason} for item in unchecked]
