"""GitLab's version, as something to compare with."""

from __future__ import annotations

import re

Release = tuple[int, ...]

ALWAYS: Release = (0,)
NEVER: Release = (9999,)
OLDEST: Release = (15, 0)


def parse_release(text: str) -> Release:
    """``18.5.0-ee`` as ``(18, 5, 0)``; suffixes are left aside.

    Raises:
        ValueError: not a version, or older than what the contract describes.
    """
    found = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?(?:[-+.].*)?$", text)
    if found is None:
        raise ValueError(f"{text!r} is not a GitLab version such as 18.5.0")
    release = tuple(int(part) for part in found.groups(default="0"))
    if release < OLDEST:
        raise ValueError(f"GitLab {text} is older than 15.0, the oldest one that can be embedded")
    return release
