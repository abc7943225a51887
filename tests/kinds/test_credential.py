"""Credentials of every kind, in every store: created, quiet, changed, adopted, never blanked, never shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from configurator.errors import InputError
from configurator.kinds.credential import CredentialKind, credential_xml
from configurator.marks import fingerprint
from configurator.sandbox.server import Fault, Response
from configurator.secret import Secret
from tests.kinds.bench import ALL_CREDENTIALS, KEY, LIMITED, Bench, conflicts, only, paths, prunable, steps

PEM = "-----BEGIN OPENSSH PRIVATE KEY-----\r\nb3BlbnNzaC1rZXk=\r\n-----END OPENSSH PRIVATE KEY-----\r\n"
KINDS: dict[str, dict[str, Any]] = {
    "ssh-key": {"username": "git", "private_key": {"env": "VALUE"}},
    "username-password": {"username": "ann", "password": {"env": "VALUE"}},
    "secret-text": {"secret": {"env": "VALUE"}},
    "gitlab-token": {"token": {"env": "VALUE"}},
}
SECRETS = {
    "ssh-key": "privateKey",
    "username-password": "password",
    "secret-text": "secret",
    "gitlab-token": "apiToken",
}
KIND = pytest.mark.parametrize("kind", list(KINDS))
PLACES: dict[str, dict[str, str]] = {
    "global": {},
    "domain": {"domain": "git.example.com"},
    "folder": {"folder": "payments"},
    "domain of a folder": {"folder": "payments", "domain": "d"},
}
USERS = pytest.mark.parametrize("user", ["admin", "limited"])


def wants(bench: Bench, kind: str = "secret-text", value: str = "first value", **more: Any) -> dict[str, Any]:
    bench.environ["VALUE"] = PEM if kind == "ssh-key" and value == "first value" else value
    bench.spec["folders"] = [{"name": "payments"}]
    one = {"id": "the-id", "kind": kind, "description": "Ours", **KINDS[kind], **more}
    bench.spec["credentials"] = [one]
    return one


def as_user(bench: Bench, user: str) -> None:
    if user == "limited":
        bench.act_as("keeper", *LIMITED, *ALL_CREDENTIALS)


@USERS
@pytest.mark.parametrize(
    ("kind", "place"),
    [*((kind, "global") for kind in KINDS), *(("ssh-key", place) for place in PLACES if place != "global")],
)
def test_made_quiet_and_pruned_wherever_it_belongs(quiet: Bench, kind: str, place: str, user: str) -> None:
    where = PLACES[place]
    wants(quiet, kind, **where)
    as_user(quiet, user)
    name = "payments/the-id" if "folder" in where else "the-id"
    assert ("create", f"credential {name}") in steps(quiet.plan())
    quiet.settled()
    assert quiet.jenkins.secret("the-id", where.get("folder")).strip() == quiet.environ["VALUE"].strip()
    assert quiet.environ["VALUE"] not in quiet.jenkins.disk()
    quiet.spec["credentials"] = []
    if user == "admin":
        assert prunable(quiet.plan()) == [f"credential {name}"]
        quiet.done(prune=True)
        assert "the-id" not in quiet.jenkins.disk()


@USERS
@KIND
def test_a_changed_secret_is_one_update_that_shows_no_secret(quiet: Bench, kind: str, user: str) -> None:
    wants(quiet, kind)
    as_user(quiet, user)
    quiet.done()
    quiet.environ["VALUE"] = "second value"
    plan = quiet.plan()
    change = only(plan)
    assert set(paths(change)) == {"description", SECRETS[kind]}
    [field] = [one for one in change.fields if one.secret]
    assert str(field.before).startswith("(secret) ") and str(field.after).startswith("(secret) ")
    assert "second value" not in repr(plan)
    quiet.settled()
    assert quiet.jenkins.secret("the-id") == "second value"


@USERS
def test_a_changed_description_does_not_blank_the_secret(quiet: Bench, user: str) -> None:
    wants(quiet)
    as_user(quiet, user)
    quiet.done()
    wants(quiet, description="Another")
    assert paths(only(quiet.plan())) == ["description"]
    quiet.settled()
    assert quiet.jenkins.secret("the-id") == "first value"


def test_a_changed_user_name_and_a_secret_changed_by_hand_are_seen(quiet: Bench) -> None:
    one = wants(quiet, "username-password")
    quiet.done()
    one["username"] = "ben"
    assert paths(only(quiet.plan())) == ["username"]
    quiet.settled()
    with quiet.open() as run:
        run.plan()
        resource = next(iter(one for one in run.world.desired.values() if one.key.kind == "credential"))
        observed = CredentialKind().observe([resource], run.world).wanted[resource.key]
        by_hand = credential_xml(replace(observed.body, secrets={"password": Secret("by hand")}))
        run.world.jenkins.write_credential(None, None, "the-id", by_hand)
    assert paths(only(quiet.plan())) == ["password"]
    quiet.settled()
    assert quiet.jenkins.secret("the-id") == "first value"


def test_a_changed_passphrase_is_told_by_the_mark(quiet: Bench) -> None:
    one = wants(quiet, "ssh-key")
    one["passphrase"] = {"env": "PASS"}
    quiet.environ["PASS"] = "first"
    quiet.settled()
    quiet.environ["PASS"] = "second"
    assert paths(only(quiet.plan())) == ["description"]
    quiet.settled()


def test_another_kind_under_the_same_id_is_an_update_of_its_class(quiet: Bench) -> None:
    wants(quiet, "secret-text")
    quiet.done()
    wants(quiet, "gitlab-token")
    assert "class" in paths(only(quiet.plan()))
    quiet.settled()


@USERS
def test_made_by_hand_is_a_conflict_until_it_is_adopted(quiet: Bench, user: str) -> None:
    one = wants(quiet)
    xml = (
        "<org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl><scope>GLOBAL</scope><id>the-id</id>"
        "<description>by Ann</description><secret>hers</secret>"
        "</org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl>"
    )
    with quiet.open() as run:
        run.world.jenkins.create_credential(None, None, xml)
    as_user(quiet, user)
    assert conflicts(quiet.plan()) == {"credential the-id": "it exists and does not carry our mark"}
    quiet.apply()
    assert quiet.jenkins.secret("the-id") == "hers"
    one["adopt"] = True
    quiet.settled()
    assert quiet.jenkins.secret("the-id") == "first value"


def test_the_same_id_in_two_domains_means_the_one_that_is_wanted(quiet: Bench) -> None:
    wants(quiet, domain="d")
    quiet.done()
    with quiet.open() as run:
        xml = quiet.jenkins.disk()
        assert "the-id" in xml
        run.world.jenkins.create_credential(
            None,
            None,
            "<org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl><id>the-id</id><description/>"
            "<secret>other</secret></org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl>",
        )
    assert not quiet.plan().changes


def test_a_credential_stays_in_its_domain_when_the_spec_names_another(quiet: Bench) -> None:
    wants(quiet, domain="one")
    quiet.done()
    wants(quiet, value="second value", domain="two")
    quiet.settled()
    assert quiet.jenkins.secret("the-id") == "second value"


def test_the_connections_credential_and_its_mark(bench: Bench) -> None:
    bench.settled()
    assert bench.jenkins.secret("gitlab-access-token") == bench.environ["GITLAB"]
    key = fingerprint(Secret(KEY), Secret(bench.environ["GITLAB"]))
    assert f"Managed by configurator (platform) key={key}" in bench.jenkins.disk()


def test_a_token_of_its_own_for_jenkins(bench: Bench) -> None:
    bench.entry["credential"] = {"token": {"env": "OWN"}}
    bench.environ["OWN"] = "glpat-own-own-own-own-own0"
    bench.settled()
    assert bench.jenkins.secret("gitlab-access-token") == "glpat-own-own-own-own-own0"


def test_a_token_that_gitlab_refuses_is_not_handed_to_jenkins(bench: Bench) -> None:
    bench.environ["GITLAB"] = "glpat-refused-refused-0000"
    plan = bench.plan()
    assert [(one.kind, one.failed) for one in plan.unchecked] == [("credential", True), ("connection", True)]
    bench.apply()
    assert "gitlab-access-token" not in bench.jenkins.controller.dump()["credentials"]


def test_without_rights_they_are_unchecked(bench: Bench) -> None:
    wants(bench, folder="payments")
    bench.act_as("limited", *LIMITED)
    assert {(one.kind, one.name, one.reason) for one in bench.plan().unchecked} >= {
        ("credential", "gitlab-access-token", "needs Credentials/View"),
        ("credential", "payments/the-id", "needs Credentials/View"),
    }


def test_not_managed_is_verified_and_needs_no_secret(quiet: Bench) -> None:
    wants(quiet, manage=False)
    del quiet.environ["VALUE"]
    assert "manage: false" in conflicts(quiet.plan())["credential the-id"]


def test_without_a_webhook_secret_there_is_no_fingerprint_and_what_can_not_be_told_is_said(quiet: Bench) -> None:
    del quiet.entry["webhooks"]
    wants(quiet)
    quiet.done()
    assert "key=" not in quiet.jenkins.disk()
    as_user(quiet, "limited")
    quiet.environ["VALUE"] = "second value"
    plan = quiet.plan()
    assert not plan.changes
    assert ["can't be told" in one for one in plan.warnings] == [True]


def test_the_secret_that_fingerprints_are_keyed_with_is_asked_for_at_once(quiet: Bench) -> None:
    """Before any server is asked, and together with every other secret that is missing."""
    wants(quiet)
    del quiet.environ["KEY"], quiet.environ["VALUE"]
    with pytest.raises(InputError) as caught:
        quiet.open()
    assert len(caught.value.problems) == 2


def test_a_write_that_is_refused_is_skipped_with_the_right_it_takes(quiet: Bench) -> None:
    wants(quiet)
    quiet.act_as("keeper", *LIMITED, *(one for one in ALL_CREDENTIALS if one.endswith("View")))
    applied = quiet.apply()
    assert [(one.key.name) for one in quiet.plan().changes] == ["the-id"]
    assert "needs Credentials/Create" in {one.error for one in applied.results}


def test_a_failed_write_names_no_secret(quiet: Bench) -> None:
    wants(quiet)
    quiet.jenkins.inject(
        Fault(lambda one: one.path.endswith("createCredentials"), "answer", Response(500, "first value"), times=9)
    )
    errors = " ".join(one.error for one in quiet.apply().results)
    assert errors and "first value" not in errors
