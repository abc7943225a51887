"""The GitLab trigger of a job: every field of it, and the events its webhook must deliver.

Source: contract, fact 15. A field that is left out of the XML loads as ``false`` or null, not as the default that
the web form shows, so all are always given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from configurator.spec.trigger_options import Trigger

Value = str | bool

# As the web form shows a new trigger, all its events off.
_BASE: Final[Mapping[str, Value]] = {
    "triggerOnPush": False,
    "triggerToBranchDeleteRequest": False,
    "triggerOnMergeRequest": False,
    "triggerOnlyIfNewCommitsPushed": False,
    "triggerOnPipelineEvent": False,
    "triggerOnAcceptedMergeRequest": False,
    "triggerOnClosedMergeRequest": False,
    "triggerOnApprovedMergeRequest": False,
    "triggerOpenMergeRequestOnPush": "never",
    "triggerOnNoteRequest": False,
    "noteRegex": "Jenkins please retry a build",
    "ciSkip": True,
    "skipWorkInProgressMergeRequest": False,
    "labelsThatForcesBuildIfAdded": "",
    "setBuildDescription": True,
    "branchFilterType": "All",
    "includeBranchesSpec": "",
    "excludeBranchesSpec": "",
    "sourceBranchRegex": "",
    "targetBranchRegex": "",
    "mergeRequestLabelInclude": "",
    "mergeRequestLabelExclude": "",
    "pendingBuildName": "",
    "cancelPendingBuildsOnUpdate": False,
    "cancelRunningBuildsOnUpdate": False,
}
_BY_EVENT: Final[Mapping[str, Mapping[str, Value]]] = {
    "push": {"triggerOnPush": True},
    "tag_push": {"triggerOnPush": True},  # the plugin has one switch for both
    "merge_request": {"triggerOnMergeRequest": True, "triggerOpenMergeRequestOnPush": "source"},
    "note": {"triggerOnNoteRequest": True},
    "pipeline": {"triggerOnPipelineEvent": True},
}
_MERGE_REQUEST: Final = (
    "triggerOnMergeRequest",
    "triggerOnAcceptedMergeRequest",
    "triggerOnClosedMergeRequest",
    "triggerOnApprovedMergeRequest",
)
_BREAKS_APPROVALS: Final = ("triggerOnlyIfNewCommitsPushed", "cancelPendingBuildsOnUpdate")
TAGS: Final = "refs/tags/**"


def resolve_trigger(events: Iterable[str], branches: Sequence[str], overrides: Trigger) -> dict[str, Value]:
    """Every option of the trigger, in the order in which the plugin saves them.

    Args:
        events: ``push``, ``tag_push``, ``merge_request``, ``note``, ``pipeline``.
        branches: branches that build, for merge requests the target; empty = all. Under a name filter a tag
            builds only where it is included, too, so ``tag_push`` adds that.
        overrides: options that the spec gives; they win.
    """
    events = tuple(events)
    trigger = dict(_BASE)
    for event in events:
        trigger.update(_BY_EVENT[event])
    if branches:
        names = [*branches, TAGS] if "tag_push" in events else branches
        trigger["branchFilterType"] = "NameBasedFilter"
        trigger["includeBranchesSpec"] = ",".join(names)
    return trigger | overrides.model_dump(exclude_none=True)


def hook_events(trigger: Mapping[str, Value], events: Iterable[str]) -> frozenset[str]:
    """GitLab's flags that must be on so that everything the trigger reacts to is delivered.

    Args:
        trigger: as :func:`resolve_trigger` gives it.
        events: as asked for: the trigger alone can't tell pushes from tags.
    """
    events = tuple(events)
    tags = "tag_push" in events and bool(trigger["triggerOnPush"])
    pushes = bool(trigger["triggerOnPush"]) and ("push" in events or not tags)
    wanted = {
        "push_events": pushes or bool(trigger["triggerToBranchDeleteRequest"]),
        "tag_push_events": tags,
        "merge_requests_events": any(trigger[name] for name in _MERGE_REQUEST),
        "note_events": bool(trigger["triggerOnNoteRequest"]),
        "pipeline_events": bool(trigger["triggerOnPipelineEvent"]),
    }
    return frozenset(name for name, on in wanted.items() if on)


def hook_branch_filter(trigger: Mapping[str, Value], flags: frozenset[str]) -> str:
    """GitLab's wildcard filter of push events: the branch where the trigger names exactly one, else empty.

    Several branches can't be said in one filter; Jenkins sorts them out then. GitLab's ``*`` matches at least what
    the plugin's does, but it has no ``?``.
    """
    if "push_events" not in flags or trigger["branchFilterType"] != "NameBasedFilter":
        return ""
    names = [name.strip() for name in str(trigger["includeBranchesSpec"]).split(",")]
    names = [name for name in names if name and name != TAGS]
    return names[0] if len(names) == 1 and "?" not in names[0] else ""


def trigger_warnings(trigger: Mapping[str, Value]) -> list[str]:
    """What is allowed but bites (contract, fact 15): one sentence each, beginning with the option's name."""
    if not any(trigger[name] for name in _MERGE_REQUEST):
        return []
    return [
        f"{name}: true makes Jenkins answer approvals with 500, which GitLab counts as a failed delivery"
        for name in _BREAKS_APPROVALS
        if trigger[name]
    ]
