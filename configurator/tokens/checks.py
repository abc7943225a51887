"""Checks: what was looked at, what was found, and the cure. What `token check`, `status` and `doctor` consist of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        subject: what it is about, such as ``gitlab:gitlab``, ``jenkins`` or ``credential:gitlab-access-token``.
        check: what was looked at, one word or two: ``reachable``, ``token``, ``scopes``, ``expiry``, ``role``, …
        verdict: how it ended.
        evidence: what was seen, one sentence.
        cure: what to do, one sentence; empty only where the verdict is ok.
    """

    subject: str
    check: str
    verdict: Verdict
    evidence: str
    cure: str = ""


def worst(checks: Iterable[Check]) -> Verdict:
    """The worst verdict of ``checks``; ok without any."""
    order = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WARN, Verdict.OK)
    return min((one.verdict for one in checks), key=order.index, default=Verdict.OK)
