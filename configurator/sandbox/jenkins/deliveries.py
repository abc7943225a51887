"""What is remembered of each webhook that came in, for the page and for tests."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request to ``/project/…``.

    Attributes:
        path: decoded path below ``/project/``.
        event: the ``X-Gitlab-Event`` header, empty without one.
        status: what was answered.
        outcome: what came of it, in words.
        build: number of the build it started, or None.
        time: seconds since 1970.
    """

    path: str
    event: str
    status: int
    outcome: str
    build: int | None = None
    time: float = field(default_factory=time.time)
