from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

import configurator
from configurator.cli import sandbox
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.seed import apply_seed, gitlab_options, jenkins_options, parse_seed

SEED = "gitlab: {users: [bot], tokens: [{user: bot}], projects: [{path: shop/payments}]}\n"
ROOT = Path(configurator.__file__).parent.parent


def welcome(process: subprocess.Popen[str]) -> str:
    """What the sandbox prints when it is up; if it ends before, what it printed until then."""
    assert process.stdout is not None
    text = ""
    while "Ctrl-C ends both." not in text and (line := process.stdout.readline()):
        text += line
    return text


def test_it_runs_until_it_is_ended_and_keeps_its_state(tmp_path: Path) -> None:
    (tmp_path / "seed.yaml").write_text(SEED)
    arguments = ["--jenkins-port", "0", "--gitlab-port", "0", "--seed", "seed.yaml", "--state", "state"]
    tokens = []
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "configurator", "sandbox", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            exports = dict(re.findall(r"^export (\w+)=(\S+)$", welcome(process), re.MULTILINE))
            project = requests.get(
                exports["GITLAB_URL"] + "/api/v4/projects/shop%2Fpayments",
                headers={"PRIVATE-TOKEN": exports["GITLAB_TOKEN"]},
                timeout=10,
            )
            assert project.json()["path_with_namespace"] == "shop/payments"
            user = requests.get(
                exports["JENKINS_URL"] + "/me/api/json", auth=("admin", exports["JENKINS_API_TOKEN"]), timeout=10
            )
            assert user.json()["id"] == "admin"
            tokens.append(exports["GITLAB_TOKEN"])
        finally:
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=20)
        assert (process.returncode, err) == (0, "")
    assert tokens[0] == tokens[1]


@pytest.mark.parametrize("server", ["jenkins", "gitlab"])
def test_a_port_that_is_taken(command, server: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = {"jenkins": "0", "gitlab": "0", server: str(taken.getsockname()[1])}
        ended = command("sandbox", "--jenkins-port", ports["jenkins"], "--gitlab-port", ports["gitlab"])
    assert ended.code == 1
    assert f"{server} can't listen on port {ports[server]}" in ended.err
    assert f"--{server}-port" in ended.err


def test_a_state_that_is_damaged(command, tmp_path: Path) -> None:
    (tmp_path / "gitlab.json").write_text("{")
    ended = command("sandbox", "--jenkins-port", "0", "--gitlab-port", "0", "--state", str(tmp_path))
    assert ended.code == 1
    assert "gitlab can't use its state" in ended.err


def test_ctrl_c_ends_it(command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sandbox, "_serve", interrupted)
    assert command("sandbox").code == 0


def test_a_seed_with_mistakes_tells_all_of_them_with_their_places(command, tmp_path: Path) -> None:
    (tmp_path / "seed.yaml").write_text("gitlab: {projects: [{path: payments}]}\njenkins: {folder: x}\n")
    ended = command("sandbox", "--seed", str(tmp_path / "seed.yaml"))
    assert ended.code == 3
    assert "seed.yaml:1:22: gitlab.projects.0.path" in ended.err
    assert "seed.yaml:2:11: jenkins.folder: unknown key" in ended.err


def test_a_seed_that_jenkins_refuses(command, tmp_path: Path) -> None:
    (tmp_path / "seed.yaml").write_text("jenkins: {jobs: [{name: 'a?b'}]}\n")
    ended = command("sandbox", "--jenkins-port", "0", "--gitlab-port", "0", "--seed", str(tmp_path / "seed.yaml"))
    assert ended.code == 3
    assert "unsafe character" in ended.err


EVERYTHING = """
gitlab:
  users: [bot, {name: root, admin: true, password: let-me-in}]
  tokens:
    - {user: bot, name: ended, expires_at: 2020-01-31, value: glpat-ended}
    - {user: bot, name: small, scopes: [read_user], value: glpat-small}
    - {user: bot, value: glpat-of-bot}
    - {user: root, value: glpat-of-root, expires_at: never}
  oauth_applications:
    - {name: configurator, id: sandbox-app, redirect_uris: ["http://127.0.0.1:7171/callback"], scopes: [api]}
"""


def printed(seed: str) -> str:
    """What the sandbox prints at its start with such a seed."""
    begin = parse_seed(seed, "seed", Path())
    with JenkinsSandbox(**jenkins_options(begin)) as jenkins, GitLabSandbox(**gitlab_options(begin)) as gitlab:
        apply_seed(begin, jenkins, gitlab)
        return sandbox._welcome(jenkins, gitlab)


def test_it_prints_all_that_one_needs_to_sign_in() -> None:
    rows = [line.split() for line in printed(EVERYTHING).splitlines()]
    assert ["limited", "limited-password", "sandbox-limited-api-token"] in rows
    assert ["bot", "bot-password"] in rows
    assert ["root", "let-me-in", "administrator"] in rows
    assert ["small", "bot", "read_user"] in [row[:3] for row in rows]
    assert ["configurator", "sandbox-app", "api", "http://127.0.0.1:7171/callback"] in rows


def test_tokens_of_one_name_are_all_there_and_the_first_that_may_do_everything_is_for_the_shell() -> None:
    text = printed(EVERYTHING)
    assert re.search(r"token +bot +api +\S+ +glpat-of-bot\n", text)
    assert re.search(r"token +root +api +never +glpat-of-root\n", text)
    assert re.search(r"ended +bot +api +2020-01-31 +glpat-ended\n", text)
    assert "\nexport GITLAB_TOKEN=glpat-of-bot\n" in text


def test_a_gitlab_without_anything_has_no_empty_tables() -> None:
    text = printed("gitlab: {users: []}")
    assert "GITLAB_TOKEN" not in text
    assert "OAUTH APPLICATION" not in text
    assert text.count("PASSWORD") == 1
