"""A status as JSON, in the format that programs rely on (version 1)."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from configurator.report.checks_json import check_json
from configurator.report.json_report import VERSION
from configurator.report.safe import clean_json
from configurator.tokens.watching.model import Integration, State, Status, TokenFacts


def status_json(status: Status) -> dict[str, Any]:
    """The status as plain data: ``checks`` as every command on checks gives them, ``integrations`` beside."""
    today = status.at.date()
    return {
        "version": VERSION,
        "owner": status.owner,
        "created_at": status.at.isoformat(timespec="seconds"),
        "checks": [check_json(one) for one in status.checks],
        "integrations": [_integration(one, today) for one in status.integrations],
        "objects": _objects(status),
        "webhooks": dict(status.webhooks),
        "requests": dict(status.requests),
        "seconds": round(status.seconds, 3),
        "warnings": list(status.warnings),
    }


def status_line(status: Status) -> str:
    """The same as one line of JSON, for a row of looks; ends with a line break."""
    return clean_json(json.dumps(status_json(status), ensure_ascii=False)) + "\n"


def _integration(one: Integration, today: date) -> dict[str, Any]:
    return {
        "kind": one.part.value,
        "name": one.name,
        "verdict": one.verdict.value,
        "summary": one.summary,
        "state": one.state.value if one.state else None,
        "up": one.up,
        "url": one.url or None,
        "user": one.user or None,
        "version": one.version or None,
        "token": _token(one.token, today) if one.token else None,
        "applications": list(one.users.applications),
        "jobs": one.users.jobs,
        "gitlabs": list(one.users.gitlabs),
    }


def _token(token: TokenFacts, today: date) -> dict[str, Any]:
    return {
        "kind": token.kind,
        "name": token.name or None,
        "expires_at": token.expires_at.isoformat() if token.expires_at else None,
        "days_left": token.days_left(today),
        "last_used_at": token.last_used_at or None,
    }


def _objects(status: Status) -> dict[str, dict[str, int]]:
    """State by kind, every state of a kind that is there at all."""
    kinds = sorted({kind for kind, _ in status.objects})
    return {kind: {state.value: status.objects.get((kind, state), 0) for state in State} for kind in kinds}
