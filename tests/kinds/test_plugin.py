"""Plugins: missing, too old, unknown, asleep, out of sight."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from configurator.kinds.plugin import PluginKind, version_number
from configurator.model import Key, Outcome, Resource
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.jenkins.plugins import INSTALLED, PluginManager
from configurator.sandbox.server import Fault, Response
from tests.kinds.bench import Bench, ended, hooked, only, steps


@contextmanager
def with_plugins(tmp_path: Path, manager: PluginManager, *wanted: object) -> Iterator[Bench]:
    with Bench(tmp_path / "s.yaml", JenkinsSandbox(plugins=manager), GitLabSandbox()) as bench:
        bench.alone()
        bench.spec["jenkins"]["plugins"] = list(wanted)
        yield bench


@pytest.mark.parametrize(
    ("installed", "minimum", "enough"),
    [
        ("1.9.12", "1.9.9", True),
        ("1.9.9", "1.9.12", False),
        ("608.v67378e9d3db_1", "600", True),
        ("599.v67378e9d3db_1", "600", False),
        ("2.0", "2.0.0", True),
        ("2", "2.0.1", False),
        ("1.10-beta-2", "1.9", True),
    ],
)
def test_versions_are_compared_by_their_numbers(installed: str, minimum: str, enough: bool) -> None:
    assert (version_number(installed) >= version_number(minimum)) is enough


def test_no_version_is_older_than_any() -> None:
    assert version_number(None) == version_number("") == version_number("unknown") == ()


def test_a_missing_one_is_installed_and_a_second_plan_is_quiet(tmp_path: Path) -> None:
    with with_plugins(tmp_path, PluginManager(polls=0), "ansicolor", "git") as bench:
        assert steps(bench.plan()) == [("create", "plugin ansicolor")]
        bench.settled()
        assert "ansicolor" in bench.jenkins.controller.plugins.installed


def test_one_that_is_too_old_is_updated_and_a_restart_is_asked_for(tmp_path: Path) -> None:
    manager = PluginManager({**INSTALLED, "git": "5.0"}, polls=0)
    with with_plugins(tmp_path, manager, {"id": "git", "minimum": "5.8"}) as bench:
        [field] = only(bench.plan()).fields
        assert (field.path, field.before, field.after) == ("version", "5.0", "5.8 or later")
        applied = bench.done()
        assert applied.warnings == ("Jenkins must be restarted before it uses the new plugins (git)",)
        bench.jenkins.restart()
        assert not bench.plan().changes


def test_a_minimum_that_nobody_offers_is_a_failure_and_not_done_for_ever(tmp_path: Path) -> None:
    with with_plugins(tmp_path, PluginManager(polls=0), {"id": "git", "minimum": "99"}) as bench:
        outcome, error = ended(bench.apply())["plugin git"]
        assert outcome == Outcome.FAILED
        assert "99" in error and "5.8.1" in error


def test_an_unknown_one_fails_by_name_and_the_others_are_installed(tmp_path: Path) -> None:
    with with_plugins(tmp_path, PluginManager(polls=0), "no-such", "ansicolor") as bench:
        results = ended(bench.apply())
        assert results["plugin ansicolor"][0] == Outcome.DONE
        assert results["plugin no-such"][0] == Outcome.FAILED
        assert "No such plugin" in results["plugin no-such"][1]


def test_a_download_that_fails_is_a_failure(tmp_path: Path) -> None:
    with with_plugins(tmp_path, PluginManager(polls=0, broken=frozenset({"ansicolor"})), "ansicolor") as bench:
        assert ended(bench.apply())["plugin ansicolor"][0] == Outcome.FAILED


def test_without_the_right_they_are_unchecked(bench: Bench) -> None:
    bench.alone()
    bench.spec["jenkins"]["plugins"] = ["git"]
    bench.act_as("limited", "hudson.model.Hudson.Read")
    assert [(one.kind, one.name, one.reason) for one in bench.plan().unchecked] == [
        ("plugin", "git", "needs Overall/Administer")
    ]


@pytest.mark.parametrize("administer", [True, False])
def test_one_that_is_installed_and_asleep_is_told(quiet: Bench, administer: bool) -> None:
    quiet.spec["jenkins"]["plugins"] = ["git"]
    if not administer:
        quiet.act_as("viewer", "hudson.model.Hudson.Read", "hudson.model.Hudson.SystemRead")
        answer = '{"plugins": [{"shortName": "git", "version": "5.8.1", "active": false}]}'
        headers = {"Content-Type": "application/json"}
        quiet.jenkins.inject(
            Fault(lambda one: one.path == "/pluginManager/api/json", "answer", Response(200, answer, headers))
        )
        plan = quiet.plan()
    else:
        with quiet.open() as run:
            real = run.world.jenkins.run

            def asleep(script: str, payload: dict[str, object], **more: object) -> object:
                answer = real(script, payload)
                for plugin in answer["plugins"]:
                    plugin["active"] = plugin["id"] != "git"
                return answer

            run.world.jenkins.run = asleep  # type: ignore[method-assign, assignment]
            plan = run.plan()
    assert not plan.changes
    assert plan.warnings == ("plugin git is installed and not active: enable it and restart Jenkins",)


def test_they_are_never_deleted() -> None:
    with pytest.raises(AssertionError):
        PluginKind().delete(Resource(Key("plugin", "git"), None), None)  # type: ignore[arg-type]


def test_a_gitlab_plugin_that_is_neither_there_nor_asked_for_is_told(tmp_path: Path) -> None:
    manager = PluginManager({id: version for id, version in INSTALLED.items() if id != "gitlab-plugin"}, polls=0)
    with with_plugins(tmp_path, manager) as bench:
        bench.spec["jobs"] = [hooked("triggered")]
        assert any("Jenkins lacks the GitLab plugin" in warning for warning in bench.plan().warnings)
        bench.spec["jenkins"]["plugins"] = ["gitlab-plugin"]
        assert not any("lacks the GitLab plugin" in warning for warning in bench.plan().warnings)


def test_a_plugin_that_no_job_needs_stops_no_job(tmp_path: Path) -> None:
    with with_plugins(tmp_path, PluginManager(polls=0), "nosuch", "git") as bench:
        bench.spec["jobs"] = [hooked("triggered")]
        with bench.open() as run:
            outcomes = ended(run.apply(run.plan()))
        assert outcomes["job triggered"][0] == Outcome.DONE
        outcome, error = outcomes["plugin nosuch"]
        assert outcome == Outcome.FAILED
        assert "No such plugin: nosuch" in error and "s.yaml:" in error
