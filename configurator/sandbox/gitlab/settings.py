"""What an administrator of the instance can set, and the limits that come with its version."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from configurator.sandbox.gitlab.release import Release

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The real time; tests put a clock of their own in its place."""
    return datetime.now(UTC)


class Limit(NamedTuple):
    """``requests`` in ``seconds``; 0 requests = no limit."""

    requests: int
    seconds: int


@dataclass
class Settings:
    """Switches of the embedded instance; change them at any time.

    Attributes:
        allow_local_requests: hooks may call private addresses (contract, behaviour 5).
        allow_list: hosts, addresses, ranges and host:port let through all the same.
        dns: host name → address the instance resolves it to, None = can't be resolved. Other names count as
            public, except ``*.invalid``.
        auto_disable: failing hooks are paused and switched off; off on self-managed by default.
        maintenance, read_only, silent_mode: the instance's modes of these names.
        rate_limit: requests per minute and user of the global throttle; None = off.
        rate_limit_text: what the throttle answers.
        endpoint_limits: per-endpoint limits by name (``projects``, ``project``, ``group_projects``,
            ``hook_test``, ``hook_resend``).
        hook_limit: hooks a project may have, 0 = any number.
        offset_limit: how far offset paging reaches on resources that know keyset paging, 0 = anywhere.
        token_expiry_required: new tokens need an expiry date.
        token_days: longest life of a token, days.
        admin_mode: administrators need the scope ``admin_mode``.
        impersonation: impersonation tokens are let in.
        enforce_fine_grained: legacy tokens are refused.
        feature_flags: names of those that are on.
        push_event_hooks_limit: a push of more refs than this fires nothing.
        webhook_timeout: seconds.
        ip_refusal: reason given to every caller, as where its address is not allowed; None = all may come.
        resource_token_limit: active tokens a project or group may have; None = any number.
        oauth_token_seconds: how long OAuth access tokens live.
        refresh_revokes_on_use: the old pair lives on until the new access token is first used.
        loopback_any_port: redirect URIs on loopback are compared without their port.
        device_interval: seconds between two polls of the device flow.
        device_refresh_tokens: the device flow gives refresh tokens too.
        external_url: root URL shown in links and paging, when it is not the one that is listened on.
    """

    allow_local_requests: bool = True
    allow_list: list[str] = field(default_factory=list)
    dns: dict[str, str | None] = field(default_factory=dict)
    auto_disable: bool = False
    maintenance: bool = False
    read_only: bool = False
    silent_mode: bool = False
    rate_limit: int | None = None
    rate_limit_text: str = "Retry later\n"
    endpoint_limits: dict[str, Limit] = field(default_factory=dict)
    hook_limit: int = 100
    offset_limit: int = 50_000
    token_expiry_required: bool = True
    token_days: int = 365
    admin_mode: bool = False
    impersonation: bool = True
    enforce_fine_grained: bool = False
    feature_flags: set[str] = field(default_factory=set)
    push_event_hooks_limit: int = 3
    webhook_timeout: float = 10.0
    ip_refusal: str | None = None
    resource_token_limit: int | None = None
    oauth_token_seconds: int = 7200
    refresh_revokes_on_use: bool = False
    loopback_any_port: bool = False
    device_interval: int = 5
    device_refresh_tokens: bool = False
    external_url: str | None = None


def settings_for(release: Release) -> Settings:
    """The defaults of a fresh instance of that version (contract, behaviour 8, 12 and 18)."""
    settings = Settings(token_expiry_required=release >= (16, 0))
    per_minute = Limit(5, 60) if release >= (17, 1) else Limit(3, 60)
    settings.endpoint_limits = {"hook_test": per_minute, "hook_resend": per_minute}
    if release >= (18, 1):
        settings.endpoint_limits |= {
            "projects": Limit(2000, 600),
            "projects_anonymous": Limit(400, 600),
            "project": Limit(400, 60),
            "group_projects": Limit(600, 60),
        }
    if release >= (17, 3):
        settings.feature_flags.add("oauth2_device_grant_flow")
    if release >= (19, 0):
        settings.feature_flags.add("webhook_signing_token")
        settings.feature_flags.add("rate_limiting_headers_for_unthrottled_requests")
    return settings
