"""``configurator token check`` on the embedded servers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from configurator.cli.app import run
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from tests.kinds.bench import Bench, hooked


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with Bench(tmp_path / "configurator.yaml", JenkinsSandbox(), GitLabSandbox()) as made:
        made.spec["jobs"] = [hooked("build")]
        monkeypatch.chdir(tmp_path)
        for name, value in made.environ.items():
            monkeypatch.setenv(name, value)
        yield made


def check(bench: Bench, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    bench.path.write_text(yaml.safe_dump(bench.spec), encoding="utf-8")
    code = run(["token", "check", *arguments])
    printed = capsys.readouterr()
    assert bench.environ["GITLAB"] not in printed.out + printed.err
    return code, printed.out, printed.err


def test_all_is_well(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.done()
    code, out, err = check(bench, capsys)
    assert code == 0
    assert out.startswith("gitlab:gitlab\n  ok       reachable    GitLab 18.5.0 answers")
    assert "connection:gitlab\n  ok       connection   Jenkins reaches" in out
    assert "looking at every token" in err


def test_as_json_and_the_exit_code_of_a_failure(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = check(bench, capsys, "-o", "json", "--min-days", "400")
    document: dict[str, Any] = json.loads(out)
    assert (code, document["version"]) == (1, 1)
    failed = [one for one in document["checks"] if one["verdict"] == "fail"]
    assert [(one["subject"], one["check"]) for one in failed] == [("gitlab:gitlab", "expiry")]
    assert set(failed[0]) == {"subject", "check", "verdict", "evidence", "cure"}


def test_a_warning_is_no_failure(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.gitlab.tokens[0].scopes = ["api", "sudo"]
    code, out, _ = check(bench, capsys, "-q", "gitlab")
    assert code == 0
    assert "warn     scopes" in out


def test_names_that_are_not_there(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = check(bench, capsys, "gitlap")
    assert (code, out) == (3, "")
    assert "there is no gitlab entry 'gitlap'" in err
    assert "did you mean gitlab?" in err


def test_it_changes_nothing(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    check(bench, capsys)
    writes = [one for one in bench.gitlab.log if one.method != "GET"]
    assert [(one.method, one.path, one.status) for one in writes] == [("POST", "/api/v4/version", 405)]
    asked = {one.path.rpartition("/")[2] for one in bench.jenkins.log if one.method != "GET"}
    assert asked <= {"scriptText", "testConnection"}
