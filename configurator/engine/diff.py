"""The difference between what is wanted and what is there, as a plan. Pure: no server, no clock, no kind by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from configurator.kinds.base import Kind
from configurator.model import (
    DIFFERS,
    LEFT_THE_SPEC,
    NOT_THERE,
    UNMARKED,
    Action,
    Change,
    Field,
    Key,
    Observation,
    Plan,
    Resource,
    Unchecked,
)
from configurator.secret import MASK

WRITTEN_AGAIN = "its secret may have been changed there, which the server does not show"


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for.

    Attributes:
        prune: deletions belong to the changes.
        adopt: shell patterns on names (or ``kind:name``) of what may be taken over.
        rewrite: what is ours and is written again even where nothing differs, its secret above all: the server does
            not show whether somebody changed that.
    """

    prune: bool = False
    adopt: tuple[str, ...] = ()
    rewrite: frozenset[Key] = frozenset()

    def adopts(self, resource: Resource[Any]) -> bool:
        """Whether ``resource`` may be taken over where it exists without a mark."""
        names = (resource.key.name, f"{resource.key.kind}:{resource.key.name}")
        return resource.adopt or any(fnmatchcase(name, glob) for glob in self.adopt for name in names)


def make_plan(
    owner: str,
    desired: Mapping[Key, Resource[Any]],
    observed: Sequence[tuple[Kind[Any, Any], Observation[Any]]],
    options: Options,
    created_at: str,
) -> Plan:
    """Compare, and say what has to be done.

    Args:
        owner: name of the spec.
        desired: what the spec wants, as it stands there.
        observed: each kind with what it found, in the order in which plans show kinds.
        options: prune and adopt.
        created_at: ISO 8601, goes into the plan.
    """
    wanted = dict(desired)
    existing: dict[Key, Resource[Any]] = {}
    for _, observation in observed:
        wanted.update(observation.wanted)
        existing.update(observation.existing)
    unchecked = _with_pairs(wanted, [one for _, observation in observed for one in observation.unchecked])
    blind = {Key(one.kind, one.name) for one in unchecked}
    kinds = {kind.name: kind for kind, _ in observed}
    changes: dict[Key, Change] = {}
    unchanged: list[Key] = []
    for key, resource in wanted.items():
        if key in blind:
            continue
        change = _change(kinds[key.kind], resource, existing.get(key), options)
        if change is None:
            unchanged.append(key)
        else:
            changes[key] = change
    _rewrite_pairs(changes, wanted, existing)
    visible = {key: resource for key, resource in existing.items() if key not in blind}
    deletions, kept = _deletions(owner, wanted, visible, kinds)
    shown = [*changes.values(), *(deletions if options.prune else ())]
    order = {name: place for place, name in enumerate(kinds)}
    return Plan(
        owner=owner,
        created_at=created_at,
        changes=tuple(sorted(shown, key=lambda change: _rank(change, order))),
        prunable=() if options.prune else tuple(sorted(deletions, key=lambda change: _rank(change, order))),
        warnings=tuple(dict.fromkeys([*(w for _, one in observed for w in one.warnings), *kept])),
        unchecked=tuple(unchecked),
        unchanged=sum(key not in changes for key in unchanged),
    )


def _change(
    kind: Kind[Any, Any], wanted: Resource[Any], existing: Resource[Any] | None, options: Options
) -> Change | None:
    key = wanted.key
    if existing is None:
        if wanted.manage:
            return Change(Action.CREATE, key, NOT_THERE, wanted=wanted)
        reason = "the spec says it is there already (manage: false), and it is not"
        return Change(Action.CONFLICT, key, reason, wanted=wanted)
    obstacle = kind.obstacle(wanted, existing)
    if obstacle:
        return Change(Action.CONFLICT, key, obstacle, wanted=wanted, existing=existing)
    if not wanted.manage:
        return None
    if existing.owner is not None and existing.owner != wanted.owner:
        reason = f"it belongs to {existing.owner}, another spec"
        return Change(Action.CONFLICT, key, reason, wanted=wanted, existing=existing)
    adopted = existing.owner is None
    if adopted and not options.adopts(wanted):
        return Change(Action.CONFLICT, key, UNMARKED, wanted=wanted, existing=existing)
    fields = tuple(kind.differences(wanted, existing))
    again = key in options.rewrite and not any(field.secret for field in fields)
    if not fields and not again:
        return None
    reason = "taken over (adopt)" if adopted else DIFFERS if fields else WRITTEN_AGAIN
    if again:
        fields = (*fields, Field("secret", MASK, MASK, secret=True))
    return Change(Action.UPDATE, key, reason, fields, wanted, existing)


def _with_pairs(wanted: Mapping[Key, Resource[Any]], unchecked: Sequence[Unchecked]) -> list[Unchecked]:
    """What can't be checked takes along what shares a secret with it."""
    reasons = {Key(one.kind, one.name): one for one in unchecked}
    for key, resource in wanted.items():
        cause = reasons.get(resource.pair) if resource.pair else None
        if cause is not None and key not in reasons:
            reasons[key] = Unchecked(
                key.kind, key.name, f"{resource.pair} is not checked: {cause.reason}", cause.failed
            )
    return list(reasons.values())


def _rewrite_pairs(
    changes: dict[Key, Change], wanted: Mapping[Key, Resource[Any]], existing: Mapping[Key, Resource[Any]]
) -> None:
    """Where a shared secret changes and the other side's can't be compared, the other side is rewritten too."""
    for change in list(changes.values()):
        pair = change.wanted.pair if change.wanted else None
        there = existing.get(pair) if pair else None
        if pair is None or there is None or there.secret_known or pair in changes:
            continue
        if change.action is Action.CREATE or any(field.secret for field in change.fields):
            field = Field("secret", MASK, MASK, secret=True)
            reason = f"it shares its secret with {change.key}"
            changes[pair] = Change(Action.UPDATE, pair, reason, (field,), wanted[pair], there)


def _deletions(
    owner: str,
    wanted: Mapping[Key, Resource[Any]],
    existing: Mapping[Key, Resource[Any]],
    kinds: Mapping[str, Kind[Any, Any]],
) -> tuple[list[Change], list[str]]:
    """What carries our mark and is in the spec no more; and sentences on what is spared."""
    going = [one for key, one in existing.items() if one.owner == owner and key not in wanted]
    kept: list[str] = []
    spared: dict[Key, str] = {}
    for kind in kinds.values():
        spared.update(kind.spared(going))
    for key, reason in spared.items():
        kept.append(f"{key} left the spec and is kept: {reason}")
    return [Change(Action.DELETE, one.key, LEFT_THE_SPEC, existing=one) for one in going if one.key not in spared], kept


def _rank(change: Change, order: Mapping[str, int]) -> tuple[bool, str, int, str]:
    application = change.application
    return (application is None, application or "", order[change.key.kind], change.key.name)
