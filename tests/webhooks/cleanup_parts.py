"""What the tests of cleanup and restore share: findings made by hand, a listener that remembers, servers in memory."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from configurator.clients.gitlab.projects import ProjectPage
from configurator.clients.redaction import Redactor
from configurator.errors import MovedError, NotFoundError
from configurator.hook_url import Address, job_of
from configurator.secret import Secret
from configurator.webhooks.catalogue import Presence
from configurator.webhooks.model import HEALTHY, Catalogue, Done, Ending, Finding, Hook, HookClass, Picture

JENKINS = "https://jenkins.example.com"
GITLAB = "https://gitlab.example.com"
OWNER = "platform"
KEY = Secret("the webhook secret")


def hook_of(hook_id: int = 1, job: str = "gone", project: str = "shop/payments", **attributes: Any) -> Hook:
    """A hook as GitLab 18 lists it."""
    shown = {
        "id": hook_id,
        "url": f"{JENKINS}/project/{job}",
        "name": None,
        "description": None,
        "created_at": "2026-01-02T03:04:05.000Z",
        "project_id": 7,
        "push_events": True,
        "merge_requests_events": False,
        "confidential_note_events": None,
        "enable_ssl_verification": True,
        "alert_status": HEALTHY,
        "disabled_until": None,
        "push_events_branch_filter": None,
        "branch_filter_strategy": "all_branches",
        **attributes,
    }
    return Hook("gitlab", project, int(shown["project_id"]), shown)


def found(hook: Hook, cls: HookClass = HookClass.ORPHANED, **more: Any) -> Finding:
    """A finding about it."""
    job = job_of(hook.url, [JENKINS])
    return Finding(hook, cls, more.pop("evidence", f"Jenkins has no item {job}"), job, **more)


def picture_of(findings: Iterable[Finding], **more: Any) -> Picture:
    """A complete picture of these."""
    return Picture(OWNER, tuple(findings), projects=1, **more)


def judge(hooks: Iterable[Hook], jobs: Collection[str], roots: Iterable[str]) -> list[Finding]:
    """A small classifier: foreign, orphaned, duplicate of an older one with the same settings, live."""
    roots = tuple(roots)
    findings: list[Finding] = []
    keepers: dict[tuple[str, int, str, str], int] = {}
    for hook in sorted(hooks, key=lambda one: one.id):
        job = job_of(hook.url, roots)
        if job is None:
            findings.append(Finding(hook, HookClass.FOREIGN, "another server"))
        elif job not in jobs:
            findings.append(Finding(hook, HookClass.ORPHANED, f"Jenkins has no item {job}", job))
        else:
            key = (hook.gitlab, hook.project_id, hook.url, str(sorted(hook.events)))
            keeper = keepers.setdefault(key, hook.id)
            cls = HookClass.LIVE if keeper == hook.id else HookClass.DUPLICATE
            findings.append(Finding(hook, cls, "", job, keeper=keeper if keeper != hook.id else None))
    return findings


@dataclass
class Heard:
    """A listener that remembers."""

    stages: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    dones: list[Done] = field(default_factory=list)
    on_done: Callable[[Done], None] | None = None

    def stage(self, text: str) -> None:
        self.stages.append(text)

    def warning(self, text: str) -> None:
        self.warnings.append(text)

    def done(self, done: Done) -> None:
        self.dones.append(done)
        if self.on_done:
            self.on_done(done)


def endings(dones: Iterable[Done]) -> dict[int, Ending]:
    """Ending by hook id."""
    return {one.finding.hook.id: one.ending for one in dones}


def details(dones: Iterable[Done]) -> dict[int, str]:
    """Detail by hook id."""
    return {one.finding.hook.id: one.detail for one in dones}


def lines_of(backup: Path) -> list[dict[str, Any]]:
    """The hooks of a backup, as they stand there."""
    return [json.loads(line) for line in backup.read_text(encoding="utf-8").splitlines()[1:]]


class FakeGitLab:
    """Projects and hooks in memory, with the methods of the client that cleanup and restore use.

    Args:
        fault: called before each request with its method and hook id: may raise, or return an error to raise after
            the request was carried out.
        before_delete: called right before a hook goes.
    """

    def __init__(
        self,
        fault: Callable[[str, int], Exception | None] = lambda method, hook_id: None,
        before_delete: Callable[[int, Mapping[str, Any]], None] = lambda hook_id, attributes: None,
        url: str = GITLAB,
    ) -> None:
        self.url = url
        self.label = f"GitLab gitlab {url}"
        self.projects: dict[int, dict[int, dict[str, Any]]] = {}
        self.tokens: dict[int, Any] = {}
        self.logs: dict[int, list[str]] = {}
        """Statuses of deliveries by hook, the latest first."""
        self.paths: dict[int, str] = {}
        self.moved: dict[str, int] = {}
        """Ids of projects by their old paths."""
        self.requests: list[tuple[str, int]] = []
        self._fault, self._before_delete = fault, before_delete
        self._next = 1000
        self._lock = threading.RLock()

    def seed(self, hook: Hook) -> None:
        """Put a hook there."""
        self.projects.setdefault(hook.project_id, {})[hook.id] = dict(hook.attributes)

    def all(self) -> list[Hook]:
        """Every hook as a list shows it."""
        return [
            Hook("gitlab", f"shop/p{project}", project, dict(one))
            for project, hooks in self.projects.items()
            for one in hooks.values()
        ]

    def list_projects(self, page: int = 1) -> ProjectPage:
        """More pages than any test has projects, so each project is looked up."""
        return ProjectPage([], 1_000_000, None)

    def project(self, project: int | str) -> dict[str, Any]:
        """A project; only those with another path than the tests' usual one need to be told of."""
        with self._lock:
            error = self._ask("project", project if isinstance(project, int) else 0)
            if error:
                raise error
            if isinstance(project, str):
                if project in self.moved:
                    raise MovedError(self.label, "moved", self.moved[project])
                raise NotFoundError(self.label, "no such project")
            if project not in self.projects:
                raise NotFoundError(self.label, "no such project")
            return {"id": project, "path_with_namespace": self.paths.get(project, self.usual_path(project))}

    def usual_path(self, project: int) -> str:
        """Of a project that nothing else is known of: the one that :func:`hook_of` names."""
        return "shop/payments" if project == 7 else f"shop/p{project}"

    def hooks(self, project: int) -> list[dict[str, Any]]:
        with self._lock:
            error = self._ask("list", project)
            if project not in self.projects:
                raise NotFoundError(self.label, "no such project")
            if error:
                raise error
            return [dict(one) for one in self.projects[project].values()]

    def hook(self, project: int, hook_id: int) -> dict[str, Any]:
        with self._lock:
            error = self._ask("get", hook_id)
            one = self.projects.get(project, {}).get(hook_id)
            if one is None:
                raise NotFoundError(self.label, "not found")
            if error:
                raise error
            return {"url_variables": [], "custom_headers": [], **one}

    def hook_events(self, project: int, hook_id: int, limit: int = 20) -> list[dict[str, Any]] | None:
        with self._lock:
            error = self._ask("events", hook_id)
            if error:
                raise error
            return [{"response_status": status} for status in self.logs.get(hook_id, [])][:limit]

    def delete_hook(self, project: int, hook_id: int) -> None:
        with self._lock:
            error = self._ask("delete", hook_id)
            one = self.projects.get(project, {}).get(hook_id)
            if one is None:
                raise NotFoundError(self.label, "not found")
            self._before_delete(hook_id, one)
            del self.projects[project][hook_id]
            if error:
                raise error

    def create_hook(self, project: int, attributes: Mapping[str, Any], known: Collection[int] = ()) -> dict[str, Any]:
        with self._lock:
            self._ask("create", project)
            assert set(self.projects[project]) <= set(known)
            self._next += 1
            shown = {name: value for name, value in attributes.items() if name != "token"}
            blank = dict(hook_of(self._next, project_id=project).attributes)
            self.projects[project][self._next] = {**blank, **shown}
            self.tokens[self._next] = attributes.get("token")
            return dict(self.projects[project][self._next])

    def _ask(self, method: str, subject: int) -> Exception | None:
        self.requests.append((method, subject))
        return self._fault(method, subject)


