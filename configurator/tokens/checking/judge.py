"""What a token's record and GitLab's refusals mean, in words for people. Pure: no server, no clock."""

from __future__ import annotations

import re

from configurator.clients.gitlab.errors import Refusal, TokenRefusedError
from configurator.clients.gitlab.token_shape import TokenShape
from configurator.tokens.checking.evidence import READING, WARN_DAYS, TokenEvidence, TokenKind
from configurator.tokens.checking.gitlab_pages import Pages
from configurator.tokens.checks import Check, Verdict

_ENOUGH_FOR = {"api": {"api"}, "read_api": {"api", "read_api"}}
_HARMLESS = frozenset(
    ("api", "read_api", "read_user", "read_repository", "read_registry", "self_rotate", "openid", "profile", "email")
)
"""Scopes that allow nothing beyond ``api`` but what is harmless, or useful (``self_rotate``)."""
_HOOK_RIGHTS = "Webhook: Read, Create, Update, Delete and Test; Project: Read"
_REASONS = (
    (r"terms of service", "log in as that user and accept them: {0.terms}"),
    (r"pending (admin )?approval", "let an administrator approve the user: {0.users}?filter=blocked_pending_approval"),
    (r"block|banned", "let an administrator unblock the user ({0.users}?filter=blocked), or use another user's token"),
    (r"deactivated", "log in as that user with a browser at {0.url}, or let an administrator activate it: {0.users}"),
    (r"locked", "let an administrator unlock the user: {0.users}"),
    (r"password.*(expired|change)|(expired|change).*password", "set a new one as that user: {0.password}"),
    (r"two.?factor|2fa|mfa", "set it up as that user: {0.two_factor}"),
    (r"confirm", "confirm the user's mail address: {0.confirmation}"),
    (r"\bips?\b|address|location|network", "let an administrator allow this machine's address: {0.network_limits}"),
)


def judge_token(facts: TokenEvidence) -> Check:
    """What kind of token it is, whose, and whether it is alive."""
    record = facts.record or {}
    name = f" {record['name']!r}" if record.get("name") else ""
    user = f" of {facts.username}" if facts.username else ""
    belongs = f", which belongs to {_owner_words(facts)}" if facts.owner else ""
    what = f"{facts.kind}{name}{user}{belongs}"
    if record.get("revoked"):
        return _check(facts, "token", Verdict.FAIL, f"{what}: revoked", _new_one(facts))
    if record.get("active") is False and (facts.days_left is None or facts.days_left > 0):
        return _check(facts, "token", Verdict.FAIL, f"{what}: not active", _new_one(facts))
    if facts.refused is not None:
        return _withheld(facts, what)
    if facts.record is None and facts.kind is not TokenKind.OAUTH:
        evidence = f"{what}: GitLab accepts it; before 15.5 it tells nothing more about a token"
        return _check(facts, "token", Verdict.OK, evidence)
    return _check(facts, "token", Verdict.OK, f"{what}: active")


def judge_scopes(facts: TokenEvidence) -> Check:
    """Whether it may do what it is for, and not much more (contract, behaviour 16 and 17)."""
    need, scopes = facts.need, facts.scopes
    if facts.lacks:
        cure = f"its rights can't be changed: make another one that grants {_HOOK_RIGHTS}: {facts.page}"
        return _check(facts, "scopes", Verdict.FAIL, f"it lacks the {facts.lacks}", cure)
    if facts.granular or facts.refused is not None:
        evidence = "the rights of a fine-grained token can't be listed" if facts.granular else "its scopes are withheld"
        cure = f"see that it grants {_HOOK_RIGHTS}, on every project of the spec: {facts.page}"
        return _check(facts, "scopes", Verdict.UNKNOWN, evidence, cure)
    if scopes is None:
        cure = f"see that it has the scope {need.scope}: {facts.page}"
        return _check(facts, "scopes", Verdict.UNKNOWN, "GitLab does not tell its scopes", cure)
    have = f"the scope{'s' * (len(scopes) > 1)} {' '.join(scopes)}" if scopes else "no scope"
    if not _ENOUGH_FOR[need.scope] & set(scopes):
        evidence = f"it has {have}; it takes {need.scope} to {need.purpose}"
        cure = f"scopes can't be changed: {_new_one(facts, need.scope)}"
        return _check(facts, "scopes", Verdict.FAIL, evidence, cure)
    fitting = _HARMLESS - {"api"} if need is READING else _HARMLESS
    if facts.administrator:
        fitting |= {"admin_mode"}  # without it an administrator is none where Admin Mode is on
    extra = sorted(set(scopes) - fitting)
    if extra:
        evidence = f"it has {have}; {need.scope} alone is enough to {need.purpose}"
        cure = f"with the next token leave out {', '.join(extra)}: {facts.page}"
        return _check(facts, "scopes", Verdict.WARN, evidence, cure)
    return _check(facts, "scopes", Verdict.OK, " ".join(scopes))


