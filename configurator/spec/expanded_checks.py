"""What must be true of everything that a spec asks for together: what no single entry of it can show.

The loader has checked what is written. These checks see what the provisioners made of it, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from configurator.errors import Problem
from configurator.model import Origin
from configurator.spec.expanded import Expanded, FolderItem, JobItem, ViewItem
from configurator.spec.names import full_name_problem, parent_name

HOOKS_PER_PROJECT = 100
Item = FolderItem | JobItem | ViewItem
_KINDS: dict[type[Item], str] = {FolderItem: "folder", JobItem: "job", ViewItem: "view"}


def check_expanded(expanded: Expanded, complete: bool) -> list[Problem]:
    """Everything that is wrong with the expanded spec as a whole.

    Args:
        expanded: folders, jobs and views, sorted.
        complete: nothing failed to expand. Otherwise folders that seem to be missing are not told.
    """
    problems = [*_bad_names(expanded), *_twins(expanded), *_too_many_hooks(expanded), *_hooks_without_key(expanded)]
    problems += _renamed_from_others(expanded)
    return [*problems, *_orphans(expanded)] if complete else problems


def _label(item: Item) -> str:
    return f"{_KINDS[type(item)]} {item.name}"


def _chain(origin: Origin) -> tuple[str, ...]:
    return (f"application {origin.application} ({origin.place})",) if origin.application else ()


def _problem(item: Item, message: str, hint: str = "") -> Problem:
    return Problem(message, item.origin.place, hint, _chain(item.origin))


def _items(expanded: Expanded) -> Iterator[Item]:
    yield from expanded.folders
    yield from expanded.jobs
    yield from expanded.views


def _bad_names(expanded: Expanded) -> Iterator[Problem]:
    for item in _items(expanded):
        fault = full_name_problem(item.name)
        if fault:
            hint = "Jenkins refuses / * ? % .. < > | [ ] : ; @ ! # $ & ^ \\ and a dot at the end"
            yield _problem(item, f"the name of {_label(item)} {fault}", hint)


def _twins(expanded: Expanded) -> Iterator[Problem]:
    """Two items under one name. For Jenkins case makes no difference in names of jobs and folders; in views it does."""
    for first, *others in (
        *_same([*expanded.folders, *expanded.jobs], fold=True),
        *_same(expanded.views, fold=False),
    ):
        for other in others:
            where = f", first at {first.origin.place}" if first.origin.place else ""
            if other.name != first.name:
                message = f"{_label(other)} and {_label(first)} differ only in case{where}"
                hint = "for Jenkins that is one name: change one of them"
            elif other.origin.application and other.origin == first.origin:
                message, hint = f"{_label(other)} is made twice by the provisioner", "give each item a name of its own"
            elif type(other) is type(first):
                message, hint = f"{_label(other)} is asked for twice{where}", "rename or remove one"
            else:
                message = f"{_label(other)} has the name of a {_KINDS[type(first)]}{where}"
                hint = "rename or remove one"
            yield _problem(other, message, hint)


def _same(items: Iterable[Item], fold: bool) -> Iterator[list[Item]]:
    """Groups of items with one name, each in the order in which the spec asks for them."""
    groups: defaultdict[str, list[Item]] = defaultdict(list)
    for item in items:
        groups[item.name.lower() if fold else item.name].append(item)
    for group in groups.values():
        if len(group) > 1:
            yield sorted(group, key=_order)


def _order(item: Item) -> tuple[str, int, int]:
    place = item.origin.place
    return (place.file, place.line, place.column) if place else ("", 0, 0)


def _too_many_hooks(expanded: Expanded) -> Iterator[Problem]:
    projects: defaultdict[tuple[str, str], list[JobItem]] = defaultdict(list)
    for job in expanded.jobs:
        if job.hook:
            projects[job.hook.gitlab, job.hook.project].append(job)
    for (gitlab, project), jobs in projects.items():
        if len(jobs) > HOOKS_PER_PROJECT:
            message = f"project {project} in {gitlab} would get {len(jobs)} webhooks, GitLab allows {HOOKS_PER_PROJECT}"
            yield _problem(jobs[-1], message, "name fewer branches, or leave jobs without a webhook: webhook: false")


def _hooks_without_key(expanded: Expanded) -> Iterator[Problem]:
    """Webhooks that a team's own provisioner asks for, of an entry without a key to derive their tokens from."""
    keyless = {entry.name for entry in expanded.spec.gitlab if entry.webhooks.secret is None}
    for job in expanded.jobs:
        if job.hook and job.hook.gitlab in keyless:
            keyless.remove(job.hook.gitlab)  # told once
            message = f"the webhook of {_label(job)} needs a webhooks.secret in the gitlab entry '{job.hook.gitlab}'"
            yield _problem(job, message, "webhooks: {secret: {env: WEBHOOK_SECRET}}; or webhook: false in a job")


def _renamed_from_others(expanded: Expanded) -> Iterator[Problem]:
    """Jobs that would take over the webhook of a job that is still there, or that another one takes over."""
    present = {job.name.casefold(): job for job in expanded.jobs}
    first: dict[str, JobItem] = {}
    for job in expanded.jobs:
        if job.former is None:
            continue
        former = job.former.casefold()
        other = present.get(former)
        earlier = first.setdefault(former, job)
        if other is not None:
            hint = "what is in the spec keeps its webhook: remove renamed_from once the rename was applied"
            where = f", at {other.origin.place}" if other.origin.place else ""
            yield _problem(job, f"{_label(job)} is renamed from {job.former}, which is still in the spec{where}", hint)
        elif earlier is not job:
            hint = "only one can take its webhook over: remove renamed_from of the other"
            yield _problem(job, f"{_label(job)} and {_label(earlier)} are both renamed from {job.former}", hint)


def _orphans(expanded: Expanded) -> Iterator[Problem]:
    """Items in a folder that nobody makes, told once for each folder."""
    folders = {folder.name for folder in expanded.folders}
    jobs = {job.name for job in expanded.jobs}
    told: set[str] = set()
    for item in _items(expanded):
        parent = parent_name(item.name)
        if parent is None or parent in folders or full_name_problem(item.name):
            continue
        if parent in jobs:
            yield _problem(item, f"{_label(item)} can't be inside {parent}: that is a job, not a folder")
        elif parent not in told:
            told.add(parent)
            hint = f"add {{name: {parent}}} to folders, with manage: false where it exists already"
            yield _problem(item, f"{_label(item)} is in a folder that nobody makes: {parent}", hint)
