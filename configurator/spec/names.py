"""What Jenkins accepts as a name (contract, fact 10), and the names that are made of branches."""

from __future__ import annotations

import re

_REFUSED = r"/*?%<>|\[\]:;@!#$&^\\"
_REFUSED_CHARACTER = re.compile(rf"[{_REFUSED}\x00-\x1f\x7f-\x9f]")
_BRANCH_REPLACED = re.compile(rf"\.\.|\.$|[{_REFUSED}\x00-\x1f\x7f-\x9f]")
_NO_BRANCH = re.compile(r"[\s\x00-\x1f\x7f~^:?*\[\\]|\.\.|//|@\{|^[/-]|[/.]$|\.lock$")


def item_name_problem(name: str) -> str | None:
    """What Jenkins has against ``name`` as the name of one job, folder or view; None when it is fine.

    Spaces inside and letters beyond ASCII are fine (contract, fact 10).
    """
    if not name:
        return "is empty"
    found = _REFUSED_CHARACTER.search(name)
    if found:
        return f"holds {found[0]}" if found[0].isprintable() else "holds a control character"
    if ".." in name:
        return "holds .."
    if name.endswith("."):
        return "ends with a dot"
    return "begins or ends with a space" if name != name.strip() else None


def full_name_problem(full_name: str) -> str | None:
    """What Jenkins has against any part of a full name such as ``shop/tools/nightly``, or None."""
    parts = full_name.split("/")
    for part in parts:
        problem = item_name_problem(part)
        if problem == "is empty":
            return "is empty" if len(parts) == 1 else "has an empty part: a slash at its start, at its end, or twice"
        if problem:
            return problem if len(parts) == 1 else f"has a part that {problem}"
    return None


def branch_problem(branch: str) -> str | None:
    """Why git can't have a branch of that name, or None."""
    if not branch:
        return "is empty"
    return "is no name that git allows" if _NO_BRANCH.search(branch) else None


def branch_name(branch: str) -> str:
    """The name that a branch gives to views and jobs: ``release/2.x`` gives ``RELEASE-2.X``.

    Upper-cased; ``/`` and everything that Jenkins refuses in a name becomes ``-``. Different branches may
    give the same name; the spec's checks refuse that within an application.
    """
    return _BRANCH_REPLACED.sub("-", branch.upper())


def parent_name(full_name: str) -> str | None:
    """Full name of the folder that holds an item or view, None at the root."""
    return full_name.rpartition("/")[0] or None
