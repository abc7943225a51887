"""How Jenkins' names become paths, and its permissions words."""

from __future__ import annotations

import re
from urllib.parse import quote

from configurator.errors import InputError, Problem

_GROUPS = {
    "hudson.model.Hudson": "Overall",
    "jenkins.model.Jenkins": "Overall",
    "hudson.model.Item": "Job",
    "hudson.model.View": "View",
    "hudson.model.Run": "Run",
    "hudson.model.Computer": "Agent",
    "hudson.scm.SCM": "SCM",
    "com.cloudbees.plugins.credentials.CredentialsProvider": "Credentials",
}
_MISSING = re.compile(r"is missing the ([\w ]+/[\w ]+?) permission")


def segments(full_name: str) -> list[str]:
    """The parts of a full name, checked: none may be empty, ``.`` or ``..``.

    A dot segment would be folded away on its way to the server, and the request would hit the parent.

    Raises:
        InputError: the name has such a part.
    """
    parts = full_name.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise InputError([Problem(f"{full_name!r} is not a full name of Jenkins", hint="write FOLDER/NAME")])
    return parts


def item_path(full_name: str) -> str:
    """URL path of an item, each part percent-encoded: ``/job/a/job/b%20c`` for ``a/b c``."""
    return "".join(f"/job/{quote(part, safe='')}" for part in segments(full_name))


def folder_path(folder: str | None) -> str:
    """URL path of a folder; empty for the root (None)."""
    return item_path(folder) if folder else ""


def parent_of(full_name: str) -> tuple[str | None, str]:
    """Folder (None = the root) and short name of an item or view."""
    *folders, name = segments(full_name)
    return "/".join(folders) or None, name


def view_path(full_name: str) -> str:
    """URL path of a view given as ``VIEW`` or ``FOLDER/…/VIEW``."""
    folder, name = parent_of(full_name)
    return f"{folder_path(folder)}/view/{quote(name, safe='')}"


def hook_path(full_name: str) -> str:
    """URL path where the GitLab plugin takes a job's webhooks: ``/project/a/b%20c`` (contract, fact 22)."""
    return "/project/" + "/".join(quote(part, safe="") for part in segments(full_name))


def readable_permission(permission: str) -> str:
    """A permission as the web interface calls it: ``hudson.model.Item.Create`` is ``Job/Create``."""
    group, _, name = permission.rpartition(".")
    return f"{_GROUPS[group]}/{name}" if group in _GROUPS else permission


def permission_in(text: str) -> str | None:
    """The permission that a message of Jenkins says is missing, or None."""
    found = _MISSING.search(text)
    return found[1] if found else None
