"""Checks of what jobs clone with: ``git.credential`` against the credentials of the spec.

A credential that the spec does not make may exist all the same, so none of this is an error.
"""

from __future__ import annotations

from collections.abc import Iterator

from configurator.spec.check_items import application_folder
from configurator.spec.findings import Findings, Parts
from configurator.spec.models import Credential, Git, SshKeyCredential, UsernamePasswordCredential
from configurator.spec.names import parent_name
from configurator.spec.nodes import Path
from configurator.spec.suggest import nearest


def check_git_credentials(parts: Parts, findings: Findings) -> None:
    """Every credential to clone with that the job can't see, that is of no use for it, or that is likely mistyped."""
    if parts.broken & {"credentials", "gitlab"}:
        return
    for path, git, folder in _uses(parts):
        if git.credential is not None:
            message = _fault(git.credential, git, folder, parts)
            if message:
                findings.warn((*path, "credential"), message)


def _uses(parts: Parts) -> Iterator[tuple[Path, Git, str | None]]:
    """Where something is cloned, how, and in which folder the jobs are."""
    for index, application in parts.applications.items():
        yield ("applications", index, "git"), application.git, application_folder(application)
    for index, job in parts.jobs.items():
        yield ("jobs", index, "git"), job.git, parent_name(job.name)


def _fault(id: str, git: Git, folder: str | None, parts: Parts) -> str:
    same = [one for one in parts.credentials.values() if one.id == id]
    visible = [one for one in same if _sees(folder, one.folder)]
    tokens = {entry.credential.id for entry in parts.gitlab.values()}
    if visible:
        meant = max(visible, key=lambda one: len(one.folder or ""))  # the nearest store counts
        return _unfit(meant, git)
    if id in tokens:
        return f"the credential '{id}' is a GitLab API token, which git can't use: {_fitting(git)} clones"
    if same:
        folders = " and ".join(sorted(str(one.folder) for one in same))
        where = f"of the folder {folder}" if folder else "at the root"
        return f"jobs {where} can't see the credential '{id}': it is in the store of the folder {folders}"
    near = nearest(id, {one.id for one in parts.credentials.values() if _sees(folder, one.folder)})
    return f"the spec makes no credential '{id}'; did you mean {near}?" if near else ""


def _sees(job_folder: str | None, store_folder: str | None) -> bool:
    """Whether a job sees a store: the system's, and those of all folders that the job is in."""
    return store_folder is None or f"{job_folder}/".startswith(f"{store_folder}/")


def _unfit(credential: Credential, git: Git) -> str:
    ssh, fit = _by_ssh(git), _fitting(git)
    if isinstance(credential, SshKeyCredential if ssh else UsernamePasswordCredential):
        return ""
    if not isinstance(credential, SshKeyCredential | UsernamePasswordCredential):
        return f"the credential '{credential.id}' is of the kind {credential.kind}, which git can't use: {fit} clones"
    return (
        f"the credential '{credential.id}' is of the kind {credential.kind}, which does not fit a clone address by "
        f"{'ssh' if ssh else 'http'}: {fit} does"
    )


def _by_ssh(git: Git) -> bool:
    if git.clone_url is not None:
        return not git.clone_url.startswith(("http://", "https://"))
    return git.url == "ssh"


def _fitting(git: Git) -> str:
    return "ssh-key" if _by_ssh(git) else "username-password"
