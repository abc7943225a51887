"""What `connect gitlab` does: which access it asks for and why, obtaining it, trying it, keeping it, giving it back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from configurator.clients.gitlab import GitLabClient
from configurator.clients.http import Http
from configurator.clients.redaction import Redactor
from configurator.errors import ConfiguratorError, InputError, Problem, RefusedError, ServerError, UnauthorisedError
from configurator.secret import Secret
from configurator.tokens.checking.evidence import HOOKS, READING, Need
from configurator.tokens.checking.inspect_gitlab import inspect_gitlab
from configurator.tokens.checks import Check, Verdict
from configurator.tokens.connecting.loopback import HOST, PATH, Loopback
from configurator.tokens.connecting.oauth import DeviceCode, Provider
from configurator.tokens.keeping.store import Entry, TokenStore

_TOKEN_PAGE = "/-/user_settings/personal_access_tokens"  # noqa: S105 - an address
_APPLICATIONS_PAGE = "/-/user_settings/applications"
_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Access:
    """The access that is asked for, and no more.

    Attributes:
        read_only: enough for plan, status and webhooks list.
    """

    read_only: bool = False

    @property
    def scope(self) -> str:
        """As GitLab names it."""
        return "read_api" if self.read_only else "api"

    @property
    def need(self) -> Need:
        """The same for those who judge a token."""
        return READING if self.read_only else HOOKS

    def reasons(self) -> list[tuple[str, str]]:
        """What is needed, each with the reason."""
        if self.read_only:
            scope = "reads projects and webhooks, and can change nothing; enough for plan, status and webhooks list"
        else:
            scope = "webhooks can be made, changed and removed with no smaller scope"
        return [
            (f"scope {self.scope}", scope),
            ("role Maintainer", "in the projects of the spec: GitLab shows webhooks to no lower role"),
        ]

    def token_page(self, gitlab_url: str) -> str:
        """Where a person makes such a token, with the form filled in."""
        return f"{gitlab_url}{_TOKEN_PAGE}?{urlencode({'name': 'configurator', 'scopes': self.scope})}"


def registration(gitlab_url: str, port: int, access: Access) -> list[tuple[str, str]]:
    """How to register the OAuth application: each field of GitLab's form with what to put there."""
    return [
        ("Page", f"{gitlab_url}{_APPLICATIONS_PAGE} (yours), or Admin > Applications (for everybody)"),
        ("Name", "configurator"),
        ("Redirect URI", f"http://{HOST}:{port}{PATH}"),
        ("Confidential", "no (not ticked): a program on your machine can't keep a secret"),
        ("Scopes", access.scope),
    ]


def pasted_token(gitlab_url: str, text: str, ca_file: str | None = None) -> Entry:
    """An entry for a token that a person pasted or piped in.

    Raises:
        InputError: it can't be a token.
    """
    value = text.strip()
    if not value:
        hint = "pipe it in, such as: pass show gitlab | configurator connect gitlab ADDRESS"
        raise InputError([Problem("no token came in", hint=hint)])
    if len(value) > _LONGEST or not value.isascii() or not value.isprintable() or re.search(r"\s", value):
        raise InputError([Problem("what came in is no token: it is one word", hint="give the token and nothing else")])
    return Entry("token", gitlab_url, Secret(value), ca_file=ca_file)


class SignIn:
    """Gets an entry by OAuth.

    Args:
        gitlab_url: root URL.
        client_id: the application.
        access: what to ask for.
        redactor: learns what is obtained.
        ca_file: file with the certificate authorities to trust; None = the system's.
    """

    def __init__(
        self, gitlab_url: str, client_id: str, access: Access, redactor: Redactor, ca_file: str | None = None
    ) -> None:
        self._http = Http("GitLab", gitlab_url, redactor=redactor, verify=ca_file or True)
        self._provider = Provider(self._http, client_id, ca_file)
        self._access = access

    def by_browser(self, port: int, show: Callable[[str], None]) -> Entry:
        """Through a browser on this machine.

        Args:
            port: that the application's redirect URI names.
            show: gets the address of the page to open.

        Raises:
            RefusedError: the person said no.
            ConfiguratorError: the port is taken, nobody came back, or GitLab refuses.
        """
        with Loopback(port) as loopback:
            code = self._provider.ask_in_browser(loopback, self._access.scope, show)
        return self._provider.redeem(code)  # the port is closed by now

    def by_device(self, show: Callable[[DeviceCode], None]) -> Entry:
        """Through a browser on any machine.

        Args:
            show: gets the code to type in, and the page.

        Raises:
            NotFoundError: GitLab before 17.3.
            RefusedError: the person said no.
            ConfiguratorError: nobody confirmed the code in time, or GitLab refuses.
        """
        device = self._provider.start_device(self._access.scope)
        show(device)
        return self._provider.wait_for_device(device)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def verify(name: str, entry: Entry, access: Access, redactor: Redactor) -> tuple[Entry, list[Check]]:
    """Try a token before anything uses it. Never raises for what GitLab says.

    Args:
        name: it is to be kept under.
        entry: what was obtained.
        access: what it has to allow.
        redactor: learns the token.

    Returns:
        The entry with its user's name, and what was found.

    Raises:
        UnauthorisedError: it can't be a token.
    """
    verify_tls: bool | str = entry.ca_file or True
    bearer = entry.kind == "oauth"
    client = GitLabClient(name, entry.gitlab_url, entry.token, verify=verify_tls, redactor=redactor, bearer=bearer)
    subject = f"gitlab:{name}"
    try:
        found = inspect_gitlab(client, subject, (), need=access.need)
        user = None if unusable(found) else _user(client)
    finally:
        client.close()
    found = [_with_page(one, entry, access) for one in found]
    if bearer and entry.refresh_token is None:
        cure = "sign in through a browser, or use a personal, project or group access token"
        found.append(Check(subject, "renewal", Verdict.WARN, "GitLab gave nothing to renew it with", cure))
    return replace(entry, user=user), found