def judge_expiry(facts: TokenEvidence) -> Check:
    """How long it lives. It dies at 00:00 UTC of the day it names (contract, behaviour 18)."""
    if facts.kind is TokenKind.OAUTH:
        return _oauth_expiry(facts)
    if facts.record is None:
        cure = f"see how long it lives: {facts.page}"
        return _check(facts, "expiry", Verdict.UNKNOWN, "GitLab does not tell when it expires", cure)
    expires, left = facts.expires_at, facts.days_left
    if left is None:
        return _check(facts, "expiry", Verdict.OK, "never expires")
    if left <= 0:
        when = "today" if left == 0 else f"{_days(-left)} ago"
        evidence = f"expired {when}, at 00:00 UTC of {expires}"
        return _check(facts, "expiry", Verdict.FAIL, evidence, _new_one(facts))
    evidence = f"expires in {_days(left)}, on {expires} at 00:00 UTC"
    cure = f"run `configurator token rotate`, or make another one: {facts.page}"
    if left < facts.min_days:
        return _check(facts, "expiry", Verdict.FAIL, f"{evidence}; {_days(facts.min_days)} are asked for", cure)
    return _check(facts, "expiry", Verdict.WARN if left < WARN_DAYS else Verdict.OK, evidence, cure)


def judge_refused(
    error: TokenRefusedError, subject: str, pages: Pages, shape: TokenShape, *, bearer: bool = False
) -> Check:
    """Why GitLab does not let a token in.

    Args:
        error: its refusal.
        subject: what the check is about.
        pages: of the instance.
        shape: what the token looks like.
        bearer: it is known to be an OAuth token.
    """
    evidence, cure = _REFUSALS[error.refusal]
    cure = cure.format(pages)
    if bearer:
        cure = "take access again: run `configurator connect gitlab`"
    if error.refusal is Refusal.UNKNOWN and shape.other and not bearer:
        evidence = f"GitLab does not know the token, which looks like {shape.other}"
        cure = f"use a personal, project or group access token instead: {pages.personal_tokens}"
    elif error.refusal is Refusal.UNKNOWN and shape.cut:
        evidence = "GitLab does not know the token, which is shorter than access tokens are"
        cure = f"copy it again, whole; or make another one: {pages.personal_tokens}"
    elif error.refusal is Refusal.ACCOUNT:
        evidence, cure = f"GitLab refuses the token's user: {error.said}", _reason_cure(error.said, pages)
    return Check(subject, "token", Verdict.FAIL, evidence, cure)


_REFUSALS = {
    Refusal.EXPIRED: (
        "the token has expired",
        "make another one, and put it where the spec takes the token from: {0.personal_tokens}, or Settings > Access "
        "tokens of its project or group",
    ),
    Refusal.REVOKED: (
        "the token was revoked",
        "make another one, and put it where the spec takes the token from: {0.personal_tokens}, or Settings > Access "
        "tokens of its project or group; after a rotation that was cut short: `configurator token rotate --resume`",
    ),
    Refusal.UNKNOWN: (
        "GitLab does not know the token",
        "see that it was copied whole, and on this GitLab; or make another one: {0.personal_tokens}",
    ),
    Refusal.IMPERSONATION: (
        "the token is an impersonation token, and this GitLab has impersonation switched off",
        "make a token of the user's own: {0.personal_tokens}",
    ),
    Refusal.ACCOUNT: ("", ""),
}


def _reason_cure(said: str, pages: Pages) -> str:
    for pattern, cure in _REASONS:
        if re.search(pattern, said, re.IGNORECASE):
            return cure.format(pages)
    return f"log in as that user with a browser, and see what GitLab asks for: {pages.url}"


def _withheld(facts: TokenEvidence, what: str) -> Check:
    """GitLab asks for a fine-grained right where any token may look at itself."""
    if facts.powerless:
        evidence = (
            "GitLab grants the token nothing: either only fine-grained tokens are let in here, "
            "or it is one that lacks every right that was asked for"
        )
        cure = (
            f"make a fine-grained token that grants {_HOOK_RIGHTS}, Personal Access Token: Read and User: Read: "
            f"{facts.page}"
        )
        return _check(facts, "token", Verdict.FAIL, evidence, cure)
    cure = f"grant Personal Access Token: Read with the next one, so that its end is seen coming: {facts.page}"
    return _check(facts, "token", Verdict.UNKNOWN, f"{what}: it works, and may not look at itself", cure)


def _oauth_expiry(facts: TokenEvidence) -> Check:
    seconds = (facts.oauth or {}).get("expires_in")
    if seconds is None:
        return _check(facts, "expiry", Verdict.OK, "an OAuth token lives two hours; configurator renews it in time")
    minutes = max(0, int(seconds)) // 60
    return _check(facts, "expiry", Verdict.OK, f"it lives {minutes} minutes more; configurator renews it in time")


def _owner_words(facts: TokenEvidence) -> str:
    return f"{facts.owner}{f' ({facts.owner_path})' if facts.owner_path else ''}"


def _new_one(facts: TokenEvidence, scope: str = "") -> str:
    wanted = f" with {scope}" if scope else ""
    return f"make another one{wanted}, and put it where the spec takes the token from: {facts.page}"


def _days(number: int) -> str:
    return f"{number} day" if number == 1 else f"{number} days"


def _check(facts: TokenEvidence, check: str, verdict: Verdict, evidence: str, cure: str = "") -> Check:
    return Check(facts.subject, check, verdict, evidence, "" if verdict is Verdict.OK else cure)
