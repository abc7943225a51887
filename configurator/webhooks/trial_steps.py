"""The links of the chain from a push to a build, each judged from what was read. Pure.

Jenkins answers 200 and builds nothing for a job that is disabled, has no trigger, or filters the event out: so these
are looked at, rather than the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from configurator.clients.jenkins.endpoint import EndpointAnswer
from configurator.hook_url import shown_url
from configurator.kinds.hook_body import HookBody, hook_differences
from configurator.model import Resource
from configurator.webhooks.failures import NO_ANSWER, cause, when
from configurator.webhooks.filters import EVENTS, PUSH, Verdict, branch_passes, hook_passes, reacts_to
from configurator.webhooks.model import HEALTHY, Delivery, Hook, JobSeen

Step = tuple[str, str, str, str]
"""Check, verdict (``ok``, ``warn``, ``fail``, ``unknown``), evidence, cure."""

OK, WARN, FAIL, UNKNOWN = "ok", "warn", "fail", "unknown"
APPLY = "configurator apply"
REPAIR = "configurator webhooks repair"
_RESTORE_TRIGGER = f"{APPLY} brings the job back to the spec"


def hook_steps(wanted: Resource[HookBody], found: Resource[HookBody] | None) -> list[Step]:
    """Whether the hook is there, is ours, calls the right address, and is set as the spec wants it.

    Args:
        wanted: resolved, that is with its token and every flag.
        found: the hook as GitLab shows it, None where the project has none for the job.
    """
    if found is None:
        return [("webhook", FAIL, f"the project has no webhook for {wanted.body.job}", APPLY)]
    there = found.body
    steps = [_owner_step(wanted, found)]
    address, present = str(there.attributes["url"]), str(wanted.body.attributes["url"])
    if address == present:
        steps.append(("address", OK, f"GitLab calls {shown_url(address)}", ""))
    else:
        told = f"GitLab calls {shown_url(address)}, and should call {shown_url(present)}"
        steps.append(("address", FAIL, told, REPAIR))
    fields = [one for one in hook_differences(wanted.body, there) if one.path not in ("url", "description")]
    if fields and found.owner == wanted.owner:
        told = ", ".join(f"{one.path} is {one.before} instead of {one.after}" for one in fields)
        steps.append(("settings", FAIL, told, REPAIR))
    elif not fields:
        steps.append(("settings", OK, "events, filter, SSL setting and token fingerprint are as the spec wants", ""))
    return steps


def delivery_step(
    hook: Hook, log: Sequence[Delivery] | None, *, ours: bool, explained: bool = False, overtaken: bool = False
) -> Step:
    """Whether GitLab delivers to the hook, and how its latest delivery ended.

    A latest delivery that failed while nothing else is wrong is a failure of its own: the token that GitLab really
    sends is shown nowhere, and may have been changed by hand.

    Args:
        hook: as GitLab shows it.
        log: its deliveries, the latest first; None where this GitLab keeps none, or does not show them.
        ours: it carries our mark, so that it can be repaired.
        explained: another check fails, which tells why.
        overtaken: GitLab delivered well since.
    """
    cure = REPAIR if ours else "see its deliveries in GitLab, on the project's page Settings > Webhooks"
    latest = _latest(log)
    if hook.alert_status != HEALTHY:
        until = hook.attributes.get("disabled_until")
        told = f"GitLab shows {hook.alert_status}{f' until {until}' if until else ''}{latest and f'; {latest}'}"
        return "delivery", FAIL, told, cure
    if log is None:
        return "delivery", OK, "GitLab has not disabled it; this GitLab does not show its deliveries", ""
    if not log:
        return "delivery", OK, "GitLab has not disabled it; nothing was delivered in the last days", ""
    if not log[0].failed:
        return "delivery", OK, f"GitLab has not disabled it; {latest}", ""
    if overtaken:
        return "delivery", OK, f"GitLab has not disabled it; before the test delivery, {latest}", ""
    told = f"GitLab has not disabled it; {latest}: {cause(log[0].status)}"
    if explained:
        return "delivery", WARN, told, "see the checks that fail; the next delivery that is answered well ends this"
    return "delivery", FAIL, told, cure


def token_step(answer: EndpointAnswer) -> Step:
    """What Jenkins' endpoint says to the token that the spec derives, sent with a payload that can start nothing."""
    if answer.status == 200 and answer.exists:
        return "token", OK, "Jenkins knows the job and accepts the token", ""
    if answer.status == 401 and answer.exists:
        return "token", FAIL, "Jenkins knows the job and refuses the token (401)", REPAIR
    if answer.status == 403 and answer.exists:
        told = "Jenkins knows the job, which has no token of its own, and asks for Job/Build (403)"
        return "token", FAIL, told, REPAIR
    if answer.exists is False:
        return "token", FAIL, no_job(answer), APPLY
    who = "Jenkins" if answer.from_jenkins else "something before Jenkins"
    told = f"{who} answers the webhook with {answer.status} {answer.said}".rstrip()
    return "token", FAIL, told, "look into the log of Jenkins, or of the proxy before it"


