"""Runs that are cut short, by a signal or by the machine: what is under way is not lost, the next run does the rest."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from configurator.sandbox.server import EmbeddedServer, Fault, Request
from tests.e2e.conftest import REAL, Site
from tests.e2e.faults import Clock, Watched, small_spec

pytestmark = pytest.mark.skipif(bool(REAL), reason="requests are counted on the embedded servers")

WRITES = ("POST", "PUT", "DELETE")


@pytest.fixture
def watched(site: Site) -> Watched:
    """A site of 12 applications with 60 jobs and 48 webhooks, which don't exist yet."""
    assert site.embedded is not None
    small_spec(site)
    site.spec["applications"] = [
        {"name": name, "project": site.projects[number % 3], "build_tool": "maven", "branches": ["main", "next"]}
        for number, name in enumerate(["payments", *(f"app{number}" for number in range(2, 13))])
    ]
    site.write()
    return Watched(site, *site.embedded, Clock())


class Trigger:
    """Calls ``act`` when a server gets the write with number ``count``, before it is carried out.

    Attributes:
        seen: writes so far, of both servers.
    """

    def __init__(self, count: int, act: Callable[[], None], *servers: EmbeddedServer) -> None:
        self.seen = 0
        self._count, self._act = count, act
        self._lock = threading.Lock()
        for server in servers:
            server.inject(Fault(self._matches, "cut-before", times=1))

    def _matches(self, request: Request) -> bool:
        if request.method not in WRITES or b"configurator%3A+inventory" in request.body:
            return False
        with self._lock:
            self.seen += 1
            due = self.seen == self._count
        if due:
            self._act()
        return False


class Command:
    """``configurator apply`` as a process of its own."""

    def __init__(self, watched: Watched, *options: str) -> None:
        command = [sys.executable, "-m", "configurator", "apply", "--yes", "-o", "json", "-f", str(watched.site.path)]
        self.started = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._command = [*command, *options]
        self._environ = {**os.environ, **watched.site.environ}

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self.started.wait(10)
        assert self._process is not None
        self._process.send_signal(number)

    def run(self) -> tuple[int, str, str]:
        """Run it to its end: exit code (negative: killed by that signal), standard output and error."""
        with subprocess.Popen(
            self._command, env=self._environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            self._process = process
            self.started.set()
            out, err = process.communicate(timeout=60)
        return process.returncode, out, err


def _cut(watched: Watched, number: int, count: int, *options: str) -> tuple[int, str, str]:
    """Run apply, and send it the signal ``number`` at its ``count``-th write."""
    command = Command(watched, *options)
    Trigger(count, lambda: command.signal(number), watched.jenkins, watched.gitlab)
    ended = command.run()
    watched.jenkins.faults.clear()
    watched.gitlab.faults.clear()
    return ended


def _hooks(watched: Watched) -> int:
    return sum(len(watched.gitlab.hooks(path)) for path in watched.gitlab.projects)


@pytest.mark.parametrize("count", [1, 7, 30, 60, 85])
def test_a_killed_apply_is_completed_by_the_next(watched: Watched, count: int) -> None:
    code, _, err = _cut(watched, signal.SIGKILL, count)
    assert code == -signal.SIGKILL, err
    watched.assert_no_twins()
    watched.assert_nothing_in_clear()
    watched.assert_finished()
    assert _hooks(watched) == 48


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("count", [5, 40])
def test_a_signal_lets_it_finish_what_is_under_way_and_report(watched: Watched, number: int, count: int) -> None:
    code, out, err = _cut(watched, number, count)
    assert code == 1
    assert "Traceback" not in err
    applied: dict[str, Any] = json.loads(out)
    watched.assert_true(applied)
    ended = [one["result"] for one in applied["changes"]]
    assert "done" in ended or count < 10
    assert "skipped" in ended
    assert "failed" not in ended
    assert any("stopped" in one["error"] for one in applied["changes"])
    watched.assert_finished()


@pytest.mark.parametrize("count", [1, 4, 8, 13])
def test_a_removal_killed_between_webhooks_and_jobs_is_completed(watched: Watched, count: int) -> None:
    watched.apply()
    before = _hooks(watched)
    watched.site.spec["applications"] = [one for one in watched.site.spec["applications"] if one["name"] != "payments"]
    watched.site.write()
    code, _, err = _cut(watched, signal.SIGKILL, count, "--prune")
    assert code == -signal.SIGKILL, err
    watched.assert_finished(prune=True)
    assert _hooks(watched) == before - 4
    assert not [item for item in watched.site.jenkins.list_items() if "/payments" in item["fullName"]]
