from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from plan_builders import example_plan

from configurator.planfile import read
from configurator.report.markdown import plan_markdown
from configurator.report.text import plan_text


def test_text_goes_to_stdout_and_progress_to_stderr(command, fake) -> None:
    ended = command("plan")
    assert ended.code == 0
    assert ended.out == plan_text(example_plan())
    assert ended.err == "reading Jenkins …\n"
    assert [name for name, _ in fake.calls] == ["open", "plan", "close"]


def test_json_and_markdown(command, fake) -> None:
    assert json.loads(command("plan", "-o", "json").out)["summary"]["create"] == 3
    assert command("plan", "-o", "markdown").out == plan_markdown(example_plan())


def test_defaults(command, fake) -> None:
    command("plan")
    assert fake.called("open") == {"path": Path("configurator.yaml"), "allow_commands": False, "workers": 8}
    assert fake.called("plan") == {"prune": False, "adopt": ()}


def test_every_option_arrives(command, fake, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").touch()
    command("plan", "-f", "x.yaml", "--prune", "--adopt", "a/*", "--adopt", "b", "--allow-commands", "--workers", "3")
    assert fake.called("open") == {"path": Path("x.yaml"), "allow_commands": True, "workers": 3}
    assert fake.called("plan") == {"prune": True, "adopt": ("a/*", "b")}


def test_every_option_arrives_from_the_environment(
    command, fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.yaml").touch()
    for name, value in {
        "FILE": "x.yaml",
        "PRUNE": "1",
        "ADOPT": "a/* b",
        "ALLOW_COMMANDS": "true",
        "WORKERS": "3",
        "OUTPUT": "json",
        "DETAILED_EXITCODE": "1",
        "OUT": "plan.json",
    }.items():
        monkeypatch.setenv(f"CONFIGURATOR_{name}", value)
    fake.plan_code = 2
    ended = command("plan")
    assert ended.code == 2
    assert json.loads(ended.out)
    assert fake.called("open") == {"path": Path("x.yaml"), "allow_commands": True, "workers": 3}
    assert fake.called("plan") == {"prune": True, "adopt": ("a/*", "b")}
    assert Path("plan.json").exists()


def test_the_detailed_exit_code_is_asked_for(command, fake) -> None:
    fake.plan_code = 2
    assert command("plan").code == 0
    assert command("plan", "--detailed-exitcode").code == 2


def test_out_writes_a_private_plan_file(command, fake, tmp_path: Path) -> None:
    ended = command("plan", "--out", "plan.json", "--prune", "--adopt", "a/*")
    assert "configurator apply plan.json" in ended.err
    assert stat.S_IMODE((tmp_path / "plan.json").stat().st_mode) == 0o600
    stored = read(Path("plan.json"))
    assert (stored.spec, stored.prune, stored.adopt) == ("configurator.yaml", True, ("a/*",))


def test_verbose_shows_all(command, fake) -> None:
    assert command("plan", "-v").code == 0


def test_out_into_a_folder_that_is_not_there(command, fake) -> None:
    ended = command("plan", "--out", "nowhere/plan.json")
    assert ended.code == 3
    assert "can't write the plan to nowhere/plan.json" in ended.err
