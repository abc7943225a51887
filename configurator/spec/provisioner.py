"""Provisioners: YAML templates that turn an application into folders, jobs and views.

A provisioner is a file ``templates/provisioners/NAME.yaml``. It is rendered with ``application``, and the result is
read as YAML with the keys ``folders``, ``jobs`` and ``views``, in the words of the spec. What differs from the spec:

- ``gitlab.events`` of a job may be empty: the job belongs to the project, and nothing starts it by itself.
- ``gitlab.gitlab``, ``git`` and ``adopt`` of a job are those of the application where they are left out.

``application`` has every key of an application in the spec but ``renamed_from`` (defaults filled in), and these are
resolved:

``branches``
    their names;
``full_name``
    of its folder, such as ``shop/payments``;
``default_branch``
    never none;
``script_path``
    always one for each job: ``build``, ``code_review``, ``create_release``;
``triggers``
    ``build`` and ``code_review``, only the options that the spec gives.

Values go into the YAML through the filter ``yaml``: then nothing in a value can break it or add to it.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field, ValidationError

from configurator.errors import Problem
from configurator.spec.items import Request
from configurator.spec.models import Application, Event, Folder, Job, JobGitLab, Model, ScriptPaths, View
from configurator.spec.nodes import Node, dotted, find, plain
from configurator.spec.renamed import former_branches, former_folder, present_branches
from configurator.spec.source import Source
from configurator.spec.suggest import suggestion
from configurator.spec.template_errors import TemplateFailedError
from configurator.spec.templating import Templates
from configurator.spec.yaml_source import parse


class ProvisionedGitLab(JobGitLab):
    """The GitLab side of a provisioner's job; without events nothing starts it by itself."""

    events: list[Event] = Field(default_factory=list, description="Events that start a build; empty: none.")


class ProvisionedJob(Job):
    """A job of a provisioner."""

    gitlab: ProvisionedGitLab | None = Field(None, description="The GitLab project, and what starts a build.")


class Provisioned(Model):
    """What a provisioner makes of one application."""

    folders: list[Folder] = Field(default_factory=list, description="Folders.")
    jobs: list[ProvisionedJob] = Field(default_factory=list, description="Jobs.")
    views: list[View] = Field(default_factory=list, description="Views.")


class ProvisioningFailedError(Exception):
    """A provisioner made nothing of an application. Never leaves ``spec``: it becomes part of an ``InputError``."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


def full_name(application: Application) -> str:
    """Full name of an application's folder."""
    return f"{application.folder}/{application.name}" if application.folder else application.name


def provision(templates: Templates, application: Application, request: Request) -> Provisioned:
    """The folders, jobs and views of an application.

    Args:
        templates: where its provisioner is found.
        application: defaults filled in.
        request: where the spec asks for it.

    Raises:
        ProvisioningFailedError: the provisioner is missing or fails, or what it makes is not valid.
    """
    name = application.provisioner
    context = {"application": _context(application)}
    try:
        text = templates.render("provisioners", name, context, request.chain, request.origin.place)
    except TemplateFailedError as error:
        raise ProvisioningFailedError([error.problem]) from None
    chain = (*request.chain, templates.link("provisioners", name))
    source = Source(f"provisioners/{name}.yaml as rendered", text)
    return _with_defaults(_read(source, chain), application)


def former_application(application: Application) -> Application | None:
    """The application under the names that it and its branches had before; None where nothing was renamed."""
    update: dict[str, Any] = {}
    if application.renamed_from is not None:
        parent, _, name = former_folder(application.renamed_from, application.folder).rpartition("/")
        update |= {"name": name, "folder": parent or None}
    branches = former_branches(application.branches)
    if branches != present_branches(application.branches):
        update["branches"] = branches
    return application.model_copy(update=update) if update else None


def _context(application: Application) -> dict[str, Any]:
    paths = application.script_path
    if isinstance(paths, str):
        paths = ScriptPaths(build=paths, code_review=paths, create_release=paths)
    branches = present_branches(application.branches)
    return {
        **application.model_dump(exclude={"renamed_from"}),
        "branches": branches,
        "full_name": full_name(application),
        "default_branch": application.default_branch or branches[0],
        "script_path": paths.model_dump(),
        "triggers": {
            "build": application.triggers.build.model_dump(exclude_none=True),
            "code_review": application.triggers.code_review.model_dump(exclude_none=True),
        },
    }


def _read(source: Source, chain: tuple[str, ...]) -> Provisioned:
    root, problems = parse(source)
    if problems:
        raise ProvisioningFailedError([_chained(problem, chain) for problem in problems])
    if root is None:
        return Provisioned()
    try:
        return Provisioned.model_validate(plain(root))
    except ValidationError as error:
        raise ProvisioningFailedError(_explain(error, root, chain)) from None


def _chained(problem: Problem, chain: tuple[str, ...]) -> Problem:
    return Problem(problem.message, problem.place, problem.hint, chain)


def _explain(error: ValidationError, root: Node, chain: tuple[str, ...]) -> list[Problem]:
    problems = []
    for fault in error.errors(include_url=False, include_input=False):
        path = tuple(fault["loc"])
        inner, key = path[:-1], str(path[-1]) if path else ""
        message, hint = f"{dotted(path) or 'a provisioner'}: {fault['msg'][:1].lower()}{fault['msg'][1:]}", ""
        if fault["type"] == "extra_forbidden":
            message, hint = f"{dotted(path)} is not a key that exists here", suggestion(key, _keys(inner))
        elif fault["type"] == "missing":
            message, path = f"{dotted(path)} is missing", inner
        node = find(root, path) or root
        problems.append(Problem(message, node.spot.place, hint, chain))
    return problems


def _keys(path: tuple[str | int, ...]) -> list[str]:
    """Keys that may stand at a place of a provisioner's result."""
    model: type[Model] = Provisioned
    for part in path:
        if isinstance(part, str):
            model = _model_in(model.model_fields[part].annotation)
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[Model]:
    """The model in an annotation such as ``Git``, ``list[View]`` or ``ProvisionedGitLab | None``."""
    candidates = (annotation, *getattr(annotation, "__args__", ()))
    return next(one for one in candidates if isinstance(one, type) and issubclass(one, Model))


def _with_defaults(made: Provisioned, application: Application) -> Provisioned:
    folders = [folder.model_copy(update=_adopt(folder, application)) for folder in made.folders]
    views = [view.model_copy(update=_adopt(view, application)) for view in made.views]
    jobs = []
    for job in made.jobs:
        update: dict[str, Any] = _adopt(job, application)
        if "git" not in job.model_fields_set:
            update["git"] = application.git
        if job.gitlab is not None and job.gitlab.gitlab is None:
            update["gitlab"] = job.gitlab.model_copy(update={"gitlab": application.gitlab})
        jobs.append(job.model_copy(update=update))
    return Provisioned(folders=folders, jobs=jobs, views=views)


def _adopt(item: Folder | Job | View, application: Application) -> dict[str, Any]:
    return {} if "adopt" in item.model_fields_set else {"adopt": application.adopt}
