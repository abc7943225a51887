"""The GitLab plugin's global configuration, and the "Test connection" button."""

from __future__ import annotations

import http.client
import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from html import escape
from typing import Any
from urllib.parse import SplitResult, urlsplit

_PACKAGE = "com.dabsquared.gitlabjenkins"
_BUILDERS = {"autodetect": ("Autodetect", 0), "v4": ("V4", 1), "v3": ("V3", 2)}


@dataclass(slots=True)
class Connection:
    """A ``GitLabConnection``. Time-outs in seconds; ``credential`` is a credential's id or None."""

    name: str
    url: str
    credential: str | None
    client: str = "autodetect"
    ignore_certificate_errors: bool = False
    connection_timeout: int = 10
    read_timeout: int = 10

    def described(self) -> dict[str, Any]:
        """As our scripts answer it."""
        return asdict(self)


class DuplicateConnectionError(Exception):
    """Two connections of one name (contract, fact 18)."""


class ConnectionConfig:
    """``GitLabConnectionConfig``: a stock controller has one empty connection and an authenticated endpoint."""

    def __init__(self) -> None:
        self.use_authenticated_endpoint = True
        self.connections: list[Connection] = [Connection("", "", None)]

    def set_connections(self, connections: list[Connection]) -> None:
        """Replace the list. Raises DuplicateConnectionError."""
        names = [connection.name for connection in connections]
        for name in names:
            if names.count(name) > 1:
                raise DuplicateConnectionError(name)
        self.connections = connections

    def on_disk(self, plugin_version: str) -> str:
        """The file that a save writes."""
        lines = [
            "<?xml version='1.1' encoding='UTF-8'?>",
            f'<{_PACKAGE}.connection.GitLabConnectionConfig plugin="gitlab-plugin@{plugin_version}">',
            f"  <useAuthenticatedEndpoint>{_flag(self.use_authenticated_endpoint)}</useAuthenticatedEndpoint>",
            "  <connections>",
            *(line for connection in self.connections for line in _lines(connection)),
            "  </connections>",
            f"</{_PACKAGE}.connection.GitLabConnectionConfig>",
        ]
        return "\n".join(lines)


def test_connection(form: Mapping[str, str], token: str | None) -> str:
    """The HTML fragment that the form's button shows; really asks the GitLab at ``url`` (contract, fact 19).

    Args:
        form: ``url``, ``apiTokenId``, ``clientBuilderId``, ``connectionTimeout``, ``readTimeout``.
        token: what the credential holds, None when there is none.
    """
    if token is None:
        return _error(f"No credentials found for credentialsId: {form.get('apiTokenId', '')}")
    url = form.get("url", "")
    parts = _address(url)
    if parts is None or parts.hostname is None:
        return _error(f"RESTEASY004655: Unable to invoke request: {url} is no address")
    if not _loopback(parts.hostname):
        return _error(f"the sandbox calls loopback addresses only, not {parts.hostname}")
    versions = {"v3": ("v3",), "v4": ("v4",)}.get(form.get("clientBuilderId", ""), ("v4", "v3"))
    given = form.get("connectionTimeout", "")
    timeout = float(given) if given.isdecimal() and int(given) else 10.0
    for version in versions:
        status, reason = _ask(parts, version, token, timeout)
        if status == 200:
            return '<div class="ok">Success</div>'
        if status != 404 or len(versions) == 1:
            return _error(reason if status == 0 else f"HTTP {status} {reason}")
    return _error(f"no client-builder found that supports server at {url}")


def _lines(connection: Connection) -> list[str]:
    builder, ordinal = _BUILDERS.get(connection.client, ("Autodetect", 0))
    credential = [] if connection.credential is None else [f"<apiTokenId>{escape(connection.credential)}</apiTokenId>"]
    inner = [
        f"<name>{escape(connection.name)}</name>",
        f"<url>{escape(connection.url)}</url>",
        *credential,
        f'<clientBuilder class="{_PACKAGE}.gitlab.api.impl.{builder}GitLabClientBuilder">',
        f"  <id>{escape(connection.client)}</id>",
        f"  <ordinal>{ordinal}</ordinal>",
        "</clientBuilder>",
        f"<ignoreCertificateErrors>{_flag(connection.ignore_certificate_errors)}</ignoreCertificateErrors>",
        f"<connectionTimeout>{connection.connection_timeout}</connectionTimeout>",
        f"<readTimeout>{connection.read_timeout}</readTimeout>",
    ]
    tag = f"{_PACKAGE}.connection.GitLabConnection"
    return [f"    <{tag}>", *(f"      {line}" for line in inner), f"    </{tag}>"]


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _ask(parts: SplitResult, version: str, token: str, timeout: float) -> tuple[int, str]:
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(host, port, timeout=timeout)
    address = host if host.replace(".", "").isdigit() else f"{host}/127.0.0.1"
    try:
        connection.request("GET", f"{parts.path.rstrip('/')}/api/{version}/user", headers={"PRIVATE-TOKEN": token})
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.reason
    except ConnectionRefusedError:
        shown = f"/{host}" if address == host else address
        return 0, f"Connect to {host}:{port} [{shown}] failed: Connection refused"
    except TimeoutError:
        return 0, "Read timed out"
    except (OSError, http.client.HTTPException, ValueError) as error:
        return 0, str(error)
    finally:
        connection.close()


def _address(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        return parts if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 else None
    except ValueError:  # a port that is no port, half an IPv6 address
        return None


def _loopback(host: str) -> bool:
    try:
        return all(ipaddress.ip_address(found[4][0]).is_loopback for found in socket.getaddrinfo(host, None))
    except (OSError, ValueError):
        return False


def _error(message: str) -> str:
    return f'<div class="error">Client error: {escape(message, quote=False)}</div>'
