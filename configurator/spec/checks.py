"""Checks that need more than one value, all made before any server is asked."""

from __future__ import annotations

from collections.abc import Callable

from configurator.errors import Problem
from configurator.spec.check_credentials import check_git_credentials
from configurator.spec.check_gitlab import check_gitlab_references, check_hook_counts, check_webhook_secrets
from configurator.spec.check_items import check_duplicates, check_folders, check_names
from configurator.spec.check_renamed import check_renamed
from configurator.spec.findings import Findings, Parts
from configurator.spec.models import Git
from configurator.spec.nodes import Node, Path
from configurator.spec.suggest import nearest
from configurator.spec.urls import clone_url_problem, url_problem

BUILD_TOOLS = (
    *("maven", "gradle", "npm", "dotnet", "python", "go", "terraform", "helm", "docker", "opa", "codenarc"),
    *("kaniko", "none"),
)


def check(parts: Parts, root: Node) -> tuple[list[Problem], tuple[str, ...]]:
    """Check the valid parts of a spec against each other.

    Args:
        parts: what is valid by itself.
        root: the whole spec as written, for the places.

    Returns:
        Problems and warnings.
    """
    findings = Findings(root)
    for check_one in _CHECKS:
        check_one(parts, findings)
    return findings.problems, findings.warnings


def _check_jenkins(parts: Parts, findings: Findings) -> None:
    jenkins = parts.jenkins
    if jenkins is None:
        return
    if jenkins.api_token is None and jenkins.password is None:
        hint = "api_token: {env: JENKINS_API_TOKEN}"
        findings.error(("jenkins",), "jenkins needs an api_token or a password", hint)
    elif jenkins.api_token is not None and jenkins.password is not None:
        token = findings.place(("jenkins", "api_token"))
        message = f"jenkins takes an api_token or a password, not both; the api_token is at {token}"
        findings.error(("jenkins", "password"), message, "keep the api_token")
    minimums: dict[str, tuple[str | None, int]] = {}
    for index, plugin in enumerate(jenkins.plugins):
        name, minimum = (plugin, None) if isinstance(plugin, str) else (plugin.id, plugin.minimum)
        if minimums.setdefault(name, (minimum, index))[0] != minimum:
            first = findings.place(("jenkins", "plugins", minimums[name][1]))
            message = f"the plugin '{name}' stands here with another minimum than at {first}"
            findings.error(("jenkins", "plugins", index), message, "keep one of them")


def _check_urls(parts: Parts, findings: Findings) -> None:
    urls: list[tuple[Path, str]] = []
    if parts.jenkins is not None:
        urls.append((("jenkins", "url"), parts.jenkins.url))
    for index, gitlab in parts.gitlab.items():
        webhooks = ("gitlab", index, "webhooks")
        urls.append((("gitlab", index, "url"), gitlab.url))
        if gitlab.webhooks.jenkins_url is not None:
            urls.append(((*webhooks, "jenkins_url"), gitlab.webhooks.jenkins_url))
        former = gitlab.webhooks.former_jenkins_urls
        urls += [((*webhooks, "former_jenkins_urls", number), url) for number, url in enumerate(former)]
    for path, url in urls:
        problem = url_problem(url)
        if problem:
            findings.error(path, f"this {problem}", "such as https://host.example.com/path")


def _check_rotation(parts: Parts, findings: Findings) -> None:
    for index, gitlab in parts.gitlab.items():
        rotation = gitlab.rotation
        if rotation is not None and rotation.days >= rotation.expires_in:
            message = (
                f"a token that lives {rotation.expires_in} days would be rotated in every run: "
                f"it always has {rotation.days} days left or fewer"
            )
            findings.error(("gitlab", index, "rotation"), message, "make days smaller than expires_in")


def _check_git(parts: Parts, findings: Findings) -> None:
    owners: list[tuple[Path, Git]] = []
    owners += [(("applications", index, "git"), item.git) for index, item in parts.applications.items()]
    owners += [(("jobs", index, "git"), job.git) for index, job in parts.jobs.items()]
    for path, git in owners:
        if git.url == "ssh" and git.credential is None:
            message = "git.url is ssh, but no git.credential is named: Jenkins has no key to clone with"
            findings.warn((*path, "url"), message)
        problem = clone_url_problem(git.clone_url) if git.clone_url is not None else None
        if problem:
            findings.error((*path, "clone_url"), f"this {problem}", "name a Jenkins credential: git.credential")


def _check_build_tools(parts: Parts, findings: Findings) -> None:
    for index, application in parts.applications.items():
        tool = application.build_tool
        if tool not in BUILD_TOOLS:
            near = nearest(tool, BUILD_TOOLS)
            hint = f"; did you mean {near}?" if near else f" (known: {', '.join(BUILD_TOOLS)})"
            message = f"the build tool '{tool}' is not known, it gets the default stages{hint}"
            findings.warn(("applications", index, "build_tool"), message)


_CHECKS: tuple[Callable[[Parts, Findings], None], ...] = (
    _check_jenkins,
    _check_urls,
    _check_rotation,
    _check_git,
    check_git_credentials,
    _check_build_tools,
    check_names,
    check_duplicates,
    check_folders,
    check_renamed,
    check_gitlab_references,
    check_webhook_secrets,
    check_hook_counts,
)
