"""What had another name before: the names that jobs had then, so that their webhooks are moved instead of made anew."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Tag

from configurator.spec.references import Model
from configurator.spec.unions import by_shape

RENAMED = "Name it had before: its webhooks are moved, not made anew."
JOB_RENAMED = "Full name it had before: its webhook is moved, not made anew."


class Branch(Model):
    """A branch that had another name before."""

    name: str = Field(min_length=1, description="Name of the branch.", examples=["main"])
    renamed_from: str | None = Field(None, min_length=1, description=RENAMED, examples=["master"])


BranchEntry = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[Branch, Tag("<mapping>")],
    by_shape("branch"),
]


def present_branches(entries: list[BranchEntry]) -> list[str]:
    """The branches' names."""
    return [entry.name if isinstance(entry, Branch) else entry for entry in entries]


def former_branches(entries: list[BranchEntry]) -> list[str]:
    """The names that the branches had before, in the same order; the present one of those that were not renamed."""
    return [(entry.renamed_from or entry.name) if isinstance(entry, Branch) else entry for entry in entries]


def former_folder(renamed_from: str, parent: str | None) -> str:
    """Full name of the folder that an application had before.

    Args:
        renamed_from: a name, of a folder beside the present one; or with a slash, the former folder's full name
            (``/payments`` was at the root).
        parent: the folder that the present one is in, None for the root.
    """
    if "/" in renamed_from:
        return renamed_from.removeprefix("/")
    return f"{parent}/{renamed_from}" if parent else renamed_from
