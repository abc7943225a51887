"""What was found on a controller, as data. How it was read shows nowhere, except in what is :class:`Hidden`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from configurator.marks import Mark, read_mark

FOLDER_CLASS = "com.cloudbees.hudson.plugins.folder.Folder"


@dataclass(frozen=True, slots=True)
class Hidden:
    """What the caller may not see, and the permission it takes."""

    permission: str


@dataclass(frozen=True, slots=True)
class Item:
    """A job or folder.

    Attributes:
        name: full name.
        cls: its class in Jenkins.
        description: as stored, mark included.
        xml: its config.xml; None where it was not asked for or is hidden.
        children: full names of what it holds; None for what can't hold anything.
        hidden: the permission it takes to read the config.xml, or empty.
        error: why the controller itself can't read the config.xml, or empty.
    """

    name: str
    cls: str
    description: str
    xml: str | None = None
    children: tuple[str, ...] | None = None
    hidden: str = ""
    error: str = ""

    @property
    def mark(self) -> Mark | None:
        """The mark in its description."""
        return read_mark(self.description)

    @property
    def is_folder(self) -> bool:
        """Whether it is a plain folder (a multibranch project holds jobs too, but is none)."""
        return self.cls == FOLDER_CLASS


@dataclass(frozen=True, slots=True)
class ViewFound:
    """A view: full name, description, config.xml (None where it is hidden)."""

    name: str
    description: str
    xml: str | None


@dataclass(frozen=True, slots=True)
class CredentialFound:
    """A credential, never its secret.

    Attributes:
        folder: full name of the folder whose store holds it; None = the system store.
        domain: name of its domain; None = the global one.
        id: credential id.
        cls: its class; empty where REST does not tell.
        digest: HMAC-SHA256 of the secret under the run's salt; None where it can't be had.
        passphrase: likewise, of an SSH key's passphrase; None also where it has none.
    """

    folder: str | None
    domain: str | None
    id: str
    cls: str
    description: str
    username: str | None = None
    digest: str | None = None
    passphrase: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectionFound:
    """A connection of the GitLab plugin (contract, fact 18)."""

    name: str
    url: str
    credential: str
    client: str
    ignore_certificate_errors: bool
    connection_timeout: int
    read_timeout: int


@dataclass(frozen=True)
class Inventory:
    """All that the kinds need to know of a controller.

    Attributes:
        administer: the caller may use the script console.
        items: by full name: those asked for, and those that carry our mark.
        views: by full name, likewise.
        root_views: Hidden where the caller can't see views outside folders; those of folders stand in the folders.
        credentials: of every store that was looked into; Hidden where the caller can't see any.
        hidden_stores: by folder (None = the system store) those that the caller can't see, where others can be.
        connections: None where the GitLab plugin is not installed.
        plugins: version by id; Hidden where the caller can't see them.
        inactive: plugins that are installed and not active.
        authenticated_endpoint: whether the GitLab plugin's endpoint asks who calls; None = unknown.
    """

    administer: bool
    items: Mapping[str, Item] = field(default_factory=dict)
    views: Mapping[str, ViewFound] = field(default_factory=dict)
    root_views: Hidden | None = None
    credentials: Sequence[CredentialFound] | Hidden = ()
    hidden_stores: Mapping[str | None, Hidden] = field(default_factory=dict)
    connections: Mapping[str, ConnectionFound] | Hidden | None = None
    plugins: Mapping[str, str] | Hidden = field(default_factory=dict)
    inactive: frozenset[str] = frozenset()
    authenticated_endpoint: bool | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What a run wants to know.

    Attributes:
        owner: whose marks matter.
        jobs, folders, views: full names wanted.
        credentials: (folder or None, domain or None, id) of those wanted.
    """

    owner: str
    jobs: tuple[str, ...]
    folders: tuple[str, ...]
    views: tuple[str, ...]
    credentials: tuple[tuple[str | None, str | None, str], ...]
