"""The endpoint that webhooks call, and which jobs of the spec anybody may start through it (contract, fact 22).

With the GitLab plugin's switch "Enable authentication for '/project' end-point" on, a job without a secret token is
started only for callers with Job/Build. With it off, for everybody who reaches Jenkins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from configurator.kinds.xml import claims
from configurator.spec.expanded import WEBHOOK_TOKEN, JobItem
from configurator.spec.rendered import MULTIBRANCH
from configurator.world.found import Item
from configurator.world.world import World
from configurator.xml import Element, parse, root_class

SWITCH = "'Enable authentication for /project end-point'"
CURE = "put authenticated_endpoint: true under jenkins in the spec"
_TRIGGER = "com.dabsquared.gitlabjenkins.GitLabPushTrigger"
_TRIGGERS = "org.jenkinsci.plugins.workflow.job.properties.PipelineTriggersJobProperty"
_NAMED = 5  # that many jobs are told by name, the rest by number


@dataclass(frozen=True, slots=True)
class EndpointSwitch:
    """The switch, as wanted or as it is: one for the whole controller, so nobody's mark is on it."""

    authenticated_endpoint: bool


def open_endpoint_warnings(world: World) -> tuple[str, ...]:
    """What to say of an endpoint that asks nobody: that of now, or the one that the spec makes of it."""
    asked_for = world.expanded.spec.jenkins.authenticated_endpoint
    authenticated = world.inventory.authenticated_endpoint if asked_for is None else asked_for
    if authenticated is not False:
        return ()
    names = open_jobs(world)
    if names:
        jobs, have = ("job", "it has") if len(names) == 1 else ("jobs", "they have")
        return (
            f"open to anybody: {jobs} {_listed(names)}. The GitLab plugin's {SWITCH} is off, and {have} no secret "
            f"token that counts: whoever reaches Jenkins can start a build. {CURE[0].upper()}{CURE[1:]}",
        )
    if asked_for is False:  # said so, and no job of the spec suffers from it
        return ()
    return (f"the GitLab plugin's {SWITCH} is off: anybody may start jobs that have no secret token; {CURE}",)


def open_jobs(world: World) -> list[str]:
    """Full names of the spec's jobs that a webhook starts without any token, once the spec is applied."""
    items = world.inventory.items
    return [job.name for job in world.expanded.jobs if _is_open(job, items.get(job.name), world)]


def _is_open(job: JobItem, item: Item | None, world: World) -> bool:
    if root_class(job.xml) == MULTIBRANCH:
        return True  # its token is ignored, whatever it says
    live = parse(item.xml) if item is not None and item.xml else None
    if live is not None and (_is_foreign(job, item, world) or claims(live) & {_TRIGGER, _TRIGGERS}):
        return _lacks_token(live)  # somebody else, or the Jenkinsfile, has the last word
    if not _lacks_token(parse(job.xml)) and not _keyless(job, world):
        return False
    if live is not None and live.find(f".//{_TRIGGER}") is not None:
        return _lacks_token(live)  # the spec sets none, so the one that is there stays
    return _TRIGGER in job.xml


def _is_foreign(job: JobItem, item: Item | None, world: World) -> bool:
    """Whether an apply leaves the job as it is: it stands there, is not ours, and is not taken over."""
    mark = item.mark if item else None
    return mark.owner != world.owner if mark else not job.adopt


def _lacks_token(root: Element) -> bool:
    triggers = root.findall(f".//{_TRIGGER}")
    return any(not (trigger.findtext("secretToken") or "").strip() for trigger in triggers)


def _keyless(job: JobItem, world: World) -> bool:
    """Whether there is no key to derive the token from that the job's trigger leaves room for."""
    if WEBHOOK_TOKEN not in job.xml:
        return False
    return job.trigger_project is None or world.gitlab_entry(job.trigger_project[0]).webhooks.secret is None


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
