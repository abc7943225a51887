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
SECRET_TEXT = "org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl"
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


def held(kind: str, value: str) -> str:
    """What Jenkins holds of a value: a private key with plain line breaks, and one at its end."""
    return value.replace("\r\n", "\n").rstrip("\n") + "\n" if kind == "ssh-key" else value


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
    assert quiet.jenkins.secret("the-id", where.get("folder")) == held(kind, quiet.environ["VALUE"])
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
    assert quiet.jenkins.secret("the-id") == held(kind, "second value")


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


def guarded(bench: Bench, passphrase: str | None = "first") -> None:
    one = wants(bench, "ssh-key")
    if passphrase is not None:
        one["passphrase"] = {"env": "PASS"}
        bench.environ["PASS"] = passphrase


@pytest.mark.parametrize(("user", "paths_seen"), [("admin", {"description", "passphrase"}), ("limited", None)])
def test_a_passphrase_is_seen_when_it_changes_and_when_it_goes(
    quiet: Bench, user: str, paths_seen: set[str] | None
) -> None:
    """Without Administer the fingerprint tells that one of the two secrets changed, and not which."""
    seen = paths_seen or {"description", "privateKey"}
    guarded(quiet)
    as_user(quiet, user)
    quiet.settled()
    assert "passphrase" in quiet.jenkins.controller.dump()["credentials"]
    for passphrase in ("second", None, "third"):
        guarded(quiet, passphrase)
        plan = quiet.plan()
        assert set(paths(only(plan))) == seen
        assert "second" not in repr(plan)
        quiet.settled()
        assert (">first<" in quiet.jenkins.disk(), ">second<" in quiet.jenkins.disk()) == (False, False)


def test_without_a_webhook_secret_administer_still_sees_the_passphrase(quiet: Bench) -> None:
    del quiet.entry["webhooks"]
    guarded(quiet)
    quiet.settled()
    guarded(quiet, "second")
    assert [(one.path, one.secret) for one in only(quiet.plan()).fields] == [("passphrase", True)]
    quiet.settled()
    guarded(quiet, None)
    assert [(one.path, one.after) for one in only(quiet.plan()).fields] == [("passphrase", None)]
    quiet.settled()


@USERS
@pytest.mark.parametrize("again", [PEM.replace("\r\n", "\n"), PEM.rstrip(), PEM + "\n\n", PEM + " \t\r\n"])
def test_line_breaks_make_no_other_key(quiet: Bench, user: str, again: str) -> None:
    """The same key from an editor on Windows, from a variable, from a file: no update, and always one that works."""
    wants(quiet, "ssh-key")
    as_user(quiet, user)
    quiet.done()
    assert quiet.jenkins.secret("the-id") == held("ssh-key", PEM)
    quiet.environ["VALUE"] = again
    assert not quiet.plan().changes


@pytest.mark.parametrize("name", ["VALUE", "PASS"])
def test_a_secret_that_no_xml_can_hold_is_told_before_anything_is_written(quiet: Bench, name: str) -> None:
    guarded(quiet)
    quiet.environ[name] = "s3cr\x00et\x1b"
    plan = quiet.plan()
    [unchecked] = plan.unchecked
    assert unchecked.failed and "control character" in unchecked.reason
    assert "s3cr" not in repr(plan)
    assert "the-id" not in quiet.jenkins.disk()


def test_another_kind_under_the_same_id_is_an_update_of_its_class(quiet: Bench) -> None:
    wants(quiet, "secret-text")
    quiet.done()
    wants(quiet, "gitlab-token")
    assert "class" in paths(only(quiet.plan()))
    quiet.settled()


@USERS
def test_made_by_hand_is_a_conflict_until_it_is_adopted(quiet: Bench, user: str) -> None:
    one = wants(quiet)
    by_hand(quiet)
    as_user(quiet, user)
    assert conflicts(quiet.plan()) == {"credential the-id": "it exists and does not carry our mark"}
    quiet.apply()
    assert quiet.jenkins.secret("the-id") == "hers"
    one["adopt"] = True
    quiet.settled()
    assert quiet.jenkins.secret("the-id") == "first value"


def by_hand(bench: Bench, domain: str | None = None, description: str = "by Ann", folder: str | None = None) -> None:
    """A credential that somebody made in the web form."""
    with bench.open() as run:
        run.world.jenkins.create_credential(
            folder,
            domain,
            f"<{SECRET_TEXT}><scope>GLOBAL</scope><id>the-id</id><description>{description}</description>"
            f"<secret>hers</secret></{SECRET_TEXT}>",
        )


@USERS
def test_the_same_id_in_two_domains_means_the_one_that_is_wanted(quiet: Bench, user: str) -> None:
    wants(quiet, domain="d")
    quiet.done()
    by_hand(quiet)
    as_user(quiet, user)
    plan = quiet.plan()
    assert not plan.changes and not plan.prunable, "somebody else's is not looked at"


@USERS
def test_a_credential_moves_to_the_domain_that_the_spec_names(quiet: Bench, user: str) -> None:
    wants(quiet, domain="one")
    as_user(quiet, user)
    quiet.done()
    for domain, shown in (("two", "two"), (None, "(global)")):
        wants(quiet, value="second value", **({"domain": domain} if domain else {}))
        assert ("domain", shown) in [(one.path, one.after) for one in only(quiet.plan()).fields]
        quiet.settled()
        with quiet.open() as run:
            found = run.world.inventory.credentials
        assert [one.domain for one in found if one.id == "the-id"] == [domain]  # type: ignore[union-attr]
    assert quiet.jenkins.secret("the-id") == "second value"
    assert not quiet.plan().prunable


