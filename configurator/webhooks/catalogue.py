"""The jobs that the controller has, and whether one is really gone: asked again right before its webhook is."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from enum import StrEnum
from typing import Any

from configurator.clients.jenkins import EndpointAnswer, JenkinsClient, item_path
from configurator.errors import ConfiguratorError, NotFoundError, PermissionMissingError, ServerError, UnreachableError
from configurator.hook_url import Address, Reading
from configurator.marks import read_mark
from configurator.webhooks.model import Catalogue, JobSeen
from configurator.world.found import FOLDER_CLASS

_WITNESSES = 3
"""How many known jobs are asked for at most, should the first be gone since the catalogue was taken."""

_INDEXING = ("MultiBranchProject", "OrganizationFolder")
"""Ends of classes that look for branches at a push, whatever is in it (contract, fact 22)."""


class Presence(StrEnum):
    """Whether a job is there."""

    EXISTS = "exists"
    ABSENT = "absent"
    UNKNOWN = "unknown"


def take_catalogue(client: JenkinsClient, salt: str) -> Catalogue:
    """Read what jobs there are: one script request with Administer, else one listing of what this user sees.

    Args:
        client: the controller.
        salt: hex, for the digests of tokens.

    Returns:
        The catalogue; with ``problem`` where the controller can't be asked. No ServerError is raised.
    """
    try:
        try:
            return _from_script(client.run("jobs", {"salt": salt}))
        except (PermissionMissingError, NotFoundError):  # 404: a proxy in front hides the script console
            return _from_listing(client.list_items())
    except ServerError as error:
        return Catalogue(complete=False, problem=f"{error.message}; {error.hint}" if error.hint else error.message)


def _from_script(answer: Mapping[str, Any]) -> Catalogue:
    jobs = {
        one["name"].casefold(): JobSeen(
            one["name"],
            one["class"],
            read_mark(one["mark"]) if one["mark"] else None,
            one["disabled"],
            "error" not in one,
            one.get("trigger"),
            one.get("token"),
        )
        for one in answer["items"]
    }
    unloaded = {name.casefold(): name for name in answer["unloaded"]}
    return Catalogue(jobs, complete=not answer["unlisted"], unloaded=unloaded)


def _from_listing(items: Iterable[Mapping[str, Any]]) -> Catalogue:
    jobs = {
        one["fullName"].casefold(): JobSeen(
            one["fullName"], one.get("_class") or "", read_mark(one.get("description")), one.get("disabled")
        )
        for one in items
    }
    return Catalogue(jobs, complete=False)


def settle(client: JenkinsClient, catalogue: Catalogue, addresses: Iterable[Address], pool: Executor) -> Catalogue:
    """Find out, where a job that is not seen may be invisible, which it is: one request for each such job.

    The webhook endpoint knows every job, whoever asks (contract, fact 22). A known job is asked for before and after:
    an endpoint that denies it, too, proves nothing, and neither does one that went away in between.

    Args:
        client: the controller.
        catalogue: the jobs that were seen.
        addresses: the URLs of webhooks; those that reach a job of the catalogue cost nothing.
        pool: workers.

    Returns:
        The catalogue with ``absent`` and ``hidden``; as it was where it is complete, has a problem, or the endpoint
        can't be trusted. What got no clear answer is in neither.
    """
    if catalogue.complete or catalogue.problem:
        return catalogue
    names = sorted({one.job for address in addresses if catalogue.find(address) is None for one in address.readings})
    look = SecondLook(client, catalogue)
    if not names or not look.endpoint_is_true():
        return catalogue
    lost = threading.Event()  # every further question would wait for its time-outs

    def exists(name: str) -> bool | None:
        try:
            return None if lost.is_set() else client.probe_endpoint(name).exists
        except UnreachableError:
            lost.set()
        except ConfiguratorError:
            pass
        return None

    answers = dict(zip(names, pool.map(exists, names), strict=True))
    if not look.endpoint_is_true():
        return catalogue
    return replace(
        catalogue,
        absent=frozenset(name for name, there in answers.items() if there is False),
        hidden=frozenset(name for name, there in answers.items() if there),
    )


def look_again(client: JenkinsClient, address: Address, catalogue: Catalogue) -> tuple[Presence, str]:
    """One :class:`SecondLook`; for many addresses make one and keep it."""
    return SecondLook(client, catalogue).look(address)


class SecondLook:
    """Asks for jobs right before their webhooks are deleted. Keeps no answer; safe for many threads.

    Args:
        client: the controller.
        catalogue: what was seen before. It tells whether this user sees everything, and which jobs must be there
            for Jenkins to be believed that another is not.
    """

    def __init__(self, client: JenkinsClient, catalogue: Catalogue) -> None:
        self._client = client
        self._catalogue = catalogue
        self._sees_all = catalogue.complete
        self._known = _known(catalogue)
        self._callable = _callable(catalogue)

    def look(self, address: Address) -> tuple[Presence, str]:
        """Whether a job is reached by a URL now, and the evidence for people.

        ``ABSENT`` needs proof: Jenkins itself says for every reading of the URL that there is no such job, is in
        service, and still shows a job that was seen before; for a user who may not see all jobs also its webhook
        endpoint says so, and knows a job that was seen before. Whatever fails on the way is ``UNKNOWN``.
        """
        if not address.readings:
            return Presence.UNKNOWN, "the URL names no job"
        unloaded = self._catalogue.not_loaded(address)
        if unloaded is not None:
            return Presence.EXISTS, f"{unloaded} is on Jenkins' disk, and could not be loaded"
        try:
            for reading in address.readings:
                seen = self._seen(reading)
                if seen:
                    return Presence.EXISTS, f"Jenkins shows {seen}"
            self._client.check_in_service()
            if not self._known:
                return Presence.UNKNOWN, "Jenkins shows not a single item, so it may have lost them all"
            if not self._shows_the_known():
                return Presence.UNKNOWN, "Jenkins shows none of the jobs any more that it showed before"
            if self._sees_all:
                return Presence.ABSENT, f"asked again, Jenkins says that there is no {address.job}"
            return self._by_endpoint(address)
        except ConfiguratorError as error:
            return Presence.UNKNOWN, error.message

    def endpoint_is_true(self) -> bool:
        """Whether the webhook endpoint knows a job of which we know that it exists."""
        try:
            return any(self._client.probe_endpoint(name).exists for name in self._callable)
        except ConfiguratorError:
            return False

    def _seen(self, reading: Reading) -> str:
        """The item that takes webhooks for a path, as REST shows it: the first on the way that is no plain folder.

        What a folder lacks is looked for at the root, as the plugin does (:meth:`Catalogue.find`).
        """
        item_path(reading.job)  # one with empty or dot segments might reach something else than it says: refused
        at = ""
        for part in reading.job.split("/"):
            name = f"{at}/{part}" if at else part
            cls = self._client.class_of(name)
            if cls is None and at and reading.works:
                name, cls = part, self._client.class_of(part)
            if cls is None:
                return ""
            if cls != FOLDER_CLASS:
                return name
            at = name
        return ""

    def _shows_the_known(self) -> bool:
        return any(self._client.class_of(name) is not None for name in self._known)

    def _by_endpoint(self, address: Address) -> tuple[Presence, str]:
        if not self._callable:
            return Presence.UNKNOWN, "this user sees no job by which the webhook endpoint could be checked"
        for reading in address.readings:
            answer = self._client.probe_endpoint(reading.job)
            if answer.exists:
                return Presence.EXISTS, f"{reading.job} exists, and this user may not see it ({_words(answer)})"
            if answer.exists is None:
                return Presence.UNKNOWN, f"for {reading.job} it tells nothing that {_words(answer)}"
        if not self.endpoint_is_true():
            return Presence.UNKNOWN, "the webhook endpoint does not know jobs that exist, so its 404 proves nothing"
        return Presence.ABSENT, f"asked again, Jenkins' webhook endpoint says that there is no {address.job}"


def _words(answer: EndpointAnswer) -> str:
    said = f": {answer.said}" if answer.said else ""
    return f"the webhook endpoint answers {answer.status}{said}"


def _known(catalogue: Catalogue) -> tuple[str, ...]:
    """Names of a few items, far apart: a controller that lost its jobs shows none of them."""
    names = sorted(job.name for job in catalogue.jobs.values())
    return tuple(dict.fromkeys((names[0], names[len(names) // 2], names[-1]))) if names else ()


def _callable(catalogue: Catalogue) -> tuple[str, ...]:
    """Names of jobs by which to check the endpoint, those first that can start nothing whatever comes.

    Our own jobs with a webhook have a token, so a wrong one is refused; a disabled job does not build.
    """
    found = [job for job in catalogue.jobs.values() if _takes_calls(job, catalogue)]
    found.sort(key=lambda job: (job.mark is None or job.mark.project is None, not job.disabled, job.name))
    return tuple(job.name for job in found[:_WITNESSES])


def _takes_calls(job: JobSeen, catalogue: Catalogue) -> bool:
    """Whether a webhook for this job's name reaches the job itself: all above it are plain folders."""
    if job.is_folder or job.cls.endswith(_INDEXING):
        return False
    parts = job.name.casefold().split("/")
    above = (catalogue.jobs.get("/".join(parts[:end])) for end in range(1, len(parts)))
    return all(one is None or one.is_folder for one in above)
