"""What the reports on webhooks have in common: what each class means and wants, what is shown, short names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from configurator.report.safe import clean
from configurator.webhooks.model import Done, Ending, Finding, Hook, HookClass

MEANINGS = {
    HookClass.ORPHANED: "the job they call does not exist",
    HookClass.FAILING: "GitLab disabled them, or their last deliveries failed",
    HookClass.MISMATCHED: "events, branch filter, SSL setting or token are not what the job needs",
    HookClass.STALE: "they call a former address, or one in a form that does not work",
    HookClass.MISROUTED: "the job they call belongs to another project",
    HookClass.DUPLICATE: "another hook of the project does the same",
    HookClass.UNMANAGED: "they carry no mark: made by hand, they may well be in use",
    HookClass.UNKNOWN: "the job could not be checked, so they are left alone",
    HookClass.LIVE: "nothing is wrong with them",
    HookClass.FOREIGN: "they call something other than this Jenkins",
}
"""What each class says about its hooks, for people; the worst class first."""

CURES = {
    HookClass.ORPHANED: "`configurator webhooks cleanup` removes them",
    HookClass.FAILING: (
        "`configurator webhooks repair` mends those with our mark and has GitLab test them, `test` says what is wrong; "
        "a failure stands until the next delivery"
    ),
    HookClass.MISMATCHED: "`configurator webhooks repair` brings those with our mark in order",
    HookClass.STALE: "`configurator webhooks repair` moves those with our mark, `cleanup --stale` removes the rest",
    HookClass.MISROUTED: "look at them; `cleanup --class misrouted` removes them",
    HookClass.DUPLICATE: "`configurator webhooks cleanup` removes them and keeps the one that works",
    HookClass.UNMANAGED: "`configurator apply --adopt GLOB` takes over those that the spec describes",
    HookClass.UNKNOWN: "run again when Jenkins answers, or as a user who sees all jobs",
}
"""What to do about each class that wants something done."""

FINE = frozenset((HookClass.LIVE, HookClass.FOREIGN))
"""Classes that nobody has to look at."""

PAST = {"delete": "removed", "restore": "restored", "repair": "repaired", "test": "passed"}
"""What was done, by action."""

_FUTURE = {"delete": "remove"}
_PARTLY = {"restore": "restored incompletely"}

UNFINISHED = (Ending.FAILED, Ending.INCOMPLETE, Ending.SKIPPED)
"""Endings that a person wants to read, worst first."""


def event_names(flags: Iterable[str]) -> list[str]:
    """GitLab's flags as short names: ``push_events`` is ``push``."""
    return [clean(name.removesuffix("_events")) for name in flags]


def place_of(hook: Hook, several_gitlabs: bool) -> str:
    """The hook's project for people, with its GitLab where there is more than one."""
    return clean(f"{hook.gitlab}:{hook.project}" if several_gitlabs else hook.project)


def number_of(hook: Hook) -> str:
    """The hook's id for people. What stands for a hook that is not in GitLab (`test` speaks of those) has the id 0."""
    return f"hook {hook.id}" if hook.id else "no hook"


def target_of(finding: Finding) -> str:
    """The job that a hook means, or the URL where it means none."""
    return clean(finding.job or finding.shown)


def future_of(action: str) -> str:
    """What a dry run says of an action: ``to remove``."""
    return f"to {_FUTURE.get(action, action)}"


def counted(number: int, singular: str) -> str:
    """``1 hook``, ``1,204 hooks``."""
    return f"{number:,} {singular}{'' if number == 1 else 's'}"


def class_counts(findings: Sequence[Finding]) -> str:
    """How many there are of each class, worst first: ``2 orphaned, 41 live``; ``none`` without any."""
    numbers = [(name, sum(one.cls is name for one in findings)) for name in MEANINGS]
    return ", ".join(f"{number:,} {name}" for name, number in numbers if number) or "none"


def ending_counts(results: Sequence[Done]) -> str:
    """How the work ended: ``12 removed, 1 failed``; ``nothing done`` without any."""
    parts: list[str] = []
    for ending in (Ending.DONE, Ending.PLANNED, *UNFINISHED):
        words = [_ending_of(one) for one in results if one.ending is ending]
        parts += [f"{words.count(word):,} {word}" for word in dict.fromkeys(words)]
    return ", ".join(parts) or "nothing done"


def _ending_of(done: Done) -> str:
    """How the work on one hook ended, as a count names it."""
    if done.ending is Ending.DONE:
        return PAST.get(done.action, done.action)
    if done.ending is Ending.PLANNED:
        return future_of(done.action)
    return _PARTLY.get(done.action, done.ending.value) if done.ending is Ending.INCOMPLETE else done.ending.value
