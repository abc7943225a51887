"""The mark of ownership, and what is derived from the webhook secret.

The marks are the only state there is: a mark is the last line of a description (jobs, folders, views,
credentials, webhooks from GitLab 17.1 on), or the query of a webhook's URL on older GitLab.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from configurator.secret import Secret

OWNER_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
MARK_PREFIX = "Managed by configurator ("

_MARK = re.compile(
    rf"Managed by configurator \((?P<owner>{OWNER_PATTERN})\)"
    r"(?: gitlab=(?P<gitlab>\S+) project=(?P<project>\d+))?(?: key=(?P<key>[0-9a-f]{8}))?"
)


@dataclass(frozen=True, slots=True)
class Mark:
    """Who owns a thing, and what the thing alone must remember.

    Attributes:
        owner: ``name`` of the spec.
        gitlab: for a job with a webhook, the GitLab connection's name.
        project: for a job with a webhook, the numeric id of its GitLab project.
        key: for credentials and webhooks, the fingerprint of the secret they hold, 8 hex digits.
    """

    owner: str
    gitlab: str | None = None
    project: int | None = None
    key: str | None = None

    def __str__(self) -> str:
        text = f"{MARK_PREFIX}{self.owner})"
        if self.gitlab is not None and self.project is not None:
            text += f" gitlab={self.gitlab} project={self.project}"
        if self.key is not None:
            text += f" key={self.key}"
        return text


def read_mark(description: str | None) -> Mark | None:
    """The mark in the last non-empty line of ``description``, or None."""
    last = (description or "").strip().rpartition("\n")[2]
    found = _MARK.fullmatch(last.strip())
    if found is None:
        return None
    project = found["project"]
    return Mark(found["owner"], found["gitlab"], int(project) if project else None, found["key"])


def strip_mark(description: str | None) -> str:
    """``description`` without its mark line and without white space at its ends."""
    text = (description or "").strip()
    if read_mark(text) is None:
        return text
    return text.rpartition("\n")[0].strip()  # line breaks of other kinds are the author's own


def with_mark(description: str | None, mark: Mark) -> str:
    """``description`` with ``mark`` as its last line, any earlier mark replaced."""
    text = strip_mark(description)
    return f"{text}\n{mark}" if text else str(mark)


def read_url_mark(url: str) -> Mark | None:
    """The mark in a webhook URL's query (``?configurator=OWNER&key=FP``), or None."""
    try:
        query = parse_qs(urlsplit(url).query)
    except ValueError:  # GitLab holds URLs that were never valid
        return None
    owner = query.get("configurator", [""])[0]
    if not re.fullmatch(OWNER_PATTERN, owner):
        return None
    key = query.get("key", [""])[0]
    return Mark(owner, key=key if re.fullmatch("[0-9a-f]{8}", key) else None)


def with_url_mark(url: str, mark: Mark) -> str:
    """``url`` with its query replaced by the mark, for GitLab before 17.1."""
    query = {"configurator": mark.owner, **({"key": mark.key} if mark.key else {})}
    return urlunsplit(urlsplit(url)._replace(query=urlencode(query)))


def fingerprint(webhook_secret: Secret | None, value: Secret) -> str | None:
    """First 8 hex digits of HMAC-SHA256(webhook secret, "configurator/v1 fingerprint\\n" + value).

    None without a webhook secret: an unkeyed digest of a guessable password in a readable description
    would give the password away.
    """
    if not webhook_secret:
        return None
    message = f"configurator/v1 fingerprint\n{value.reveal()}"
    return hmac.new(webhook_secret.reveal().encode(), message.encode(), hashlib.sha256).hexdigest()[:8]


def hook_token(webhook_secret: Secret, project_id: int, job: str) -> Secret:
    """The token of the webhook between a GitLab project and a job, derivable at any time.

    Args:
        webhook_secret: the key from the spec.
        project_id: GitLab's numeric project id.
        job: the job's full name, such as ``payments/MAIN-Build-payments``.
    """
    message = f"configurator/v1\n{project_id}\n{job}"
    return Secret(hmac.new(webhook_secret.reveal().encode(), message.encode(), hashlib.sha256).hexdigest())
