"""Webhooks of a project."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import islice
from typing import Any

from gitlab.utils import EncodedId

from configurator.clients.gitlab.calls import PER_PAGE, Calls
from configurator.clients.gitlab.projects import project_path
from configurator.clients.http.lost_answers import delete_once
from configurator.errors import AnswerLostError, NotFoundError
from configurator.secret import Secret

EVENTS_PER_PAGE = 20
"""More are refused with 400 (contract, behaviour 8)."""


class Hooks:
    """Reading, writing and testing webhooks."""

    _calls: Calls

    def hooks(self, project: int | str) -> list[dict[str, Any]]:
        """All webhooks of a project; one request for up to 100.

        Args:
            project: numeric id or full path.

        Raises:
            NotFoundError: no such project, or invisible.
            MovedError: the path is an old one; holds the id.
            PermissionMissingError: Maintainer role or the scope ``api`` is missing.
        """
        return list(self._calls.pages(f"{project_path(project)}/hooks", {"per_page": PER_PAGE}))

    def hook(self, project: int | str, hook_id: int) -> dict[str, Any]:
        """One webhook, with the names of its custom headers and URL variables, which a list leaves out (contract,
        behaviour 2). Their values are never shown, nor is the token.

        Args:
            project: numeric id or full path.
            hook_id: the hook.

        Raises:
            NotFoundError: no such hook, or no such project.
            PermissionMissingError: Maintainer role or the scope ``api`` is missing.
        """
        return self._calls.object("get", f"{project_path(project)}/hooks/{int(hook_id)}")

    def hook_events(
        self, project: int | str, hook_id: int, limit: int = EVENTS_PER_PAGE
    ) -> list[dict[str, Any]] | None:
        """The latest deliveries of a webhook, newest first, of the last seven days (contract, behaviour 8).

        Args:
            project: numeric id or full path.
            hook_id: the hook.
            limit: most deliveries wanted; one request for every 20.

        Returns:
            The deliveries as GitLab shows them; None where there is no log: GitLab before 17.3, or no such hook.
        """
        query = {"per_page": min(limit, EVENTS_PER_PAGE)}
        pages = self._calls.pages(f"{project_path(project)}/hooks/{int(hook_id)}/events", query)
        try:
            return list(islice(pages, limit))
        except NotFoundError:
            return None

    def create_hook(
        self, project: int | str, attributes: Mapping[str, Any], known: Collection[int] = ()
    ) -> dict[str, Any]:
        """Create a webhook. Never sent blindly again: GitLab accepts twins (contract, behaviour 1).

        When the answer is lost, the hooks are listed: one with this URL that is not ``known`` is the one just
        made; if there is none, it is sent once more.

        Args:
            project: numeric id or full path.
            attributes: as in GitLab's API; ``url`` is required; a :class:`Secret` is sent in clear.
            known: ids of hooks that were there before.

        Raises:
            ServerError: with GitLab's reason and the cure, for a URL it refuses among others.
            AnswerLostError: lost twice.
        """
        path = f"{project_path(project)}/hooks"
        data = self._clear(attributes)
        try:
            return self._calls.object("post", path, data)
        except AnswerLostError:
            made = self._newest_hook(project, str(data.get("url")), known)
        if made is not None:
            return made
        try:
            return self._calls.object("post", path, data)
        except AnswerLostError:
            made = self._newest_hook(project, str(data.get("url")), known)
            if made is None:
                raise
            return made

    def update_hook(self, project: int | str, hook_id: int, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Change a webhook; what is left out stays as it is.

        Args:
            project: numeric id or full path.
            hook_id: the hook.
            attributes: must hold ``url`` (older versions require it) and ``token`` (a new URL, and any PUT on
                some versions, wipes it: contract, behaviour 3).

        Raises:
            ValueError: ``url`` or ``token`` is not in ``attributes``.
            NotFoundError: no such hook.
        """
        missing = {"url", "token"} - set(attributes)
        if missing:
            raise ValueError(f"an update of a webhook needs {', '.join(sorted(missing))}")
        return self._calls.object("put", f"{project_path(project)}/hooks/{int(hook_id)}", self._clear(attributes))

    def delete_hook(self, project: int | str, hook_id: int) -> None:
        """Delete a webhook.

        Raises:
            NotFoundError: it was not there to begin with.
        """
        path = f"{project_path(project)}/hooks/{int(hook_id)}"
        delete_once(lambda: self._calls.response("delete", path))

    def test_hook(self, project: int | str, hook_id: int, trigger: str) -> None:
        """Let GitLab send a real delivery, which may start a build.

        Args:
            project: numeric id or full path.
            hook_id: the hook.
            trigger: such as ``push_events``.

        Raises:
            ServerError: the receiver did not answer 2xx, or the project has no data for such an event (422).
            NotFoundError: no such hook, or a GitLab before 16.11.
        """
        path = f"{project_path(project)}/hooks/{int(hook_id)}/test/{EncodedId(trigger)}"
        self._calls.response("post", path)

    def _newest_hook(self, project: int | str, url: str, known: Collection[int]) -> dict[str, Any] | None:
        hooks = [hook for hook in self.hooks(project) if hook.get("url") == url and hook["id"] not in known]
        return max(hooks, key=lambda hook: int(hook["id"]), default=None)

    def _clear(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """The attributes as they are sent: secrets in clear, and known to the redactor."""
        data = dict(attributes)
        for key, value in attributes.items():
            if isinstance(value, Secret):
                self._calls.http.redactor.learn(value)
                data[key] = value.reveal()
        return data
