"""Measure configurator: requests, seconds and memory of plans and applies.

Usage: ``python -m benchmarks.run [--jobs N …] [--jjb PATH]``. Every step is a fresh process. The servers are the
embedded ones, each in a process of its own, or real ones; see ``benchmarks/servers.py``. The numbers of one machine
and what they mean are in docs/benchmarks.md. Exits with 1 when a limit is not kept.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import jjb
from benchmarks.limits import limits_of
from benchmarks.process import StepFailedError, run
from benchmarks.servers import NotEnoughProjectsError, Servers, User, embedded, given
from benchmarks.table import HEADINGS, LIMIT_HEADINGS, Limit, Row, markdown
from benchmarks.workload import JOBS_PER_APPLICATION, Workload

SIZES = (100, 300, 1000)
USERS = ("admin", "limited")
DRIFTED = 10
_HELP_RUNS = 10
_HELP_SECONDS = 0.2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its tables; 0, or 1 when a limit is not kept or a step fails."""
    options = _parser().parse_args(arguments)
    program = jjb.find(options.jjb)
    if options.jjb and program is None:
        print(f"{options.jjb} can't be run", file=sys.stderr)
        return 1
    rows: list[Row] = []
    limits: list[Limit] = []
    try:
        for jobs in options.jobs or SIZES:
            measured = _measure(Workload(jobs), options.user or USERS, program)
            rows += measured.rows
            limits += limits_of(measured.rows, Workload(jobs), measured.projects)
        limits.append(Limit("seconds of configurator --help, median of 10", _help_seconds(), _HELP_SECONDS))
    except (StepFailedError, NotEnoughProjectsError) as error:
        print(error, file=sys.stderr)
        return 1
    print(_machine(), markdown(HEADINGS, [row.cells() for row in rows]), sep="\n")
    print(markdown(LIMIT_HEADINGS, [limit.cells() for limit in limits]))
    if program is None:
        print("jenkins-job-builder is not installed, so it was not measured: pip install jenkins-job-builder")
    return 0 if all(limit.kept for limit in limits) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument(
        "--jobs", type=_size, action="append", help=f"size, may be repeated; default {', '.join(map(str, SIZES))}"
    )
    parser.add_argument("--user", choices=USERS, action="append", help="as whom, may be repeated; default both")
    parser.add_argument("--jjb", type=Path, help="jenkins-jobs, where it is not on the PATH")
    return parser


def _size(text: str) -> int:
    if not text.isdigit() or int(text) == 0 or int(text) % JOBS_PER_APPLICATION:
        raise argparse.ArgumentTypeError(f"a multiple of {JOBS_PER_APPLICATION}, the jobs of one application")
    return int(text)


@dataclass(frozen=True)
class _Measured:
    rows: list[Row]
    projects: int


def _measure(workload: Workload, users: Sequence[str], program: str | None) -> _Measured:
    """All rows of one size: for every user, then with Jenkins Job Builder; servers new for each."""
    rows: list[Row] = []
    projects = workload.applications
    with tempfile.TemporaryDirectory(prefix="configurator-bench-") as name:
        folder = Path(name)
        for who in users:
            with _servers(workload) as servers:
                projects = workload.projects(servers)
                user = servers.admin if who == "admin" else servers.limited
                if user is not None:
                    rows += _Client(workload, servers, folder, user).measure()
        if program is not None:
            with embedded(workload.applications) as servers:  # on real servers nobody would take its jobs away
                rows += jjb.measure(program, workload, servers, folder)
    return _Measured(rows, projects)


def _servers(workload: Workload) -> AbstractContextManager[Servers]:
    real = given(os.environ, workload.applications)
    return nullcontext(real) if real else embedded(workload.applications)


class _Client:
    """The steps of one user.

    Args:
        workload: how many jobs.
        servers: where.
        folder: for the specs.
        user: who calls Jenkins. Without Administer the connection and its credential are somebody else's.
    """

    def __init__(self, workload: Workload, servers: Servers, folder: Path, user: User) -> None:
        self._workload = workload
        self._servers = servers
        self._user = user
        self._may_all = user == servers.admin
        self._full = workload.write_spec(folder / f"{user.name}.yaml", servers, user, manage=self._may_all)
        self._empty = workload.write_spec(folder / "empty.yaml", servers, servers.admin, manage=False, empty=True)
        self._bare = workload.write_spec(folder / "bare.yaml", servers, servers.admin, manage=None, empty=True)
        self._items = workload.jobs + workload.folders + workload.views + workload.hooks

    def measure(self) -> Iterator[Row]:
        """Every step in turn.

        Raises:
            StepFailedError: a step failed, or changed more or less than it should.
        """
        full = str(self._full)
        everything = self._items + (2 if self._may_all else 0)  # with the connection and its credential
        drifted = self._workload.build_jobs(DRIFTED)
        yield self._step("first plan", everything, "plan", full)
        yield self._step("apply, all is new", everything, "apply", full)
        yield self._step("plan, nothing changed", 0, "plan", full)
        self._as_admin("drift", self._servers.jenkins_url, self._servers.admin.name, *drifted)
        yield self._step(f"plan, {len(drifted)} jobs edited", len(drifted), "plan", full)
        yield self._step(f"apply, {len(drifted)} jobs edited", len(drifted), "apply", full)
        if self._may_all:
            yield self._step("apply --prune of everything", self._items, "apply", str(self._empty), "--prune")
        else:
            self._as_admin("apply", str(self._empty), "--prune")
        self._as_admin("apply", str(self._bare), "--prune")  # the connection and its credential

    def _step(self, name: str, changes: int, *arguments: str) -> Row:
        counts = self._servers.counts
        before = counts() if counts else (0, 0)
        ran = run(self._command(arguments), self._environ(self._user))
        answer: dict[str, Any] = json.loads(ran.out.splitlines()[-1])
        if (answer["changes"], answer["failed"], answer["unchecked"]) != (changes, 0, 0):
            raise StepFailedError(f"{self._user.name}: {name}: {changes} changes were expected, not {answer}")
        sent = [after - start for after, start in zip(counts(), before, strict=True)] if counts else answer["requests"]
        who = "admin" if self._may_all else "limited"
        return Row(self._workload.jobs, who, name, sent[0], sent[1], ran.seconds, ran.cpu_seconds, ran.peak_mb)

    def _as_admin(self, *arguments: str) -> None:
        """A step that is not measured."""
        run(self._command(arguments), self._environ(self._servers.admin))

    @staticmethod
    def _command(arguments: Sequence[str]) -> list[str]:
        return [sys.executable, "-m", "benchmarks.step", *arguments]

    def _environ(self, user: User) -> dict[str, str]:
        return {
            "JENKINS_API_TOKEN": user.token,
            "GITLAB_TOKEN": self._servers.gitlab_token,
            "WEBHOOK_SECRET": "the benchmark's webhook secret",
        }


def _help_seconds() -> float:
    command = [sys.executable, "-m", "configurator", "--help"]
    return statistics.median(run(command).seconds for _ in range(_HELP_RUNS))


def _machine() -> str:
    """The date and the machine, for the reader of the numbers."""
    today = datetime.now(UTC).date().isoformat()
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{today}, {os.cpu_count()} CPUs, {system}\n"


if __name__ == "__main__":
    sys.exit(main())
