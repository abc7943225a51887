"""A scan of both embedded servers: what it looks at, what it asks for, and what it says of what it could not see."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from configurator.errors import InputError
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.server import Fault, Response
from configurator.webhooks.model import HookClass, Picture
from configurator.webhooks.scan import Scope, scan
from tests.kinds.bench import ITEM, READ, Bench, hooked


class Heard:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.counts: list[tuple[int, int | None, int]] = []

    def stage(self, text: str) -> None:
        self.stages.append(text)

    def scanned(self, projects: int, of: int | None, hooks: int) -> None:
        self.counts.append((projects, of, hooks))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Bench]:
    """A job ``a`` of shop/payments with its hook, and an orphan beside it."""
    with Bench(tmp_path / "configurator.yaml", JenkinsSandbox(), GitLabSandbox()) as bench:
        bench.alone()
        bench.spec["jobs"] = [hooked("a")]
        bench.done()
        bench.gitlab.add_hook("shop/payments", f"{bench.jenkins.url}/project/gone")
        bench.gitlab.log.clear()
        bench.jenkins.log.clear()
        yield bench


def look(bench: Bench, heard: Heard | None = None, **scope: Any) -> Picture:
    with bench.open() as run:
        return scan(run.world, Scope(**scope), heard or Heard())


def classes(picture: Picture) -> list[tuple[str, str, str | None]]:
    return [(one.hook.project, str(one.cls), one.job) for one in picture.findings]


def second_gitlab(bench: Bench) -> GitLabSandbox:
    """Another GitLab in the spec, by the name ``other``."""
    other = bench.stack.enter_context(GitLabSandbox())
    bot = other.add_user("bot")
    bench.environ["OTHER"] = other.add_token(bot, ["api"]).value
    entry = {"name": "other", "url": other.url, "token": {"env": "OTHER"}, "manage": False}
    bench.spec["gitlab"].append({**entry, "webhooks": {"secret": {"env": "KEY"}}})
    for job in bench.spec["jobs"]:
        job["gitlab"]["gitlab"] = "gitlab"
    return other


@pytest.mark.parametrize("first", [True, False])
def test_one_gitlab_under_two_names(first: bool, site: Bench) -> None:
    """Two tokens for two teams, and each sees the other's projects: what one entry wants is not the other's orphan."""
    site.gitlab.add_hook("shop/payments", "https://elsewhere.example.com/")
    twice = {**site.entry, "name": "again", "manage": False, "url": f"{site.gitlab.url}/"}
    site.spec["gitlab"].insert(0 if first else 1, twice)
    for job in site.spec["jobs"]:
        job["gitlab"]["gitlab"] = "gitlab"
    picture = look(site, all=True)
    assert classes(picture) == [
        ("shop/payments", "orphaned", "gone"),
        ("shop/payments", "live", "a"),
        ("shop/payments", "foreign", None),
    ]
    assert picture.projects == 1


@pytest.mark.parametrize("first", [True, False])
def test_one_gitlab_under_two_names_is_counted_once(first: bool, site: Bench) -> None:
    """Projects without hooks, whose ids nothing tells, too; an integration counts for the entry that knows its job."""
    site.gitlab.add_project("shop/quiet", members={"bot": 40})
    other_root = {"jenkins_url": "http://other.example.com"}
    twice = {**site.entry, "name": "again", "manage": False}
    twice["webhooks"] = {**site.entry["webhooks"], **other_root}
    site.spec["gitlab"].insert(0 if first else 1, twice)
    site.spec["jobs"] = [hooked("a"), hooked("q", "shop/quiet")]
    for job in site.spec["jobs"]:
        job["gitlab"]["gitlab"] = "gitlab"
    data = {"jenkins_url": site.jenkins.url, "project_name": "a", "push_events": True}
    with site.open() as run:
        run.world.gitlabs["gitlab"].api.http_put("/projects/1/integrations/jenkins", post_data=data)
    picture = look(site, projects=("shop/payments", "shop/quiet"), integrations=True)
    assert picture.problems == ()
    assert picture.projects == 2
    [integration] = picture.integrations
    assert (integration.job, len(integration.twins)) == ("a", 1)
    assert picture.findings[1].hook.gitlab == "gitlab"


def test_the_projects_of_the_spec(site: Bench) -> None:
    site.project("shop/unnamed")
    site.gitlab.add_hook("shop/unnamed", f"{site.jenkins.url}/project/gone")
    heard = Heard()
    picture = look(site, heard)
    assert classes(picture) == [("shop/payments", "orphaned", "gone"), ("shop/payments", "live", "a")]
    assert picture.complete
    assert (picture.owner, picture.projects, picture.warnings) == ("platform", 1, ())
    assert heard.counts == [(1, 1, 2)]
    assert heard.stages == [
        f"reading Jenkins {site.jenkins.url}",
        f"reading GitLab gitlab {site.gitlab.url}",
        "comparing",
    ]
    assert site.jenkins.count() <= 5
    assert site.gitlab.count() == 3


def test_a_job_that_left_the_spec_leads_to_its_project_by_its_mark(site: Bench) -> None:
    site.project("shop/next")
    site.spec["jobs"] = [hooked("b", "shop/next")]
    picture = look(site)
    assert ("shop/payments", "live", "a") in classes(picture)
    assert picture.projects == 2


def test_all_groups_and_projects_by_name(site: Bench) -> None:
    site.project("team/x")
    site.gitlab.add_hook("team/x", "https://elsewhere.example.com/")
    assert classes(look(site, all=True))[-1] == ("team/x", "foreign", None)
    assert classes(look(site, groups=("team",))) == [("team/x", "foreign", None)]
    assert classes(look(site, projects=("team/x",))) == [("team/x", "foreign", None)]
    assert len(look(site, groups=("team",), projects=("shop/payments",)).findings) == 3


def test_a_spec_s_project_that_can_not_be_seen_is_a_problem(site: Bench) -> None:
    site.spec["jobs"].append(hooked("b", "shop/hidden"))
    picture = look(site)
    assert not picture.complete
    (problem,) = picture.problems
    assert problem.startswith(f"GitLab gitlab {site.gitlab.url}: the token sees no project shop/hidden (404)")
    assert len(picture.findings) == 2, "the rest was seen"


def test_what_a_person_names_has_to_be_on_one_gitlab_only(site: Bench) -> None:
    other = second_gitlab(site)
    other.add_project("there/only", members={"bot": 40})
    other.add_hook("there/only", f"{site.jenkins.url}/project/gone")
    heard = Heard()
    picture = look(site, heard, projects=("there/only", "shop/payments"), groups=("there",))
    assert picture.problems == ()
    assert [(one.hook.gitlab, one.hook.project) for one in picture.findings if one.cls is HookClass.ORPHANED] == [
        ("gitlab", "shop/payments"),
        ("other", "there/only"),
    ]
    assert heard.counts[-1] == (len(heard.counts), None, 3)
    nowhere = look(site, projects=("no/where",))
    (problem,) = nowhere.problems
    assert "no/where" in problem
    for gitlab, label in ((site.gitlab, "gitlab"), (other, "other")):
        assert f"GitLab {label} {gitlab.url}: the token sees no project no/where (404)" in problem
    (problem,) = look(site, projects=("there/only",), gitlabs=("gitlab",)).problems
    assert "there/only" in problem


def test_an_unknown_gitlab_entry_is_bad_input(site: Bench) -> None:
    with pytest.raises(InputError, match="no gitlab entry 'gitlba'") as error:
        look(site, gitlabs=("gitlba",))
    assert error.value.problems[0].hint == "it has gitlab"


def test_a_jenkins_that_is_down_makes_everything_unknown(site: Bench) -> None:
    site.jenkins.inject(Fault(lambda _: True, "answer", Response(500, "down"), times=999))
    picture = look(site)
    assert {one.cls for one in picture.findings} == {HookClass.UNKNOWN}
    assert len(picture.problems) == 1
    assert picture.problems[0].startswith(f"Jenkins {site.jenkins.url}")


def test_a_gitlab_that_refuses_the_token_does_not_hide_the_other(site: Bench) -> None:
    other = second_gitlab(site)
    other.tokens[0].revoked = True
    picture = look(site)
    assert len(picture.findings) == 2
    (problem,) = picture.problems
    assert problem.startswith(f"GitLab other {other.url}: the token was revoked")


def test_without_administer_the_endpoint_proves_what_is_absent(site: Bench) -> None:
    site.act_as("limited", READ, ITEM + "Read")
    picture = look(site)
    assert {one.job: one.cls for one in picture.findings}["gone"] is HookClass.ORPHANED
    assert picture.complete


def test_deliveries_make_a_failing_hook(site: Bench) -> None:
    site.jenkins.inject(Fault(lambda one: one.path.startswith("/project/"), "answer", Response(500, "no"), times=99))
    site.gitlab.push("shop/payments")
    assert site.gitlab.wait_deliveries()
    site.jenkins.faults.clear()
    assert HookClass.FAILING not in {one.cls for one in look(site).findings}
    found = {one.job: one for one in look(site, deliveries=True).findings}
    assert found["a"].cls is HookClass.FAILING
    assert [one.status for one in found["a"].deliveries] == ["500"]


def test_integrations_with_their_twins(site: Bench) -> None:
    with site.open() as run:
        data = {"jenkins_url": site.jenkins.url, "project_name": "A", "push_events": True}
        run.world.gitlabs["gitlab"].api.http_put("/projects/1/integrations/jenkins", post_data=data)
    assert look(site).integrations == ()
    (found,) = look(site, integrations=True).integrations
    ours = next(one.hook.id for one in look(site).findings if one.job == "a")
    assert (found.project, found.job, found.twins) == ("shop/payments", "a", (ours,))
    assert found.target == f"{site.jenkins.url}/project/A"


def test_hooks_of_an_older_gitlab_are_known_by_their_url(tmp_path: Path) -> None:
    with Bench(tmp_path / "configurator.yaml", JenkinsSandbox(), GitLabSandbox("16.11.0")) as bench:
        bench.alone()
        bench.spec["jobs"] = [hooked("a")]
        bench.done()
        assert classes(look(bench)) == [("shop/payments", "live", "a")]


def test_an_interruption_goes_through(site: Bench) -> None:
    class Impatient(Heard):
        def scanned(self, projects: int, of: int | None, hooks: int) -> None:
            raise KeyboardInterrupt

    with ExitStack() as stack:
        run = stack.enter_context(site.open())
        with pytest.raises(KeyboardInterrupt):
            scan(run.world, Scope(all=True), Impatient())


def test_an_interruption_ends_the_waiting_for_a_limit(site: Bench) -> None:
    for number in range(20):
        site.project(f"team/p{number}")
    refusal = Response(429, "Retry later", {"Retry-After": "300"})
    site.gitlab.inject(Fault(lambda one: "/hooks" in one.path and "/1/" not in one.path, "answer", refusal, times=99))

    class Impatient(Heard):
        def scanned(self, projects: int, of: int | None, hooks: int) -> None:
            raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), site.open() as run:
        scan(run.world, Scope(all=True), Impatient())
    assert time.monotonic() - began < 20


def test_five_hundred_projects_take_few_requests(site: Bench) -> None:
    for number in range(500):
        project = site.gitlab.add_project(f"team/p{number}", members={"bot": 40}, empty=True)
        for job in range(3):
            site.gitlab.add_hook(project, f"{site.jenkins.url}/project/p{number}-{job}")
    heard = Heard()
    picture = look(site, heard, all=True)
    assert picture.complete
    assert picture.projects == 501
    assert picture.counts() == {HookClass.ORPHANED: 1501, HookClass.LIVE: 1}
    assert heard.counts[-1] == (501, None, 1502)
    assert site.gitlab.count() <= 501 + 60
    assert site.jenkins.count() <= 5
