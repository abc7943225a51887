"""What the tests of failures share: a clock that does not wait, secrets to look for, and the truth of a summary."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from configurator.clients.gitlab import GitLabClient
from configurator.clients.jenkins import JenkinsClient
from configurator.marks import hook_token
from configurator.run import Run, exit_code_of_apply
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.server import Request, Response
from configurator.secret import Secret
from tests.e2e.conftest import Ran, Site

WEBHOOK_SECRET = "canary-webhook-key-7351"
OTHER_WEBHOOK_SECRET = "canary-webhook-key-9920"
PASSWORD = "canary-password-4406"
OTHER_PASSWORD = "canary-password-8117"
RETRY_AFTER = 7.0
"""Seconds that the faults below ask to wait."""


class Clock:
    """Time for the clients: sleeping moves it on at once.

    Attributes:
        slept: every wait, seconds.
    """

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._ahead = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Seconds since the epoch."""
        with self._lock:
            return time.time() + self._ahead

    def sleep(self, seconds: float) -> None:
        """Be so much later."""
        with self._lock:
            self._ahead += seconds
            self.slept.append(seconds)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Give it to every client that is made from now on."""
        for client in (JenkinsClient, GitLabClient):
            defaults = client.__init__.__kwdefaults__
            monkeypatch.setitem(defaults, "sleep", self.sleep)
            monkeypatch.setitem(defaults, "clock", self.now)


@dataclass(repr=False)
class Watched:
    """A site on the embedded servers, small, with secrets that can be looked for.

    Attributes:
        in_clear: what was seen in clear on the controller's disk right after a request, by request.
    """

    site: Site
    jenkins: JenkinsSandbox
    gitlab: GitLabSandbox
    clock: Clock
    in_clear: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Derive the tokens of all webhooks that the spec asks for now."""
        self._tokens = [
            hook_token(Secret(key), self.gitlab.projects[one["project"]].id, self.site.name(job)).reveal()
            for key in (WEBHOOK_SECRET, OTHER_WEBHOOK_SECRET)
            for one in self.site.spec["applications"]
            for branch in one.get("branches", ["main"])
            for job in (f"{one['name']}/{branch.upper()}-{kind}-{one['name']}" for kind in ("Build", "Code-review"))
        ]

    def secrets(self) -> list[str]:
        """Every value that must not be seen: those of the spec, and the tokens derived from them."""
        spoken = [self.site.environ[name] for name in ("JENKINS_API_TOKEN", "GITLAB_TOKEN")]
        return [*spoken, WEBHOOK_SECRET, OTHER_WEBHOOK_SECRET, PASSWORD, OTHER_PASSWORD, *self._tokens]

    def watch_the_disk(self) -> None:
        """Look at the controller's disk after every request: with Administer nothing may ever be there in clear."""
        handle, secrets = self.jenkins.handle, self.secrets()

        def watching(request: Request) -> Response:
            answer = handle(request)
            if request.method != "GET":
                disk = self.jenkins.disk()
                self.in_clear += [f"{request.method} {request.path}" for secret in secrets if secret in disk]
            return answer

        self.jenkins.handle = watching  # type: ignore[method-assign]

    def assert_discreet(self, ran: Ran) -> None:
        """Neither a secret nor a traceback in what a command printed."""
        printed = ran.out + ran.err
        assert "Traceback" not in printed
        assert "bug in configurator" not in printed, printed
        for secret in self.secrets():
            assert secret not in printed

    def assert_nothing_in_clear(self) -> None:
        """No secret on the controller's disk, now."""
        disk = self.jenkins.disk()
        assert not [secret for secret in self.secrets() if secret in disk]

    def assert_no_twins(self) -> None:
        """One webhook for a job, no more."""
        for project in self.gitlab.projects.values():
            urls = Counter(hook.url for hook in self.gitlab.hooks(project))
            assert all(count == 1 for count in urls.values()), urls

    def assert_true(self, applied: dict[str, Any]) -> None:
        """What the summary says is done is done."""
        jobs = {item.full_name for item in self.jenkins.controller.items.root.walk()}
        hooks = {hook.url.rpartition("/project/")[2] for one in self.gitlab.projects for hook in self.gitlab.hooks(one)}
        for change in applied["changes"]:
            if change["result"] != "done":
                assert change["error"], change
                continue
            assert not change["error"], change
            if change["kind"] in ("job", "folder"):
                assert (change["name"] in jobs) is (change["action"] != "delete"), change
            elif change["kind"] == "webhook":
                there = change["name"].partition(" -> ")[2] in hooks
                assert there is (change["action"] != "delete"), change

    def assert_finished(self, prune: bool = False) -> None:
        """Another run completes the work, and the plan after that finds nothing to do.

        Without the command line, which would read the spec and compile its templates twice.
        """
        with Run.open(self.site.path, environ=self.site.environ) as run:
            applied = run.apply(run.plan(prune=prune))
            assert exit_code_of_apply(applied) == 0, [one for one in applied.results if one.error]
            again = run.plan(prune=prune)
        assert not again.changes and not again.prunable and not again.unchecked, again
        self.assert_no_twins()
        self.assert_nothing_in_clear()

    def apply(self) -> None:
        """Make everything, to begin with."""
        with Run.open(self.site.path, environ=self.site.environ) as run:
            assert exit_code_of_apply(run.apply(run.plan())) == 0


def small_spec(site: Site) -> None:
    """One application with one branch, and one thing of every other kind."""
    site.environ |= {"WEBHOOK_SECRET": WEBHOOK_SECRET, "DEPLOY_PASSWORD": PASSWORD}
    site.spec["applications"] = [{"name": "payments", "project": site.projects[0], "build_tool": "maven"}]
    site.spec["views"] = [{"name": f"{site.root}-all", "regex": f"{site.root}.*"}]
    site.spec["credentials"] = [
        {
            "id": "deploy",
            "kind": "username-password",
            "username": "deployer",
            "password": {"env": "DEPLOY_PASSWORD"},
            "folder": site.root,
        }
    ]
    site.write()
