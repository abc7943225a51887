"""Who may do what: the permissions that the endpoints check, and the users every sandbox starts with."""

from __future__ import annotations

from dataclasses import dataclass, field

ADMINISTER = "hudson.model.Hudson.Administer"
OVERALL_READ = "hudson.model.Hudson.Read"
SYSTEM_READ = "hudson.model.Hudson.SystemRead"
ITEM_READ = "hudson.model.Item.Read"
ITEM_CREATE = "hudson.model.Item.Create"
ITEM_CONFIGURE = "hudson.model.Item.Configure"
ITEM_DELETE = "hudson.model.Item.Delete"
ITEM_BUILD = "hudson.model.Item.Build"
VIEW_READ = "hudson.model.View.Read"
VIEW_CREATE = "hudson.model.View.Create"
VIEW_CONFIGURE = "hudson.model.View.Configure"
VIEW_DELETE = "hudson.model.View.Delete"
CREDENTIALS_VIEW = "com.cloudbees.plugins.credentials.CredentialsProvider.View"
CREDENTIALS_CREATE = "com.cloudbees.plugins.credentials.CredentialsProvider.Create"
CREDENTIALS_UPDATE = "com.cloudbees.plugins.credentials.CredentialsProvider.Update"
CREDENTIALS_DELETE = "com.cloudbees.plugins.credentials.CredentialsProvider.Delete"
CREDENTIALS_DOMAINS = "com.cloudbees.plugins.credentials.CredentialsProvider.ManageDomains"


@dataclass(frozen=True, slots=True)
class User:
    """A user of the sandbox.

    Attributes:
        name: the id, as in ``whoAmI``.
        password: for basic authentication; a POST then also needs crumb and session cookie.
        api_token: for basic authentication without crumb.
        permissions: the permissions' full names; ``ADMINISTER`` holds all others.
    """

    name: str
    password: str = field(default="", repr=False)
    api_token: str = field(default="", repr=False)
    permissions: frozenset[str] = frozenset()

    @property
    def anonymous(self) -> bool:
        """Whether nobody is logged in."""
        return self is ANONYMOUS

    def may(self, permission: str) -> bool:
        """Whether the user holds ``permission``."""
        return permission in self.permissions or ADMINISTER in self.permissions


ANONYMOUS = User("anonymous")


def default_users() -> tuple[User, ...]:
    """``admin``, ``limited`` and ``reader``: the three callers of the recorded exchanges.

    The passwords and tokens are fixed and readable on purpose: they open nothing but this sandbox.
    """
    reading = {OVERALL_READ, ITEM_READ}
    return (
        User("admin", "admin-password", "sandbox-admin-api-token", frozenset({ADMINISTER})),
        User(
            "limited",
            "limited-password",
            "sandbox-limited-api-token",
            frozenset(reading | {ITEM_CREATE, ITEM_CONFIGURE}),
        ),
        User("reader", "reader-password", "sandbox-reader-api-token", frozenset(reading)),
    )
