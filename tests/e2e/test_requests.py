"""How many requests a run takes: a handful to Jenkins however many jobs, one a project to GitLab, all kept alive."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from configurator.run import Run, exit_code_of_apply
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.server import EmbeddedServer
from tests.e2e.conftest import REAL, Site

pytestmark = pytest.mark.skipif(bool(REAL), reason="requests are counted on the embedded servers")

WORKERS = 8
BRANCHES = ["main", "develop", *(f"release/{number}.x" for number in range(1, 5))]


@pytest.fixture
def servers(site: Site) -> tuple[JenkinsSandbox, GitLabSandbox]:
    """The embedded servers."""
    assert site.embedded is not None
    return site.embedded


def _application(gitlab: GitLabSandbox, number: int, **more: Any) -> dict[str, Any]:
    """An application with a project of its own."""
    path = f"apps/app-{number:03}"
    gitlab.add_project(path, members={"bot": 40})
    return {"name": f"app-{number:03}", "project": path, "build_tool": "maven", **more}


def _sent(server: EmbeddedServer) -> int:
    """Requests since the last call."""
    count = len(server.log)
    server.log.clear()
    return count


def _open(site: Site) -> Run:
    site.write()
    return Run.open(site.path, environ=site.environ, workers=WORKERS)


def test_many_jobs_take_a_handful_of_requests_beside_one_each(
    site: Site, servers: tuple[JenkinsSandbox, GitLabSandbox]
) -> None:
    jenkins, gitlab = servers
    site.spec["applications"] = [_application(gitlab, number, branches=BRANCHES) for number in range(25)]
    with _open(site) as run:
        plan = run.plan()
        kinds = Counter(change.key.kind for change in plan.changes)
        assert kinds["job"] == 25 * 13
        assert exit_code_of_apply(run.apply(plan)) == 0
    assert _sent(jenkins) <= 8 + kinds["job"] + kinds["folder"] + kinds["view"]
    _sent(gitlab)
    with _open(site) as run:
        again = run.plan()
        assert again.unchanged == sum(kinds.values())
        assert run.requests_sent == (len(jenkins.log), len(gitlab.log)), "it counts as the servers do"
    assert _sent(jenkins) <= 8
    assert _sent(gitlab) <= 25 + 1 + 5
    jenkins.save_all()  # as Jenkins writes them itself
    with _open(site) as run:
        assert not run.plan().changes
    assert _sent(jenkins) <= 8


def test_a_plan_takes_one_request_a_project(site: Site, servers: tuple[JenkinsSandbox, GitLabSandbox]) -> None:
    _, gitlab = servers
    projects = 100
    site.spec["applications"] = [_application(gitlab, number) for number in range(projects)]
    most = projects + projects // 100 + 5
    with _open(site) as run:
        _sent(gitlab)
        plan = run.plan()
        assert _sent(gitlab) <= most, "no project has a webhook yet that would tell its id"
        hooks = sum(change.key.kind == "webhook" for change in plan.changes)
        assert hooks == 2 * projects
        assert exit_code_of_apply(run.apply(plan)) == 0
        # Beside the webhooks: a look at each project for twins of another run's, and Jenkins has tried its connection.
        assert _sent(gitlab) <= hooks + projects + 3
    with _open(site) as run:
        assert not run.plan().changes
    assert _sent(gitlab) <= most


def test_ids_of_few_projects_among_many_are_not_looked_for_in_every_page(
    site: Site, servers: tuple[JenkinsSandbox, GitLabSandbox]
) -> None:
    _, gitlab = servers
    for number in range(500):
        gitlab.add_project(f"others/other-{number:03}", members={"bot": 40})
    site.spec["applications"] = [_application(gitlab, number) for number in range(3)]
    with _open(site) as run:
        assert not run.plan().unchecked
    assert _sent(gitlab) <= 3 + 3 + 5


def test_without_administer_it_is_one_request_a_job_and_folder(
    site: Site, servers: tuple[JenkinsSandbox, GitLabSandbox]
) -> None:
    jenkins, gitlab = servers
    site.spec["gitlab"][0]["manage"] = False
    site.as_limited_user()
    site.spec["applications"] = [_application(gitlab, number, branches=BRANCHES[:2]) for number in range(10)]
    with _open(site) as run:
        plan = run.plan()
        kinds = Counter(change.key.kind for change in plan.changes)
        hooked = kinds["webhook"]
        assert exit_code_of_apply(run.apply(plan)) == 0
    assert _sent(jenkins) <= 10 + kinds["job"] + kinds["folder"] + hooked, "each token in clear is saved away at once"
    with _open(site) as run:
        assert not run.plan().changes
    assert _sent(jenkins) <= kinds["job"] + kinds["folder"] + 10


def test_connections_are_kept_alive(site: Site, servers: tuple[JenkinsSandbox, GitLabSandbox]) -> None:
    jenkins, gitlab = servers
    site.spec["applications"] = [_application(gitlab, number) for number in range(10)]
    before = jenkins.connections, gitlab.connections
    with _open(site) as run:
        assert exit_code_of_apply(run.apply(run.plan())) == 0
    assert jenkins.count() > 5 * WORKERS
    assert jenkins.connections - before[0] <= WORKERS
    # Jenkins is a client of GitLab, too: it tries the connection that was made.
    assert gitlab.connections - before[1] <= WORKERS + 1
