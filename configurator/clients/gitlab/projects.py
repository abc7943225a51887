"""Projects, one or all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from gitlab.utils import EncodedId

from configurator.clients.gitlab.calls import PER_PAGE, Calls, list_in, next_link
from configurator.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class ProjectPage:
    """One page of a listing of projects.

    Attributes:
        items: the projects, in GitLab's simple form.
        total_pages: how many pages there are; None where GitLab does not tell (above 10,000 records).
        next_page: number of the next page, None on the last.
    """

    items: list[dict[str, Any]]
    total_pages: int | None
    next_page: int | None


class Projects:
    """Reading projects."""

    _calls: Calls

    def project(self, id_or_path: int | str) -> dict[str, Any]:
        """A project by numeric id or full path.

        Raises:
            NotFoundError: absent, or invisible to the token's user.
            MovedError: it has another path now; holds its id.
        """
        return self._calls.object("get", project_path(id_or_path))

    def list_projects(self, min_access_level: int = 40, page: int = 1, archived: bool | None = None) -> ProjectPage:
        """A page of 100 projects by ascending id. Its pages may be read in parallel, up to 50,000 projects.

        Args:
            min_access_level: least role of the token's user; 40 = Maintainer, where rights on hooks begin.
            page: from 1.
            archived: only archived ones, or only others; None = both.
        """
        query = _project_query(min_access_level, archived)
        response = self._calls.response("get", "/projects", {**query, "page": page})
        following = parse_qs(urlsplit(next_link(response) or "").query).get("page", [""])[0]
        return ProjectPage(
            list_in(response, self._calls.label),
            _whole_number(response.headers.get("X-Total-Pages")),
            _whole_number(following),
        )

    def all_projects(self, min_access_level: int = 40, archived: bool | None = None) -> Iterator[dict[str, Any]]:
        """All projects, however many, page after page (keyset paging). Arguments as :meth:`list_projects`."""
        query = {**_project_query(min_access_level, archived), "pagination": "keyset"}
        return self._calls.pages("/projects", query)

    def group_projects(self, group: int | str, min_access_level: int = 40) -> Iterator[dict[str, Any]]:
        """All projects of a group and its subgroups, page after page; those that are merely shared with it are not
        among them (contract, behaviour 14). There is no keyset paging here (behaviour 11).

        Args:
            group: numeric id or full path.
            min_access_level: least role of the token's user; 40 = Maintainer, where rights on hooks begin.

        Raises:
            NotFoundError: no such group, or invisible; when the first project is asked for.
        """
        query = {**_project_query(min_access_level, None), "include_subgroups": "true", "with_shared": "false"}
        try:
            yield from self._calls.pages(f"/groups/{EncodedId(group)}/projects", query)
        except NotFoundError as error:
            hint = "check its path, or make the token's user a member"
            raise NotFoundError(self._calls.label, f"the token sees no group {group} (404)", hint, 404) from error

    def jenkins_integration(self, project: int | str) -> dict[str, Any] | None:
        """GitLab's own Jenkins integration, the other way to start a build (contract, behaviour 10).

        Args:
            project: numeric id or full path.

        Returns:
            The integration as GitLab shows it, without its password; None where it was never set up, or is switched
            off (then GitLab still answers, with ``active`` false).

        Raises:
            PermissionMissingError: Maintainer role or the scope ``api`` is missing.
        """
        try:
            found = self._calls.object("get", f"{project_path(project)}/integrations/jenkins")
        except NotFoundError:
            return None
        return found if found.get("active") else None


def project_path(project: int | str) -> str:
    """API path of a project: by numeric id, or by its full path, percent-encoded."""
    return f"/projects/{EncodedId(project)}"


def _project_query(min_access_level: int, archived: bool | None) -> dict[str, Any]:
    query: dict[str, Any] = {
        "min_access_level": min_access_level,
        "simple": "true",
        "order_by": "id",
        "sort": "asc",
        "per_page": PER_PAGE,
    }
    return query if archived is None else {**query, "archived": str(archived).lower()}


def _whole_number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None
