"""Routes that test a hook, show its deliveries and send one again (contract, behaviour 8)."""

from __future__ import annotations

from datetime import timedelta

from configurator.sandbox.gitlab import health
from configurator.sandbox.gitlab.answers import error, json_response, message
from configurator.sandbox.gitlab.api_hooks import find_hook
from configurator.sandbox.gitlab.call import READ, Call, Route
from configurator.sandbox.gitlab.delivery import (
    ACCESS_TOKEN,
    CONFIDENTIAL_NOTE,
    KINDS,
    MERGE_REQUEST,
    NOTE,
    PUSH,
    TAG_PUSH,
    EventKind,
    target_digest,
)
from configurator.sandbox.gitlab.hook_fields import known_flags
from configurator.sandbox.gitlab.model import JSON, Delivery, Project, User, iso
from configurator.sandbox.gitlab.paging import DEFAULT_PER_PAGE, offset_page
from configurator.sandbox.gitlab.release import Release
from configurator.sandbox.gitlab.repository import ZERO_SHA
from configurator.sandbox.server import Response

TEST_PER_PROJECT_SINCE: Release = (17, 1)
_STATUS_LIST_SINCE: Release = (18, 0)
_EVENT_TIME_SINCE: Release = (19, 0)
_SHOWN_DAYS = 7
_UNTESTABLE = ("confidential_note_events", "deployment_events", "feature_flag_events")
_NEEDS = {
    "issues_events": "Ensure the project has issues.",
    "confidential_issues_events": "Ensure the project has issues.",
    "job_events": "Ensure the project has CI jobs.",
    "pipeline_events": "Ensure the project has CI pipelines.",
    "wiki_page_events": "Ensure the wiki is enabled and has pages.",
    "releases_events": "Ensure the project has releases.",
    "milestone_events": "Ensure the project has milestones.",
    "emoji_events": "Ensure the project has notes.",
    "resource_deploy_token_events": "Ensure the project has deploy tokens.",
    "vulnerability_events": "Ensure the project has vulnerabilities.",
}
_NOT_TESTABLE_FLAGS = ("repository_update_events", "duo_flow_callback_enabled")


def test(call: Call) -> Response:
    """POST …/test/:trigger: one real request, now. Waits for the receiver, so it takes the lock itself."""
    with call.world.lock:
        project = call.managed_project()
        hook = find_hook(call, project)
        trigger = call.args["trigger"]
        if trigger not in _triggers(call):
            raise error(400, "trigger does not have a valid value")
        _limit(call, "hook_test", project, hook.id)
        if trigger in _UNTESTABLE:
            raise message(422, "Testing not available for this hook")
        if call.world.settings.silent_mode:
            raise message(422, "Silent mode enabled")
        kind, data = _sample(call, project, call.me, trigger)
    outcome = call.instance.deliverer.send_now(hook, kind, data)
    if not outcome.ok:
        raise message(422, outcome.body)
    return json_response({"message": "201 Created"}, 201)


def _triggers(call: Call) -> set[str]:
    flags = known_flags(call.release, call.instance.enterprise)
    return {flag.name for flag in flags if flag.name not in _NOT_TESTABLE_FLAGS}


def _limit(call: Call, name: str, project: Project, hook_id: int) -> None:
    shared = call.release >= TEST_PER_PROJECT_SINCE
    call.limit(name, (project.id, call.me.id) if shared else hook_id)


def _sample(call: Call, project: Project, user: User, trigger: str) -> tuple[EventKind, JSON]:
    """The event a test sends: real data, the project's first.

    Raises:
        ApiError: 422, the project has nothing of the kind.
    """
    payloads = call.instance.happenings.payloads
    if trigger in _NEEDS:
        raise message(422, _NEEDS[trigger])
    if trigger in ("push_events", "tag_push_events"):
        head = project.branches.get(project.default_branch)
        if head is None:
            raise message(422, "Ensure the project has at least one commit.")
        if trigger == "push_events":
            before = project.commits[head].parent or ZERO_SHA
            return PUSH, payloads.push(project, user, project.default_branch, before, head)
        return TAG_PUSH, payloads.tag_push(project, user, "v1.0.0", ZERO_SHA, head)
    if trigger == "resource_access_token_events":
        return ACCESS_TOKEN, payloads.access_token(project)
    if trigger == "merge_requests_events":
        if not project.merge_requests:
            raise message(422, "Ensure the project has merge requests.")
        return MERGE_REQUEST, payloads.merge_request(project, user, project.merge_requests[0], None)
    for merge_request in project.merge_requests:
        for note in merge_request.notes:
            kind = CONFIDENTIAL_NOTE if note.internal else NOTE
            return kind, payloads.note(project, user, merge_request, note)
    raise message(422, "Ensure the project has notes.")


