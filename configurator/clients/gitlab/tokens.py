"""Access tokens: who they are, renewing, making and revoking them; and the CI/CD variables that hold some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from gitlab.utils import EncodedId

from configurator.clients.gitlab.calls import Calls, list_in
from configurator.clients.gitlab.projects import project_path
from configurator.errors import NotFoundError
from configurator.secret import Secret

ROLES = (50, 40, 30, 20, 10)
"""Owner, Maintainer, Developer, Reporter, Guest: the roles that every version knows, the highest first."""


@dataclass(frozen=True, slots=True)
class TokenOwner:
    """What a project or group access token belongs to.

    Attributes:
        kind: ``project`` or ``group``.
        id: its numeric id.
    """

    kind: Literal["project", "group"]
    id: int

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def tokens(self) -> str:
        """Route of its tokens."""
        return f"/{self.kind}s/{self.id}/access_tokens"


class Tokens:
    """Reading and changing tokens and variables."""

    _calls: Calls

    def own_user(self) -> dict[str, Any]:
        """The user that the token acts as: ``id``, ``username``, …

        Raises:
            PermissionMissingError: the token has none of the scopes api, read_api and read_user.
            UnauthorisedError: the token is not accepted.
        """
        return self._calls.object("get", "/user")

    def highest_role(self) -> int | None:
        """The highest role of the token's user in any project; None where it is member of none.

        For a project or group token that is the role the token was made with: its user is member of nothing else.

        Raises:
            ServerError: it may not list projects, among others.
        """
        for role in ROLES:
            query = {"min_access_level": role, "per_page": 1, "simple": "true"}
            if list_in(self._calls.response("get", "/projects", query), self._calls.label):
                return role
        return None

    def rotate_token(self, owner: TokenOwner | None, token_id: int | None, expires_at: str | None) -> str:
        """Renew a token: the old value is dead once GitLab did it, and the answer is the only view of the new one.

        Sent once. It is repeated only where it surely was not carried out (no connection, 429), since a second one
        with the dead token revokes the new one, too (contract, behaviour 18).

        Args:
            owner: of a project or group token; None for a personal one.
            token_id: None = the token that this client sends (from 16.10 on).
            expires_at: ISO date; None = leave it to GitLab, which gives a week.

        Returns:
            The answer's text, as it came: keep it before anything else looks at it.

        Raises:
            AnswerLostError: it may have been carried out, and then the new value is lost.
            ServerError: GitLab refuses.
        """
        base = owner.tokens if owner else "/personal_access_tokens"
        path = f"{base}/{'self' if token_id is None else int(token_id)}/rotate"
        return self._calls.response("post", path, data={"expires_at": expires_at} if expires_at else {}).text

    def create_token(self, owner: TokenOwner, attributes: dict[str, Any]) -> str:
        """Make a project or group access token. Sent once, as :meth:`rotate_token` is.

        Args:
            owner: what it is to belong to.
            attributes: ``name``, ``scopes``, ``access_level``, ``expires_at``.

        Returns:
            The answer's text, as it came.

        Raises:
            AnswerLostError: it may have been made; nobody knows its value then.
            ServerError: GitLab refuses.
        """
        return self._calls.response("post", owner.tokens, data=attributes).text

    def revoke_token(self, owner: TokenOwner, token_id: int) -> None:
        """Revoke a project or group access token. One that is gone already is no error.

        Raises:
            ServerError: GitLab refuses.
        """
        try:
            self._calls.response("delete", f"{owner.tokens}/{int(token_id)}")
        except NotFoundError:
            return

    def update_variable(self, project: int | str, key: str, attributes: dict[str, Any]) -> dict[str, Any]:
        """Change a CI/CD variable; what is left out stays as it is.

        Args:
            project: numeric id or full path.
            key: its name.
            attributes: as in GitLab's API; a :class:`Secret` is sent in clear.

        Raises:
            NotFoundError: no such variable, or no such project.
            PermissionMissingError: Maintainer role or the scope ``api`` is missing.
            ServerError: 409, there are several of that name, for several environments.
        """
        return self._calls.object("put", _variable(project, key), _clear(self._calls, attributes))

    def create_variable(self, project: int | str, attributes: dict[str, Any]) -> dict[str, Any]:
        """Make a CI/CD variable.

        Args:
            project: numeric id or full path.
            attributes: as in GitLab's API, ``key`` and ``value`` among them; a :class:`Secret` is sent in clear.

        Raises:
            AnswerLostError: it may have been made; :meth:`update_variable` finds out.
            ServerError: GitLab refuses.
        """
        return self._calls.object("post", f"{project_path(project)}/variables", _clear(self._calls, attributes))

    def variable(self, project: int | str, key: str) -> dict[str, Any] | None:
        """A CI/CD variable, None where there is none of that name.

        Raises:
            NotFoundError: no such project.
            PermissionMissingError: Maintainer role or the scope is missing.
            ServerError: 409, there are several of that name, for several environments.
        """
        try:
            return self._calls.object("get", _variable(project, key))
        except NotFoundError as error:
            if "no such project" in error.reason:
                raise
            return None


def _variable(project: int | str, key: str) -> str:
    return f"{project_path(project)}/variables/{EncodedId(key)}"


def _clear(calls: Calls, attributes: dict[str, Any]) -> dict[str, Any]:
    """The attributes as they are sent: secrets in clear, and known to the redactor."""
    data = dict(attributes)
    for key, value in attributes.items():
        if isinstance(value, Secret):
            calls.http.redactor.learn(value)
            data[key] = value.reveal()
    return data
