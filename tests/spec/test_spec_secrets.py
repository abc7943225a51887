"""Resolving secret references, and hiding what was resolved."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from configurator.errors import InputError
from configurator.secret import Secret
from configurator.spec.loader import LoadedSpec, load
from configurator.spec.models import CommandSecret, EnvSecret, FileSecret, StoredSecret
from configurator.spec.secrets import Secrets

PYTHON = sys.executable


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedSpec:
    (tmp_path / "spec.yaml").write_text(
        "apiVersion: configurator/v1\nname: platform\n"
        "jenkins:\n  url: https://jenkins.example.com\n  username: bot\n  api_token: {env: JENKINS_TOKEN}\n"
        "gitlab:\n  - url: https://gitlab.example.com\n    token: {env: GITLAB_TOKEN}\n"
        "    credential: {token: {stored: jenkins}}\n    webhooks: {secret: {file: key.txt}}\n"
    )
    return load(tmp_path / "spec.yaml")


def problem_of(secrets: Secrets, ref: EnvSecret | FileSecret | StoredSecret | CommandSecret) -> tuple[str, str]:
    with pytest.raises(InputError) as caught:
        secrets.get(ref)
    (problem,) = caught.value.problems
    return problem.message, problem.hint


def command(code: str, *arguments: str) -> CommandSecret:
    return CommandSecret(command=[PYTHON, "-c", code, *arguments])


def test_environment(loaded: LoadedSpec) -> None:
    secrets = Secrets(loaded, False, {"TOKEN": "t0ken", "LINE": "t0ken\n", "EMPTY": " "})
    assert secrets.get(EnvSecret(env="TOKEN")).reveal() == "t0ken"
    assert secrets.get(EnvSecret(env="LINE")).reveal() == "t0ken"
    assert problem_of(secrets, EnvSecret(env="EMPTY"))[0] == "the environment variable EMPTY is empty"
    assert problem_of(secrets, EnvSecret(env="NONE")) == (
        "the environment variable NONE is not set",
        "set it, such as: export NONE=…",
    )


@pytest.mark.parametrize(("data", "value"), [(b"k\n", "k"), (b"k\r\n", "k"), (b"k\n\n", "k\n"), (b" k ", " k ")])
def test_a_file_without_one_line_break(loaded: LoadedSpec, data: bytes, value: str) -> None:
    (loaded.base / "key.txt").write_bytes(data)
    assert Secrets(loaded, False, {}).get(FileSecret(file="key.txt")).reveal() == value


def test_a_file_in_the_home_folder(loaded: LoadedSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "key").write_text("at home")
    assert Secrets(loaded, False, {}).get(FileSecret(file="~/key")).reveal() == "at home"


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("missing", None, "the file missing can't be read: No such file or directory"),
        (".", None, "the file . can't be read: Is a directory"),
        ("a\0b", None, "the file a\0b can't be read: there is no such path"),
        ("~nobody-of-this-name/x", None, "the file ~nobody-of-this-name/x can't be read: there is no such path"),
        ("k", b"\n", "the file k is empty"),
        ("k", b"\xff", "the file k is not UTF-8 text"),
        ("k", b"x" * (1024 * 1024 + 1), "the file k is larger than 1 MB: that is no secret"),
    ],
)
def test_a_file_that_will_not_do(loaded: LoadedSpec, name: str, data: bytes | None, message: str) -> None:
    if data is not None:
        (loaded.base / name).write_bytes(data)
    assert problem_of(Secrets(loaded, False, {}), FileSecret(file=name))[0] == message


def test_the_store(loaded: LoadedSpec) -> None:
    class Store:
        def get(self, name: str) -> Secret | None:
            return Secret("kept") if name == "gitlab" else None

        def is_oauth(self, name: str) -> bool:
            return False

    assert Secrets(loaded, False, {}, store=Store()).get(StoredSecret(stored="gitlab")).reveal() == "kept"
    expected = (
        "nothing is stored under other",
        "run: configurator connect gitlab --name other",
    )
    assert problem_of(Secrets(loaded, False, {}, store=Store()), StoredSecret(stored="other")) == expected
    assert problem_of(Secrets(loaded, False, {}), StoredSecret(stored="other")) == expected


def test_commands_need_to_be_allowed(loaded: LoadedSpec) -> None:
    ref = command("import pathlib; pathlib.Path('ran').touch(); print('x')")
    message, hint = problem_of(Secrets(loaded, False, {}), ref)
    assert message == f"the command {PYTHON} is not run: a spec may not run commands unless you say so"
    assert "--allow-commands" in hint
    assert not (loaded.base / "ran").exists()


def test_a_command_runs_once_without_a_shell(loaded: LoadedSpec) -> None:
    code = "import os, sys; open('runs', 'a').write('.'); print(os.environ['X'] + sys.argv[1])"
    secrets = Secrets(loaded, True, {"X": "from-"})
    assert secrets.get(command(code, "$HOME;")).reveal() == "from-$HOME;"
    assert secrets.get(command(code, "$HOME;")).reveal() == "from-$HOME;"
    assert (loaded.base / "runs").read_text() == "."


def test_a_command_that_fails_shows_no_secret(loaded: LoadedSpec) -> None:
    secrets = Secrets(loaded, True, {"TOKEN": "kn0wn"})
    secrets.get(EnvSecret(env="TOKEN"))
    code = "import sys; print('pr1nted'); sys.exit('first\\ndenied: kn0wn pr1nted abcdefghijklmnopqrstuvwxyz')"
    message, _ = problem_of(secrets, command(code))
    assert message == f"the command {PYTHON} failed with exit code 1: denied: (secret) (secret) (secret)"
    assert problem_of(secrets, command("raise SystemExit(3)"))[0] == f"the command {PYTHON} failed with exit code 3"


def test_a_command_that_is_not_there_or_says_nothing(loaded: LoadedSpec) -> None:
    secrets = Secrets(loaded, True, {})
    message, _ = problem_of(secrets, CommandSecret(command=["no-such-program-here"]))
    assert message == "the command no-such-program-here can't be run: No such file or directory"
    assert "not valid" in problem_of(secrets, CommandSecret(command=["a\0b"]))[0]
    assert problem_of(secrets, command("print()"))[0] == f"the output of the command {PYTHON} is empty"
    code = "import sys; sys.stdout.buffer.write(b'\\xff')"
    assert problem_of(secrets, command(code))[0] == f"the command {PYTHON} is not UTF-8 text"


def test_a_command_that_hangs_is_ended_with_all_it_holds_open(loaded: LoadedSpec) -> None:
    code = "import subprocess, time; subprocess.Popen(['sleep', '5']); time.sleep(5)"
    began = time.monotonic()
    message, _ = problem_of(Secrets(loaded, True, {"PATH": "/usr/bin:/bin"}, timeout=0.3), command(code))
    assert message == f"the command {PYTHON} did not end within 0.3 s"
    assert time.monotonic() - began < 3


def test_all_that_is_missing_is_told_together(loaded: LoadedSpec) -> None:
    spec = loaded.spec
    gitlab = spec.gitlab[0]
    refs = [spec.jenkins.api_token, gitlab.token, gitlab.credential.token, gitlab.webhooks.secret, gitlab.token]
    with pytest.raises(InputError) as caught:
        Secrets(loaded, False, {"JENKINS_TOKEN": "set"}).require(*(ref for ref in refs if ref is not None))
    problems = caught.value.problems
    assert [(problem.place.line if problem.place else 0, problem.message) for problem in problems] == [
        (9, "gitlab[0].token: the environment variable GITLAB_TOKEN is not set"),
        (10, "gitlab[0].credential.token: nothing is stored under jenkins"),
        (11, "gitlab[0].webhooks.secret: the file key.txt can't be read: No such file or directory"),
    ]


def test_redaction(loaded: LoadedSpec) -> None:
    environ = {"A": 'p<a"s/s word', "B": "abc", "C": "p<a", "KEY": "-----BEGIN-----\nline two\n-----END-----"}
    secrets = Secrets(loaded, False, environ)
    assert secrets.redact("p<a stays") == "p<a stays"
    secrets.require(*(EnvSecret(env=name) for name in environ))
    for spelling in ('p<a"s/s word', 'p<a\\"s/s word', "p&lt;a&quot;s/s word", "p%3Ca%22s%2Fs%20word", "line two"):
        assert secrets.redact(f"<{spelling}>") == "<(secret)>"
    assert secrets.redact("abc p<a") == "abc p<a"


def test_many_threads_resolve_once(loaded: LoadedSpec) -> None:
    calls: list[str] = []

    class Store:
        def get(self, name: str) -> Secret | None:
            calls.append(name)
            return Secret("value")

    secrets = Secrets(loaded, False, {}, store=Store())
    threads = [threading.Thread(target=secrets.get, args=(StoredSecret(stored="x"),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == ["x"]
