"""One job or view of a spec turned into its item: what a template is given, and what must be true of its result.

Names that a template in ``templates/jobs`` can use, beside the ``variables`` of its job:

``job``
    ``name`` (short), ``full_name``, ``folder`` (empty at the root), ``description``, ``disabled`` (true, false, none).
``git``
    ``url`` (empty where it is not known), ``credential`` (or none), ``branches``: what to check out, as Jenkins
    writes branch specifiers.
``gitlab``
    None without a GitLab project; else ``connection``, ``project``, ``url`` of the project, ``events``, ``branches``.
``trigger``
    None where nothing shall start the job; else every option of the GitLab trigger under the plugin's names.
``webhook_token``
    Stands where the webhook's token belongs, in an element ``secretToken`` and nowhere else.

A template in ``templates/views`` can use ``view``: ``name``, ``full_name``, ``folder``, ``description``, ``regex``,
``recurse``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from configurator.errors import Problem
from configurator.model import Origin
from configurator.spec.expanded import WEBHOOK_TOKEN, Hook, JobItem, ViewItem
from configurator.spec.models import Git, GitLab, Job, JobGitLab, View
from configurator.spec.rendered import MULTIBRANCH, RenderedError, read_job, read_view
from configurator.spec.suggest import nearest, suggestion
from configurator.spec.template_errors import TemplateFailedError
from configurator.spec.templating import Templates
from configurator.spec.trigger import (
    Value,
    hook_branch_filter,
    hook_events,
    resolve_trigger,
    trigger_warnings,
)
from configurator.spec.urls import root_url

_JOB_NAMES = frozenset({"job", "git", "gitlab", "trigger", "webhook_token"})
_VIEW_NAMES = frozenset({"view"})
_NOT_VARIABLES = _JOB_NAMES | _VIEW_NAMES | {"fail"}
SOURCE_BRANCH = "origin/${gitlabSourceBranch}"


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks for an item.

    Attributes:
        origin: where the spec asks for it.
        chain: the same in words, outermost first.
        quiet: variables that nobody needs to use, because they were given to many templates at once.
    """

    origin: Origin
    chain: tuple[str, ...]
    quiet: frozenset[str] = frozenset()


def split_name(full_name: str) -> tuple[str, str]:
    """``("shop/payments", "Build")`` of ``shop/payments/Build``; the folder is empty at the root."""
    folder, _, name = full_name.rpartition("/")
    return folder, name


def clone_url(gitlab: GitLab | None, project: str, git: Git) -> str:
    """The address that Jenkins clones from; empty where there is no project and none is given.

    Over SSH the host is that of the GitLab URL; its port and relative path belong to HTTP and do not carry over.
    Where SSH listens on another host or port, ``git.clone_url`` says so.
    """
    if git.clone_url:
        return git.clone_url
    if gitlab is None:
        return ""
    if git.url == "ssh":
        return f"git@{urlsplit(gitlab.url).hostname}:{project}.git"
    return f"{root_url(gitlab.url)}/{project}.git"


def branch_specifiers(gitlab: JobGitLab | None) -> list[str]:
    """What a job checks out when its template is not told otherwise.

    A job for merge requests takes their source branch, as the plugin names it: so a change of title, which pushes
    no commit, does not build the target branch. Others take their own branches, or ``main``.
    """
    if gitlab is not None and "merge_request" in gitlab.events:
        return [SOURCE_BRANCH]
    return [f"refs/heads/{branch}" for branch in (gitlab.branches if gitlab else [])] or ["refs/heads/main"]


