"""The controller's answers when it refuses: Jenkins' own pages, and the servlet container's."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from configurator.sandbox.server import Response

_HTML = "text/html;charset=utf-8"


class Refused(Exception):  # noqa: N818
    """Carries the answer out of whatever was under way."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class Answers:
    """Builds answers with the headers of one controller.

    Args:
        version: goes into ``X-Jenkins``.
        context_path: goes before every ``Location``.
    """

    def __init__(self, version: str, context_path: str) -> None:
        self.version = version
        self.context_path = context_path

    def page(self, status: int, title: str, message: str = "", headers: Mapping[str, str] | None = None) -> Response:
        """A page of Jenkins itself; it carries ``X-Jenkins``."""
        body = (
            f"<!DOCTYPE html><html><head><title>{escape(title)}</title></head>"
            f"<body><h1>{escape(title)}</h1><p>{escape(message)}</p></body></html>"
        )
        return Response(status, body, {"Content-Type": _HTML, "X-Jenkins": self.version, **(headers or {})})

    def container(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
        """A page of the servlet container, made where Jenkins only sent an error code."""
        shown = escape(message)
        body = (
            f"<html>\n<head>\n<title>Error {status} {shown}</title>\n</head>\n"
            f"<body><h2>HTTP ERROR {status} {shown}</h2>\n<table>\n<tr><th>STATUS:</th><td>{status}</td></tr>\n"
            f"<tr><th>MESSAGE:</th><td>{shown}</td></tr>\n</table>\n</body>\n</html>\n"
        )
        return Response(status, body, {"Content-Type": "text/html;charset=iso-8859-1", **(headers or {})})

    def json(self, text: str) -> Response:
        """An answer of the remote API."""
        return Response(200, text, {"Content-Type": "application/json;charset=utf-8", "X-Jenkins": self.version})

    def xml(self, text: str) -> Response:
        """A configuration."""
        return Response(200, text, {"Content-Type": "application/xml"})

    def redirect(self, path: str) -> Response:
        """Gone elsewhere; ``path`` is below the controller's root."""
        return Response(302, "", {"Location": f"{self.context_path}/{path.lstrip('/')}"})

    def not_found(self) -> Response:
        """Absent, or invisible to the caller."""
        return self.page(404, "Not Found - Jenkins")

    def oops(self) -> Response:
        """Something threw; Jenkins shows no reason."""
        return self.page(500, "Jenkins - Jenkins", "A problem occurred while processing the request.")

    def failure(self, message: str) -> Response:
        """Refused with a reason for people, which also stands in ``X-Error``.

        A header takes Latin-1 only: what lies outside arrives as a blank, quotes of the message included.
        """
        header = "".join(character if ord(character) < 256 else " " for character in message)
        return self.page(400, "Jenkins - Jenkins", message, {"X-Error": header})

    def forbidden(self, permission: str) -> Response:
        """Logged in, but without ``permission``."""
        return self.page(403, "Jenkins", "Access Denied", {"X-Required-Permission": permission})

    def login_required(self) -> Response:
        """Not logged in: a page without a title that leads to the login form."""
        body = (
            "<html><head><meta http-equiv='refresh' content='1;url="
            f"{self.context_path}/login'/></head><body>Authentication required</body></html>"
        )
        return Response(403, body, {"Content-Type": _HTML, "X-Jenkins": self.version})

    def post_required(self) -> Response:
        """A GET of something that changes things."""
        return self.page(405, "Jenkins", "Form post required", {"Allow": "POST"})
