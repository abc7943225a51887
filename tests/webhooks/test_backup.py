"""The backup file: on the disk before anything goes, never over anything, and told apart from broken ones."""

from __future__ import annotations

import errno
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from configurator.errors import InputError
from configurator.webhooks import backup as module
from configurator.webhooks.backup import Backup, BackupError, Stored, default_name, read_backup
from configurator.webhooks.model import HookClass
from tests.webhooks.cleanup_parts import GITLAB, OWNER, found, hook_of, lines_of

NOW = datetime(2026, 2, 1, 9, 30, tzinfo=UTC)
URL = "https://robot:hunter2@jenkins.example.com/project/gone"


def _written(path: Path, count: int = 2) -> Path:
    with Backup.create(path, OWNER, NOW) as backup:
        for number in range(1, count + 1):
            hook = hook_of(number, url=URL)
            backup.write(found(hook), {**hook.attributes, "custom_headers": [{"key": "X"}]}, GITLAB, [9, 8])
    return path


def _edit(path: Path, number: int, line: str) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")
    lines[number - 1] = line
    path.write_text("\n".join(lines), encoding="utf-8")


def _problems(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_backup(path)
    assert "hunter2" not in str(caught.value) + str([one.hint for one in caught.value.problems])
    return [str(one) for one in caught.value.problems]


def test_default_name_sorts_by_time_and_is_utc() -> None:
    assert default_name(NOW) == Path("webhooks-backup-20260201T093000Z.jsonl")
    east = NOW.astimezone(timezone(timedelta(hours=5)))
    assert default_name(east) == default_name(NOW) < default_name(NOW + timedelta(seconds=1))


def test_written_and_read_again(tmp_path: Path) -> None:
    path = _written(tmp_path / "b.jsonl")
    assert path.stat().st_mode & 0o777 == 0o600
    stored = read_backup(path)
    assert (stored.owner, stored.created_at, stored.warnings) == (OWNER, "2026-02-01T09:30:00+00:00", ())
    assert [one.finding.hook.id for one in stored.entries] == [1, 2]
    [entry, _] = stored.entries
    assert entry.gitlab_url == GITLAB and entry.others == {8, 9}
    assert entry.finding.cls is HookClass.ORPHANED and entry.finding.job == "gone"
    assert entry.finding.hook.url == URL
    assert entry.finding.hook.attributes["custom_headers"] == [{"key": "X"}]
    assert "hunter2" not in repr(stored)


def test_the_mode_holds_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        assert _written(tmp_path / "b").stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)


def test_a_line_is_on_the_disk_when_write_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bytes] = []
    path = tmp_path / "b"
    real = os.fsync

    def fsync(handle: int) -> None:
        real(handle)
        synced.append(path.read_bytes())

    with Backup.create(path, OWNER) as backup:
        monkeypatch.setattr(os, "fsync", fsync)
        backup.write(found(hook_of(1)), hook_of(1).attributes, GITLAB)
        assert synced and synced[-1] == path.read_bytes() and synced[-1].count(b"\n") == 2


@pytest.mark.parametrize("there", ["file", "link", "dangling link", "folder"])
def test_never_over_what_is_there(tmp_path: Path, there: str) -> None:
    path, other = tmp_path / "b", tmp_path / "other"
    if there == "file":
        path.write_text("mine")
    elif there == "folder":
        path.mkdir()
    else:
        path.symlink_to(other)
        if there == "link":
            other.write_text("mine")
    with pytest.raises(InputError, match=r"nothing was deleted") as caught:
        Backup.create(path, OWNER)
    assert "never overwritten" in caught.value.problems[0].hint
    assert there == "folder" or not other.exists() or other.read_text() == "mine"
    assert there != "dangling link" or not other.exists()


@pytest.mark.parametrize("name", ["no/such/folder", "file/b", "zero\0byte"])
def test_a_place_that_can_not_be_written_is_found_out_first(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"can't write the backup .*nothing was deleted"):
        Backup.create(tmp_path / name, OWNER)


