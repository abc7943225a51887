"""A webhook of ours beside what the spec wants and what its job holds. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from configurator.hook_url import shown_url
from configurator.kinds.hook_body import HookBody, observed_hook, resolve_hook
from configurator.kinds.webhook import WebhookKind
from configurator.marks import fingerprint, hook_token
from configurator.model import Field, Resource
from configurator.webhooks.filters import MERGE_REQUEST, reacts_to
from configurator.webhooks.model import JobSeen
from configurator.webhooks.reach import Reached
from configurator.webhooks.terms import Terms

_KIND = WebhookKind()


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found.

    Attributes:
        texts: one for each difference, for people.
        refused: the job would not accept the token that the hook sends, as far as that is known.
    """

    texts: tuple[str, ...] = ()
    refused: bool = False

    @property
    def evidence(self) -> str:
        """All of it, or empty where nothing differs."""
        return "; ".join(self.texts)


def compare(
    one: Reached, wanted: Resource[HookBody] | None, terms: Terms, owner: str, salt: str, *, known: bool, stale: bool
) -> Comparison:
    """Compare a hook that carries our mark.

    Args:
        one: the hook and its job, which is no multibranch project.
        wanted: what the spec asks for, for this very project; None where it does not.
        terms: of its gitlab entry.
        owner: name of the spec.
        salt: hex; keys the digests of tokens in this run.
        known: the job's token and trigger were read, which takes Administer.
        stale: something is wrong with its address, which is told elsewhere.
    """
    texts: list[str] = []
    other_key = False
    if terms.secret is not None:
        if wanted is not None:
            fields = _fields(one, wanted, terms, owner)
            texts += _told(fields, stale)
            other_key = any(field.path == "token" for field in fields)
        else:
            key = fingerprint(terms.secret, hook_token(terms.secret, one.hook.project_id, one.target.job))
            other_key = one.mark is not None and one.mark.key != key
            texts += ["the fingerprint in its mark is that of another token"] if other_key else []
    refused = False
    if known:
        token_text = _token(one, terms, salt)
        refused = bool(token_text) and one.target.seen.token is not None
        texts += [text for text in (token_text, _trigger(one, in_the_spec=wanted is not None)) if text]
    return Comparison(tuple(texts), refused or other_key)


def _fields(one: Reached, wanted: Resource[HookBody], terms: Terms, owner: str) -> Sequence[Field]:
    """Exactly what a plan would show."""
    assert terms.secret is not None
    hook = one.hook
    resolved = resolve_hook(wanted, hook.project_id, hook.attributes, terms.describes_hooks, owner, terms.secret)
    return _KIND.differences(
        resolved, observed_hook(wanted.key, hook.gitlab, hook.project, one.target.job, hook.attributes)
    )


def _told(fields: Sequence[Field], stale: bool) -> list[str]:
    paths = {field.path for field in fields}
    # A mark that names another token differs too, in the description or in the URL: that is said once.
    hidden = {"description", "url"} if "token" in paths else set()
    hidden |= {"url"} if stale else set()
    hidden |= {"branch_filter_strategy"} if "push_events_branch_filter" in paths else set()
    return [_sentence(field) for field in fields if field.path not in hidden]


def _sentence(field: Field) -> str:
    if field.path.endswith("_events"):
        what = f"{field.path.removesuffix('_events').removesuffix('s').replace('_', ' ')} events"
        if field.after == "true":
            return f"{what} are off in GitLab, the job wants them"
        return f"{what} are on in GitLab, nothing asks for them"
    if field.path == "push_events_branch_filter":
        return f"its branch filter is {field.before or 'none'}, the spec wants {field.after or 'none'}"
    if field.path == "branch_filter_strategy":
        return f"its branch filter is read as {field.before}, the spec wants {field.after}"
    if field.path == "enable_ssl_verification":
        if field.after == "true":
            return "GitLab does not verify Jenkins' certificate, the spec wants it to"
        return "GitLab verifies Jenkins' certificate, the spec wants it not to"
    if field.path == "url":
        before, after = shown_url(field.before or ""), shown_url(field.after or "")
        return f"its URL is {before}, the spec wants {after}"
    if field.path == "token":
        return f"its token is not the one that the spec wants (fingerprints {field.before}, {field.after})"
    return f"its {field.path} is written otherwise than the spec wants it"


def _token(one: Reached, terms: Terms, salt: str) -> str:
    seen = one.target.seen
    if terms.secret is None or seen.trigger is None:
        return ""
    if seen.token is None:
        return "the job's trigger holds no secret token"
    derived = hook_token(terms.secret, one.hook.project_id, one.target.job).digest(bytes.fromhex(salt))
    return "" if seen.token == derived else "the job holds another token, so Jenkins answers 401"


def _trigger(one: Reached, *, in_the_spec: bool) -> str:
    seen = one.target.seen
    if seen.trigger is None:
        return "the job has no GitLab trigger, so nothing is built"
    if in_the_spec or any(_may_build(seen, event) for event in one.hook.events):
        return ""
    return "the job's trigger reacts to nothing that it delivers"


def _may_build(seen: JobSeen, event: str) -> bool:
    assert seen.trigger is not None
    forced = event == MERGE_REQUEST and seen.trigger.get("labelsThatForcesBuildIfAdded", "").strip()
    return bool(forced) or reacts_to(seen.trigger, event).passes is not False
