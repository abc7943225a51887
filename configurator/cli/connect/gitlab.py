"""``configurator connect gitlab``."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from configurator.cli.connect.obtain import Wishes, ask_address, by_oauth, by_token
from configurator.cli.console import Console, Settings
from configurator.cli.options import command as command_decorator
from configurator.cli.options import option
from configurator.cli.signals import terminate_as_interrupt
from configurator.errors import EXIT_DONE, ConfiguratorError

if TYPE_CHECKING:
    from configurator.clients.redaction import Redactor
    from configurator.tokens.checks import Check
    from configurator.tokens.keeping.store import Entry, TokenStore

VARIABLE = "GITLAB_TOKEN"


@dataclass(frozen=True, slots=True)
class Target:
    """Where what is obtained goes."""

    name: str
    print_env: bool
    write_spec: str | None

    @property
    def spec_file(self) -> Path | None:
        """The file for the part of a spec, None where none is to be written."""
        return Path(self.write_spec) if self.write_spec not in (None, "-") else None

    @property
    def reference(self) -> str:
        """How the spec refers to the token."""
        return f"{{env: {VARIABLE}}}" if self.print_env else f"{{stored: {self.name}}}"


@command_decorator("gitlab")
@click.argument("address", required=False)
@option("--name", default="gitlab", show_default=True, help="Keep it under this name: {stored: NAME} in the spec.")
@option("--read-only", is_flag=True, help="Ask for read_api instead of api: enough for plan and status.")
@option("--token-stdin", is_flag=True, help="Read the token from standard input, as without a terminal.")
@option("--oauth", is_flag=True, help="Sign in through the browser instead of pasting a token.")
@option("--client-id", metavar="ID", help="For --oauth: the application that is registered in GitLab.")
@option(
    "--port",
    type=click.IntRange(1, 65535),
    default=7171,
    show_default=True,
    help="For --oauth: port of the redirect URI http://127.0.0.1:PORT/callback.",
)
@option("--device", is_flag=True, help="For --oauth: confirm a code in a browser anywhere (GitLab 17.3 and later).")
@option("--no-browser", is_flag=True, help="For --oauth: print the link, open nothing.")
@option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False, resolve_path=True),
    help="File with the certificate authorities to trust (PEM).",
)
@option("--print-env", is_flag=True, help=f"Print `export {VARIABLE}=…`, the token in clear, and keep nothing.")
@option("--write-spec", metavar="FILE", help="Write the gitlab part of a spec to this new file; - prints it.")
@option("--revoke", is_flag=True, help="Give back what is kept under --name: revoke it at GitLab, and remove it.")
@option("--yes", is_flag=True, help="For --revoke: do not ask.")
@click.pass_obj
def command(
    settings: Settings,
    /,
    address: str | None,
    name: str,
    print_env: bool,
    write_spec: str | None,
    revoke: bool,
    yes: bool,
    **wishes: Any,
) -> int:
    """Obtain a token of GitLab, try it, and keep it.

    ADDRESS is what you would paste: the start page, your profile, a project. A token is asked for without showing it,
    or read from standard input; with --oauth you sign in through the browser. What does not work is not kept. Tokens
    are kept in the system's keyring, or in a file that only you can read.
    """
    from configurator.clients.redaction import Redactor
    from configurator.tokens.keeping.store import TokenStore, check_name

    console = Console(settings)
    wanted = Wishes(**wishes)
    target = Target(name, print_env, write_spec)
    _refuse_contradictions(address, wanted, target, revoke)
    check_name(name)
    redactor = Redactor()
    settings.protect(redactor)
    store = TokenStore.open()
    with terminate_as_interrupt():
        if revoke:
            return _revoke(console, store, name, yes, redactor)
        return _connect(console, store, address, wanted, target, redactor)


def _refuse_contradictions(address: str | None, wanted: Wishes, target: Target, revoke: bool) -> None:
    """Raise UsageError for options that exclude each other."""
    if revoke and (address or target.print_env or target.write_spec or wanted.by_oauth or wanted.token_stdin):
        raise click.UsageError("--revoke goes with --name and --yes only: it gives back what is kept.")
    if wanted.by_oauth and wanted.token_stdin:
        raise click.UsageError("--token-stdin and --oauth are two ways: choose one.")
    if wanted.by_oauth and target.print_env:
        raise click.UsageError(
            "--print-env gives a token without what renews it, and an OAuth token ends after two hours: "
            "leave out --print-env, or paste a token."
        )
    if target.print_env and target.write_spec == "-":
        raise click.UsageError("--print-env and --write-spec - both print to standard output: name a file.")


def _connect(
    console: Console, store: TokenStore, address: str | None, wanted: Wishes, target: Target, redactor: Redactor
) -> int:
    from configurator.tokens.connecting.address import find_root
    from configurator.tokens.connecting.connect import require_room, verify
    from configurator.tokens.connecting.spec_part import require_new

    if target.spec_file is not None:
        require_new(target.spec_file)
    former = None if target.print_env else store.entry(target.name)
    address = ask_address(console, address, former)
    root = find_root(address, verify=wanted.ca_file or True)
    console.note(f"GitLab {root}")
    if not target.print_env:
        require_room(store, target.name, root)
    entry = by_oauth(console, root, wanted, former, redactor) if wanted.by_oauth else by_token(console, root, wanted)
    redactor.learn(entry.token)
    entry, checks = verify(target.name, entry, wanted.access, redactor)
    _show_checks(console, checks)
    if target.print_env:
        console.note("The token stands in clear on standard output, and is kept nowhere.")
        console.out(f"export {VARIABLE}={shlex.quote(entry.token.reveal())}\n")
    else:
        _keep(console, store, entry, target)
    _write_spec(console, entry, target)
    return EXIT_DONE


def _show_checks(console: Console, checks: list[Check]) -> None:
    """Show what was found. Raises ConfiguratorError where the token does not do."""
    from configurator.report.connect_text import checks_lines
    from configurator.tokens.connecting.connect import unusable

    failed = unusable(checks)
    if console.json_logs:
        for one in checks:
            level = "error" if one in failed else "info"
            console.event(level, one.evidence, check=one.check, verdict=one.verdict.value, cure=one.cure)
    elif not console.settings.quiet:
        console.err(checks_lines([one for one in checks if one not in failed[:1]], console.colour_err))
    if failed:
        first = failed[0]
        raise ConfiguratorError(f"The token does not do, and was not kept: {first.evidence}", first.cure)


def _keep(console: Console, store: TokenStore, entry: Entry, target: Target) -> None:
    from configurator.tokens.connecting.connect import keep

    remark = keep(store, target.name, entry)
    if remark:
        console.note(remark)
    said = f"Kept as {target.name} in {store.where}. In the spec: token: {target.reference}\n"
    console.err(said) if target.write_spec == "-" else console.out(said)
    if entry.kind == "oauth":
        from configurator.tokens.keeping.stored_rules import WHY_NOT_OAUTH

        console.note(f"{WHY_NOT_OAUTH}. In the spec it needs another token, under credential: {{token: …}}")


def _write_spec(console: Console, entry: Entry, target: Target) -> None:
    from configurator.tokens.connecting.spec_part import spec_part, write_new

    if target.write_spec is None:
        return
    part = spec_part(target.name, entry, target.reference)
    if target.spec_file is None:
        console.out(part)
    else:
        write_new(target.spec_file, part)
        console.note(f"The gitlab part of the spec is in {target.spec_file}")


def _revoke(console: Console, store: TokenStore, name: str, yes: bool, redactor: Redactor) -> int:
    from configurator.tokens.connecting.connect import give_back, kept_under

    entry = kept_under(store, name)
    at_gitlab = yes
    if entry.kind == "token" and not yes and console.can_ask():
        console.err(f"What else uses this token of {entry.user or 'somebody'} at {entry.gitlab_url} would stop.\n")
        at_gitlab = click.confirm("Revoke it at GitLab, too?", err=True)
    console.out(f"{give_back(store, name, at_gitlab, redactor)}\n")
    return EXIT_DONE
