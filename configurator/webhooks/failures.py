"""Why deliveries of a webhook failed, in words, with the cure where there is one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby

from configurator.webhooks.model import HEALTHY, Delivery, Hook

NO_ANSWER = "internal error"
"""What GitLab notes where there was no answer (behaviour.md, 8)."""

_PAUSED = "temporarily_disabled"
_SHOWN = 5

_CAUSES = {
    "401": "Jenkins refuses the token (or the user in the URL)",
    "403": "the job has no secret token, so Jenkins demands a user with Job/Build",
    "404": "Jenkins knows no such job at that address",
    "409": "a multibranch project takes pushes only",
    "500": "the plugin failed on the event: Jenkins' log tells",
    NO_ANSWER: (
        "GitLab got no answer: look whether Jenkins is up, whether its name resolves and its certificate is trusted "
        "there, and whether GitLab's administrator allows requests to the local network"
    ),
}


def failure(hook: Hook, deliveries: Sequence[Delivery]) -> str:
    """Why a hook counts as failing, or empty when it does not.

    GitLab disabled it (behaviour.md, 6), or the latest delivery failed. GitLab does not tell when a hook was last
    changed, so that a failure stands until the next delivery, whatever was mended since.

    Args:
        hook: the hook.
        deliveries: the latest first; empty where the log was not read.
    """
    log = _log(deliveries)
    if hook.alert_status == HEALTHY:
        if not deliveries or not deliveries[0].failed:
            return ""
        failed = sum(one.failed for one in deliveries)
        return f"{failed} of the last {_counted(len(deliveries))} failed: {log}"
    until = str(hook.attributes.get("disabled_until") or "")
    how = f"until {when(until)}" if hook.alert_status == _PAUSED and until else "for now"
    text = f"GitLab disabled it {how if hook.alert_status == _PAUSED else 'for good'} after failed deliveries"
    return f"{text}{': ' + log if log else ''}"


def when(moment: str) -> str:
    """A time for people, such as ``2026-11-20 21:14 UTC``; what is no time stays as it is."""
    try:
        read = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _log(deliveries: Sequence[Delivery]) -> str:
    """``2 × 503 (from … to …), internal error (…): cause``, the latest first, or empty without a failed one."""
    runs = [list(same) for _, same in groupby(deliveries, key=lambda one: one.status)]
    failed = [same for same in runs if same[0].failed]
    if not failed:
        return ""
    statuses = ", ".join(_run(same) for same in failed[:_SHOWN]) + (", …" if len(failed) > _SHOWN else "")
    return f"{statuses}: {cause(failed[0][0].status)}"


def _run(same: Sequence[Delivery]) -> str:
    """Deliveries, one after the other, that were answered alike: how often, with what, and when."""
    status = same[0].status
    number = f"{len(same)} × {status}" if len(same) > 1 else status
    moments = [when(one.at) for one in same if one.at]
    if not moments:
        return f"{number} (GitLab does not tell when)"
    latest, oldest = moments[0], moments[-1]
    return f"{number} ({latest})" if latest == oldest else f"{number} (from {oldest} to {latest})"


def cause(status: str) -> str:
    """What a delivery that was answered so most likely failed of."""
    if status in _CAUSES:
        return _CAUSES[status]
    if status.startswith("5"):
        return f"Jenkins, or the proxy before it, was not available ({status})"
    return f"whatever answers at that address says {status}"


def _counted(number: int) -> str:
    return "1 delivery" if number == 1 else f"{number} deliveries"
