"""What a spec asks for, applications already turned into folders, jobs and views.

The last form that knows no server: plain items, sorted, holding neither a secret nor an ownership mark.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from configurator.errors import Place
from configurator.model import Origin
from configurator.spec.models import Spec

WEBHOOK_TOKEN = "@@configurator:webhook-token@@"  # noqa: S105 - a placeholder, not a secret
"""Stands in a job's XML where the token of its webhook belongs; whoever writes the job puts the token there."""


@dataclass(frozen=True, slots=True)
class Hook:
    """The webhook in GitLab that starts a job.

    Attributes:
        gitlab: name of the ``gitlab`` entry in the spec.
        project: path of the GitLab project.
        events: GitLab's flags that are on, such as ``push_events``; all others are off.
        branch_filter: GitLab's wildcard filter of push events; empty = every branch.
        ssl_verification: GitLab verifies Jenkins' TLS certificate.
    """

    gitlab: str
    project: str
    events: frozenset[str]
    branch_filter: str
    ssl_verification: bool


@dataclass(frozen=True, slots=True)
class FolderItem:
    """A folder in Jenkins.

    Attributes:
        name: full name, such as ``shop/payments``.
        description: without the ownership mark.
        manage: False = it belongs to somebody else: verified, never changed.
        adopt: take it over where it exists without a mark.
        origin: where the spec asks for it.
    """

    name: str
    description: str
    manage: bool
    adopt: bool
    origin: Origin


@dataclass(frozen=True, slots=True)
class JobItem:
    """A job in Jenkins, and the webhook that starts it.

    Attributes:
        name: full name, such as ``payments/MAIN-Build-payments``.
        xml: its ``config.xml``, rendered; :data:`WEBHOOK_TOKEN` where the hook's token belongs, no mark.
        hook: the webhook, or None.
        trigger_project: ``(gitlab entry, project path)`` that the token is derived for, where the XML holds
            :data:`WEBHOOK_TOKEN`. Also set with ``webhook: false``: a trigger without a token may be open to anybody.
        build_on_create: build it once when it is made.
        adopt: take it over where it exists without a mark.
        disabled: as the spec sets it; None = the spec does not say.
        origin: where the spec asks for it.
        template: name of the template it was rendered from.
        former: full name that it had before the spec renamed it, or None.
    """

    name: str
    xml: str
    hook: Hook | None
    trigger_project: tuple[str, str] | None
    build_on_create: bool
    adopt: bool
    disabled: bool | None
    origin: Origin
    template: str
    former: str | None = None


@dataclass(frozen=True, slots=True)
class ViewItem:
    """A view in Jenkins.

    Attributes:
        name: full name: ``FOLDER/VIEW``, or ``VIEW`` at the root.
        xml: its ``config.xml``, rendered, no mark.
        adopt: take it over where it exists without a mark.
        origin: where the spec asks for it.
    """

    name: str
    xml: str
    adopt: bool
    origin: Origin


@dataclass(frozen=True, slots=True)
class Expanded:
    """Everything that a spec asks Jenkins and GitLab to hold.

    Attributes:
        spec: the spec itself: servers, plugins, credentials.
        folders: sorted by name, so that parents come first.
        jobs: sorted by name.
        views: sorted by name.
        warnings: sentences for people: those of loading the spec, then those of expanding it.
        place: called with the path of a value in the spec, such as ``("gitlab", 0)``: its place in the YAML.
    """

    spec: Spec
    folders: tuple[FolderItem, ...]
    jobs: tuple[JobItem, ...]
    views: tuple[ViewItem, ...]
    warnings: tuple[str, ...] = ()
    place: Callable[..., Place | None] = field(default=lambda *path: None, compare=False, repr=False)
