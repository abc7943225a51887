"""``configurator token rotate`` as a person or a pipeline runs it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from configurator.cli.app import run
from tests.tokens.rotating.rotation_bench import RotationBench, in_days


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RotationBench]:
    with RotationBench.at(tmp_path) as made:
        made.done()
        monkeypatch.setenv("CONFIGURATOR_STORE", str(tmp_path / "store"))
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        made.recovery = tmp_path / "state" / "configurator" / "rotation-platform@gitlab.json"
        yield made


@pytest.fixture
def rotate(
    bench: RotationBench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    def call(*arguments: str) -> tuple[int, str, str]:
        bench.path.write_text(yaml.safe_dump(bench.spec), encoding="utf-8")
        for name, value in bench.environ.items():
            monkeypatch.setenv(name, value)
        code = run(["token", "rotate", "-f", str(bench.path), *arguments])
        printed = capsys.readouterr()
        assert "glpat-" not in printed.out + printed.err
        return code, printed.out, printed.err

    return call


def test_rotated(bench: RotationBench, rotate) -> None:
    code, out, err = rotate("--yes")
    assert code == 0, err
    bench.assert_everywhere()
    assert f"gitlab: personal token 'ci' rotated, good until {in_days(90)}" in out
    assert f"  done    file {bench.folder}/sink: written" in out
    assert "  the new token is everywhere it belongs" in out
    assert "proving that the new token can be written everywhere" in err
    code, out, _ = rotate("--yes")
    assert code == 0
    assert "left alone" in out


def test_json(bench: RotationBench, rotate) -> None:
    code, out, _ = rotate("--yes", "-o", "json", "-q")
    data = json.loads(out)
    assert (code, data["version"]) == (0, 1)
    (one,) = data["rotations"]
    assert set(one) == {
        "gitlab", "token", "kind", "mode", "result", "detail", "expires_at", "steps", "recovery",
    }  # fmt: skip
    assert (one["result"], one["mode"], one["kind"], one["token"]) == ("rotated", "rotate", "personal", "ci")
    assert one["recovery"] is None
    assert set(one["steps"][0]) == {"target", "result", "detail"}


def test_a_dry_run_asks_nobody(bench: RotationBench, rotate) -> None:
    code, out, _ = rotate("--dry-run")
    assert code == 0
    assert "would be rotated" in out
    assert bench.asked == 0


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 4)])
def test_a_person_sees_the_proofs_and_is_asked(
    bench: RotationBench, rotate, terminal: Callable[[str], None], answer: str, code: int
) -> None:
    terminal(answer)
    ended, _, err = rotate()
    assert ended == code
    assert "the personal token 'ci', good until" in err
    assert "is to be rotated in place: the old one dies at once" in err
    assert f"proved  file {bench.folder}/sink: can be made" in err
    assert bench.asked == (answer == "y")


def test_without_a_terminal_nothing_happens(bench: RotationBench, rotate) -> None:
    code, _, err = rotate()
    assert code == 4
    assert "--yes" in err
    assert bench.asked == 0


def test_what_can_not_be_proven(bench: RotationBench, rotate) -> None:
    bench.entry["rotation"]["sinks"] = [{"command": ["cat"]}]
    code, out, _ = rotate("--yes")
    assert code == 1
    assert "--allow-commands" in out
    assert "not rotated" in out
    assert bench.asked == 0
    assert rotate("--yes", "--allow-commands")[0] == 0


def test_lost_and_resumed(bench: RotationBench, rotate) -> None:
    bench.fault("cut-after")
    code, out, _ = rotate("--yes")
    assert code == 1
    assert "rotated, and the new token is lost" in out
    assert f"Recovery file: {bench.recovery}" in out
    assert rotate("--yes")[0] == 4
    assert rotate("--resume")[0] == 1
    assert rotate("--resume", "--force")[0] == 1
    code, out, _ = rotate("--resume")
    assert code == 0, "the dead token can't be asked"
    assert "no rotation was left unfinished" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--resume", "--dry-run"], "exclude each other"),
        (["nobody"], "there is no gitlab entry 'nobody'"),
        (["gitlba"], "did you mean"),
        (["--days", "500"], "--days"),
    ],
)
def test_bad_input(rotate, arguments: list[str], words: str) -> None:
    code, _, err = rotate(*arguments)
    assert code == 3
    assert words in err


def test_one_recovery_file_is_for_one_token(bench: RotationBench, rotate) -> None:
    bench.spec["gitlab"].append({**bench.entry, "name": "second", "credential": {"id": "second"}})
    code, _, err = rotate("--recovery", "x")
    assert code == 3
    assert "name one gitlab entry" in err


def test_one_that_fails_does_not_stop_the_other(bench: RotationBench, rotate) -> None:
    other = bench.gitlab.add_token("bot", ["api"], expires_at=in_days(3))
    (bench.folder / "other").write_text(other.value)
    bench.spec["gitlab"].append(
        {**bench.entry, "name": "second", "token": {"file": "other"}, "credential": {"id": "second"}}
    )
    code, out, _ = rotate("--yes")
    assert code == 1
    assert "second: personal token 'token' not rotated" in out
    assert "it is not there yet: run `configurator apply` first" in out
    bench.assert_everywhere()


def test_a_spec_without_rotation(bench: RotationBench, rotate) -> None:
    del bench.entry["rotation"]
    code, _, err = rotate("--yes")
    assert code == 4
    assert "add to one: rotation:" in err
