"""How a token's user stands to the projects of a spec: from listings, not from a request for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from configurator.clients.gitlab import GitLabClient
from configurator.clients.gitlab.projects import project_path
from configurator.errors import MovedError, NotFoundError, PermissionMissingError, ServerError
from configurator.tokens.checking.evidence import TokenEvidence
from configurator.tokens.checking.judge_access import Standing, Standings

REPORTER = 20
MAINTAINER = 40
LOOKS = 10
"""Projects that are asked for one by one at most, where a listing lacks them."""


def look_at_projects(client: GitLabClient, paths: Iterable[str], facts: TokenEvidence) -> Standings:
    """Find the role of the token's user in each of ``paths``. Never raises for what GitLab says.

    One paged listing by the role that it takes, and one by Reporter where projects are missing from it. Up to ten of
    those are asked for: that finds moved ones, custom roles, and administrators, whom no listing shows (contract,
    behaviour 14). Of a fine-grained token the first ten are asked for in any case: a listing tells nothing about its
    rights on webhooks.

    Args:
        client: the GitLab.
        paths: as the spec writes them; the case of letters makes no difference.
        facts: what is known of the token.
    """
    wanted = sorted(set(paths))
    if not wanted:
        return Standings()
    try:
        return _Search(client, wanted, facts).result()
    except ServerError as error:
        return Standings(problem=error)


class _Search:
    def __init__(self, client: GitLabClient, wanted: list[str], facts: TokenEvidence) -> None:
        self._client = client
        self._facts = facts
        self._wanted = wanted
        self._level = facts.need.role
        self._listed: dict[int, str] = {}
        self._moved: dict[str, str] = {}
        self._lacks = ""
        self._owner_path = ""

    def result(self) -> Standings:
        try:
            able = self._at_least(self._level, set(self._wanted))
        except PermissionMissingError:
            if not self._doubtful:
                raise
            return self._by_looks()
        missing = {path for path in self._wanted if path.lower() not in able}
        readers = self._at_least(REPORTER, missing) if missing and self._level > REPORTER else set()
        found = {
            path: Standing.ENOUGH
            if path not in missing
            else (Standing.READER if path.lower() in readers else Standing.HIDDEN)
            for path in self._wanted
        }
        asked = self._wanted if self._doubtful else sorted(missing)
        for path in asked[:LOOKS]:
            found[path] = self._look(path, found[path])
        return Standings(found, self._moved, self._lacks, owner_path=self._owner_path)

    def _by_looks(self) -> Standings:
        """Without the right to list, what is asked for one by one is all that can be known."""
        looked = {path: self._look(path, Standing.HIDDEN) for path in self._wanted[:LOOKS]}
        found = {path: looked.get(path, Standing.UNKNOWN) for path in self._wanted}
        return Standings(found, self._moved, self._lacks)

    @property
    def _doubtful(self) -> bool:
        """Whether a listing says nothing about what the token may do."""
        return self._level >= MAINTAINER and (self._facts.granular or self._facts.refused is not None)

    def _at_least(self, level: int, wanted: set[str]) -> set[str]:
        """Paths in lower case where the user has that role; no page more is read than it takes."""
        left = {path.lower() for path in wanted}
        found = set()
        for item in self._listing(level):
            path = str(item["path_with_namespace"])
            self._listed[int(item["id"])] = path
            self._note_owner(item, path)
            if path.lower() in left:
                left.discard(path.lower())
                found.add(path.lower())
            if not left:
                break
        return found

    def _listing(self, level: int) -> Iterator[Mapping[str, Any]]:
        return self._client.all_projects(min_access_level=level)

    def _note_owner(self, item: Mapping[str, Any], path: str) -> None:
        owner, namespace = self._facts.owner, item.get("namespace") or {}
        if owner is None or self._owner_path:
            return
        if owner.kind == "project" and int(item["id"]) == owner.id:
            self._owner_path = path
        elif owner.kind == "group" and namespace.get("id") == owner.id:
            self._owner_path = str(namespace.get("full_path") or "")

    def _look(self, path: str, listed: Standing) -> Standing:
        """Ask for one project: for its hooks, where hooks are what matters."""
        suffix = "/hooks" if self._level >= MAINTAINER else ""
        try:
            self._client.api.http_request(
                "get", f"{project_path(path)}{suffix}", query_data={"per_page": 1}, obey_rate_limit=False
            )
        except MovedError as error:
            return self._note_move(path, error)
        except PermissionMissingError as error:
            if error.permission.startswith("fine-grained") or error.permission.startswith("a fine-grained"):
                self._lacks = error.permission.removeprefix("a ")
                return Standing.UNGRANTED
            return Standing.READER if listed is not Standing.HIDDEN else Standing.STRANGER
        except NotFoundError:
            return Standing.HIDDEN if listed is Standing.HIDDEN or self._doubtful else listed
        except ServerError:
            return Standing.UNKNOWN
        if suffix:
            return Standing.ENOUGH
        return listed if listed is not Standing.HIDDEN else Standing.STRANGER

    def _note_move(self, path: str, error: MovedError) -> Standing:
        there = self._listed.get(error.project_id or 0, "")
        if not there and error.project_id is not None:
            try:
                there = str(self._client.project(error.project_id)["path_with_namespace"])
            except ServerError:
                there = ""
        self._moved[path] = there
        return Standing.MOVED