class ItemBuilder:
    """Turns jobs and views into items, and remembers everything that was wrong with them.

    Attributes:
        problems: what makes the spec unusable.
        warnings: what is only worth a sentence.
    """

    def __init__(self, templates: Templates, gitlabs: Sequence[GitLab]) -> None:
        self._templates = templates
        self._gitlabs = {gitlab.name: gitlab for gitlab in gitlabs}
        self.problems: list[Problem] = []
        self.warnings: list[str] = []

    def gitlab(self, name: str | None, request: Request) -> GitLab | None:
        """The ``gitlab`` entry of that name, or the only one; a problem and None where there is no telling."""
        names = list(self._gitlabs)
        if name is None and len(names) == 1:
            return self._gitlabs[names[0]]
        if name in self._gitlabs:
            return self._gitlabs[name]
        if not names:
            message, hint = "the spec has no gitlab entry for this project", "add one under gitlab"
        elif name is None:
            message = "there are several gitlab entries, and gitlab does not say which"
            hint = f"known are: {', '.join(names)}"
        else:
            message, hint = f"there is no gitlab entry '{name}'", suggestion(name, names)
        self._problem(message, hint, request)
        return None

    def job(self, job: Job, request: Request) -> JobItem | None:
        """The item of a job, or None and at least one problem."""
        gitlab = None
        if job.gitlab is not None:
            gitlab = self.gitlab(job.gitlab.gitlab, request)
            if gitlab is None:
                return None
        trigger = self._trigger(job, request)
        context = self._job_context(job, gitlab, trigger)
        text = self._render("jobs", job.template, job.variables, context, _JOB_NAMES, request)
        if text is None:
            return None
        try:
            rendered = read_job(text, WEBHOOK_TOKEN, wants_token=trigger is not None)
            if rendered.root == MULTIBRANCH:
                _refuse_events(job)
                trigger = None
        except RenderedError as error:
            self._template_problem("jobs", job.template, error, request)
            return None
        project = (gitlab.name, job.gitlab.project) if gitlab and job.gitlab and trigger else None
        return JobItem(
            name=job.name,
            xml=rendered.xml,
            hook=self._hook(job, gitlab, trigger, request),
            trigger_project=project,
            build_on_create=job.build_on_create,
            adopt=job.adopt,
            disabled=job.disabled,
            origin=request.origin,
            template=job.template,
            former=job.renamed_from,
        )

    def view(self, view: View, request: Request) -> ViewItem | None:
        """The item of a view, or None and at least one problem."""
        folder, name = split_name(view.name)
        values = view.model_dump(include={"description", "regex", "recurse"})
        context = {"view": {"name": name, "full_name": view.name, "folder": folder, **values}}
        text = self._render("views", view.template, view.variables, context, _VIEW_NAMES, request)
        if text is None:
            return None
        try:
            xml = read_view(text).xml
        except RenderedError as error:
            self._template_problem("views", view.template, error, request)
            return None
        return ViewItem(name=view.name, xml=xml, adopt=view.adopt, origin=request.origin)

    def _trigger(self, job: Job, request: Request) -> dict[str, Value] | None:
        if job.gitlab is None or not job.gitlab.events:
            return None
        trigger = resolve_trigger(job.gitlab.events, job.gitlab.branches, job.gitlab.trigger)
        for branch in job.gitlab.branches:
            if "," in branch and trigger["branchFilterType"] == "NameBasedFilter":
                hint = "set gitlab.trigger: branchFilterType: RegexBasedFilter, and targetBranchRegex"
                message = f"the GitLab trigger can't filter by the branch {branch}: it separates names by commas"
                self._problem(message, hint, request)
        self.warnings += [f"job {job.name}: {warning}" for warning in trigger_warnings(trigger)]
        return trigger

    def _hook(self, job: Job, gitlab: GitLab | None, trigger: dict[str, Value] | None, request: Request) -> Hook | None:
        if job.gitlab is None or gitlab is None or trigger is None or not job.gitlab.webhook:
            return None
        flags = hook_events(trigger, job.gitlab.events)
        if not flags:
            hint = "leave one of them on, or set gitlab.webhook to false"
            self._problem("gitlab.trigger turns off everything that gitlab.events asks for", hint, request)
            return None
        return Hook(
            gitlab=gitlab.name,
            project=job.gitlab.project,
            events=flags,
            branch_filter=hook_branch_filter(trigger, flags),
            ssl_verification=gitlab.webhooks.ssl_verification,
        )

    @staticmethod
    def _job_context(job: Job, gitlab: GitLab | None, trigger: dict[str, Value] | None) -> dict[str, Any]:
        folder, name = split_name(job.name)
        project = job.gitlab.project if job.gitlab else ""
        about_gitlab = None
        if gitlab is not None and job.gitlab is not None:
            about_gitlab = {
                "connection": gitlab.name,
                "project": project,
                "url": f"{root_url(gitlab.url)}/{project}",
                "events": list(job.gitlab.events),
                "branches": list(job.gitlab.branches),
            }
        return {
            "job": {
                "name": name,
                "full_name": job.name,
                "folder": folder,
                "description": job.description,
                "disabled": job.disabled,
            },
            "git": {
                "url": clone_url(gitlab, project, job.git),
                "credential": job.git.credential,
                "branches": branch_specifiers(job.gitlab),
            },
            "gitlab": about_gitlab,
            "trigger": trigger,
            "webhook_token": WEBHOOK_TOKEN,
        }

    def _render(
        self,
        kind: str,
        template: str,
        variables: Mapping[str, Any],
        context: Mapping[str, Any],
        reserved: frozenset[str],
        request: Request,
    ) -> str | None:
        taken = sorted(reserved & variables.keys())
        if taken:
            hint = f"these names are set by configurator: {', '.join(sorted(reserved))}"
            self._problem(f"variables must not be called {' or '.join(taken)}", hint, request)
            return None
        names = {**variables, **context}
        try:
            text = self._templates.render(kind, template, names, request.chain, request.origin.place)
        except TemplateFailedError as error:
            self.problems.append(error.problem)
            return None
        used = self._templates.variables(kind, template)
        unused = variables.keys() - request.quiet
        self._warn(unused, used, f"{request.chain[-1]}: template {template} does not use the variable")
        return text

    def warn_unused(self, templates: Iterable[str], variables: Iterable[str], who: str) -> None:
        """Warns of variables that none of the job templates uses, given once for all of them."""
        if self.problems:
            return  # a template that does not even compile can't be asked
        used: set[str] = set()
        for template in templates:
            names = self._templates.variables("jobs", template)
            if names is None:
                return
            used |= names
        self._warn(variables, used, f"{who}: no template of this application uses the variable")

    def _warn(self, variables: Iterable[str], used: AbstractSet[str] | None, words: str) -> None:
        if used is None:
            return
        for name in sorted(set(variables) - used):
            near = nearest(name, used - _NOT_VARIABLES)
            self.warnings.append(f"{words} {name}{f' (did you mean {near}?)' if near else ''}")

    def _problem(self, message: str, hint: str, request: Request) -> None:
        self.problems.append(Problem(message, request.origin.place, hint, request.chain))

    def _template_problem(self, kind: str, template: str, error: RenderedError, request: Request) -> None:
        link = self._templates.link(kind, template)
        self.problems.append(Problem(error.message, request.origin.place, error.hint, (*request.chain, link)))


def _refuse_events(job: Job) -> None:
    """On a multibranch job the plugin ignores the token (contract, fact 22), so events would be a false promise.

    Raises:
        RenderedError: the spec sets some.
    """
    asked = job.gitlab.model_fields_set & {"events", "trigger", "webhook"} if job.gitlab else set()
    if asked:
        names = " and ".join(f"gitlab.{name}" for name in sorted(asked))
        message = f"{names} can't be set on a multibranch job: the GitLab plugin ignores its token"
        raise RenderedError(message, f"remove {names}; the job looks for changes by itself, every scan_minutes")
