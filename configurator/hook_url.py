"""URLs of webhooks as they stand in GitLab, where people and older programs wrote some of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit


@dataclass(frozen=True, slots=True)
class Reading:
    """One job that a hook's URL may mean.

    Attributes:
        job: full name, decoded.
        works: the plugin's endpoint understands the URL so. False: written in the form of an item's page
            (``/job/a/job/b``, also below ``/project``), which the endpoint answers with 404 (contract, fact 22).
    """

    job: str
    works: bool = True


@dataclass(frozen=True, slots=True)
class Address:
    """What a URL below one of Jenkins' root URLs says.

    Attributes:
        root: the root URL it is below, as it was given.
        current: that root is the present one, rather than a former address.
        readings: the jobs it may mean, likeliest first; empty where it names no job.
        other: what it calls beside a job's endpoint (``/github-webhook/``, ``/job/x/build``), or empty.
        scheme: ``http`` or ``https``, in lower case.
        expected_scheme: the root's.
    """

    root: str
    current: bool
    readings: tuple[Reading, ...]
    other: str
    scheme: str
    expected_scheme: str

    @property
    def job(self) -> str | None:
        """Full name of the job that it means most likely."""
        return self.readings[0].job if self.readings else None


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


def shown_url(url: str) -> str:
    """``url`` for people: user info and the values of query fields that sound like a secret masked."""
    return mask_user_info(url)
