"""URLs of webhooks as they stand in GitLab, where people and older programs wrote some of them."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit


def job_of(url: str, roots: Iterable[str]) -> str | None:
    """Full name of the job that a hook's URL means, None where it is not below one of ``roots``.

    Scheme, user info, query, letter case of the host and trailing slashes are put aside.
    """
    try:
        there = urlsplit(url)
    except ValueError:  # GitLab holds URLs that were never valid
        return None
    path = unquote(there.path).rstrip("/")
    for root in roots:
        here = urlsplit(root)
        prefix = unquote(here.path).rstrip("/") + "/project/"
        if (here.hostname, _port(here)) == (there.hostname, _port(there)) and path.startswith(prefix):
            return path.removeprefix(prefix) or None
    return None


def _port(url: SplitResult) -> int | None:
    """The port where it is not the scheme's own, else None; -1, which no root has, for what is no number."""
    try:
        port = url.port
    except ValueError:
        return -1
    return None if port in (80, 443) else port


def mask_user_info(url: str) -> str:
    """``url`` with user name and password replaced by stars."""
    try:
        split = urlsplit(url)
    except ValueError:
        return "(a URL that can't be read)"
    if "@" not in split.netloc:
        return url
    return urlunsplit(split._replace(netloc="***@" + split.netloc.rpartition("@")[2]))