def no_job(answer: EndpointAnswer) -> str:
    """That the endpoint proved the job absent, for people."""
    return f"Jenkins' webhook endpoint knows no such job ({answer.status})"


def untried_token_step(answer: EndpointAnswer) -> Step:
    """The same for a job that a probe might start: it was sent with a wrong token."""
    if answer.status == 401 and answer.exists:
        told = "Jenkins knows the job, which has a token; that may build for deleted branches, so it was not tried"
        return "token", WARN, told, "try it with --deliver"
    return token_step(replace(answer, exists=None) if answer.status == 200 else answer)


def may_start(job: JobSeen | None) -> bool:
    """Whether the probe, a push that deletes a branch which never was, might start the job; also where unknown."""
    if job is None:
        return True
    if job.disabled or job.trigger is None or job.trigger.get("triggerToBranchDeleteRequest") != "true":
        return False
    pushes, filtered = reacts_to(job.trigger, PUSH), branch_passes(job.trigger, "configurator-probe")
    return pushes.passes is not False and filtered.passes is not False


def build_steps(job: JobSeen, hook: Mapping[str, Any], events: Sequence[str], branches: Sequence[str]) -> list[Step]:
    """Whether the job would build.

    Args:
        job: as it is, its configuration read.
        hook: attributes of its webhook: as GitLab shows it, or as it is wanted where there is none.
        events: GitLab's flags that the spec wants.
        branches: names of branches that the spec wants to build (target branches of merge requests).
    """
    steps = [
        ("enabled", FAIL, "the job is disabled: Jenkins answers 200 and builds nothing", "enable it in Jenkins")
        if job.disabled
        else ("enabled", OK, "the job is not disabled", "")
    ]
    if job.trigger is None:
        told = "the job has no GitLab trigger: Jenkins answers 200 and builds nothing"
        return [*steps, ("trigger", FAIL, told, _RESTORE_TRIGGER)]
    for event in events:
        verdict = reacts_to(job.trigger, event)
        steps.append(_step(f"trigger, {EVENTS[event]}", verdict, _RESTORE_TRIGGER))
    if PUSH in events and branches:
        steps.append(_all_pass("filter in GitLab", branches, lambda name: hook_passes(hook, name), REPAIR))
    if branches:
        trigger = job.trigger
        check = "filter in Jenkins"
        steps.append(_all_pass(check, branches, lambda name: branch_passes(trigger, name), _RESTORE_TRIGGER))
    return steps


def _owner_step(wanted: Resource[HookBody], found: Resource[HookBody]) -> Step:
    number = f"webhook {found.body.hook_id}"
    if found.owner == wanted.owner:
        return "webhook", OK, f"{number} is there", ""
    if found.owner is None:
        cure = f"{APPLY} --adopt '{wanted.key.name}'"
        return "webhook", WARN, f"{number} is there and does not carry our mark", cure
    return "webhook", WARN, f"{number} is there and belongs to {found.owner}", "use that spec, or take the job out"


def _latest(log: Sequence[Delivery] | None) -> str:
    if not log:
        return ""
    at = f" at {when(log[0].at)}" if log[0].at else ""
    answered = "failed" if log[0].status == NO_ANSWER else f"was answered {log[0].status}"
    return f"the latest delivery ({log[0].trigger}{at}) {answered}"


def _all_pass(check: str, branches: Sequence[str], judge: Callable[[str], Verdict], cure: str) -> Step:
    """One step for all branches: the worst of them."""
    verdicts = [judge(branch) for branch in branches]
    worst = [one for one in verdicts if one.passes is False] or [one for one in verdicts if one.passes is None]
    if not worst:
        return check, OK, "; ".join(dict.fromkeys(one.reason for one in verdicts)), ""
    return _step(check, Verdict(worst[0].passes, "; ".join(one.reason for one in worst)), cure)


def _step(check: str, verdict: Verdict, cure: str) -> Step:
    if verdict.passes is None:
        return check, UNKNOWN, verdict.reason, "try it with --deliver"
    return check, OK if verdict.passes else FAIL, verdict.reason, "" if verdict.passes else cure
