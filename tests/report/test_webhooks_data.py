from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hook_builders import done, finding, picture

from configurator.report.json_report import dump
from configurator.report.webhooks_csv import COLUMNS, findings_csv
from configurator.report.webhooks_json import picture_json, results_json
from configurator.webhooks.model import Delivery, Ending, HookClass, Integration

C = HookClass
ORPHAN = finding(
    C.ORPHANED, also=(C.STALE,), deliveries=(Delivery("500", "2026-05-04T10:00:00Z", "push_hooks"),), keeper=3
)
BY_HAND = finding(C.UNMANAGED, job=None, id_=8, owner=None, url="https://bob:pw@jenkins.example.com/x", created_at=None)


def test_the_json_of_a_list_is_the_promised_one() -> None:
    twin = Integration("gitlab", "shop/payments", 7, "https://j/x", "payments/MAIN", ("push_events",), (31,))
    data = picture_json(picture(ORPHAN, BY_HAND, integrations=(twin,), problems=("p",), warnings=("w",)))
    assert data["version"] == 1
    assert data["scanned"] == {"projects": 12, "hooks": 2}
    assert data["complete"] is False
    assert data["summary"] == {**dict.fromkeys((one.value for one in C), 0), "orphaned": 1, "unmanaged": 1}
    assert data["hooks"][0] == {
        "gitlab": "gitlab",
        "project": "shop/payments",
        "project_id": 7,
        "hook_id": 31,
        "url": "https://jenkins.example.com/project/payments/MAIN-Build-payments",
        "class": "orphaned",
        "also": ["stale"],
        "job": "payments/MAIN-Build-payments",
        "owner": "platform",
        "events": ["push"],
        "evidence": "because",
        "created_at": "2026-05-04T10:00:00.000Z",
        "alert_status": "executable",
        "keeper": 3,
        "deliveries": [{"status": "500", "at": "2026-05-04T10:00:00Z", "trigger": "push_hooks"}],
    }
    assert data["hooks"][1]["url"] == "https://***@jenkins.example.com/x"
    assert (data["hooks"][1]["job"], data["hooks"][1]["owner"], data["hooks"][1]["created_at"]) == (None, None, None)
    assert data["integrations"][0]["twins"] == [31]
    assert (data["problems"], data["warnings"]) == (["p"], ["w"])
    assert "pw" not in dump(data)


def test_a_filtered_list_counts_what_it_lists() -> None:
    data = picture_json(picture(ORPHAN, BY_HAND), [ORPHAN])
    assert data["scanned"]["hooks"] == 2
    assert data["complete"] is True
    assert data["summary"]["unmanaged"] == 0
    assert [one["hook_id"] for one in data["hooks"]] == [31]


def test_results_are_the_same_hooks_with_what_was_done() -> None:
    results = [
        done(ORPHAN),
        done(BY_HAND, Ending.FAILED, "test", "no", steps=(("token", "fail", "refused", "apply"),)),
    ]
    data = results_json(results, picture=picture(ORPHAN), backup=Path("b.jsonl"), interrupted=True)
    assert data["backup"] == "b.jsonl"
    assert data["interrupted"] is True
    assert data["scanned"] == {"projects": 12, "hooks": 1}
    assert data["summary"]["done"] == data["summary"]["failed"] == 1
    first, second = data["hooks"]
    assert (first["action"], first["result"], first["detail"], first["class"]) == ("delete", "done", "", "orphaned")
    assert second["steps"] == [{"check": "token", "verdict": "fail", "evidence": "refused", "cure": "apply"}]


def test_a_hook_that_is_not_there_has_no_id() -> None:
    assert results_json([done(finding(id_=0))])["hooks"][0]["hook_id"] is None


def test_results_without_a_scan() -> None:
    data = results_json([])
    assert data["complete"] is True
    assert data["backup"] is None
    assert "scanned" not in data
    json.dumps(data)


def rows(*findings) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(findings_csv(findings))))


def test_csv_has_the_columns_of_the_json() -> None:
    first, second = rows(finding(events=("push_events", "note_events")), BY_HAND)
    assert tuple(first) == COLUMNS
    assert first["class"] == "live"
    assert first["events"] == "push note"
    assert first["hook_id"] == "31"
    assert second["job"] == second["owner"] == second["created_at"] == ""


@pytest.mark.parametrize(
    ("evil", "shown"),
    [
        ('=cmd|" /C calc"!A0', '\'=cmd|" /C calc"!A0'),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'  =1"),
        ("\t=1", "'\\t=1"),
        ("\r=1", "'\\r=1"),
        ("\n=1", "'\\n=1"),
        ("＝1", "'＝1"),
        ("a=b, c\nd\x1b", "a=b, c\\nd\\x1b"),
    ],
)
def test_no_cell_is_a_formula_or_a_forged_line(evil: str, shown: str) -> None:
    (row,) = rows(finding(evidence=evil, project=evil, job=evil))
    assert row["evidence"] == row["project"] == row["job"] == shown
