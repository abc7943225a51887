"""Two servers and a spec full of secrets that can be looked for everywhere: what printed them, kept them, sent them."""

from __future__ import annotations

import base64
import html
import json
import os
import secrets
import tempfile
import threading
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import pytest
import yaml

from configurator.cli.app import run as run_command
from configurator.sandbox.gitlab import Application, GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.jenkins.permissions import ADMINISTER, User
from configurator.sandbox.server import Request, Response
from configurator.secret import Secret
from configurator.tokens.keeping.store import Entry, Files, TokenStore
from tests.e2e.conftest import Ran
from tests.sandbox.gitlab.gitlab_browser import HeadlessBrowser
from tests.tokens.rotating.rotation_bench import in_days

KEPT_HERE = ("secrets/", "store/", "sinks/")
"""Where secrets are by the user's own choice."""
GIVES_TOKENS = ("/oauth/token", "/rotate", "/access_tokens")
SHORTEST = 12
PS = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' > \"$PS_FOLDER/ps-$$\""


def canary(kind: str) -> str:
    """A secret that is nowhere else."""
    return f"{secrets.token_hex(6)}-{kind}-{secrets.token_hex(6)}"


@cache
def spellings(value: str) -> frozenset[str]:
    """Every way in which a secret, a line of it, or a telling part of it may be written."""
    found = set()
    for text in {value, value.strip(), *(line.strip() for line in value.splitlines())}:
        if len(text) < SHORTEST or text.startswith("-----"):
            continue
        once = {text, *(encode(text) for encode in ENCODINGS)}
        found |= once | {encode(form) for form in once for encode in ENCODINGS}
        found |= {text[:8], text[-8:]}
        found |= set(in_base64(text))
    return frozenset(form for form in found if len(form) >= 8)


ENCODINGS: tuple[Callable[[str], str], ...] = (
    lambda text: quote(text, safe=""),
    quote_plus,
    escape,
    html.escape,
    lambda text: json.dumps(text)[1:-1],
    lambda text: repr(text)[1:-1],
)


