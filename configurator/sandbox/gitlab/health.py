"""Pausing and switching off hooks that fail (contract, behaviour 6)."""

from __future__ import annotations

from datetime import datetime, timedelta

from configurator.sandbox.gitlab.model import JSON, Hook, from_iso, iso
from configurator.sandbox.gitlab.release import Release

_FREE_FAILURES = 3
_LAST_FAILURE = 40
_LONGEST_PAUSE = timedelta(days=1)
ALIKE_SINCE: Release = (17, 11)


def succeeded(status: str) -> bool:
    """Whether a delivery with that response status counts as a success (2xx and 3xx do)."""
    return status.isdigit() and 200 <= int(status) < 400


def record(hook: Hook, status: str, now: datetime, release: Release) -> None:
    """Note how a delivery ended."""
    if succeeded(status):
        hook.failures, hook.disabled_until, hook.disabled = 0, None, False
        return
    hook.failures += 1
    if hook.failures <= _FREE_FAILURES:
        return
    client_error = status.isdigit() and 400 <= int(status) < 500
    for_good = hook.failures >= _LAST_FAILURE if release >= ALIKE_SINCE else client_error
    if for_good:
        hook.disabled, hook.disabled_until = True, None
        return
    exponent = min(hook.failures - _FREE_FAILURES - 1, 20)
    hook.disabled_until = iso(now + min(timedelta(minutes=2**exponent), _LONGEST_PAUSE))


def alert(hook: Hook, now: datetime, auto_disable: bool) -> JSON:
    """``alert_status`` and ``disabled_until`` of ``hook``."""
    if auto_disable and hook.disabled:
        return {"alert_status": "disabled", "disabled_until": None}
    if auto_disable and hook.disabled_until and from_iso(hook.disabled_until) > now:
        return {"alert_status": "temporarily_disabled", "disabled_until": hook.disabled_until}
    return {"alert_status": "executable", "disabled_until": None}


def executable(hook: Hook, now: datetime, auto_disable: bool) -> bool:
    """Whether events are delivered to ``hook`` at present."""
    return bool(alert(hook, now, auto_disable)["alert_status"] == "executable")
