"""Several gitlab entries in one spec: two servers, two tokens for one server, one credential for two connections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from configurator.marks import hook_token
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.secret import Secret
from tests.kinds.bench import KEY, Bench, hooked, only, prunable, steps

OTHER_KEY = "another webhook secret"


@pytest.fixture
def second(bench: Bench) -> Iterator[GitLabSandbox]:
    """A second GitLab, and the spec's entry for it."""
    with GitLabSandbox() as server:
        bench.environ |= {"SECOND": server.add_token(server.add_user("bot"), ["api"]).value, "OTHER_KEY": OTHER_KEY}
        for number in range(5):  # so that ids mean other projects than in the first
            server.add_project(f"filler/{number}", members={"bot": 40})
        server.add_project("core/gateway", members={"bot": 40})
        bench.spec["gitlab"].append(entry("second", server.url, "SECOND", "OTHER_KEY"))
        yield server


def entry(name: str, url: str, token: str, key: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "url": url,
        "token": {"env": token},
        "credential": {"id": f"{name}-token"},
        "webhooks": {"secret": {"env": key}},
        **more,
    }


def tokens(gitlab: GitLabSandbox, project: str) -> list[str]:
    return [hook.token for hook in gitlab.hooks(project)]


def in_both(bench: Bench) -> None:
    bench.spec["jobs"] = [
        hooked("a", gitlab="gitlab"),
        hooked("b", "core/gateway", gitlab="second"),
    ]


def connection_of(bench: Bench, job: str) -> str:
    root = bench.jenkins.config(job)
    return root.partition("<gitLabConnection>")[2].partition("<")[0]


def test_every_job_has_its_own_connection_and_its_hook_in_the_right_place(bench: Bench, second: GitLabSandbox) -> None:
    in_both(bench)
    bench.settled()
    assert (connection_of(bench, "a"), connection_of(bench, "b")) == ("gitlab", "second")
    gateway = second.hooks("core/gateway")[0].project_id
    payments = bench.hooks()[0].project_id
    assert tokens(bench.gitlab, "shop/payments") == [hook_token(Secret(KEY), payments, "a").reveal()]
    assert tokens(second, "core/gateway") == [hook_token(Secret(OTHER_KEY), gateway, "b").reveal()]
    assert bench.jenkins.secret("gitlab-access-token") == bench.environ["GITLAB"]
    assert bench.jenkins.secret("second-token") == bench.environ["SECOND"]


def test_an_entry_that_leaves_the_spec_takes_its_connection_and_credential_along(
    bench: Bench, second: GitLabSandbox
) -> None:
    in_both(bench)
    bench.done()
    bench.spec["jobs"].pop()
    bench.done(prune=True)
    assert not second.hooks("core/gateway")
    bench.spec["gitlab"].pop()
    plan = bench.plan()
    assert not plan.changes
    assert prunable(plan) == ["connection second", "credential second-token"]
    bench.done(prune=True)
    assert [one.name for one in bench.jenkins.controller.connection_config.connections] == ["gitlab"]
    assert len(bench.hooks()) == 1
    assert not bench.plan(prune=True).changes


@pytest.mark.parametrize("down", [0, 1])
def test_one_that_is_down_does_not_stop_the_other(bench: Bench, second: GitLabSandbox, down: int) -> None:
    in_both(bench)
    servers = [bench.gitlab, second]
    servers[down].stop()
    name, credential, job, project = [
        ("gitlab", "gitlab-access-token", "a", "shop/payments"),
        ("second", "second-token", "b", "core/gateway"),
    ][down]
    plan = bench.plan()
    assert {(one.kind, one.name) for one in plan.unchecked if one.failed} == {
        ("credential", credential),
        ("connection", name),
        ("job", job),
        ("webhook", f"{name}:{project} -> {job}"),
    }
    assert len(plan.changes) == 4
    bench.done()
    assert len(servers[1 - down].hooks(["shop/payments", "core/gateway"][1 - down])) == 1
    assert not bench.plan().changes


