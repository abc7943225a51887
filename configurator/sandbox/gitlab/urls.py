"""Hook URLs: their variables, and which of them GitLab refuses (contract, behaviour 5)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit, urlunsplit

from configurator.sandbox.gitlab.settings import Settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})?(\.[A-Za-z0-9_-]{1,63})*\.?")
_SOME_PUBLIC_ADDRESS = ipaddress.IPv4Address("203.0.113.10")
_LOCAL_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "100.64.0.0/10", "255.255.255.255")
)


def variable_names(url: str) -> set[str]:
    """Names of the ``{variable}`` parts of ``url``."""
    return set(_VARIABLE.findall(url))


def fill(url: str, variables: dict[str, str]) -> str | None:
    """``url`` with its variables filled in, None when one has no value."""
    if not variable_names(url) <= variables.keys():
        return None
    return _VARIABLE.sub(lambda found: variables[found[1]], url)


def without_user_info(url: str) -> str:
    """``url`` without user and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def masked(url: str) -> str:
    """``url`` with ``*****`` for user and password, for people and logs."""
    parts = urlsplit(url)
    user_info, at, host = parts.netloc.rpartition("@")
    if not at:
        return url
    hidden = ":".join("*****" for _ in user_info.split(":", 1))
    return urlunsplit(parts._replace(netloc=f"{hidden}@{host}"))


def user_info(url: str) -> tuple[str, str] | None:
    """User and password in ``url``, decoded."""
    parts = urlsplit(url)
    if parts.username is None and parts.password is None:
        return None
    return unquote(parts.username or ""), unquote(parts.password or "")


@dataclass(frozen=True, slots=True)
class UrlRules:
    """Decides which URLs may be called.

    Args:
        settings: the administrator's switches, looked at on each call.
        own: host and port of the instance itself, always let through.
    """

    settings: Settings
    own: tuple[str, int]

    def resolve(self, host: str) -> Address | None:
        """The address of ``host``; names count as a public address unless ``settings.dns`` says otherwise."""
        literal = _literal(host)
        if literal is not None:
            return literal
        name = host.lower().rstrip(".")
        if name in self.settings.dns:
            return _literal(self.settings.dns[name] or "")
        if name == "localhost" or name.endswith(".localhost"):
            return ipaddress.IPv4Address("127.0.0.1")
        return None if name.endswith(".invalid") else _SOME_PUBLIC_ADDRESS

    def refusal(self, url: str) -> str | None:
        """Why ``url`` (variables filled in) must not be called, None when it may."""
        if re.search(r"[\r\n]", url):
            return "URI is invalid"
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            return "URI is invalid"
        if parts.scheme not in ("http", "https"):
            return "Only allowed schemes are http, https"
        if not host or any(character in url for character in ' \t<>{}"`|'):
            return "URI is invalid"
        if _literal(host) is None and _HOST_NAME.fullmatch(host) is None:
            return "URI is invalid"
        address = self.resolve(host)
        if address is None:
            return "Host cannot be resolved or invalid"
        port = port or (443 if parts.scheme == "https" else 80)
        if self._allowed(host, port, address):
            return None
        return _network_refusal(host, address)

    def _allowed(self, host: str, port: int, address: Address) -> bool:
        if self.settings.allow_local_requests or (host, port) == self.own:
            return True
        for entry in self.settings.allow_list:
            if entry.lower() in (host.lower(), f"{host.lower()}:{port}", str(address)):
                return True
            try:
                if address in ipaddress.ip_network(entry):
                    return True
            except ValueError:
                continue
        return False


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _network_refusal(host: str, address: Address) -> str | None:
    if host.lower() == "localhost" or address.is_unspecified:
        return "Requests to localhost are not allowed"
    if address.is_loopback:
        return "Requests to loopback addresses are not allowed"
    if address.is_link_local:
        return "Requests to the link local network are not allowed"
    if any(address in network for network in _LOCAL_NETWORKS):
        return "Requests to the local network are not allowed"
    return None
