"""Replacing a project or group access token without a gap: another token makes the new one and revokes the old."""

from __future__ import annotations

from configurator.clients.gitlab import GitLabClient
from configurator.clients.gitlab.tokens import TokenOwner
from configurator.errors import ConfiguratorError, ServerError
from configurator.tokens.rotating.model import Step, StepResult, Subject

TARGET = "rotation.admin_token"


def role_of(client: GitLabClient, subject: Subject) -> int:
    """The role that the new token must have.

    Args:
        client: sends the old token.
        subject: the old token.

    Raises:
        ConfiguratorError: it can't be told.
    """
    role = client.highest_role()
    if role is None:
        raise ConfiguratorError(
            f"{client.label}: which role the {subject} has can't be told, since it sees no project",
            "remove rotation.admin_token: it is then rotated in place",
        )
    return role


def prove_admin(admin: GitLabClient, subject: Subject) -> Step:
    """Whether the other token can make one. Making it is harmless, so the last proof is to do it.

    Args:
        admin: sends the other token.
        subject: the token that is to be replaced.

    Raises:
        ServerError: GitLab refuses the other token.
        ConfiguratorError: it can't make tokens.
    """
    record = admin.token_info()
    scopes = set((record or {}).get("scopes") or ())
    if record is not None and not scopes & {"api", "granular"}:
        raise ConfiguratorError(f"{TARGET}: it needs the scope api", "scopes can't be changed: make a new one")
    user = str(admin.own_user().get("username") or "")
    if "_bot" in user and user.startswith(("project_", "group_")):
        raise ConfiguratorError(
            f"{TARGET}: it is a project or group token, and those can't make tokens",
            f"name a personal token of a user who may make tokens of {subject.owner}",
        )
    return Step(TARGET, StepResult.PROVED, f"acts as {user}, with the scope that making tokens takes")


def create(admin: GitLabClient, subject: Subject, role: int, expires_at: str | None) -> str:
    """Make the new token, like the old one. GitLab's answer as it came.

    Raises:
        AnswerLostError: it may have been made; nothing is broken, the old one works on.
        ServerError: GitLab refuses; nothing was made.
    """
    assert subject.owner is not None
    attributes = {
        "name": subject.name,
        "scopes": list(subject.scopes),
        "access_level": role,
        "expires_at": expires_at,
    }
    return admin.create_token(subject.owner, attributes)


def revoke_old(admin: GitLabClient, owner: TokenOwner, token_id: int) -> Step:
    """End the overlap: nothing uses the old token any more.

    It is revoked by its id and with the other token: the old value may be nowhere any more by now.
    """
    target = f"old token {token_id}"
    try:
        admin.revoke_token(owner, token_id)
    except ServerError as error:
        return Step(target, StepResult.FAILED, f"it was not revoked: {error}")
    return Step(target, StepResult.DONE, "revoked")


def leftover(subject: str, error: str, owner: str) -> str:
    """What to tell when the answer to the creation did not arrive."""
    return (
        f"{error}. The old token works on and nothing was changed anywhere; but a second {subject} may have been made "
        f"whose value nobody knows: look at Settings > Access tokens of {owner}, revoke it there, and run again"
    )
