"""Connections: ours among the others, by the script console only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from configurator.model import Outcome
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.jenkins.connection import Connection
from configurator.sandbox.jenkins.plugins import INSTALLED
from configurator.sandbox.server import Fault, Response
from tests.kinds.bench import Bench, conflicts, ended, hooked, only, prunable, steps


def config(bench: Bench) -> list[Connection]:
    return bench.jenkins.controller.connection_config.connections


def names(bench: Bench) -> list[str]:
    return [one.name for one in config(bench)]


def test_the_stock_empty_one_goes_and_others_stay(bench: Bench) -> None:
    config(bench)[:] = [Connection("", "", ""), Connection("theirs", "https://other.example.com", "other")]
    bench.settled()
    assert names(bench) == ["theirs", "gitlab"]
    assert config(bench)[0].url == "https://other.example.com"


def test_what_was_changed_by_hand_is_named_and_put_right(bench: Bench) -> None:
    bench.done()
    [ours] = config(bench)
    ours.connection_timeout, ours.read_timeout, ours.ignore_certificate_errors = 99, 98, True
    fields = {one.path: (one.before, one.after) for one in only(bench.plan()).fields}
    assert fields == {
        "connection_timeout": ("99", "10"),
        "read_timeout": ("98", "10"),
        "ignore_certificate_errors": ("true", "false"),
    }
    bench.settled()


def test_a_slash_at_the_end_of_the_url_is_no_difference(bench: Bench) -> None:
    bench.done()
    config(bench)[0].url += "/"
    assert not bench.plan().changes
    bench.entry["url"] += "/"
    assert not bench.plan().changes


def test_somebody_elses_is_a_conflict_until_it_is_adopted(bench: Bench) -> None:
    config(bench)[:] = [Connection("gitlab", bench.gitlab.url, "gitlab-access-token")]
    assert conflicts(bench.plan()) == {"connection gitlab": "it exists and does not carry our mark"}
    bench.apply()
    assert steps(bench.plan()) == [], "the credential is ours now, and by it the connection"


def test_another_owners_credential_makes_it_theirs(bench: Bench) -> None:
    bench.done()
    bench.spec["name"] = "other-spec"
    bench.entry["adopt"] = True
    assert set(conflicts(bench.plan()).values()) == {"it belongs to platform, another spec"}


def test_a_renamed_connection_leaves_the_old_one_prunable(bench: Bench) -> None:
    bench.spec["jobs"] = [hooked("a")]
    bench.done()
    bench.entry["name"] = "main"
    assert prunable(bench.plan()) == ["connection gitlab"]
    bench.done(prune=True)
    assert names(bench) == ["main"]


def test_another_credential_moves_the_connection_before_the_old_one_goes(bench: Bench) -> None:
    bench.done()
    bench.entry["credential"] = {"id": "new-token"}
    assert prunable(bench.plan()) == ["credential gitlab-access-token"]
    applied = bench.done(prune=True)
    assert [(str(one.change.action), one.change.key.kind) for one in applied.results] == [
        ("create", "credential"),
        ("delete", "credential"),
        ("update", "connection"),
    ] or len(applied.results) == 3
    assert config(bench)[0].credential == "new-token"


def test_without_administer_it_is_unchecked(bench: Bench) -> None:
    bench.act_as("limited", "hudson.model.Hudson.Read")
    plan = bench.plan()
    assert ("connection", "gitlab", "needs Overall/Administer") in {
        (one.kind, one.name, one.reason) for one in plan.unchecked
    }


def test_without_the_plugin_nothing_is_said_to_be_done(tmp_path: Path) -> None:
    plugins = {id: version for id, version in INSTALLED.items() if id != "gitlab-plugin"}
    with Bench(tmp_path / "s.yaml", JenkinsSandbox(plugins=plugins), GitLabSandbox()) as bench:
        bench.entry["credential"] = {"id": "other"}
        with bench.open() as run:
            plan = run.plan()
            [connection] = [one for one in plan.changes if one.key.kind == "connection"]
            alone = replace(plan, changes=(connection,))
            results = ended(run.apply(alone))
        outcome, error = results["connection gitlab"]
        assert outcome == Outcome.FAILED
        assert "gitlab-plugin" in error


def test_an_open_endpoint_is_told(bench: Bench) -> None:
    bench.jenkins.controller.connection_config.use_authenticated_endpoint = False
    assert ["/project end-point" in one for one in bench.plan().warnings] == [True]


def test_a_new_connection_is_tested_by_jenkins_with_all_its_settings(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, object]] = []
    bench.entry.update(client="v4", ignore_certificate_errors=True, connection_timeout=3, read_timeout=4)
    with bench.open() as run:

        def test(url: str, credential: str, **settings: object) -> tuple[bool, str]:
            asked.append(settings)
            return False, "Client error: 401 Unauthorized"

        monkeypatch.setattr(run.world.jenkins, "test_connection", test)
        applied = run.apply(run.plan())
    assert asked == [
        {"client": "v4", "ignore_certificate_errors": True, "connection_timeout": 3, "read_timeout": 4},
    ]
    assert applied.warnings == ("connection gitlab: Jenkins can't use it: Client error: 401 Unauthorized",)


def test_a_test_that_fails_is_a_warning(bench: Bench) -> None:
    bench.jenkins.inject(Fault(lambda one: "testConnection" in one.path, "answer", Response(500, "x"), times=9))
    assert ["Jenkins can't use it" in one for one in bench.done().warnings] == [True]


def test_two_connections_in_one_apply(bench: Bench) -> None:
    with GitLabSandbox() as second:
        bench.environ["SECOND"] = second.add_token(second.add_user("bot"), ["api"]).value
        bench.spec["gitlab"].append(
            {"name": "second", "url": second.url, "token": {"env": "SECOND"}, "credential": {"id": "second-token"}}
        )
        bench.settled()
        assert sorted(names(bench)) == ["gitlab", "second"]
        assert bench.jenkins.secret("second-token") == bench.environ["SECOND"]


def test_a_mark_on_a_folders_credential_of_that_id_owns_no_connection(bench: Bench) -> None:
    config(bench)[:] = [Connection("gitlab", bench.gitlab.url, "elsewhere")]
    assert conflicts(bench.plan()) == {"connection gitlab": "it exists and does not carry our mark"}
