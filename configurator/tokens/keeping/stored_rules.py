"""What a spec may refer to of the store: a token of the right GitLab, and no OAuth token where Jenkins is to use it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from configurator.errors import Problem
from configurator.spec.loader import LoadedSpec
from configurator.spec.models import Credential, SecretRef
from configurator.spec.secrets import Secrets

WHY_NOT_OAUTH = (
    "Jenkins can't use an OAuth token: its GitLab plugin sends the header PRIVATE-TOKEN, where GitLab refuses one, "
    "and it ends after two hours"
)
_OTHER_TOKEN = "give Jenkins a personal, project or group access token"  # noqa: S105 - a hint
_SECRETS = ("private_key", "passphrase", "password", "secret", "token")


def stored_token_problems(loaded: LoadedSpec, secrets: Secrets) -> list[Problem]:
    """What is wrong with the references to stored tokens, each with its place.

    Args:
        loaded: the spec.
        secrets: its secrets; what a run needs has been resolved.
    """
    return [*_of_gitlabs(loaded, secrets), *_of_credentials(loaded, secrets)]


def secrets_of(credential: Credential) -> list[SecretRef]:
    """The secrets that a credential is made of."""
    return [reference for name in _SECRETS if (reference := getattr(credential, name, None)) is not None]


def same_server(one: str, other: str) -> bool:
    """Whether two root URLs lead to one GitLab."""
    return _server(one) == _server(other)


def _of_gitlabs(loaded: LoadedSpec, secrets: Secrets) -> Iterator[Problem]:
    for index, entry in enumerate(loaded.spec.gitlab):
        meant = secrets.gitlab_of(entry.token)
        if meant is not None and not same_server(meant, entry.url):
            yield Problem(
                f"gitlab[{index}].token: the token that is stored under this name is for {meant}; it is not sent to "
                f"{entry.url}",
                loaded.reference_place(entry.token),
                f"run configurator connect gitlab {entry.url} --name ANOTHER, and refer to that name",
            )
        if not entry.manage:
            continue
        given = entry.credential.token
        if secrets.is_oauth(given or entry.token):
            place = loaded.place("gitlab", index, "credential", "token") or loaded.place("gitlab", index)
            what = "must be another token than the OAuth token of this entry" if given is None else "is an OAuth token"
            yield Problem(
                f"gitlab[{index}].credential.token {what}. {WHY_NOT_OAUTH}",
                place,
                f"{_OTHER_TOKEN}, such as credential: {{token: {{env: JENKINS_GITLAB_TOKEN}}}}",
            )


def _of_credentials(loaded: LoadedSpec, secrets: Secrets) -> Iterator[Problem]:
    for index, credential in enumerate(loaded.spec.credentials):
        for reference in secrets_of(credential) if credential.manage else ():
            if secrets.is_oauth(reference):
                message = f"credentials[{index}] ({credential.id}): {WHY_NOT_OAUTH}"
                yield Problem(message, loaded.reference_place(reference), _OTHER_TOKEN)


def _server(url: str) -> tuple[str, str, int, str]:
    """What makes two root URLs one: scheme, host, port, path."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme.lower(), (parts.hostname or "").lower(), port, parts.path.rstrip("/")
