"""What the tests of repair share: findings of hooks as GitLab shows them, and a listener that remembers."""

from __future__ import annotations

import threading
from typing import Any

from configurator.webhooks.model import Done, Ending, Finding, Hook, HookClass
from configurator.webhooks.repair import repair
from tests.kinds.bench import Bench

TRIGGER = ".//com.dabsquared.gitlabjenkins.GitLabPushTrigger"
MERGE_REQUESTS: dict[str, Any] = {"events": ["merge_request"]}
STOPPED = "not tried: stopped by the user"


class Heard:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.warnings: list[str] = []
        self.ended: list[Done] = []

    def stage(self, text: str) -> None:
        self.stages.append(text)

    def warning(self, text: str) -> None:
        self.warnings.append(text)

    def done(self, done: Done) -> None:
        self.ended.append(done)


def found(
    bench: Bench, cls: HookClass, job: str | None = "a", index: int = 0, also: tuple[HookClass, ...] = ()
) -> Finding:
    """A finding of a hook as GitLab shows it now."""
    hook = bench.hooks()[index]
    with bench.open() as run:
        attributes = run.world.gitlabs["gitlab"].hook(hook.project_id, hook.id)
    return Finding(Hook("gitlab", "shop/payments", hook.project_id, attributes), cls, "because", job, also)


def mend(bench: Bench, *findings: Finding, stop: threading.Event | None = None, **options: Any) -> list[Done]:
    """Repair, in a run of its own."""
    heard = Heard()
    with bench.open() as run:
        done = repair(findings, run, heard, stop or threading.Event(), **options)
    assert sorted(one.detail for one in heard.ended) == sorted(one.detail for one in done if one.detail != STOPPED)
    return list(done)


def one(bench: Bench, finding: Finding, **options: Any) -> tuple[Ending, str]:
    """How the repair of one hook ended."""
    [done] = mend(bench, finding, **options)
    assert (done.finding, done.action) == (finding, "repair")
    return done.ending, done.detail


def disable(bench: Bench) -> None:
    for hook in bench.hooks():
        hook.disabled, hook.failures = True, 40


def deliveries_sent(bench: Bench) -> int:
    return sum("/test/" in request.path for request in bench.gitlab.log)


def status(bench: Bench) -> str:
    return found(bench, HookClass.FAILING).hook.alert_status
