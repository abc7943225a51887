"""GitLab's own Jenkins integration, the other way from a project to a job (behaviour.md, 10). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from configurator.hook_url import read_address, shown_url
from configurator.webhooks.model import Catalogue, Finding, HookClass, Integration
from configurator.webhooks.reach import find_target

_EVENTS = ("push_events", "tag_push_events", "merge_requests_events")
_STARTS_NOTHING = (HookClass.FOREIGN, HookClass.ORPHANED)


def integration_of(
    gitlab: str,
    project: str,
    project_id: int,
    attributes: Mapping[str, Any],
    catalogue: Catalogue,
    roots: Iterable[str],
) -> Integration:
    """An integration that is switched on.

    Args:
        gitlab: name of the gitlab entry.
        project: path of the project.
        project_id: its numeric id.
        attributes: as GitLab shows it, with ``properties`` (``jenkins_url``, ``project_name``).
        catalogue: the jobs of the controller.
        roots: every root URL of this Jenkins, the present one first.
    """
    properties = attributes.get("properties") or {}
    root, name = (str(properties.get(part) or "") for part in ("jenkins_url", "project_name"))
    url = f"{root.rstrip('/')}/project/{name.lstrip('/')}"
    address = read_address(url, tuple(roots))
    job = None
    if address is not None:
        target = find_target(catalogue, address)
        job = target.job if target else address.job
    events = tuple(flag for flag in _EVENTS if attributes.get(flag) is True)
    return Integration(gitlab, project, project_id, shown_url(url), job, events)


def judge_integrations(found: Sequence[Integration], findings: Iterable[Finding]) -> tuple[Integration, ...]:
    """The integrations with the ids of the webhooks that start the same job for a common event: it is built twice."""
    by_place: dict[tuple[str, int, str], list[Finding]] = {}
    for finding in findings:
        if finding.job is not None and finding.cls not in _STARTS_NOTHING:
            place = (finding.hook.gitlab, finding.hook.project_id, finding.job.casefold())
            by_place.setdefault(place, []).append(finding)
    return tuple(replace(one, twins=_twins(one, by_place)) for one in found)


def _twins(one: Integration, by_place: Mapping[tuple[str, int, str], Sequence[Finding]]) -> tuple[int, ...]:
    if one.job is None:
        return ()
    same = by_place.get((one.gitlab, one.project_id, one.job.casefold()), ())
    return tuple(sorted(finding.hook.id for finding in same if set(finding.hook.events) & set(one.events)))
