"""No token in any output, log line, exception, process argument, address, or file but the chosen ones: every command.

A command that is not in the table fails a test: say there how to run it.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
import requests

from configurator.cli.app import group
from configurator.cli.lazy import LazyGroup
from configurator.sandbox.server import Request, Response
from tests.e2e.canary_world import CanaryWorld, canary_world
from tests.e2e.conftest import REAL, Ran
from tests.tokens.rotating.rotation_bench import in_days

pytestmark = pytest.mark.skipif(bool(REAL), reason="the embedded servers are made to echo and to give canaries")

Change = Callable[[CanaryWorld], None]


@dataclass(frozen=True)
class Case:
    """One command line.

    Attributes:
        command: the command and its options.
        codes: exit codes that it may end with where the servers are good.
        stdin: name of the secret that is piped in.
        prints: names of secrets that it is there to print.
        before: what is changed before.
        person: somebody sits at a browser.
    """

    command: str
    codes: tuple[int, ...] = (0,)
    stdin: str = ""
    prints: tuple[str, ...] = ()
    before: Change | None = None
    person: bool = False


def token_dies(world: CanaryWorld) -> None:
    """The token is about to end again."""
    for token in world.gitlab.tokens:
        if token.name == "ci":
            token.expires_at = in_days(5)  # type: ignore[assignment]


def sinks_that_tell(world: CanaryWorld) -> None:
    """Commands that fail, and say what they were given."""
    token_dies(world)
    scripts = (
        "cat; exit 1",
        "cat >&2; exit 1",
        "base64 -w0; exit 1",
        "ls /no/such/$(cat)",
        "sed 's/^/token=/' ; exit 9",
    )
    world.sinks(*({"command": ["bash", "-c", script]} for script in scripts))


def without_overlap(world: CanaryWorld) -> None:
    """The token is rotated in place."""
    token_dies(world)
    world.spec["gitlab"][0]["rotation"].pop("admin_token", None)
    world.sinks()


def with_a_project_token(world: CanaryWorld) -> None:
    """A project's token, replaced with overlap."""
    token = world.gitlab.add_resource_token(
        world.gitlab.projects["shop/payments"], "of-project", ["api"], expires_at=in_days(5)
    )
    world.spec["gitlab"][0]["rotation"] = {"sinks": [{"file": "../sinks/file"}], "admin_token": {"env": "ADMIN"}}
    world.write()
    world.keep("gitlab", token.value)


def password(world: CanaryWorld) -> None:
    """From now on Jenkins is asked with a password, which takes a crumb."""
    world.spec["jenkins"].pop("api_token", None)
    world.spec["jenkins"]["password"] = {"env": "JENKINS"}
    world.variable("JENKINS", world.jenkins.users["ops"].password)
    world.write()


def broken_hooks(world: CanaryWorld) -> None:
    """A webhook of ours that somebody changed."""
    hook = world.gitlab.hooks("ops/ci")[0]
    hook.token = world.new("by-hand")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


CASES = (
    Case("connect gitlab {gitlab} --name pasted --write-spec part.yaml", stdin="SECOND"),
    Case("connect gitlab {gitlab} --print-env", stdin="SECOND", prints=("SECOND", "personal")),
    Case("connect gitlab {gitlab} --name dead", (1,), stdin="TEXT"),
    Case("connect gitlab {gitlab} --name browser --oauth --client-id {client} --port {port}", person=True),
    Case("connect gitlab --revoke --yes --name pasted"),
    Case("connect gitlab --revoke --yes --name spare"),
    Case("schema"),
    Case("validate"),
    Case("validate -o json"),
    Case("plan --allow-commands --out plan.json"),
    Case("plan --allow-commands -o json"),
    Case("plan --allow-commands -o markdown"),
    Case("plan", (3,)),
    Case("apply plan.json --allow-commands --yes -o json"),
    Case("apply --allow-commands --yes"),
    Case("plan --allow-commands", before=password),
    *(Case(f"status --allow-commands {how}", (0, 1)) for how in ("", "-o json", "-o prometheus --out state.prom")),
    *(Case(f"token check --allow-commands {how}", (0, 1)) for how in ("", "-o json")),
    *(
        Case(f"webhooks list --allow-commands --all --everything --deep --out hooks.{how} -o {how}")
        for how in ("text", "json", "csv", "html")
    ),
    Case("webhooks list --allow-commands"),
    Case("webhooks test payments --allow-commands --deliver --wait 0", (0, 1)),
    Case("webhooks test --allow-commands -o json", (0, 1)),
    Case("webhooks repair --allow-commands --dry-run -o json", before=broken_hooks),
    Case("webhooks repair --allow-commands --yes"),
    Case("webhooks cleanup --allow-commands --dry-run -o json --max-percent 100"),
    Case("webhooks cleanup --allow-commands --yes --max-percent 100 --backup backup.jsonl"),
    Case("webhooks restore --allow-commands --dry-run -o json backup.jsonl"),
    Case("webhooks restore --allow-commands --yes backup.jsonl", (1,)),  # a hook that was not ours lost its token
    Case("token rotate --allow-commands --dry-run", before=without_overlap),
    Case("token rotate main --allow-commands --yes"),
    Case("token rotate main --allow-commands --yes -o json", (1,), before=sinks_that_tell),
    Case("token rotate main --allow-commands --resume", (1,)),
    Case("token rotate main --allow-commands --resume -o json", before=without_overlap),
    Case("apply --allow-commands --yes", before=with_a_project_token),
    Case("token rotate main --allow-commands --yes --force"),
    Case("demo"),
)
SHOWS_ITS_OWN = {"sandbox"}
"""Tells the secrets of the servers that it starts, which open nothing else."""
QUICK = tuple(case for case in CASES if case.command != "demo" and not case.person)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[CanaryWorld]:
    with canary_world(tmp_path, monkeypatch, capsys) as made:
        yield made


