"""Every sink proves, writes, may be written again, and tells what is wrong with its cure."""

from __future__ import annotations

import itertools
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from configurator.clients.gitlab import GitLabClient
from configurator.clients.redaction import Redactor
from configurator.errors import ConfiguratorError
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.gitlab.model import Project, Variable
from configurator.sandbox.server import Fault
from configurator.secret import Secret
from configurator.spec.models import EnvFileSink, FileSink, GitLabVariable, GitLabVariableSink
from configurator.spec.references import CommandSink, StoredSink
from configurator.tokens.keeping.store import Entry, TokenStore
from configurator.tokens.rotating.file_sinks import EnvFileTarget, FileTarget
from configurator.tokens.rotating.sink import SinkTarget
from configurator.tokens.rotating.sinks import CommandTarget, StoredTarget, Surroundings, VariableTarget

OLD, NEW = Secret("glpat-old-token-1234"), Secret("glpat-new-token-5678")
URL = "https://gitlab.example.com"


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# -- files -------------------------------------------------------------------------------------------------------


def test_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "token"
    target = FileTarget(path)
    assert target.prove(OLD) == "can be made, mode 0600"
    assert list(tmp_path.iterdir()) == []
    for _ in range(2):
        assert target.write(NEW) == "written"
        assert path.read_text() == "glpat-new-token-5678\n"
        assert mode_of(path) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["token"]


@pytest.mark.parametrize(("before", "after"), [("old\n", "\n"), ("old", ""), ("", "\n")])
def test_a_file_keeps_its_mode_and_its_habits(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "token"
    path.write_text(before)
    path.chmod(0o640)
    assert FileTarget(path).prove(OLD) == "can be replaced, mode 0640"
    assert path.read_text() == before
    FileTarget(path).write(NEW)
    assert path.read_text() == NEW.reveal() + after
    assert mode_of(path) == 0o640


def test_a_file_that_everybody_reads_is_told(tmp_path: Path) -> None:
    (tmp_path / "token").touch()
    (tmp_path / "token").chmod(0o644)
    assert "readable by everybody" in FileTarget(tmp_path / "token").prove(OLD)


def test_a_link_stays(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "token").write_text("old\n")
    link = tmp_path / "token"
    link.symlink_to("real/token")
    FileTarget(link).write(NEW)
    assert link.is_symlink()
    assert (tmp_path / "real" / "token").read_text() == "glpat-new-token-5678\n"


@pytest.mark.parametrize(
    ("name", "words"),
    [("folder", "it is a folder"), ("missing/token", "No such file"), ("text", "not UTF-8"), ("pipe", "no ordinary")],
)
@pytest.mark.parametrize("kind", [FileTarget, lambda path: EnvFileTarget(path, "KEY")])
def test_files_that_can_not_be(tmp_path: Path, name: str, words: str, kind: Any) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_bytes(b"\xff\xfe")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfiguratorError, match=words) as raised:
        kind(tmp_path / name).prove(OLD)
    assert raised.value.hint


def test_a_file_that_is_mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").touch()
    monkeypatch.setattr(os.path, "ismount", lambda path: True)
    with pytest.raises(ConfiguratorError, match="mounted by itself"):
        FileTarget(tmp_path / "token").prove(OLD)


def test_an_owner_that_can_not_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    (tmp_path / "token").touch()
    owners = itertools.count()
    monkeypatch.setattr("configurator.tokens.rotating.file_sinks._owner", lambda status: (next(owners), 0))
    monkeypatch.setattr(os, "fchown", refuse)
    monkeypatch.setattr(os, "chown", refuse)
    for work in (FileTarget(tmp_path / "token").prove, FileTarget(tmp_path / "token").write):
        with pytest.raises(ConfiguratorError, match="Operation not permitted") as raised:
            work(NEW)
        assert "keep its owner" in raised.value.hint


