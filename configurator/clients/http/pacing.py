"""When the next request may go out: back-off after a refusal, and slowing down before one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime

import requests

LONGEST_WAIT = 60.0
_NO_ADVICE = 60.0


class Pacer:
    """Spaces the requests of all workers that share one server.

    A server that tells how many requests are left (``RateLimit-Remaining``) is not run into its limit: when
    fewer are left than there are workers, requests are spread over the time until the reset.

    Args:
        workers: how many threads send at the same time.
        clock: seconds since the epoch.
        sleep: how to wait, seconds.
    """

    def __init__(
        self,
        workers: int,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._workers = workers
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next = 0.0
        self._gap = 0.0
        self._reset = 0.0

    def wait(self) -> None:
        """Return when this thread may send its next request."""
        with self._lock:
            now = self._clock()
            start = max(now, self._next)
            if start < self._reset:
                self._next = start + self._gap
            delay = start - now
        if delay > 0:
            self._sleep(delay)

    def hold(self, seconds: float) -> None:
        """Let nobody send for so long (at most :data:`LONGEST_WAIT`)."""
        with self._lock:
            self._next = max(self._next, self._clock() + min(seconds, LONGEST_WAIT))

    def observe(self, response: requests.Response) -> None:
        """Learn from the ``RateLimit-*`` headers of an answer."""
        remaining = _number(response.headers.get("RateLimit-Remaining"))
        if remaining is None:
            return
        left = _until_reset(response, self._clock())
        with self._lock:
            if left is None or left <= 0 or remaining >= self._workers:
                self._gap = 0.0
                return
            now = self._clock()
            self._gap = min(left / (remaining + 1), LONGEST_WAIT)
            self._reset = now + left
            self._next = max(self._next, now + self._gap)


def advised_wait(response: requests.Response, now: float) -> float:
    """Seconds that a 429 or 503 asks to wait: ``Retry-After`` (seconds or a date), else ``RateLimit-Reset``.

    Without either it is a minute, the window of GitLab's limits (contract, behaviour 12).
    """
    text = response.headers.get("Retry-After", "")
    seconds = _number(text)
    if seconds is None:
        seconds = _seconds_until(text, _server_time(response, now))
    if seconds is None:
        seconds = _until_reset(response, now)
    return max(1.0, seconds) if seconds is not None else _NO_ADVICE


def _until_reset(response: requests.Response, now: float) -> float | None:
    """Seconds until the limit's window ends, by the server's own clock where it tells it."""
    reset = _number(response.headers.get("RateLimit-Reset"))
    return None if reset is None else reset - _server_time(response, now)


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


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
