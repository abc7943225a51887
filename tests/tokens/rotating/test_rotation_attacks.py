"""Rotations against odds: specs that change, odd files, proxies that repeat, people without patience."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from configurator.clients.redaction import Redactor
from configurator.errors import ConfiguratorError
from configurator.sandbox.server import Request, Response
from configurator.secret import Secret
from configurator.tokens.keeping.store import Entry, TokenStore
from configurator.tokens.rotating.file_sinks import EnvFileTarget, FileTarget
from configurator.tokens.rotating.model import Rotated, StepResult
from configurator.tokens.rotating.recovery import RecoveryFile
from configurator.tokens.rotating.sinks import CommandTarget, StoredTarget
from tests.tokens.rotating.rotation_bench import Ending, RotationBench, in_days

NEW = Secret("glpat-new-token-5678")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[RotationBench]:
    with RotationBench.at(tmp_path) as made:
        yield made


# -- the spec changes between a rotation and its --resume ---------------------------------------------------------


def interrupted(bench: RotationBench) -> None:
    """A rotation of the entry ``gitlab`` that GitLab carried out, and that reached nothing yet."""
    stop = threading.Event()
    handle = bench.gitlab.handle

    def stopping(request: Request) -> Response:
        answer = handle(request)
        if request.path.endswith("/rotate"):
            stop.set()
        return answer

    bench.gitlab.handle = stopping  # type: ignore[method-assign]
    assert bench.rotate_all("gitlab", stop=stop)[0].ending is Ending.INCOMPLETE
    bench.gitlab.handle = handle  # type: ignore[method-assign]


def test_entries_that_changed_places_keep_their_own_tokens(bench: RotationBench) -> None:
    other = bench.gitlab.add_token("bot", ["api"], name="other", expires_at=in_days(200))
    (bench.folder / "other").write_text(f"{other.value}\n")
    second = {**bench.entry, "name": "second", "token": {"file": "other"}, "credential": {"id": "second-token"}}
    second.pop("rotation")
    bench.spec["gitlab"].append(second)
    bench.done()
    interrupted(bench)
    bench.spec["gitlab"].reverse()
    (result,) = bench.resume_all("gitlab")
    assert result.ending is Ending.ROTATED, result
    assert bench.read("other").strip() == other.value, "that of another entry"
    assert bench.in_jenkins("second-token") == other.value
    bench.assert_everywhere()


def test_a_token_that_moved_to_another_place_meanwhile(bench: RotationBench) -> None:
    bench.done()
    interrupted(bench)
    bench.entry["token"] = {"file": "elsewhere"}
    (bench.folder / "elsewhere").write_text(bench.old.value)
    assert bench.resume().ending is Ending.ROTATED
    new = bench.alive[0].value
    assert bench.read("elsewhere") == new
    assert bench.read("sink").strip() == bench.in_jenkins() == new
    assert bench.read("token").strip() == bench.old.value, "the spec does not mean it any more"


def test_the_token_that_makes_others_is_one_of_the_places(bench: RotationBench) -> None:
    """An entry's token is another entry's admin_token, kept in a file of its own."""
    (bench.folder / "admin").write_text(f"{bench.old.value}\n")
    second = {**bench.entry, "name": "second", "token": {"env": "GITLAB"}, "credential": {"id": "second-token"}}
    second["rotation"] = {"sinks": [{"file": "second"}], "admin_token": {"file": "admin"}}
    bench.spec["gitlab"].append(second)
    bench.done()
    assert bench.rotate("gitlab").ending is Ending.ROTATED
    bench.assert_everywhere("sink", "admin")


# -- GitLab and what stands before it -----------------------------------------------------------------------------


def test_a_proxy_that_sent_the_request_twice(bench: RotationBench) -> None:
    """The second answer says 401, and the token was renewed all the same."""
    bench.done()
    handle = bench.gitlab.handle

    def twice(request: Request) -> Response:
        first = handle(request)
        return handle(request) if request.path.endswith("/rotate") else first

    bench.gitlab.handle = twice  # type: ignore[method-assign]
    result = bench.rotate()
    assert result.ending is Ending.LOST
    assert "nothing was changed" not in result.detail
    assert bench.recovery.exists()


def test_a_second_ctrl_c_while_gitlab_answers_loses_nothing(bench: RotationBench) -> None:
    bench.done()
    handle = bench.gitlab.handle

    def impatient(request: Request) -> Response:
        answer = handle(request)
        if request.path.endswith("/rotate"):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            time.sleep(0.5)
        return answer

    bench.gitlab.handle = impatient  # type: ignore[method-assign]
    result = bench.rotate()
    bench.gitlab.handle = handle  # type: ignore[method-assign]
    bench.assert_not_lost()
    if result.ending is not Ending.ROTATED:  # Python may drop an interrupt that comes while it collects garbage
        assert result.ending is Ending.FAILED, result
        assert "--resume" in result.detail
        assert bench.resume().ending is Ending.ROTATED
    bench.assert_everywhere()


def test_two_processes_with_recovery_files_of_their_own(bench: RotationBench, tmp_path: Path) -> None:
    """Each has proven everything; the slower one may not send what is dead by then."""
    bench.done()
    with bench.rotations() as rotations, bench.rotations(recovery=tmp_path / "other.json") as others:
        rotations.prepare()
        others.prepare()
        handle, pool = bench.gitlab.handle, ThreadPoolExecutor(1)
        slower: list[Future[tuple[Rotated, ...]]] = []

        def meanwhile(request: Request) -> Response:
            if request.path.endswith("/rotate") and not slower:
                slower.append(pool.submit(others.carry_out, threading.Event()))
                wait(slower, timeout=0.3)
            return handle(request)

        bench.gitlab.handle = meanwhile  # type: ignore[method-assign]
        with pool:
            (result,) = rotations.carry_out(threading.Event())
    assert result.ending is Ending.ROTATED, result
    (other,) = slower[0].result()
    assert other.ending is Ending.FAILED
    assert "revoked" in other.detail
    assert not (tmp_path / "other.json").exists()
    assert bench.asked == 1
    bench.assert_everywhere()


# -- files --------------------------------------------------------------------------------------------------------


def test_the_owner_is_right_from_the_first_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between the replacement and a change of owner, the file's reader would be locked out for good."""
    path = tmp_path / "token"
    path.write_text("old\n")
    told: list[tuple[str, int, int]] = []
    status = path.stat()
    monkeypatch.setattr(os, "chown", lambda *_: pytest.fail("it is in its place by then"))
    monkeypatch.setattr(os, "fchown", lambda _, user, group: told.append((path.read_text(), user, group)))
    FileTarget(path).write(NEW)
    assert told == [("old\n", status.st_uid, status.st_gid)], "before it was moved over the old one"


