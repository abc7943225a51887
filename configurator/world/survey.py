"""What is in GitLab: the projects of the spec, their ids, their hooks. Read in bulk once for all kinds.

Hooks are listed by the project's encoded path, which tells the id wherever a project has a hook; ids of the others
come from one paged listing, or one look-up each where that takes fewer requests. P projects cost P requests and
a few pages, never P look-ups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from configurator.clients.gitlab import GitLabClient
from configurator.errors import (
    MovedError,
    NotFoundError,
    PermissionMissingError,
    ServerError,
    UnauthorisedError,
    in_words,
)
from configurator.tokens.checking.evidence import TokenEvidence
from configurator.tokens.checking.gitlab_pages import Pages
from configurator.tokens.checking.judge import judge_expiry, judge_scopes
from configurator.tokens.checks import Verdict

MAINTAINER = 40
_MARKS_SINCE = (17, 1)


@dataclass(frozen=True, slots=True)
class ProjectFound:
    """A project of the spec, or one that a mark on a job names.

    Attributes:
        path: as the spec names it; the id as text for one known by id alone.
        id: numeric id; None where it can't be had.
        hooks: its hooks as GitLab shows them; None where they can't be seen.
        problem: why something is missing, for people, or empty.
        failed: the server failed, rather than said no.
        gone: GitLab answered 404: absent, or invisible to the token.
        refused: GitLab does not accept the token, so that every further request would end the same.
    """

    path: str
    id: int | None = None
    hooks: tuple[Mapping[str, Any], ...] | None = None
    problem: str = ""
    failed: bool = False
    gone: bool = False
    refused: bool = False


@dataclass(frozen=True)
class Survey:
    """What one GitLab shows to our token.

    Attributes:
        by_path: projects of the spec.
        by_id: every project that could be found, the spec's and those that marks name.
        describes_hooks: hooks have a description that can carry the mark (from 17.1 on).
        identity: the token in words, such as ``token 'ci', scope api, expires 2027-01-01``; empty = unknown.
        refused: why GitLab can't be used at all (unreachable, token refused), or empty.
        warnings: for people.
    """

    by_path: Mapping[str, ProjectFound] = field(default_factory=dict)
    by_id: Mapping[int, ProjectFound] = field(default_factory=dict)
    describes_hooks: bool = True
    identity: str = ""
    refused: str = ""
    warnings: tuple[str, ...] = ()


def take_survey(client: GitLabClient, paths: Iterable[str], ids: Iterable[int], pool: Executor) -> Survey:
    """Look at the projects named by ``paths`` and, beside them, by ``ids`` (from marks on jobs).

    Never raises for what GitLab says: what can't be seen is in the projects' ``problem``.
    """
    wanted = sorted(set(paths))
    try:
        token = read_token(client)
        version = client.version()
    except ServerError as error:
        lost = {path: ProjectFound(path, problem=in_words(error), failed=True) for path in wanted}
        return Survey(by_path=lost, refused=in_words(error))
    warnings = token_warnings(client, token)
    found = dict(zip(wanted, pool.map(lambda path: look(client, path, path), wanted), strict=True))
    _identify(client, found, pool)
    warnings += [f"{client.label}: {one.problem}" for one in found.values() if one.problem and one.hooks is not None]
    known = {one.id: one for one in found.values() if one.id is not None}
    others = sorted(set(ids) - set(known))
    for one in pool.map(lambda project_id: look_marked(client, project_id), others):
        known[one.id or 0] = one
        warnings += [f"{client.label}: {one.problem}"] if one.problem and one.hooks is not None else []
    return Survey(
        by_path=found,
        by_id=known,
        describes_hooks=describes_hooks(version, known.values()),
        identity=_identity(token),
        warnings=tuple(warnings),
    )


def read_token(client: GitLabClient) -> Mapping[str, Any] | None:
    """The token's own record; None where it can't be had. Raises ServerError when GitLab refuses the token."""
    try:
        return client.token_info()
    except PermissionMissingError:  # a fine-grained token that may not look at itself (behaviour.md, 17)
        return None


def look(client: GitLabClient, project: str | int, path: str) -> ProjectFound:
    """One project's hooks, and its id where a hook tells it. Never raises for what GitLab says.

    Args:
        client: the GitLab.
        project: by what it is asked for: path or numeric id.
        path: what it is called in messages.
    """
    try:
        hooks = tuple(client.hooks(project))
    except MovedError as error:
        return _look_moved(client, path, error)
    except PermissionMissingError as error:
        return ProjectFound(path, problem=f"needs {error.permission}: {error.reason}")
    except NotFoundError:
        return ProjectFound(path, problem=_invisible(client, path), gone=True)
    except ServerError as error:
        refused = isinstance(error, UnauthorisedError)
        return ProjectFound(path, problem=in_words(error), failed=True, refused=refused)
    return ProjectFound(path, id=int(hooks[0]["project_id"]) if hooks else None, hooks=hooks)


def look_marked(client: GitLabClient, project_id: int) -> ProjectFound:
    """A project that only a mark on a job names. Deleted, it took its hooks along; hidden, they can't be had."""
    found = replace(look(client, project_id, str(project_id)), id=project_id)
    if found.hooks is None and found.gone:
        text = (
            f"there is no project {project_id} (deleted, or hidden from the token), so none of its webhooks is removed"
        )
        return replace(found, hooks=(), problem=text)
    return replace(found, path=_path_of(client, project_id)) if found.hooks else found


