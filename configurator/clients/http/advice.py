"""How long an answer asks to wait, and what is left of its server's limit."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime

import requests

_NO_ADVICE = 60.0


def advised_wait(response: requests.Response, now: float) -> float:
    """Seconds that a 429 or 503 asks to wait: ``Retry-After`` (seconds or a date), else ``RateLimit-Reset``.

    Without either it is a minute, the window of most of GitLab's limits (contract, behaviour 12).

    Args:
        response: the answer.
        now: seconds since the epoch.
    """
    text = response.headers.get("Retry-After", "")
    seconds = number(text)
    if seconds is None:
        seconds = _seconds_until(text, _server_time(response, now))
    if seconds is None:
        seconds = until_reset(response, now)
    return max(1.0, seconds) if seconds is not None else _NO_ADVICE


def until_reset(response: requests.Response, now: float) -> float | None:
    """Seconds until the limit's window ends, by the server's own clock where it tells it; None = unknown."""
    reset = number(response.headers.get("RateLimit-Reset"))
    return None if reset is None else reset - _server_time(response, now)


def number(text: str | None) -> float | None:
    """The number in a header, None where there is none."""
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _server_time(response: requests.Response, now: float) -> float:
    seconds = _seconds_until(response.headers.get("Date", ""), 0.0)
    return now if seconds is None else seconds


def _seconds_until(date: str, now: float) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp() - now
