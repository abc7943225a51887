"""The webhooks of many projects of one GitLab, read while the list of projects is still coming in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from configurator.clients.gitlab import GitLabClient
from configurator.errors import NotFoundError, ServerError, in_words
from configurator.webhooks.details import Details, IntegrationFound
from configurator.webhooks.model import Delivery, Hook
from configurator.webhooks.work import Fuse
from configurator.world.survey import (
    ProjectFound,
    describes_hooks,
    look,
    look_marked,
    read_token,
    token_warnings,
)

AHEAD = 200
"""Most projects that are waited for at once: two pages, so that the workers never wait for the list."""

_FAILURES = 20
_NAMED = 3

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which projects of a GitLab to read.

    Attributes:
        all: every project where the token is Maintainer.
        groups: paths of groups, their subgroups included.
        asked: paths of projects that a person named.
        spec: paths of projects that the spec names.
        marked: ids of the projects that marks on our jobs name; called late, since it waits for Jenkins.
    """

    all: bool = False
    groups: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    spec: tuple[str, ...] = ()
    marked: Callable[[], Iterable[int]] = tuple


@dataclass
class Gathered:
    """What one GitLab showed.

    Attributes:
        hooks: every hook of every project that was read.
        deliveries: the log, by project id and hook id, where it was asked for.
        integrations: Jenkins integrations that are on.
        read: the projects that were read: path in lower case, and numeric id where it is known.
        describes_hooks: hooks carry a description (from 17.1 on).
        absent: what a person named and GitLab does not show, with the words for it, by its path.
        problems: what could not be read.
        warnings: for people.
    """

    hooks: list[Hook] = field(default_factory=list)
    deliveries: dict[tuple[int, int], tuple[Delivery, ...]] = field(default_factory=dict)
    integrations: list[IntegrationFound] = field(default_factory=list)
    read: list[tuple[str, int | None]] = field(default_factory=list)
    describes_hooks: bool = True
    absent: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def projects(self) -> int:
        """How many projects were read."""
        return len(self.read)


@dataclass(frozen=True, slots=True)
class _Target:
    """A project to be read.

    Attributes:
        project: by what GitLab is asked for it.
        path: what it is called.
        marked: only a mark on a job names it, so it may be long gone.
        asked: a person named it.
    """

    project: int | str
    path: str
    marked: bool = False
    asked: bool = False


@dataclass(frozen=True, slots=True)
class _Seen:
    """A project that was read, with what was asked for beside its hooks."""

    target: _Target
    found: ProjectFound
    deliveries: Mapping[int, tuple[Delivery, ...]] = field(default_factory=dict)
    integration: IntegrationFound | None = None
    remarks: tuple[str, ...] = ()


