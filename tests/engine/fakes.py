"""A kind without servers: what is there is a dictionary, what was done is a list."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from configurator.clients.redaction import Redactor
from configurator.kinds.base import Kind
from configurator.model import Field, Key, Observation, Resource
from configurator.spec.expanded import Expanded
from configurator.world.world import World

NO_WORLD = cast(World, SimpleNamespace(redactor=Redactor()))


@dataclass
class FakeKind(Kind[Any, str]):
    """Bodies are mappings of text; differences are those of the wanted keys.

    Attributes:
        fail: called with a key before it is changed; may raise.
    """

    name: str = "thing"  # type: ignore[misc]
    fail: Callable[[Key], None] = lambda key: None
    obstacles: Mapping[Key, str] = field(default_factory=dict)
    sparing: Mapping[Key, str] = field(default_factory=dict)
    log: list[tuple[str, str]] = field(default_factory=list)
    prepared: list[tuple[str, ...]] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)

    def desired(self, expanded: Expanded) -> Iterator[Resource[Any]]:
        return iter(())

    def observe(self, wanted: Sequence[Resource[Any]], world: World) -> Observation[Any]:
        return Observation()

    def obstacle(self, wanted: Resource[Any], existing: Resource[Any]) -> str:
        return self.obstacles.get(wanted.key, "")

    def spared(self, deletions: Sequence[Resource[Any]]) -> dict[Key, str]:
        return {key: reason for key, reason in self.sparing.items() if any(one.key == key for one in deletions)}

    def differences(self, wanted: Resource[Any], existing: Resource[Any]) -> Sequence[Field]:
        return [
            Field(name, existing.body.get(name), value, secret=name == "secret")
            for name, value in wanted.body.items()
            if existing.body.get(name) != value
        ]

    def prepare(self, changes: Sequence[Any], world: World) -> str:
        self.prepared.append(tuple(change.key.name for change in changes))
        return "prepared"

    def create(self, wanted: Resource[Any], world: World, prepared: Any) -> None:
        assert prepared == "prepared"
        self._do("create", wanted.key)

    def update(self, wanted: Resource[Any], existing: Resource[Any], world: World, prepared: Any) -> None:
        assert prepared == "prepared"
        self._do("update", wanted.key)

    def delete(self, existing: Resource[Any], world: World) -> None:
        self._do("delete", existing.key)

    def _do(self, verb: str, key: Key) -> None:
        self.fail(key)
        with self.lock:
            self.log.append((verb, key.name))


def wanted(name: str, kind: str = "thing", **more: Any) -> Resource[Any]:
    """A wanted resource of owner ``me``."""
    body = more.pop("body", {"a": "1"})
    return Resource(Key(kind, name), body, owner="me", **more)


def there(name: str, kind: str = "thing", owner: str | None = "me", **more: Any) -> Resource[Any]:
    """A resource as observed."""
    body = more.pop("body", {"a": "1"})
    return Resource(Key(kind, name), body, owner=owner, **more)
