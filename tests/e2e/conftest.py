"""Where the end-to-end tests run: on the embedded servers, or on real ones named in the environment.

Real servers: ``CONFIGURATOR_TEST_JENKINS_URL``, ``_JENKINS_USER``, ``_JENKINS_TOKEN``, and for the tests without
Administer ``_JENKINS_LIMITED_USER``, ``_JENKINS_LIMITED_TOKEN``; ``CONFIGURATOR_TEST_GITLAB_URL``, ``_GITLAB_TOKEN``
and ``_GITLAB_PROJECTS``, paths of three or more projects where the token is Maintainer, comma-separated. There
every test works below a folder of its own name, and takes away what it made.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from configurator.cli.app import run as run_command
from configurator.clients.gitlab import GitLabClient
from configurator.clients.jenkins import JenkinsClient
from configurator.errors import NotFoundError
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.secret import Secret

PREFIX = "CONFIGURATOR_TEST_"
REAL = {name.removeprefix(PREFIX): value for name, value in os.environ.items() if name.startswith(PREFIX)}
"""Read before the tests' environment is cleaned."""

EMBEDDED_PROJECTS = ("shop/payments", "shop/catalog", "shop/search")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Coverage counts what the tests of the parts reach. Tracing whole runs would double their time for nothing."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.no_cover)


@dataclass(frozen=True)
class Ran:
    """A command that ran: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


@dataclass
class Site:
    """A Jenkins and a GitLab to work on, and a folder that the test has for itself.

    Attributes:
        run: runs a configurator command: ``run("plan", "-o", "json")``, ``run("webhooks list", "--all")``.
        root: name of the folder that everything is below.
        spec: the spec as data; change it and call :meth:`write`.
        jenkins, gitlab: what looks at the servers behind configurator's back, as administrator.
        embedded: the embedded servers, None on real ones.
    """

    root: str
    path: Path
    spec: dict[str, Any]
    jenkins: JenkinsClient
    gitlab: GitLabClient
    projects: tuple[str, ...]
    limited: tuple[str, str]
    run: Callable[..., Ran]
    embedded: tuple[JenkinsSandbox, GitLabSandbox] | None = None
    environ: dict[str, str] = field(default_factory=dict)

    def write(self) -> None:
        """Put the spec on the disk."""
        self.path.write_text(yaml.safe_dump(self.spec, sort_keys=False), encoding="utf-8")

    def plan(self, *options: str) -> dict[str, Any]:
        """The plan as JSON; the command must succeed."""
        ran = self.run("plan", "-o", "json", *options)
        assert ran.code == 0, ran.err
        return dict(ran.json)

    def apply(self, *options: str, code: int = 0) -> dict[str, Any]:
        """Apply without asking; the result as JSON."""
        ran = self.run("apply", "--yes", "-o", "json", *options)
        assert ran.code == code, (ran.code, ran.out, ran.err)
        return dict(ran.json)

    def name(self, path: str) -> str:
        """Full name of something below the test's folder."""
        return f"{self.root}/{path}"

    def hooks(self, project: str | None = None) -> list[dict[str, Any]]:
        """Hooks of a project (default: all three) that mean jobs below the test's folder."""
        found = [hook for path in ([project] if project else self.projects[:3]) for hook in self.gitlab.hooks(path)]
        return [hook for hook in found if f"/project/{self.root}/" in hook["url"]]

    def as_limited_user(self) -> None:
        """Let the spec use the user without Administer, and leave alone what it may not do."""
        self.spec["jenkins"]["username"] = self.limited[0]
        self.environ["JENKINS_API_TOKEN"] = self.limited[1]
        self.write()


def quiet(plan: dict[str, Any]) -> bool:
    """Whether a plan finds nothing to do."""
    return not plan["changes"] and not plan["prunable"]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Site]:
    """Fresh servers, or a fresh folder on the real ones."""
    with ExitStack() as stack:
        yield from _site(stack, tmp_path, monkeypatch, capsys)


