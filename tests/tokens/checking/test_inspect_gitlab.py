"""The way to a GitLab, told apart where it breaks; how many requests a look takes; what is seen in records alone."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from token_states import NOW, TODAY, day

from configurator.clients.gitlab import GitLabClient
from configurator.clients.gitlab.tokens import TokenOwner
from configurator.sandbox.gitlab import MAINTAINER, GitLabSandbox
from configurator.sandbox.server import Fault, Response
from configurator.secret import Secret
from configurator.tokens.checking.evidence import TokenEvidence
from configurator.tokens.checking.gitlab_pages import Pages
from configurator.tokens.checking.inspect_gitlab import inspect_gitlab, judge_facts
from configurator.tokens.checking.judge_instance import judge_reachable, judge_tls
from configurator.tokens.checks import Check, Verdict

URL = "https://gitlab.example.com"


@pytest.fixture
def gitlab() -> Iterator[GitLabSandbox]:
    with GitLabSandbox(clock=lambda: NOW) as server:
        server.add_user("ann")
        yield server


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1 "
        "-addext subjectAltName=IP:127.0.0.1 -out cert.pem -keyout key.pem"
    )
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"


class TlsGitLab(GitLabSandbox):
    def __init__(self, certificate: Path, key: Path) -> None:
        super().__init__(clock=lambda: NOW)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True)


def look(url: str, token: str = "glpat-00000000000000000000", *projects: str, **options: Any) -> list[Check]:
    client = GitLabClient("gitlab", url, Secret(token), **{"sleep": lambda _: None, "timeout": 2.0, **options})
    try:
        return inspect_gitlab(client, "gitlab:gitlab", projects, today=TODAY)
    finally:
        client.close()


def only(checks: list[Check]) -> tuple[str, str, str, str]:
    (check,) = checks
    return check.check, str(check.verdict), check.evidence, check.cure


def test_tls_trouble(certificate: tuple[Path, Path]) -> None:
    with TlsGitLab(*certificate) as server:
        server.add_user("ann")
        url = f"https://127.0.0.1:{server.port}"
        assert only(look(url)) == (
            "tls",
            "fail",
            f"{url}: its TLS certificate is not trusted: self-signed certificate",
            "name the authority's PEM file in `ca_file` (`ssl_verification: false` only for a test)",
        )
        other = f"https://localhost:{server.port}"
        check, _, evidence, cure = only(look(other, verify=str(certificate[0])))
        assert (check, cure) == (
            "tls",
            "use the host name that the certificate is made for, or have it made for this one, too",
        )
        assert evidence.startswith(f"{other}: its TLS certificate is not trusted: Hostname mismatch")
        found = look(url, server.add_token("ann").value, verify=str(certificate[0]))
        assert [one.evidence for one in found if one.check == "tls"] == ["its TLS certificate is trusted"]


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_verification_that_is_off_is_told(certificate: tuple[Path, Path]) -> None:
    with TlsGitLab(*certificate) as server:
        server.add_user("ann")
        found = look(f"https://127.0.0.1:{server.port}", server.add_token("ann").value, verify=False)
    (tls,) = [one for one in found if one.check == "tls"]
    assert (tls.verdict, tls.evidence) == (Verdict.WARN, "its TLS certificate is not verified")


def test_https_to_a_plain_port(gitlab: GitLabSandbox) -> None:
    url = f"https://127.0.0.1:{gitlab.port}"
    assert only(look(url)) == (
        "tls",
        "fail",
        f"{url}: it does not speak TLS here",
        "is it http instead of https, or another port?",
    )


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        assert only(look(url)) == (
            "reachable",
            "fail",
            f"{url}: connection refused",
            "is the server running, and is the port right?",
        )


def test_a_name_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror("no such host")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert only(look("http://gitlab.invalid")) == (
        "reachable",
        "fail",
        "http://gitlab.invalid: its host name can't be resolved",
        "check the URL and this machine's DNS",
    )


def test_no_answer_in_time(gitlab: GitLabSandbox) -> None:
    gitlab.inject(Fault(lambda _: True, "delay", seconds=0.3, times=9))
    assert only(look(gitlab.url, timeout=0.1)) == (
        "reachable",
        "fail",
        f"{gitlab.url}: no answer within 0.1 s",
        "try again, or raise `timeout` of this server in the spec",
    )


def test_few_requests_however_many_projects(gitlab: GitLabSandbox) -> None:
    paths = [f"shop/p{number:03}" for number in range(150)]
    for path in paths:
        gitlab.add_project(path).members[gitlab.users["ann"].id] = MAINTAINER
    checks = look(gitlab.url, gitlab.add_token("ann").value, *paths)
    assert checks[-1].evidence == "Maintainer or more in all 150 projects of the spec"
    assert len(gitlab.log) == 6, "the token, the version, the user, two pages of projects, a write that is none"


def test_few_requests_where_all_are_missing(gitlab: GitLabSandbox) -> None:
    paths = [f"shop/p{number:03}" for number in range(50)]
    checks = look(gitlab.url, gitlab.add_token("ann").value, *paths)
    assert checks[-1].evidence == (
        "no project of the spec can be seen: shop/p000, shop/p001, shop/p002, shop/p003, shop/p004, and 45 more"
    )
    assert len(gitlab.log) == 4 + 2 + 10


def test_a_move_that_nothing_is_known_of(gitlab: GitLabSandbox) -> None:
    headers = {"Location": f"{gitlab.url}/api/v4/projects/99/hooks"}
    gitlab.inject(Fault(lambda one: one.path.endswith("/hooks"), "answer", Response(301, "", headers), times=9))
    role = look(gitlab.url, gitlab.add_token("ann").value, "shop/old")[-1]
    assert (role.verdict, role.evidence) == (Verdict.WARN, "shop/old has moved")


def test_a_custom_role_counts_by_what_it_may_do(gitlab: GitLabSandbox) -> None:
    gitlab.add_project("shop/payments").members[gitlab.users["ann"].id] = 30
    json = {"Content-Type": "application/json"}
    gitlab.inject(Fault(lambda one: one.path.endswith("/hooks"), "answer", Response(200, "[]", json), times=9))
    role = look(gitlab.url, gitlab.add_token("ann").value, "shop/payments")[-1]
    assert (role.check, role.verdict) == ("role", Verdict.OK)


def test_a_look_at_one_project_that_fails(gitlab: GitLabSandbox) -> None:
    gitlab.inject(Fault(lambda one: one.path.endswith("/hooks"), "answer", Response(500, "{}"), times=9))
    role = look(gitlab.url, gitlab.add_token("ann").value, "shop/payments")[-1]
    assert (role.verdict, role.evidence) == (
        Verdict.UNKNOWN,
        "the role is not known in the project of the spec: shop/payments",
    )


def evidence(**more: Any) -> TokenEvidence:
    record = {"name": "ci", "scopes": ["api"], "active": True, "revoked": False, "expires_at": None}
    user = {"username": "ann"}
    return TokenEvidence("gitlab:gitlab", Pages(URL), TODAY, **{"record": record, "user": user, **more})


def of(check: str, **more: Any) -> Check:
    return next(one for one in judge_facts(evidence(**more)) if one.check == check)


@pytest.mark.parametrize(
    ("record", "check", "says"),
    [
        ({"revoked": True}, "token", "personal access token 'ci' of ann: revoked"),
        ({"active": False}, "token", "personal access token 'ci' of ann: not active"),
        ({"expires_at": day(-1).isoformat()}, "expiry", "expired 1 day ago, at 00:00 UTC of 2026-03-09"),
        ({"expires_at": day(0).isoformat()}, "expiry", "expired today, at 00:00 UTC of 2026-03-10"),
    ],
)
def test_records_of_dead_tokens(record: dict[str, Any], check: str, says: str) -> None:
    """GitLab does not show these to the token itself; a listing of tokens does."""
    found = of(check, record={"name": "ci", "scopes": ["api"], **record})
    assert (found.verdict, found.evidence) == (Verdict.FAIL, says)
    assert f"{URL}/-/user_settings/personal_access_tokens" in found.cure


def test_an_expired_record_is_told_once() -> None:
    record = {"name": "ci", "scopes": ["api"], "active": False, "expires_at": day(-1).isoformat()}
    assert of("token", record=record).verdict is Verdict.OK
    assert of("expiry", record=record).verdict is Verdict.FAIL


def test_an_oauth_token_that_tells_nothing_of_itself() -> None:
    found = of("expiry", record=None, unrecorded=400)
    assert found.evidence == "an OAuth token lives two hours; configurator renews it in time"
    assert of("scopes", record=None, oauth={"scope": ["api"]}).evidence == "api"
    assert of("scopes", record=None, oauth={"scope": "api read_user"}).evidence == "api read_user"


def test_pages_that_mend() -> None:
    pages = Pages(URL, (18, 5))
    assert pages.tokens_of(TokenOwner("group", 3), "shop/web") == f"{URL}/groups/shop/web/-/settings/access_tokens"
    assert pages.tokens_of(TokenOwner("project", 3), "shop/pay") == f"{URL}/shop/pay/-/settings/access_tokens"
    assert pages.tokens_of(TokenOwner("project", 3)) == f"Settings > Access tokens of project 3 ({URL}/projects/3)"
    assert pages.tokens_of(TokenOwner("group", 3)) == f"Settings > Access tokens of group 3 of {URL}"
    assert Pages(URL, (16, 11)).personal_tokens == f"{URL}/-/profile/personal_access_tokens"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://gitlab.com", "GitLab 18.5.0 answers at https://gitlab.com (GitLab.com)"),
        (
            "https://example.com/gitlab",
            "GitLab 18.5.0 answers at https://example.com/gitlab (self-managed, below the path /gitlab)",
        ),
    ],
)
def test_where_a_gitlab_is(url: str, says: str) -> None:
    assert judge_reachable("s", url, "18.5.0").evidence == says


@pytest.mark.parametrize(
    ("url", "verdict"), [("http://gitlab.example.com", "warn"), ("http://localhost:80", "ok"), ("https://x", "ok")]
)
def test_tls_in_words(url: str, verdict: str) -> None:
    assert judge_tls("s", url, verified=True).verdict == verdict
