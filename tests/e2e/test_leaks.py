"""No secret leaves by any door: servers that echo what they got, bugs that quote it, plan files, logs of every kind."""

from __future__ import annotations

import base64
import html
import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import pytest

from configurator.kinds.job import JobKind
from configurator.sandbox.server import Request, Response
from tests.e2e.conftest import REAL, Ran, Site
from tests.e2e.faults import Clock, Watched, small_spec

pytestmark = pytest.mark.skipif(bool(REAL), reason="the embedded servers are made to echo")

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5v\nkurz17\n-----END OPENSSH PRIVATE KEY-----\n"
CANARIES = {
    "SSH_KEY": KEY,
    "NASTY": "nasty&<>\"'é/+ x\nzweite-zeile",
    "TEXT": "canary-text-5520",
    "DEPLOY_PASSWORD": "canary-password-4406",
    "PASSPHRASE": "canary pass phrase 77",
}
MARKERS = ("nasty&", "zweite-zeile", "kurz17", "b3BlbnNzaC1rZXktdjEAAAAABG5v")


def spellings(value: str) -> Iterator[str]:
    for text in (value, value.strip(), value.replace("\n", " "), value.replace("\n", " | ")):
        yield from (text, quote(text, safe=""), quote_plus(text), escape(text), html.escape(text), repr(text)[1:-1])
        yield from (json.dumps(text)[1:-1], json.dumps(escape(text))[1:-1], html.escape(escape(text)))
    yield base64.b64encode(value.encode()).decode()


def assert_nothing_leaked(text: str, secrets: dict[str, str]) -> None:
    assert not [name for name, value in secrets.items() for form in spellings(value) if form in text], text
    assert not [marker for marker in MARKERS if marker in text], text


@pytest.fixture
def secrets_of(site: Site, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    assert site.embedded is not None
    clock = Clock()
    clock.install(monkeypatch)
    small_spec(site)
    site.environ |= CANARIES
    site.spec["credentials"] += [
        {
            "id": "ssh",
            "kind": "ssh-key",
            "username": "git",
            "private_key": {"env": "SSH_KEY"},
            "passphrase": {"env": "PASSPHRASE"},
        },
        {"id": "nasty", "kind": "secret-text", "secret": {"env": "NASTY"}},
        {"id": "text", "kind": "secret-text", "secret": {"env": "TEXT"}},
    ]
    site.write()
    watched = Watched(site, *site.embedded, clock)
    derived = {f"derived {number}": value for number, value in enumerate(watched.secrets())}
    return {**CANARIES, **derived, "GITLAB_TOKEN": site.environ["GITLAB_TOKEN"]}


def every_output(site: Site, tmp_path: Path) -> Iterator[Ran]:
    for options in ((), ("-o", "json"), ("-o", "markdown"), ("--out", str(tmp_path / "plan.json"))):
        yield site.run("plan", "-vv", *options)
    yield site.run("plan", "-vv", "--log-format", "json")
    yield site.run("apply", "-vv", "--yes")
    yield site.run("apply", "-vv", "--yes", "--log-format", "json", "-o", "json")


def echo_text(request: Request) -> str:
    return f"{request.headers}\n{request.raw_query}\n" + request.body.decode()


ECHOES: dict[str, Callable[[Request], Response]] = {
    "text 400": lambda request: Response(400, echo_text(request)),
    "body 422": lambda request: Response(422, request.body),
    "json 422": lambda request: Response(422, json.dumps({"message": request.body.decode()})),
    "json fields": lambda request: Response(400, json.dumps({"message": {"token": [request.body.decode()]}})),
    "scope": lambda request: Response(
        403, json.dumps({"error": "insufficient_scope", "scope": request.headers.get("private-token", "")})
    ),
    "html title": lambda request: Response(500, f"<html><title>{html.escape(request.body.decode())}</title></html>"),
    "html error": lambda request: Response(500, f"<html><title>x</title><pre>{request.body.decode()}</pre></html>"),
    "X-Error": lambda request: Response(400, "", {"X-Error": quote(request.body.decode(), safe="<>=/{}")}),
    "X-Required-Permission": lambda request: Response(
        403, "", {"X-Required-Permission": request.headers.get("authorization", "")}
    ),
    "permission": lambda request: Response(
        403, f"x is missing the Job/{request.headers.get('private-token', '')} permission"
    ),
    "Location": lambda request: Response(
        302,
        "",
        {"Location": f"https://x:{quote(request.headers.get('private-token', 'p'))}@elsewhere/{quote(request.body)}"},
    ),
}


@pytest.mark.parametrize("echo", ECHOES)
def test_a_server_that_echoes_what_it_was_sent(
    site: Site, secrets_of: dict[str, str], tmp_path: Path, echo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert site.embedded is not None
    for server in site.embedded:
        handle = server.handle

        def echoing(request: Request, handle: Callable[[Request], Response] = handle) -> Response:
            reads = request.method == "GET" or b"inventory" in request.body or b"compare" in request.body
            return handle(request) if reads else ECHOES[echo](request)

        monkeypatch.setattr(server, "handle", echoing)
    for ran in (site.run("apply", "-vv", "--yes"), site.run("apply", "-vv", "--yes", "-o", "json")):
        assert ran.code == 1
        assert_nothing_leaked(ran.out + ran.err, secrets_of)


@pytest.mark.parametrize("echo", ["text 400", "json 422", "scope", "X-Required-Permission", "Location"])
def test_a_server_that_echoes_reads(
    site: Site, secrets_of: dict[str, str], echo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert site.embedded is not None
    for server in site.embedded:
        monkeypatch.setattr(server, "handle", ECHOES[echo])
        ran = site.run("plan", "-vv")
        assert ran.code in (0, 1)
        assert_nothing_leaked(ran.out + ran.err, secrets_of)


def test_every_output_of_every_command(site: Site, secrets_of: dict[str, str], tmp_path: Path) -> None:
    for ran in every_output(site, tmp_path):
        assert ran.code in (0, 1), ran.err
        assert_nothing_leaked(ran.out + ran.err, secrets_of)
    plan = tmp_path / "plan.json"
    assert stat.S_IMODE(plan.stat().st_mode) == 0o600
    assert_nothing_leaked(plan.read_text(), secrets_of)


@pytest.mark.parametrize("method", ["create", "prepare", "finish", "differences", "observe"])
def test_a_bug_that_quotes_secrets(
    site: Site, secrets_of: dict[str, str], method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {name: value for name, value in secrets_of.items() if name in site.environ}

    def broken(*_: object) -> None:
        raise ValueError("; ".join(known.values()), list(known.values()))

    site.apply() if method == "differences" else None
    monkeypatch.setattr(JobKind, method, broken)
    for options in (("-o", "json"), ("--log-format", "json"), ()):
        ran = site.run("apply", "-vv", "--yes", *options)
        assert ran.code == 1, (ran.out, ran.err)
        assert_nothing_leaked(ran.out + ran.err, known)
        if method in ("create", "prepare", "finish"):
            assert "ValueError" in ran.out
            break  # what was made is there now