@pytest.fixture
def twice(bench: Bench) -> Bench:
    """One GitLab, two entries with a token each: a team's group token beside the platform's."""
    bot = bench.gitlab.add_user("team-bot")
    bench.environ |= {"TEAM": bench.gitlab.add_token(bot, ["api"]).value, "TEAM_KEY": OTHER_KEY}
    bench.gitlab.add_project("team/app", members={"team-bot": 40})
    bench.gitlab.add_project("team/shared", members={"team-bot": 40, "bot": 40})
    bench.spec["gitlab"].append(entry("team", f"{bench.gitlab.url}/", "TEAM", "TEAM_KEY"))
    return bench


def test_two_tokens_for_one_gitlab(twice: Bench) -> None:
    twice.spec["jobs"] = [
        hooked("a", gitlab="gitlab"),
        hooked("b", "team/app", gitlab="team"),
        hooked("c", "team/shared", gitlab="gitlab"),
        hooked("d", "team/shared", gitlab="team"),
    ]
    twice.settled()
    assert not twice.plan(prune=True).changes, "the hook of the one is no orphan of the other"
    assert len(twice.hooks("team/shared")) == 2


def test_a_job_that_goes_over_to_the_other_token_keeps_its_webhook(twice: Bench) -> None:
    twice.spec["jobs"] = [hooked("c", "team/shared", gitlab="gitlab")]
    twice.done()
    [before] = twice.hooks("team/shared")
    twice.spec["jobs"] = [hooked("c", "team/shared", gitlab="team")]
    twice.done(prune=True)
    [after] = twice.hooks("team/shared")
    assert after.id == before.id
    assert after.token == hook_token(Secret(OTHER_KEY), after.project_id, "c").reveal()
    assert not twice.plan(prune=True).changes


def test_a_hook_that_both_see_and_nobody_wants_is_deleted_once(twice: Bench) -> None:
    twice.spec["jobs"] = [hooked("c", "team/shared", gitlab="gitlab"), hooked("d", "team/shared", gitlab="team")]
    twice.done()
    twice.spec["jobs"].pop()
    twice.spec["jobs"].append(hooked("e", "team/shared", gitlab="team"))
    deletions = [one for one in twice.plan(prune=True).changes if str(one.action) == "delete"]
    assert [one.key.kind for one in deletions] == ["job", "webhook"]
    twice.done(prune=True)
    assert len(twice.hooks("team/shared")) == 2


def test_what_the_one_can_not_see_the_other_does_not_prune(twice: Bench) -> None:
    """The token of the entry that wants the hook has ended; the other token sees a hook that nobody seems to want."""
    twice.spec["jobs"] = [hooked("c", "team/shared", gitlab="gitlab"), hooked("d", "team/shared", gitlab="team")]
    twice.done()
    twice.environ["TEAM"] = "glpat-ended-ended-ended0"
    plan = twice.plan(prune=True)
    assert not plan.changes
    assert {one.name for one in plan.unchecked if one.kind == "webhook"} == {"team:team/shared -> d"}


def test_one_credential_for_two_connections(bench: Bench) -> None:
    bench.spec["gitlab"].append({**bench.entry, "name": "patient", "read_timeout": 60})
    bench.settled()
    connections = bench.jenkins.controller.connection_config.connections
    assert [(one.name, one.credential) for one in connections] == [
        ("gitlab", "gitlab-access-token"),
        ("patient", "gitlab-access-token"),
    ]
    bench.spec["gitlab"].pop()
    assert prunable(bench.plan()) == ["connection patient"], "the other one still needs the credential"
    bench.environ["GITLAB"] = bench.gitlab.add_token(bench.gitlab.add_user("next"), ["api"]).value
    assert only(bench.plan()).key.kind == "credential"


def test_a_connection_of_others_may_use_the_credential_that_is_made_here(bench: Bench) -> None:
    bench.spec["gitlab"].append({**bench.entry, "name": "theirs", "manage": False})
    bench.settled()
    assert steps(bench.plan(prune=True)) == []
