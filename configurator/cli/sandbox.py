"""``configurator sandbox``."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from configurator.cli.console import Console, Settings
from configurator.cli.options import command as command_decorator
from configurator.cli.options import option
from configurator.cli.signals import terminate_as_interrupt
from configurator.errors import EXIT_DONE, ConfiguratorError, InputError, Problem

if TYPE_CHECKING:
    from configurator.sandbox.gitlab import GitLabSandbox
    from configurator.sandbox.gitlab.model import Token
    from configurator.sandbox.jenkins import JenkinsSandbox
    from configurator.sandbox.seed import Seed

_PORT = click.IntRange(0, 65535)


@command_decorator("sandbox")
@option("--jenkins-port", type=_PORT, default=8080, show_default=True, help="Port of Jenkins; 0 picks a free one.")
@option("--gitlab-port", type=_PORT, default=8081, show_default=True, help="Port of GitLab; 0 picks a free one.")
@option(
    "--seed",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML file with what both begin with (docs/sandbox.md). Default: four projects, a token and an application.",
)
@option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that keeps everything over a restart. Default: nothing is kept.",
)
@click.pass_obj
def command(settings: Settings, jenkins_port: int, gitlab_port: int, seed: Path | None, state: Path | None) -> int:
    """Run an embedded Jenkins and GitLab to try things on.

    They listen on this machine only, and print who can sign in, tokens, and lines to paste into a shell. Ctrl-C ends
    them.
    """
    begin = _load(seed)
    with terminate_as_interrupt():
        try:
            _serve(Console(settings), jenkins_port, gitlab_port, begin, state)
        except KeyboardInterrupt:
            return EXIT_DONE
    return EXIT_DONE


def _load(path: Path | None) -> Seed:
    """The seed in a file, or the usual one. Raises InputError."""
    from configurator.sandbox.seed import SeedError, default_seed, load_seed

    try:
        return default_seed() if path is None else load_seed(path)
    except SeedError as error:
        raise InputError([Problem(text) for text in error.problems]) from error


def _serve(console: Console, jenkins_port: int, gitlab_port: int, seed: Seed, state: Path | None) -> None:
    """Run both servers until the process is interrupted."""
    from configurator.sandbox.gitlab import GitLabSandbox
    from configurator.sandbox.jenkins import JenkinsSandbox
    from configurator.sandbox.seed import SeedError, apply_seed, gitlab_options, jenkins_options

    with (
        _listening(GitLabSandbox, "gitlab", gitlab_port, state, gitlab_options(seed)) as gitlab,
        _listening(JenkinsSandbox, "jenkins", jenkins_port, state, jenkins_options(seed)) as jenkins,
    ):
        try:
            apply_seed(seed, jenkins, gitlab)
        except SeedError as error:
            raise InputError([Problem(text) for text in error.problems]) from error
        console.out(_welcome(jenkins, gitlab))
        threading.Event().wait()


def _listening(server: Any, name: str, port: int, state: Path | None, options: Mapping[str, Any]) -> Any:
    """The server, bound to its port but not started.

    Raises:
        ConfiguratorError: the port is taken, or the state can't be read.
    """
    try:
        return server(port=port, state=state, **options)
    except OSError as error:
        raise ConfiguratorError(
            f"{name} can't listen on port {port}: {error.strerror or error}",
            f"Choose another with --{name}-port, or 0 for any that is free.",
        ) from error
    except ValueError as error:
        raise ConfiguratorError(f"{name} can't use its state: {error}", "Name another folder with --state.") from error


def _welcome(jenkins: JenkinsSandbox, gitlab: GitLabSandbox) -> str:
    """Addresses, accounts, and lines to paste into a shell. These secrets open nothing but the sandbox."""
    accounts = [(name, user.password, user.api_token) for name, user in jenkins.users.items()]
    tokens = _usable_tokens(gitlab)
    exports = {
        "JENKINS_URL": jenkins.url,
        "JENKINS_API_TOKEN": jenkins.users["admin"].api_token,
        "GITLAB_URL": gitlab.url,
        **({"GITLAB_TOKEN": tokens[0].value} if tokens else {}),
        "WEBHOOK_SECRET": "sandbox",
    }
    return "\n".join(
        [
            f"Jenkins  {jenkins.url}",
            *_table(("USER", "PASSWORD", "API TOKEN"), accounts),
            f"GitLab   {gitlab.url}",
            *_gitlab_tables(gitlab),
            "Paste this into the shell that runs configurator:",
            "",
            *(f"export {name}={shlex.quote(value)}" for name, value in exports.items()),
            "",
            "Ctrl-C ends both.",
            "",
        ]
    )


def _gitlab_tables(gitlab: GitLabSandbox) -> list[str]:
    """Who can sign in with a browser, the tokens of people, and the OAuth applications."""
    names = {user.id: user.username for user in gitlab.users.values()}
    users = [
        (user.username, user.password, "administrator" if user.admin else "")
        for user in gitlab.users.values()
        if user.password is not None
    ]
    tokens = [
        (token.name, names[token.user_id], ",".join(token.scopes), token.expires_at or "never", token.value)
        for token in gitlab.tokens
        if token.kind == "personal" and not token.revoked
    ]
    applications = [
        (application.name, application.uid, ",".join(application.scopes), " ".join(application.redirect_uris))
        for application in gitlab.applications.values()
    ]
    return [
        *_table(("USER", "PASSWORD", ""), users),
        *_table(("TOKEN", "OF", "SCOPES", "ENDS", "VALUE"), tokens),
        *_table(("OAUTH APPLICATION", "CLIENT ID", "SCOPES", "REDIRECT URI"), applications),
    ]


def _usable_tokens(gitlab: GitLabSandbox) -> list[Token]:
    """Living personal tokens, the ones that may do everything first."""
    today = datetime.now(UTC).date().isoformat()
    living = [
        token
        for token in gitlab.tokens
        if token.kind == "personal" and not token.revoked and (token.expires_at is None or token.expires_at > today)
    ]
    return sorted(living, key=lambda token: "api" not in token.scopes)


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns below their titles, and an empty line; nothing where there are no rows."""
    if not rows:
        return []
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    lines = ["  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)) for row in (titles, *rows)]
    return [*(f"  {line.rstrip()}" for line in lines), ""]
