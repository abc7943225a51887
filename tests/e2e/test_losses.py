"""What is not surely ours is not deleted, and two runs at once lose nothing."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest

from configurator.errors import ServerError
from configurator.model import Plan
from configurator.run import Run
from configurator.sandbox.server import Fault, Response
from tests.e2e.conftest import REAL, Site, quiet

pytestmark = pytest.mark.skipif(bool(REAL), reason="looks behind the embedded servers")

JOB = "payments/MAIN-Build-payments"


def deletions(plan: dict[str, Any]) -> set[str]:
    return {one["name"] for one in plan["changes"] if one["action"] == "delete"}


def copy_by_hand(site: Site, model: str, copy: str) -> None:
    """What Jenkins does for "copy from": the same file under another name, ciphertexts and mark included."""
    site.jenkins.create_item(copy, site.jenkins.read_item(model))


@pytest.mark.parametrize("limited", [False, True])
def test_a_copy_made_by_hand_is_left_alone(site: Site, limited: bool) -> None:
    site.apply()
    copy_by_hand(site, site.name(JOB), site.name("payments/experiment"))
    if limited:
        site.spec["gitlab"][0]["manage"] = False
        site.as_limited_user()
    plan = site.plan("--prune")
    assert not plan["changes"]
    assert any("payments/experiment" in warning and "copy" in warning for warning in plan["warnings"])
    site.spec["applications"] = site.spec["applications"][1:]
    site.write()
    plan = site.plan("--prune")
    assert site.name(JOB) in deletions(plan) or limited
    assert site.name("payments/experiment") not in deletions(plan)
    assert site.name("payments") not in deletions(plan)


def test_a_job_that_left_the_spec_goes_even_when_the_webhook_secret_was_changed(site: Site) -> None:
    site.apply()
    site.environ["WEBHOOK_SECRET"] = "another webhook secret"
    site.spec["applications"] = site.spec["applications"][1:]
    site.write()
    assert {site.name(JOB), site.name("payments")} <= deletions(site.plan("--prune"))


def test_a_prune_that_was_cut_short_is_finished_by_the_next(site: Site) -> None:
    site.apply()
    site.spec["applications"] = site.spec["applications"][1:]
    site.write()
    assert site.embedded is not None
    refused = Fault(
        lambda request: request.method == "DELETE" and "MAIN-Build" in request.path, "answer", Response(500)
    )
    refused.times = 1
    site.embedded[0].inject(refused)
    site.apply("--prune", code=1)
    site.apply("--prune")
    assert quiet(site.plan())


def test_a_listing_that_does_not_list_deletes_no_folder(site: Site) -> None:
    site.apply()
    assert site.embedded is not None
    empty = Fault(
        lambda request: request.path.endswith("/job/payments/api/json"),
        "answer",
        Response(200, '{"_class": "x"}', {"Content-Type": "application/json", "X-Jenkins": "2.500"}),
    )
    site.embedded[0].inject(empty)
    with pytest.raises(ServerError, match="does not say what it holds"):
        site.jenkins.list_children(site.name("payments"))


@pytest.mark.parametrize(
    "text",
    [
        "Managed by configurator ({owner})\nbut now it is mine",
        "managed by configurator ({owner})",
        "Managed by configurator ({owner}-2)",
        "Managed by configurator ({owner}) and Ann",
        "see: Managed by configurator ({owner})",
    ],
)
def test_what_only_looks_like_our_mark_is_not_ours(site: Site, text: str) -> None:
    site.apply()
    xml = site.jenkins.read_item(site.name(JOB))
    described = re.sub(
        "<description>.*?</description>",
        f"<description>{text.format(owner=site.root)}</description>",
        xml,
        flags=re.DOTALL,
    )
    site.jenkins.write_item(site.name(JOB), described)
    [conflict] = [one for one in site.plan()["changes"] if one["kind"] == "job"]
    assert conflict["action"] == "conflict"
    site.spec["applications"] = site.spec["applications"][1:]
    site.write()
    plan = site.plan("--prune")
    assert site.name(JOB) not in deletions(plan)
    assert site.name("payments") not in deletions(plan)


def test_another_name_of_the_spec_makes_everything_somebody_elses(site: Site) -> None:
    site.apply()
    site.spec["name"] = "renamed"
    site.write()
    plan = site.plan("--prune", "--adopt", "*")
    assert {one["action"] for one in plan["changes"]} == {"conflict"}
    assert {one["reason"] for one in plan["changes"]} == {f"it belongs to {site.root}, another spec"}


def test_more_deletions_than_allowed_are_none_at_all(site: Site) -> None:
    site.apply()
    site.spec["applications"] = []
    site.write()
    before = len(site.jenkins.list_items())
    assert site.run("apply", "--prune", "--yes").code == 4
    assert len(site.jenkins.list_items()) == before


def at_once(runs: list[Run], plans: list[Plan]) -> None:
    threads = [threading.Thread(target=run.apply, args=(plan,)) for run, plan in zip(runs, plans, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_two_runs_at_once_leave_no_twins(site: Site) -> None:
    with Run.open(site.path, environ=site.environ) as one, Run.open(site.path, environ=site.environ) as other:
        runs = [one, other]
        at_once(runs, [run.plan() for run in runs])
        site.apply()
        for hook in site.hooks():
            site.gitlab.delete_hook(hook["project_id"], hook["id"])
        at_once(runs, [run.plan() for run in runs])
    urls = [hook["url"] for hook in site.hooks()]
    assert len(urls) == len(set(urls)) == 8
    assert quiet(site.plan("--prune"))


def test_a_job_that_lost_our_mark_after_the_plan_is_kept(site: Site) -> None:
    site.apply()
    site.spec["applications"].pop()
    site.write()
    job = site.name("search/Create-release-search")

    with Run.open(site.path, environ=site.environ) as run:
        plan = run.plan(prune=True)
        xml = site.jenkins.read_item(job)
        site.jenkins.write_item(
            job, re.sub("<description>.*?</description>", "<description>Ann's</description>", xml, flags=re.S)
        )
        ended = {one.change.key.name: one for one in run.apply(plan).results}
    assert ended[job].outcome == "skipped"
    assert "lost our mark" in ended[job].error
    assert "Ann's" in site.jenkins.read_item(job)
