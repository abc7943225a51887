"""An embedded GitLab, versions 15 to 19, for tests, the sandbox and the demo.

It answers as the contract says: tokens, scopes and roles, hooks with their defaults and resets, paging,
limits and the differences between versions; and it really delivers hooks to receivers on loopback.
Routes are declared in the modules ``api_*``; a further one adds its table in ``api.py``. OAuth and its pages are
in ``api_oauth`` and the modules ``oauth_*``.
"""

from configurator.sandbox.gitlab.model import (
    DEVELOPER,
    GUEST,
    MAINTAINER,
    OWNER,
    REPORTER,
    Delivery,
    Group,
    Hook,
    MergeRequest,
    Project,
    Token,
    User,
)
from configurator.sandbox.gitlab.oauth_provider import Issued
from configurator.sandbox.gitlab.oauth_records import Application
from configurator.sandbox.gitlab.server import GitLabSandbox
from configurator.sandbox.gitlab.settings import Limit, Settings

__all__ = [
    "DEVELOPER",
    "GUEST",
    "MAINTAINER",
    "OWNER",
    "REPORTER",
    "Application",
    "Delivery",
    "GitLabSandbox",
    "Group",
    "Hook",
    "Issued",
    "Limit",
    "MergeRequest",
    "Project",
    "Settings",
    "Token",
    "User",
]
