"""``configurator connect gitlab`` as a person and as a pipeline call it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.server import Request, Response
from configurator.secret import Secret
from configurator.tokens.keeping.store import Entry, Files, TokenStore
from tests.cli.conftest import Command, Ended
from tests.sandbox.gitlab.gitlab_browser import HeadlessBrowser


@pytest.fixture
def gitlab() -> Iterator[GitLabSandbox]:
    with GitLabSandbox(context_path="/git") as server:
        server.add_user("ann", password="ann-password")
        yield server


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TokenStore:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONFIGURATOR_STORE", str(tmp_path / "store"))
    return TokenStore([Files(tmp_path / "store")], tmp_path / "store")


@pytest.fixture
def token(gitlab: GitLabSandbox) -> str:
    return str(gitlab.add_token("ann", ["api"]).value)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def connect(command: Command, monkeypatch: pytest.MonkeyPatch, store: TokenStore) -> Callable[..., Ended]:
    """Runs ``connect gitlab``: ``stdin`` is piped in, ``typed`` are the answers of a person at a terminal."""

    def call(
        *arguments: str, stdin: str = "", typed: tuple[str, ...] | None = None, group: tuple[str, ...] = ()
    ) -> Ended:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin) if typed is None else Terminal())
        monkeypatch.setattr("configurator.cli.console.Console.can_ask", staticmethod(lambda: typed is not None))
        answers = iter(typed or ())
        for prompt in ("visible_prompt_func", "hidden_prompt_func"):
            monkeypatch.setattr(f"click.termui.{prompt}", lambda text, answers=answers: next(answers))
        return command(*group, "connect", "gitlab", *arguments)

    return call


Connect = Callable[..., Ended]


def quiet_about(ended: Ended, *secrets: str) -> bool:
    return not any(secret in ended.out + ended.err for secret in secrets)


# -- a token ----------------------------------------------------------------------------------------------


def test_a_token_is_piped_in(connect: Connect, gitlab: GitLabSandbox, store: TokenStore, token: str) -> None:
    ended = connect(f"{gitlab.url}/shop/payments", stdin=f"{token}\n")
    assert ended.code == 0, ended.err
    assert f"GitLab {gitlab.url}\n" in ended.err, "the address that was worked out"
    assert "of ann: active" in ended.err
    assert ended.out == f"Kept as gitlab in {store.where}. In the spec: token: {{stored: gitlab}}\n"
    assert store.entry("gitlab") == Entry("token", gitlab.url, Secret(token), user="ann")
    assert quiet_about(ended, token)


def test_a_token_is_pasted(connect: Connect, gitlab: GitLabSandbox, store: TokenStore, token: str) -> None:
    ended = connect("--name", "second", typed=(gitlab.url, token))
    assert ended.code == 0, ended.err
    assert "scope api " in ended.err and "role Maintainer" in ended.err
    assert f"{gitlab.url}/-/user_settings/personal_access_tokens?name=configurator&scopes=api" in ended.err
    assert store.get("second") == Secret(token)
    assert quiet_about(ended, token)
    again = connect("--name", "second", "--token-stdin", typed=("",))
    assert again.code == 3 and "no token came in" in again.err


@pytest.mark.parametrize("options", [[], ["-q"], ["-vv"], ["--log-format", "json"]])
def test_a_token_that_does_not_do_is_not_kept(
    connect: Connect, gitlab: GitLabSandbox, store: TokenStore, options: list[str]
) -> None:
    token = gitlab.add_token("ann", ["read_api"]).value
    ended = connect(gitlab.url, stdin=token, group=tuple(options))
    assert ended.code == 1
    assert "was not kept: it has the scope" in ended.err
    assert "make another one at" in ended.err
    assert "json" in options or ended.err.count("make another one at") == 1, "told once"
    assert store.entry("gitlab") is None and ended.out == ""
    assert quiet_about(ended, token)
    if "json" in options:
        assert all(json.loads(line)["level"] for line in ended.err.splitlines())
    assert connect(gitlab.url, "--read-only", stdin=token).code == 0


def test_for_a_shell(connect: Connect, gitlab: GitLabSandbox, store: TokenStore, token: str, tmp_path: Path) -> None:
    ended = connect(gitlab.url, "--print-env", "--write-spec", "part.yaml", stdin=token)
    assert ended.code == 0
    assert ended.out == f"export GITLAB_TOKEN={token}\n"
    assert "stands in clear on standard output" in ended.err and token not in ended.err
    assert store.entry("gitlab") is None
    assert "token: {env: GITLAB_TOKEN}" in (tmp_path / "part.yaml").read_text()


def test_the_part_of_a_spec(connect: Connect, gitlab: GitLabSandbox, token: str, tmp_path: Path) -> None:
    ended = connect(gitlab.url, "--write-spec", "-", stdin=token)
    assert ended.code == 0
    assert ended.out.startswith("gitlab:\n") and "token: {stored: gitlab}" in ended.out
    assert "Kept as gitlab" in ended.err
    ended = connect(gitlab.url, "--write-spec", "part.yaml", stdin=token)
    assert "part of the spec is in part.yaml" in ended.err
    before = len(gitlab.log)
    ended = connect(gitlab.url, "--write-spec", "part.yaml", stdin=token)
    assert ended.code == 3 and "not overwritten" in ended.err and len(gitlab.log) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "where is GitLab?"),
        (["x.example.com", "--revoke"], "--revoke goes with"),
        (["--revoke", "--print-env"], "--revoke goes with"),
        (["x.example.com", "--oauth", "--token-stdin"], "choose one"),
        (["x.example.com", "--oauth", "--print-env"], "ends after two hours"),
        (["x.example.com", "--print-env", "--write-spec", "-"], "name a file"),
        (["x.example.com", "--name", "../x"], "not a name to keep a token under"),
        (["x.example.com", "--port", "0"], "--port"),
        (["glpat-abcdefghijklmnopqrst"], "that is a token"),
        (["ftp://x.example.com"], "is no address of a GitLab"),
    ],
)
def test_bad_input(connect: Connect, arguments: list[str], message: str) -> None:
    ended = connect(*arguments)
    assert ended.code == 3 and message in ended.err
    assert "glpat-abc" not in ended.err


def test_another_gitlab_under_the_same_name(connect: Connect, gitlab: GitLabSandbox, store: TokenStore) -> None:
    store.put("gitlab", Entry("token", "https://gitlab.example.com", Secret("glpat-abc")))
    ended = connect(gitlab.url, stdin="x")
    assert ended.code == 4 and "a token for https://gitlab.example.com is kept already" in ended.err


def test_the_address_is_known_the_second_time(
    connect: Connect, gitlab: GitLabSandbox, store: TokenStore, token: str
) -> None:
    store.put("gitlab", Entry("token", gitlab.url, Secret("glpat-old")))
    assert connect(stdin=token).code == 0
    assert store.get("gitlab") == Secret(token)
    store.put("gitlab", Entry("token", gitlab.url, Secret("glpat-old")))
    assert connect(typed=("", token)).code == 0
    assert store.get("gitlab") == Secret(token)


def test_standard_input_that_is_closed(
    connect: Connect, command: Command, gitlab: GitLabSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    ended = command("connect", "gitlab", gitlab.url)
    assert ended.code == 3 and "no token came in" in ended.err


# -- OAuth ------------------------------------------------------------------------------------------------


def free_port() -> int:
    from configurator.tokens.connecting.loopback import Loopback

    with Loopback(0) as loopback:
        return int(loopback.redirect_uri.split(":")[2].split("/")[0])


def approve(url: str) -> bool:
    """What opens in place of the browser: a person who signs in and agrees, a moment later."""

    def go() -> None:
        browser = HeadlessBrowser()
        browser.open(url)
        browser.sign_in()
        browser.open(str(browser.press("authorization-button").location))

    threading.Thread(target=go).start()
    return True


def test_signing_in(
    connect: Connect, gitlab: GitLabSandbox, store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    app = gitlab.add_application("configurator", [f"http://127.0.0.1:{port}/callback"])
    monkeypatch.setattr("configurator.tokens.connecting.browser.open_page", approve)
    ended = connect(gitlab.url, "--oauth", "--client-id", app.uid, "--port", str(port), "--write-spec", "-")
    assert ended.code == 0, ended.err
    entry = store.entry("gitlab")
    assert entry is not None and entry.refresh_token is not None
    assert (entry.kind, entry.user, entry.client_id) == ("oauth", "ann", app.uid)
    assert "Your browser opens this page" in ended.err and "PRIVATE-TOKEN" in ended.err
    assert "token: {env: JENKINS_GITLAB_TOKEN}" in ended.out
    assert quiet_about(ended, entry.token.reveal(), entry.refresh_token.reveal())
    again = connect("--oauth", "--port", str(port), group=("-vv",))
    assert again.code == 0, "address and application are known, and the port is free at once"
    assert "was taken back" in again.err
    renewed = store.entry("gitlab")
    assert renewed is not None and quiet_about(again, renewed.token.reveal())
    assert "code=" not in again.err.replace("response_type=code", "")


def test_signing_in_from_afar(
    connect: Connect, gitlab: GitLabSandbox, monkeypatch: pytest.MonkeyPatch, store: TokenStore
) -> None:
    port = free_port()
    app = gitlab.add_application("configurator", [f"http://127.0.0.1:{port}/callback"])
    from configurator.cli.connect import obtain

    shown: list[str] = []
    say = obtain.say

    def watch(console: object, message: str, more: str = "") -> None:
        say(console, message, more)  # type: ignore[arg-type]
        if "Open this page" in message:
            shown.append(more)
            approve(more.split()[0])

    monkeypatch.setattr(obtain, "say", watch)
    ended = connect(gitlab.url, "--client-id", app.uid, "--port", str(port), "--no-browser", "-q")
    assert ended.code == 0, ended.err
    assert f"ssh -L {port}:127.0.0.1:{port}" in ended.err and "--device" in ended.err
    assert f"the redirect URI http://127.0.0.1:{port}/callback\n" in ended.err


def test_by_a_code(connect: Connect, gitlab: GitLabSandbox, monkeypatch: pytest.MonkeyPatch, store: TokenStore) -> None:
    app = gitlab.add_application("configurator")
    gitlab.settings.device_interval = 1
    from configurator.cli.connect import obtain

    show = obtain._show_code

    def agree(console: object, device: object) -> None:
        show(console, device)  # type: ignore[arg-type]
        gitlab.answer_device(device.user_code, "ann")  # type: ignore[attr-defined]

    monkeypatch.setattr(obtain, "_show_code", agree)
    ended = connect(gitlab.url, "--device", "--client-id", app.uid)
    assert ended.code == 0, ended.err
    assert f"{gitlab.url}/oauth/device?user_code=" in ended.err
    assert "nothing to renew it with" in ended.err
    assert store.is_oauth("gitlab")


def test_how_to_register_the_application(connect: Connect, gitlab: GitLabSandbox) -> None:
    ended = connect(gitlab.url, "--oauth")
    assert ended.code == 3
    for part in ("http://127.0.0.1:7171/callback", "Confidential", "Scopes", "/-/user_settings/applications"):
        assert part in ended.err
    ended = connect(gitlab.url, "--oauth", "--device", typed=("wrong-id",))
    assert ended.code == 1 and "check --client-id" in ended.err


# -- giving back ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "typed", "revoked"),
    [((), None, False), (("--yes",), None, True), ((), ("n",), False), ((), ("y",), True)],
)
def test_giving_a_token_back(
    connect: Connect,
    gitlab: GitLabSandbox,
    store: TokenStore,
    arguments: tuple[str, ...],
    typed: tuple[str, ...] | None,
    revoked: bool,
) -> None:
    token = gitlab.add_token("ann", ["api"])
    store.put("gitlab", Entry("token", gitlab.url, Secret(token.value)))
    ended = connect("--revoke", *arguments, typed=typed)
    assert ended.code == 0, ended.err
    assert store.entry("gitlab") is None and token.revoked is revoked
    assert ("still good" in ended.out) is not revoked
    ended = connect("--revoke")
    assert ended.code == 1 and "nothing is kept under gitlab" in ended.err


# -- the program ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["connect", "-h"], ["connect", "gitlab", "-h"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom configurator.cli.app import run\nrun(sys.argv[1:])\n"
        "print('MODULES', *{name.partition('.')[0] for name in sys.modules})"
    )
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environ, capture_output=True, text=True, check=True
    )
    modules = set(done.stdout.rpartition("MODULES ")[2].split())
    assert not modules & {"pydantic", "lxml", "requests", "gitlab", "yaml", "keyring", "urllib3"}


def test_a_gitlab_that_went_away_meanwhile(
    connect: Connect, gitlab: GitLabSandbox, token: str, store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("configurator.tokens.connecting.address.find_root", lambda pasted, verify: "http://127.0.0.1:9")
    ended = connect(gitlab.url, stdin=token)
    assert ended.code == 1 and "connection refused" in ended.err
    assert store.entry("gitlab") is None


def test_what_is_piped_in_is_no_text(
    command: Command, gitlab: GitLabSandbox, store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), encoding="utf-8"))
    ended = command("connect", "gitlab", gitlab.url)
    assert ended.code == 3
    assert "what came in is no token" in ended.err


@pytest.mark.parametrize("revoke", [True, False])
def test_a_gitlab_that_echoes_what_is_taken_back(
    connect: Connect, gitlab: GitLabSandbox, store: TokenStore, token: str, revoke: bool
) -> None:
    entry = Entry("oauth", gitlab.url, Secret("canary-access-1"), Secret("canary-refresh-2"), None, "app")
    store.put("gitlab", entry)
    handle = gitlab.handle

    def echoing(request: Request) -> Response:
        if request.path.endswith("/oauth/revoke"):
            text = json.dumps({"error": "odd", "error_description": request.body.decode()})
            return Response(400, text, {"Content-Type": "application/json"})
        return handle(request)

    gitlab.handle = echoing  # type: ignore[method-assign]
    ended = connect("--revoke", "--yes") if revoke else connect(gitlab.url, stdin=token)
    assert "odd" in ended.err or "/oauth/revoke" in ended.err
    assert quiet_about(ended, "canary-access-1", "canary-refresh-2")
