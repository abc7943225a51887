"""A run of configurator on the embedded servers, without the command line: plan, apply, look."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import yaml

from configurator.model import Action, Applied, Change, Outcome, Plan
from configurator.run import Run
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.jenkins.permissions import User

KEY = "the webhook secret"
READ = "hudson.model.Hudson.Read"
ITEM = "hudson.model.Item."
CREDENTIALS = "com.cloudbees.plugins.credentials.CredentialsProvider."
VIEW = "hudson.model.View."
LIMITED = frozenset({READ, *(ITEM + name for name in ("Read", "Create", "Configure"))})
ALL_CREDENTIALS = frozenset(CREDENTIALS + name for name in ("View", "Create", "Update", "Delete", "ManageDomains"))

PIPELINE = "pipeline"
HOOK_FLAGS = {"push_events": True}


def job(name: str, **more: Any) -> dict[str, Any]:
    """A job of the spec with a script of its own."""
    return {"name": name, "template": PIPELINE, "variables": {"script": "echo 1"}, **more}


def hooked(name: str, project: str = "shop/payments", **more: Any) -> dict[str, Any]:
    """A job of the spec that a push to ``project`` starts."""
    return job(name, gitlab={"project": project, **more})


@dataclass
class Bench:
    """Both servers and a spec; every plan is a run of its own, as every call of the command is."""

    path: Path
    jenkins: JenkinsSandbox
    gitlab: GitLabSandbox
    spec: dict[str, Any] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        self.stack.enter_context(self.jenkins)
        self.stack.enter_context(self.gitlab)
        bot = self.gitlab.add_user("bot")
        self.environ = {
            "JENKINS": self.jenkins.users["admin"].api_token,
            "GITLAB": self.gitlab.add_token(bot, ["api"]).value,
            "KEY": KEY,
        }
        self.spec = {
            "apiVersion": "configurator/v1",
            "name": "platform",
            "jenkins": {"url": self.jenkins.url, "username": "admin", "api_token": {"env": "JENKINS"}},
            "gitlab": [
                {
                    "name": "gitlab",
                    "url": self.gitlab.url,
                    "token": {"env": "GITLAB"},
                    "webhooks": {"secret": {"env": "KEY"}},
                }
            ],
        }
        self.project("shop/payments")
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    @property
    def entry(self) -> dict[str, Any]:
        """The first gitlab entry of the spec."""
        entry: dict[str, Any] = self.spec["gitlab"][0]
        return entry

    def project(self, path: str) -> int:
        """A project where the token is Maintainer; its id."""
        return self.gitlab.add_project(path, members={"bot": 40}).id

    def alone(self) -> None:
        """Leave credential and connection to others, so that a test sees its own changes only."""
        self.entry["manage"] = False

    def act_as(self, name: str, *permissions: str) -> None:
        """Let the spec use another user with these permissions."""
        self.jenkins.users[name] = User(name, f"{name}-password", f"{name}-token", frozenset(permissions))
        self.spec["jenkins"]["username"] = name
        self.environ["JENKINS"] = f"{name}-token"

    def open(self) -> Run:
        """A run; close it."""
        self.path.write_text(yaml.safe_dump(self.spec, sort_keys=False), encoding="utf-8")
        return Run.open(self.path, environ=self.environ, workers=4)

    def plan(self, **options: Any) -> Plan:
        """A plan, as a new run sees it."""
        with self.open() as run:
            return run.plan(**options)

    def apply(self, **options: Any) -> Applied:
        """Plan and apply."""
        with self.open() as run:
            return run.apply(run.plan(**options))

    def done(self, **options: Any) -> Applied:
        """Apply; everything must be done."""
        applied = self.apply(**options)
        left = [(str(one.change.key), one.error) for one in applied.results if one.outcome is not Outcome.DONE]
        assert not left, left
        return applied

    def settled(self, **options: Any) -> None:
        """Apply, and a second plan must be quiet."""
        self.done(**options)
        again = self.plan()
        assert not again.changes, [(str(one.key), one.fields, one.reason) for one in again.changes]

    def hooks(self, project: str = "shop/payments") -> list[Any]:
        """The hooks of a project."""
        return self.gitlab.hooks(project)


def steps(plan: Plan) -> list[tuple[str, str]]:
    """What a plan does, with what."""
    return [(str(change.action), str(change.key)) for change in plan.changes]


def only(plan: Plan) -> Change:
    """The one change of a plan."""
    assert len(plan.changes) == 1, steps(plan)
    return plan.changes[0]


def paths(change: Change) -> list[str]:
    """The fields that differ."""
    return [one.path for one in change.fields]


def kinds(plan: Plan) -> Counter[str]:
    """How many changes of each kind."""
    return Counter(change.key.kind for change in plan.changes)


def conflicts(plan: Plan) -> dict[str, str]:
    """Reason by key of what is in conflict."""
    return {str(one.key): one.reason for one in plan.changes if one.action is Action.CONFLICT}


def prunable(plan: Plan) -> list[str]:
    """Keys of what prune would delete."""
    return sorted(str(one.key) for one in plan.prunable)


def ended(applied: Applied) -> dict[str, tuple[str, str]]:
    """Outcome and error by key."""
    return {str(one.change.key): (str(one.outcome), one.error) for one in applied.results}