def unusable(checks: Iterable[Check]) -> list[Check]:
    """What speaks against keeping a token."""
    return [one for one in checks if one.verdict is Verdict.FAIL]


def _user(client: GitLabClient) -> str | None:
    try:
        return str(client.own_user()["username"])
    except (ServerError, KeyError):  # a token of narrow rights may not ask
        return None


def _with_page(check: Check, entry: Entry, access: Access) -> Check:
    """A missing scope's cure with the page where the form is filled in already."""
    if check.check != "scopes" or check.verdict is not Verdict.FAIL or entry.kind == "oauth":
        return check
    cure = f"scopes of a token can't be changed: make another one at {access.token_page(entry.gitlab_url)}"
    return replace(check, cure=cure)


def require_room(store: TokenStore, name: str, gitlab_url: str) -> None:
    """Refuse to put a token over one of another GitLab.

    Raises:
        RefusedError: there is one under ``name``.
        ConfiguratorError: the store can't be read.
    """
    kept = store.entry(name)
    if kept is not None and kept.gitlab_url != gitlab_url:
        raise RefusedError(
            f"under {name} a token for {kept.gitlab_url} is kept already",
            f"keep this one under another name with --name, or give that one up: "
            f"configurator connect gitlab --revoke --name {name}",
        )


def keep(store: TokenStore, name: str, entry: Entry) -> str:
    """Keep an entry in place of what was there; OAuth access that is replaced so is given back.

    Returns:
        A remark for people, or empty.

    Raises:
        ConfiguratorError: the store can't be written.
    """
    with store.lock(name):
        former = store.entry(name)
        store.put(name, entry)
    if former is None or former.kind != "oauth" or former.token.matches(entry.token):
        return ""
    try:
        _revoke_oauth(former, Redactor())
    except ServerError as error:
        return f"The access that was kept there before could not be taken back: {error}"
    return "The access that was kept there before was taken back."


def give_back(store: TokenStore, name: str, at_gitlab: bool, redactor: Redactor) -> str:
    """Revoke a token at GitLab, and forget it.

    Args:
        store: where it is kept.
        name: under which name.
        at_gitlab: also revoke a token that is not OAuth, which others may use, too.
        redactor: learns the token.

    Returns:
        What was done, for people.

    Raises:
        ConfiguratorError: nothing is kept there, or the store can't be written.
        ServerError: GitLab did not revoke it; it is still kept.
    """
    with store.lock(name):
        entry = kept_under(store, name)
        page = f"{entry.gitlab_url}{_APPLICATIONS_PAGE if entry.kind == 'oauth' else _TOKEN_PAGE}"
        try:
            if entry.kind == "oauth":
                _revoke_oauth(entry, redactor)
            elif at_gitlab:
                _revoke_token(name, entry, redactor)
        except UnauthorisedError as error:  # its application is gone, and what it had been given with it
            store.delete(name)
            return f"{name} is removed from {store.where}. {error}. Look at {page} whether anything is left."
        except ServerError as error:
            hint = f"nothing was removed. Try again later, or revoke it at {page}"
            raise ServerError(error.server, error.reason, hint, error.status) from None
        store.delete(name)
    if entry.kind == "oauth":
        return f"GitLab {entry.gitlab_url} has taken the access back, and {name} is removed from {store.where}."
    if at_gitlab:
        return f"The token is revoked at {entry.gitlab_url}, and {name} is removed from {store.where}."
    return f"The token kept as {name} is removed from {store.where}. At {entry.gitlab_url} it is still good."


def kept_under(store: TokenStore, name: str) -> Entry:
    """What is kept under ``name``. Raises ConfiguratorError where there is nothing."""
    entry = store.entry(name)
    if entry is None:
        raise ConfiguratorError(f"nothing is kept under {name} in {store.where}", "name it with --name")
    return entry


def _revoke_oauth(entry: Entry, redactor: Redactor) -> None:
    http = Http("GitLab", entry.gitlab_url, redactor=redactor, verify=entry.ca_file or True)
    try:
        Provider(http, entry.client_id or "").revoke(entry)
    finally:
        http.close()


def _revoke_token(name: str, entry: Entry, redactor: Redactor) -> None:
    client = GitLabClient(name, entry.gitlab_url, entry.token, verify=entry.ca_file or True, redactor=redactor)
    try:
        client.revoke_own_token()
    finally:
        client.close()