def test_a_full_disk_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "write", _full)
    with pytest.raises(InputError, match="No space left on device"):
        Backup.create(tmp_path / "b", OWNER)
    assert not list(tmp_path.iterdir())


def _full(handle: int, data: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_an_empty_backup_goes_away(tmp_path: Path) -> None:
    path = tmp_path / "b"
    with Backup.create(path, OWNER) as backup:
        assert path.exists()
    assert not path.exists() and backup.count == 0
    backup.close()


def test_an_empty_backup_takes_nobody_elses_file_away(tmp_path: Path) -> None:
    path = tmp_path / "b"
    with Backup.create(path, OWNER):
        path.rename(tmp_path / "moved")
        path.write_text("mine")
    assert path.read_text() == "mine"
    with Backup.create(tmp_path / "c", OWNER):
        (tmp_path / "c").unlink()


@pytest.mark.parametrize("when", ["write", "half", "fsync"])
def test_a_full_disk_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    path, real = tmp_path / "b", os.write

    def half(handle: int, data: memoryview) -> int:
        if len(data) < 20:
            _full(handle, data)
        return real(handle, data[: len(data) // 2])

    with Backup.create(path, OWNER) as backup:
        backup.write(found(hook_of(1)), hook_of(1).attributes, GITLAB)
        before = path.read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync" if when == "fsync" else "write", half if when == "half" else _full_or_sync)
            with pytest.raises(BackupError, match="No space left") as caught:
                backup.write(found(hook_of(2)), hook_of(2).attributes, GITLAB)
        assert "make room" in caught.value.hint
        with pytest.raises(BackupError, match="No space left"):  # there is room again, and yet: stopped is stopped
            backup.write(found(hook_of(3)), hook_of(3).attributes, GITLAB)
        assert path.read_bytes() == before and backup.count == 1
    assert [one.finding.hook.id for one in read_backup(path).entries] == [1]


def _full_or_sync(handle: int, data: object = None) -> int:
    return _full(handle, data)


def test_short_writes_are_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: real(handle, data[:7]))
    assert len(read_backup(_written(tmp_path / "b")).entries) == 2


def test_a_closed_one_takes_nothing(tmp_path: Path) -> None:
    with Backup.create(tmp_path / "b", OWNER) as backup:
        backup.write(found(hook_of(1)), {}, GITLAB)
    with pytest.raises(BackupError, match="closed"):
        backup.write(found(hook_of(2)), {}, GITLAB)


def test_a_folder_that_can_not_be_synced_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def refusing(path: Path, flags: int, mode: int = 0o777) -> int:
        if Path(path).is_dir():
            raise PermissionError(errno.EACCES, "no")
        return real(path, flags, mode)

    monkeypatch.setattr(module.os, "open", refusing)
    assert len(read_backup(_written(tmp_path / "b")).entries) == 2


def test_many_threads_write_whole_lines(tmp_path: Path) -> None:
    path, start = tmp_path / "b", threading.Barrier(8)
    with Backup.create(path, OWNER) as backup, ThreadPoolExecutor(8) as pool:

        def write(number: int) -> None:
            start.wait()
            for one in range(10):
                hook = hook_of(number * 10 + one, description="é" * 2000)
                backup.write(found(hook), hook.attributes, GITLAB)

        list(pool.map(write, range(8)))
    assert sorted(one["hook"]["id"] for one in lines_of(path)) == list(range(80))
    assert backup.count == 80


@pytest.mark.parametrize("text", ["\ud800", "line\nbreak", "\u2028", "ä"])
def test_any_text_stays_on_its_line(tmp_path: Path, text: str) -> None:
    with Backup.create(tmp_path / "b", OWNER) as backup:
        hook = hook_of(1, description=text)
        backup.write(found(hook, evidence=text), hook.attributes, GITLAB)
    [entry] = read_backup(tmp_path / "b").entries
    assert entry.finding.hook.attributes["description"] == text == entry.finding.evidence


# ---- broken files


def test_a_last_line_that_was_cut_off_is_left_out_with_a_warning(tmp_path: Path) -> None:
    path = _written(tmp_path / "b")
    whole = path.read_bytes()
    length = len(whole.rstrip(b"\n").rpartition(b"\n")[2])
    for cut in (2, 40, length):
        path.write_bytes(whole[:-cut])
        stored = read_backup(path)
        assert [one.finding.hook.id for one in stored.entries] == [1]
        assert len(stored.warnings) == 1 and f"{path}:3" in stored.warnings[0]
        assert "hunter2" not in stored.warnings[0]


def test_only_the_line_break_is_missing(tmp_path: Path) -> None:
    path = _written(tmp_path / "b")
    path.write_bytes(path.read_bytes()[:-1])
    stored = read_backup(path)
    assert len(stored.entries) == 2 and not stored.warnings


@pytest.mark.parametrize("head", ["", "\n", "{}", "[]", "no json", '{"format": "configurator-plan", "version": 1}'])
def test_what_is_no_backup(tmp_path: Path, head: str) -> None:
    path = tmp_path / "b"
    path.write_text(head)
    assert _problems(path) == [f"{path}:1:1: this is not a backup of webhooks"]


def test_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"\xff\xfe")
    assert "not a backup" in _problems(tmp_path / "b")[0]


@pytest.mark.parametrize("version", [2, "1", None])
def test_another_version_is_refused(tmp_path: Path, version: object) -> None:
    path = _written(tmp_path / "b")
    _edit(path, 1, json.dumps({"format": module.FORMAT, "version": version, "created_at": "", "owner": "x"}))
    [problem] = _problems(path)
    assert f"the backup is of version {json.dumps(version)}" in problem


def test_a_head_that_tells_no_owner(tmp_path: Path) -> None:
    path = _written(tmp_path / "b")
    _edit(path, 1, json.dumps({"format": module.FORMAT, "version": 1, "created_at": ""}))
    assert _problems(path) == [f"{path}:1:1: `owner` is missing, or not a text"]


@pytest.mark.parametrize("name", ["missing", "folder"])
def test_a_file_that_can_not_be_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    assert "can't read the backup" in _problems(tmp_path / name)[0]


def test_every_broken_line_is_named(tmp_path: Path) -> None:
    path = _written(tmp_path / "b", count=12)
    good = lines_of(path)[0]

    def broken(**changes: object) -> str:
        return json.dumps({**good, **changes})

    lines = {
        2: ("{", "not JSON"),
        3: ("[1]", "not a JSON object"),
        4: (broken(hook=None), "`hook`"),
        5: (broken(hook={"id": 1}), "`url`"),
        6: (broken(hook={"url": URL}), "`id`"),
        7: (broken(hook={"url": URL, "id": True}), "`id`"),
        8: (broken(**{"class": "weird"}), "`class`"),
        9: (broken(others="x"), "`others`"),
        10: (broken(project_id="7"), "`project_id`"),
        11: (broken(job=1), "`job`"),
        12: ("", "not JSON"),
    }
    for number, (line, _) in lines.items():
        _edit(path, number, line)
    problems = _problems(path)
    assert len(problems) == len(lines)
    for problem, (number, (_, words)) in zip(problems, lines.items(), strict=True):
        assert problem.startswith(f"{path}:{number}:") and words in problem


def test_a_hook_without_a_job_and_of_an_older_file(tmp_path: Path) -> None:
    path = _written(tmp_path / "b", count=1)
    line = lines_of(path)[0]
    del line["others"]
    _edit(path, 2, json.dumps({**line, "job": None}))
    stored: Stored = read_backup(path)
    assert stored.entries[0].finding.job is None and stored.entries[0].others == frozenset()
