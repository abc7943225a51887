"""What webhooks there are, and what each of them is: both servers read once, at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from configurator.errors import InputError, Problem
from configurator.hook_url import Address, read_address
from configurator.kinds.webhook import addresses
from configurator.webhooks.catalogue import settle, take_catalogue
from configurator.webhooks.classify import classify
from configurator.webhooks.details import Details
from configurator.webhooks.gather import Gathered, Gatherer, Wanted
from configurator.webhooks.integrations import integration_of, judge_integrations
from configurator.webhooks.model import Catalogue, Hook, Integration, Picture
from configurator.webhooks.reach import find_target
from configurator.webhooks.terms import Terms, terms_of
from configurator.world.world import World


@dataclass(frozen=True, slots=True)
class Scope:
    """What to look at. Without ``all``, groups and projects: the projects of the spec, and those that marks on our
    jobs name.

    Attributes:
        all: every project where the token is Maintainer.
        groups: the projects of these groups and their subgroups, by path.
        projects: these projects, by path.
        gitlabs: only these gitlab entries of the spec; empty = all.
        deliveries: read the log of deliveries of each hook under this Jenkins' addresses: a request each.
        integrations: look for GitLab's own Jenkins integration: a request for each project.
    """

    all: bool = False
    groups: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    gitlabs: tuple[str, ...] = ()
    deliveries: bool = False
    integrations: bool = False


class Watcher(Protocol):
    """Who wants to hear of the progress. Called from the thread that runs the scan."""

    def stage(self, text: str) -> None:
        """What is being done now, such as ``reading GitLab gitlab https://…``."""

    def scanned(self, projects: int, of: int | None, hooks: int) -> None:
        """So many projects were read by now, of so many (None = not known), and so many hooks found."""


def scan(world: World, scope: Scope, watcher: Watcher) -> Picture:
    """See every webhook of the scope, and say what it is.

    One request to GitLab for each project, and one for a hundred in a list. What could not be read is in the
    picture's problems, in words.

    Args:
        world: the servers.
        scope: where to look.
        watcher: hears of the progress.

    Raises:
        InputError: the scope names a gitlab entry that the spec does not have.
    """
    names = _names(world, scope)
    watcher.stage(f"reading {world.jenkins.label}")
    # Not one of the world's workers: it waits for them.
    beside = ThreadPoolExecutor(1, thread_name_prefix="catalogue")
    try:
        catalogue = beside.submit(take_catalogue, world.jenkins, world.salt)
        counter = _Counter(watcher)
        gathered: dict[str, Gathered] = {}
        for name in names:
            watcher.stage(f"reading {world.gitlabs[name].label}")
            gathered[name] = _gather(world, scope, name, catalogue, counter)
        watcher.stage("comparing")
        return _picture(world, gathered, _settled(world, gathered, catalogue.result()))
    finally:
        beside.shutdown(wait=False, cancel_futures=True)


class _Counter:
    """Adds up over all GitLabs what the watcher hears."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._projects = 0
        self._hooks = 0

    def for_next(self) -> Callable[[int | None, int], None]:
        """What one GitLab's reader reports to; its numbers come on top of the former ones."""
        before = self._projects

        def scanned(of: int | None, hooks: int) -> None:
            self._projects += 1
            self._hooks += hooks
            self._watcher.scanned(self._projects, None if of is None else before + of, self._hooks)

        return scanned


def _names(world: World, scope: Scope) -> tuple[str, ...]:
    unknown = [name for name in scope.gitlabs if name not in world.gitlabs]
    if unknown:
        known = ", ".join(world.gitlabs)
        raise InputError(
            [Problem(f"the spec has no gitlab entry {name!r}", hint=f"it has {known}") for name in unknown]
        )
    return scope.gitlabs or tuple(world.gitlabs)


def _gather(world: World, scope: Scope, name: str, catalogue: Future[Catalogue], counter: _Counter) -> Gathered:
    details = Details(addresses(world, name), scope.deliveries, scope.integrations)
    reader = Gatherer(world.gitlabs[name], world.pool, details, counter.for_next())
    named = bool(scope.groups or scope.projects) and not scope.all
    if named:
        return reader.gather(Wanted(groups=scope.groups, asked=scope.projects))

    def marked() -> Iterable[int]:
        return _marked_projects(catalogue.result(), world.owner, name)

    return reader.gather(
        Wanted(scope.all, scope.groups, scope.projects, tuple(sorted(world.project_paths(name))), marked)
    )


