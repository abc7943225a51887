"""The GitLab plugin's endpoint ``/project/<folder>/<job>`` (contract, fact 22)."""

from __future__ import annotations

import hmac
import json
from typing import Any
from urllib.parse import unquote

from configurator.sandbox.jenkins import classes
from configurator.sandbox.jenkins.answers import Answers
from configurator.sandbox.jenkins.controller import Controller
from configurator.sandbox.jenkins.deliveries import Delivery
from configurator.sandbox.jenkins.items import Item
from configurator.sandbox.jenkins.permissions import ITEM_BUILD, User
from configurator.sandbox.jenkins.trigger_rules import PayloadError, TriggerRules
from configurator.sandbox.jenkins.xml_store import Element, text_of
from configurator.sandbox.server import Request, Response

_KINDS = {
    "Push Hook": "push",
    "Tag Push Hook": "tag_push",
    "Merge Request Hook": "merge_request",
    "Note Hook": "note",
    "Pipeline Hook": "pipeline",
}
_SYSTEM_KINDS = ("push", "tag_push", "merge_request")


class WebhookEndpoint:
    """Takes webhooks and starts builds.

    Args:
        controller: whose jobs.
        answers: for refusals.
    """

    def __init__(self, controller: Controller, answers: Answers) -> None:
        self._controller = controller
        self._answers = answers

    def receive(self, request: Request, user: User) -> Response:
        """Answer one request; what came of it goes to the log of deliveries."""
        path = "/".join(part for part in unquote(request.path.removeprefix("/project/")).split("/") if part)
        event = request.headers.get("x-gitlab-event", "")
        response, outcome, build = self._receive(request, path, event, user)
        self._controller.log(Delivery(path, event, response.status, outcome, build))
        return response

    def _receive(self, request: Request, path: str, event: str, user: User) -> tuple[Response, str, int | None]:
        if not self._controller.has_gitlab:
            return self._answers.not_found(), "the GitLab plugin is not installed", None
        item = self._called(path)
        if item is None:
            return Response(404), "no such job", None
        if request.method != "POST" or (event not in _KINDS and event != "System Hook"):
            return self._answers.not_found(), f"event {event or '(none)'} is not handled", None
        try:
            payload = json.loads(request.body)
            kind = _kind(event, payload)
        except (ValueError, AttributeError):
            return self._answers.oops(), "malformed payload", None
        if kind is None:
            return self._answers.not_found(), "this system event is not handled", None
        if self._controller.items.class_name(item) == classes.MULTIBRANCH:
            return self._multibranch(kind, user)
        trigger = self._controller.trigger(item)
        if trigger is None:
            return Response(200), "the job has no GitLab trigger", None
        refused = self._refuse(trigger, request, user)
        if refused is not None:
            return refused, "not let in", None
        return self._trigger(item, trigger, kind, payload)

    def _called(self, path: str) -> Item | None:
        """The first job or multibranch project on a path; what a folder does not hold is looked for at the root."""
        items = self._controller.items
        item: Item | None = items.root
        for name in path.split("/"):
            if item is None or not self._is_passed(item):
                break
            item = item.child(name) or items.root.child(name)
        return None if item is None or self._is_passed(item) else item

    def _is_passed(self, item: Item) -> bool:
        return item.is_folder and self._controller.items.class_name(item) != classes.MULTIBRANCH

    def _refuse(self, trigger: Element, request: Request, user: User) -> Response | None:
        token = self._controller.secrets.value_of(text_of(trigger, "secretToken"))
        if not token:
            return self._refuse_caller(user)
        sent = request.headers.get("x-gitlab-token")
        if sent is None or not hmac.compare_digest(sent.encode("utf-8"), token.encode("utf-8")):
            return self._answers.container(401, "Invalid token")
        return None

    def _refuse_caller(self, user: User) -> Response | None:
        if self._controller.connection_config.use_authenticated_endpoint and not user.may(ITEM_BUILD):
            return self._answers.container(403, f"{user.name} is missing the Job/Build permission")
        return None

    def _multibranch(self, kind: str, user: User) -> tuple[Response, str, int | None]:
        """The job's own token does not count here."""
        if kind not in ("push", "tag_push"):
            name = {"merge_request": "Merge Request Hook", "note": "Note Hook"}.get(kind, "Pipeline Hook")
            refused = self._answers.container(409, f"{name} is not supported for this project")
            return refused, "not supported for a multibranch job", None
        refused_caller = self._refuse_caller(user)
        if refused_caller is not None:
            return refused_caller, "not let in", None
        return Response(200), "reindexed", None

    def _trigger(
        self, item: Item, trigger: Element, kind: str, payload: dict[str, Any]
    ) -> tuple[Response, str, int | None]:
        if self._controller.items.disabled(item):
            return Response(200), "the job is disabled", None
        rules = TriggerRules(trigger, lambda sha, target: self._built(item, sha, target))
        try:
            verdict = rules.judge(kind, payload)
        except PayloadError as error:
            return self._answers.oops(), f"the plugin failed: {error}", None
        if verdict.parameters is None:
            return Response(200), verdict.reason, None
        parameters = verdict.parameters
        if verdict.cancels:
            project = parameters["gitlabMergeRequestTargetProjectId"]
            self._controller.queue.cancel(item.full_name, parameters["gitlabSourceBranch"], project)
        values = {**(self._controller.items.parameters(item) or {}), **parameters}
        build = self._controller.queue.schedule(item, f"Started by GitLab: {verdict.reason}", values)
        return Response(200), f"started: {verdict.reason}", build.number or None

    def _built(self, item: Item, sha: str, target: str) -> bool:
        """Whether a build checked out that commit: known only where the job checks out what the event names."""
        branches = self._controller.items.model(item).iterfind(".//branches/hudson.plugins.git.BranchSpec/name")
        if not any("gitlab" in (branch.text or "") for branch in branches):
            return False
        return any(
            build.parameters.get("gitlabMergeRequestLastCommit") == sha
            and build.parameters.get("gitlabTargetBranch") == target
            for build in self._controller.queue.of_job(item.full_name)
        )


def _kind(event: str, payload: dict[str, Any]) -> str | None:
    if event != "System Hook":
        payload.keys()  # a list or a number is no event
        return _KINDS[event]
    kind = payload.get("object_kind") or payload.get("event_name")
    return kind if kind in _SYSTEM_KINDS else None
