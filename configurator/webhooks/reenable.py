"""Have GitLab deliver once to what failed. Only a delivery that is answered 2xx switches on again what GitLab disabled,
and only another delivery shows that a hook works again: GitLab tells neither its token nor when it was last changed
(behaviour.md, 2, 6 and 8).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from configurator.errors import AnswerLostError, ConfiguratorError, NotFoundError, ServerError, in_words
from configurator.webhooks.details import delivery_of
from configurator.webhooks.failures import when
from configurator.webhooks.filters import EVENTS, harmless_events
from configurator.webhooks.job_read import read_job
from configurator.webhooks.model import HEALTHY, Delivery, Ending, Hook
from configurator.webhooks.pace import DeliveryPace
from configurator.webhooks.reach import is_multibranch
from configurator.world.world import World

_STOPPED = "stopped by the user before the test delivery that would enable it"
_NO_DATA = "Ensure the "
"""How GitLab begins to say that the project has nothing to make such an event of (behaviour.md, 8)."""


@dataclass(frozen=True)
class Sender:
    """What it takes to send test deliveries.

    Attributes:
        world: the servers.
        stop: ends the work.
        pace: keeps GitLab's limit.
        deliver: deliveries that may start a build are allowed.
        lacking: (gitlab, project id, event) that a project turned out to have nothing to make of: asking again for
            its next hook would use up the limit.
    """

    world: World
    stop: threading.Event
    pace: DeliveryPace
    deliver: bool = False
    lacking: set[tuple[str, int, str]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one test delivery.

    Attributes:
        sent: GitLab really sent something; False = the project has nothing to make such an event of.
        problem: what the receiver, or GitLab, said against it; empty = the receiver answered 2xx.
    """

    sent: bool
    problem: str = ""


def reenable(hook: Hook, job: str, sender: Sender) -> tuple[Ending, str]:
    """See whether GitLab delivers to a hook; where it does not, or its latest delivery failed, have it deliver once.

    An event that can start no build is chosen where there is one. Any other is sent only where ``sender`` may.

    Args:
        hook: the hook, its settings and token in order.
        job: full name of its job.
        sender: what it takes.

    Returns:
        How it ended, and what was done or is to be done; empty where nothing speaks against the hook. Never raises
        for what a server says.
    """
    client = sender.world.gitlabs[hook.gitlab]
    try:
        attributes = client.hook(hook.project_id, hook.id)
        enabled = _status(attributes) == HEALTHY
        failed = _last_failure(hook, sender) if enabled else None
        if enabled and failed is None:
            return Ending.DONE, ""
        for event, reason in _harmless(hook, job, sender):
            what = f"a {EVENTS[event]}, which starts no build ({reason})"
            ended = _deliver(hook, event, what, sender, enabled=enabled)
            if ended is not None:
                return ended
        return _deliver_with_risk(hook, job, attributes, failed, sender)
    except ConfiguratorError as error:
        return Ending.FAILED, in_words(error)


def send_test(hook: Hook, event: str, sender: Sender) -> Answer | None:
    """One test delivery, at GitLab's pace; None once the user stopped.

    Args:
        hook: the hook.
        event: GitLab's flag, such as ``push_events``.
        sender: what it takes.

    Raises:
        ServerError: GitLab did not send it for a reason that has nothing to do with the receiver.
    """
    place = (hook.gitlab, hook.project_id, event)
    if place in sender.lacking:
        return Answer(False)
    if not sender.pace.take(hook.gitlab, hook.project_id, sender.stop):
        return None
    client = sender.world.gitlabs[hook.gitlab]
    try:
        client.test_hook(hook.project_id, hook.id, event)
    except NotFoundError as error:
        hint = "before GitLab 16.11 only the button Test on the page Settings > Webhooks of the project does this"
        raise NotFoundError(error.server, error.reason, error.hint or hint, error.status) from None
    except ServerError as error:
        if error.status != 422:
            raise
        said = error.reason.partition(": ")[2] or error.reason
        if _NO_DATA in said:
            sender.lacking.add(place)
            return Answer(False, said)
        return Answer(True, said)
    return Answer(True)


