"""Counting requests: the global throttle and the limits of single endpoints (contract, behaviour 8 and 12)."""

from __future__ import annotations

import math
from email.utils import formatdate

from configurator.sandbox.gitlab.settings import Clock, Limit, Settings
from configurator.sandbox.server import Response

THROTTLE_NAME = "throttle_authenticated_api"
_MINUTE = 60


class Limiter:
    """Counts per key in fixed windows of time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: dict[tuple[str, object], tuple[int, int]] = {}

    def over(self, name: str, key: object, limit: Limit | None) -> bool:
        """Count one request; whether it is one too many."""
        if limit is None or not limit.requests:
            return False
        return self.count(name, key, limit.seconds) > limit.requests

    def count(self, name: str, key: object, seconds: int) -> int:
        """Count one request; the number so far in the present window."""
        window = int(self._clock().timestamp()) // seconds
        seen_window, seen = self._counts.get((name, key), (window, 0))
        number = seen + 1 if seen_window == window else 1
        self._counts[name, key] = (window, number)
        return number


def throttle(limiter: Limiter, settings: Settings, clock: Clock, key: object) -> Response | None:
    """The answer of the global throttle, None when the request may pass."""
    if settings.rate_limit is None:
        return None
    observed = limiter.count(THROTTLE_NAME, key, _MINUTE)
    if observed <= settings.rate_limit:
        return None
    now = clock().timestamp()
    reset = (int(now) // _MINUTE + 1) * _MINUTE
    headers = {
        "Content-Type": "text/plain",
        "RateLimit-Name": THROTTLE_NAME,
        "RateLimit-Limit": str(settings.rate_limit),
        "RateLimit-Observed": str(observed),
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": str(reset),
        "RateLimit-ResetTime": formatdate(reset, usegmt=True),
        "Retry-After": str(max(1, math.ceil(reset - now))),
    }
    return Response(429, settings.rate_limit_text, headers)
