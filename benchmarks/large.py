"""A seeded instance with thousands of projects and webhooks of every class."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from configurator.marks import Mark, fingerprint, hook_token
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.jenkins.items import Item
from configurator.secret import Secret

Place = tuple[int, int]
"""Project id and hook id."""

_TEAMS = 50
_SECRET = Secret("the webhook secret")
_FORMER = "https://old-jenkins.example.com"
_ELSEWHERE = "https://elsewhere.example.com"
_JOB = (
    "<project><description>{mark}</description><triggers><com.dabsquared.gitlabjenkins.GitLabPushTrigger><spec/>"
    "<triggerOnPush>true</triggerOnPush><branchFilterType>All</branchFilterType><secretToken>{token}</secretToken>"
    "</com.dabsquared.gitlabjenkins.GitLabPushTrigger></triggers></project>"
)
_SECOND_HOOKS = ("live", "unmanaged", "foreign", "stale", "misrouted", "failing", "mismatched")


@dataclass
class Large:
    """Both servers, and what was seeded.

    Attributes:
        seeded: class of every hook.
        environ: the secrets that the spec refers to.
    """

    jenkins: JenkinsSandbox
    gitlab: GitLabSandbox
    environ: dict[str, str]
    seeded: dict[Place, str] = field(default_factory=dict)

    def seed(self, projects: int) -> None:
        """Three hooks in each of so many projects; every tenth hook has lost its job."""
        folders: dict[str, Item] = {}
        root = self.jenkins.controller.items.root
        for number in range(projects):
            team = f"team-{number % _TEAMS:02}"
            if team not in folders:
                xml = "<com.cloudbees.hudson.plugins.folder.Folder/>"
                folders[team] = self.jenkins.controller.items.create(root, team, xml)
            project = self.gitlab.add_project(f"{team}/app-{number:05}", members={"bot": 40})
            first = "orphaned" if number % 10 < 3 else "live"
            second = _SECOND_HOOKS[number % 50] if number % 50 < len(_SECOND_HOOKS) else "live"
            third = "duplicate" if number % 50 == 7 else "live"
            for place, cls in enumerate((first, second, third)):
                twin_of = place - 1 if cls == "duplicate" else place
                self._hook(cls, project.id, folders[team], f"app-{number:05}-{twin_of}")

    def _hook(self, cls: str, project: int, folder: Item, name: str) -> None:
        job = f"{folder.name}/{name}"
        token = hook_token(_SECRET, project, job)
        if cls not in ("orphaned", "foreign", "duplicate"):
            mark = Mark("platform", "gitlab", project + 1 if cls == "misrouted" else project)
            self.jenkins.controller.items.create(folder, name, _JOB.format(mark=mark, token=token.reveal()))
        where = {"foreign": _ELSEWHERE, "stale": _FORMER}.get(cls, self.jenkins.url)
        key = "0" * 8 if cls == "mismatched" else fingerprint(_SECRET, token)
        made = self.gitlab.add_hook(
            project,
            f"{where}/project/{job}",
            token=token.reveal(),
            description=None if cls in ("unmanaged", "foreign") else str(Mark("platform", key=key)),
            push_events=True,
            disabled=cls == "failing",
        )
        self.seeded[project, made.id] = cls

    def of(self, *classes: str) -> set[Place]:
        """The hooks that were seeded as one of these classes."""
        return {place for place, cls in self.seeded.items() if cls in classes}

    def there(self) -> set[Place]:
        """The hooks that are in GitLab now."""
        projects = self.gitlab.projects.values()
        return {(project.id, hook.id) for project in projects for hook in self.gitlab.hooks(project)}


@contextmanager
def large_instance(spec: Path) -> Iterator[Large]:
    """Both servers, empty, and a spec that knows them, written to ``spec``."""
    with JenkinsSandbox() as jenkins, GitLabSandbox(auto_disable=True) as gitlab:
        bot = gitlab.add_user("bot")
        webhooks = {"secret": {"env": "WEBHOOK_SECRET"}, "former_jenkins_urls": [_FORMER]}
        data = {
            "apiVersion": "configurator/v1",
            "name": "platform",
            "jenkins": {"url": jenkins.url, "username": "admin", "api_token": {"env": "JENKINS_API_TOKEN"}},
            "gitlab": [{"url": gitlab.url, "token": {"env": "GITLAB_TOKEN"}, "webhooks": webhooks}],
        }
        spec.write_text(yaml.safe_dump(data), encoding="utf-8")
        environ = {
            "JENKINS_API_TOKEN": jenkins.users["admin"].api_token,
            "GITLAB_TOKEN": gitlab.add_token(bot, ["api"]).value,
            "WEBHOOK_SECRET": _SECRET.reveal(),
        }
        yield Large(jenkins, gitlab, environ)
