"""One request to a hook's receiver, and what the log keeps of it (contract, behaviour 8 and 9)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import ipaddress
import json
import re
import ssl
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from configurator.sandbox.gitlab.hook_fields import CUSTOM_HEADERS_SINCE
from configurator.sandbox.gitlab.model import JSON, Hook
from configurator.sandbox.gitlab.release import Release
from configurator.sandbox.gitlab.urls import UrlRules, fill, user_info, without_user_info

REDACTED = "[REDACTED]"
INTERNAL_ERROR = "internal error"
_MAX_PAYLOAD = 25 * 1024 * 1024
_MAX_BODY, _MAX_HEADERS, _MAX_HEADER = 8 * 1024, 50, 1024

INSTANCE_SINCE: Release = (15, 5)
WEBHOOK_UUID_SINCE: Release = (16, 2)
IDEMPOTENCY_SINCE: Release = (17, 4)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request ready to be sent.

    Attributes:
        url: variables filled in, without user info.
        refused: why it must not be sent, or None.
    """

    url: str
    headers: dict[str, str]
    logged_headers: dict[str, str]
    body: bytes
    connect_to: str
    verify: bool
    timeout: float
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a delivery ended. ``status``: the receiver's, or ``internal error``; ``body`` is then the reason."""

    status: str
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the receiver answered 2xx."""
        return self.status.isdigit() and 200 <= int(self.status) < 300


def prepare(
    hook: Hook,
    event: str,
    data: JSON,
    key: str,
    release: Release,
    rules: UrlRules,
    instance: str,
    timestamp: int,
) -> Outgoing:
    """The request that delivers ``data`` to ``hook``.

    Args:
        event: value of X-Gitlab-Event, such as ``Push Hook``.
        key: idempotency key, the same when a delivery is sent again.
        instance: root URL of the instance.
        timestamp: Unix time, signed where there is a signing token.
    """
    url = fill(hook.url, hook.url_variables) or hook.url
    body = _render(hook, data)
    own = _own_headers(hook, event, release, instance, key)
    if hook.signing_token:
        own |= _signature(hook.signing_token, key, timestamp, body)
    credentials = user_info(url)
    if credentials:
        own["Authorization"] = "Basic " + base64.b64encode(":".join(credentials).encode()).decode()
    custom = hook.custom_headers if release >= CUSTOM_HEADERS_SINCE else {}
    hidden = {name: REDACTED for name in (*custom, "X-Gitlab-Token") if name in custom or name in own}
    logged = {name: value for name, value in {**custom, **own}.items() if name != "Authorization"} | hidden
    host = urlsplit(url).hostname or ""
    address = rules.resolve(host)
    refused = rules.refusal(url)
    if refused:
        refused = f"URL is blocked: {refused}"
    elif address is None or not address.is_loopback:
        refused = "Failed to open TCP connection (only loopback addresses can be reached from here)"
    elif len(body) > _MAX_PAYLOAD:
        refused = "Payload size limit exceeded"
    return Outgoing(
        url=without_user_info(url),
        headers={**custom, **own},
        logged_headers=logged,
        body=body,
        connect_to=str(address or ipaddress.IPv4Address("127.0.0.1")),
        verify=hook.enable_ssl_verification,
        timeout=rules.settings.webhook_timeout,
        refused=refused,
    )


def _own_headers(hook: Hook, event: str, release: Release, instance: str, key: str) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"GitLab/{'.'.join(map(str, release))}",
        "X-Gitlab-Event": event,
        "X-Gitlab-Event-UUID": str(uuid.uuid4()),
    }
    if release >= IDEMPOTENCY_SINCE:
        headers["Idempotency-Key"] = key
    if release >= WEBHOOK_UUID_SINCE:
        headers["X-Gitlab-Webhook-UUID"] = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{instance}/hooks/{hook.id}"))
    if release >= INSTANCE_SINCE:
        headers["X-Gitlab-Instance"] = instance
    if hook.token:
        headers["X-Gitlab-Token"] = hook.token
    return headers


def _signature(signing_token: str, key: str, timestamp: int, body: bytes) -> dict[str, str]:
    secret = base64.b64decode(signing_token.removeprefix("whsec_"))
    digest = hmac.new(secret, f"{key}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": key,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _render(hook: Hook, data: JSON) -> bytes:
    """The body: the hook's template with ``{{path.to.value}}`` filled in, or all of ``data``."""
    if not hook.custom_webhook_template:
        return json.dumps(data).encode()

    def value(found: re.Match[str]) -> str:
        current: object = data
        for part in found[1].split("."):
            current = current.get(part) if isinstance(current, dict) else None
        if isinstance(current, str):
            return json.dumps(current)[1:-1]
        return "" if current is None else json.dumps(current)

    return re.sub(r"\{\{\s*([\w.]+)\s*\}\}", value, hook.custom_webhook_template).encode()


def send(outgoing: Outgoing, monotonic: Callable[[], float] = time.monotonic) -> Outcome:
    """Send it, follow no redirect, and say how it ended."""
    started = monotonic()
    if outgoing.refused:
        return Outcome(INTERNAL_ERROR, outgoing.refused)
    parts = urlsplit(outgoing.url)
    connection = _connection(outgoing, parts.scheme, parts.port)
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    try:
        connection.request("POST", target, outgoing.body, {"Host": parts.netloc, **outgoing.headers})
        answer = connection.getresponse()
        body = answer.read(_MAX_BODY).decode("utf-8", errors="replace")
        headers = [(name, value[:_MAX_HEADER]) for name, value in answer.getheaders()]
        seconds = round(monotonic() - started, 6)
        return Outcome(str(answer.status), body, dict(headers[:_MAX_HEADERS]), seconds)
    except TimeoutError:
        return Outcome(INTERNAL_ERROR, "Net::ReadTimeout", seconds=monotonic() - started)
    except (OSError, http.client.HTTPException, ValueError) as reason:
        text = f"Failed to open TCP connection to {parts.netloc} ({reason})"
        return Outcome(INTERNAL_ERROR, text, seconds=monotonic() - started)
    finally:
        connection.close()


def _connection(outgoing: Outgoing, scheme: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(outgoing.connect_to, port or 80, timeout=outgoing.timeout)
    context = ssl.create_default_context()
    if not outgoing.verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(outgoing.connect_to, port or 443, timeout=outgoing.timeout, context=context)


def redacted(value: object) -> object:
    """``value`` with every e-mail address replaced, as the log shows it."""
    if isinstance(value, dict):
        hidden = {name for name, inner in value.items() if "email" in name and isinstance(inner, str)}
        return {name: REDACTED if name in hidden else redacted(inner) for name, inner in value.items()}
    return [redacted(item) for item in value] if isinstance(value, list) else value
