from __future__ import annotations

import json

from status_builders import down, example, gitlab, jenkins

from configurator.report.json_report import dump
from configurator.report.status_json import status_json, status_line


def test_the_format_that_programs_rely_on() -> None:
    data = json.loads(dump(status_json(example())))
    assert data["version"] == 1
    assert data["checks"][3] == {
        "subject": "credential:gitlab-access-token",
        "check": "present",
        "verdict": "warn",
        "evidence": "it differs from the spec: its secret",
        "cure": "run `configurator apply`",
    }
    assert len(data["checks"]) == 6


def test_integrations() -> None:
    first, second, *_ = status_json(example())["integrations"]
    assert first == {
        "kind": "gitlab",
        "name": "gitlab",
        "verdict": "ok",
        "summary": "connected",
        "state": None,
        "up": True,
        "url": "https://gitlab.example.com",
        "user": "project_7_bot_1",
        "version": "18.5.0-ee",
        "token": {
            "kind": "project",
            "name": "ci",
            "expires_at": "2026-05-24",
            "days_left": 20,
            "last_used_at": "2026-05-03T08:00:00.000Z",
        },
        "applications": ["audit", "catalog", "payments", "search"],
        "jobs": 9,
        "gitlabs": [],
    }
    assert second["token"] is None


def test_objects_have_every_state() -> None:
    assert status_json(example())["objects"]["webhook"] == {
        "unchanged": 8,
        "create": 1,
        "update": 0,
        "conflict": 0,
        "prunable": 0,
        "unchecked": 0,
    }


def test_what_is_not_known_is_null() -> None:
    (line,) = status_json(example(down()))["integrations"]
    assert (line["up"], line["user"], line["version"], line["token"]) == (False, None, None, None)


def test_a_line_for_each_look() -> None:
    text = status_line(example(gitlab(), jenkins()))
    assert text.count("\n") == 1
    assert json.loads(text) == json.loads(dump(status_json(example(gitlab(), jenkins()))))
