"""Would Jenkins build for this event? Jenkins answers 200 and builds nothing where the answer is no. Pure.

The rules are those of the GitLab plugin's trigger (contract, fact 15) and of GitLab's branch filter (behaviour.md, 7).
A trigger is given by its fields, as :class:`~configurator.webhooks.model.JobSeen` holds them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from configurator.webhooks.regex import is_found, matches_like_java

PUSH = "push_events"
TAG_PUSH = "tag_push_events"
MERGE_REQUEST = "merge_requests_events"
NOTE = "note_events"
PIPELINE = "pipeline_events"

EVENTS: Mapping[str, str] = {
    PUSH: "push",
    MERGE_REQUEST: "merge request event",
    NOTE: "comment",
    PIPELINE: "pipeline event",
    TAG_PUSH: "tag push",
}
"""What the plugin handles, by GitLab's flag, in words; the likeliest use of a hook first."""

_NAMES, _REGEX = "NameBasedFilter", "RegexBasedFilter"
_ON_MERGE_REQUEST = (
    "triggerOnMergeRequest",
    "triggerOnAcceptedMergeRequest",
    "triggerOnClosedMergeRequest",
    "triggerOnApprovedMergeRequest",
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something passes.

    Attributes:
        passes: None = can't be told from here.
        reason: why, for people.
    """

    passes: bool | None
    reason: str


def reacts_to(trigger: Mapping[str, str], event: str) -> Verdict:
    """Whether the trigger is switched on for an event at all, whatever the branch.

    Args:
        trigger: fields of the job's GitLab trigger.
        event: GitLab's flag, such as ``push_events``.
    """
    switch = {PUSH: "triggerOnPush", TAG_PUSH: "triggerOnPush", PIPELINE: "triggerOnPipelineEvent"}.get(event)
    if event == MERGE_REQUEST:
        on = [name for name in _ON_MERGE_REQUEST if _is_on(trigger, name)]
        # Null behaves like "not never" (contract, fact 15).
        if trigger.get("triggerOpenMergeRequestOnPush") != "never":
            on.append("triggerOpenMergeRequestOnPush")
        return Verdict(bool(on), f"{', '.join(on)} on" if on else "every option for merge requests is off")
    if event == NOTE:
        if not _is_on(trigger, "triggerOnNoteRequest"):
            return Verdict(False, "triggerOnNoteRequest is off")
        regex = trigger.get("noteRegex", "")
        return Verdict(bool(regex), f"a comment that matches {regex}" if regex else "noteRegex is empty")
    if switch is None:
        return Verdict(False, f"the GitLab plugin knows no {event}")
    on_now = _is_on(trigger, switch)
    return Verdict(on_now, f"{switch} is {'on' if on_now else 'off'}")


def branch_passes(trigger: Mapping[str, str], branch: str) -> Verdict:
    """Whether the trigger's branch filter lets a branch pass; for merge requests that is the target branch.

    Args:
        trigger: fields of the job's GitLab trigger.
        branch: its name, for a tag the whole ref (``refs/tags/v1``).
    """
    kind = trigger.get("branchFilterType")
    if kind == _NAMES:
        return _names_pass(trigger, branch)
    if kind == _REGEX:
        return _regex_passes(trigger, branch)
    return Verdict(True, "the trigger filters no branch")


def hook_passes(hook: Mapping[str, Any], branch: str) -> Verdict:
    """Whether GitLab's own filter lets a push to ``branch`` pass; nothing else is filtered (behaviour.md, 7).

    Args:
        hook: attributes as GitLab shows them.
        branch: name of the branch.
    """
    pattern = str(hook.get("push_events_branch_filter") or "").strip()
    strategy = hook.get("branch_filter_strategy") or "wildcard"
    if strategy == "all_branches" or not pattern:
        return Verdict(True, "GitLab filters no branch")
    if strategy == "wildcard":
        found: bool | None = _segment_matches(pattern, branch, single="")
    else:
        found = is_found(pattern, branch)
    return _filtered("GitLab's branch filter", pattern, branch, found)


def harmless_events(trigger: Mapping[str, str] | None, default_branch: str | None) -> Iterator[tuple[str, str]]:
    """Events whose test delivery can start no build of this job, with the reason; those that most projects have first.

    A test of a push or tag push may carry the default branch whatever its name says, so it counts as harmless only
    where that branch is filtered out, too. A test of the others carries the project's first record of the kind
    (behaviour.md, 8), whose branches are not known here, so their switch must be off.

    Args:
        trigger: fields of the job's GitLab trigger; None = it has none.
        default_branch: of the project; None = not known.
    """
    if trigger is None:
        yield PUSH, "the job has no GitLab trigger"
        return
    pushes = reacts_to(trigger, PUSH)
    if pushes.passes is False:
        yield PUSH, pushes.reason
    elif default_branch is not None:
        filtered = branch_passes(trigger, default_branch)
        if filtered.passes is False:
            yield PUSH, filtered.reason
    for event in (MERGE_REQUEST, NOTE, PIPELINE):
        verdict = reacts_to(trigger, event)
        forced = event == MERGE_REQUEST and trigger.get("labelsThatForcesBuildIfAdded", "").strip()
        if verdict.passes is False and not forced:
            yield event, verdict.reason


def ant_match(pattern: str, name: str) -> bool:
    """Ant-style matching of a name: ``?`` one character, ``*`` within a segment, ``**`` any number of segments."""
    if pattern.startswith("/") != name.startswith("/"):
        return False
    return _segments_match(_segments(pattern), _segments(name))


def _names_pass(trigger: Mapping[str, str], branch: str) -> Verdict:
    include, exclude = _listed(trigger.get("includeBranchesSpec")), _listed(trigger.get("excludeBranchesSpec"))
    out = next((pattern for pattern in exclude if ant_match(pattern, branch)), None)
    if out is not None:
        return Verdict(False, f"excludeBranchesSpec keeps {branch} out ({out})")
    if not include:
        return Verdict(True, f"includeBranchesSpec is empty, which lets {branch} pass")
    found = any(ant_match(pattern, branch) for pattern in include)
    return _filtered("includeBranchesSpec", ", ".join(include), branch, found)


def _regex_passes(trigger: Mapping[str, str], branch: str) -> Verdict:
    pattern = trigger.get("targetBranchRegex", "")
    if not pattern:
        return Verdict(True, "targetBranchRegex is empty, which lets every branch pass")
    return _filtered("targetBranchRegex", pattern, branch, matches_like_java(pattern, branch))


def _filtered(what: str, pattern: str, branch: str, found: bool | None) -> Verdict:
    if found is None:
        return Verdict(None, f"{what} ({pattern}) is a regular expression of which it can't be told here")
    return Verdict(found, f"{what} ({pattern}) {'lets' if found else 'does not let'} {branch} pass")


def _segments(text: str) -> list[str]:
    return [segment for segment in text.split("/") if segment]


def _segments_match(pattern: list[str], name: list[str]) -> bool:
    """Goes over the pattern once: a pattern may hold ``**`` many times, and trying them all would never end."""
    reached = {0}  # how many segments of the name the pattern so far can stand for
    for head in pattern:
        if head == "**":
            reached = set(range(min(reached), len(name) + 1)) if reached else reached
        else:
            reached = {at + 1 for at in reached if at < len(name) and _segment_matches(head, name[at])}
    return len(name) in reached


def _segment_matches(pattern: str, name: str, single: str = "?") -> bool:
    """``*``, and ``single`` for one character, within a segment; likewise. GitLab has no such ``single``."""
    reached = {0}
    for character in pattern:
        if character == "*":
            reached = set(range(min(reached), len(name) + 1)) if reached else reached
        else:
            reached = {at + 1 for at in reached if at < len(name) and character in (single, name[at])}
    return len(name) in reached


def _listed(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _is_on(trigger: Mapping[str, str], field: str) -> bool:
    return trigger.get(field) == "true"
