"""Checks of names: what Jenkins accepts, what stands there twice, which folder nobody makes."""

from __future__ import annotations

from collections.abc import Iterator

from configurator.spec.findings import Findings, Parts
from configurator.spec.models import Application, GitLab
from configurator.spec.names import (
    branch_name,
    branch_problem,
    full_name_problem,
    item_name_problem,
    parent_name,
)
from configurator.spec.nodes import Path
from configurator.spec.renamed import present_branches
from configurator.spec.suggest import nearest
from configurator.spec.urls import same_server, url_problem

_NAME_HINT = r"Jenkins refuses / * ? % .. < > | [ ] : ; @ ! # $ & ^ \ and a dot at the end"


def application_folder(application: Application) -> str:
    """Full name of the folder that an application gets."""
    return f"{application.folder}/{application.name}" if application.folder is not None else application.name


def check_names(parts: Parts, findings: Findings) -> None:
    """Every name that Jenkins would refuse, and every branch that git would."""
    for index, application in parts.applications.items():
        path: Path = ("applications", index)
        problem = item_name_problem(application.name)
        if problem:
            findings.error((*path, "name"), f"the name of an application {problem}", _hint(problem))
        _check_branches(application, path, findings)
    for spot, word, name in _full_names(parts):
        problem = full_name_problem(name)
        if problem:
            findings.error(spot, f"the name of a {word} {problem}", _hint(problem))
    for index, job in parts.jobs.items():
        branches = job.gitlab.branches if job.gitlab else []
        for number, branch in enumerate(branches):
            if not branch.strip():
                findings.error(("jobs", index, "gitlab", "branches", number), "the name of a branch is empty")


def _hint(problem: str) -> str:
    return _NAME_HINT if "holds" in problem or "dot" in problem else ""


def _full_names(parts: Parts) -> Iterator[tuple[Path, str, str]]:
    for section, word in (("folders", "folder"), ("jobs", "job"), ("views", "view")):
        for index, item in parts.sections()[section].items():
            yield (section, index, "name"), word, item.name
    for section in ("applications", "credentials"):
        for index, item in parts.sections()[section].items():
            if item.folder is not None:
                yield (section, index, "folder"), "folder", item.folder


def _check_branches(application: Application, path: Path, findings: Findings) -> None:
    first: dict[str, int] = {}
    branches = present_branches(application.branches)
    for number, branch in enumerate(branches):
        spot = (*path, "branches", number)
        problem = branch_problem(branch)
        if problem:
            shown = f"the branch '{branch}'" if branch else "the name of a branch"
            findings.error(spot, f"{shown} {problem}", "name branches one by one, patterns don't work here")
            continue
        earlier = first.setdefault(branch_name(branch), number)
        if earlier == number:
            continue
        other = branches[earlier]
        place = findings.place((*path, "branches", earlier))
        if other == branch:
            message = f"the branch '{branch}' stands here twice, first at {place}"
            findings.error(spot, message, "remove one")
        else:
            name = branch_name(branch)
            message = f"the branches '{other}' and '{branch}' both give the name {name}; the first is at {place}"
            findings.error(spot, message, "rename a branch, or put it into an application of its own")


def check_duplicates(parts: Parts, findings: Findings) -> None:
    """Every name that two things of the spec want."""
    for taken in (_connections(parts), _credentials(parts), _items(parts), _views(parts)):
        first: dict[str, tuple[Path, str]] = {}
        for name, path, what in taken:
            earlier, other = first.setdefault(name, (path, what))
            if earlier != path:
                place = findings.place(earlier)
                message = f"{what} '{name}' stands here twice, first at {place}"
                if what != other:
                    message = f"{what} '{name}' has the name of {other} at {place}"
                findings.error(path, message, _cure(path))


def _cure(path: Path) -> str:
    if path[0] == "gitlab" and "credential" in path:
        return (
            "give this entry a credential of its own, such as credential: {id: gitlab-second}; only entries with the "
            "same url, token and description share one"
        )
    return "rename or remove one"


def _connections(parts: Parts) -> Iterator[tuple[str, Path, str]]:
    for index, gitlab in parts.gitlab.items():
        yield gitlab.name, ("gitlab", index, "name"), "the gitlab entry"


def _credentials(parts: Parts) -> Iterator[tuple[str, Path, str]]:
    """Credentials by store and id; a connection that is somebody else's makes none, one that shares makes no second."""
    names: set[str] = set()
    makers: dict[str, GitLab] = {}
    for index, gitlab in parts.gitlab.items():
        if not gitlab.manage or gitlab.name in names:
            continue
        names.add(gitlab.name)
        maker = makers.setdefault(gitlab.credential.id, gitlab)
        if maker is gitlab or not shares_credential(maker, gitlab):
            yield gitlab.credential.id, ("gitlab", index, "credential", "id"), "the credential"
    for index, credential in parts.credentials.items():
        name = f"{credential.folder}/{credential.id}" if credential.folder else credential.id
        yield name, ("credentials", index, "id"), "the credential"


def shares_credential(one: GitLab, other: GitLab) -> bool:
    """Whether two entries with one credential id mean the very same credential: of one GitLab, with one token."""
    return (
        not (url_problem(one.url) or url_problem(other.url))
        and same_server(one.url) == same_server(other.url)
        and one.adopt == other.adopt
        and one.credential.description == other.credential.description
        and (one.credential.token or one.token) == (other.credential.token or other.token)
    )


def _items(parts: Parts) -> Iterator[tuple[str, Path, str]]:
    for index, application in parts.applications.items():
        yield application_folder(application), ("applications", index, "name"), "the application"
    for index, folder in parts.folders.items():
        yield folder.name, ("folders", index, "name"), "the folder"
    for index, job in parts.jobs.items():
        yield job.name, ("jobs", index, "name"), "the job"


def _views(parts: Parts) -> Iterator[tuple[str, Path, str]]:
    for index, view in parts.views.items():
        yield view.name, ("views", index, "name"), "the view"


def check_folders(parts: Parts, findings: Findings) -> None:
    """Every folder that something is to be put into and nobody makes; told once for each folder."""
    if parts.broken & {"folders", "applications"}:
        return
    made = {folder.name for folder in parts.folders.values()}
    made |= {application_folder(application) for application in parts.applications.values()}
    users: dict[str, list[Path]] = {}
    for path, folder in _folders_used(parts):
        if folder not in made and full_name_problem(folder) is None:
            users.setdefault(folder, []).append(path)
    for folder, paths in users.items():
        more = f" ({len(paths) - 1} more use it)" if len(paths) > 1 else ""
        near = nearest(folder, (name for name in made if not name.startswith(f"{folder}/")))
        cure = f"add {{name: {folder}}} to folders, with manage: false where it exists already"
        hint = f"did you mean {near}? Else {cure}" if near else cure
        findings.error(paths[0], f"the folder '{folder}' is made by nobody{more}", hint)


def _folders_used(parts: Parts) -> Iterator[tuple[Path, str]]:
    for section in ("applications", "credentials"):
        for index, item in parts.sections()[section].items():
            if item.folder is not None:
                yield (section, index, "folder"), item.folder
    for section in ("folders", "jobs", "views"):
        for index, item in parts.sections()[section].items():
            parent = parent_name(item.name)
            if parent is not None:
                yield (section, index, "name"), parent
