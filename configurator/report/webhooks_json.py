"""Webhooks as JSON, in the format that programs rely on (version 1). URLs travel as people may see them, masked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from configurator.report.json_report import VERSION
from configurator.report.webhooks_outline import event_names
from configurator.webhooks.model import Done, Ending, Finding, HookClass, Integration, Picture


def picture_json(picture: Picture, shown: Sequence[Finding] | None = None) -> dict[str, Any]:
    """What a scan saw, as plain data.

    Args:
        picture: the whole scan, from which ``scanned`` and ``complete`` come.
        shown: the findings to list and to count, where that is not all of them.
    """
    findings = picture.findings if shown is None else shown
    counts = Counter(one.cls for one in findings)
    return {
        "version": VERSION,
        "owner": picture.owner,
        "scanned": scanned_json(picture),
        "complete": picture.complete,
        "summary": {name.value: counts[name] for name in HookClass},
        "hooks": [hook_json(one) for one in findings],
        "integrations": [integration_json(one) for one in picture.integrations],
        "problems": list(picture.problems),
        "warnings": list(picture.warnings),
    }


def results_json(
    results: Sequence[Done],
    *,
    picture: Picture | None = None,
    backup: Path | None = None,
    interrupted: bool = False,
) -> dict[str, Any]:
    """What a command did, as plain data: the same hooks with ``action``, ``result``, ``detail`` and ``steps``.

    Args:
        results: one for each hook.
        picture: the scan that came before, if there was one.
        backup: the file that what was removed can be restored from, if one was written.
        interrupted: a signal stopped the work, so that hooks may be missing from ``results``.
    """
    counts = Counter(one.ending for one in results)
    scan = {} if picture is None else {"scanned": scanned_json(picture)}
    return {
        "version": VERSION,
        **scan,
        "complete": picture is None or picture.complete,
        "interrupted": interrupted,
        "backup": None if backup is None else str(backup),
        "summary": {ending.value: counts[ending] for ending in Ending},
        "hooks": [_result_json(one) for one in results],
        "problems": [] if picture is None else list(picture.problems),
        "warnings": [] if picture is None else list(picture.warnings),
    }


def scanned_json(picture: Picture) -> dict[str, int]:
    """How many projects and hooks were looked at, foreign ones too."""
    return {"projects": picture.projects, "hooks": len(picture.findings)}


def hook_json(finding: Finding) -> dict[str, Any]:
    """One hook and what it is; ``hook_id`` is null where `test` speaks of a hook that is not there."""
    hook = finding.hook
    return {
        "gitlab": hook.gitlab,
        "project": hook.project,
        "project_id": hook.project_id,
        "hook_id": hook.id or None,
        "url": finding.shown,
        "class": finding.cls.value,
        "also": [one.value for one in finding.also],
        "job": finding.job,
        "owner": hook.owner,
        "events": event_names(hook.events),
        "evidence": finding.evidence,
        "created_at": hook.created_at or None,
        "alert_status": hook.alert_status,
        "keeper": finding.keeper,
        "deliveries": [{"status": one.status, "at": one.at, "trigger": one.trigger} for one in finding.deliveries],
    }


def integration_json(found: Integration) -> dict[str, Any]:
    """A Jenkins integration of GitLab's own."""
    return {
        "gitlab": found.gitlab,
        "project": found.project,
        "project_id": found.project_id,
        "target": found.target,
        "job": found.job,
        "events": event_names(found.events),
        "twins": list(found.twins),
    }


def _result_json(done: Done) -> dict[str, Any]:
    return {
        **hook_json(done.finding),
        "action": done.action,
        "result": done.ending.value,
        "detail": done.detail,
        "steps": [
            {"check": check, "verdict": verdict, "evidence": evidence, "cure": cure}
            for check, verdict, evidence, cure in done.steps
        ],
    }
