"""How `connect gitlab` comes to a token: what it asks the person at the terminal, and what it says."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from configurator.cli.console import Console
from configurator.report.safe import clean

if TYPE_CHECKING:
    from configurator.clients.redaction import Redactor
    from configurator.tokens.connecting.connect import Access
    from configurator.tokens.connecting.oauth import DeviceCode
    from configurator.tokens.keeping.store import Entry

_LONGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the token is to be had; the names are those of the options' parameters."""

    read_only: bool
    token_stdin: bool
    oauth: bool
    client_id: str | None
    port: int
    device: bool
    no_browser: bool
    ca_file: str | None

    @property
    def by_oauth(self) -> bool:
        """Whether to sign in: also where only an option of it was given."""
        return self.oauth or self.device or bool(self.client_id)

    @property
    def access(self) -> Access:
        """What to ask for."""
        from configurator.tokens.connecting.connect import Access

        return Access(self.read_only)


def ask_address(console: Console, given: str | None, former: Entry | None) -> str:
    """The address to connect to: the given one, that of what is kept, or what the person types.

    Raises:
        click.UsageError: there is nobody to ask.
    """
    if given:
        return given
    known = former.gitlab_url if former else None
    if console.can_ask():
        return str(click.prompt("Address of GitLab", default=known, err=True))
    if known:
        return known
    raise click.UsageError("Missing argument 'ADDRESS': where is GitLab?")


def by_token(console: Console, root: str, wishes: Wishes) -> Entry:
    """A token that the person pastes, or that comes in on standard input.

    Raises:
        InputError: what came in is no token.
    """
    from configurator.report.connect_text import table
    from configurator.tokens.connecting.connect import pasted_token

    piped = wishes.token_stdin or sys.stdin is None or not sys.stdin.isatty()
    if not piped:
        rows = [*wishes.access.reasons(), ("make it at", wishes.access.token_page(root))]
        say(console, "A personal, project or group access token is needed:", table(rows))
        return pasted_token(root, click.prompt("Token (not shown)", hide_input=True, err=True), wishes.ca_file)
    return pasted_token(root, _piped(), wishes.ca_file)


def _piped() -> str:
    """What standard input holds; what is no text becomes what no token can be."""
    if sys.stdin is None:
        return ""
    try:
        return sys.stdin.read(_LONGEST)
    except UnicodeDecodeError:
        return "\N{REPLACEMENT CHARACTER}"


def by_oauth(console: Console, root: str, wishes: Wishes, former: Entry | None, redactor: Redactor) -> Entry:
    """Access that the person grants in a browser.

    Args:
        former: what is kept under the name; its application is used where none is named.

    Raises:
        click.UsageError: no application is named, and there is nobody to ask.
        ConfiguratorError: it was not granted.
    """
    from configurator.report.connect_text import table
    from configurator.tokens.connecting.connect import SignIn

    client_id = wishes.client_id or (former.client_id if former and former.gitlab_url == root else None)
    client_id = client_id or _ask_client_id(console, root, wishes)
    if not console.settings.quiet:
        say(console, "This is needed; GitLab will ask you to grant the scope:", table(wishes.access.reasons()))
    sign_in = SignIn(root, client_id, wishes.access, redactor, wishes.ca_file)
    try:
        if wishes.device:
            return sign_in.by_device(lambda code: _show_code(console, code))
        return sign_in.by_browser(wishes.port, lambda url: _show_page(console, url, wishes))
    finally:
        sign_in.close()


def say(console: Console, message: str, more: str = "") -> None:
    """Tell what the person has to know to go on, also under -q.

    Args:
        message: one line.
        more: further lines, with their line breaks.
    """
    if console.json_logs:
        console.event("info", message, details=more.splitlines())
    else:
        console.err(f"{message}\n{more}")


def _ask_client_id(console: Console, root: str, wishes: Wishes) -> str:
    from configurator.report.connect_text import table
    from configurator.tokens.connecting.connect import registration

    steps = table(registration(root, wishes.port, wishes.access))
    if not console.can_ask():
        raise click.UsageError(
            "--oauth needs the id of an application: register it in GitLab once, and give its Application ID "
            f"with --client-id.\n{steps.rstrip()}"
        )
    say(console, "Register an application in GitLab once, and paste its Application ID:", steps)
    return str(click.prompt("Application ID", err=True)).strip()


def _show_page(console: Console, url: str, wishes: Wishes) -> None:
    from configurator.tokens.connecting.browser import open_page

    if not wishes.no_browser and open_page(url):
        say(console, "Your browser opens this page; if it does not, open it yourself:", f"  {url}\n{_waiting(wishes)}")
        return
    far = (
        f"From another machine: run `ssh -L {wishes.port}:127.0.0.1:{wishes.port} HOST` there first, HOST being "
        "this one; or use --device.\n"
    )
    say(console, "Open this page in a browser on this machine:", f"  {url}\n{far}{_waiting(wishes)}")


def _waiting(wishes: Wishes) -> str:
    """What GitLab tells nobody but the person before the browser."""
    from configurator.tokens.connecting.loopback import HOST, PATH, PATIENCE

    return (
        f"Waiting {PATIENCE / 60:.0f} minutes for you. If GitLab shows an error: the application must be known there "
        f"under the id of --client-id, with the redirect URI http://{HOST}:{wishes.port}{PATH}\n"
    )


def _show_code(console: Console, device: DeviceCode) -> None:
    page = f"  {clean(device.page_with_code or device.page)}\n"
    say(console, f"Open this page in any browser, and confirm the code {clean(device.user_code)}:", page)