def own_events(attributes: dict[str, Any]) -> Iterator[str]:
    """What a hook delivers and the plugin handles, the likeliest use first."""
    return (event for event in EVENTS if attributes.get(event) is True)


def _status(attributes: dict[str, Any]) -> str:
    return str(attributes.get("alert_status") or HEALTHY)


def _last_failure(hook: Hook, sender: Sender) -> Delivery | None:
    """The latest delivery where that failed, None where it did not, or nothing is known of any."""
    log = sender.world.gitlabs[hook.gitlab].hook_events(hook.project_id, hook.id, 1)
    latest = delivery_of(log[0]) if log else None
    return latest if latest is not None and latest.failed else None


def _harmless(hook: Hook, job: str, sender: Sender) -> Iterator[tuple[str, str]]:
    """Events that can start no build; none where the job or the project can't be read."""
    try:
        seen = read_job(sender.world.jenkins, job)
        branch = sender.world.gitlabs[hook.gitlab].project(hook.project_id).get("default_branch")
    except ConfiguratorError:
        return
    if is_multibranch(seen):  # a push has it look for branches, and builds what it finds (contract, fact 22)
        return
    if seen.disabled:
        yield from ((event, "the job is disabled") for event in EVENTS)
    else:
        yield from harmless_events(seen.trigger, branch and str(branch))


def _deliver(hook: Hook, event: str, what: str, sender: Sender, *, enabled: bool) -> tuple[Ending, str] | None:
    """How a test delivery ended; None where the project has nothing to make such an event of."""
    try:
        answer = send_test(hook, event, sender)
    except AnswerLostError:  # what GitLab shows afterwards tells
        answer = Answer(True)
    if answer is None:
        return Ending.SKIPPED, _STOPPED
    if not answer.sent:
        return None
    if answer.problem:
        still = "it still fails" if enabled else "GitLab keeps it disabled"
        return Ending.FAILED, f"{still}: the test delivery of {what} was answered: {answer.problem}"
    status = _status(sender.world.gitlabs[hook.gitlab].hook(hook.project_id, hook.id))
    if status != HEALTHY:
        return Ending.INCOMPLETE, f"the test delivery of {what} was sent, yet GitLab shows {status}: look again later"
    if enabled:
        return Ending.DONE, f"proven by a test delivery of {what}, which was answered 2xx"
    return Ending.DONE, f"enabled again by a test delivery of {what}"


def _deliver_with_risk(
    hook: Hook, job: str, attributes: dict[str, Any], failed: Delivery | None, sender: Sender
) -> tuple[Ending, str]:
    """The event the hook is for, where that is allowed."""
    shown, enabled = _shown(attributes, failed), failed is not None
    events = list(own_events(attributes))
    if not events:
        return Ending.INCOMPLETE, f"{shown}, and the hook delivers no event that Jenkins could answer"
    first = EVENTS[events[0]]
    if not sender.deliver:
        ends = "which stands until the next delivery" if enabled else "which only a delivery that is answered 2xx ends"
        return Ending.INCOMPLETE, (
            f"{shown}, {ends}, and a test delivery of a {first} may start a build of {job}: "
            f"{f'make a {first}, or ' if enabled else ''}if that may be, run again with --deliver"
        )
    for event in events:
        ended = _deliver(hook, event, f"a {EVENTS[event]}, which may have started a build", sender, enabled=enabled)
        if ended is not None:
            return ended
    told = f"{shown}, and the project has nothing to make a test delivery of: make the first {first}"
    return Ending.INCOMPLETE, told


def _shown(attributes: dict[str, Any], failed: Delivery | None) -> str:
    """What speaks against the hook in GitLab, for people."""
    if failed is not None:
        at = f" at {when(failed.at)}" if failed.at else ""
        return f"GitLab's log ends with a delivery that failed ({failed.status}{at})"
    until = attributes.get("disabled_until")
    return f"GitLab shows {_status(attributes)}{f' until {until}' if until else ''}"
