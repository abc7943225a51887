"""Checks of what ties jobs to GitLab: connections, webhook secrets, how many hooks a project gets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from configurator.spec.findings import BUILT_IN_PROVISIONER, Findings, Parts
from configurator.spec.nodes import Path
from configurator.spec.suggest import suggestion

MAX_HOOKS = 100
HOOKS_PER_BRANCH = 2
MULTIBRANCH_TEMPLATE = "multibranch"


@dataclass(frozen=True)
class _Link:
    """Something that belongs to a GitLab project.

    Attributes:
        path: where it is written.
        reference: name of the gitlab entry, None where it is left out.
        reference_path: where that name belongs.
        hooks: how many webhooks it needs.
    """

    path: Path
    project: str
    reference: str | None
    reference_path: Path
    hooks: int


def _links(parts: Parts) -> Iterator[_Link]:
    """Applications of a team's own provisioner need as many hooks as it says: none are counted here."""
    for index, item in parts.applications.items():
        path: Path = ("applications", index)
        hooks = HOOKS_PER_BRANCH * len(item.branches) if item.provisioner == BUILT_IN_PROVISIONER else 0
        yield _Link(path, item.project, item.gitlab, (*path, "gitlab"), hooks)
    for index, job in parts.jobs.items():
        if job.gitlab is not None:
            path = ("jobs", index, "gitlab")
            hooks = int(job.gitlab.webhook and job.template != MULTIBRANCH_TEMPLATE)
            yield _Link(path, job.gitlab.project, job.gitlab.gitlab, (*path, "gitlab"), hooks)


def check_gitlab_references(parts: Parts, findings: Findings) -> None:
    """Every gitlab entry that is named and not there, or has to be named and is not; each said once."""
    for index, job in parts.jobs.items():
        if job.template == MULTIBRANCH_TEMPLATE and job.gitlab and "events" in job.gitlab.model_fields_set:
            message = "events don't work on a multibranch job: the plugin ignores its token"
            findings.error(("jobs", index, "gitlab", "events"), message, "remove them; the job indexes periodically")
    if "gitlab" in parts.broken:
        return
    names = [gitlab.name for gitlab in parts.gitlab.values()]
    wrong: dict[str, list[_Link]] = {}
    for link in _links(parts):
        if link.reference is not None and link.reference not in names:
            wrong.setdefault(link.reference, []).append(link)
        elif link.reference is None and len(names) != 1:
            wrong.setdefault("", []).append(link)
    for name, links in wrong.items():
        more = f" ({len(links) - 1} more of this kind)" if len(links) > 1 else ""
        if name:
            hint = suggestion(name, names) or "add it under gitlab"
            findings.error(links[0].reference_path, f"there is no gitlab entry '{name}'{more}", hint)
        elif names:
            message = f"the key 'gitlab' is missing: there are several gitlab entries{more}"
            findings.error(links[0].path, message, f"one of {', '.join(names)}")
        else:
            hint = "gitlab: [{url: https://gitlab.example.com, token: {env: GITLAB_TOKEN}}]"
            findings.error(links[0].path, f"the spec has no gitlab entry for this project{more}", hint)


def check_webhook_secrets(parts: Parts, findings: Findings) -> None:
    """Every gitlab entry that webhooks are to be made in, and that has no key to derive their tokens from."""
    if "gitlab" in parts.broken:
        return
    needed = _hooks_by_entry(parts)
    for index, gitlab in parts.gitlab.items():
        hooks = needed.get(gitlab.name, 0)
        if hooks and gitlab.webhooks.secret is None:
            need = "webhooks need" if hooks > 1 else "webhook needs"
            message = f"{hooks} {need} a webhooks.secret in the gitlab entry '{gitlab.name}'"
            hint = "webhooks: {secret: {env: WEBHOOK_SECRET}}; or webhook: false in a job"
            findings.error(("gitlab", index, "webhooks"), message, hint)


def _hooks_by_entry(parts: Parts) -> dict[str, int]:
    hooks: dict[str, int] = {}
    for link in _links(parts):
        name = _entry_name(parts, link)
        hooks[name] = hooks.get(name, 0) + link.hooks
    return hooks


def _entry_name(parts: Parts, link: _Link) -> str:
    """The entry that a link goes to; empty where that is not known."""
    if link.reference is not None:
        return link.reference
    return next(iter(parts.gitlab.values())).name if len(parts.gitlab) == 1 else ""


def check_hook_counts(parts: Parts, findings: Findings) -> None:
    """Every application and every project with more hooks than GitLab allows a project."""
    totals: dict[tuple[str, str], int] = {}
    for link in _links(parts):
        if link.hooks > MAX_HOOKS:
            message = (
                f"{link.hooks // HOOKS_PER_BRANCH} branches need {link.hooks} webhooks, "
                f"GitLab allows {MAX_HOOKS} in a project"
            )
            hint = f"name at most {MAX_HOOKS // HOOKS_PER_BRANCH} branches"
            findings.error((*link.path, "branches"), message, hint)
            continue
        project = (_entry_name(parts, link), link.project)
        before = totals.get(project, 0)
        totals[project] = before + link.hooks
        if before <= MAX_HOOKS < totals[project]:
            message = (
                f"with this, the project '{link.project}' gets {totals[project]} webhooks, "
                f"GitLab allows {MAX_HOOKS} in a project"
            )
            findings.error((*link.path, "project"), message, "name fewer branches, or set webhook: false in jobs")
