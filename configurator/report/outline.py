"""What the text and the Markdown report have in common: groups, order, counts, and what to collapse."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from configurator.model import UNMARKED, Action, Applied, Change, Outcome, Plan, Result, Unchecked
from configurator.report.safe import clean

KINDS = ("plugin", "credential", "connection", "folder", "view", "job", "webhook")
SHARED = "Shared"
REMOVED = "No longer in the spec"
_ADOPT_HINTS = 4


@dataclass(frozen=True, slots=True)
class Group:
    """Changes that are shown together: those of an application, or the rest.

    Attributes:
        title: the application's name, or a heading.
        changes: by kind, then in the plan's order.
    """

    title: str
    changes: tuple[Change, ...]

    @property
    def shape(self) -> tuple[tuple[Action, str, int], ...]:
        """How many of which kind are to be done: groups of one shape look alike."""
        counted = Counter((change.action, change.key.kind) for change in self.changes)
        return tuple((action, kind, number) for (action, kind), number in counted.items())


def groups(changes: Iterable[Change]) -> list[Group]:
    """Changes by application (in alphabetical order), then the shared ones, then deletions."""
    by_title: dict[tuple[int, str], list[Change]] = {}
    for change in changes:
        if change.application is not None:
            title = (0, change.application)
        elif change.action is Action.DELETE:
            title = (2, REMOVED)
        else:
            title = (1, SHARED)
        by_title.setdefault(title, []).append(change)
    return [Group(title, tuple(sorted(members, key=_kind_order))) for (_, title), members in sorted(by_title.items())]


def runs(changes: Sequence[Change]) -> Iterator[list[Change]]:
    """Neighbours that say the same but for their names: same action, kind, reason and differing fields."""
    for _, run in groupby(changes, key=lambda change: (change.action, change.key.kind, change.reason, change.fields)):
        yield list(run)


def counts(plan: Plan) -> str:
    """The line that sums a plan up, without a full stop: ``3 to create, 1 to update, …``."""
    conflicts = plan.count(Action.CONFLICT)
    parts = [
        f"{plan.count(Action.CREATE)} to create",
        f"{plan.count(Action.UPDATE)} to update",
        f"{plan.count(Action.DELETE)} to delete",
        f"{conflicts} conflict{'' if conflicts == 1 else 's'}",
        f"{plan.unchanged} unchanged",
    ]
    if plan.unchecked:
        parts.append(f"{len(plan.unchecked)} not checked")
    return ", ".join(parts)


def applied_counts(applied: Applied) -> str:
    """The line that sums an apply up, without a full stop: ``3 created, 1 updated, …, 2 skipped``."""
    done = Counter(result.change.action for result in applied.results if result.outcome is Outcome.DONE)
    parts = [
        f"{done[Action.CREATE]} created",
        f"{done[Action.UPDATE]} updated",
        f"{done[Action.DELETE]} deleted",
        f"{applied.count(Outcome.FAILED)} failed",
        f"{sum(not is_conflict(result) for result in skipped(applied))} skipped",
    ]
    conflicts = applied.plan.count(Action.CONFLICT)
    if conflicts:
        parts.append(f"{conflicts} conflict{'' if conflicts == 1 else 's'} left")
    return ", ".join(parts)


def skipped(applied: Applied) -> list[Result]:
    """The results of changes that were not carried out."""
    return [result for result in applied.results if result.outcome is Outcome.SKIPPED]


def is_conflict(result: Result) -> bool:
    """Whether a change was a conflict, which nobody expected to be carried out."""
    return result.change.action is Action.CONFLICT


def conflict_advice(changes: Iterable[Change]) -> list[str]:
    """What to do about the conflicts among ``changes``, a sentence each; empty without any."""
    conflicts = [change for change in changes if change.action is Action.CONFLICT]
    strangers = [change for change in conflicts if change.reason == UNMARKED]
    theirs = [owner for change in conflicts if (owner := _other_owner(change))]
    owners = sorted(set(theirs))
    advice = []
    if strangers:
        globs = list(dict.fromkeys(_adopt_glob(change) for change in strangers))
        options = " ".join(f"--adopt {shlex.quote(clean(glob))}" for glob in globs[:_ADOPT_HINTS])
        more = " …" if len(globs) > _ADOPT_HINTS else ""
        what = "1 object exists" if len(strangers) == 1 else f"{len(strangers)} objects exist"
        advice.append(
            f"{what} already without our mark and will be left alone. To take over what was made by hand, "
            f"set `adopt: true` on the object or its application, or run with {options}{more}"
        )
    if owners:
        names = ", ".join(clean(owner) for owner in owners)
        advice.append(
            f"{len(theirs)} belong to another spec ({names}); no option takes them over. "
            "Set `manage: false` where this spec only uses them, or remove them from one of the specs"
        )
    return advice


def by_reason(unchecked: Iterable[Unchecked]) -> dict[str, list[str]]:
    """What could not be checked, each reason once: reason → ``kind name`` of all it holds for."""
    found: dict[str, list[str]] = {}
    for item in dict.fromkeys(unchecked):
        what = f"every {item.kind}" if item.name == "*" else f"{item.kind} {item.name}"
        found.setdefault(clean(item.reason), []).append(clean(what))
    return found


def all_unchecked(applied: Applied) -> tuple[Unchecked, ...]:
    """What the plan could not check and the apply could not do, each once."""
    of_results = (result.unchecked for result in applied.results if result.unchecked is not None)
    return tuple(dict.fromkeys([*applied.plan.unchecked, *applied.unchecked, *of_results]))


def all_warnings(applied: Applied) -> tuple[str, ...]:
    """The warnings of the plan and of the apply, each once."""
    return tuple(dict.fromkeys([*applied.plan.warnings, *applied.warnings]))


def some(names: Sequence[str], most: int) -> str:
    """The names, comma-separated; no more than ``most`` of them, and how many are left out."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def _other_owner(change: Change) -> str | None:
    """Name of the other spec that owns what is there, or None."""
    owner = change.existing.owner if change.existing is not None else None
    ours = change.wanted.owner if change.wanted is not None else None
    return owner if owner != ours else None


def _kind_order(change: Change) -> int:
    kind = change.key.kind
    return KINDS.index(kind) if kind in KINDS else len(KINDS)


def _adopt_glob(change: Change) -> str:
    """The shortest glob that takes this object and its like over."""
    name = change.key.name
    if change.key.kind == "webhook":
        return name.partition(" -> ")[0] + " -> *"
    return name.partition("/")[0] + "/*" if "/" in name else name
