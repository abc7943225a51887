"""Stored tokens in a spec: used by plan and apply, refused where they do not belong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from configurator.errors import InputError
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.secret import Secret
from configurator.tokens.keeping.store import Entry, Files, TokenStore
from tests.kinds.bench import Bench, hooked


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench(tmp_path / "configurator.yaml", JenkinsSandbox(), GitLabSandbox()) as made:
        made.environ["CONFIGURATOR_STORE"] = str(tmp_path / "store")
        made.entry["token"] = {"stored": "gitlab"}
        made.spec["jobs"] = [hooked("a")]
        yield made


def put(bench: Bench, entry: Entry, name: str = "gitlab") -> None:
    folder = Path(bench.environ["CONFIGURATOR_STORE"])
    TokenStore([Files(folder)], folder).put(name, entry)


def token(bench: Bench) -> Entry:
    return Entry("token", bench.gitlab.url, Secret(bench.environ["GITLAB"]))


def oauth(bench: Bench) -> Entry:
    app = bench.gitlab.add_application("configurator")
    issued = bench.gitlab.authorize(app, "bot")
    assert issued.refresh_token is not None
    return Entry(
        "oauth", bench.gitlab.url, Secret(issued.token.value), Secret(issued.refresh_token), 0.0, app.uid, None, "bot"
    )


def problems_of(bench: Bench) -> list[tuple[str, str, str]]:
    """Line, message and hint of each."""
    with pytest.raises(InputError) as caught:
        bench.open()
    return [(one.place.text.strip() if one.place else "", one.message, one.hint) for one in caught.value.problems]


def test_a_stored_token_is_used(bench: Bench) -> None:
    put(bench, token(bench))
    bench.settled()


def test_a_stored_oauth_token_is_renewed_and_used(bench: Bench) -> None:
    put(bench, oauth(bench))
    bench.entry["credential"] = {"token": {"env": "GITLAB"}}
    bench.settled()
    assert sum(one.path == "/oauth/token" for one in bench.gitlab.log) == 1


def test_a_run_outlives_its_oauth_token(bench: Bench) -> None:
    put(bench, oauth(bench))
    bench.entry["credential"] = {"token": {"env": "GITLAB"}}
    with bench.open() as run:
        for one in bench.gitlab.tokens:
            if one.kind == "oauth":
                one.lifetime = 0
        plan = run.plan()
        assert not any(one.failed for one in plan.unchecked)
        assert all(one.outcome.value == "done" for one in run.apply(plan).results)


def test_nothing_is_stored(bench: Bench) -> None:
    ((_, message, hint),) = problems_of(bench)
    assert message == "gitlab[0].token: nothing is stored under gitlab"
    assert hint == "run: configurator connect gitlab --name gitlab"


@pytest.mark.parametrize("given", [False, True])
def test_jenkins_needs_a_token_of_its_own(bench: Bench, given: bool) -> None:
    put(bench, oauth(bench))
    bench.entry["credential"] = {"id": "x", **({"token": {"stored": "gitlab"}} if given else {})}
    ((line, message, hint),) = problems_of(bench)
    assert message.startswith("gitlab[0].credential.token ")
    assert "PRIVATE-TOKEN" in message and "two hours" in message
    assert "credential: {token: {env:" in hint
    assert line == ("stored: gitlab" if given else "id: x")


def test_an_entry_of_others_may_use_oauth(bench: Bench) -> None:
    put(bench, oauth(bench))
    bench.entry["manage"] = False
    with bench.open() as run:
        assert run.secrets.is_oauth(run.loaded.spec.gitlab[0].token)


def test_further_credentials_are_no_oauth_tokens(bench: Bench) -> None:
    put(bench, oauth(bench))
    bench.entry["manage"] = False
    bench.spec["credentials"] = [
        {"id": "one", "kind": "gitlab-token", "token": {"stored": "gitlab"}},
        {"id": "two", "kind": "username-password", "username": "oauth2", "password": {"stored": "gitlab"}},
        {"id": "three", "kind": "secret-text", "secret": {"stored": "gitlab"}, "manage": False},
    ]
    found = problems_of(bench)
    assert [message.partition(":")[0] for _, message, _ in found] == ["credentials[0] (one)", "credentials[1] (two)"]


def test_a_stored_token_goes_to_its_own_gitlab_only(bench: Bench) -> None:
    put(bench, replace(token(bench), gitlab_url="https://gitlab.example.com"))
    ((_, message, hint),) = problems_of(bench)
    assert f"is for https://gitlab.example.com; it is not sent to {bench.gitlab.url}" in message
    assert f"connect gitlab {bench.gitlab.url} --name" in hint
    assert not bench.gitlab.log
    put(bench, replace(token(bench), gitlab_url=bench.gitlab.url.upper().replace("HTTP", "http") + "/"))
    bench.open().close()


def test_a_damaged_store_is_told_at_the_place(bench: Bench) -> None:
    put(bench, token(bench))
    Path(bench.environ["CONFIGURATOR_STORE"], "gitlab.json").write_text("{")
    ((line, message, _),) = problems_of(bench)
    assert line == "stored: gitlab" and "damaged" in message
