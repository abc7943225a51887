"""A big instance: 5,000 projects and 15,000 webhooks. What a scan costs, and that it finds exactly what is there.

Removing and putting back takes some ten requests for each orphan, so that is tried here on a part of it, and on all
of it by ``python -m benchmarks.webhooks``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.large import Large, large_instance
from configurator.cli.app import run as run_command
from tests.e2e.conftest import REAL, Ran

pytestmark = pytest.mark.skipif(bool(REAL), reason="thousands of projects are seeded on the embedded servers")

PROJECTS = 5000
CLEANED = 200
Command = Callable[..., Ran]


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Large]:
    monkeypatch.chdir(tmp_path)
    with large_instance(tmp_path / "configurator.yaml") as instance:
        for name, value in instance.environ.items():
            monkeypatch.setenv(name, value)
        yield instance


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Command:
    def webhooks(command: str, *options: str) -> Ran:
        capsys.readouterr()
        code = run_command(["webhooks", command, *options])
        return Ran(code, *capsys.readouterr())

    return webhooks


def counts(ran: Ran) -> dict[str, int]:
    return {name: number for name, number in ran.json["summary"].items() if number}


def told(ran: Ran, cls: str) -> set[tuple[str, str, str | None]]:
    """What makes a hook what it is, without its id."""
    return {(one["project"], one["url"], one["owner"]) for one in ran.json["hooks"] if one["class"] == cls}


def test_5000_projects(large: Large, run: Command) -> None:
    large.seed(PROJECTS)
    listed = run("list", "--all", "--everything", "-o", "json")
    assert listed.code == 0, listed.err
    assert large.gitlab.count() <= PROJECTS + 60
    assert large.jenkins.count() <= 5
    assert listed.json["complete"] is True
    assert listed.json["scanned"] == {"projects": PROJECTS, "hooks": 3 * PROJECTS}
    found = {(one["project_id"], one["hook_id"]): one["class"] for one in listed.json["hooks"]}
    wrong = Counter((cls, found.get(place)) for place, cls in large.seeded.items() if found.get(place) != cls)
    assert not wrong
    assert counts(listed) == Counter(large.seeded.values())


def test_orphans_go_and_come_back(large: Large, run: Command) -> None:
    large.seed(CLEANED)
    before = run("list", "--all", "--everything", "-o", "json")
    orphans = large.of("orphaned")
    assert len(orphans) == CLEANED * 3 // 10

    options = ("--all", "--class", "orphaned", "--yes", "-o", "json")
    refused = run("cleanup", *options, "--backup", "backup.jsonl")
    assert refused.code == 4 and "--max-deletes" in refused.err
    assert large.there() == set(large.seeded)
    assert not Path("backup.jsonl").exists()

    cleaned = run("cleanup", *options, "--backup", "backup.jsonl", "--max-deletes", "2000")
    assert cleaned.code == 0, cleaned.err
    assert large.there() == set(large.seeded) - orphans
    assert {(one["project_id"], one["hook_id"]) for one in cleaned.json["hooks"]} == orphans
    assert Path("backup.jsonl").stat().st_mode & 0o777 == 0o600
    nothing = run("cleanup", *options, "--backup", "second.jsonl", "--max-deletes", "2000")
    assert nothing.code == 0 and nothing.json["hooks"] == []
    assert not Path("second.jsonl").exists()

    restored = run("restore", "backup.jsonl", "--yes", "-o", "json")
    assert restored.code == 0, restored.err
    after = run("list", "--all", "--everything", "-o", "json")
    assert counts(after) == counts(before)
    assert told(after, "orphaned") == told(before, "orphaned")
