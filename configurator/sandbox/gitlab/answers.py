"""Answers and refusals in the shapes GitLab gives them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from configurator.sandbox.server import Response


class ApiError(Exception):
    """A refusal: raise it anywhere below the dispatcher.

    Args:
        status: HTTP status.
        body: JSON body.
        headers: further headers.
    """

    def __init__(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The answer to send."""
        return json_response(self.body, self.status, self.headers)


class Redirect(Exception):  # noqa: N818 - not an error
    """The project lives elsewhere: answer 301, plain text."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location

    def response(self) -> Response:
        """The answer to send."""
        headers = {"Content-Type": "text/plain", "Location": self.location}
        return Response(301, f"This resource has been moved permanently to {self.location}.", headers)


def json_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """``body`` as JSON."""
    return Response(status, json.dumps(body), {"Content-Type": "application/json", **(headers or {})})


def no_content() -> Response:
    """204."""
    return Response(204)


def message(status: int, text: str) -> ApiError:
    """``{"message": text}``."""
    return ApiError(status, {"message": text})


def error(status: int, text: str) -> ApiError:
    """``{"error": text}``."""
    return ApiError(status, {"error": text})


def bad_request(text: str) -> ApiError:
    """``400 Bad request - text``."""
    return message(400, f"400 Bad request - {text}")


def not_found(what: str = "") -> ApiError:
    """``404 Project Not Found``; without a name the bare ``404 Not Found``."""
    return message(404, f"404 {what} Not Found" if what else "404 Not Found")


def route_not_found() -> ApiError:
    """What an unknown route answers: ``error``, not ``message``."""
    return error(404, "404 Not Found")


def unauthorized() -> ApiError:
    """401 without a reason."""
    return message(401, "401 Unauthorized")


def forbidden(reason: str = "") -> ApiError:
    """403, with a reason for accounts that are shut out."""
    return message(403, f"403 Forbidden - {reason}" if reason else "403 Forbidden")


def bearer_error(status: int, code: str, description: str, scope: str | None = None) -> ApiError:
    """An error in the shape of OAuth 2."""
    body = {"error": code, "error_description": description, **({"scope": scope} if scope else {})}
    challenge = f'Bearer realm="Protected by OAuth 2.0", error="{code}", error_description="{description}"'
    return ApiError(status, body, {"WWW-Authenticate": challenge})


def too_many_requests() -> ApiError:
    """429 of a per-endpoint limit: JSON, without Retry-After."""
    text = "This endpoint has been requested too many times. Try again later."
    return ApiError(429, {"message": {"error": text}})
