"""What a token looks like: GitLab's kinds begin with letters of their own, and most of them are not for the API."""

from __future__ import annotations

import re
from dataclasses import dataclass

from configurator.secret import Secret

_OTHERS = {
    "glcbt-": "the token of a CI/CD job",
    "gldt-": "a deploy token",
    "glrt-": "a runner's authentication token",
    "glrtr-": "a runner registration token",
    "GR1348941": "a runner registration token",
    "glptt-": "a pipeline trigger token",
    "glft-": "a feed token",
    "glimt-": "a token for incoming mail",
    "glagent-": "a token of the agent for Kubernetes",
    "glsoat-": "a SCIM token",
    "glwt-": "a workspace's token",
    "glffct-": "a feature flags client's token",
    "gloas-": "the secret of an OAuth application",
    "ghp_": "a token of GitHub",
    "gho_": "a token of GitHub",
    "ghs_": "a token of GitHub",
    "github_pat_": "a token of GitHub",
    "eyJ": "a JSON web token, such as a CI/CD job's ID token",
}
_ACCESS_TOKEN = "glpat-"  # noqa: S105 (a prefix)
_SHORTEST = len(_ACCESS_TOKEN) + 20
_OAUTH = re.compile(r"[0-9a-f]{64}")
_JENKINS = re.compile(r"11[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class TokenShape:
    """What can be said of a token by looking at it.

    Attributes:
        other: what it seems to be instead of an access token, with its article; empty = nothing speaks against it.
        cut: it begins as an access token does, and is shorter than any of them.
    """

    other: str = ""
    cut: bool = False


def shape_of(token: Secret) -> TokenShape:
    """Look at a token. An instance may use a prefix of its own, so an unknown one tells nothing."""
    value = token.reveal()
    for prefix, what in _OTHERS.items():
        if value.startswith(prefix):
            return TokenShape(what)
    if _OAUTH.fullmatch(value):
        return TokenShape("an OAuth token")
    if _JENKINS.fullmatch(value):
        return TokenShape("an API token of Jenkins")
    return TokenShape(cut=value.startswith(_ACCESS_TOKEN) and len(value) < _SHORTEST)