# -- environment files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "KEY={}\n"),
        ("A=1", "A=1\nKEY={}\n"),
        ("A=1\nKEY=old\nB=2\n", "A=1\nKEY={}\nB=2\n"),
        ("KEY=old", "KEY={}"),
        ("KEY=\n", "KEY={}\n"),
        ("  export KEY='old' # why\n", "  export KEY='{}' # why\n"),
        ('KEY="old"\r\nB=2\r\n', 'KEY="{}"\r\nB=2\r\n'),
        ("#KEY=old\nMY_KEY=x\nKEYS=y\n", "#KEY=old\nMY_KEY=x\nKEYS=y\nKEY={}\n"),
        ("KEY=a\nKEY=b\n", "KEY={}\nKEY={}\n"),
    ],
)
def test_a_line_of_an_environment_file(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "env"
    path.write_bytes(before.encode())
    target = EnvFileTarget(path, "KEY")
    assert ("is in it" in target.prove(OLD)) is ("KEY=" in before and not before.startswith("#"))
    for _ in range(2):
        target.write(NEW)
        assert path.read_bytes().decode() == after.replace("{}", NEW.reveal())


@pytest.mark.parametrize("before", ["", "KEY=x\n"])
def test_a_value_that_a_shell_would_read_otherwise_is_quoted(tmp_path: Path, before: str) -> None:
    (tmp_path / "env").write_text(before)
    EnvFileTarget(tmp_path / "env", "KEY").write(Secret("a$b"))
    assert (tmp_path / "env").read_text() == "KEY='a$b'\n"


# -- variables ---------------------------------------------------------------------------------------------------


@pytest.fixture
def gitlab() -> Iterator[GitLabSandbox]:
    with GitLabSandbox() as server:
        server.add_user("bot")
        server.add_project("ops/ci", members={"bot": 40})
        server.add_project("ops/other", members={"bot": 30})
        yield server


def variable_target(gitlab: GitLabSandbox, project: str = "ops/ci", scope: str = "api") -> VariableTarget:
    client = GitLabClient("gitlab", gitlab.url, Secret(gitlab.add_token("bot", [scope]).value), sleep=lambda _: None)
    return VariableTarget(project, "TOKEN", lambda: client, lambda _: client)


def project_of(gitlab: GitLabSandbox) -> Project:
    return gitlab.projects["ops/ci"]


def test_a_variable_is_made_and_changed(gitlab: GitLabSandbox) -> None:
    target = variable_target(gitlab)
    assert target.prove(OLD) == "will be made, masked and raw"
    assert project_of(gitlab).variables == []
    assert target.write(OLD) == "made, masked and raw"
    assert "can be changed" in target.prove(OLD)
    assert target.write(NEW) == "written"
    (variable,) = project_of(gitlab).variables
    assert (variable.value, variable.masked, variable.raw) == (NEW.reveal(), True, True)


def test_a_variable_keeps_what_is_not_ours(gitlab: GitLabSandbox) -> None:
    project_of(gitlab).variables.append(Variable("TOKEN", "x", protected=True, environment_scope="production"))
    target = variable_target(gitlab)
    target.prove(OLD)
    assert project_of(gitlab).variables[0].value == "x"
    target.write(NEW)
    (variable,) = project_of(gitlab).variables
    assert (variable.protected, variable.environment_scope, variable.masked) == (True, "production", True)


@pytest.mark.parametrize("action", ["cut-before", "cut-after"])
def test_a_lost_creation_makes_no_twin(gitlab: GitLabSandbox, action: Any) -> None:
    gitlab.inject(Fault(lambda request: request.method == "POST", action))
    target = variable_target(gitlab)
    if action == "cut-after":
        assert target.write(NEW) == "written"
        assert [one.value for one in project_of(gitlab).variables] == [NEW.reveal()]
    else:
        with pytest.raises(ConfiguratorError, match="not found"):
            target.write(NEW)


@pytest.mark.parametrize(
    ("project", "scope", "words", "cure"),
    [
        ("ops/other", "api", "Maintainer", "role Maintainer in ops/other"),
        ("ops/ci", "read_api", "scope api", "scope api"),
        ("ops/gone", "api", "no such project", ""),
    ],
)
def test_variables_that_can_not_be(gitlab: GitLabSandbox, project: str, scope: str, words: str, cure: str) -> None:
    with pytest.raises(ConfiguratorError, match=words) as raised:
        variable_target(gitlab, project, scope).prove(OLD)
    assert cure in raised.value.hint


def test_several_variables_of_one_name(gitlab: GitLabSandbox) -> None:
    project_of(gitlab).variables += [Variable("TOKEN", "x"), Variable("TOKEN", "y", environment_scope="a")]
    with pytest.raises(ConfiguratorError) as raised:
        variable_target(gitlab).prove(OLD)
    assert "leave one" in raised.value.hint


def test_a_token_that_gitlab_can_not_mask(gitlab: GitLabSandbox) -> None:
    with pytest.raises(ConfiguratorError, match="can't mask"):
        variable_target(gitlab).prove(Secret("a$b"))


# -- commands ----------------------------------------------------------------------------------------------------


def command(tmp_path: Path, *words: str, allowed: bool = True, timeout: float = 20.0) -> CommandTarget:
    redactor = Redactor([NEW])
    return CommandTarget(words, tmp_path, allowed, {"PATH": os.environ["PATH"]}, redactor, timeout)


def test_a_command_gets_the_token_on_standard_input(tmp_path: Path) -> None:
    target = command(tmp_path, "sh", "-c", "cat > got; pwd > where; echo $0 $@ > arguments")
    assert target.prove(OLD).endswith("/sh is there")
    assert list(tmp_path.iterdir()) == []
    assert target.write(NEW) == "took it"
    assert (tmp_path / "got").read_text() == NEW.reveal()
    assert (tmp_path / "where").read_text().strip() == str(tmp_path.resolve())
    assert NEW.reveal() not in (tmp_path / "arguments").read_text()


def test_a_command_that_takes_its_time_gets_the_token_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("configurator.tokens.rotating.sinks._GLANCE", 0.05)
    target = command(tmp_path, "sh", "-c", "cat > got; sleep 0.3; echo done")
    assert target.write(NEW) == "took it"
    assert (tmp_path / "got").read_text() == NEW.reveal()


def test_a_command_beside_the_spec(tmp_path: Path) -> None:
    (tmp_path / "keep.sh").write_text("#!/bin/sh\ncat > got\n")
    target = command(tmp_path, "./keep.sh")
    with pytest.raises(ConfiguratorError, match="not executable"):
        target.prove(OLD)
    (tmp_path / "keep.sh").chmod(0o700)
    target.prove(OLD)
    target.write(NEW)
    assert (tmp_path / "got").read_text() == NEW.reveal()


def test_a_command_that_fails_tells_its_last_line_without_the_token(tmp_path: Path) -> None:
    with pytest.raises(ConfiguratorError) as raised:
        command(tmp_path, "sh", "-c", "echo first; echo no: $(cat) >&2; exit 3").write(NEW)
    assert raised.value.message == "command sh: it failed with exit code 3: no: (secret)"


def test_a_command_that_says_nothing_and_does_not_read(tmp_path: Path) -> None:
    with pytest.raises(ConfiguratorError, match=r"exit code 1\Z"):
        command(tmp_path, "false").write(NEW)
    assert command(tmp_path, "true").write(NEW) == "took it"


def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    with pytest.raises(ConfiguratorError, match=r"did not end within 0\.3 s"):
        command(tmp_path, "sh", "-c", "sleep 60; true", timeout=0.3).write(NEW)


@pytest.mark.parametrize("words", [["no-such-program-7"], ["./no-such"]])
def test_a_command_that_is_not_there(tmp_path: Path, words: list[str]) -> None:
    with pytest.raises(ConfiguratorError, match="no such program"):
        command(tmp_path, *words).prove(OLD)


def test_a_command_that_can_not_be_started(tmp_path: Path) -> None:
    (tmp_path / "odd").write_text("not a program")
    (tmp_path / "odd").chmod(0o700)
    for words in (["./odd"], ["sh", "a\0b"]):
        with pytest.raises(ConfiguratorError, match="can't be run"):
            command(tmp_path, *words).write(NEW)


def test_commands_run_only_when_they_may(tmp_path: Path) -> None:
    for work in ("prove", "write"):
        with pytest.raises(ConfiguratorError) as raised:
            getattr(command(tmp_path, "touch", "ran", allowed=False), work)(NEW)
        assert "--allow-commands" in raised.value.hint
    assert list(tmp_path.iterdir()) == []


# -- the store ---------------------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    return TokenStore.open({"CONFIGURATOR_STORE": str(tmp_path / "store")})


def test_the_store_takes_it(store: TokenStore) -> None:
    target = StoredTarget("gitlab", URL, store)
    assert "takes it" in target.prove(OLD)
    assert store.entry("gitlab") is None
    target.write(OLD)
    store.put("gitlab", Entry("token", URL + "/", OLD, user="bot"))
    target.prove(OLD)
    entry = store.entry("gitlab")
    assert entry is not None
    assert (entry.token, entry.user) == (OLD, "bot")
    target.write(NEW)
    entry = store.entry("gitlab")
    assert entry is not None
    assert (entry.token, entry.user) == (NEW, "bot")


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (Entry("oauth", URL, OLD, OLD), "an OAuth access is kept there"),
        (Entry("token", "https://other.example.com", OLD), "a token for https://other"),
    ],
)
def test_what_else_is_kept_there_stays(store: TokenStore, entry: Entry, words: str) -> None:
    store.put("gitlab", entry)
    for work in ("prove", "write"):
        with pytest.raises(ConfiguratorError, match=words):
            getattr(StoredTarget("gitlab", URL, store), work)(NEW)
    assert store.entry("gitlab") == entry


# -- from the spec -----------------------------------------------------------------------------------------------


def test_targets_of_a_spec(tmp_path: Path, store: TokenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    around = Surroundings(tmp_path, URL, True, {}, Redactor(), lambda: store, lambda: None, lambda _: None)  # type: ignore[arg-type,return-value]

    def label(sink: Any) -> str:
        target: SinkTarget = around.target(sink)
        return target.label

    assert label(FileSink(file="a")) == f"file {tmp_path}/a"
    assert label(FileSink(file="~/a")) == f"file {tmp_path}/home/a"
    assert label(FileSink(file="~nobody-7/a")) == f"file {tmp_path}/~nobody-7/a"
    assert label(EnvFileSink(env_file="c:/env:KEY")) == f"env_file {tmp_path}/c:/env:KEY"
    variable = GitLabVariableSink(gitlab_variable=GitLabVariable(project="ops/ci", key="TOKEN"))
    assert label(variable) == "gitlab_variable ops/ci TOKEN"
    assert label(CommandSink(command=[sys.executable])) == f"command {sys.executable}"
    assert label(StoredSink(stored="x")) == "stored x"
