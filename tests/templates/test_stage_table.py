"""Every row of the table of stages, against a copy of it written by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from lxml import etree

from configurator.model import Origin
from configurator.spec.items import ItemBuilder, Request
from configurator.spec.models import Application, EnvSecret, GitLab
from configurator.spec.provisioner import provision
from configurator.spec.templating import Templates

REQUEST = Request(Origin(None, "app"), ("application app",))
TEMPLATES = Templates()
TOOLS = [
    "maven",
    "gradle",
    "npm",
    "dotnet",
    "python",
    "go",
    "terraform",
    "helm",
    "docker",
    "opa",
    "codenarc",
    "kaniko",
    "none",
    "rust",
]
REVIEW = {
    "application": {
        "maven gradle npm dotnet python none": "checkout [jira] compile tests (sonar dockerfile-lint helm-lint)",
        "go": "checkout [jira] build tests (sonar dockerfile-lint helm-lint)",
    },
    "library": {"maven gradle npm dotnet python go none": "checkout [jira] compile tests sonar"},
    "autotests": {"maven gradle npm dotnet python go none": "checkout [jira] tests sonar"},
}
REVIEW_OF_ANY_TYPE = {
    "terraform": "checkout [jira] terraform-lint",
    "opa": "checkout [jira] tests",
    "codenarc": "checkout [jira] sonar build",
    "kaniko": "checkout [jira] dockerfile-lint dockerbuild-verify",
}
BUILD = {
    "application": {
        "maven gradle npm": "checkout get-version sast compile tests sonar build IMAGE push [jira] git-tag",
        "dotnet": "checkout get-version sast compile tests sonar IMAGE push [jira] git-tag",
        "python": "checkout get-version compile tests sonar IMAGE push [jira] git-tag",
        "go": "checkout get-version sast tests sonar build IMAGE [jira] git-tag",
        "terraform": "checkout tool-init lint git-tag",
        "helm docker": "checkout lint",
    },
    "library": {
        "maven gradle npm": "checkout get-version compile tests sonar build push [jira] git-tag",
        "dotnet python": "checkout get-version compile tests sonar push [jira] git-tag",
        "terraform": "checkout get-version terraform-lint terraform-plan terraform-apply [jira] git-tag",
        "opa": "checkout get-version tests [jira] git-tag",
        "codenarc": "checkout get-version sonar build [jira] git-tag",
        "kaniko": "checkout get-version dockerfile-lint build-image-kaniko [jira] git-tag",
    },
    "autotests": {"maven gradle": "checkout get-version [jira] git-tag"},
}
ANYTHING_ELSE = "checkout [jira]"


def row(table: dict[str, dict[str, str]], kind: str, tool: str) -> str:
    for tools, stages in table[kind].items():
        if tool in tools.split():
            return stages
    return ANYTHING_ELSE


def spelled_out(stages: str, jira: str, image: str) -> list[Any]:
    """The table's notation as the JSON that a job gets."""
    result: list[Any] = []
    inner: list[Any] | None = None
    for word in stages.replace("[jira]", jira).replace("IMAGE", image).split():
        if word.startswith("("):
            inner = []
            result.append(inner)
        (result if inner is None else inner).append({"name": word.strip("()")})
        if word.endswith(")"):
            inner = None
    return result


def parameters(application: Application) -> dict[str, dict[str, str]]:
    """For each job of an application, by its kind, the defaults of its parameters."""
    builder = ItemBuilder(TEMPLATES, [GitLab(url="https://gitlab.example.com", token=EnvSecret(env="T"))])
    found = {}
    for job in provision(TEMPLATES, application, REQUEST).jobs:
        item = builder.job(job, REQUEST)
        assert item is not None
        definitions = etree.fromstring(item.xml.encode()).iter("hudson.model.StringParameterDefinition")
        found[job.name] = {str(one.findtext("name")): one.findtext("defaultValue") or "" for one in definitions}
    assert builder.problems == []
    return found


@pytest.mark.parametrize("platform", ["kubernetes", "openshift"])
@pytest.mark.parametrize("jira", [False, True])
@pytest.mark.parametrize("kind", ["application", "library", "autotests"])
def test_stages_are_those_of_the_table(kind: Any, jira: bool, platform: Any) -> None:
    image = {"kubernetes": "build-image-kaniko", "openshift": "build-image-from-dockerfile"}[platform]
    for tool in TOOLS:
        application = Application(
            name="app", project="g/p", type=kind, build_tool=tool, jira=jira, platform=platform, branches=["main"]
        )
        found = parameters(application)
        review = REVIEW_OF_ANY_TYPE.get(tool) or row(REVIEW, kind, tool)
        build = row(BUILD, kind, tool)
        wanted = {
            "app/MAIN-Code-review-app": spelled_out(review, "commit-validate" if jira else "", image),
            "app/MAIN-Build-app": spelled_out(build, "create-jira-issue-metadata" if jira else "", image),
            "app/Create-release-app": spelled_out("checkout create-branch trigger-job", "", image),
        }
        assert {name: json.loads(values["STAGES"]) for name, values in found.items()} == wanted, tool


def test_parameters_of_each_job() -> None:
    application = Application(name="app", project="g/p", branches=["Rel/1"], default_branch="trunk")
    found = parameters(application)
    for values in found.values():
        values.pop("STAGES")
    assert found == {
        "app/REL-1-Code-review-app": {"PIPELINE": "CodeReview", "BRANCH": "Rel/1"},
        "app/REL-1-Build-app": {"PIPELINE": "Build", "BRANCH": "Rel/1"},
        "app/Create-release-app": {
            "PIPELINE": "CreateRelease",
            "BRANCH": "trunk",
            "RELEASE_NAME": "",
            "COMMIT_ID": "",
            "DEFAULT_BRANCH": "trunk",
            "REPOSITORY_PATH": "g/p",
        },
    }
