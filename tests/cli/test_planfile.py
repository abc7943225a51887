from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from plan_builders import TRIGGER, change, create, example_plan, plan

from configurator.errors import InputError, RefusedError
from configurator.model import Action, Field, Plan
from configurator.planfile import PlanFile, read, write


def stored(of: Plan) -> PlanFile:
    return PlanFile.of(of, spec=Path("configurator.yaml"), prune=True, adopt=["a/*"])


def secret(before: str, after: str) -> Field:
    return Field("token", before, after, secret=True)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    write(tmp_path / "plan", stored(example_plan()))
    assert read(tmp_path / "plan") == stored(example_plan())
    assert [path.name for path in tmp_path.iterdir()] == ["plan"]


def test_an_existing_file_becomes_private(tmp_path: Path) -> None:
    path = tmp_path / "plan"
    path.touch(mode=0o644)
    write(path, stored(plan()))
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_same_plan_is_fresh_whatever_its_time_order_and_fingerprints() -> None:
    then = plan(
        change(Action.UPDATE, "job", "a", fields=(TRIGGER, secret("(secret) aaaa", "(secret) bbbb"))),
        create("job", "b"),
    )
    now = Plan(
        "platform",
        "2030-01-01T00:00:00+00:00",
        (
            create("job", "b"),
            change(Action.UPDATE, "job", "a", fields=(secret("(secret) cccc", "(secret) dddd"), TRIGGER)),
        ),
        unchanged=7,
    )
    stored(then).require_same(now)


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (plan(), "job a: update is no longer planned"),
        (
            plan(change(Action.UPDATE, "job", "a", fields=(TRIGGER,)), create("job", "b")),
            "job b: create was not planned",
        ),
        (plan(create("job", "a")), "job a: update was planned, now it is create"),
        (plan(change(Action.UPDATE, "job", "a")), "other differences than then in triggers/GitLabPushTrigger"),
        (
            plan(change(Action.UPDATE, "job", "a", fields=(TRIGGER, secret("(secret)", "(secret)")))),
            "other differences than then in token",
        ),
        (Plan("rivals", ""), "it was made for platform, the spec is now rivals"),
    ],
)
def test_a_stale_plan_tells_what_differs(now: Plan, told: str) -> None:
    with pytest.raises(RefusedError) as raised:
        stored(plan(change(Action.UPDATE, "job", "a", fields=(TRIGGER,)))).require_same(now)
    assert told in raised.value.message
    assert raised.value.exit_code == 4
    assert raised.value.hint


def test_many_differences_are_cut() -> None:
    with pytest.raises(RefusedError, match="and 20 more"):
        stored(plan(*(create("job", f"j{number}") for number in range(30)))).require_same(plan())


def test_no_secret_and_no_permission_to_run_commands_is_stored(tmp_path: Path) -> None:
    write(tmp_path / "plan", stored(plan(change(Action.UPDATE, "job", "a", fields=(secret("(secret) aaaa", "x"),)))))
    text = (tmp_path / "plan").read_text()
    assert "aaaa" not in text
    assert "allow" not in text


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"name: platform\n", b"[]", b'"text"', b'{"version": 1}', b"[" * 100_000],
    ids=["empty", "binary", "yaml", "list", "text", "foreign", "deep"],
)
def test_a_foreign_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "plan"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is not a plan file") as raised:
        read(path)
    assert "-f" in raised.value.problems[0].hint


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't read the plan"):
        read(tmp_path / "plan")


def test_a_file_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="can't write the plan"):
        write(tmp_path / "folder", stored(plan()))
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_later_version(tmp_path: Path) -> None:
    (tmp_path / "plan").write_text('{"format": "configurator-plan", "version": 2}')
    with pytest.raises(InputError, match="another version"):
        read(tmp_path / "plan")


@pytest.mark.parametrize(
    ("damage", "at"),
    [
        ({"spec": 1}, "spec"),
        ({"owner": None}, "owner"),
        ({"created_at": []}, "created_at"),
        ({"options": []}, "options"),
        ({"options": {"prune": "yes", "adopt": []}}, "prune"),
        ({"options": {"prune": True, "adopt": "x"}}, "adopt"),
        ({"options": {"prune": True, "adopt": [1]}}, "adopt"),
        ({"changes": {}}, "changes"),
        ({"changes": ["x"]}, "changes"),
        ({"changes": [{"fields": [["p", "a"]]}]}, "fields"),
        ({"changes": [{"fields": [["p", 1, None]]}]}, "fields"),
        ({"changes": [{"fields": []}]}, "action"),
        ({"changes": [{"fields": [], "action": "x", "kind": 1}]}, "kind"),
        ({"changes": [{"fields": [], "action": "x", "kind": "job"}]}, "name"),
    ],
)
def test_a_damaged_file_says_where(tmp_path: Path, damage: dict[str, Any], at: str) -> None:
    path = tmp_path / "plan"
    write(path, stored(example_plan()))
    path.write_text(json.dumps({**json.loads(path.read_text()), **damage}))
    with pytest.raises(InputError, match=f"damaged at `{at}`"):
        read(path)