LOGS = {"text": ["-vv"], "json": ["-vv", "--log-format", "json"]}


def carry_out(world: CanaryWorld, case: Case, logs: str) -> Ran:
    """Run one of the table; nothing may be in what it says."""
    if case.before:
        case.before(world)
    command = case.command.format(gitlab=world.gitlab.url, client=world.app.uid, port=PORT)
    arguments = [*command.split(), *LOGS[logs]]
    if case.person:
        with world.person():
            ran = world.run(arguments)
    else:
        ran = world.run(arguments, world.known.get(case.stdin, ""))
    said = world.found_in(ran.out, case.prints) + world.found_in(ran.err)
    assert not said, (command, said, ran.out, ran.err)
    assert "Traceback" not in ran.out + ran.err, (command, ran.err)
    return ran


PORT = free_port()


@pytest.mark.parametrize("logs", LOGS)
def test_good_servers(world: CanaryWorld, logs: str) -> None:
    world.app.redirect_uris[:] = [f"http://127.0.0.1:{PORT}/callback"]
    for case in CASES if logs == "text" else [one for one in CASES if one.command != "demo"]:
        ran = carry_out(world, case, logs)
        assert ran.code in case.codes, (case.command, ran)
    assert not world.leaks()
    assert not list((world.folder / "home").rglob("rotation-*.json")), "everything was finished"
    assert len(list((world.folder / "ps").glob("ps-*"))) >= 4, "children were looked at while they ran"


def every_leaf(commands: click.Command, name: str = "") -> Iterator[str]:
    """Names of all commands of the program."""
    if not isinstance(commands, LazyGroup):
        yield name
        return
    for one in commands.list_commands(click.Context(commands)):
        found = commands.get_command(click.Context(commands), one)
        assert found is not None
        yield from every_leaf(found, f"{name} {one}".strip())


def test_every_command_is_in_the_table() -> None:
    missing = {
        name
        for name in every_leaf(group)
        if not any(case.command.startswith(f"{name} ") or case.command == name for case in CASES)
    }
    assert missing == SHOWS_ITS_OWN


# -- servers that echo --------------------------------------------------------------------------------------------


def everything(request: Request) -> str:
    """All that was sent, as a careless server puts it into its error."""
    return f"{request.raw_query} {dict(request.headers)} {request.body.decode(errors='replace')}"


def json_answer(status: int, document: Any) -> Response:
    return Response(status, json.dumps(document), {"Content-Type": "application/json"})


ECHOES: dict[str, tuple[str, Callable[[Request], Response]]] = {
    "writes, text": ("text", lambda request: Response(400, everything(request))),
    "writes, JSON": ("json", lambda request: json_answer(422, {"message": everything(request)})),
    "all, OAuth error": (
        "text",
        lambda request: json_answer(403, {"error": "insufficient_scope", "error_description": everything(request)}),
    ),
    "all, HTML": ("json", lambda request: Response(500, f"<html><title>{everything(request)}</title></html>")),
}


@pytest.mark.parametrize("echo", ECHOES)
def test_servers_that_echo(world: CanaryWorld, echo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    logs, answer = ECHOES[echo]
    assert world.run(["apply", "--allow-commands", "--yes"]).code == 0
    for server in (world.jenkins, world.gitlab):
        handle = server.handle

        def echoing(request: Request, handle: Callable[[Request], Response] = handle) -> Response:
            reads = request.method == "GET" or b"inventory" in request.body or request.path.startswith("/oauth/")
            return handle(request) if reads and echo.startswith("writes") else answer(request)

        monkeypatch.setattr(server, "handle", echoing)
    for case in QUICK:
        carry_out(world, case, logs)
    assert not world.leaks()


# -- bugs ---------------------------------------------------------------------------------------------------------


class BugError(Exception):
    """Something that nobody foresaw."""


@pytest.mark.parametrize(("at", "logs"), [("any request", "text"), ("a write", "json")])
def test_bugs_that_quote_what_they_were_working_on(
    world: CanaryWorld, at: str, logs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.run(["apply", "--allow-commands", "--yes"]).code == 0
    send = requests.Session.send
    hit: list[str] = []
    crashed = 0

    def broken(self: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        if at == "a write" and request.method == "GET":
            return send(self, request, **options)
        hit.append(str(request.method))
        raise BugError(f"{request.url} {request.headers} {request.body!r}")

    monkeypatch.setattr(requests.Session, "send", broken)
    for case in QUICK:
        hit.clear()
        ran = carry_out(world, case, logs)
        assert ran.code != 0 or not hit, case.command
        crashed += "BugError" in ran.err
    assert crashed > 10
    assert not world.leaks()
