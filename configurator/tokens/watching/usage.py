"""Who hangs on what: which applications and jobs use a connection or a credential. Read off the spec alone."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from configurator.kinds.credential import credential_key
from configurator.model import Key
from configurator.spec.expanded import Expanded, JobItem
from configurator.tokens.watching.model import Users

_CREDENTIAL = re.compile(r"<credentialsId>([^<]+)</credentialsId>")
_CONNECTION = re.compile(r"<gitLabConnection>([^<]+)</gitLabConnection>")


@dataclass(frozen=True, slots=True)
class Usage:
    """Who uses what.

    Attributes:
        gitlabs: by name of the gitlab entry.
        credentials: by key of the credential.
    """

    gitlabs: Mapping[str, Users]
    credentials: Mapping[Key, Users]


@dataclass(slots=True)
class _Tally:
    applications: set[str] = field(default_factory=set)
    jobs: int = 0

    def add(self, job: JobItem) -> None:
        self.jobs += 1
        if job.origin.application:
            self.applications.add(job.origin.application)

    def users(self, gitlabs: tuple[str, ...] = ()) -> Users:
        return Users(tuple(sorted(self.applications)), self.jobs, gitlabs)


def read_usage(expanded: Expanded) -> Usage:
    """Who uses the spec's gitlab entries and credentials.

    A job uses a gitlab entry by its trigger or its connection, a credential by the ids in its XML, of which the one
    in the nearest folder is meant, as Jenkins does it. The credential of a gitlab entry is used by what uses the entry.
    """
    spec = expanded.spec
    gitlabs = {entry.name: _Tally() for entry in spec.gitlab}
    stores = {(one.folder, one.id) for one in spec.credentials}
    credentials = {credential_key(*store): _Tally() for store in stores}
    for job in expanded.jobs:
        names = set(_found(_CONNECTION, job.xml))
        if job.trigger_project:
            names.add(job.trigger_project[0])
        for name in names & gitlabs.keys():
            gitlabs[name].add(job)
        for id_ in set(_found(_CREDENTIAL, job.xml)):
            store = next((store for store in _nearest(job.name, id_) if store in stores), None)
            if store is not None:
                credentials[credential_key(*store)].add(job)
    used = {key: tally.users() for key, tally in credentials.items()}
    for key in {credential_key(None, entry.credential.id) for entry in spec.gitlab}:
        entries = tuple(entry.name for entry in spec.gitlab if credential_key(None, entry.credential.id) == key)
        of_all = [gitlabs[name].users() for name in entries]
        used[key] = Users(
            tuple(sorted({name for users in of_all for name in users.applications})),
            sum(users.jobs for users in of_all),
            entries,
        )
    return Usage({name: tally.users() for name, tally in gitlabs.items()}, used)


def _found(pattern: re.Pattern[str], xml: str) -> list[str]:
    return [html.unescape(text) for text in pattern.findall(xml)]


def _nearest(job: str, id_: str) -> list[tuple[str | None, str]]:
    """Where Jenkins looks for a credential of that id, the job's own folder first, the system's store last."""
    folders: list[str | None] = []
    folder = job.rpartition("/")[0]
    while folder:
        folders.append(folder)
        folder = folder.rpartition("/")[0]
    return [(one, id_) for one in (*folders, None)]
