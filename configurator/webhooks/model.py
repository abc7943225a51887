"""Webhooks as they were found, and what was found out about them. Plain data: nothing here asks a server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from configurator.hook_url import Address, Reading, shown_server, shown_url
from configurator.marks import Mark, read_mark, read_url_mark
from configurator.world.found import FOLDER_CLASS

HEALTHY = "executable"
"""``alert_status`` of a hook that GitLab has not disabled (behaviour.md, 6)."""


class HookClass(StrEnum):
    """What a hook is, worst first."""

    ORPHANED = "orphaned"  # no such job
    FAILING = "failing"  # GitLab disabled it, or its last deliveries failed
    MISMATCHED = "mismatched"  # events, filter, SSL setting or token differ from the job's
    STALE = "stale"  # a former address, the form of an item's page, or http where it is https now
    MISROUTED = "misrouted"  # the job belongs to another project
    DUPLICATE = "duplicate"  # another hook of the project does the same
    UNMANAGED = "unmanaged"  # the job exists, the hook is nobody's
    UNKNOWN = "unknown"  # the job could not be checked: never touched
    LIVE = "live"
    FOREIGN = "foreign"  # not this Jenkins


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook of a GitLab project.

    Attributes:
        gitlab: name of the spec's gitlab entry.
        project: path of the project.
        project_id: its numeric id.
        attributes: the hook as GitLab shows it. ``url`` may hold a password: print :attr:`shown` only.
    """

    gitlab: str
    project: str
    project_id: int
    attributes: Mapping[str, Any] = field(repr=False)

    @property
    def id(self) -> int:
        """Numeric id of the hook."""
        return int(self.attributes["id"])

    @property
    def url(self) -> str:
        """As GitLab holds it, with user info: never for people's eyes."""
        return str(self.attributes["url"])

    @property
    def shown(self) -> str:
        """The URL for people: user info and secret query values masked."""
        return shown_url(self.url)

    @property
    def mark(self) -> Mark | None:
        """The mark it carries, in its description or (before GitLab 17.1) its URL."""
        return read_mark(self.attributes.get("description")) or read_url_mark(self.url)

    @property
    def owner(self) -> str | None:
        """Owner that its mark names."""
        return self.mark.owner if self.mark else None

    @property
    def events(self) -> tuple[str, ...]:
        """What it delivers, as GitLab's flags that are on, such as ``push_events``."""
        return tuple(name for name, on in self.attributes.items() if name.endswith("_events") and on is True)

    @property
    def created_at(self) -> str:
        """ISO 8601, or empty."""
        return str(self.attributes.get("created_at") or "")

    @property
    def alert_status(self) -> str:
        """``executable``, ``temporarily_disabled`` or ``disabled`` (behaviour.md, 6)."""
        return str(self.attributes.get("alert_status") or HEALTHY)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One line of GitLab's log of deliveries.

    Attributes:
        status: HTTP status as text, or ``internal error`` where there was no answer (behaviour.md, 8).
        at: ISO 8601.
        trigger: event, such as ``push_hooks``.
    """

    status: str
    at: str
    trigger: str

    @property
    def failed(self) -> bool:
        """Whether GitLab counts it as a failure: anything but 2xx and 3xx (behaviour.md, 6)."""
        return self.status[:1] not in ("2", "3") or not self.status.isdigit()


@dataclass(frozen=True, slots=True)
class JobSeen:
    """A job of the controller, as far as a webhook is concerned.

    Attributes:
        name: full name.
        cls: its class in Jenkins.
        mark: the mark in its description.
        disabled: None = not known, or the class can't be disabled.
        read: its configuration was read, so that the following is known.
        trigger: fields of its GitLab trigger by name, such as ``triggerOnPush``; None = it has none, or not ``read``.
        token: HMAC-SHA256 (hex) of the trigger's token under the run's salt; None = no token, or not ``read``.
    """

    name: str
    cls: str
    mark: Mark | None = None
    disabled: bool | None = None
    read: bool = False
    trigger: Mapping[str, str] | None = None
    token: str | None = None

    @property
    def is_folder(self) -> bool:
        """A plain folder, whose address is no endpoint."""
        return self.cls == FOLDER_CLASS


@dataclass(frozen=True)
class Catalogue:
    """The jobs of the controller.

    Attributes:
        jobs: every item that was seen, folders too, by full name in lower case (``str.casefold``): Jenkins looks
            names up without regard to case.
        complete: what is not here does not exist. False: it may be invisible to this user.
        problem: why the jobs could not be read at all, or empty.
        absent: full names, as addresses read them, of which the plugin's endpoint says that there is no such job.
            Only filled where ``complete`` is False (``catalogue.settle``).
        hidden: likewise, full names of jobs that are there and that this user may not see.
        unloaded: full names of items that are on the controller's disk and could not be loaded, since a plugin is
            missing or their configuration is damaged; by full name in lower case. Nothing else of Jenkins shows them.
    """

    jobs: Mapping[str, JobSeen] = field(default_factory=dict)
    complete: bool = True
    problem: str = ""
    absent: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    unloaded: Mapping[str, str] = field(default_factory=dict)

    def lacks(self, address: Address) -> bool:
        """Whether it is proven that no job is reached by a URL: the one condition for a hook to be orphaned.

        False where the job exists, where it may be invisible, and where the URL names none.
        """
        if self.problem or not address.readings or self.find(address) is not None or self.not_loaded(address):
            return False
        return self.complete or all(reading.job in self.absent for reading in address.readings)

    def not_loaded(self, address: Address) -> str | None:
        """Full name of what a URL may reach, and Jenkins could not load; None without."""
        for reading in address.readings if self.unloaded else ():
            parts = reading.job.casefold().split("/")
            for end in range(1, len(parts) + 1):
                found = self.unloaded.get("/".join(parts[:end])) or self.unloaded.get(parts[end - 1])
                if found is not None:
                    return found
        return None

    def find(self, address: Address) -> tuple[Reading, JobSeen] | None:
        """The job that a URL reaches, and the reading by which it does.

        The plugin walks the path and stops at the first job or multibranch project: what follows is not looked at.
        So a URL below a job reaches that job, and a branch of a multibranch project is reached through the project.
        What a folder does not hold is looked for at Jenkins' root: ``a/b`` reaches ``b`` where ``a`` has no ``b``.
        """
        for reading in address.readings:
            exact = self.jobs.get(reading.job.casefold())
            found = exact if exact is not None and not exact.is_folder else self._walk(reading)
            if found is not None:
                return reading, found
        return None

    def _walk(self, reading: Reading) -> JobSeen | None:
        first, *rest = reading.job.split("/")
        item = self.jobs.get(first.casefold())
        for part in rest:
            if item is None or not item.is_folder:
                break
            at_root = self.jobs.get(part.casefold()) if reading.works else None
            item = self.jobs.get(f"{item.name}/{part}".casefold(), at_root)
        return None if item is None or item.is_folder else item


@dataclass(frozen=True, slots=True)
class Integration:
    """GitLab's own Jenkins integration on a project, switched on.

    Attributes:
        target: what it calls, for people.
        job: full name of the job it starts, None where that is another Jenkins.
        twins: ids of the project's webhooks that start the same job for the same event.
    """

    gitlab: str
    project: str
    project_id: int
    target: str
    job: str | None
    events: tuple[str, ...]
    twins: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A hook and what it is.

    Attributes:
        hook: the hook.
        cls: its class.
        evidence: why, for people.
        job: full name of the job that its URL means, None where it means none.
        also: further classes that hold, for `repair`.
        deliveries: the latest first; empty where the log was not read.
        keeper: for a duplicate, the id of the hook that stays.
        moves_to: full name of the job that the spec renamed its job to: `apply` moves the hook there.
    """

    hook: Hook
    cls: HookClass
    evidence: str
    job: str | None = None
    also: tuple[HookClass, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    keeper: int | None = None
    moves_to: str | None = None

    @property
    def shown(self) -> str:
        """The hook's URL for people. What a stranger's hook calls on another server is nobody's business here."""
        strange = self.cls is HookClass.FOREIGN and self.hook.owner is None
        return shown_server(self.hook.url) if strange else self.hook.shown

    def is_any(self, *classes: HookClass) -> bool:
        """Whether one of ``classes`` holds, as the first word or beside it."""
        return self.cls in classes or any(one in classes for one in self.also)


@dataclass(frozen=True)
class Picture:
    """All that a scan saw.

    Attributes:
        owner: name of the spec.
        findings: one for each hook that was seen, foreign ones too; sorted by class, gitlab, project, id.
        integrations: Jenkins integrations that are switched on, where they were looked for.
        projects: how many projects were looked at.
        problems: what could not be read; with any, the picture is not complete and nothing may be deleted.
        warnings: for people.
    """

    owner: str
    findings: tuple[Finding, ...] = ()
    integrations: tuple[Integration, ...] = ()
    projects: int = 0
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether everything that was asked for was seen."""
        return not self.problems

    @property
    def ours(self) -> tuple[Finding, ...]:
        """Findings of hooks under this Jenkins' addresses."""
        return tuple(one for one in self.findings if one.cls is not HookClass.FOREIGN)

    def counts(self) -> Counter[HookClass]:
        """How many hooks there are of each class."""
        return Counter(one.cls for one in self.findings)


class Ending(StrEnum):
    """How the work on one hook ended."""

    DONE = "done"
    PLANNED = "planned"  # a dry run
    SKIPPED = "skipped"
    INCOMPLETE = "incomplete"  # put back, and something of it could not be had
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Done:
    """What was done with one hook.

    Attributes:
        finding: the hook.
        action: ``delete``, ``restore``, ``repair`` or ``test``.
        ending: how it ended.
        detail: what was done, or why not, and what to do next; for people.
        steps: for `test`, what was looked at: (check, ``ok|warn|fail|unknown``, evidence, cure).
    """

    finding: Finding
    action: str
    ending: Ending
    detail: str = ""
    steps: tuple[tuple[str, str, str, str], ...] = ()
