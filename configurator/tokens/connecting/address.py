"""From what people paste to the root URL of a GitLab: a profile page, a project, a clone address, a bare host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from configurator.clients.http import Http, hide_query
from configurator.clients.http.failures import redirect_target
from configurator.clients.redaction import Redactor
from configurator.errors import InputError, Problem

_SSH = re.compile(r"^(?:ssh://)?(?:[^@/\s]+@)(?P<host>[^:/\s]+)(?::\d+)?[:/](?P<path>\S*)$")
_TOKEN = re.compile(r"gl[a-z]{2,7}-[0-9A-Za-z_.-]{16,}$")
_ROUTE = "/api/v4/version"
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
    if _TOKEN.match(text):
        hint = "give the address; the token is asked for. This one stands in your shell's history now: revoke it"
        raise InputError([Problem("that is a token, not the address of a GitLab", hint=hint)])
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
            [Problem(f"{_shown(pasted)!r} is no address of a GitLab", hint="paste it from the browser's address bar")]
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
    elsewhere = ""
    for root in candidates:
        http = Http("GitLab", root, timeout=timeout, verify=verify)
        try:
            found = _ask(http)
        finally:
            http.close()
        if found == root or _is_same_with_tls(found, root):
            return found
        elsewhere = elsewhere or found
    hint = "give the address of its start page, with the path below the host if it has one"
    if elsewhere:
        hint = f"it redirects to {elsewhere}: give that address if you trust it"
    raise InputError([Problem(f"no GitLab answers at {' or '.join(candidates)}", hint=hint)])


def _prefixes(path: str) -> Iterator[str]:
    """The empty path, then the path's first segment, first two, …: an instance lives rarely deep."""
    yield ""
    parts = [part for part in path.split("/") if part]
    for end in range(1, min(len(parts), 3) + 1):
        yield "/" + "/".join(parts[:end])


def _ask(http: Http) -> str:
    """The root of the API that answers here: it knows its own route, and says so in JSON.

    Returns:
        The root URL, another one where this redirects to it, empty where there is none.
    """
    response = http.send("GET", _ROUTE, follow=False)
    target = redirect_target(response)
    if target is not None:
        address = target.partition("?")[0]
        return address.removesuffix(_ROUTE) if address.endswith(_ROUTE) else ""
    try:
        document = response.json()
    except ValueError:
        return ""
    if not isinstance(document, dict):
        return ""
    refused = response.status_code in (401, 403) and bool({"message", "error"} & set(document))
    return http.url if refused or (response.status_code == 200 and "version" in document) else ""


def _is_same_with_tls(found: str, root: str) -> bool:
    """Whether a redirect leads only from http to https: another host must be named by the person."""
    there, here = urlsplit(found), urlsplit(root)
    upgraded = (here.scheme, there.scheme) == ("http", "https")
    return upgraded and (there.hostname, there.path) == (here.hostname, here.path)


def _shown(pasted: str) -> str:
    """What was pasted, without anything that may be secret."""
    return hide_query(Redactor().clean(pasted.strip()))
