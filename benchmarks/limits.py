"""What the program promises about its requests, seconds and memory, beside what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from benchmarks.table import Limit, Row
from benchmarks.workload import Workload

PLAN_REQUESTS_TO_JENKINS = 8
UNCHANGED_SECONDS = 5.0
UNCHANGED_MB = 200.0
_TIMED_JOBS = 1000


def limits_of(rows: Iterable[Row], workload: Workload, projects: int) -> Iterator[Limit]:
    """The limits that hold for rows of one size.

    Args:
        rows: measured on ``workload``.
        projects: how many GitLab projects it is in.
    """
    most_of_plan = projects + projects / 100 + 5
    for row in rows:
        if row.who not in ("admin", "limited") or row.jenkins is None or row.gitlab is None:
            continue
        name = f"{row.jobs} jobs, {row.who}, {row.step}"
        plan = row.step.startswith(("plan", "first plan"))
        if plan:
            yield Limit(f"{name}: requests to GitLab", row.gitlab, most_of_plan)
        if row.who == "admin" and plan:
            yield Limit(f"{name}: requests to Jenkins", row.jenkins, PLAN_REQUESTS_TO_JENKINS)
        if row.who == "admin" and row.step == "apply, all is new":
            most = PLAN_REQUESTS_TO_JENKINS + workload.jobs + workload.folders + workload.views
            yield Limit(f"{name}: requests to Jenkins", row.jenkins, most)
        if row.who == "admin" and row.jobs == _TIMED_JOBS and row.step == "plan, nothing changed":
            yield Limit(f"{name}: seconds", row.seconds, UNCHANGED_SECONDS)
            yield Limit(f"{name}: peak MB", row.peak_mb, UNCHANGED_MB)