def _site(
    stack: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Site]:
    embedded = None
    if "JENKINS_URL" in REAL:
        urls = (REAL["JENKINS_URL"], REAL["GITLAB_URL"])
        user, tokens = REAL["JENKINS_USER"], (REAL["JENKINS_TOKEN"], REAL["GITLAB_TOKEN"])
        limited = (REAL.get("JENKINS_LIMITED_USER", ""), REAL.get("JENKINS_LIMITED_TOKEN", ""))
        projects = tuple(REAL["GITLAB_PROJECTS"].split(","))
    else:
        gitlab_server = stack.enter_context(GitLabSandbox())
        jenkins_server = stack.enter_context(JenkinsSandbox())
        embedded = (jenkins_server, gitlab_server)
        bot = gitlab_server.add_user("bot")
        for path in EMBEDDED_PROJECTS:
            gitlab_server.add_project(path, members={bot.username: 40})
        urls = (jenkins_server.url, gitlab_server.url)
        users = jenkins_server.users
        user, tokens = "admin", (users["admin"].api_token, gitlab_server.add_token(bot, ["api"]).value)
        limited = ("limited", users["limited"].api_token)
        projects = EMBEDDED_PROJECTS
    root = f"e2e-{secrets.token_hex(3)}"
    environ = {"JENKINS_API_TOKEN": tokens[0], "GITLAB_TOKEN": tokens[1], "WEBHOOK_SECRET": "the webhook secret"}
    path = tmp_path / "configurator.yaml"

    def run(command: str, *arguments: str) -> Ran:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        named = () if bool(arguments) and arguments[0].endswith(".json") else ("-f", str(path))
        code = run_command([*command.split(), *named, *arguments])
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    jenkins = JenkinsClient(urls[0], user, Secret(tokens[0]), None)
    gitlab = GitLabClient("gitlab", urls[1], Secret(tokens[1]))
    site = Site(
        root, path, spec_of(root, urls, user, projects), jenkins, gitlab, projects, limited, run, embedded, environ
    )
    site.write()
    yield site
    if embedded is None:
        take_away(site, user, tokens[0])
    jenkins.close()
    gitlab.close()


def spec_of(root: str, urls: tuple[str, str], user: str, projects: tuple[str, ...]) -> dict[str, Any]:
    """Three applications below ``root``, with a connection and credential of their own."""
    return {
        "apiVersion": "configurator/v1",
        "name": root,
        "jenkins": {"url": urls[0], "username": user, "api_token": {"env": "JENKINS_API_TOKEN"}},
        "gitlab": [
            {
                "name": root,
                "url": urls[1],
                "token": {"env": "GITLAB_TOKEN"},
                "credential": {"id": f"{root}-token"},
                "webhooks": {"secret": {"env": "WEBHOOK_SECRET"}},
            }
        ],
        "defaults": {"application": {"folder": root, "build_on_create": False}},
        "folders": [{"name": root, "description": "End-to-end tests of configurator"}],
        "applications": [
            {"name": "payments", "project": projects[0], "build_tool": "maven", "branches": ["main", "release/2.x"]},
            {"name": "catalog", "project": projects[1], "build_tool": "go"},
            {"name": "search", "project": projects[2], "type": "library", "build_tool": "python"},
        ],
    }


def take_away(site: Site, user: str, token: str) -> None:
    """Leave nothing behind: first what stands in folders, with its hooks; then what that was connected by."""
    for key in ("applications", "jobs", "views", "folders", "credentials"):
        site.spec.pop(key, None)
    for entry in site.spec["gitlab"]:
        entry["manage"] = True
    site.spec["jenkins"]["username"] = user
    site.environ["JENKINS_API_TOKEN"] = token
    for entries in (site.spec["gitlab"], []):
        site.spec["gitlab"] = entries
        site.write()
        site.run("apply", "--prune", "--yes", "--max-deletes", "1000")
    for hook in site.hooks():  # what tests made by hand carries no mark
        site.gitlab.delete_hook(hook["project_id"], hook["id"])
    with suppress(NotFoundError):
        site.jenkins.delete_item(site.root)
