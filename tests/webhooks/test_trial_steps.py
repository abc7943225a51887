"""Single links of the chain, judged from what was read."""

from __future__ import annotations

from configurator.clients.jenkins.endpoint import EndpointAnswer
from configurator.webhooks.model import Delivery, Hook, JobSeen
from configurator.webhooks.trial_steps import delivery_step, may_start, token_step, untried_token_step


def test_what_the_endpoint_may_say() -> None:
    accepted = EndpointAnswer(200, True, True)
    assert token_step(accepted)[1] == "ok"
    assert untried_token_step(accepted)[1] == "fail"  # it took a wrong token
    assert "before Jenkins answers the webhook with 502 bad" in token_step(EndpointAnswer(502, False, None, "bad"))[2]
    assert token_step(EndpointAnswer(404, False, None))[3].startswith("look into")


def test_what_the_log_may_say() -> None:
    well, disabled = Hook("gitlab", "p", 1, {"id": 1}), Hook("gitlab", "p", 1, {"id": 1, "alert_status": "disabled"})
    assert "does not show its deliveries" in delivery_step(well, None, ours=True)[2]
    assert "nothing was delivered" in delivery_step(well, [], ours=True)[2]
    internal = Delivery("internal error", "2026-01-01T10:00:00Z", "push_hooks")
    check, verdict, evidence, cure = delivery_step(well, [internal], ours=True)
    assert (check, verdict, cure) == ("delivery", "fail", "configurator webhooks repair")
    assert "the latest delivery (push_hooks at 2026-01-01 10:00 UTC) failed: GitLab got no answer" in evidence
    assert delivery_step(well, [internal], ours=True, explained=True)[1] == "warn"
    assert delivery_step(well, [internal], ours=True, overtaken=True)[1] == "ok"
    assert "configurator" not in delivery_step(well, [internal], ours=False)[3]
    assert "at 2026-01-01 10:00 UTC" in delivery_step(disabled, [internal], ours=True)[2]


def test_which_jobs_a_probe_might_start() -> None:
    deletes = {"triggerToBranchDeleteRequest": "true", "triggerOnPush": "true"}
    assert may_start(None)
    assert may_start(JobSeen("a", "x", read=True, trigger=deletes))
    assert not may_start(JobSeen("a", "x", read=True, trigger=deletes, disabled=True))
    assert not may_start(JobSeen("a", "x", read=True))
    assert not may_start(JobSeen("a", "x", read=True, trigger=deletes | {"triggerOnPush": "false"}))
    filtered = deletes | {"branchFilterType": "NameBasedFilter", "includeBranchesSpec": "main"}
    assert not may_start(JobSeen("a", "x", read=True, trigger=filtered))
