"""Which job a webhook reaches, and what is wrong with the way. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from configurator.clients.jenkins import hook_path
from configurator.hook_url import Address, Reading, shown_url
from configurator.marks import Mark
from configurator.webhooks.model import Catalogue, Hook, JobSeen

FORMER, PLAIN, NOT_ENDPOINT = "former", "plain", "not the endpoint"


@dataclass(frozen=True, slots=True)
class Target:
    """The job that a URL reaches.

    Attributes:
        job: its full name.
        seen: what is known of it; for a project inside a computed folder that is not listed, the folder.
        reading: the reading of the URL by which it is found.
    """

    job: str
    seen: JobSeen
    reading: Reading

    @property
    def is_multibranch(self) -> bool:
        """A multibranch project: the plugin ignores the token there and only has it look for branches (fact 22)."""
        return is_multibranch(self.seen)


@dataclass(frozen=True, slots=True)
class Reached:
    """A hook whose job exists.

    Attributes:
        hook: the hook.
        address: what its URL says.
        target: the job.
        mark: the hook's mark.
        ours: the mark names our spec.
    """

    hook: Hook
    address: Address
    target: Target
    mark: Mark | None
    ours: bool

    @property
    def key(self) -> tuple[str, int, int]:
        """gitlab, project id, hook id."""
        return self.hook.gitlab, self.hook.project_id, self.hook.id

    @property
    def elsewhere(self) -> bool:
        """Another owner's."""
        return self.mark is not None and not self.ours


def find_target(catalogue: Catalogue, address: Address) -> Target | None:
    """The job that an address reaches, None where none is seen.

    A branch of a multibranch project is reached through the project, whether or not the catalogue lists it.
    """
    found = catalogue.find(address)
    if found is None:
        return None
    reading, seen = found
    above = catalogue.jobs.get(seen.name.rpartition("/")[0].casefold())
    if above is not None and is_multibranch(above):
        return Target(above.name, above, reading)
    if seen.cls.endswith("Folder") and seen.name.casefold() != reading.job.casefold():
        # Folders of other kinds (an organisation's repositories) may hold what this user does not see: two
        # addresses below one of them are not the same job.
        return Target(reading.job, seen, reading)
    return Target(seen.name, seen, reading)


def faults(address: Address, reading: Reading) -> frozenset[str]:
    """What is wrong with an address: any of :data:`FORMER`, :data:`PLAIN`, :data:`NOT_ENDPOINT`."""
    found = {
        FORMER: not address.current,
        PLAIN: address.scheme == "http" and address.expected_scheme == "https",
        NOT_ENDPOINT: not reading.works,
    }
    return frozenset(name for name, holds in found.items() if holds)


def stale(address: Address, reading: Reading, root: str | None = None, job: str = "") -> str:
    """Why an address is not the one that the hook should call, or empty.

    Args:
        address: what the URL says.
        reading: the reading by which it means a job.
        root: Jenkins' present root URL, for the address that it should be; None where the hook is not ours.
        job: full name of the job.
    """
    found = faults(address, reading)
    texts = []
    if NOT_ENDPOINT in found:
        texts.append(f"its URL {reading.flaw}, to which Jenkins answers 404")
    if FORMER in found:
        texts.append(f"it calls a former address of Jenkins, {shown_url(address.root)}")
    if PLAIN in found:
        texts.append("it calls http where Jenkins is at https now")
    if texts and root is not None:
        return f"{', and '.join(texts)}; it should be {root.rstrip('/')}{hook_path(job)}"
    return ", and ".join(texts)


def remarks(one: Reached) -> list[str]:
    """What else a person should know about the way to the job."""
    target, texts = one.target, []
    meant = target.reading.job
    if meant != target.job and meant.casefold() == target.job.casefold():
        texts.append(f"its URL writes the job's name in other letter case, {meant}")
    elif meant.casefold().startswith(f"{target.job}/".casefold()):
        texts.append(f"its URL goes on below the job, {meant}, which Jenkins ignores")
    elif meant != target.job:
        texts.append(f"there is no {meant}, so the GitLab plugin takes {target.job}, at Jenkins' root, instead")
    if target.is_multibranch:
        texts.append("a multibranch project: its token is ignored, and a push only has Jenkins look for branches")
    if target.seen.disabled:
        texts.append("the job is disabled: Jenkins answers 200 and builds nothing")
    return texts


def is_multibranch(seen: JobSeen) -> bool:
    """Whether it is a multibranch project, or the like."""
    return seen.cls.endswith("MultiBranchProject")
