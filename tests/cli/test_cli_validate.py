from __future__ import annotations

import json
from pathlib import Path

import pytest

from configurator.spec.schema import schema

SPEC = """\
apiVersion: configurator/v1
name: platform
jenkins: {url: "https://jenkins.example.com", username: admin, api_token: {env: NOT_SET_ANYWHERE}}
gitlab:
  - name: gitlab
    url: https://gitlab.example.com
    token: {command: [touch, was-run]}
    webhooks: {secret: {env: NOT_SET_EITHER}}
applications:
  - {name: payments, project: shop/payments, build_tool: maven, branches: [main]}
"""


@pytest.fixture(autouse=True)
def _spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("configurator.yaml").write_text(SPEC)


def test_a_valid_spec_needs_no_secret_and_runs_nothing(command) -> None:
    ended = command("validate")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == "valid: 1 application, 1 folder, 3 jobs, 2 views, 2 webhooks\n"
    assert not Path("was-run").exists()


def test_a_valid_spec_as_json(command) -> None:
    assert json.loads(command("validate", "-o", "json").out) == {
        "version": 1,
        "valid": True,
        "counts": {"applications": 1, "folders": 1, "jobs": 3, "views": 2, "webhooks": 2},
        "problems": [],
        "warnings": [],
    }


def test_warnings_come_before_the_verdict(command) -> None:
    Path("configurator.yaml").write_text(SPEC.replace("maven", "mavn"))
    ended = command("validate")
    assert ended.code == 0
    assert ended.out.startswith("Warning: ")
    assert "mavn" in ended.out
    assert ended.out.splitlines()[-1].startswith("valid: ")


def test_a_bad_spec(command) -> None:
    Path("configurator.yaml").write_text(SPEC.replace("branches:", "brunches:"))
    ended = command("validate")
    assert (ended.code, ended.out) == (3, "")
    assert "configurator.yaml:10:" in ended.err
    assert "branches" in ended.err


def test_a_bad_spec_as_json(command) -> None:
    Path("configurator.yaml").write_text(SPEC.replace("branches:", "brunches:"))
    ended = command("validate", "-o", "json")
    assert (ended.code, ended.err) == (3, "")
    data = json.loads(ended.out)
    assert data["valid"] is False
    assert data["problems"][0]["file"] == "configurator.yaml"
    assert data["problems"][0]["line"] == 10
    assert "branches" in data["problems"][0]["hint"]


def test_the_schema_is_json(command) -> None:
    ended = command("schema")
    assert ended.code == 0
    assert json.loads(ended.out) == json.loads(json.dumps(schema()))


def test_the_demo_gives_its_exit_code(command, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    import types

    module = types.ModuleType("configurator.demo")
    module.run = lambda: 1  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "configurator.demo", module)
    assert command("demo").code == 1
