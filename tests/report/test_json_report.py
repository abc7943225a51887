from __future__ import annotations

import json

from plan_builders import CREATED_AT, TRIGGER, applied, change, create, example_plan, plan

from configurator.errors import Place, Problem
from configurator.model import Action, Outcome, Resource, Result, Unchecked
from configurator.report.json_report import applied_json, dump, plan_json, problem_json
from configurator.secret import Secret


def test_a_plan_has_the_promised_keys() -> None:
    one = plan(
        change(Action.UPDATE, "job", "a/J", fields=(TRIGGER,), reason="differs"),
        prunable=(change(Action.DELETE, "view", "old"),),
        warnings=("w",),
        unchecked=(Unchecked("credential", "t", "needs Credentials/View", failed=True),),
        unchanged=41,
    )
    assert plan_json(one) == {
        "version": 1,
        "owner": "platform",
        "created_at": CREATED_AT,
        "summary": {"create": 0, "update": 1, "delete": 0, "conflict": 0, "unchanged": 41},
        "changes": [
            {
                "action": "update",
                "kind": "job",
                "name": "a/J",
                "reason": "differs",
                "fields": [{"path": "triggers/GitLabPushTrigger/triggerOnPush", "before": "false", "after": "true"}],
            }
        ],
        "prunable": [{"action": "delete", "kind": "view", "name": "old", "reason": "", "fields": []}],
        "warnings": ["w"],
        "unchecked": [{"kind": "credential", "name": "t", "reason": "needs Credentials/View"}],
    }


def test_an_apply_adds_results() -> None:
    extra = Unchecked("job", "x", "needs Job/Build")
    done = applied(
        example_plan(), failed="payments", warnings=("plugin git is old", "restart"), unchecked=(extra,), seconds=2.0
    )
    data = applied_json(done)
    assert [entry["result"] for entry in data["changes"]] == [
        "done",
        "done",
        "failed",
        "done",
        "skipped",
        "done",
    ]
    assert data["changes"][2]["error"] == "Jenkins: 500\nLook at its log."
    assert data["changes"][2]["seconds"] == 1.25
    assert data["warnings"] == ["plugin git is old", "restart"]
    assert len(data["unchecked"]) == 3
    assert data["seconds"] == 2.0
    assert data["interrupted"] is False
    assert data["summary"]["create"] == 3


def test_a_right_that_a_result_lacked_is_unchecked() -> None:
    one = create("job", "a")
    missing = Unchecked("job", "a", "needs Job/Create")
    done = applied(plan(one))
    done = type(done)(done.plan, (Result(one, Outcome.SKIPPED, "no", unchecked=missing),))
    assert applied_json(done)["unchecked"] == [{"kind": "job", "name": "a", "reason": "needs Job/Create"}]


def test_bodies_never_travel() -> None:
    hidden = create("credential", "c")
    wanted = Resource(hidden.key, {"token": Secret("hunter2-hunter2")})
    text = dump(plan_json(plan(type(hidden)(Action.CREATE, hidden.key, wanted=wanted))))
    assert "hunter2" not in text
    assert "token" not in text


def test_the_text_is_json_and_safe_on_a_terminal() -> None:
    text = dump(plan_json(plan(create("job", "\x1b[2J\x9b\u202eü"))))
    assert json.loads(text)["changes"][0]["name"] == "\x1b[2J\x9b\u202eü"
    assert not set(text) & set("\x1b\x9b\u202e")
    assert "ü" in text


def test_a_problem() -> None:
    place = Place("a.yaml", 3, 7, "  nmae: x")
    assert problem_json(Problem("unknown key", place, "did you mean name", ("application a",))) == {
        "message": "unknown key",
        "file": "a.yaml",
        "line": 3,
        "column": 7,
        "hint": "did you mean name",
        "chain": ["application a"],
    }
    assert problem_json(Problem("odd"))["file"] is None