def _marked_projects(catalogue: Catalogue, owner: str, gitlab: str) -> Iterable[int]:
    """Projects that marks on our jobs name: where a job left the spec, or its project, its hook is found so."""
    for job in catalogue.jobs.values():
        mark = job.mark
        if mark is not None and mark.owner == owner and mark.gitlab == gitlab and mark.project is not None:
            yield mark.project


def _settled(world: World, gathered: Mapping[str, Gathered], catalogue: Catalogue) -> Catalogue:
    """The catalogue, and proof of what it can't show, where the caller sees only a part of the jobs."""
    if catalogue.complete or catalogue.problem:
        return catalogue
    found: dict[Address, None] = {}
    for name, one in gathered.items():
        roots = addresses(world, name)
        for hook in one.hooks:
            address = read_address(hook.url, roots)
            if address is not None:
                found[address] = None
    return settle(world.jenkins, catalogue, found, world.pool)


def _picture(world: World, gathered: Mapping[str, Gathered], catalogue: Catalogue) -> Picture:
    terms = {name: terms_of(world, name, one.describes_hooks) for name, one in gathered.items()}
    deliveries = {
        (name, project_id, hook_id): log
        for name, one in gathered.items()
        for (project_id, hook_id), log in one.deliveries.items()
    }
    hooks = _once([hook for one in gathered.values() for hook in one.hooks], terms, catalogue)
    findings = classify(hooks, catalogue, terms, world.owner, world.salt, deliveries)
    integrations = [
        integration_of(name, one.project, one.project_id, one.attributes, catalogue, terms[name].roots)
        for name, part in gathered.items()
        for one in part.integrations
    ]
    judged = judge_integrations(integrations, findings)
    problems = [problem for one in gathered.values() for problem in one.problems]
    problems += _absent_everywhere(list(gathered.values()))
    return Picture(
        owner=world.owner,
        findings=findings,
        integrations=_each_once(judged, terms),
        projects=_number_of_projects(gathered, terms),
        problems=(*([catalogue.problem] if catalogue.problem else []), *problems),
        warnings=tuple(warning for one in gathered.values() for warning in one.warnings),
    )


def _once(hooks: Iterable[Hook], terms: Mapping[str, Terms], catalogue: Catalogue) -> list[Hook]:
    """The hooks, each once: two entries of the spec may mean one GitLab, each with a token of its own.

    It counts for the entry that wants its job's hook, else for the one that the job's mark names, else for the first.
    """
    seen: dict[tuple[str, int, int], list[Hook]] = {}
    for hook in hooks:
        seen.setdefault((terms[hook.gitlab].server, hook.project_id, hook.id), []).append(hook)

    def rank(hook: Hook) -> tuple[bool, bool]:
        entry = terms[hook.gitlab]
        address = read_address(hook.url, entry.roots)
        target = find_target(catalogue, address) if address else None
        job = target.job if target else address.job if address else None
        mark = target.seen.mark if target else None
        return job not in entry.wanted, mark is None or mark.gitlab != hook.gitlab

    return [min(same, key=rank) if len(same) > 1 else same[0] for same in seen.values()]


def _each_once(found: Sequence[Integration], terms: Mapping[str, Terms]) -> tuple[Integration, ...]:
    """The integrations, likewise: as the entry sees it whose webhooks start the same job, or that knows the job."""
    seen: dict[tuple[str, int], list[Integration]] = {}
    for one in found:
        seen.setdefault((terms[one.gitlab].server, one.project_id), []).append(one)
    return tuple(min(same, key=lambda one: (-len(one.twins), one.job is None)) for same in seen.values())


def _number_of_projects(gathered: Mapping[str, Gathered], terms: Mapping[str, Terms]) -> int:
    """How many projects were read, likewise: by id, and by path where nothing told the id."""
    read: dict[str, dict[str, int | None]] = {}
    for name, one in gathered.items():
        by_path = read.setdefault(terms[name].server, {})
        for path, project_id in one.read:
            by_path[path] = by_path.get(path) or project_id
    return sum(len({project_id or path for path, project_id in by_path.items()}) for by_path in read.values())


def _absent_everywhere(gathered: list[Gathered]) -> Iterable[str]:
    """A group or project that a person named has to be on one of the GitLabs, not on each of them."""
    first = gathered[0].absent if gathered else {}
    everywhere = [path for path in first if all(path in one.absent for one in gathered)]
    return ["; ".join(one.absent[path] for one in gathered) for path in everywhere]