def _path_of(client: GitLabClient, project_id: int) -> str:
    """The path that a plan shows; the id where it can't be had."""
    try:
        return str(client.project(project_id)["path_with_namespace"])
    except ServerError:
        return str(project_id)


def _look_moved(client: GitLabClient, path: str, error: MovedError) -> ProjectFound:
    if error.project_id is None:
        return ProjectFound(path, problem=f"project {path} has moved; put its new path into the spec")
    try:
        there = str(client.project(error.project_id)["path_with_namespace"])
        hooks = tuple(client.hooks(error.project_id))
    except ServerError as failure:
        failed = not isinstance(failure, (NotFoundError, PermissionMissingError))
        return ProjectFound(path, id=error.project_id, problem=in_words(failure), failed=failed)
    moved = f"project {path} has moved to {there}: put the new path into the spec"
    return ProjectFound(path, id=error.project_id, hooks=hooks, problem=moved)


def _identify(client: GitLabClient, found: dict[str, ProjectFound], pool: Executor) -> None:
    """Find the ids that no hook told: from the paged listing, or one by one where that takes fewer requests."""
    missing: dict[str, list[str]] = {}  # by the path in lower case: the spec may spell one project in two ways
    for path, one in found.items():
        if one.id is None and not one.failed:
            missing.setdefault(path.lower(), []).append(path)
    if not missing:
        return
    # What answered 404 by its path would do so again: only the listing can show it.
    lost = any(found[path].gone for paths in missing.values() for path in paths)
    try:
        page = client.list_projects(min_access_level=MAINTAINER)
        take = _taker(client, found, missing)
        take(page.items)
        rest = range(2, (page.total_pages or 1) + 1)
        if missing and (lost or len(rest) <= len(missing)):
            for listed in pool.map(lambda n: client.list_projects(min_access_level=MAINTAINER, page=n), rest):
                take(listed.items)
    except ServerError as error:
        for path in (path for paths in missing.values() for path in paths):
            found[path] = replace(found[path], problem=found[path].problem or in_words(error), failed=True)
        return
    left = [path for paths in missing.values() for path in paths if not found[path].gone]
    for path, one in zip(left, pool.map(lambda path: _look_up(client, found[path]), left), strict=True):
        found[path] = one


def _taker(
    client: GitLabClient, found: dict[str, ProjectFound], missing: dict[str, list[str]]
) -> Callable[[Iterable[Mapping[str, Any]]], None]:
    def take(items: Iterable[Mapping[str, Any]]) -> None:
        for item in items:
            for path in missing.pop(str(item["path_with_namespace"]).lower(), ()):
                if found[path].gone:
                    # Listed, yet 404 by its path: a proxy decodes %2F. Ids always work (behaviour.md, 13).
                    found[path] = look(client, int(item["id"]), path)
                found[path] = replace(found[path], id=int(item["id"]))

    return take


def _look_up(client: GitLabClient, one: ProjectFound) -> ProjectFound:
    try:
        return replace(one, id=int(client.project(one.path)["id"]))
    except (NotFoundError, PermissionMissingError):
        return replace(one, problem=one.problem or _invisible(client, one.path))
    except ServerError as error:
        return replace(one, problem=one.problem or in_words(error), failed=True)


def _invisible(client: GitLabClient, path: str) -> str:
    cure = "check the path, or make the token's user Maintainer of it"
    return f"{client.label}: the token sees no project {path} (404): {cure}"


def describes_hooks(version: str | None, projects: Iterable[ProjectFound]) -> bool:
    """Whether hooks carry a description: seen on any hook, else by the version (behaviour.md, 21)."""
    for project in projects:
        for hook in project.hooks or ():
            return "description" in hook
    return release_of(version) >= _MARKS_SINCE


def release_of(version: str | None) -> tuple[int, ...]:
    """Major and minor number of a GitLab version; what is unknown counts as the newest."""
    return tuple(int(part) for part in (version or "99.0").split("-")[0].split(".")[:2] if part.isdigit())


def _identity(token: Mapping[str, Any] | None) -> str:
    if token is None:
        return ""
    until = token.get("expires_at") or "never"
    return f"token {token.get('name', '')!r}, scope {' '.join(token.get('scopes') or ())}, expires {until}"


def token_warnings(client: GitLabClient, token: Mapping[str, Any] | None) -> list[str]:
    """What a person should know about the token: a scope that is missing, an early end. `token check` tells more."""
    if token is None:
        return []
    evidence = TokenEvidence(client.label, Pages(client.url), datetime.now(UTC).date(), record=token)
    scopes, expiry = judge_scopes(evidence), judge_expiry(evidence)
    warnings = [f"the token lacks the scope api: {scopes.evidence}; {scopes.cure}"] * (scopes.verdict is Verdict.FAIL)
    warnings += [f"the token {expiry.evidence}; {expiry.cure}"] * (expiry.verdict is not Verdict.OK)
    return [f"{client.label}: {words}" for words in warnings]
