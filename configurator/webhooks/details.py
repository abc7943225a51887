"""What GitLab tells of a project beside its webhooks: the log of their deliveries, and its Jenkins integration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from configurator.clients.gitlab import GitLabClient
from configurator.errors import ServerError, UnauthorisedError, in_words
from configurator.hook_url import read_address
from configurator.webhooks.model import Delivery
from configurator.webhooks.work import Fuse
from configurator.world.survey import ProjectFound, release_of

EVENTS_SINCE = (17, 3)


@dataclass(frozen=True, slots=True)
class IntegrationFound:
    """A Jenkins integration that is on.

    Attributes:
        project: path of its project.
        project_id: numeric id of its project.
        attributes: as GitLab shows it.
    """

    project: str
    project_id: int
    attributes: Mapping[str, Any] = field(repr=False)


class Details:
    """Reads what is asked for beside the hooks: one request for each hook's log, one for each integration.

    Safe for many threads once it is prepared.

    Args:
        roots: root URLs of this Jenkins: only the logs of hooks below them are read.
        deliveries: read the logs.
        integrations: look for Jenkins integrations.
    """

    def __init__(self, roots: Sequence[str], deliveries: bool = False, integrations: bool = False) -> None:
        self._roots = tuple(roots)
        self._wants_logs = deliveries
        self._wants_integrations = integrations
        self._has_logs = True

    def prepare(self, version: str | None) -> None:
        """Take GitLab's version into account: before 17.3 there are no logs (behaviour.md, 21)."""
        self._has_logs = release_of(version) >= EVENTS_SINCE

    def warnings(self, label: str) -> Iterator[str]:
        """What can't be had from this GitLab, for people."""
        if self._wants_logs and not self._has_logs:
            yield f"{label}: it shows no log of deliveries (before 17.3), so only what it disabled is seen as failing"

    def deliveries(
        self, client: GitLabClient, found: ProjectFound, fuse: Fuse
    ) -> tuple[dict[int, tuple[Delivery, ...]], list[str]]:
        """The logs of a project's hooks by hook id, and what went wrong."""
        logs: dict[int, tuple[Delivery, ...]] = {}
        problems: list[str] = []
        if not self._wants_logs or not self._has_logs:
            return logs, problems
        for hook in found.hooks or ():
            if fuse.reason or read_address(str(hook["url"]), self._roots) is None:
                continue
            try:
                events = client.hook_events(int(hook["project_id"]), int(hook["id"]))
            except ServerError as error:
                problems.append(f"the log of webhook {hook['id']} could not be read: {_failed(error, fuse)}")
            else:
                logs[int(hook["id"])] = tuple(delivery_of(event) for event in events or ())
        return logs, problems

    def integration(
        self, client: GitLabClient, found: ProjectFound, fuse: Fuse
    ) -> tuple[IntegrationFound | None, list[str]]:
        """A project's Jenkins integration where it is on, and what went wrong."""
        if not self._wants_integrations or fuse.reason:
            return None, []
        try:
            shown = client.jenkins_integration(found.path if found.id is None else found.id)
            if shown is None:
                return None, []
            project_id = int(client.project(found.path)["id"]) if found.id is None else found.id
        except ServerError as error:
            return None, [f"its Jenkins integration could not be read: {_failed(error, fuse)}"]
        return IntegrationFound(found.path, project_id, shown), []


def _failed(error: ServerError, fuse: Fuse) -> str:
    if isinstance(error, UnauthorisedError):
        fuse.blow(in_words(error))
    return in_words(error)


def delivery_of(event: Mapping[str, Any]) -> Delivery:
    """One line of the log. Its time is told from 19.0 on; before, the receiver's own clock has to do."""
    at = event.get("created_at") or _date(event.get("response_headers") or {})
    return Delivery(str(event.get("response_status") or ""), str(at), str(event.get("trigger") or ""))


def _date(headers: Mapping[str, Any]) -> str:
    """The ``Date`` of an answer as ISO 8601, or empty."""
    text = next((str(value) for name, value in headers.items() if name.lower() == "date"), "")
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return ""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()
