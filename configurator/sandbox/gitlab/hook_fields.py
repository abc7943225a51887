"""The fields of a project hook: which version takes and shows which, and what is read from a request."""

from __future__ import annotations

from typing import Any, NamedTuple

from configurator.sandbox.gitlab.answers import error
from configurator.sandbox.gitlab.model import JSON, Hook
from configurator.sandbox.gitlab.params import Params
from configurator.sandbox.gitlab.release import ALWAYS, NEVER, Release
from configurator.sandbox.gitlab.settings import Settings

BRANCH_FILTER_STRATEGIES = ("wildcard", "regex", "all_branches")


class Flag(NamedTuple):
    """One kind of event a hook can be fired by.

    Attributes:
        name: field name.
        taken_since, shown_since: first versions that read it from a request and show it in an answer.
        default: when a request to create leaves it out.
        enterprise: known to Enterprise Edition only.
    """

    name: str
    taken_since: Release = ALWAYS
    shown_since: Release = ALWAYS
    default: bool | None = False
    enterprise: bool = False


FLAGS = (
    Flag("push_events", default=True),
    Flag("tag_push_events"),
    Flag("merge_requests_events"),
    Flag("repository_update_events", taken_since=NEVER),
    Flag("issues_events"),
    Flag("confidential_issues_events"),
    Flag("note_events"),
    Flag("confidential_note_events", default=None),
    Flag("pipeline_events"),
    Flag("wiki_page_events"),
    Flag("deployment_events"),
    Flag("feature_flag_events", shown_since=(17, 0)),
    Flag("job_events"),
    Flag("releases_events"),
    Flag("milestone_events", (18, 0), (18, 0)),
    Flag("emoji_events", (16, 2), (16, 2)),
    Flag("resource_access_token_events", (16, 11), (16, 11)),
    Flag("resource_deploy_token_events", (19, 0), (19, 0)),
    Flag("vulnerability_events", (18, 0), (18, 0), enterprise=True),
    Flag("duo_flow_callback_enabled", (19, 4), (19, 4)),
)

NAMES_SINCE: Release = (17, 1)
TEMPLATE_SINCE: Release = (16, 10)
STRATEGY_SINCE: Release = (15, 2)
URL_VARIABLES_SINCE: Release = (15, 2)
CUSTOM_HEADERS_SINCE: Release = (17, 1)
LIST_WITHOUT_KEYS_SINCE: Release = (17, 0)
SECRETS_SHOWN_SINCE: Release = (19, 0)


def known_flags(release: Release, enterprise: bool) -> tuple[Flag, ...]:
    """The flags that a server of that version reads from requests."""
    return tuple(flag for flag in FLAGS if release >= flag.taken_since and (enterprise or not flag.enterprise))


def default_flags() -> dict[str, bool | None]:
    """The flags of a hook that was created with a URL only."""
    return {flag.name: flag.default for flag in FLAGS}


def read_changes(params: Params, release: Release, settings: Settings, *, enterprise: bool) -> JSON:
    """The hook fields of a request, those this version does not know left aside without a word.

    Raises:
        ApiError: 400, something has a wrong type.
    """
    changes: JSON = {}
    for flag in known_flags(release, enterprise):
        if flag.name in params:
            changes[flag.name] = params.boolean(flag.name)
    if "enable_ssl_verification" in params:
        changes["enable_ssl_verification"] = params.boolean("enable_ssl_verification")
    for name, since in _texts(settings).items():
        if release >= since and name in params:
            changes[name] = params.text(name, nullable=name != "url")
    if release >= STRATEGY_SINCE and "branch_filter_strategy" in params:
        changes["branch_filter_strategy"] = params.choice("branch_filter_strategy", BRANCH_FILTER_STRATEGIES)
    for name, since in (("url_variables", URL_VARIABLES_SINCE), ("custom_headers", CUSTOM_HEADERS_SINCE)):
        if release >= since and name in params:
            changes[name] = params.pairs(name)
    params.check()
    if changes.get("duo_flow_callback_enabled") and "duo_flow_callback_hooks" not in settings.feature_flags:
        raise error(400, "duo_flow_callback_enabled is invalid")
    if changes.get("branch_filter_strategy", "") is None:
        del changes["branch_filter_strategy"]
    return changes


def _texts(settings: Settings) -> dict[str, Release]:
    signing = SECRETS_SHOWN_SINCE if "webhook_signing_token" in settings.feature_flags else NEVER
    return {
        "url": ALWAYS,
        "token": ALWAYS,
        "push_events_branch_filter": ALWAYS,
        "name": NAMES_SINCE,
        "description": NAMES_SINCE,
        "custom_webhook_template": TEMPLATE_SINCE,
        "signing_token": signing,
    }


def show_hook(hook: Hook, release: Release, status: JSON, *, enterprise: bool, keys: bool) -> JSON:
    """A hook as the API shows it: no secret, of variables and headers the names only.

    Args:
        status: ``alert_status`` and ``disabled_until``.
        keys: with the names of URL variables and custom headers (they are left out of lists).
    """
    shown: JSON = {"id": hook.id, "url": hook.url}
    if release >= NAMES_SINCE:
        shown |= {"name": hook.name, "description": hook.description}
    shown |= {"created_at": hook.created_at, "project_id": hook.project_id}
    for flag in FLAGS:
        if release >= flag.shown_since and (enterprise or not flag.enterprise):
            shown[flag.name] = hook.flags.get(flag.name, flag.default)
    shown["enable_ssl_verification"] = hook.enable_ssl_verification
    shown |= status
    shown["push_events_branch_filter"] = hook.push_events_branch_filter
    if release >= STRATEGY_SINCE:
        shown["branch_filter_strategy"] = hook.branch_filter_strategy
    if release >= TEMPLATE_SINCE:
        shown["custom_webhook_template"] = hook.custom_webhook_template
    if release >= URL_VARIABLES_SINCE and keys:
        shown["url_variables"] = _key_list(hook.url_variables)
    if release >= CUSTOM_HEADERS_SINCE and keys:
        shown["custom_headers"] = _key_list(hook.custom_headers)
    if release >= SECRETS_SHOWN_SINCE:
        shown |= {"token_present": bool(hook.token), "signing_token_present": bool(hook.signing_token)}
    return shown


def _key_list(pairs: dict[str, Any]) -> list[dict[str, str]]:
    return [{"key": key} for key in pairs]
