"""The servers of one run, and what has been read of them. Made once, shared by all kinds and workers."""

from __future__ import annotations

import secrets as random
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

from configurator.clients.gitlab import GitLabClient
from configurator.clients.jenkins import JenkinsClient
from configurator.clients.redaction import Redactor
from configurator.model import Key, Resource
from configurator.secret import Secret
from configurator.spec.expanded import Expanded
from configurator.spec.models import GitLab, SecretRef
from configurator.world.found import Inventory, Question
from configurator.world.inventory import take_inventory
from configurator.world.survey import Survey, take_survey


class World:
    """Clients, secrets and what was observed. Reading is lazy and happens once, whoever asks first.

    Args:
        expanded: what the spec wants.
        secret_of: resolves a secret reference.
        jenkins: the controller.
        gitlabs: by name of the spec's gitlab entries.
        desired: what the spec wants, as resources.
        redactor: shared by the clients; learns every secret that is derived on the way.
        workers: how many requests may be under way at once.
    """

    def __init__(
        self,
        expanded: Expanded,
        secret_of: Callable[[SecretRef], Secret],
        jenkins: JenkinsClient,
        gitlabs: Mapping[str, GitLabClient],
        desired: Mapping[Key, Resource[Any]],
        redactor: Redactor,
        workers: int = 8,
    ) -> None:
        self.expanded = expanded
        self.desired = desired
        self.redactor = redactor
        self.secret_of = secret_of
        self.jenkins = jenkins
        self.gitlabs = gitlabs
        self.pool = ThreadPoolExecutor(workers, thread_name_prefix="read")
        self.salt = random.token_hex(16)
        """Hex; keys every digest by which secrets are compared in this run."""
        self.connection_lock = threading.Lock()
        """Held while the list of connections is changed, which is read and written whole."""
        self._surveys: dict[str, Survey] = {}
        self._lock = threading.RLock()

    def interrupt(self) -> None:
        """Wake every worker that waits for a server's limit or between two tries, and send nothing more."""
        for http in (self.jenkins.http, *(client.http for client in self.gitlabs.values())):
            http.interrupt()

    def close(self) -> None:
        """Let the workers go, at once where they only wait, and close every connection."""
        self.interrupt()
        self.pool.shutdown(wait=True, cancel_futures=True)
        self.jenkins.close()
        for client in self.gitlabs.values():
            client.close()

    @property
    def owner(self) -> str:
        """Name of the spec, which its marks carry."""
        return self.expanded.spec.name

    def gitlab_entry(self, name: str) -> GitLab:
        """The spec's gitlab entry of that name."""
        return next(entry for entry in self.expanded.spec.gitlab if entry.name == name)

    def webhook_secret(self, gitlab: str) -> Secret | None:
        """The key that tokens and fingerprints of that connection are derived from."""
        reference = self.gitlab_entry(gitlab).webhooks.secret
        return self.secret_of(reference) if reference else None

    @cached_property
    def inventory(self) -> Inventory:
        """What is on the controller. Raises ServerError."""
        spec = self.expanded.spec
        own = [(None, None, entry.credential.id) for entry in spec.gitlab if entry.manage]
        further = [(one.folder, one.domain, one.id) for one in spec.credentials]
        question = Question(
            owner=self.owner,
            jobs=tuple(job.name for job in self.expanded.jobs),
            folders=tuple(folder.name for folder in self.expanded.folders),
            views=tuple(view.name for view in self.expanded.views),
            credentials=(*own, *further),
        )
        return take_inventory(self.jenkins, question, self.salt, self.pool)

    def survey(self, gitlab: str) -> Survey:
        """What is in that GitLab: projects of the spec, and those that marks on our jobs name."""
        with self._lock:
            if gitlab not in self._surveys:
                self._surveys[gitlab] = take_survey(
                    self.gitlabs[gitlab], self.project_paths(gitlab), self._marked_projects(gitlab), self.pool
                )
            return self._surveys[gitlab]

    def project_paths(self, gitlab: str) -> set[str]:
        """Paths of that GitLab's projects that the spec names."""
        named = [job.trigger_project for job in self.expanded.jobs]
        return {source[1] for source in named if source is not None and source[0] == gitlab}

    def _marked_projects(self, gitlab: str) -> Iterable[int]:
        """Projects that marks on our jobs name: where a job left the spec, or its project, its hook is found so."""
        for item in self.inventory.items.values():
            mark = item.mark
            if mark is None or mark.owner != self.owner or mark.gitlab != gitlab:
                continue
            if mark.project is not None:
                yield mark.project

    def project_id(self, gitlab: str, path: str) -> int | None:
        """Numeric id of a project of the spec, None where it can't be had."""
        return self.survey(gitlab).by_path[path].id
