"""What is measured: applications with five Pipeline jobs each, for configurator and for Jenkins Job Builder.

An application has two branches: a folder, three views, two jobs a branch and one for releases, four webhooks.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.servers import HOOKS_PER_APPLICATION, Servers, User

JOBS_PER_APPLICATION = 5
VIEWS_PER_APPLICATION = 3
BRANCHES = ("main", "develop")


@dataclass(frozen=True)
class Workload:
    """So many jobs below one folder.

    Attributes:
        jobs: how many; a multiple of five.
        root: name of the folder, and of the spec.
    """

    jobs: int
    root: str = "bench"

    @property
    def applications(self) -> int:
        """How many applications, each with its folder and its GitLab project."""
        return self.jobs // JOBS_PER_APPLICATION

    @property
    def folders(self) -> int:
        """How many folders: the root, and one for each application."""
        return self.applications + 1

    @property
    def views(self) -> int:
        """How many views."""
        return self.applications * VIEWS_PER_APPLICATION

    @property
    def hooks(self) -> int:
        """How many webhooks."""
        return self.applications * HOOKS_PER_APPLICATION

    def names(self) -> list[str]:
        """Names of the applications."""
        return [f"app-{number:04}" for number in range(1, self.applications + 1)]

    def projects(self, servers: Servers) -> int:
        """How many GitLab projects they are in."""
        return min(self.applications, len(servers.projects))

    def build_jobs(self, count: int) -> list[str]:
        """Full names of up to ``count`` Build jobs, spread over the applications."""
        step = max(1, self.applications // count)
        return [f"{self.root}/{name}/MAIN-Build-{name}" for name in self.names()[::step][:count]]

    def write_spec(self, path: Path, servers: Servers, user: User, *, manage: bool | None, empty: bool = False) -> Path:
        """Write configurator's spec.

        Args:
            path: of the file.
            servers: where the jobs go.
            user: who calls Jenkins.
            manage: whether the connection and its credential are to be managed, which takes Administer; None = the
                spec does not speak of GitLab at all, so that ``--prune`` deletes them.
            empty: without applications, so that ``--prune`` deletes what they made.
        """
        spec: dict[str, Any] = {
            "apiVersion": "configurator/v1",
            "name": self.root,
            "jenkins": {"url": servers.jenkins_url, "username": user.name, "api_token": {"env": "JENKINS_API_TOKEN"}},
        }
        if manage is not None:
            entry: dict[str, Any] = {"name": self.root, "url": servers.gitlab_url, "token": {"env": "GITLAB_TOKEN"}}
            entry["credential"] = {"id": f"{self.root}-token"}
            entry["webhooks"] = {"secret": {"env": "WEBHOOK_SECRET"}}
            spec["gitlab"] = [{**entry, "manage": manage}]
        if not empty:
            spec["defaults"] = {"application": {"folder": self.root, "branches": list(BRANCHES)}}
            spec["defaults"]["application"] |= {"build_tool": "maven", "build_on_create": False}
            spec["folders"] = [{"name": self.root}]
            spec["applications"] = [
                {"name": name, "project": servers.projects[index % len(servers.projects)]}
                for index, name in enumerate(self.names())
            ]
        path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
        return path

    def write_jjb(self, folder: Path, servers: Servers) -> tuple[Path, Path]:
        """Write the same jobs and views for Jenkins Job Builder; returns the file of the folders and the one of them.

        The folders stand apart, because with several workers a job may come before its folder.
        """
        folders = [{"job": {"name": self.root, "project-type": "folder"}}]
        folders += [{"job": {"name": f"{self.root}/{name}", "project-type": "folder"}} for name in self.names()]
        items: list[dict[str, Any]] = [{"job-template": template} for template in self._jjb_templates()]
        for index, name in enumerate(self.names()):
            url = f"{servers.gitlab_url}/{servers.projects[index % len(servers.projects)]}.git"
            values = {"app": name, "url": url}
            titles = [{branch.upper(): {"branch": branch}} for branch in BRANCHES]
            *of_branch, release = [template["name"] for template in self._jjb_templates()]
            items.append({"project": {"name": name, **values, "title": titles, "jobs": of_branch}})
            items.append({"project": {"name": f"{name}-release", **values, "jobs": [release]}})
            items += [{"view": view} for view in self._jjb_views(name)]
        paths = folder / "folders.yaml", folder / "jobs.yaml"
        for path, content in zip(paths, (folders, items), strict=True):
            path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        return paths

    def _jjb_templates(self) -> list[dict[str, Any]]:
        build = {"trigger-push": True, "trigger-merge-request": False}
        review = {"trigger-push": False, "trigger-merge-request": True, "note-regex": "(?is).*build it please.*"}
        return [
            self._jjb_job("{title}-Build-{app}", "Build", build),
            self._jjb_job("{title}-Code-review-{app}", "CodeReview", review),
            self._jjb_job("Create-release-{app}", "CreateRelease", None),
        ]

    def _jjb_job(self, name: str, pipeline: str, trigger: dict[str, Any] | None) -> dict[str, Any]:
        branch = "{branch}" if trigger else BRANCHES[0]
        git = {"url": "{url}", "branches": [branch]}
        parameters = {"PIPELINE": pipeline, "STAGES": '[{{"name": "checkout"}}]', "BRANCH": branch}
        job: dict[str, Any] = {
            "name": f"{self.root}/{{app}}/{name}",
            "project-type": "pipeline",
            "pipeline-scm": {"script-path": "Jenkinsfile", "scm": [{"git": git}]},
            "properties": [
                {"build-discarder": {"num-to-keep": 10, "days-to-keep": 7}},
                {"gitlab": {"connection": self.root}},
            ],
            "parameters": [{"string": {"name": key, "default": value}} for key, value in parameters.items()],
        }
        if trigger is not None:
            filters = {"branch-filter-type": "NameBasedFilter", "include-branches": ["{branch}"]}
            job["triggers"] = [{"gitlab": {**trigger, **filters, "secret": "not-a-secret-here"}}]
        return job

    def _jjb_views(self, name: str) -> list[dict[str, Any]]:
        expressions = {branch.upper(): rf"^\Q{branch.upper()}\E-.*" for branch in BRANCHES}
        expressions["Releases"] = "^Create-release-.*"
        return [
            {"name": f"{self.root}/{name}/{title}", "view-type": "list", "regex": expression}
            for title, expression in expressions.items()
        ]
