"""A webhook as it is wanted and as it is, in the same words; pure, for plans and for the `webhooks` commands alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from configurator.hook_url import shown_url
from configurator.marks import Mark, fingerprint, hook_token, read_mark, read_url_mark, with_mark, with_url_mark
from configurator.model import Field, Key, Resource
from configurator.secret import MASK, Secret

WEBHOOK = "webhook"
"""Name of the kind."""

# What every GitLab since 15.0 knows. Newer flags are set to false only where a hook shows them to be true.
BASE_FLAGS = (
    "push_events",
    "tag_push_events",
    "merge_requests_events",
    "issues_events",
    "confidential_issues_events",
    "note_events",
    "confidential_note_events",
    "job_events",
    "pipeline_events",
    "wiki_page_events",
    "deployment_events",
    "releases_events",
)
_NOT_SETTABLE = "repository_update_events"


@dataclass(frozen=True, slots=True)
class HookBody:
    """A webhook.

    Attributes:
        gitlab: name of the gitlab entry.
        project: path of the project, as the spec names it.
        job: full name of the job it starts.
        project_id: numeric id, None until it is known.
        hook_id: id of the hook, None for one to be made.
        attributes: as GitLab's API names them: url, description, flags, filter, SSL setting; never the token.
        mark: the mark it carries, or shall carry.
        token: wanted: the secret it sends.
        former: wanted: full name that the job had before the spec renamed it, or None.
    """

    gitlab: str
    project: str
    job: str
    attributes: Mapping[str, Any]
    project_id: int | None = None
    hook_id: int | None = None
    mark: Mark | None = None
    token: Secret | None = None
    former: str | None = None


def webhook_key(gitlab: str, project: str, job: str) -> Key:
    """Key of a webhook: ``<gitlab>:<project path> -> <job full name>``."""
    return Key(WEBHOOK, f"{gitlab}:{project} -> {job}")


def hook_mark(attributes: Mapping[str, Any]) -> Mark | None:
    """The mark of a hook as GitLab shows it: in its description, or (before GitLab 17.1) in its URL."""
    return read_mark(attributes.get("description")) or read_url_mark(str(attributes["url"]))


def observed_hook(key: Key, gitlab: str, project: str, job: str, attributes: Mapping[str, Any]) -> Resource[HookBody]:
    """A hook that was found, as a resource.

    Args:
        key: the key that it answers to.
        gitlab: name of the gitlab entry.
        project: path of the project.
        job: full name of the job that its URL means.
        attributes: the hook as GitLab shows it, with ``id`` and ``project_id``.
    """
    mark = hook_mark(attributes)
    body = HookBody(gitlab, project, job, dict(attributes), int(attributes["project_id"]), int(attributes["id"]), mark)
    return Resource(key, body, owner=mark.owner if mark else None, after=(Key("job", job),))


def resolve_hook(
    wanted: Resource[HookBody],
    project_id: int,
    found: Mapping[str, Any] | None,
    describes_hooks: bool,
    owner: str,
    secret: Secret,
) -> Resource[HookBody]:
    """A wanted hook with token, mark, and every flag that this GitLab knows set one way or the other.

    Args:
        wanted: as :meth:`configurator.kinds.webhook.WebhookKind.desired` gives it.
        project_id: numeric id of its project.
        found: the hook that it shall become, as GitLab shows it: what people wrote into its description stays, and
            flags that only a newer GitLab has are switched off. None for a hook to be made.
        describes_hooks: hooks have a description that can carry the mark (from 17.1 on); else it goes into the URL.
        owner: name of the spec.
        secret: the key that tokens are derived from.
    """
    body = wanted.body
    token = hook_token(secret, project_id, body.job)
    mark = Mark(owner, key=fingerprint(secret, token))
    attributes = dict(body.attributes)
    for flag in found or ():
        if flag.endswith("_events") and flag not in attributes and flag != _NOT_SETTABLE:
            attributes[flag] = False
    resolved = replace(body, attributes=attributes, project_id=project_id, mark=mark, token=token)
    if not describes_hooks:
        return wanted.with_body(marked_by_url(resolved))
    attributes["description"] = with_mark((found or {}).get("description"), mark)
    return wanted.with_body(resolved)


def marked_by_url(body: HookBody) -> HookBody:
    """The hook with its mark in the URL instead of the description."""
    attributes = {name: value for name, value in body.attributes.items() if name != "description"}
    assert body.mark is not None
    return replace(body, attributes={**attributes, "url": with_url_mark(attributes["url"], body.mark)})


def hook_payload(body: HookBody) -> dict[str, Any]:
    """What is sent: always the URL and always the token, since a new URL wipes it (behaviour.md, 3)."""
    assert body.token is not None
    return {**body.attributes, "token": body.token.reveal()}


def hook_differences(wanted: HookBody, existing: HookBody) -> Sequence[Field]:
    """What differs between a resolved hook and the one that is there; the token by the fingerprint in its mark."""
    there, wished = _plain(existing.attributes), _plain(wanted.attributes)
    fields = [
        Field(name, _show(name, existing.attributes[name]), _show(name, wanted.attributes[name]))
        for name in wanted.attributes
        if name in there and there[name] != wished[name]
    ]
    before, after = (body.mark.key if body.mark else None for body in (existing, wanted))
    if before != after:
        fields.append(Field("token", _shown_token(before), _shown_token(after), secret=True))
    return fields


def _plain(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """One form for what GitLab shows in several: null and empty, null and false, no filter in three ways."""
    plain = dict(attributes)
    for name, value in attributes.items():
        if name.endswith("_events"):
            plain[name] = bool(value)
        elif name in ("push_events_branch_filter", "description"):
            plain[name] = (value or "").strip()
    if not plain.get("push_events_branch_filter") and "branch_filter_strategy" in plain:
        plain["branch_filter_strategy"] = "all_branches"
    return plain


def _shown_token(key: str | None) -> str:
    """A token for people: by the fingerprint in its mark."""
    return f"{MASK} {key}" if key else MASK


def _show(name: str, value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return None
    return shown_url(str(value)) if name == "url" else str(value)
