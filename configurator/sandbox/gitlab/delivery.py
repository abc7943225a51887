"""Delivering events to hooks: in the background for events, at once for tests."""

from __future__ import annotations

import hashlib
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

from configurator.sandbox.gitlab import health
from configurator.sandbox.gitlab.hook_rules import branch_passes
from configurator.sandbox.gitlab.model import JSON, Delivery, Hook, JenkinsIntegration, Project
from configurator.sandbox.gitlab.release import Release
from configurator.sandbox.gitlab.sending import Outcome, Outgoing, prepare, redacted, send
from configurator.sandbox.gitlab.urls import UrlRules, fill, masked
from configurator.sandbox.gitlab.world import World

_WORKERS = 4

INTEGRATION_HOOK_ID = 0


@dataclass(frozen=True, slots=True)
class EventKind:
    """A kind of event.

    Attributes:
        flag: request field that turns it on.
        trigger: its name in the log.
        header: its X-Gitlab-Event.
    """

    flag: str
    trigger: str
    header: str


PUSH = EventKind("push_events", "push_hooks", "Push Hook")
TAG_PUSH = EventKind("tag_push_events", "tag_push_hooks", "Tag Push Hook")
MERGE_REQUEST = EventKind("merge_requests_events", "merge_request_hooks", "Merge Request Hook")
NOTE = EventKind("note_events", "note_hooks", "Note Hook")
CONFIDENTIAL_NOTE = EventKind("confidential_note_events", "confidential_note_hooks", "Confidential Note Hook")
ACCESS_TOKEN = EventKind("resource_access_token_events", "resource_access_token_hooks", "Resource Access Token Hook")
KINDS = {kind.trigger: kind for kind in (PUSH, TAG_PUSH, MERGE_REQUEST, NOTE, CONFIDENTIAL_NOTE, ACCESS_TOKEN)}


class Deliverer:
    """Sends what happens to who wants to know, and keeps the log.

    Args:
        world: where the hooks and the log are.
        rules: which URLs may be called, looked at again at each delivery.
        release: version of the instance.
        instance: its root URL, sent along.
    """

    def __init__(self, world: World, rules: UrlRules, release: Release, instance: str) -> None:
        self._world = world
        self._rules = rules
        self._release = release
        self._instance = instance
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="gitlab-hook")
        self._idle = threading.Condition()
        self._pending = 0

    def fire(self, project: Project, kind: EventKind, data: JSON, branch: str | None = None) -> int:
        """Deliver an event to every hook that listens. Hold the world's lock.

        Args:
            branch: of a push, for the branch filters.

        Returns:
            How many requests are on their way.
        """
        if self._world.settings.silent_mode:
            return 0
        now, auto_disable = self._world.clock(), self._world.settings.auto_disable
        hooks = [
            hook
            for hook in self._world.hooks[project.id].values()
            if hook.flags.get(kind.flag)
            and (branch is None or branch_passes(hook, branch))
            and health.executable(hook, now, auto_disable)
        ]
        if project.integration is not None and integration_wants(project.integration, kind):
            hooks.append(_integration_hook(project, project.integration))
        for hook in hooks:
            key = str(uuid.uuid4())
            with self._idle:
                self._pending += 1
            self._pool.submit(self._deliver, hook, kind, data, key, self._outgoing(hook, kind, data, key))
        return len(hooks)

    def send_now(self, hook: Hook, kind: EventKind, data: JSON, key: str | None = None) -> Outcome:
        """Deliver to one hook and wait for the answer. Do not hold the world's lock.

        Args:
            key: of the delivery that is sent again.
        """
        key = key or str(uuid.uuid4())
        with self._world.lock:
            outgoing = self._outgoing(hook, kind, data, key)
        outcome = send(outgoing)
        self._record(hook, kind, data, key, outgoing, outcome)
        return outcome

    def wait(self, timeout: float) -> bool:
        """Wait until nothing is on its way any more; False when ``timeout`` seconds were not enough."""
        deadline = time.monotonic() + timeout
        with self._idle:
            return self._idle.wait_for(lambda: self._pending == 0, max(0.0, deadline - time.monotonic()))

    def stop(self) -> None:
        """Drop what has not been sent yet and end the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _outgoing(self, hook: Hook, kind: EventKind, data: JSON, key: str) -> Outgoing:
        timestamp = int(self._world.clock().timestamp())
        return prepare(hook, kind.header, data, key, self._release, self._rules, self._instance, timestamp)

    def _deliver(self, hook: Hook, kind: EventKind, data: JSON, key: str, outgoing: Outgoing) -> None:
        try:
            self._record(hook, kind, data, key, outgoing, send(outgoing))
        finally:
            with self._idle:
                self._pending -= 1
                self._idle.notify_all()

    def _record(self, hook: Hook, kind: EventKind, data: JSON, key: str, outgoing: Outgoing, outcome: Outcome) -> None:
        with self._world.lock:
            health.record(hook, outcome.status, self._world.clock(), self._release)
            if hook.id != INTEGRATION_HOOK_ID and hook.id not in self._world.hooks[hook.project_id]:
                return
            shown = redacted(data)
            self._world.put_delivery(
                Delivery(
                    id=self._world.next_id("delivery"),
                    project_id=hook.project_id,
                    hook_id=hook.id,
                    url=masked(hook.url),
                    target_digest=target_digest(hook),
                    trigger=kind.trigger,
                    request_headers=outgoing.logged_headers,
                    request_data=shown if isinstance(shown, dict) else {},
                    response_status=outcome.status,
                    response_headers=outcome.headers,
                    response_body=outcome.body,
                    execution_duration=outcome.seconds,
                    created_at=self._world.now(),
                    idempotency_key=key,
                )
            )


def target_digest(hook: Hook) -> str:
    """A digest of the URL that ``hook`` really calls."""
    return hashlib.sha256((fill(hook.url, hook.url_variables) or hook.url).encode()).hexdigest()


def integration_wants(integration: JenkinsIntegration, kind: EventKind) -> bool:
    """Whether the Jenkins integration listens to events of ``kind``."""
    return integration.active and bool(getattr(integration, kind.flag, False))


def _integration_hook(project: Project, integration: JenkinsIntegration) -> Hook:
    """The integration as the hook it acts like (contract, behaviour 10)."""
    job = quote(integration.project_name or "", safe="/")
    parts = urlsplit(f"{(integration.jenkins_url or '').rstrip('/')}/project/{job}")
    if integration.username:
        secret = quote(integration.password or "", safe="")
        netloc = f"{quote(integration.username, safe='')}:{secret}@{parts.netloc}"
        parts = parts._replace(netloc=netloc)
    return Hook(
        INTEGRATION_HOOK_ID,
        project.id,
        urlunsplit(parts),
        integration.created_at,
        integration.updated_at,
        {},
        enable_ssl_verification=integration.enable_ssl_verification,
    )