def test_another_name_of_the_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("old\n")
    (tmp_path / "copy").hardlink_to(path)
    assert "another name (hard link), which keeps the old content" in FileTarget(path).prove(NEW)


def test_links_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(ConfiguratorError, match="can't be written: Too many levels of symbolic links"):
        FileTarget(tmp_path / "a").prove(NEW)


def test_a_file_that_can_not_be_read_is_found_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "token"
    path.write_text("old\n")

    def unreadable(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", unreadable)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ConfiguratorError, match="Permission denied"):
        FileTarget(path).prove(NEW)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("A=1\r\n", "A=1\r\nKEY=glpat-new-token-5678\r\n"),
        ("KEY=old\r\nA=1\r\n", "KEY=glpat-new-token-5678\r\nA=1\r\n"),
        ("A=1", "A=1\nKEY=glpat-new-token-5678\n"),
        ('KEY="o\\"ld" # why\n', 'KEY="o\\"ld" # why\nKEY=glpat-new-token-5678\n'),
        ('KEY="old"  # why\n', 'KEY="glpat-new-token-5678"  # why\n'),
        ("KEY='old'more\n", "KEY='old'more\nKEY=glpat-new-token-5678\n"),
        ("KEY='old'\r\nB='2'\r\n", "KEY='glpat-new-token-5678'\r\nB='2'\r\n"),
        ("KEY=1\nexport KEY=2\n#KEY=3\n", "KEY=glpat-new-token-5678\nexport KEY=glpat-new-token-5678\n#KEY=3\n"),
        ("MY_KEY=1\nKEY_2=1\n", "MY_KEY=1\nKEY_2=1\nKEY=glpat-new-token-5678\n"),
    ],
)
def test_lines_of_an_environment_file(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "env"
    path.write_bytes(before.encode())
    target = EnvFileTarget(path, "KEY")
    target.prove(NEW)
    target.write(NEW)
    assert path.read_bytes().decode() == after
    target.write(NEW)
    assert path.read_bytes().decode().count("KEY=glpat-new-token-5678") == after.count("KEY=glpat-new-token-5678")


# -- commands and the store ---------------------------------------------------------------------------------------


def test_a_command_that_leaves_a_helper_behind(tmp_path: Path) -> None:
    """An agent that goes on running holds the pipe open; the command itself has ended well."""
    (tmp_path / "sink").write_text(
        f"import subprocess, sys\nopen({str(tmp_path / 'took')!r}, 'w').write(sys.stdin.read())\n"
        "print(subprocess.Popen(['sleep', '8']).pid)\n"
    )
    target = CommandTarget([sys.executable, "sink"], tmp_path, True, dict(os.environ), Redactor())
    started = time.monotonic()
    assert target.write(NEW) == "took it"
    assert time.monotonic() - started < 6
    assert (tmp_path / "took").read_text() == NEW.reveal()


def test_what_else_is_known_of_a_stored_token_stays(tmp_path: Path) -> None:
    store = TokenStore.open({"CONFIGURATOR_STORE": str(tmp_path / "store")})
    before = Entry("token", "https://GitLab.example.com", Secret("old-token"), user="ann", ca_file="/etc/ca.pem")
    store.put("gitlab", before)
    target = StoredTarget("gitlab", "https://gitlab.example.com:443/", store)
    target.prove(Secret("old-token"))
    target.write(NEW)
    kept = store.entry("gitlab")
    assert kept is not None
    assert (kept.token, kept.user, kept.ca_file) == (NEW, "ann", "/etc/ca.pem")


# -- the recovery file --------------------------------------------------------------------------------------------


def test_a_recovery_file_of_somebody_else(bench: RotationBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may write to a shared folder could have a token of theirs brought everywhere."""
    bench.done()
    interrupted(bench)
    monkeypatch.setattr(os, "geteuid", lambda: bench.recovery.stat().st_uid + 1)
    result = bench.resume()
    assert result.ending is Ending.FAILED
    assert "belongs to another user" in result.detail
    assert bench.in_jenkins() == bench.old.value
    monkeypatch.undo()
    assert bench.resume().ending is Ending.ROTATED


def test_a_recovery_file_that_is_a_folder(bench: RotationBench) -> None:
    bench.done()
    bench.recovery.mkdir()
    result = bench.rotate()
    assert result.ending is Ending.FAILED
    assert "recovery file" in result.detail
    assert bench.asked == 0


def test_admin_token_missing_at_the_last_moment_leaves_nothing(
    bench: RotationBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.admin_token()
    bench.project_token()
    bench.done()
    with bench.rotations() as rotations:
        rotations.prepare()
        ready = rotations.ready["gitlab"]
        assert all(step.result is not StepResult.FAILED for step in ready.steps)
        monkeypatch.setattr(rotations._run.secrets, "get", _gone)
        (result,) = rotations.carry_out(threading.Event())
    assert result.ending is Ending.FAILED
    assert not bench.recovery.exists(), "GitLab was not asked: there is nothing to resume"


def _gone(*_: object) -> Secret:
    raise ConfiguratorError("the environment variable ADMIN is gone")


def test_a_token_dead_by_now_is_not_said_to_have_reached_nobody(bench: RotationBench) -> None:
    bench.done()
    interrupted(bench)
    bench.alive[0].revoked = True
    result = bench.resume()
    assert result.ending is Ending.FAILED
    assert "nothing was written now" in result.detail


def test_locks_of_another_process(bench: RotationBench) -> None:
    bench.done()
    with FileLock(RecoveryFile(bench.recovery).path.with_name("recovery.json.lock")):
        result = bench.rotate()
    assert result.ending is Ending.REFUSED
    assert bench.asked == 0


def test_another_process_that_asks_and_does_not_end(bench: RotationBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("configurator.tokens.rotating.recovery._LONGEST_ASKING", 0.1)
    bench.done()
    folder = bench.folder / "state" / "configurator"
    folder.mkdir(parents=True)
    with FileLock(folder / "rotating.lock"):
        result = bench.rotate()
    assert result.ending is Ending.REFUSED
    assert "another process asks GitLab" in result.detail
    assert bench.asked == 0
    assert not bench.recovery.exists()


def test_no_home_to_keep_locks_in(bench: RotationBench) -> None:
    bench.done()
    (bench.folder / "state").write_text("a file, where a folder would have to be")
    assert bench.rotate().ending is Ending.ROTATED
    bench.assert_everywhere()
