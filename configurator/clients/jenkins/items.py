"""Items: folders and jobs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from configurator.clients.http.lost_answers import create_once, delete_once
from configurator.clients.jenkins.names import folder_path, item_path, parent_of
from configurator.clients.jenkins.read_back import look_back
from configurator.clients.jenkins.transport import XML_HEADERS, Transport
from configurator.errors import ServerError

_FIELDS = "fullName,_class,description,disabled,buildable,property[_class]"
_BUILD = "number,result,building,timestamp,url"


class Items:
    """Reading and writing folders and jobs, one request each; all of them listed in one."""

    _transport: Transport

    def list_items(self, depth: int = 10) -> list[dict[str, Any]]:
        """Every item that the user may see.

        Args:
            depth: levels of folders in the first request; deeper folders take one more request each.

        Returns:
            One mapping for each item, parents before children: ``fullName``, ``_class``, ``description`` and,
            where the class has them, ``disabled``, ``buildable``, ``property``. Folders have ``children``,
            the full names of what is in them.
        """
        found: list[dict[str, Any]] = []
        self._list_below(None, max(depth, 1), found)
        return found

    def _list_below(self, folder: str | None, depth: int, found: list[dict[str, Any]]) -> None:
        # The innermost level asks only whether there is more.
        tree = "jobs[fullName]"
        for _ in range(depth):
            tree = f"jobs[{_FIELDS},{tree}]"
        answer = self._transport.read_json(f"{folder_path(folder)}/api/json", {"tree": tree}, "Overall/Read")
        for item in _flatten(answer.get("jobs", []), depth):
            found.append(item)
            if item.pop("more", False):
                self._list_below(item["fullName"], depth, found)

    def list_children(self, folder: str) -> list[str]:
        """Full names of what is directly in a folder.

        Raises:
            NotFoundError: no such folder, or Job/Read is missing.
            ServerError: the answer does not tell: a folder is deleted by what this says, so silence is not "empty".
        """
        answer = self._transport.read_json(f"{folder_path(folder)}/api/json", {"tree": "jobs[fullName]"}, "Job/Read")
        if not isinstance(answer.get("jobs"), list):
            raise ServerError(self._transport.label, f"the listing of {folder} does not say what it holds")
        return [str(job["fullName"]) for job in answer["jobs"]]

    def read_item(self, full_name: str) -> str:
        """``config.xml`` of an item.

        Raises:
            NotFoundError: no such item, or Job/Read is missing.
            PermissionMissingError: Job/ExtendedRead or Job/Configure is missing.
        """
        return str(self._transport.get_job_config(full_name))

    def create_item(self, full_name: str, xml: str) -> None:
        """Create a folder or job in one request (``createItem`` reports names in use itself).

        A lost answer is cleared up by reading the item back.

        Raises:
            AlreadyExistsError: the name is in use.
            NotFoundError: the folder is missing.
            ServerError: a name that Jenkins refuses, an XML that it can't load (contract, fact 8).
            AnswerLostError: the answer was lost, and what is there now is not what was sent.
        """
        folder, name = parent_of(full_name)

        def create() -> None:
            self._transport.call(
                "POST",
                f"{folder_path(folder)}/createItem",
                params={"name": name},
                data=xml,
                headers=XML_HEADERS,
                needs="Job/Create",
            )

        create_once(create, lambda: look_back(lambda: self.read_item(full_name), xml))

    def write_item(self, full_name: str, xml: str) -> None:
        """Replace the configuration of an item. Of a folder that is its credentials and views too (fact 5).

        Raises:
            NotFoundError, PermissionMissingError, ServerError: as :meth:`create_item`.
        """
        self._transport.reconfig_job(full_name, xml)

    def set_description(self, full_name: str, text: str) -> None:
        """Set a job's description and make Jenkins save it, which encrypts its secrets (contract, fact 2).

        Not for folders: there the form is that of the primary view, whose description it sets.

        Raises:
            PermissionMissingError: Job/Configure is missing.
        """
        self._transport.call(
            "POST",
            f"{item_path(full_name)}/submitDescription",
            data={"description": text},
            needs="Job/Configure",
        )

    def delete_item(self, full_name: str) -> None:
        """Delete an item, and with a folder all that is in it.

        Raises:
            NotFoundError: it was not there to begin with.
            PermissionMissingError: Job/Delete is missing.
        """
        delete_once(lambda: self._transport.call("DELETE", f"{item_path(full_name)}/", needs="Job/Delete"))

    def build_item(self, full_name: str, with_parameters: bool) -> None:
        """Queue a build and don't wait for it.

        Args:
            full_name: the job.
            with_parameters: the job has parameters; their defaults are used (contract, fact 8).

        Raises:
            PermissionMissingError: Job/Build is missing.
            AnswerLostError: it may be queued.
        """
        verb = "buildWithParameters" if with_parameters else "build"
        self._transport.call("POST", f"{item_path(full_name)}/{verb}", needs="Job/Build")

    def last_build(self, full_name: str) -> dict[str, Any] | None:
        """``number``, ``result``, ``building``, ``timestamp`` (ms), ``url`` of the last build; None without.

        Raises:
            NotFoundError: no such job.
        """
        answer = self._transport.read_json(f"{item_path(full_name)}/api/json", {"tree": f"lastBuild[{_BUILD}]"})
        build = answer.get("lastBuild")
        return build if isinstance(build, dict) else None

    def build_state(self, full_name: str) -> tuple[int, bool]:
        """Number of the last build (0 without one), and whether another waits in the queue.

        Raises:
            NotFoundError: no such job.
        """
        answer = self._transport.read_json(f"{item_path(full_name)}/api/json", {"tree": "lastBuild[number],inQueue"})
        build = answer.get("lastBuild") or {}
        return int(build.get("number") or 0), answer.get("inQueue") is True


def _flatten(jobs: list[dict[str, Any]], levels: int) -> Iterator[dict[str, Any]]:
    """A nested listing as a flat one.

    Args:
        jobs: items of one folder.
        levels: how many levels from here on have their fields; below them are only names. A folder of which
            only the children's names are known gets ``more``.
    """
    for job in jobs:
        children = job.pop("jobs", None)
        if children is not None:
            job["children"] = [child["fullName"] for child in children]
            job["more"] = levels == 1 and bool(children)
        yield job
        if children and levels > 1:
            yield from _flatten(children, levels - 1)
