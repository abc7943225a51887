"""The process that rotates a token is killed at every point where it can hurt. Nothing received is lost, GitLab is
never asked a second time with a dead token, and the next ``--resume`` finishes or says what happened."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml

import configurator
from configurator.cli.app import run as run_command
from configurator.sandbox.server import EmbeddedServer, Request, Response
from tests.e2e.conftest import REAL
from tests.tokens.rotating.rotation_bench import RotationBench

pytestmark = pytest.mark.skipif(bool(REAL), reason="kills in the middle of requests to the embedded servers")

ROOT = Path(configurator.__file__).parent.parent


@dataclass
class Killer:
    """Runs the command, and kills it with SIGKILL where it is told to."""

    bench: RotationBench
    process: subprocess.Popen[bytes] | None = None
    killed: threading.Event = field(default_factory=threading.Event)
    reused: list[str] = field(default_factory=list)

    def kill(self) -> None:
        """Now."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)
        self.killed.set()

    def at(self, server: EmbeddedServer, point: Callable[[Request], bool], *, after: bool) -> None:
        """Kill once at a request: before it is carried out (and then it is not), or after, before its answer."""
        handle = server.handle

        def killing(request: Request) -> Response:
            hit = point(request) and not self.killed.is_set() and self.process is not None
            if hit and not after:
                self.kill()
                return Response(500, "")
            answer = handle(request)
            if hit:
                self.kill()
            return answer

        server.handle = killing  # type: ignore[method-assign]

    def watch(self) -> None:
        """Note every rotation that is asked for with a dead token: that kills the new one, too."""
        gitlab, handle = self.bench.gitlab, self.bench.gitlab.handle

        def watching(request: Request) -> Response:
            if request.method == "POST" and request.path.endswith("/rotate"):
                sent = request.headers.get("private-token")
                self.reused += [request.path for token in gitlab.tokens if token.value == sent and token.revoked]
            return handle(request)

        gitlab.handle = watching  # type: ignore[method-assign]

    def run(self, *arguments: str) -> int:
        """``configurator token rotate`` in a process of its own, to be killed: its exit code."""
        command = [sys.executable, "-m", "configurator", *self._arguments(*arguments)]
        environ = {**os.environ, **self._environ(), "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environ, cwd=self.bench.folder
        )
        code = self.process.wait(90)
        self.killed.set()
        return code

    def call(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """The same without a process of its own: exit code and result."""
        out, err = io.StringIO(), io.StringIO()
        with mock.patch.dict(os.environ, self._environ()), redirect_stdout(out), redirect_stderr(err):
            code = run_command(self._arguments(*arguments))
        assert "Traceback" not in err.getvalue()
        assert "glpat-" not in out.getvalue() + err.getvalue()
        (said,) = json.loads(out.getvalue())["rotations"]
        return code, said

    def _arguments(self, *arguments: str) -> list[str]:
        bench = self.bench
        bench.path.write_text(yaml.safe_dump(bench.spec), encoding="utf-8")
        own = ["-f", str(bench.path), "--recovery", str(bench.recovery), "--allow-commands", "-o", "json"]
        return ["token", "rotate", *own, *arguments]

    def _environ(self) -> dict[str, str]:
        return {**self.bench.environ, "CONFIGURATOR_STORE": str(self.bench.folder / "store")}


def rotating(request: Request) -> bool:
    return request.method == "POST" and request.path.endswith("/rotate")


def looking(request: Request) -> bool:
    return request.path.endswith("/self")


class Once:
    """True at the first hit after GitLab rotated."""

    def __init__(self, bench: RotationBench, hits: Callable[[Request], bool]) -> None:
        self._bench = bench
        self._hits = hits

    def __call__(self, request: Request) -> bool:
        return self._bench.old.revoked and self._hits(request)


def kill_in_sink(bench: RotationBench, place: int, script: str) -> None:
    """A command among the sinks that kills who started it, once."""
    guard = f"[ -e {bench.folder}/killed ] && {{ cat > {bench.folder}/piped; exit 0; }}; touch {bench.folder}/armed; "
    bench.entry["rotation"]["sinks"].insert(place, {"command": ["sh", "-c", guard + script]})


KILL = "touch {folder}/killed; kill -9 $PPID"
POINTS: dict[str, Callable[[Killer, RotationBench], Any]] = {
    "before anything is proven": lambda killer, bench: killer.at(bench.gitlab, looking, after=False),
    "while Jenkins is proven": lambda killer, bench: killer.at(
        bench.jenkins, lambda request: request.method == "POST" and "/credential/" in request.path, after=True
    ),
    "before the request": lambda killer, bench: killer.at(bench.gitlab, rotating, after=False),
    "after GitLab rotated": lambda killer, bench: killer.at(bench.gitlab, rotating, after=True),
    "at the first sink": lambda killer, bench: kill_in_sink(bench, 0, KILL.format(folder=bench.folder)),
    "at a sink that took it": lambda killer, bench: kill_in_sink(
        bench, 0, f"cat > {bench.folder}/piped; " + KILL.format(folder=bench.folder)
    ),
    "at the last sink": lambda killer, bench: kill_in_sink(bench, 9, KILL.format(folder=bench.folder)),
    "at a variable, before": lambda killer, bench: killer.at(
        bench.gitlab, Once(bench, lambda request: "/variables" in request.path), after=False
    ),
    "at a variable, after": lambda killer, bench: killer.at(
        bench.gitlab, Once(bench, lambda request: "/variables" in request.path and request.method == "POST"), after=True
    ),
    "before Jenkins is asked": lambda killer, bench: killer.at(
        bench.jenkins, Once(bench, lambda request: True), after=False
    ),
    "before Jenkins has it": lambda killer, bench: killer.at(
        bench.jenkins, Once(bench, lambda request: "/credential/" in request.path), after=False
    ),
    "when Jenkins has it": lambda killer, bench: killer.at(
        bench.jenkins, Once(bench, lambda request: "/credential/" in request.path), after=True
    ),
    "before it is tried by Jenkins": lambda killer, bench: killer.at(
        bench.jenkins, Once(bench, lambda request: request.path.endswith("/testConnection")), after=False
    ),
    "before the recovery file goes": lambda killer, bench: killer.at(
        bench.gitlab,
        Once(bench, lambda request: looking(request) and bench.in_jenkins() != bench.old.value),
        after=True,
    ),
}


@pytest.fixture
def killer(tmp_path: Path) -> Iterator[Killer]:
    with RotationBench.at(tmp_path) as bench:
        bench.gitlab.add_project("ops/ci", members={"bot": 40})
        bench.entry["rotation"]["sinks"] = [
            {"file": "sink"},
            {"env_file": "env:GITLAB_TOKEN"},
            {"gitlab_variable": {"project": "ops/ci", "key": "GITLAB_TOKEN"}},
            {"stored": "gitlab"},
        ]
        bench.done()
        yield Killer(bench)


@pytest.mark.parametrize("point", POINTS)
def test_killed(killer: Killer, point: str) -> None:
    bench = killer.bench
    killer.watch()
    POINTS[point](killer, bench)
    assert killer.run("--yes") == -signal.SIGKILL
    rotated = bench.old.revoked
    received = bench.recovery.exists() and "answer" in bench.recovery.read_text()
    if received:
        bench.assert_not_lost()
    if bench.recovery.exists():
        code, said = killer.call("--yes", "--force")
        assert code == 4
        assert "--resume" in said["detail"]
    code, said = killer.call("--resume")
    if rotated and not received:
        assert (code, said["result"]) == (1, "lost"), said
        assert "the new value was lost on the way" in said["detail"]
        assert len(bench.alive) == 1, "nobody has it, and nobody revoked it"
    elif rotated:
        assert (code, said["result"]) == (0, "rotated"), said
        assert_delivered(bench)
    else:
        assert (code, said["result"]) in ((0, "settled"), (0, "nothing")), said
        assert bench.alive == [bench.old]
        code, said = killer.call("--yes")
        assert code == 0, said
        assert_delivered(bench)
    assert not killer.reused
    assert bench.asked <= 1 + (not rotated)


def assert_delivered(bench: RotationBench) -> None:
    new = bench.assert_everywhere("sink", "env")
    assert [one.value for one in bench.gitlab.projects["ops/ci"].variables] == [new.value]
    assert new.value in (bench.folder / "store" / "gitlab.json").read_text()


def test_killed_while_tokens_overlap(tmp_path: Path) -> None:
    """Replaced with overlap, no kill ever leaves Jenkins without a token that works."""
    points: list[tuple[str, str, bool]] = [
        ("POST", "/access_tokens", False),
        ("POST", "/access_tokens", True),
        ("DELETE", "/access_tokens/", False),
        ("DELETE", "/access_tokens/", True),
    ]
    for number, (method, path, after) in enumerate(points):
        folder = tmp_path / str(number)
        folder.mkdir()
        with RotationBench.at(folder) as bench:
            bench.gitlab.tokens[1].revoked = True
            bench.admin_token()
            bench.project_token()
            bench.done()
            killer = Killer(bench)
            killer.at(bench.gitlab, lambda request: request.method == method and path in request.path, after=after)  # noqa: B023
            assert killer.run("--yes") == -signal.SIGKILL
            assert bench.in_jenkins() in [token.value for token in bench.alive]
            code, said = killer.call("--resume")
            if method == "POST":
                assert (code, said["result"]) == (1, "failed")
                assert "The old token works on" in said["detail"]
                assert not bench.old.revoked
                assert not bench.recovery.exists()
            else:
                assert (code, said["result"]) == (0, "rotated"), said
                bench.assert_everywhere()