def test_what_a_move_left_behind_is_pruned(quiet: Bench) -> None:
    """The credential is in its new domain, and the old one could not be deleted."""
    wants(quiet, domain="one")
    quiet.done()
    wants(quiet, domain="two")
    quiet.jenkins.inject(Fault(lambda one: one.method == "DELETE", "answer", Response(500, "x"), times=9))
    assert "failed" in {str(one.outcome) for one in quiet.apply().results}
    quiet.jenkins.faults.clear()
    plan = quiet.plan()
    assert not plan.changes
    assert prunable(plan) == ["credential the-id (domain one)"]
    quiet.done(prune=True)
    assert not quiet.plan(prune=True).changes
    assert quiet.jenkins.secret("the-id") == "first value"


def test_a_domain_never_goes_without_specifications(quiet: Bench) -> None:
    """Without them every look-up on the controller breaks."""
    wants(quiet, domain="d", folder="payments")
    quiet.done()
    assert not quiet.jenkins.controller.credentials.lookup_broken()


@USERS
def test_a_description_edited_by_hand_is_one_update(quiet: Bench, user: str) -> None:
    wants(quiet)
    as_user(quiet, user)
    quiet.done()
    with quiet.open() as run:
        client, world = run.world.jenkins, run.world
        [resource] = [one for one in world.desired.values() if one.key.kind == "credential"]
        body = CredentialKind().observe([resource], world).wanted[resource.key].body
        client.write_credential(None, None, "the-id", credential_xml(replace(body, description=f"Hm\n{body.mark}")))
    assert paths(only(quiet.plan())) == ["description"]
    quiet.settled()
    assert quiet.jenkins.secret("the-id") == "first value"


@USERS
def test_a_user_name_and_a_class_are_seen_to_differ(quiet: Bench, user: str) -> None:
    one = wants(quiet, "username-password")
    as_user(quiet, user)
    quiet.done()
    one["username"] = "ben"
    assert paths(only(quiet.plan())) == ["username"]
    quiet.settled()
    wants(quiet, "secret-text")
    assert "class" in paths(only(quiet.plan()))
    quiet.settled()


def test_a_store_that_is_hidden_does_not_hide_the_others(quiet: Bench) -> None:
    wants(quiet, folder="payments")
    quiet.spec["credentials"].append({"id": "global", "kind": "secret-text", "secret": {"env": "VALUE"}})
    quiet.done()
    quiet.jenkins.inject(
        Fault(lambda one: one.path.startswith("/credentials/store/system"), "answer", Response(404), times=99)
    )
    as_user(quiet, "limited")
    quiet.environ["VALUE"] = "second value"
    plan = quiet.plan()
    assert steps(plan) == [("update", "credential payments/the-id")]
    assert [(one.name, one.reason) for one in plan.unchecked] == [("global", "needs Credentials/View")]


def test_a_credential_that_goes_while_it_is_read_stops_nothing(quiet: Bench) -> None:
    wants(quiet)
    quiet.done()
    as_user(quiet, "limited")
    quiet.jenkins.inject(
        Fault(lambda one: one.path.endswith("/credential/the-id/config.xml"), "answer", Response(404), times=9)
    )
    assert not quiet.plan().changes, "its class is not known then, and taken to be right"


def test_a_credential_goes_before_its_folder(quiet: Bench) -> None:
    wants(quiet, folder="payments", domain="d")
    quiet.settled()
    quiet.spec["credentials"], quiet.spec["folders"] = [], []
    assert prunable(quiet.plan()) == ["credential payments/the-id", "folder payments"]
    deleted = [str(one.change.key) for one in quiet.done(prune=True).results]
    assert sorted(deleted) == ["credential payments/the-id", "folder payments"]
    assert "payments" not in [item.full_name for item in quiet.jenkins.controller.items.root.walk()]


def test_a_folder_with_somebody_elses_credential_of_the_same_id_is_kept(quiet: Bench) -> None:
    wants(quiet, folder="payments", domain="d")
    quiet.done()
    by_hand(quiet, folder="payments")
    quiet.spec["credentials"], quiet.spec["folders"] = [], []
    plan = quiet.plan()
    assert prunable(plan) == ["credential payments/the-id (domain d)"]
    assert ["folder payments left the spec and is kept" in one for one in plan.warnings] == [True]


def test_a_job_does_not_wait_for_the_credential_that_it_clones_with(quiet: Bench) -> None:
    wants(quiet, "ssh-key")
    quiet.spec["jobs"] = [
        {
            "name": "a",
            "git": {"url": "ssh", "credential": "the-id", "clone_url": "git@gitlab.example.com:shop/payments.git"},
        },
    ]
    quiet.jenkins.inject(
        Fault(lambda one: one.path.endswith("createCredentials"), "answer", Response(500, "x"), times=9)
    )
    outcomes = {str(one.change.key): str(one.outcome) for one in quiet.apply().results}
    assert outcomes["job a"] == "done"
    assert outcomes["credential the-id"] == "failed"
    quiet.jenkins.faults.clear()
    quiet.settled()
    assert "<credentialsId>the-id</credentialsId>" in quiet.jenkins.disk().replace("\\n", "")


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


@USERS
def test_not_managed_is_verified_and_needs_no_secret(quiet: Bench, user: str) -> None:
    wants(quiet, manage=False)
    del quiet.environ["VALUE"]
    by_hand(quiet)
    as_user(quiet, user)
    assert not [one for one in quiet.plan().changes if one.key.kind == "credential"]
    with quiet.open() as run:
        run.world.jenkins.delete_credential(None, None, "the-id")
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


def test_a_secret_that_is_no_utf_8_is_bad_input(quiet: Bench) -> None:
    wants(quiet, value="caf\udce9")
    with pytest.raises(InputError, match="VALUE is not UTF-8 text"):
        quiet.open()


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
