"""The client for one GitLab instance."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import gitlab
import requests
from gitlab.utils import EncodedId

from configurator.clients.gitlab_transport import Backend, PrivateToken, row_locked
from configurator.clients.http import Http
from configurator.clients.lost_answers import delete_once
from configurator.clients.redaction import Redactor
from configurator.errors import (
    AnswerLostError,
    NotFoundError,
    PermissionMissingError,
    ServerError,
    UnauthorisedError,
)
from configurator.secret import Secret

_PER_PAGE = 100
_MOST_PAGES = 10_000


@dataclass(frozen=True, slots=True)
class ProjectPage:
    """One page of a listing of projects.

    Attributes:
        items: the projects, in GitLab's simple form.
        total_pages: how many pages there are; None where GitLab does not tell (above 10,000 records).
        next_page: number of the next page, None on the last.
    """

    items: list[dict[str, Any]]
    total_pages: int | None
    next_page: int | None


class GitLabClient:
    """A GitLab instance, for many threads at once.

    Args:
        name: name of the connection, for messages.
        url: root URL, with its relative path if there is one.
        token: personal, project or group access token.
        workers: how many threads send at the same time.
        timeout: seconds to wait for an answer.
        verify: False = TLS certificates are not verified; text = PEM file with the authorities to trust.
        redactor: shared redactor; the token is added to it.
        sleep: how to wait, seconds.
        clock: seconds since the epoch.

    Attributes:
        name: name of the connection.
        http: the HTTP behind it.
        api: python-gitlab over the same HTTP, for calls that have no method here. Its errors are ours.

    Raises:
        UnauthorisedError: the token can't be one (a line break, a blank, letters outside ASCII).
    """

    def __init__(
        self,
        name: str,
        url: str,
        token: Secret,
        *,
        workers: int = 8,
        timeout: float = 30.0,
        verify: bool | str = True,
        redactor: Redactor | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        redactor = redactor or Redactor()
        redactor.learn(token)
        self.name = name
        self.http = Http(
            f"GitLab {name}",
            url,
            auth=PrivateToken(token),
            workers=workers,
            timeout=timeout,
            verify=verify,
            redactor=redactor,
            busy=row_locked,
            sleep=sleep,
            clock=clock,
        )
        if not _is_token(token):
            raise UnauthorisedError(
                self.label,
                "the token is empty, or holds a line break, a blank or letters outside ASCII",
                "check the place that the spec takes the token from",
            )
        self.api = gitlab.Gitlab(self.http.url, backend=Backend, http=self.http, retry_transient_errors=False)

    @property
    def url(self) -> str:
        """Root URL without a trailing slash."""
        return self.http.url

    @property
    def label(self) -> str:
        """What the server is called in messages: ``GitLab NAME https://…``."""
        return self.http.label

    @property
    def requests_sent(self) -> int:
        """Requests that went out so far."""
        return self.http.requests_sent

    def close(self) -> None:
        """Close the kept-alive connections."""
        self.http.close()

    def version(self) -> str | None:
        """GitLab's version, such as ``18.5.0-ee``; None where the token may not ask for it.

        Raises:
            UnauthorisedError: the token is not accepted.
        """
        try:
            return str(self._object("get", "/version").get("version"))
        except PermissionMissingError:
            return None

    def token_info(self) -> dict[str, Any] | None:
        """The token's own record: name, scopes, expires_at, …; None for OAuth tokens and before 15.5.

        Raises:
            UnauthorisedError: expired, revoked, unknown.
            PermissionMissingError: a fine-grained token without the right to read itself.
        """
        try:
            return self._object("get", "/personal_access_tokens/self")
        except NotFoundError:
            return None
        except ServerError as error:
            # Before 15.5 the route knows DELETE only, which makes it a 405.
            if error.status in (400, 405):
                return None
            raise

    def project(self, id_or_path: int | str) -> dict[str, Any]:
        """A project by numeric id or full path.

        Raises:
            NotFoundError: absent, or invisible to the token's user.
            MovedError: it has another path now; holds its id.
        """
        return self._object("get", _project_path(id_or_path))

    def list_projects(self, min_access_level: int = 40, page: int = 1, archived: bool | None = None) -> ProjectPage:
        """A page of 100 projects by ascending id. Its pages may be read in parallel, up to 50,000 projects.

        Args:
            min_access_level: least role of the token's user; 40 = Maintainer, where rights on hooks begin.
            page: from 1.
            archived: only archived ones, or only others; None = both.
        """
        query = _project_query(min_access_level, archived)
        response = self._response("get", "/projects", {**query, "page": page})
        following = parse_qs(urlsplit(_next_link(response) or "").query).get("page", [""])[0]
        return ProjectPage(
            _list_in(response, self.label),
            _whole_number(response.headers.get("X-Total-Pages")),
            _whole_number(following),
        )

    def all_projects(self, min_access_level: int = 40, archived: bool | None = None) -> Iterator[dict[str, Any]]:
        """All projects, however many, page after page (keyset paging). Arguments as :meth:`list_projects`."""
        query = {**_project_query(min_access_level, archived), "pagination": "keyset"}
        return self._pages("/projects", query)

    def hooks(self, project: int | str) -> list[dict[str, Any]]:
        """All webhooks of a project; one request for up to 100.

        Args:
            project: numeric id or full path.

        Raises:
            NotFoundError: no such project, or invisible.
            MovedError: the path is an old one; holds the id.
            PermissionMissingError: Maintainer role or the scope ``api`` is missing.
        """
        return list(self._pages(f"{_project_path(project)}/hooks", {"per_page": _PER_PAGE}))

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
        path = f"{_project_path(project)}/hooks"
        data = self._clear(attributes)
        try:
            return self._object("post", path, data)
        except AnswerLostError:
            made = self._newest_hook(project, str(data.get("url")), known)
        if made is not None:
            return made
        try:
            return self._object("post", path, data)
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
        return self._object("put", f"{_project_path(project)}/hooks/{int(hook_id)}", self._clear(attributes))

    def delete_hook(self, project: int | str, hook_id: int) -> None:
        """Delete a webhook.

        Raises:
            NotFoundError: it was not there to begin with.
        """
        path = f"{_project_path(project)}/hooks/{int(hook_id)}"
        delete_once(lambda: self._response("delete", path))

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
        path = f"{_project_path(project)}/hooks/{int(hook_id)}/test/{EncodedId(trigger)}"
        self._response("post", path)

    def _newest_hook(self, project: int | str, url: str, known: Collection[int]) -> dict[str, Any] | None:
        hooks = [hook for hook in self.hooks(project) if hook.get("url") == url and hook["id"] not in known]
        return max(hooks, key=lambda hook: int(hook["id"]), default=None)

    def _clear(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """The attributes as they are sent: secrets in clear, and known to the redactor."""
        data = dict(attributes)
        for key, value in attributes.items():
            if isinstance(value, Secret):
                self.http.redactor.learn(value)
                data[key] = value.reveal()
        return data

    def _response(
        self,
        verb: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> requests.Response:
        return self.api.http_request(
            verb,
            path,
            query_data=dict(query or {}),
            post_data=dict(data) if data is not None else None,
            obey_rate_limit=False,  # our own HTTP does
        )

    def _object(self, verb: str, path: str, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
        document = _json(self._response(verb, path, data=data), self.label)
        if not isinstance(document, dict):
            raise _not_gitlab(self.label)
        return document

    def _pages(self, path: str, query: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """All items of a listing, by its ``Link`` headers and nothing else (contract, behaviour 11)."""
        response = self._response("get", path, query)
        seen: set[str] = set()
        while True:
            yield from _list_in(response, self.label)
            link = _next_link(response)
            if link is None:
                return
            target = self._on_this_host(link)
            if target in seen or len(seen) >= _MOST_PAGES:
                raise ServerError(self.label, f"the pages of {path} never end", "report this with the version")
            seen.add(target)
            response = self._response("get", target)

    def _on_this_host(self, link: str) -> str:
        """A link with scheme and host of our own URL; behind a wrong proxy GitLab puts others there."""
        ours, theirs = urlsplit(self.url), urlsplit(link)
        target = theirs._replace(scheme=ours.scheme, netloc=ours.netloc).geturl()
        if theirs.hostname != ours.hostname or not target.startswith(f"{self.url}/"):
            raise ServerError(
                self.label,
                f"its next page would be elsewhere: {self.http.redactor.clean(link.partition('?')[0])}",
                "GitLab's external_url or the proxy's Host header is wrong; the token was not sent there",
            )
        return target


def _is_token(token: Secret) -> bool:
    value = token.reveal()
    return value.isascii() and value.isprintable() and " " not in value and bool(value)


def _project_path(project: int | str) -> str:
    return f"/projects/{EncodedId(project)}"


def _project_query(min_access_level: int, archived: bool | None) -> dict[str, Any]:
    query: dict[str, Any] = {
        "min_access_level": min_access_level,
        "simple": "true",
        "order_by": "id",
        "sort": "asc",
        "per_page": _PER_PAGE,
    }
    return query if archived is None else {**query, "archived": str(archived).lower()}


def _next_link(response: requests.Response) -> str | None:
    return response.links.get("next", {}).get("url")


def _list_in(response: requests.Response, label: str) -> list[dict[str, Any]]:
    document = _json(response, label)
    if not isinstance(document, list):
        raise _not_gitlab(label)
    return document


def _json(response: requests.Response, label: str) -> Any:
    try:
        return response.json()
    except requests.exceptions.JSONDecodeError:
        raise _not_gitlab(label) from None


def _not_gitlab(label: str) -> ServerError:
    hint = "check the URL, and whether a login page or proxy stands before it"
    return ServerError(label, "this does not look like GitLab's API: the answer is not the JSON expected", hint)


def _whole_number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None
