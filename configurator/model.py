"""The data that travels through the program, in one direction.

``spec → dict[Key, Resource] desired → the same type observed → Plan → Results``. Nothing here knows a server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Generic, TypeVar

from configurator.errors import Place

B = TypeVar("B")  # the body of a resource, in a type of its kind's own


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Identity of a resource: its kind and its full name, such as ``job payments/MAIN-Build-payments``."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where in the spec a resource comes from.

    Attributes:
        place: the spot in the YAML file that asks for it.
        application: name of the application it belongs to, or None.
    """

    place: Place | None = None
    application: str | None = None


@dataclass(frozen=True, slots=True)
class Resource(Generic[B]):
    """One thing on a server, as wanted or as it is.

    Attributes:
        key: its identity.
        body: its content, in a type of its kind's own.
        owner: wanted: the spec's name. Observed: the owner its mark names, None without a mark.
        origin: for a wanted one, where the spec asks for it.
        after: keys that must exist before this one can be made.
        pair: a resource that holds the same secret: when this one's secret changes, that one is rewritten
            with it, and while that one is not ours this one can't be made.
        manage: False = belongs to somebody else: verified, never changed.
        adopt: take it over where it exists without a mark.
        secret_known: observed: its secret was compared; False = only its pair's fingerprint tells of a change.
    """

    key: Key
    body: B
    owner: str | None = None
    origin: Origin = field(default_factory=Origin)
    after: tuple[Key, ...] = ()
    pair: Key | None = None
    manage: bool = True
    adopt: bool = False
    secret_known: bool = True

    def with_body(self, body: B) -> Resource[B]:
        """The same resource with another body."""
        return replace(self, body=body)


@dataclass(frozen=True, slots=True)
class Field:
    """One difference. A secret is shown as ``(secret)`` with a short fingerprint, never as itself.

    Attributes:
        path: slash-separated place inside the resource, such as ``triggers/GitLabPushTrigger/triggerOnPush``.
        before: value on the server; None = absent.
        after: value wanted; None = to be removed.
        secret: the difference is one of a secret value.
    """

    path: str
    before: str | None
    after: str | None
    secret: bool = False


NOT_THERE = "it is not there"
DIFFERS = "it differs from the spec"
LEFT_THE_SPEC = "it carries our mark and is no longer in the spec"
UNMARKED = "it exists and does not carry our mark"
ORDINARY_REASONS = frozenset((NOT_THERE, DIFFERS, LEFT_THE_SPEC))
"""Reasons that the action itself tells a person already."""


class Action(StrEnum):
    """What is to be done with a resource."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a plan.

    Attributes:
        action: what to do.
        key: with what.
        reason: why, for people.
        fields: what differs (updates), empty otherwise.
        wanted: the resource as it shall be; None for a deletion.
        existing: the resource as it is; None for a creation.
    """

    action: Action
    key: Key
    reason: str = ""
    fields: tuple[Field, ...] = ()
    wanted: Resource[Any] | None = None
    existing: Resource[Any] | None = None

    @property
    def application(self) -> str | None:
        """Name of the application it belongs to, None for shared things and deletions."""
        return self.wanted.origin.application if self.wanted else None


@dataclass(frozen=True, slots=True, order=True)
class Unchecked:
    """What could not be looked at or done, and why.

    Attributes:
        kind: resource kind.
        name: full name, or ``*`` for the whole kind.
        reason: starts with the permission where one is missing: ``needs Credentials/View``.
        failed: the server failed (rather than said no): a plan with it exits 1.
    """

    kind: str
    name: str
    reason: str
    failed: bool = False


@dataclass(frozen=True)
class Observation(Generic[B]):
    """What a kind found on the servers.

    Attributes:
        existing: everything of the kind that matters: what is wanted, and what carries our mark.
        wanted: wanted resources in the form that the server would show them in, where that differs from
            the form in the spec (an id resolved, an XML normalised). Keys left out keep their first form.
        unchecked: what can't be looked at, and why; the engine plans nothing for those keys.
        warnings: for people.
    """

    existing: Mapping[Key, Resource[B]] = field(default_factory=dict)
    wanted: Mapping[Key, Resource[B]] = field(default_factory=dict)
    unchecked: tuple[Unchecked, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What has to be done, sorted in the order in which it is shown.

    Attributes:
        owner: name of the spec.
        created_at: ISO 8601 with UTC offset.
        changes: creations, updates, conflicts, and with prune the deletions.
        prunable: deletions that ``--prune`` would carry out.
        warnings: sentences for people.
        unchecked: see :class:`Unchecked`.
        unchanged: how many resources match already.
    """

    owner: str
    created_at: str
    changes: tuple[Change, ...] = ()
    prunable: tuple[Change, ...] = ()
    warnings: tuple[str, ...] = ()
    unchecked: tuple[Unchecked, ...] = ()
    unchanged: int = 0

    def count(self, action: Action) -> int:
        """How many changes have ``action``."""
        return sum(change.action is action for change in self.changes)

    @property
    def pending(self) -> bool:
        """Whether an apply would change anything."""
        return any(change.action is not Action.CONFLICT for change in self.changes)


class Outcome(StrEnum):
    """How a change ended."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Result:
    """How one change of a plan ended.

    Attributes:
        change: the change.
        outcome: done, failed, skipped.
        error: why it failed or was skipped, with what to do next; empty when done.
        seconds: time it took.
        unchecked: it was skipped because a right is missing, in which case this says which.
    """

    change: Change
    outcome: Outcome
    error: str = ""
    seconds: float = 0.0
    unchecked: Unchecked | None = None


@dataclass(frozen=True)
class Applied:
    """What an apply did.

    Attributes:
        plan: the plan that was carried out.
        results: one for each of its changes, in the plan's order.
        warnings: what came up on the way (a restart is needed, …).
        unchecked: what could not be done beside the changes (a first build without Job/Build).
        interrupted: the user stopped it.
        seconds: wall time of the apply.
    """

    plan: Plan
    results: tuple[Result, ...]
    warnings: tuple[str, ...] = ()
    unchecked: tuple[Unchecked, ...] = ()
    interrupted: bool = False
    seconds: float = 0.0

    def count(self, outcome: Outcome) -> int:
        """How many changes ended so."""
        return sum(result.outcome is outcome for result in self.results)
