"""Single calls of GitLab's API, and listings of many pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import gitlab
import requests

from configurator.clients.gitlab.transport import Backend
from configurator.clients.http import Http
from configurator.errors import ServerError

PER_PAGE = 100
_MOST_PAGES = 10_000


class Calls:
    """Requests to the API, their answers checked to be what they should.

    Args:
        http: the HTTP to send them over.

    Attributes:
        http: as given.
        api: python-gitlab over it. Its errors are ours.
    """

    def __init__(self, http: Http) -> None:
        self.http = http
        self.api = gitlab.Gitlab(http.url, backend=Backend, http=http, retry_transient_errors=False)

    @property
    def label(self) -> str:
        """What the server is called in messages."""
        return self.http.label

    def response(
        self,
        verb: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> requests.Response:
        """The answer to one request.

        Args:
            verb: lower case, as python-gitlab has it.
            path: below ``/api/v4``, or a whole URL on this server.
            query: further query.
            data: body, sent as JSON.

        Raises:
            ServerError: one of its types, for each refusal.
        """
        return self.api.http_request(
            verb,
            path,
            query_data=dict(query or {}),
            post_data=dict(data) if data is not None else None,
            obey_rate_limit=False,  # our own HTTP does
        )

    def object(self, verb: str, path: str, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The JSON object that a request is answered with. Raises ServerError where it is anything else."""
        document = _json(self.response(verb, path, data=data), self.label)
        if not isinstance(document, dict):
            raise _not_gitlab(self.label)
        return document

    def pages(self, path: str, query: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """All items of a listing, by its ``Link`` headers and nothing else (contract, behaviour 11)."""
        response = self.response("get", path, query)
        seen: set[str] = set()
        while True:
            yield from list_in(response, self.label)
            link = next_link(response)
            if link is None:
                return
            target = self._on_this_host(link)
            if target in seen or len(seen) >= _MOST_PAGES:
                raise ServerError(self.label, f"the pages of {path} never end", "report this with the version")
            seen.add(target)
            response = self.response("get", target)

    def _on_this_host(self, link: str) -> str:
        """A link with scheme and host of our own URL; behind a wrong proxy GitLab puts others there."""
        ours, theirs = urlsplit(self.http.url), urlsplit(link)
        target = theirs._replace(scheme=ours.scheme, netloc=ours.netloc).geturl()
        if theirs.hostname != ours.hostname or not target.startswith(f"{self.http.url}/"):
            raise ServerError(
                self.label,
                f"its next page would be elsewhere: {self.http.redactor.clean(link.partition('?')[0])}",
                "GitLab's external_url or the proxy's Host header is wrong; the token was not sent there",
            )
        return target


def next_link(response: requests.Response) -> str | None:
    """URL of the next page, None on the last."""
    return response.links.get("next", {}).get("url")


def list_in(response: requests.Response, label: str) -> list[dict[str, Any]]:
    """The JSON array of an answer. Raises ServerError where it is anything else."""
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
