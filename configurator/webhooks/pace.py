"""GitLab's limit on test deliveries, kept rather than run into."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

DELIVERIES = 5
WINDOW = 60.0


def _wait(stop: threading.Event, seconds: float) -> object:
    return stop.wait(seconds)


class DeliveryPace:
    """At most five test deliveries in any minute for each project, whichever of its hooks (behaviour.md, 8).

    GitLab counts by project and user, the web pages included: where somebody else used the allowance up, it answers
    429, and the HTTP client waits and repeats. Many threads may share one.

    Args:
        clock: seconds, monotonic.
        wait: waits so many seconds, or until ``stop`` is set.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[threading.Event, float], object] = _wait,
    ) -> None:
        self._clock = clock
        self._wait = wait
        self._lock = threading.Lock()
        self._sent: dict[tuple[str, int], deque[float]] = {}

    def take(self, gitlab: str, project_id: int, stop: threading.Event) -> bool:
        """Wait for this project's turn, and count the delivery that follows.

        Args:
            gitlab: name of the gitlab entry.
            project_id: numeric id of the project.
            stop: ends the waiting.

        Returns:
            Whether the delivery may be sent; False once ``stop`` is set.
        """
        while not stop.is_set():
            with self._lock:
                left = self._left(self._sent.setdefault((gitlab, project_id), deque()))
            if left <= 0:
                return True
            self._wait(stop, left)
        return False

    def _left(self, sent: deque[float]) -> float:
        """Seconds until the next may go out; 0 = now, and it is counted."""
        now = self._clock()
        while sent and now - sent[0] >= WINDOW:
            sent.popleft()
        if len(sent) >= DELIVERIES:
            return WINDOW - (now - sent[0])
        sent.append(now)
        return 0.0
