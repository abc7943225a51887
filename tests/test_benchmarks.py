"""The benchmark runs, prints every row, and holds the program to its promises."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.limits import limits_of
from benchmarks.process import Ran, StepFailedError, run
from benchmarks.servers import NotEnoughProjectsError, given
from benchmarks.table import Limit, Row, markdown
from benchmarks.webhooks import main as measure_webhooks
from benchmarks.workload import Workload

pytestmark = pytest.mark.no_cover  # many examples of what other tests reach, too slow to be traced

REPOSITORY = Path(__file__).resolve().parents[1]


def _tables(text: str) -> dict[str, list[str]]:
    """Rows of Markdown tables: what was done (third column of the first, first of the second) → the cells."""
    rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return {row[2] if len(row) == 8 else row[0]: row for row in rows}


def test_ten_jobs_as_administrator(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.run", "--jobs", "10", "--user", "admin"],
        cwd=REPOSITORY,
        env={**os.environ, "PATH": str(tmp_path)},  # no jenkins-jobs there
        capture_output=True,
        text=True,
        check=False,
    )
    assert "kept" in ran.stdout, ran.stderr
    rows = _tables(ran.stdout)
    counted = {step: (int(row[3]), int(row[4])) for step, row in rows.items() if row[0] == "10"}
    plan_of_two_projects = 2 + 2  # and who the token is, and which GitLab
    assert counted["plan, nothing changed"] == (1, plan_of_two_projects)
    assert counted["plan, 2 jobs edited"] == (2, plan_of_two_projects)
    assert counted["apply, all is new"][0] <= 8 + 10 + 3
    assert set(counted) == {
        "first plan",
        "apply, all is new",
        "plan, nothing changed",
        "plan, 2 jobs edited",
        "apply, 2 jobs edited",
        "apply --prune of everything",
    }
    assert all(float(row[cell]) > 0 for step, row in rows.items() if step in counted for cell in (5, 6, 7))
    kept = {row[0]: row[3] for row in rows.values() if "requests to" in row[0]}
    assert len(kept) == 7
    assert set(kept.values()) == {"yes"}
    assert "jenkins-job-builder is not installed" in ran.stdout


def test_limits_fail_where_they_are_not_kept() -> None:
    def measured(step: str, jenkins: int, gitlab: int, seconds: float, megabytes: float) -> Row:
        return Row(1000, "admin", step, jenkins, gitlab, seconds, seconds, megabytes)

    good = [measured("plan, nothing changed", 8, 207, 4.9, 199), measured("apply, all is new", 1809, 9999, 60, 900)]
    bad = [measured("plan, nothing changed", 9, 208, 5.1, 201), measured("apply, all is new", 1810, 9999, 60, 900)]
    kept = [limit.kept for limit in limits_of(good, Workload(1000), 200)]
    assert kept == [True] * 5
    assert [limit.kept for limit in limits_of(bad, Workload(1000), 200)] == [False] * 5
    assert Limit("what", 3, 2).cells()[-1] == "NO"


def test_a_failing_command_tells_what_it_said() -> None:
    with pytest.raises(StepFailedError, match="no such thing"):
        run([sys.executable, "-c", "import sys; sys.exit('no such thing')"])


def test_memory_and_time_of_a_process() -> None:
    """Asked from a small process, as the benchmark is one: a child counts what its parent held when it was started."""
    child = [sys.executable, "-c", "import sys; block = b'x' * 64_000_000; print(sys.argv[1])", "said"]
    ask = "import json; from dataclasses import asdict; from benchmarks.process import run; "
    ask += f"print(json.dumps(asdict(run({child}))))"
    ran = Ran(**json.loads(run([sys.executable, "-c", ask]).out))
    assert ran.out == "said\n"
    assert 64 < ran.peak_mb < 256
    assert ran.cpu_seconds > 0
    assert 0 < ran.seconds < 60


def test_real_servers_are_named_as_for_the_end_to_end_tests() -> None:
    prefix = "CONFIGURATOR_TEST_"
    environ = {
        f"{prefix}JENKINS_URL": "https://jenkins.example.com",
        f"{prefix}JENKINS_USER": "admin",
        f"{prefix}JENKINS_TOKEN": "a",
        f"{prefix}GITLAB_URL": "https://gitlab.example.com",
        f"{prefix}GITLAB_TOKEN": "b",
        f"{prefix}GITLAB_PROJECTS": "a/b,a/c",
    }
    servers = given(environ, 50)
    assert servers is not None
    assert (servers.projects, servers.limited, servers.counts) == (("a/b", "a/c"), None, None)
    assert given({}, 50) is None
    with pytest.raises(NotEnoughProjectsError, match="50 applications, not of 51"):
        given(environ, 51)


def test_table_is_aligned() -> None:
    assert markdown(("a", "long"), [("123", "x")]) == "| a   | long |\n| --- | ---- |\n| 123 | x    |\n"


def test_webhooks_of_20_projects(capsys: pytest.CaptureFixture[str]) -> None:
    assert measure_webhooks(["--projects", "20"]) == 0
    rows = _tables(capsys.readouterr().out)
    sent = {step: (int(row[3]), int(row[4])) for step, row in rows.items() if row[0] == "20"}
    assert sent["list --all"] == sent["cleanup again"] == (1, 20 + 3)
    orphans = 6
    jenkins, gitlab = sent["cleanup of the orphans"]
    assert jenkins <= 2 + 6 * orphans and gitlab <= 20 + 3 + 3 * orphans
    assert sent["restore"] <= (0, 3 * orphans)
