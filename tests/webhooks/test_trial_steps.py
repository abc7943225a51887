"""Single links of the chain, judged from what was read."""

from __future__ import annotations

from configurator.clients.jenkins.endpoint import EndpointAnswer
from configurator.webhooks.model import JobSeen
from configurator.webhooks.trial_steps import delivery_step, may_start, token_step, untried_token_step


def test_what_the_endpoint_may_say() -> None:
    accepted = EndpointAnswer(200, True, True)
    assert token_step(accepted)[1] == "ok"
    assert untried_token_step(accepted)[1] == "fail"  # it took a wrong token
    assert "before Jenkins answers the webhook with 502 bad" in token_step(EndpointAnswer(502, False, None, "bad"))[2]
    assert token_step(EndpointAnswer(404, False, None))[3].startswith("look into")


def test_what_the_log_may_say() -> None:
    assert "does not show its deliveries" in delivery_step({}, None)[2]
    assert "nothing was delivered" in delivery_step({}, [])[2]
    internal = {"response_status": "internal error", "trigger": "push_hooks", "created_at": "2026-01-01"}
    assert delivery_step({}, [internal])[1] == "warn"
    assert "at 2026-01-01" in delivery_step({"alert_status": "disabled"}, [internal])[2]


def test_which_jobs_a_probe_might_start() -> None:
    deletes = {"triggerToBranchDeleteRequest": "true", "triggerOnPush": "true"}
    assert may_start(None)
    assert may_start(JobSeen("a", "x", read=True, trigger=deletes))
    assert not may_start(JobSeen("a", "x", read=True, trigger=deletes, disabled=True))
    assert not may_start(JobSeen("a", "x", read=True))
    assert not may_start(JobSeen("a", "x", read=True, trigger=deletes | {"triggerOnPush": "false"}))
    filtered = deletes | {"branchFilterType": "NameBasedFilter", "includeBranchesSpec": "main"}
    assert not may_start(JobSeen("a", "x", read=True, trigger=filtered))
