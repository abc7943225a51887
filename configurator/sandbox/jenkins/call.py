"""One request on its way through the routes: who calls, and the checks that routes share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from configurator.sandbox.jenkins.answers import Answers, Refused
from configurator.sandbox.jenkins.auth import Caller
from configurator.sandbox.jenkins.exports import Exports
from configurator.sandbox.jenkins.json_api import BadTreeError, render
from configurator.sandbox.jenkins.permissions import User
from configurator.sandbox.server import Request, Response

#: An answer, or a function that makes it after the controller's lock was given back.
Answer = Response | Callable[[], Response]


@dataclass(frozen=True, slots=True)
class Call:
    """A request with its caller.

    Attributes:
        request: as it came in.
        caller: who sent it.
        answers: builds answers.
        exports: the remote API as the caller sees it.
    """

    request: Request
    caller: Caller
    answers: Answers
    exports: Exports

    @property
    def user(self) -> User:
        """Who sent it."""
        return self.caller.user

    @property
    def is_get(self) -> bool:
        """GET or HEAD."""
        return self.request.method in ("GET", "HEAD")

    def need(self, *permissions: str) -> None:
        """Raises Refused (403) when the caller has none of ``permissions``; the first one is named."""
        if not any(self.user.may(permission) for permission in permissions):
            raise Refused(self.answers.forbidden(permissions[0]))

    def need_post(self) -> None:
        """Raises Refused (405) unless it is a POST."""
        if self.request.method != "POST":
            raise Refused(self.answers.post_required())

    def need_xml(self) -> None:
        """Raises Refused (400) unless the body is declared as XML."""
        content_type = self.request.headers.get("content-type", "")
        if not content_type:
            raise Refused(self.answers.failure("No Content-Type header set"))
        if not content_type.startswith(("application/xml", "text/xml")):
            raise Refused(self.answers.failure("No mode given"))

    def json(self, value: Any) -> Response:
        """An exported object, picked from by ``tree`` or ``depth``."""
        try:
            return self.answers.json(render(value, self.request.query))
        except BadTreeError:
            return self.answers.oops()
