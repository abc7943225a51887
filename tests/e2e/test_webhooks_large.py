"""A big instance: 5,000 projects and 15,000 webhooks. What a scan costs, and that it finds exactly what is there."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from configurator.cli.app import run as run_command
from configurator.marks import Mark, fingerprint, hook_token
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.jenkins.items import Item
from configurator.secret import Secret
from tests.e2e.conftest import REAL, Ran

pytestmark = pytest.mark.skipif(bool(REAL), reason="thousands of projects are seeded on the embedded servers")

PROJECTS = 5000
CLEANED = int(os.environ.get("LARGE_CLEANUP_PROJECTS", "500"))
"""Projects of the test that removes and restores, which sends some ten requests for each orphan."""
GROUPS = 50
SECRET = Secret("the webhook secret")
FORMER = "https://old-jenkins.example.com"
JOB = (
    "<project><description>{mark}</description><triggers><com.dabsquared.gitlabjenkins.GitLabPushTrigger><spec/>"
    "<triggerOnPush>true</triggerOnPush><branchFilterType>All</branchFilterType><secretToken>{token}</secretToken>"
    "</com.dabsquared.gitlabjenkins.GitLabPushTrigger></triggers></project>"
)
SECOND_HOOK = ("live", "unmanaged", "foreign", "stale", "misrouted", "failing", "mismatched")


@dataclass
class Large:
    """The seeded servers.

    Attributes:
        seeded: class of every hook, by project id and hook id.
        run: runs a configurator command.
    """

    jenkins: JenkinsSandbox
    gitlab: GitLabSandbox
    run: Callable[..., Ran]
    seeded: dict[tuple[int, int], str] = field(default_factory=dict)

    def seed(self, projects: int) -> None:
        """Three hooks in each project; every tenth hook has lost its job."""
        bot = self.gitlab.users["bot"]
        folders: dict[str, Item] = {}
        root = self.jenkins.controller.items.root
        for number in range(projects):
            team = f"team-{number % GROUPS:02}"
            if team not in folders:
                xml = "<com.cloudbees.hudson.plugins.folder.Folder/>"
                folders[team] = self.jenkins.controller.items.create(root, team, xml)
            project = self.gitlab.add_project(f"{team}/app-{number:04}", members={bot.username: 40})
            seconds = SECOND_HOOK[number % 50] if number % 50 < len(SECOND_HOOK) else "live"
            thirds = "duplicate" if number % 50 == 7 else "live"
            for place, cls in enumerate(("orphaned" if number % 10 < 3 else "live", seconds, thirds)):
                self._hook(cls, project.id, folders[team], f"app-{number:04}-{place}")

    def _hook(self, cls: str, project: int, folder: Item, name: str) -> None:
        job = f"{folder.name}/{name}"
        if cls == "duplicate":
            name = name.removesuffix("-2") + "-1"
            job = f"{folder.name}/{name}"
        token = hook_token(SECRET, project, job)
        owner = project + 1 if cls == "misrouted" else project
        if cls not in ("orphaned", "foreign", "duplicate"):
            mark = Mark("platform", "gitlab", owner)
            xml = JOB.format(mark=mark, token=token.reveal())
            self.jenkins.controller.items.create(folder, name, xml)
        where = {"foreign": "https://elsewhere.example.com", "stale": FORMER}.get(cls, self.jenkins.url)
        key = "0" * 8 if cls == "mismatched" else fingerprint(SECRET, token)
        made = self.gitlab.add_hook(
            project,
            f"{where}/project/{job}",
            token=token.reveal(),
            description=None if cls in ("unmanaged", "foreign") else str(Mark("platform", key=key)),
            push_events=True,
            disabled=cls == "failing",
        )
        self.seeded[project, made.id] = cls

    def of(self, *classes: str) -> set[tuple[int, int]]:
        """The hooks of these classes."""
        return {place for place, cls in self.seeded.items() if cls in classes}

    def there(self) -> set[tuple[int, int]]:
        """The hooks that are in GitLab now."""
        return {
            (project.id, hook.id) for project in self.gitlab.projects.values() for hook in self.gitlab.hooks(project)
        }


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Large]:
    with JenkinsSandbox() as jenkins, GitLabSandbox(auto_disable=True) as gitlab:
        bot = gitlab.add_user("bot")
        spec = {
            "apiVersion": "configurator/v1",
            "name": "platform",
            "jenkins": {"url": jenkins.url, "username": "admin", "api_token": {"env": "JENKINS"}},
            "gitlab": [
                {
                    "url": gitlab.url,
                    "token": {"env": "GITLAB"},
                    "webhooks": {"secret": {"env": "KEY"}, "former_jenkins_urls": [FORMER]},
                }
            ],
        }
        path = tmp_path / "configurator.yaml"
        path.write_text(yaml.safe_dump(spec), encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("JENKINS", jenkins.users["admin"].api_token)
        monkeypatch.setenv("GITLAB", gitlab.add_token(bot, ["api"]).value)
        monkeypatch.setenv("KEY", SECRET.reveal())

        def run(command: str, *options: str) -> Ran:
            capsys.readouterr()
            code = run_command(["webhooks", command, *options])
            return Ran(code, *capsys.readouterr())

        yield Large(jenkins, gitlab, run)


def counts(ran: Ran) -> dict[str, int]:
    return {name: number for name, number in ran.json["summary"].items() if number}


def test_5000_projects(large: Large) -> None:
    large.seed(PROJECTS)
    listed = large.run("list", "--all", "--everything", "-o", "json")
    assert listed.code == 0, listed.err
    assert large.gitlab.count() <= PROJECTS + 60
    assert large.jenkins.count() <= 5
    assert listed.json["complete"] is True
    assert listed.json["scanned"] == {"projects": PROJECTS, "hooks": 3 * PROJECTS}
    found = {(one["project_id"], one["hook_id"]): one["class"] for one in listed.json["hooks"]}
    wrong = Counter((cls, found.get(place)) for place, cls in large.seeded.items() if found.get(place) != cls)
    assert not wrong
    assert counts(listed) == Counter(large.seeded.values())


def test_orphans_go_and_come_back(large: Large) -> None:
    large.seed(CLEANED)
    before = large.run("list", "--all", "--everything", "-o", "json")
    orphans = large.of("orphaned")
    assert len(orphans) == CLEANED * 3 // 10

    options = ("--all", "--class", "orphaned", "--yes", "-o", "json")
    refused = large.run("cleanup", *options, "--backup", "backup.jsonl")
    assert refused.code == 4 and "--max-deletes" in refused.err
    assert large.there() == set(large.seeded)
    assert not Path("backup.jsonl").exists()

    cleaned = large.run("cleanup", *options, "--backup", "backup.jsonl", "--max-deletes", "2000")
    assert cleaned.code == 0, cleaned.err
    assert large.there() == set(large.seeded) - orphans
    assert {(one["project_id"], one["hook_id"]) for one in cleaned.json["hooks"]} == orphans
    assert Path("backup.jsonl").stat().st_mode & 0o777 == 0o600
    nothing = large.run("cleanup", *options, "--backup", "second.jsonl", "--max-deletes", "2000")
    assert nothing.code == 0 and nothing.json["hooks"] == []
    assert not Path("second.jsonl").exists()

    restored = large.run("restore", "backup.jsonl", "--yes", "-o", "json")
    assert restored.code == 0, restored.err
    after = large.run("list", "--all", "--everything", "-o", "json")
    assert counts(after) == counts(before)
    assert told(after, "orphaned") == told(before, "orphaned")


def told(ran: Ran, cls: str) -> set[tuple[str, str, str | None]]:
    """What makes a hook what it is, without its id."""
    return {(one["project"], one["url"], one["owner"]) for one in ran.json["hooks"] if one["class"] == cls}
