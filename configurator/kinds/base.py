"""What a kind of resource is: the questions that each file of this package answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from configurator.errors import NotFoundError
from configurator.model import Action, Change, Field, Key, Observation, Resource, Unchecked
from configurator.spec.expanded import Expanded
from configurator.world.world import World

B = TypeVar("B")  # the body of a kind's resources
P = TypeVar("P")  # what a kind prepares once for all of its changes; None for one that prepares nothing


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What a kind has to say once its changes are made.

    Attributes:
        warnings: sentences for people.
        unchecked: what was left undone for lack of a right.
    """

    warnings: tuple[str, ...] = ()
    unchecked: tuple[Unchecked, ...] = ()


class Kind(ABC, Generic[B, P]):
    """One kind of resource: what is wanted, what is there, what differs, how to change it.

    Kinds hold no state. What one run knows is in the :class:`~configurator.world.world.World`.
    """

    name: ClassVar[str]

    @abstractmethod
    def desired(self, expanded: Expanded) -> Iterator[Resource[B]]:
        """What the spec wants of this kind, with what must come before each. Asks no server."""

    @abstractmethod
    def observe(self, wanted: Sequence[Resource[B]], world: World) -> Observation[B]:
        """What is there: of what is wanted, and of what carries our mark. In bulk, reads only."""

    @abstractmethod
    def differences(self, wanted: Resource[B], existing: Resource[B]) -> Sequence[Field]:
        """What differs, field by field. Pure."""

    def obstacle(self, wanted: Resource[B], existing: Resource[B]) -> str:
        """Why ``existing`` can't become ``wanted`` whoever owns it (a job where a folder should be), or empty."""
        return ""

    def spared(self, deletions: Sequence[Resource[Any]]) -> dict[Key, str]:
        """Those of this kind that must not go, with the reason (a folder that holds somebody's job).

        Args:
            deletions: all that shall go, of every kind.
        """
        return {}

    def prepare(self, changes: Sequence[Change], world: World) -> P | None:
        """What is best done once for all changes of this kind, right before the first. Its result goes to each."""
        return None

    @abstractmethod
    def create(self, wanted: Resource[B], world: World, prepared: P) -> None:
        """Make it. Raises ServerError."""

    @abstractmethod
    def update(self, wanted: Resource[B], existing: Resource[B], world: World, prepared: P) -> None:
        """Bring it in order. Raises ServerError."""

    @abstractmethod
    def delete(self, existing: Resource[B], world: World) -> None:
        """Remove it. Raises ServerError."""

    def finish(self, done: Sequence[Change], world: World, prepared: P | None) -> Aftermath:
        """What follows once all changes are made.

        Args:
            done: those of this kind that were carried out.
            world: the servers.
            prepared: what ``prepare`` gave, None where only deletions were carried out.
        """
        return Aftermath()

    def carry_out(self, change: Change, world: World, prepared: P) -> None:
        """Carry out one change of a plan. Raises ServerError."""
        if change.action is Action.DELETE and change.existing is not None:
            with suppress(NotFoundError):  # somebody was faster: gone is gone
                self.delete(change.existing, world)
        elif change.action is Action.CREATE and change.wanted is not None:
            self.create(change.wanted, world, prepared)
        elif change.action is Action.UPDATE and change.wanted is not None and change.existing is not None:
            self.update(change.wanted, change.existing, world, prepared)


def parent_of(full_name: str) -> str | None:
    """The folder part of a full name: ``shop`` for ``shop/payments``, None at the root."""
    return full_name.rpartition("/")[0] or None
