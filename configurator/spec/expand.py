"""A spec turned into everything it asks for: applications into folders, jobs and views, templates into XML."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from pathlib import Path

from configurator.errors import InputError, Problem
from configurator.model import Origin
from configurator.spec.expanded import Expanded, FolderItem, JobItem, ViewItem
from configurator.spec.expanded_checks import check_expanded
from configurator.spec.items import ItemBuilder, Request
from configurator.spec.loader import LoadedSpec
from configurator.spec.models import Application, Folder, Job, View
from configurator.spec.provisioner import Provisioned, ProvisioningFailedError, former_application, provision
from configurator.spec.templating import Templates


def expand(loaded: LoadedSpec) -> Expanded:
    """Everything that a spec asks for, in an order that depends on nothing but the spec.

    Args:
        loaded: the spec with its places.

    Returns:
        Folders, jobs and views, with every template rendered. The same spec gives the same bytes.

    Raises:
        InputError: with every problem of every application, job and view, and of what they make together.
    """
    return _Expander(loaded).run()


class _Expander:
    """Collects items and problems while it goes through a spec."""

    def __init__(self, loaded: LoadedSpec) -> None:
        self._loaded = loaded
        self._spec = loaded.spec
        self._problems: list[Problem] = []
        self._templates = Templates(self._template_folders())
        self._builder = ItemBuilder(self._templates, self._spec.gitlab)
        self._folders: list[FolderItem] = []
        self._jobs: list[JobItem] = []
        self._views: list[ViewItem] = []

    def run(self) -> Expanded:
        for index, application in enumerate(self._spec.applications):
            self._application(index, application)
        spec = self._spec
        for index, folder in enumerate(spec.folders):
            self._add_folders([folder], self._request("folder", folder.name, "folders", index).origin)
        for index, job in enumerate(spec.jobs):
            self._add_jobs([job], self._request("job", job.name, "jobs", index))
        for index, view in enumerate(spec.views):
            self._add_views([view], self._request("view", view.name, "views", index))
        expanded = Expanded(
            spec=spec,
            folders=tuple(sorted(self._folders, key=attrgetter("name"))),
            jobs=tuple(sorted(self._jobs, key=attrgetter("name"))),
            views=tuple(sorted(self._views, key=attrgetter("name"))),
            warnings=(*self._loaded.warnings, *dict.fromkeys(self._builder.warnings)),
            place=self._loaded.place,
        )
        problems = [*self._problems, *self._builder.problems]
        # What failed to expand is not there to be checked: only then would a folder seem to be missing.
        problems += check_expanded(expanded, complete=not problems)
        if problems:
            raise InputError(problems)
        return expanded

    def _template_folders(self) -> list[Path]:
        folders = []
        for index, name in enumerate(self._spec.templates):
            folder = self._loaded.base / _at_home(name)
            if folder.is_dir():
                folders.append(folder)
            else:
                place = self._loaded.place("templates", index)
                hint = "paths are relative to the folder of the spec"
                self._problems.append(Problem(f"there is no folder {folder} for templates", place, hint))
        return folders

    def _request(self, kind: str, name: str, *path: str | int) -> Request:
        place = self._loaded.place(*path)
        words = f"{kind} {name} ({place})" if place else f"{kind} {name}"
        return Request(Origin(place, name if kind == "application" else None), (words,))

    def _application(self, index: int, application: Application) -> None:
        request = self._request("application", application.name, "applications", index)
        try:
            made = self._with_former_names(provision(self._templates, application, request), application, request)
        except ProvisioningFailedError as error:
            self._problems += error.problems
            return
        self._add_folders(made.folders, request.origin)
        variables = frozenset(application.variables)
        for job in made.jobs:
            self._add_jobs([job], Request(request.origin, (*request.chain, f"job {job.name}"), variables))
        for view in made.views:
            self._add_views([view], Request(request.origin, (*request.chain, f"view {view.name}"), variables))
        if self._templates.is_builtin(f"provisioners/{application.provisioner}.yaml"):
            # What another provisioner does with its variables, nobody knows.
            self._builder.warn_unused({job.template for job in made.jobs}, variables, request.chain[0])

    def _with_former_names(self, made: Provisioned, application: Application, request: Request) -> Provisioned:
        """The same jobs, each with the name that the provisioner gave it before the application was renamed.

        Nothing is asked of a provisioner that says itself what those of its jobs that events start were called.

        Raises:
            ProvisioningFailedError: the provisioner fails with the former names, or makes other jobs of them.
        """
        before = former_application(application)
        untold = [job for job in made.jobs if job.gitlab and job.gitlab.events and not job.renamed_from]
        if before is None or not untold:
            return made
        request = Request(request.origin, (*request.chain, "under its former names"))
        former = provision(self._templates, before, request).jobs
        if len(former) != len(made.jobs):
            message = f"the provisioner makes {len(former)} jobs of the former names and {len(made.jobs)} of the new"
            hint = (
                "have it give its jobs renamed_from one by one, or remove renamed_from and have the webhooks made anew"
            )
            raise ProvisioningFailedError([Problem(message, request.origin.place, hint, request.chain)])
        pairs = zip(made.jobs, former, strict=True)
        jobs = [
            job.model_copy(update={"renamed_from": job.renamed_from or (old.name if old.name != job.name else None)})
            for job, old in pairs
        ]
        return made.model_copy(update={"jobs": jobs})

    def _add_folders(self, folders: Iterable[Folder], origin: Origin) -> None:
        self._folders += [
            FolderItem(folder.name, folder.description, folder.manage, folder.adopt, origin) for folder in folders
        ]

    def _add_jobs(self, jobs: Iterable[Job], request: Request) -> None:
        self._jobs += [item for job in jobs if (item := self._builder.job(job, request))]

    def _add_views(self, views: Iterable[View], request: Request) -> None:
        self._views += [item for view in views if (item := self._builder.view(view, request))]


def _at_home(name: str) -> Path:
    """The path with ``~`` filled in; as it is where there is no such user."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        return Path(name)
