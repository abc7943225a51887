"""Rotations of tokens as JSON, in the format that programs rely on (version 1). No value is ever in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from configurator.tokens.rotating.model import Rotated

VERSION = 1


def rotations_json(results: Sequence[Rotated]) -> dict[str, Any]:
    """The results as plain data."""
    return {"version": VERSION, "rotations": [_rotation(one) for one in results]}


def _rotation(one: Rotated) -> dict[str, Any]:
    return {
        "gitlab": one.gitlab,
        "token": one.token or None,
        "kind": one.kind or None,
        "mode": one.mode.value if one.mode else None,
        "result": one.ending.value,
        "detail": one.detail,
        "expires_at": one.expires_at or None,
        "steps": [{"target": step.target, "result": step.result.value, "detail": step.detail} for step in one.steps],
        "recovery": str(one.recovery) if one.recovery else None,
    }
