"""How a hook changes: resets, normalisation, and what the model refuses (contract, behaviour 1, 3, 4 and 7)."""

from __future__ import annotations

import base64
import binascii
import copy
import re
from collections.abc import Mapping

from configurator.sandbox.gitlab.answers import ApiError, error
from configurator.sandbox.gitlab.hook_fields import FLAGS
from configurator.sandbox.gitlab.model import JSON, Hook
from configurator.sandbox.gitlab.release import Release
from configurator.sandbox.gitlab.repository import valid_ref_name
from configurator.sandbox.gitlab.urls import UrlRules, fill, variable_names

Errors = dict[str, list[str]]

CREATE_SERVICE_SINCE: Release = (17, 0)
REASONS_SHOWN_SINCE: Release = (19, 0)
_TOKEN_WIPED_BY_EVERY_PUT = ((15, 6), (16, 0))

_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*([._-][A-Za-z0-9]+)*")
_VARIABLE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*([._-][A-Za-z0-9]+)*")
_NOT_RE2 = re.compile(r"\(\?(=|!|<=|<!)|\\[1-9]")
_FLAG_NAMES = frozenset(flag.name for flag in FLAGS)
_MAX_FILTER, _MAX_TEMPLATE, _MAX_NAME, _MAX_DESCRIPTION = 4000, 4096, 255, 2048
_MAX_PAIRS, _MAX_HEADER_VALUE, _MAX_VARIABLE_VALUE = 20, 2048, 100


def changed(hook: Hook, changes: JSON, release: Release, *, new: bool = False) -> Hook:
    """A copy of ``hook`` with ``changes``, and with what GitLab resets along with them.

    - the token goes when the URL changes and no token comes along (on some 15.x with every change);
    - custom headers go when the filled-in URL changes, even those that come along;
    - URL variables go when the filled-in URL changes and its template uses one of the same names.
    """
    result = copy.deepcopy(hook)
    for name, value in changes.items():
        if name in _FLAG_NAMES:
            result.flags[name] = value
        elif name in ("url_variables", "custom_headers"):
            setattr(result, name, {**getattr(hook, name), **value})
        else:
            setattr(result, name, value)
    _normalise_filter(result)
    if new:
        return result
    wiped_anyway = _TOKEN_WIPED_BY_EVERY_PUT[0] <= release < _TOKEN_WIPED_BY_EVERY_PUT[1]
    if result.url != hook.url or wiped_anyway:
        result.token = changes.get("token")
        if result.url != hook.url:
            result.signing_token = changes.get("signing_token")
    if fill(hook.url, hook.url_variables) != fill(result.url, result.url_variables):
        result.custom_headers = {}
        if variable_names(hook.url) & variable_names(result.url):
            result.url_variables = {}
    return result


def _normalise_filter(hook: Hook) -> None:
    if hook.branch_filter_strategy == "all_branches":
        hook.push_events_branch_filter = None
    elif hook.branch_filter_strategy == "wildcard" and hook.push_events_branch_filter:
        hook.push_events_branch_filter = re.sub(r" +", " ", hook.push_events_branch_filter).strip()


def errors_of(hook: Hook, rules: UrlRules) -> Errors:
    """What the model has against ``hook``, by field; empty = it may be saved."""
    errors: Errors = {}
    url = fill(hook.url, hook.url_variables)
    reason = "is invalid" if url is None else rules.refusal(url)
    if reason:
        errors["url"] = [reason if url is None else f"is blocked: {reason}"]
    if hook.push_events_branch_filter and not _filter_is_valid(hook):
        errors["push_events_branch_filter"] = ["is invalid"]
    if re.search(r"[\r\n]", hook.token or ""):
        errors["token"] = ["is invalid"]
    if hook.signing_token and not _signing_token_is_valid(hook.signing_token):
        errors["signing_token"] = ["is invalid"]
    for name, limit in (
        ("name", _MAX_NAME),
        ("description", _MAX_DESCRIPTION),
        ("custom_webhook_template", _MAX_TEMPLATE),
    ):
        if len(getattr(hook, name) or "") > limit:
            errors[name] = [f"is too long (maximum is {limit} characters)"]
    if not _pairs_are_valid(hook.url_variables, _VARIABLE_NAME, _MAX_VARIABLE_VALUE):
        errors["url_variables"] = ["must be a valid json schema"]
    if not _pairs_are_valid(hook.custom_headers, _HEADER_NAME, _MAX_HEADER_VALUE):
        errors["custom_headers"] = ["must be a valid json schema"]
    return errors


def _pairs_are_valid(pairs: Mapping[str, str], name: re.Pattern[str], longest: int) -> bool:
    return len(pairs) <= _MAX_PAIRS and all(
        name.fullmatch(key) and 1 <= len(value) <= longest for key, value in pairs.items()
    )


def _filter_is_valid(hook: Hook) -> bool:
    value = hook.push_events_branch_filter or ""
    if len(value) > _MAX_FILTER:
        return False
    if hook.branch_filter_strategy == "regex":
        try:
            re.compile(value)
        except re.error:
            return False
        return not _NOT_RE2.search(value)
    return valid_ref_name(value.replace("*", "x"))


def _signing_token_is_valid(value: str) -> bool:
    try:
        key = base64.b64decode(value.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return False
    return value.startswith("whsec_") and len(key) == 32


def refusal(errors: Errors, release: Release, *, creating: bool) -> ApiError:
    """The answer to a hook that can't be saved, in the shape of that version and verb."""
    if "url" in errors:
        return error(422, "Invalid url given")
    if "push_events_branch_filter" in errors:
        return error(422, "Invalid branch filter given")
    if creating and release >= CREATE_SERVICE_SINCE:
        field, texts = next(iter(errors.items()))
        sentence = texts[0] if field == "base" else f"{field.replace('_', ' ').capitalize()} {texts[0]}"
        return error(422, sentence)
    if "custom_headers" in errors:
        reasons = f": {', '.join(errors['custom_headers'])}" if release >= REASONS_SHOWN_SINCE else ""
        return error(422, f"Custom headers validation failed{reasons}")
    return ApiError(422, {"message": errors})


def branch_passes(hook: Hook, branch: str) -> bool:
    """Whether a push to ``branch`` fires ``hook``."""
    value = hook.push_events_branch_filter
    if not value or hook.branch_filter_strategy == "all_branches":
        return True
    if hook.branch_filter_strategy == "regex":
        return re.search(value, branch) is not None
    return re.fullmatch(".*".join(re.escape(part) for part in value.split("*")), branch) is not None
