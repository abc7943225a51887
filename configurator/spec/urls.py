"""Addresses in the spec."""

from __future__ import annotations

from urllib.parse import urlsplit


def url_problem(url: str) -> str | None:
    """What is wrong with the root URL of a server, or None. The answer never holds the URL itself."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return "is no URL"
    if parts.scheme not in ("http", "https"):
        return "must begin with http:// or https://"
    if parts.username is not None or parts.password is not None:
        return "holds a user name or password: credentials do not belong in a URL"
    if not parts.hostname or any(character.isspace() for character in url):
        return "is no URL"
    if parts.query or parts.fragment or url.endswith(("?", "#")):
        return "holds a query (?) or fragment (#): only the root of the server belongs here"
    return None


def clone_url_problem(url: str) -> str | None:
    """What is wrong with a clone address: white space, or a password. ``git@host:path`` is fine."""
    if not url or any(character.isspace() for character in url):
        return "is no clone address"
    try:
        parts = urlsplit(url)
    except ValueError:
        return "is no clone address"
    with_user = parts.username is not None and parts.scheme in ("http", "https")
    if parts.password is not None or with_user:
        return "holds a user name or password: credentials do not belong in a URL"
    return None


def same_server(url: str) -> str:
    """What two root URLs of one server have in common, however they are written. ``url`` is a valid one."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{parts.hostname}:{port}{parts.path.rstrip('/')}"


def root_url(url: str) -> str:
    """The URL without a slash at its end."""
    return url.rstrip("/")
