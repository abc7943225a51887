"""What is known of a GitLab before any token counts: the way there, its certificate, its version. Pure."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from configurator.clients.gitlab.errors import Barrier, NoSuchPathError, NotTheApiError
from configurator.clients.http.failures import TlsError
from configurator.errors import NotFoundError, ServerError
from configurator.tokens.checks import Check, Verdict
from configurator.world.survey import release_of

LACKS: tuple[tuple[tuple[int, int], str], ...] = (
    ((15, 5), "tokens tell nothing about themselves, so their end can't be seen coming"),
    ((16, 0), "tokens can't be rotated"),
    ((16, 6), "rotation takes no expiry date"),
    ((16, 7), "it does not say where a project has moved"),
    ((16, 10), "project and group tokens can't rotate themselves"),
    ((17, 1), "webhooks have no description, so that the mark stands in their URL"),
    ((17, 3), "the log of deliveries can't be read"),
)
"""What an older version lacks of all that is used, with the first that has it (contract, behaviour 21)."""
_GOOD_ENOUGH = (16, 10)  # what came later is convenience


def judge_reachable(subject: str, url: str, version: str | None) -> Check:
    """A GitLab that answers: which, and where."""
    parts = urlsplit(url)
    host = "GitLab.com" if parts.hostname == "gitlab.com" else "self-managed"
    below = f", below the path {parts.path}" if parts.path else ""
    what = f"GitLab {version}" if version else "GitLab"
    return Check(subject, "reachable", Verdict.OK, f"{what} answers at {url} ({host}{below})")


def judge_unreachable(error: ServerError, subject: str, url: str) -> Check:
    """Why no GitLab answers at an address."""
    if isinstance(error, TlsError):
        return Check(subject, "tls", Verdict.FAIL, f"{url}: {error.reason}", error.hint)
    if isinstance(error, NotTheApiError):
        return _barrier(error, subject, url)
    if isinstance(error, NotFoundError):
        said = error.said if isinstance(error, NoSuchPathError) else ""
        return _other(subject, url, "404", said)
    if error.status == 429:
        evidence = f"{url} answers, and limits the rate of requests"
        cure = "run this again in some minutes; ask an administrator for a higher limit where it happens often"
        return Check(subject, "reachable", Verdict.UNKNOWN, evidence, cure)
    if error.status == 400 and "https port" in error.reason.lower():
        cure = "write https:// instead of http:// into the spec"
        return Check(subject, "reachable", Verdict.FAIL, f"{url} is a port for https", cure)
    cure = error.hint or f"look at {url} with a browser"
    return Check(subject, "reachable", Verdict.FAIL, f"{url}: {error.reason}", cure)


def _barrier(error: NotTheApiError, subject: str, url: str) -> Check:
    said = f" ({error.said})" if error.said else ""
    if error.barrier is Barrier.FIREWALL:
        evidence = f"a firewall or proxy before {url} refuses with 403{said}; GitLab never saw the request"
        cure = "let whoever runs it allow the address of this machine"
    elif error.barrier is Barrier.LOGIN:
        evidence = f"a login page stands before {url}{said}; GitLab was not asked"
        cure = f"let whoever runs it pass {url}/api/v4 on without a login: GitLab asks for the token itself"
    elif error.barrier is Barrier.HTTPS:
        evidence = f"{url} redirects to https; the token was not sent there"
        cure = f"write https{url.removeprefix('http')} into the spec"
    elif error.barrier is Barrier.ELSEWHERE:
        evidence = f"{url} redirects to {error.said}; the token was not sent there"
        cure = "write the address that GitLab really has into the spec"
    else:
        return _other(subject, url, str(error.status or ""), error.said)
    return Check(subject, "reachable", Verdict.FAIL, evidence, cure)


def _other(subject: str, url: str, status: str, said: str) -> Check:
    shown = ", ".join(part for part in (status, said) if part)
    evidence = f"what answers at {url}/api/v4 is not GitLab's API ({shown})"
    cure = "write the address of GitLab's start page into the spec, with the path below the host if it has one"
    return Check(subject, "reachable", Verdict.FAIL, evidence, cure)


def judge_tls(subject: str, url: str, *, verified: bool) -> Check:
    """How the way to a server that answers is protected.

    Args:
        verified: its certificate has to be trusted.
    """
    parts = urlsplit(url)
    if parts.scheme != "https":
        if _is_local(parts.hostname or ""):
            return Check(subject, "tls", Verdict.OK, "no TLS; nothing leaves this machine")
        cure = "have the server take https, and write https:// into the spec"
        return Check(subject, "tls", Verdict.WARN, "no TLS: whoever listens on the way reads the token", cure)
    if not verified:
        cure = "name the authority's PEM file in `ca_file`, and take out `ssl_verification: false`"
        return Check(subject, "tls", Verdict.WARN, "its TLS certificate is not verified", cure)
    return Check(subject, "tls", Verdict.OK, "its TLS certificate is trusted")


def judge_version(subject: str, version: str | None) -> Check:
    """What an older GitLab lacks of what is used."""
    if version is None:
        cure = "nothing has to be done: what is used shows itself as it is used"
        return Check(subject, "version", Verdict.UNKNOWN, "the token may not ask for GitLab's version", cure)
    release = release_of(version)
    lacking = [(since, what) for since, what in LACKS if release < since]
    if not lacking:
        return Check(subject, "version", Verdict.OK, f"{version} has all that is used")
    evidence = f"{version}: {'; '.join(what for _, what in lacking)}"
    if release >= _GOOD_ENOUGH:
        return Check(subject, "version", Verdict.OK, evidence)
    newest = ".".join(str(part) for part in lacking[-1][0])
    return Check(subject, "version", Verdict.WARN, evidence, f"update GitLab, best to {newest} or later")


def judge_frozen(error: ServerError, subject: str) -> Check | None:
    """Whether a refused write says that GitLab takes none at all (contract, behaviour 13); None = it does not."""
    if error.status == 503 and "maintenance mode" in error.reason:
        cure = "wait until the maintenance is over"
        return Check(subject, "writes", Verdict.WARN, "GitLab is in maintenance mode: it can be read only", cure)
    if error.status == 403 and "read-only" in error.reason:
        cure = "write the address of the primary site into the spec"
        return Check(subject, "writes", Verdict.FAIL, "this GitLab is read-only: it changes nothing", cure)
    return None


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
