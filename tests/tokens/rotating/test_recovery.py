"""The recovery file: private, whole, and readable after any end."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from configurator.clients.gitlab.tokens import TokenOwner
from configurator.errors import ConfiguratorError, RefusedError
from configurator.secret import Secret
from configurator.tokens.rotating.model import Mode
from configurator.tokens.rotating.recovery import Intent, RecoveryFile, Unfinished, default_path, received

INTENT = Intent(
    "platform",
    "gitlab",
    "https://gitlab.example.com",
    Mode.OVERLAP,
    7,
    "ci",
    TokenOwner("group", 4),
    ('{"file":"token"}', '{"command":["pass","show"]}'),
    "2026-11-20T10:00:00+00:00",
    "2027-02-18",
)
ANSWER = Secret(json.dumps({"id": 8, "token": "glpat-new", "expires_at": "2027-02-18"}))


@pytest.fixture
def file(tmp_path: Path) -> RecoveryFile:
    return RecoveryFile(tmp_path / "state" / "rotation.json")


def test_what_is_written_is_read(file: RecoveryFile) -> None:
    with file.lock():
        file.prove()
        assert file.read() is None
        file.begin(INTENT)
        assert file.read() == Unfinished(INTENT, None)
        size = file.path.stat().st_size
        file.receive(ANSWER)
        assert file.read() == Unfinished(INTENT, ANSWER)
        assert file.path.stat().st_size == size, "no new room is needed for the answer"
        assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700
        file.remove()
        file.remove()
    assert [one.name for one in file.path.parent.iterdir()] == ["rotation.json.lock"]


def test_an_answer_longer_than_the_room(file: RecoveryFile) -> None:
    file.path.parent.mkdir()
    file.begin(INTENT)
    long = Secret("x" * 40_000)
    file.receive(long)
    assert file.read() == Unfinished(INTENT, long)


def test_it_is_never_overwritten(file: RecoveryFile) -> None:
    file.path.parent.mkdir()
    file.begin(INTENT)
    file.receive(ANSWER)
    with pytest.raises(RefusedError, match="is there already"):
        file.begin(INTENT)
    assert file.read() == Unfinished(INTENT, ANSWER)


def test_only_one_at_a_time(file: RecoveryFile) -> None:
    with file.lock(), pytest.raises(RefusedError, match="another process"), RecoveryFile(file.path).lock():
        pass


@pytest.mark.parametrize("cut", [0, 10_000])
def test_ended_before_anything_was_asked(file: RecoveryFile, cut: int) -> None:
    file.path.parent.mkdir()
    file.path.write_text(" " * cut)
    assert file.read() is None
    assert not file.path.exists()


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"version": 2}', "glpat-by-hand"])
def test_what_is_no_recovery_file_is_left_alone(file: RecoveryFile, text: str) -> None:
    file.path.parent.mkdir()
    file.path.write_text(text)
    with pytest.raises(ConfiguratorError, match="damaged"):
        file.read()
    assert file.path.read_text() == text


def test_a_torn_answer_and_an_odd_resource_are_told(file: RecoveryFile) -> None:
    file.path.parent.mkdir()
    file.begin(INTENT)
    with file.path.open("r+b") as stream:
        stream.readline()
        stream.write(b'{"answer": "glp')
    with pytest.raises(ConfiguratorError) as raised:
        file.read()
    assert "it may hold a new token" in raised.value.hint
    file.path.write_text(file.path.read_text().splitlines()[0].replace('"group"', '"user"'))
    with pytest.raises(ConfiguratorError, match="damaged"):
        file.read()


def test_places_that_can_not_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    blocked = RecoveryFile(tmp_path / "file" / "x.json")
    with pytest.raises(ConfiguratorError, match="can't be used") as raised, blocked.lock():
        pass
    assert "--recovery" in raised.value.hint
    for work in (blocked.prove, blocked.read, lambda: blocked.begin(INTENT), lambda: blocked.receive(ANSWER)):
        with pytest.raises(ConfiguratorError, match="can't be used"):
            work()
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfiguratorError, match="can't be used"):
        RecoveryFile(tmp_path / "folder").remove()


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"token": 5}', '{"token": ""}', "<html>"])
def test_answers_without_a_token(text: str) -> None:
    assert received(Secret(text)) is None


def test_answers_with_a_token() -> None:
    new = received(ANSWER)
    assert new is not None
    assert (new.token.reveal(), new.id, new.expires_at) == ("glpat-new", 8, "2027-02-18")
    bare = received(Secret('{"token": "x", "id": true}'))
    assert bare is not None
    assert (bare.id, bare.expires_at) == (None, None)


def test_the_default_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    path = default_path("platform", "a/b")
    assert path == tmp_path / "configurator" / "rotation-platform@a%2Fb.json"


def test_no_value_is_told() -> None:
    assert "glpat" not in repr(Unfinished(INTENT, ANSWER)) + repr(received(ANSWER))
