from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

import configurator
from configurator.cli.app import COMMANDS, group
from configurator.cli.options import Command as BaseCommand
from configurator.cli.options import spec_path
from configurator.errors import InputError

ROOT = Path(configurator.__file__).parent.parent
HEAVY = {"pydantic", "lxml", "requests", "rich", "gitlab", "jenkins", "yaml", "jinja2", "urllib3"}


def in_process(*arguments: str, code: str = "") -> subprocess.CompletedProcess[str]:
    program = code or "from configurator.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["plan", "--help"],
        ["apply", "-h"],
        ["sandbox", "-h"],
        ["--version"],
        ["webhooks", "-h"],
        ["webhooks", "list", "-h"],
        ["webhooks", "cleanup", "-h"],
        ["webhooks", "test", "-h"],
    ],
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom configurator.cli.app import run\n"
        "code = run(sys.argv[1:])\nprint('MODULES', *{name.partition('.')[0] for name in sys.modules})\nsys.exit(code)"
    )
    done = in_process(*arguments, code=code)
    assert done.returncode == 0, done.stderr
    modules = set(done.stdout.rpartition("MODULES ")[2].split())
    assert "click" in modules
    assert not modules & HEAVY


def test_python_m_is_the_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "configurator", "--version"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    assert configurator.__version__ in done.stdout


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom configurator.cli.console import Console, Settings\n"
        "console = Console(Settings())\n[console.out('x' * 100000) for _ in range(50)]\n"
        "print('still here', file=sys.stderr)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == "still here\n"
    assert process.wait(30) == 0
    process.stderr.close()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_their_own_help_says(name: str) -> None:
    command = importlib.import_module(f"configurator.cli.{name}").command
    assert isinstance(command, BaseCommand)
    assert command.name == name
    assert (command.help or "").partition("\n")[0].strip() == COMMANDS[name]


@pytest.mark.parametrize("name", [None, *COMMANDS])
def test_every_option_has_its_variable_and_a_help_text(name: str | None) -> None:
    command: click.Command = group if name is None else importlib.import_module(f"configurator.cli.{name}").command
    for option in command.params:
        if isinstance(option, click.Option) and option.name != "version":
            long = max(option.opts, key=len).removeprefix("--")
            assert option.envvar == f"CONFIGURATOR_{long.upper().replace('-', '_')}"
            assert option.show_envvar
            assert option.help


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pln"], "No such command 'pln'. Did you mean 'plan'?"),
        (["xyzzy"], "No such command 'xyzzy'. Commands: validate, plan,"),
        (["--nope"], "No such option"),
        (["plan", "--nope"], "No such option"),
        (["plan", "--workers", "many"], "CONFIGURATOR_WORKERS"),
        (["plan", "-f", "/does/not/exist.yaml"], "does not exist"),
        (["apply", "-o", "markdown"], "'markdown' is not one of"),
        ([], "Usage: configurator"),
    ],
)
def test_usage_errors_exit_3(command, arguments: list[str], message: str) -> None:
    ended = command(*arguments)
    assert ended.code == 3
    assert ended.out == ""
    assert message in ended.err


def test_usage_errors_as_json(command) -> None:
    ended = command("--log-format", "json", "plan", "--workers", "many")
    assert ended.code == 3
    assert json.loads(ended.err)["level"] == "error"


def test_help_and_version_exit_0(command) -> None:
    assert command("--help").code == 0
    assert "CONFIGURATOR_FILE" in command("plan", "--help").out
    assert configurator.__version__ in command("--version").out


def test_the_default_spec_is_a_file_then_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"there is no configurator\.yaml here"):
        spec_path(None)
    Path("configurator").mkdir()
    with pytest.raises(InputError):  # a folder without YAML files is something else, such as a checkout of this program
        spec_path(None)
    Path("configurator/a.yml").touch()
    assert spec_path(None) == Path("configurator")
    Path("configurator.yaml").touch()
    assert spec_path(None) == Path("configurator.yaml")
    assert spec_path(Path("other.yaml")) == Path("other.yaml")


def test_no_spec_exits_3(command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake) -> None:
    Path("configurator.yaml").unlink()
    ended = command("plan")
    assert ended.code == 3
    assert "-f PATH" in ended.err


def test_shell_completion_knows_the_commands() -> None:
    assert group.list_commands(click.Context(group)) == list(COMMANDS)


def test_an_option_in_the_place_of_a_command(command) -> None:
    assert command("--", "-x").code == 3