class Gatherer:
    """Reads one GitLab. Never raises for what GitLab says: that is in the problems.

    Args:
        client: the GitLab.
        pool: workers; one request for each project, and what ``details`` asks for.
        details: what is asked for beside the hooks.
        scanned: hears, in the calling thread, of each project that was read: how many there are (None = not known),
            and how many hooks it has.
    """

    def __init__(
        self, client: GitLabClient, pool: Executor, details: Details, scanned: Callable[[int | None, int], None]
    ) -> None:
        self._client = client
        self._pool = pool
        self._details = details
        self._scanned = scanned
        self._fuse = Fuse(_FAILURES)
        self._seen: set[int] = set()
        self._unread: list[_Target] = []
        self._failures: list[tuple[str, str]] = []
        self._old_paths: dict[int, str] = {}
        self._example: ProjectFound | None = None
        self._result = Gathered()

    def gather(self, wanted: Wanted) -> Gathered:
        """Read everything that is ``wanted``; once."""
        version = self._greet()
        if not self._fuse.reason:
            self._details.prepare(version)
            of = None if wanted.all or wanted.groups else len(_paths(wanted))
            self._read_all(self._targets(wanted), of)
            self._read_all((_Target(one, str(one), marked=True) for one in self._marked(wanted)), None)
        self._result.describes_hooks = describes_hooks(version, (self._example,) if self._example else ())
        self._result.hooks = [
            replace(hook, project=self._old_paths.get(hook.project_id, hook.project)) for hook in self._result.hooks
        ]
        self._result.warnings += self._details.warnings(self._client.label)
        self._result.problems += self._told()
        return self._result

    def _greet(self) -> str | None:
        """Whether the token is accepted at all, and GitLab's version."""
        try:
            self._result.warnings += token_warnings(self._client, read_token(self._client))
            return self._client.version()
        except ServerError as error:
            self._fuse.blow(in_words(error))
            return None

    def _read_all(self, targets: Iterable[_Target], of: int | None) -> None:
        for seen in in_order(self._pool, self._read, targets, AHEAD):
            self._take(seen)
            if not seen.found.refused:
                self._scanned(of, len(seen.found.hooks or ()))

    def _targets(self, wanted: Wanted) -> Iterator[_Target]:
        """The projects to read, as the lists come in. No project comes twice."""
        listed: dict[int, str] = {}
        spelt = {path.lower(): path for path in wanted.spec}
        for what, projects in self._lists(wanted):
            for project in self._listed(what, projects):
                project_id, path = int(project["id"]), str(project["path_with_namespace"])
                if project_id not in listed:
                    listed[project_id] = path.lower()
                    yield _Target(project_id, spelt.get(path.lower(), path))
        known = set(listed.values())
        for path in _paths(wanted):
            if path.lower() not in known:
                known.add(path.lower())
                yield _Target(path, path, asked=path in wanted.asked)

    def _lists(self, wanted: Wanted) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
        if wanted.all:
            yield "", self._client.all_projects()
        for group in wanted.groups:
            yield group, self._client.group_projects(group)

    def _listed(self, group: str, projects: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """A list of projects, as far as GitLab gives it."""
        number = 0
        try:
            while not self._fuse.reason and (project := next(projects, None)) is not None:
                number += 1
                yield project
        except ServerError as error:
            if group and isinstance(error, NotFoundError):
                self._result.absent[group] = in_words(error)
                return
            what = f"the list of projects of group {group}" if group else "the list of projects"
            self._result.problems.append(f"{what} broke off after {number}: {in_words(error)}")
            return
        if group and not number and not self._fuse.reason:
            self._result.warnings.append(
                f"{self._client.label}: the token is Maintainer of no project in group {group}, so none was looked at"
            )

    def _marked(self, wanted: Wanted) -> list[int]:
        return [] if self._fuse.reason else sorted(set(wanted.marked()) - self._seen)

    def _read(self, target: _Target) -> _Seen:
        """One project. On a worker."""
        if self._fuse.reason:
            return _Seen(target, ProjectFound(target.path, refused=True))
        if target.marked:
            found = look_marked(self._client, int(target.project))
        else:
            found = look(self._client, target.project, target.path)
            if isinstance(target.project, int):
                found = replace(found, id=target.project)
        if found.refused:
            self._fuse.blow(found.problem)
        elif found.failed:
            self._fuse.failed(found.problem)
        else:
            self._fuse.answered()
        return self._with_details(target, found)

    def _with_details(self, target: _Target, found: ProjectFound) -> _Seen:
        if found.hooks is None or (target.marked and found.gone):
            return _Seen(target, found)
        deliveries, more = self._details.deliveries(self._client, found, self._fuse)
        integration, remarks = self._details.integration(self._client, found, self._fuse)
        return _Seen(target, found, deliveries, integration, (*more, *remarks))

    def _take(self, seen: _Seen) -> None:
        """Keep what was read of a project. In the calling thread."""
        found, target, result = seen.found, seen.target, self._result
        if found.hooks is None:
            self._not_seen(target, found)
            return
        if found.problem:
            result.warnings.append(f"{self._client.label}: {found.problem}")
        if found.id in self._seen:  # it was listed by its present path, and the spec names it by an old one
            self._old_paths[found.id] = target.path
            return
        if found.id is not None:
            self._seen.add(found.id)
        if found.hooks or not target.marked:
            result.read.append((found.path.lower(), found.id))
        if found.hooks:
            self._example = self._example or found
            path = found.path if target.marked else target.path
            result.hooks += [Hook(self._client.name, path, int(hook["project_id"]), hook) for hook in found.hooks]
            project_id = int(found.hooks[0]["project_id"])
            result.deliveries |= {(project_id, hook_id): log for hook_id, log in seen.deliveries.items()}
        if seen.integration is not None:
            result.integrations.append(seen.integration)
        result.problems += [f"{target.path}: {remark}" for remark in seen.remarks]

    def _not_seen(self, target: _Target, found: ProjectFound) -> None:
        if found.refused:
            self._unread.append(target)
        elif found.gone and target.asked:
            self._result.absent[target.path] = found.problem
        else:
            self._failures.append((target.path, found.problem))

    def _told(self) -> Iterator[str]:
        """What could not be read, in few words however much it is."""
        label = self._client.label
        if self._fuse.reason:
            unread = len(self._unread)
            left = f"; {unread:,} project{'s were' if unread > 1 else ' was'} left out" if unread else ""
            yield f"{_with(label, self._fuse.reason)} (nothing more was asked{left})"
        texts = [problem if path in problem else f"{path}: {problem}" for path, problem in self._failures]
        if len(texts) <= _NAMED:
            yield from (_with(label, text) for text in texts)
        else:
            told = "; ".join(text.removeprefix(f"{label}: ") for text in texts[:_NAMED])
            yield f"{label}: {len(texts)} projects could not be read, first of all {told}"


def _paths(wanted: Wanted) -> Sequence[str]:
    """The paths that are wanted by name, each once, however it is written."""
    return list({path.lower(): path for path in (*wanted.spec, *wanted.asked)}.values())


def _with(label: str, text: str) -> str:
    return text if label in text else f"{label}: {text}"


def in_order(pool: Executor, work: Callable[[T], R], items: Iterable[T], ahead: int) -> Iterator[R]:
    """What ``work`` makes of each of ``items``, in their order; made on ``pool`` while further items come in.

    Args:
        ahead: most items that are taken and not yet given back, which bounds the memory.
    """
    waiting: deque[Future[R]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            while len(waiting) >= ahead or (waiting and waiting[0].done()):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
