"""From what people paste to the root URL of a GitLab: a profile page, a project, a clone address, a bare host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from configurator.clients.http import Http
from configurator.errors import InputError, Problem

_SSH = re.compile(r"^(?:ssh://)?(?:[^@/\s]+@)(?P<host>[^:/\s]+)(?::\d+)?[:/](?P<path>\S*)$")
_PAGES = re.compile(r"/(?:-|api/v\d+|oauth|users|groups|explore|dashboard|admin|help)(?:/|$)")
"""Where an instance's own pages begin: what stands before is at most the instance's path and a project."""


def root_urls(pasted: str) -> list[str]:
    """Root URLs that ``pasted`` may mean, the likeliest first: its host, then longer and longer paths below it.

    Args:
        pasted: such as ``gitlab.example.com/``, ``https://gitlab.com/alice``, ``git@gitlab.example.com:shop/pay.git``.

    Raises:
        InputError: there is no host in it.
    """
    text = pasted.strip().strip("<>\"'")
    ssh = _SSH.match(text) if not text.lower().startswith(("http:", "https:")) else None
    if ssh:
        text = f"https://{ssh['host']}/{ssh['path']}"
    elif "://" not in text:
        text = f"https://{text}"
    try:
        split = urlsplit(text)
        usable = split.scheme.lower() in ("http", "https") and bool(split.hostname) and (split.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or " " in text:
        raise InputError(
            [Problem(f"{pasted.strip()!r} is no address of a GitLab", hint="paste it from the browser's address bar")]
        )
    host = split.netloc.rpartition("@")[2].lower()
    path = _PAGES.split(split.path, maxsplit=1)[0]
    return [f"{split.scheme.lower()}://{host}{prefix}" for prefix in _prefixes(path)]


def find_root(pasted: str, *, timeout: float = 10.0, verify: bool | str = True) -> str:
    """The root URL of the GitLab that ``pasted`` lies in, found by asking without any token.

    The API answers 401 in its own JSON where it is, whatever else the host serves.

    Args:
        pasted: see :func:`root_urls`.
        timeout: seconds for each question.
        verify: as for :class:`Http`.

    Raises:
        InputError: there is no host in it, or no GitLab at any of the addresses.
        UnreachableError: the host does not answer.
    """
    candidates = root_urls(pasted)
    for root in candidates:
        with_slash = Http("GitLab", root, timeout=timeout, verify=verify)
        try:
            if _is_gitlab(with_slash):
                return root
        finally:
            with_slash.close()
    raise InputError(
        [
            Problem(
                f"no GitLab answers at {' or '.join(candidates)}",
                hint="give the address of its start page, with the path below the host if it has one",
            )
        ]
    )


def _prefixes(path: str) -> Iterator[str]:
    """The empty path, then the path's first segment, first two, …: an instance lives rarely deep."""
    yield ""
    parts = [part for part in path.split("/") if part]
    for end in range(1, min(len(parts), 3) + 1):
        yield "/" + "/".join(parts[:end])


def _is_gitlab(http: Http) -> bool:
    """Whether this is the root of GitLab's API: it knows its own route, and says so in JSON."""
    response = http.send("GET", "/api/v4/version", follow=False)
    try:
        document = response.json()
    except ValueError:
        return False
    if not isinstance(document, dict):
        return False
    if response.status_code == 200:
        return "version" in document
    return response.status_code in (401, 403) and bool({"message", "error"} & set(document))
