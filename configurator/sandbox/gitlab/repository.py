"""The little of git that hooks need: commits, branches, what a push brings."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping

from configurator.sandbox.gitlab.model import Commit, Project

ZERO_SHA = "0" * 40
_BAD_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|^[/.-]|[/.]$|^@$")


def valid_ref_name(name: str) -> bool:
    """Whether git takes ``name`` for a branch."""
    return bool(name) and _BAD_REF.search(name) is None


def make_sha(*parts: str) -> str:
    """An id that looks like git's and never comes twice."""
    seed = "\0".join((*parts, secrets.token_hex(8)))
    return hashlib.sha1(seed.encode(), usedforsecurity=False).hexdigest()


def first_commit(project: Project, now: str) -> Commit:
    """The commit a new project starts with."""
    files: dict[str, str | None] = {
        "README.md": f"# {project.name}\n",
        "Jenkinsfile": "node { echo 'built' }\n",
    }
    sha = make_sha(project.path_with_namespace)
    return Commit(sha, None, "Initial commit", "Administrator", "admin@example.com", now, files)


def file_at(project: Project, sha: str | None, path: str) -> tuple[str, str] | None:
    """The text of a file as of commit ``sha``, with the id of the commit that last touched it."""
    while sha is not None:
        commit = project.commits[sha]
        if path in commit.changes:
            text = commit.changes[path]
            return None if text is None else (text, commit.id)
        sha = commit.parent
    return None


def resolve(project: Project, ref: str) -> str | None:
    """The commit a branch, a tag or an id names."""
    for name in (ref, ref.removeprefix("refs/heads/"), ref.removeprefix("refs/tags/")):
        found = project.branches.get(name) or project.tags.get(name)
        if found:
            return found
    return ref if ref in project.commits else None


def commits_between(project: Project, before: str, after: str) -> list[Commit]:
    """The commits a push from ``before`` to ``after`` brings, oldest first; a new branch brings its head."""
    if before == ZERO_SHA:
        return [project.commits[after]]
    found: list[Commit] = []
    sha: str | None = after
    while sha is not None and sha != before:
        found.append(project.commits[sha])
        sha = project.commits[sha].parent
    return found[::-1]


def add_commit(
    project: Project,
    branch: str,
    commit_fields: Mapping[str, str],
    changes: Mapping[str, str | None],
    start: str | None = None,
) -> tuple[str, Commit]:
    """Commit on ``branch``, made from ``start`` (a commit id) where it does not exist.

    Args:
        commit_fields: ``message``, ``author_name``, ``author_email``, ``created_at``.

    Returns:
        The id the branch had before (zeros for a new one) and the new commit.
    """
    before = project.branches.get(branch)
    parent = before or start
    commit = Commit(make_sha(project.path_with_namespace, branch), parent, changes=dict(changes), **commit_fields)
    project.commits[commit.id] = commit
    project.branches[branch] = commit.id
    project.updated_at = project.last_activity_at = commit.created_at
    return before or ZERO_SHA, commit
