"""Which of the hooks that were found are meant, and whether so many may go. Pure: nothing here asks a server."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from configurator.errors import InputError, Problem, RefusedError
from configurator.webhooks.model import Finding, HookClass, Picture

DEFAULT_CLASSES = (HookClass.ORPHANED, HookClass.DUPLICATE)
"""What ``cleanup`` removes unless told otherwise."""

FURTHER_CLASSES = (
    HookClass.STALE,
    HookClass.MISROUTED,
    HookClass.FAILING,
    HookClass.MISMATCHED,
    HookClass.UNMANAGED,
)
"""What it removes on demand."""

REPAIRABLE = (HookClass.MISMATCHED, HookClass.STALE, HookClass.FAILING)
"""What ``repair`` brings in order."""

REMOVABLE = frozenset((*DEFAULT_CLASSES, *FURTHER_CLASSES))

_NEVER = {
    HookClass.LIVE: "works",
    HookClass.FOREIGN: "does not point at this Jenkins",
    HookClass.UNKNOWN: "could not be checked",
}
_TOLD = 5  # problems that a refusal quotes


def narrow(
    picture: Picture,
    classes: Collection[HookClass] = (),
    projects: Sequence[str] = (),
    older_than_days: float | None = None,
    now: datetime | None = None,
) -> Picture:
    """The part of ``picture`` that a person wants to see. Its problems stay: it is as incomplete as before.

    Args:
        picture: all that a scan saw.
        classes: first words of findings; empty = all.
        projects: globs for project paths, letter case aside, ``*`` also for slashes; empty = all.
        older_than_days: age by ``created_at``; a hook whose age is not told is left out. None = any age.
        now: what the age is counted from, with UTC offset; default: now.
    """
    newest = None if older_than_days is None else _before(now or datetime.now(UTC), older_than_days)
    globs = [glob.casefold() for glob in projects]

    def wanted(project: str) -> bool:
        return not globs or any(fnmatchcase(project.casefold(), glob) for glob in globs)

    return replace(
        picture,
        findings=tuple(
            one
            for one in picture.findings
            if (not classes or one.cls in classes)
            and wanted(one.hook.project)
            and (newest is None or _created_by(one.hook.created_at, newest))
        ),
        integrations=tuple(one for one in picture.integrations if wanted(one.project)),
    )


def _before(now: datetime, days: float) -> datetime:
    try:
        return now - timedelta(days=days)
    except OverflowError:  # longer ago than there are dates
        return datetime.min.replace(tzinfo=UTC)


def _created_by(created_at: str, newest: datetime) -> bool:
    try:
        created = datetime.fromisoformat(created_at)
    except ValueError:
        return False
    return (created if created.tzinfo else created.replace(tzinfo=UTC)) <= newest


def select(
    picture: Picture, classes: Iterable[HookClass] = DEFAULT_CLASSES, *, only_marked: bool = False
) -> tuple[Finding, ...]:
    """The hooks that a cleanup would remove, in the picture's order.

    A hook is what its first word says: a misrouted one is not removed because it is stale as well. What carries
    another owner's mark is never among them, nor what `apply` moves to a job's new name (see :func:`left_to_apply`).

    Args:
        picture: what was found, narrowed or not.
        classes: of :data:`REMOVABLE`.
        only_marked: leave hooks without a mark alone.

    Raises:
        InputError: hooks of such a class are never removed; names every one of them.
    """
    asked = tuple(classes)
    refused = [one for one in dict.fromkeys(asked) if one not in REMOVABLE]
    if refused:
        hint = f"choose from {', '.join((*DEFAULT_CLASSES, *FURTHER_CLASSES))}"
        raise InputError(
            [Problem(f"{one} webhooks are never removed: such a hook {_NEVER[one]}", hint=hint) for one in refused]
        )
    owners = (picture.owner,) if only_marked else (picture.owner, None)
    found = (one for one in picture.findings if one.cls in asked and one.moves_to is None)
    return tuple(one for one in found if one.hook.owner in owners)


def left_to_apply(picture: Picture, classes: Collection[HookClass]) -> tuple[str, ...]:
    """Why hooks of these classes stay that are at the former name of a job, for people; one text for each.

    Args:
        picture: what was found, narrowed or not.
        classes: those that :func:`select` was asked for.
    """
    return tuple(
        f"webhook {one.hook.id} of {one.hook.project} stays: the spec renamed {one.job} to {one.moves_to}, and "
        "`configurator apply` moves it there"
        for one in picture.findings
        if one.cls in classes and one.moves_to is not None
    )


def guard(selected: Sequence[Finding], whole: Picture, max_deletes: int, max_percent: float) -> None:
    """Refuse to remove too many hooks, or any at all on an incomplete picture.

    Args:
        selected: what would be removed.
        whole: the picture as the scan gave it, never a narrowed one: the share is counted of all hooks under this
            Jenkins' addresses (``whole.ours``), or a narrow look would make every cleanup seem large.
        max_deletes: how many may go.
        max_percent: which share of the hooks under this Jenkins' addresses may go, 0 to 100.

    Raises:
        RefusedError: with the numbers, and the options that would allow it. Nothing was changed.
    """
    if not whole.complete:
        told = [*whole.problems[:_TOLD]]
        left = len(whole.problems) - len(told)
        told += [f"and {left} more"] if left else []
        raise RefusedError(
            "not everything could be looked at, so nothing is removed:\n" + "\n".join(told),
            "see to these first, or look at less (without the projects or the GitLab that they are about)",
        )
    count, of = len(selected), len(whole.ours)
    reasons, options = [], []
    if count > max_deletes:
        reasons.append(f"more than the {max_deletes} that are allowed")
        options.append(f"--max-deletes {count}")
    if count * 100 > max_percent * of:
        share = _share(count, of, max_percent)
        reasons.append(f"{share} % of the {of} under this Jenkins' addresses, more than the {max_percent:g} % allowed")
        options.append(f"--max-percent {math.ceil(count * 100 / of) if of else 100}")
    if reasons:
        what = "1 webhook" if count == 1 else f"{count} webhooks"
        raise RefusedError(
            f"{what} would be removed, {' and '.join(reasons)}; nothing was changed",
            f"look at the list; if it is meant, run again with {' '.join(options)}",
        )


def _share(count: int, of: int, limit: float) -> str:
    """``count`` of ``of`` in percent, with as many places as it takes to see that it is more than ``limit``."""
    share = count * 100 / of if of else 100.0
    places = next((places for places in range(1, 9) if round(share, places) > limit), 9)
    return f"{share:.{places}f}".rstrip("0").rstrip(".")
