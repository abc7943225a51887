"""Where on a GitLab a person mends what a check found: addresses of its pages."""

from __future__ import annotations

from dataclasses import dataclass

from configurator.clients.gitlab.tokens import TokenOwner

_MOVED_SETTINGS: tuple[int, ...] = (17, 0)  # older ones know the former address, most newer ones only the present one


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of one instance.

    Attributes:
        url: its root URL, without a slash at the end.
        release: its major and minor number; what is unknown counts as the newest.
    """

    url: str
    release: tuple[int, ...] = (99, 0)

    @property
    def personal_tokens(self) -> str:
        """Where a person makes personal access tokens, fine-grained ones too."""
        return f"{self._own_settings}/personal_access_tokens"

    @property
    def password(self) -> str:
        """Where a person sets a new password."""
        return f"{self._own_settings}/password/edit"

    @property
    def two_factor(self) -> str:
        """Where a person sets up a second factor."""
        return f"{self.url}/-/profile/two_factor_auth"

    @property
    def terms(self) -> str:
        """Where a person accepts the terms of service."""
        return f"{self.url}/-/users/terms"

    @property
    def confirmation(self) -> str:
        """Where a person asks for another confirmation mail."""
        return f"{self.url}/users/confirmation/new"

    @property
    def users(self) -> str:
        """Where an administrator finds users."""
        return f"{self.url}/admin/users"

    @property
    def network_limits(self) -> str:
        """Where an administrator sets limits by address."""
        return f"{self.url}/admin/application_settings/network"

    def members(self, project: str) -> str:
        """Where the members of a project are changed."""
        return f"{self.url}/{project}/-/project_members"

    def tokens_of(self, owner: TokenOwner | None, path: str = "") -> str:
        """Where tokens of a project or group are made; of a person without ``owner``.

        Args:
            owner: what the token belongs to.
            path: its full path, where that is known.
        """
        if owner is None:
            return self.personal_tokens
        if path:
            group = "groups/" if owner.kind == "group" else ""
            return f"{self.url}/{group}{path}/-/settings/access_tokens"
        where = f" ({self.url}/projects/{owner.id})" if owner.kind == "project" else f" of {self.url}"
        return f"Settings > Access tokens of {owner}{where}"

    @property
    def _own_settings(self) -> str:
        part = "user_settings" if self.release >= _MOVED_SETTINGS else "profile"
        return f"{self.url}/-/{part}"
