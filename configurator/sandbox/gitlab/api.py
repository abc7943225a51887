"""From a request to an answer: limits, modes, routing, credentials, then the handler."""

from __future__ import annotations

import contextlib
from dataclasses import replace

from configurator.sandbox.gitlab import (
    api_ci,
    api_code,
    api_hook_events,
    api_hooks,
    api_merge_requests,
    api_projects,
    api_resource_tokens,
    api_users,
)
from configurator.sandbox.gitlab.answers import ApiError, Redirect, message, unauthorized
from configurator.sandbox.gitlab.auth import Caller
from configurator.sandbox.gitlab.call import Call, Instance, Route, Routes
from configurator.sandbox.gitlab.limits import HEADERS_FLAG, Throttle, throttle
from configurator.sandbox.gitlab.params import content_type
from configurator.sandbox.server import Request, Response

ROUTES: tuple[Route, ...] = (
    *api_users.ROUTES,
    *api_resource_tokens.ROUTES,
    *api_projects.ROUTES,
    *api_hooks.ROUTES,
    *api_hook_events.ROUTES,
    *api_ci.ROUTES,
    *api_code.ROUTES,
    *api_merge_requests.ROUTES,
)
_READS = ("GET", "HEAD")


def frozen(instance: Instance, request: Request) -> Response | None:
    """What maintenance and read-only mode answer to writes; without a JSON type: a redirect."""
    settings = instance.world.settings
    if request.method in _READS or not (settings.maintenance or settings.read_only):
        return None
    if content_type(request) != "application/json":
        return Response(301, "", {"Location": f"{instance.base_url}/", "Content-Type": "text/html"})
    if settings.maintenance:
        return message(503, "GitLab Maintenance: system is in maintenance mode").response()
    return message(403, "You cannot perform write operations on a read-only instance").response()


class Api:
    """Answers requests below ``/api/v4``."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._routes = Routes(ROUTES, instance.release)

    def answer(self, request: Request) -> Response:
        """The answer to ``request``, which tells of the throttle on newer versions (contract, behaviour 12)."""
        with self._instance.world.lock:
            throttled = self._counted(request)
        if throttled is None:
            return self._answer(request)
        if throttled.exceeded:
            return throttled.refusal()
        response = self._answer(request)
        if HEADERS_FLAG not in self._instance.world.settings.feature_flags:
            return response
        return replace(response, headers={**response.headers, **throttled.headers})

    def _answer(self, request: Request) -> Response:
        instance = self._instance
        try:
            with instance.world.lock:
                refused = frozen(instance, request)
                if refused is not None:
                    return refused
                route, args = self._routes.find(request.method, request.path)
                call = Call(instance, request, args, self._caller(request, route))
                if route.locked:
                    return self._run(route, call)
            return self._run(route, call)
        except (ApiError, Redirect) as refusal:
            return refusal.response()

    def _run(self, route: Route, call: Call) -> Response:
        response = route.handler(call)
        if route.method != "GET":
            call.world.touch()
        return response

    def _counted(self, request: Request) -> Throttle | None:
        """Counts by user, as the throttle of authenticated requests does."""
        instance = self._instance
        key: object = "anonymous"
        with contextlib.suppress(ApiError):
            token = instance.gatekeeper.token_of(request)
            key = token.user_id if token else key
        return throttle(instance.limiter, instance.world.settings, instance.world.clock, key)

    def _caller(self, request: Request, route: Route) -> Caller | None:
        gatekeeper = self._instance.gatekeeper
        token = gatekeeper.token_of(request)
        if token is None:
            if route.anonymous:
                return None
            raise unauthorized()
        reading = request.method in _READS
        caller = gatekeeper.admit(token, route.scopes, reading, route.rotating)
        gatekeeper.check_grant(token, route.permission, route.boundary)
        return caller
