"""Which change must wait for which, and what a failure stops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from configurator.model import Action, Change, Key, Outcome, Plan, Result


def narrowed(plan: Plan, keys: Iterable[Key]) -> Plan:
    """The part of a plan that concerns ``keys``, with what they need.

    That is: what shares a secret with one of them, and what must be made before it, and so on. What they need that is
    there already and merely differs is left alone. The warnings stay with the whole plan.

    Args:
        plan: a whole plan.
        keys: what is to be brought in order.
    """
    changes = {change.key: change for change in plan.changes}
    asked = frozenset(keys)
    taken: set[Key] = set()
    left = list(asked)
    while left:
        key = left.pop()
        change = changes.get(key)
        if change is None or key in taken:
            continue
        taken.add(key)
        wanted = change.wanted
        if wanted is None:
            continue
        left += [wanted.pair] if wanted.pair else []
        left += [other for other in wanted.after if other in changes and changes[other].existing is None]
    return replace(
        plan,
        changes=tuple(change for change in plan.changes if change.key in taken),
        prunable=(),
        warnings=(),
        unchecked=tuple(one for one in plan.unchecked if Key(one.kind, one.name) in asked),
        unchanged=0,
    )


def waits_for(changes: Sequence[Change]) -> dict[Key, set[Key]]:
    """For every change that is carried out, the changes it must come after.

    Making and updating go from the container to what is in it; deleting goes the other way round, and nothing is
    deleted before what uses it was moved away from it.
    """
    todo = {change.key: change for change in changes if change.action is not Action.CONFLICT}
    graph: dict[Key, set[Key]] = {key: set() for key in todo}
    for key, change in todo.items():
        for other in change.wanted.after if change.wanted else ():
            if other in todo and todo[other].action is not Action.DELETE:
                graph[key].add(other)
        for other in change.existing.after if change.existing else ():
            if other in todo and todo[other].action is Action.DELETE:
                graph[other].add(key)
    return graph


def obstacle(change: Change, changes: Mapping[Key, Change], results: Mapping[Key, Result]) -> str:
    """Why a change can't be made after all, given how those before it ended; empty when it can.

    Args:
        change: the change in question, all it waits for being over.
        changes: every change of the plan.
        results: how those that are over ended.
    """
    if change.action is Action.DELETE:
        return _obstacle_to_deletion(change, changes, results)
    assert change.wanted is not None
    pair = change.wanted.pair
    for key in change.wanted.after:
        other = changes.get(key)
        if other is None or (key != pair and other.existing is not None):
            continue
        if other.action is Action.CONFLICT:
            return f"{key} is in conflict: {other.reason}"
        if key in results and results[key].outcome is not Outcome.DONE:
            return f"{key} was not {_past(other.action)}"
    return ""


def _obstacle_to_deletion(change: Change, changes: Mapping[Key, Change], results: Mapping[Key, Result]) -> str:
    for key, other in changes.items():
        uses = other.existing is not None and change.key in other.existing.after
        if uses and key in results and results[key].outcome is not Outcome.DONE:
            return f"{key} was not {_past(other.action)}"
    return ""


def _past(action: Action) -> str:
    return {Action.CREATE: "made", Action.UPDATE: "updated", Action.DELETE: "deleted"}.get(action, "changed")