class FakeWorld:
    """As much of a world as cleanup and restore need."""

    def __init__(self, *gitlabs: FakeGitLab, workers: int = 1, former: Iterable[str] = ()) -> None:
        self.owner = OWNER
        self.gitlabs = dict(zip(("gitlab", "second"), gitlabs, strict=False))
        self.former = list(former)
        self.jenkins = SimpleNamespace(label=f"Jenkins {JENKINS}")
        self.salt = "00"
        self.redactor = Redactor()
        self.pool = ThreadPoolExecutor(workers)
        self.expanded = SimpleNamespace(spec=SimpleNamespace(jenkins=SimpleNamespace(url=JENKINS)))
        self.secret: Secret | None = KEY

    def gitlab_entry(self, name: str) -> Any:
        return SimpleNamespace(webhooks=SimpleNamespace(jenkins_url=None, former_jenkins_urls=self.former))

    def webhook_secret(self, name: str) -> Secret | None:
        return self.secret


class FakeLook:
    """Jenkins, asked once more: jobs in memory, and answers that may be missing.

    Attributes:
        jobs: what exists.
        answers: by job, what is answered whatever exists.
        asked: every question.
    """

    def __init__(self, jobs: Collection[str] = ()) -> None:
        self.jobs = set(jobs)
        self.answers: dict[str, tuple[Presence, str]] = {}
        self.asked: list[str] = []
        self.catalogue = Catalogue()

    def __call__(self, client: object, catalogue: Catalogue) -> FakeLook:
        """Stands for the class as well as for the object."""
        return self

    def take_catalogue(self, client: object, salt: str) -> Catalogue:
        return self.catalogue

    def look(self, address: Address) -> tuple[Presence, str]:
        job = str(address.job)
        self.asked.append(job)
        if job in self.answers:
            return self.answers[job]
        return (Presence.EXISTS, f"item {job}") if job in self.jobs else (Presence.ABSENT, f"no item {job}")