def list_events(call: Call) -> Response:
    """GET …/events: newest first, seven days, at most 20 a page."""
    hook = find_hook(call, call.managed_project())
    per_page = call.params.integer("per_page", DEFAULT_PER_PAGE, minimum=1)
    if per_page is not None and per_page > DEFAULT_PER_PAGE:
        call.params.problems.append("per_page does not have a valid value")
    wanted = _statuses(call)
    call.params.check()
    oldest = iso(call.world.clock() - timedelta(days=_SHOWN_DAYS))
    rows = [
        delivery
        for delivery in call.world.deliveries.get(hook.id, ())
        if delivery.created_at >= oldest and (not wanted or _selected(delivery.response_status, wanted))
    ]
    return offset_page(call, rows, lambda delivery: _show(delivery, call.release))


def _statuses(call: Call) -> list[str]:
    raw = call.params.raw("status")
    text = ",".join(map(str, raw)) if isinstance(raw, list) else str(raw or "")
    words = [word.strip() for word in text.split(",") if word.strip()]
    known = ("successful", "client_failure", "server_failure")
    if any(word not in known and not (word.isdigit() and 100 <= int(word) < 600) for word in words) or (
        len(words) > 1 and call.release < _STATUS_LIST_SINCE
    ):
        call.params.problems.append("status does not have a valid value")
    return words


def _selected(status: str, wanted: list[str]) -> bool:
    groups = {"2": "successful", "4": "client_failure", "5": "server_failure"}
    return status in wanted or groups.get(status[0]) in wanted


def _show(delivery: Delivery, release: Release) -> JSON:
    shown: JSON = {
        "id": delivery.id,
        "url": delivery.url,
        "trigger": delivery.trigger,
        "request_headers": delivery.request_headers,
        "request_data": delivery.request_data,
        "response_headers": delivery.response_headers,
        "response_body": delivery.response_body,
        "execution_duration": delivery.execution_duration,
        "response_status": delivery.response_status,
    }
    return shown | ({"created_at": delivery.created_at} if release >= _EVENT_TIME_SINCE else {})


def resend(call: Call) -> Response:
    """POST …/events/:hook_event_id/resend; a disabled hook stays silent."""
    with call.world.lock:
        project = call.managed_project()
        hook = find_hook(call, project)
        number = call.number("hook_event_id")
        _limit(call, "hook_resend", project, hook.id)
        found = [entry for entry in call.world.deliveries.get(hook.id, ()) if entry.id == number]
        if not found:
            raise message(404, "404 Not found")
        delivery = found[0]
        if delivery.target_digest != target_digest(hook):
            raise message(422, "The hook URL has changed. Unable to resend the event.")
        if not health.executable(hook, call.world.clock(), call.world.settings.auto_disable):
            raise message(422, "Hook disabled")
        if call.world.settings.silent_mode:
            raise message(422, "Silent mode enabled")
    kind = KINDS[delivery.trigger]
    outcome = call.instance.deliverer.send_now(hook, kind, delivery.request_data, delivery.idempotency_key)
    if not outcome.status.isdigit():
        raise message(422, outcome.body)
    return json_response({"response_status": int(outcome.status)}, 201)


_HOOK = "/projects/:id/hooks/:hook_id"

ROUTES = (
    Route("POST", f"{_HOOK}/test/:trigger", test, "Webhook: Test", since=(16, 11), locked=False),
    Route("GET", f"{_HOOK}/events", list_events, "Webhook Event: Read", READ, since=(17, 3)),
    Route(
        "POST",
        f"{_HOOK}/events/:hook_event_id/resend",
        resend,
        "Webhook Event: Resend",
        since=(17, 4),
        locked=False,
    ),
)
