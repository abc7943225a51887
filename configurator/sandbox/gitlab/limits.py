"""Counting requests: the global throttle and the limits of single endpoints (contract, behaviour 8 and 12)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from email.utils import formatdate

from configurator.sandbox.gitlab.settings import Clock, Limit, Settings
from configurator.sandbox.server import Response

THROTTLE_NAME = "throttle_authenticated_api"
HEADERS_FLAG = "rate_limiting_headers_for_unthrottled_requests"
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


@dataclass(frozen=True, slots=True)
class Throttle:
    """The global throttle, after one request was counted.

    Attributes:
        limit: requests per minute.
        observed: requests in this minute, this one too.
        now, reset: seconds since the epoch; the next minute begins at ``reset``.
        text: what is answered to a request too many.
    """

    limit: int
    observed: int
    now: float
    reset: int
    text: str

    @property
    def exceeded(self) -> bool:
        """This request is one too many."""
        return self.observed > self.limit

    @property
    def headers(self) -> dict[str, str]:
        """What it tells; with the time, as the proxy before a real instance does."""
        return {
            "Date": formatdate(self.now, usegmt=True),
            "RateLimit-Name": THROTTLE_NAME,
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Observed": str(self.observed),
            "RateLimit-Remaining": str(max(0, self.limit - self.observed)),
            "RateLimit-Reset": str(self.reset),
            "RateLimit-ResetTime": formatdate(self.reset, usegmt=True),
        }

    def refusal(self) -> Response:
        """The answer to a request too many."""
        after = str(max(1, math.ceil(self.reset - self.now)))
        return Response(429, self.text, {"Content-Type": "text/plain", **self.headers, "Retry-After": after})


def throttle(limiter: Limiter, settings: Settings, clock: Clock, key: object) -> Throttle | None:
    """Count a request of ``key``; None where there is no throttle."""
    if settings.rate_limit is None:
        return None
    observed = limiter.count(THROTTLE_NAME, key, _MINUTE)
    now = clock().timestamp()
    reset = (int(now) // _MINUTE + 1) * _MINUTE
    return Throttle(settings.rate_limit, observed, now, reset, settings.rate_limit_text)
