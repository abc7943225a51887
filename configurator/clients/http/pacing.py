"""When the next request may go out: back-off after a refusal, and slowing down before one."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import requests

from configurator.clients.http.advice import number, until_reset

_WORTH_TELLING = 2.0
_ABOUT_THE_SAME = 2.0
_LONGEST_WINDOW = 3600.0
_WINDOW = 60.0
_NOTHING = 0.001


class Announcer:
    """Tells a person about long waits: one sentence for each, however many workers wait.

    Args:
        tell: takes the sentence.
        clock: seconds since the epoch.
    """

    def __init__(self, tell: Callable[[str], None], clock: Callable[[], float] = time.time) -> None:
        self._tell = tell
        self._clock = clock
        self._lock = threading.Lock()
        self._told = 0.0

    def about(self, seconds: float, words: str, until: float | None = None) -> None:
        """Tell of a wait, unless it is short or was told of.

        Args:
            seconds: how long.
            words: the sentence; ``{until}`` in it becomes the time of day.
            until: end of what the sentence is about, seconds since the epoch; None = the end of the wait.
        """
        until = self._clock() + seconds if until is None else until
        with self._lock:
            if seconds < _WORTH_TELLING or until <= self._told + _ABOUT_THE_SAME:
                return
            self._told = until
        self._tell(words.format(until=datetime.fromtimestamp(until).astimezone().strftime("%H:%M:%S")))


@dataclass(slots=True)
class _Window:
    """One of the server's limits: what is left of it, and until when.

    Attributes:
        stamp: the window's end as the server writes it, which tells one window from the next.
        reset: the same by our clock, never too early.
        remaining: requests left, by the answer that told of the fewest.
        limit: requests in a whole window, None = unknown.
        next: when the last of the requests that are spread goes out.
        guessed: no answer of this window has come yet.
    """

    stamp: float
    reset: float
    remaining: float
    limit: float | None
    next: float = 0.0
    guessed: bool = False

    def learn(self, other: _Window) -> _Window:
        """What is known after another answer. Answers overtake each other: the fewest left is the latest."""
        if other.stamp > self.stamp:
            return other
        if other.stamp == self.stamp and not self.guessed:
            self.reset = min(self.reset, other.reset)
            self.remaining = min(self.remaining, other.remaining)
        return self

    def renew(self, now: float) -> None:
        """Begin the next window where this one is over: full again, and a minute long (contract, behaviour 12)."""
        if self.reset <= now:
            self.reset += _WINDOW * (1 + (now - self.reset) // _WINDOW)
            self.remaining = math.inf if self.limit is None else self.limit
            self.next, self.guessed = 0.0, True

    def slot(self, earliest: float, taken: int, workers: int) -> float:
        """When a further request may go out.

        Args:
            earliest: not before.
            taken: requests on their way: the server may not have counted them yet.
            workers: how many may be on their way at once.
        """
        left = self.remaining - taken
        if left >= workers:
            return earliest
        if left <= 0:
            return self.reset
        start = max(earliest, self.next)
        self.next = start + max(0.0, self.reset - start) / (left + 1)
        return self.next


class Pacer:
    """Spaces the requests of all workers that share one server.

    A server that tells how many requests are left (``RateLimit-Remaining``, contract, behaviour 12) is not run into
    its limit: when no more are left than the workers may have on their way, the rest is spread over the time until
    the reset. Each :meth:`take` is to be followed by a :meth:`done`.

    Args:
        workers: how many threads send at the same time.
        clock: seconds since the epoch.
        sleep: how to wait, seconds; what it raises breaks the wait off.
        announcer: hears of long waits.
    """

    def __init__(
        self, workers: int, clock: Callable[[], float], sleep: Callable[[float], None], announcer: Announcer
    ) -> None:
        self._workers = workers
        self._clock = clock
        self._sleep = sleep
        self._announcer = announcer
        self._lock = threading.Lock()
        self._held = 0.0
        self._taken = 0
        self._windows: dict[str, _Window] = {}

    def take(self) -> None:
        """Return when this thread may send its next request."""
        with self._lock:
            now = self._clock()
            start, slowed_by = self._slot(now)
            self._taken += 1
        if slowed_by is not None:
            left = f"{slowed_by.remaining:.0f}" if slowed_by.remaining > 0 else "no"
            words = f"{left} requests are left until {{until}}, slowing down"
            self._announcer.about(start - now, words, slowed_by.reset)
        try:
            self._wait(start)
        except BaseException:
            self.done(None)
            raise

    def done(self, response: requests.Response | None) -> None:
        """The request is over; None = without an answer."""
        with self._lock:
            self._taken -= 1
            if response is not None:
                self._learn(response)

    def hold(self, seconds: float) -> None:
        """Let nobody send for so long."""
        with self._lock:
            self._held = max(self._held, self._clock() + seconds)
        self._announcer.about(seconds, f"asks to wait {seconds:.0f} s, until {{until}}")

    def _slot(self, now: float) -> tuple[float, _Window | None]:
        """When the next request may go out, and the limit that makes it wait."""
        start, slowed_by = max(now, self._held), None
        for window in self._windows.values():
            window.renew(start)
            slot = window.slot(start, self._taken, self._workers)
            if slot > start:
                start, slowed_by = slot, window
        return start, slowed_by

    def _wait(self, start: float) -> None:
        """Sleep until ``start``, and on while others are told to hold."""
        while (left := max(start, self._held) - self._clock()) > _NOTHING:
            self._sleep(left)

    def _learn(self, response: requests.Response) -> None:
        remaining = number(response.headers.get("RateLimit-Remaining"))
        stamp = number(response.headers.get("RateLimit-Reset"))
        now = self._clock()
        left = until_reset(response, now)
        if remaining is None or stamp is None or left is None or not 0 < left <= _LONGEST_WINDOW:
            return
        name = response.headers.get("RateLimit-Name", "")
        found = _Window(stamp, now + left, remaining, number(response.headers.get("RateLimit-Limit")))
        known = self._windows.get(name)
        self._windows[name] = known.learn(found) if known else found
