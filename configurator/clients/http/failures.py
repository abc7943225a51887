"""What went wrong on the wire, in words: which failure it is, whether the request went out, what cures it."""

from __future__ import annotations

import html
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import NewConnectionError

from configurator.clients.redaction import Redactor
from configurator.errors import UnreachableError

_TITLE = re.compile(r"(?is)<title[^>]*>(.*?)</title>")
_TAG = re.compile(r"(?s)<(?:script|style)\b.*?</(?:script|style)>|<[^>]*>")
_MARKUP = re.compile(r"(?i)^\s*(<!doctype|<html|<head|<body|<\?xml|<div|<p\b)")
_LONGEST = 300
_MOST_LINES = 3
_BAD_CA_FILE = ("[X509", "NO_CERTIFICATE", "no start line")
_TLS_REFUSALS = (
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "RECORD_LAYER_FAILURE",
    "HANDSHAKE",
    "UNSUPPORTED_PROTOCOL",
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A request without an answer.

    Attributes:
        words: what happened, to be put behind the server's name.
        hint: what to do next.
        sent: False = the request surely never left; True = it may have been carried out.
        repeats: how many further tries are worth it; 0 = another try can't help.
        tls: it is the encryption that failed, not the way to the server.
    """

    words: str
    hint: str = ""
    sent: bool = False
    repeats: int = 3
    tls: bool = False

    def as_error(self, label: str) -> UnreachableError:
        """The error for a request that was never answered."""
        return (TlsError if self.tls else UnreachableError)(label, self.words, self.hint)


class TlsError(UnreachableError):
    """The server was reached, and no encrypted connection came about that can be trusted."""


_CLOSED = Failure("the connection was closed before the answer", "look for a restart or a proxy in between", sent=True)
_CA_FILE = Failure(
    "the file with the certificate authorities can't be read",
    "check `ca_file` in the spec, and REQUESTS_CA_BUNDLE in the environment",
    repeats=0,
    tls=True,
)


def diagnose(error: Exception, timeout: float) -> Failure:
    """Tell the failures of a connection apart.

    Args:
        error: what ``requests`` raised.
        timeout: seconds that were waited for an answer.
    """
    chain = list(_chain(error))
    if isinstance(error, requests.exceptions.ProxyError):
        return Failure(
            "the proxy can't be reached or refuses the connection",
            "check HTTP_PROXY, HTTPS_PROXY and NO_PROXY in the environment",
        )
    if isinstance(error, requests.exceptions.SSLError):
        return _tls(chain)
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return Failure(
            "no connection (time-out)",
            "check the address, and whether a firewall lets this machine through",
            repeats=1,
        )
    if isinstance(error, requests.exceptions.Timeout) or _is_read_timeout(chain):
        return Failure(
            f"no answer within {timeout:g} s",
            "try again, or raise `timeout` of this server in the spec",
            sent=True,
            repeats=1,
        )
    return _no_connection(chain) or _unusable(error) or _CLOSED


def _unusable(error: Exception) -> Failure | None:
    """Failures of our own input, found before anything was sent."""
    if isinstance(error, ValueError) and "header value" in str(error):
        return Failure(
            "the token holds a line break or a blank", "check the place that the token comes from", repeats=0
        )
    if isinstance(error, ValueError) and not isinstance(error, requests.exceptions.InvalidJSONError):
        return Failure("this is not a usable address", "it has to be http://HOST or https://HOST", repeats=0)
    if isinstance(error, OSError) and "TLS CA certificate" in str(error):
        return _CA_FILE
    return None


def _tls(chain: list[BaseException]) -> Failure:
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = str(getattr(cause, "verify_message", "")).rstrip(".") or "verification failed"
            return Failure(
                f"its TLS certificate is not trusted: {reason}",
                _tls_hint(reason),
                repeats=0,
                tls=True,
            )
    if any(word in str(cause) for cause in chain for word in _BAD_CA_FILE):
        return _CA_FILE
    if any(word in str(cause) for cause in chain for word in _TLS_REFUSALS):
        return Failure(
            "it does not speak TLS here", "is it http instead of https, or another port?", repeats=0, tls=True
        )
    return Failure("the TLS connection broke", "look for a proxy in between", sent=True, tls=True)


def _tls_hint(reason: str) -> str:
    lowered = reason.lower()
    if "mismatch" in lowered:
        return "use the host name that the certificate is made for, or have it made for this one, too"
    if "expired" in lowered:
        return "have the server's certificate renewed; or see whether the clock of this machine is right"
    return "name the authority's PEM file in `ca_file` (`ssl_verification: false` only for a test)"


def _no_connection(chain: list[BaseException]) -> Failure | None:
    for cause in chain:
        if isinstance(cause, socket.gaierror) or type(cause).__name__ == "NameResolutionError":
            return Failure("its host name can't be resolved", "check the URL and this machine's DNS")
        if isinstance(cause, ConnectionRefusedError):
            return Failure("connection refused", "is the server running, and is the port right?")
    if any(isinstance(cause, NewConnectionError) for cause in chain):
        return Failure("no connection: the network has no way there", "check the address, VPN and firewall")
    return None


def _is_read_timeout(chain: list[BaseException]) -> bool:
    return any(type(cause).__name__ == "ReadTimeoutError" for cause in chain)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """``error`` and everything it was made from, outermost first."""
    seen: set[int] = set()
    todo: list[object] = [error]
    while todo:
        current = todo.pop(0)
        if isinstance(current, BaseException) and id(current) not in seen:
            seen.add(id(current))
            yield current
            todo += [getattr(current, "reason", None), *current.args, current.__cause__, current.__context__]


def brief(response: requests.Response, redactor: Redactor) -> str:
    """What an answer says, short and clean enough for a message."""
    return brief_text(response.text, redactor)


def brief_text(text: str, redactor: Redactor) -> str:
    """Text of a server, short and clean: of HTML only the title, of a stack trace only what it is about."""
    text = redactor.clean(text)  # before its lines are taken apart: a secret may have several
    if _MARKUP.match(text):
        title = _TITLE.search(text)
        return shorten(html.unescape(title[1]) if title else "", redactor)
    lines = [line.strip() for line in text.splitlines()]
    telling = [line for line in lines if line and not line.startswith(("at ", "...", "^"))]
    return shorten(" | ".join(telling[:_MOST_LINES]), redactor)


def plain_text(markup: str, redactor: Redactor) -> str:
    """An HTML fragment without its tags, short and clean."""
    return shorten(html.unescape(_TAG.sub(" ", redactor.clean(markup))), redactor)


def shorten(text: str, redactor: Redactor) -> str:
    """``text`` redacted, on one line, cut after 300 characters."""
    line = " ".join(redactor.clean(text).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def same_origin(one: str, other: str) -> bool:
    """Whether two absolute URLs share scheme, host and port."""
    return _origin(one) == _origin(other)


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", parts.port or default


def redirect_target(response: requests.Response) -> str | None:
    """Absolute URL that a 3xx points to; None for any other answer."""
    location = response.headers.get("Location")
    if location is None or not 300 <= response.status_code < 400:
        return None
    return urljoin(response.url, location)
