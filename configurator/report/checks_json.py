"""Checks as JSON, in the format that programs rely on (version 1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from configurator.tokens.checks import Check

VERSION = 1


def checks_json(checks: Iterable[Check]) -> dict[str, Any]:
    """The checks as plain data: ``version`` and ``checks``, in their order."""
    return {"version": VERSION, "checks": [check_json(one) for one in checks]}


def check_json(check: Check) -> dict[str, str]:
    """One check: subject, check, verdict, evidence, cure."""
    return {
        "subject": check.subject,
        "check": check.check,
        "verdict": check.verdict.value,
        "evidence": check.evidence,
        "cure": check.cure,
    }