def in_base64(text: str) -> Iterator[str]:
    """What of ``text`` is in any base64, whatever stands before and behind it there."""
    for before in range(3):
        plain = b"\0" * before + text.encode()
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(plain).decode()[(0, 2, 3)[before] : len(plain) // 3 * 4]


@dataclass
class CanaryWorld:
    """Both servers, a spec, and everything that a command may reach.

    Attributes:
        folder: holds the working folder, the home, temporary files, and nothing of anybody else.
        known: every secret so far, by name.
        sent: addresses of all requests, as servers and proxies log them.
    """

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    jenkins: JenkinsSandbox
    gitlab: GitLabSandbox
    known: dict[str, str] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
    spec: dict[str, Any] = field(default_factory=dict)
    app: Application = field(init=False)

    # -- making it ----------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Fill the servers, write the spec, and put the secrets where it finds them."""
        self.monkeypatch.setattr("configurator.sandbox.gitlab.world.make_token_value", lambda kind: self.new(kind))
        self._environment()
        self._watch(self.jenkins)
        self._watch(self.gitlab)
        self.jenkins.users.clear()
        self.jenkins.users["ops"] = User("ops", self.new("password"), self.new("apitoken"), frozenset({ADMINISTER}))
        self.gitlab.add_user("bot")
        self.gitlab.add_user("ann", password=self.new("login"))
        self.gitlab.add_group("shop", members={"ann": 50})
        for path in ("shop/payments", "ops/ci"):
            self.gitlab.add_project(path, members={"bot": 40, "ann": 40})
        self.app = self.gitlab.add_application("configurator", ["http://127.0.0.1/callback"])
        self.keep("gitlab", self.gitlab.add_token("bot", ["api"], name="ci", expires_at=in_days(5)).value)
        self.variable("SECOND", self.gitlab.add_token("ann", ["api"], name="second").value)
        self.variable("ADMIN", self.gitlab.add_token("ann", ["api"], name="admin").value)
        self.variable("JENKINS", self.jenkins.users["ops"].api_token)
        for name in ("WEBHOOK_SECRET", "DEPLOY", "TEXT", "PASSPHRASE", "PIPED"):
            self.variable(name, self.new(name.lower()))
        self.variable("AWKWARD", f"{self.new('q')}&<>\"'é/+ {self.new('w')}\n{self.new('z')}")
        key = "\n".join(base64.b64encode(secrets.token_bytes(36)).decode() for _ in range(4))
        self.keep("key", f"-----BEGIN OPENSSH PRIVATE KEY-----\n{key}\n-----END OPENSSH PRIVATE KEY-----\n")
        self.grant("access", ends=-60.0)
        self.grant("spare", ends=3600.0)
        for url in ("{}/project/gone", "{}/job/x/build?token=" + self.new("buildtoken"), "http://other.example.com/x"):
            user = f"http://hook:{self.new('userinfo')}@"
            self.gitlab.add_hook(
                "shop/payments", url.format(self.jenkins.url).replace("http://", user), token=self.new("h")
            )
        self.spec = self._spec()
        self.write()

    def new(self, kind: str) -> str:
        """A new secret, remembered."""
        value = canary(kind)
        self.known[f"{kind} {len(self.known)}"] = value
        return value

    def keep(self, name: str, value: str) -> None:
        """Put a secret into a file that the spec names."""
        self.known[name] = value
        (self.folder / "secrets" / name).write_text(value)

    def variable(self, name: str, value: str) -> None:
        """Put a secret into the environment."""
        self.known[name] = value
        self.monkeypatch.setenv(name, value)

    def grant(self, name: str, ends: float) -> None:
        """Keep an OAuth access that ends in so many seconds."""
        import time

        issued = self.gitlab.authorize(self.app, "ann")
        assert issued.refresh_token is not None
        self.known |= {f"access {name}": issued.token.value, f"refresh {name}": issued.refresh_token}
        token, refresh = Secret(issued.token.value), Secret(issued.refresh_token)
        entry = Entry("oauth", self.gitlab.url, token, refresh, time.time() + ends, self.app.uid, user="ann")
        TokenStore([Files(self.folder / "store")], self.folder / "store").put(name, entry)

    def write(self) -> None:
        """Put the spec on the disk."""
        self.path.write_text(yaml.safe_dump(self.spec, sort_keys=False))

    @property
    def path(self) -> Path:
        """The spec, where commands find it by default."""
        return self.folder / "work" / "configurator.yaml"

    def sinks(self, *more: dict[str, Any]) -> None:
        """Where the rotation writes to: every kind there is."""
        piped = {"command": ["sh", "-c", f'cat > "{self.folder}/sinks/piped"; {PS}']}
        kinds: list[dict[str, Any]] = [
            {"file": "../sinks/file"},
            {"env_file": "../sinks/env:GITLAB_TOKEN"},
            {"gitlab_variable": {"project": "ops/ci", "key": "GITLAB_TOKEN"}},
            {"stored": "copy"},
            piped,
        ]
        self.spec["gitlab"][0]["rotation"]["sinks"] = [*kinds, *more]
        self.write()

    def _environment(self) -> None:
        for name in ("work", "home", "tmp", "store", "secrets", "sinks", "ps"):
            (self.folder / name).mkdir()
        for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
            self.monkeypatch.setenv(name, str(self.folder / "home"))
        self.monkeypatch.setenv("CONFIGURATOR_STORE", str(self.folder / "store"))
        self.monkeypatch.setenv("PS_FOLDER", str(self.folder / "ps"))
        self.monkeypatch.setenv("TMPDIR", str(self.folder / "tmp"))
        self.monkeypatch.setattr(tempfile, "tempdir", str(self.folder / "tmp"))
        self.monkeypatch.chdir(self.folder / "work")

    def _spec(self) -> dict[str, Any]:
        def secret(kind: str, **references: Any) -> dict[str, Any]:
            return {"id": f"c-{kind}", "kind": kind, **references}

        return {
            "apiVersion": "configurator/v1",
            "name": "canaries",
            "jenkins": {"url": self.jenkins.url, "username": "ops", "api_token": {"env": "JENKINS"}},
            "gitlab": [
                {
                    "name": "main",
                    "url": self.gitlab.url,
                    "token": {"file": "../secrets/gitlab"},
                    "webhooks": {"secret": {"env": "WEBHOOK_SECRET"}},
                    "rotation": {"sinks": [], "admin_token": {"env": "ADMIN"}},
                },
                {
                    "name": "second",
                    "url": self.gitlab.url,
                    "token": {"stored": "access"},
                    "credential": {"id": "second-token", "token": {"env": "SECOND"}},
                    "webhooks": {"secret": {"env": "WEBHOOK_SECRET"}},
                },
            ],
            "credentials": [
                secret(
                    "ssh-key", username="git", private_key={"file": "../secrets/key"}, passphrase={"env": "PASSPHRASE"}
                ),
                secret("username-password", username="deployer", password={"env": "DEPLOY"}),
                secret("secret-text", secret={"env": "TEXT"}),
                {**secret("secret-text", secret={"env": "AWKWARD"}), "id": "awkward"},
                secret("gitlab-token", token={"command": ["printenv", "PIPED"]}),
            ],
            "applications": [
                {"name": "payments", "project": "shop/payments", "build_tool": "go", "gitlab": "main"},
                {"name": "ci", "project": "ops/ci", "build_tool": "go", "gitlab": "second"},
            ],
        }

    def _watch(self, server: JenkinsSandbox | GitLabSandbox) -> None:
        """Note every address that is asked for, and every token that is given away."""
        handle = server.handle

        def watching(request: Request) -> Response:
            self.sent.append(f"{request.path}?{request.raw_query} {request.headers.get('referer', '')}")
            answer = handle(request)
            if request.method == "POST" and request.path.endswith(GIVES_TOKENS):
                self._learn(request, answer)
            return answer

        server.handle = watching  # type: ignore[method-assign]

    def _learn(self, request: Request, answer: Response) -> None:
        given = json.loads(answer.body)
        form = request.form() if request.path.endswith("/oauth/token") else {}
        found = {**{name: form[name] for name in ("code", "code_verifier") if name in form}}
        found |= {name: given[name] for name in ("token", "access_token", "refresh_token") if given.get(name)}
        self.known |= {f"{name} {len(self.known)}": value for name, value in found.items()}

    # -- working in it ------------------------------------------------------------------------------------

    def run(self, arguments: Sequence[str], stdin: str = "") -> Ran:
        """Run a command inside this process."""
        self.capsys.readouterr()
        read, write = os.pipe()
        with os.fdopen(write, "w") as stream:
            stream.write(stdin)
        with os.fdopen(read) as stream:
            self.monkeypatch.setattr("sys.stdin", stream)
            code = run_command(arguments)
        printed = self.capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    @contextmanager
    def person(self) -> Iterator[None]:
        """Somebody whose browser opens pages, and who signs in and agrees there."""
        opened = self.folder / "ps" / "opened"
        script = self.folder / "home" / "browser"
        script.write_text(f'#!/bin/sh\n{PS}\nprintf "%s" "$1" > {opened}.part && mv {opened}.part {opened}\n')
        script.chmod(0o700)
        self.monkeypatch.setenv("BROWSER", f"{script} %s")
        self.monkeypatch.setattr(webbrowser, "_tryorder", None)
        self.monkeypatch.setattr(webbrowser, "_browsers", {})
        ended = threading.Event()
        clicking = threading.Thread(target=self._click, args=(opened, ended))
        clicking.start()
        try:
            yield
        finally:
            ended.set()
            clicking.join()

    def _click(self, opened: Path, ended: threading.Event) -> None:
        while not opened.exists():
            if ended.wait(0.02):
                return
        browser = HeadlessBrowser()
        browser.open(opened.read_text())
        browser.sign_in("ann", next(value for name, value in self.known.items() if name.startswith("login")))
        browser.open(str(browser.press("authorization-button").location))

    # -- looking for it -----------------------------------------------------------------------------------

    def found_in(self, text: str, but: Sequence[str] = ()) -> list[str]:
        """Names of the secrets that stand in ``text`` in any spelling, but those whose name begins so."""
        self.known |= {
            f"hook token {one.id}": one.token
            for project in self.gitlab.projects.values()
            for one in self.gitlab.hooks(project)
            if one.token
        }
        looked_for = [(name, value) for name, value in self.known.items() if not name.startswith(tuple(but))]
        return [name for name, value in looked_for if any(form in text for form in spellings(value))]

    def leaks(self) -> list[str]:
        """Every place but those chosen for it where a secret lies, with the secret's name."""
        found = []
        for path in sorted(self.folder.rglob("*")):
            place = str(path.relative_to(self.folder))
            if path.is_file() and not place.startswith(KEPT_HERE):
                but = ("userinfo", "buildtoken") if place.endswith(".jsonl") else ()
                found += [f"{place}: {name}" for name in self.found_in(path.read_text(errors="replace"), but)]
        found += [f"requests: {name}" for name in self.found_in("\n".join(self.sent))]
        return found + [f"Jenkins: {name}" for name in self.found_in(self.jenkins.disk())]


@contextmanager
def canary_world(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[CanaryWorld]:
    """A world for one test."""
    with ExitStack() as stack:
        world = CanaryWorld(
            folder, monkeypatch, capsys, stack.enter_context(JenkinsSandbox()), stack.enter_context(GitLabSandbox())
        )
        world.prepare()
        world.sinks()
        yield world
