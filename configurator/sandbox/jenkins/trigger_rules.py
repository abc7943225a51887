"""Would the GitLab plugin build for this event? The rules of its trigger, event by event (contract, fact 15)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from configurator.sandbox.jenkins import java_regex
from configurator.sandbox.jenkins.xml_store import Element, text_of

_NO_COMMIT = "0" * 40
_SKIP = "[ci-skip]"
_OPEN_STATES = ("opened", "reopened")


class PayloadError(Exception):
    """The plugin throws on this payload: the endpoint answers 500."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the trigger makes of an event.

    Attributes:
        reason: why it builds or why not, in words.
        parameters: the variables of the build, None when nothing is built.
        cancels: the event first takes waiting builds of the same merge request out of the queue.
    """

    reason: str
    parameters: dict[str, str] | None = None
    cancels: bool = False


class TriggerRules:
    """The rules of one job's trigger.

    Args:
        trigger: the trigger in normal form.
        built: whether a merge request's last commit (sha, target branch) was built by this job already.
    """

    def __init__(self, trigger: Element, built: Callable[[str, str], bool]) -> None:
        self._trigger = trigger
        self._built = built

    def judge(self, kind: str, payload: Mapping[str, Any]) -> Verdict:
        """Apply the rules.

        Args:
            kind: ``push``, ``tag_push``, ``merge_request``, ``note`` or ``pipeline``.
            payload: the event.

        Raises:
            PayloadError: the plugin would throw.
        """
        judges = {"merge_request": self._merge_request, "note": self._note, "pipeline": self._pipeline}
        try:
            return judges.get(kind, self._push)(payload)
        except (KeyError, TypeError, AttributeError, java_regex.BadPatternError) as error:
            raise PayloadError(str(error)) from None

    def _on(self, field: str) -> bool:
        return text_of(self._trigger, field) == "true"

    def _push(self, payload: Mapping[str, Any]) -> Verdict:
        branch = re.sub("^refs/heads/", "", payload["ref"])
        commits = payload.get("commits") or []
        last_message = (commits[-1].get("message") or "") if commits else ""
        if not self._on("triggerOnPush"):
            return Verdict("pushes do not trigger this job")
        deleted = payload.get("after") in (None, _NO_COMMIT)
        if deleted and not self._on("triggerToBranchDeleteRequest"):
            return Verdict(f"{branch} was deleted")
        if self._on("ciSkip") and _SKIP in last_message:
            return Verdict(f"the last commit says {_SKIP}")
        if not self._branch_allowed(None, branch):
            return Verdict(f"branch {branch} is filtered out")
        sha = str(payload.get("after") or "")
        parameters = {
            "gitlabBranch": branch,
            "gitlabSourceBranch": branch,
            "gitlabTargetBranch": branch,
            "gitlabActionType": "TAG_PUSH" if payload.get("object_kind") == "tag_push" else "PUSH",
            "gitlabUserName": str(payload.get("user_name") or ""),
            "gitlabSourceRepoHttpUrl": str((payload.get("repository") or {}).get("git_http_url") or ""),
            "gitlabMergeRequestLastCommit": sha,
            "gitlabBefore": str(payload.get("before") or ""),
            "gitlabAfter": sha,
        }
        return Verdict(f"push to {branch}", parameters)

    def _merge_request(self, payload: Mapping[str, Any]) -> Verdict:
        request = payload["object_attributes"]
        action, state = request.get("action"), request["state"]
        new_commits_only = self._on("triggerOnlyIfNewCommitsPushed")
        cancels = self._on("cancelPendingBuildsOnUpdate")
        if action in ("approved", "unapproved") and (new_commits_only or cancels):
            raise PayloadError("the plugin fails on approvals with these options")
        if not self._forced_by_label(payload):
            if not self._state_and_action(state, action):
                return Verdict(f"merge request {state}, {action}: does not trigger this job")
            if action != "approved" and self._already_built(request):
                return Verdict("the last commit was built already")
            if new_commits_only and action == "update" and not request.get("oldrev"):
                return Verdict("no new commits")
            if self._on("skipWorkInProgressMergeRequest") and request.get("work_in_progress"):
                return Verdict("the merge request is a draft")
        labels = {label["title"] for label in payload.get("labels") or []}
        if not self._labels_allowed(labels):
            return Verdict("filtered out by its labels")
        return self._of_request(request, payload, "MERGE", {}, cancels)

    def _note(self, payload: Mapping[str, Any]) -> Verdict:
        note = payload["object_attributes"]["note"]
        pattern = text_of(self._trigger, "noteRegex")
        if not self._on("triggerOnNoteRequest") or not pattern or not java_regex.matches(pattern, note):
            return Verdict("the comment does not match")
        request = payload.get("merge_request")
        if request is None:
            if not self._branch_allowed(None, None):
                return Verdict("the comment has no merge request, and so no branch")
            raise PayloadError("a comment without a merge request")
        return self._of_request(request, payload, "NOTE", {"gitlabTriggerPhrase": note}, False)

    def _pipeline(self, payload: Mapping[str, Any]) -> Verdict:
        attributes = payload["object_attributes"]
        branch = re.sub("^refs/heads/", "", attributes.get("ref") or "")
        sha = str(attributes.get("sha") or "")
        if not self._on("triggerOnPipelineEvent") or attributes.get("status") != "success":
            return Verdict(f"pipeline {attributes.get('status')}: does not trigger this job")
        if self._built(sha, branch):
            return Verdict("the commit was built already")
        if not self._branch_allowed(branch, branch):
            return Verdict(f"branch {branch} is filtered out")
        parameters = {
            "gitlabBranch": branch,
            "gitlabSourceBranch": branch,
            "gitlabTargetBranch": branch,
            "gitlabActionType": "PIPELINE",
            "gitlabMergeRequestLastCommit": sha,
        }
        return Verdict(f"pipeline of {branch}", parameters)

    def _of_request(
        self,
        request: Mapping[str, Any],
        payload: Mapping[str, Any],
        kind: str,
        more: Mapping[str, str],
        cancels: bool,
    ) -> Verdict:
        if self._on("ciSkip") and _SKIP in (request.get("description") or ""):
            return Verdict(f"the description says {_SKIP}")
        source, target = request["source_branch"], request["target_branch"]
        if not self._branch_allowed(source, target):
            return Verdict(f"target branch {target} or source branch {source} is filtered out")
        parameters = {
            "gitlabBranch": source,
            "gitlabSourceBranch": source,
            "gitlabTargetBranch": target,
            "gitlabActionType": kind,
            "gitlabUserName": str((payload.get("user") or {}).get("name") or ""),
            "gitlabMergeRequestTitle": str(request.get("title") or ""),
            "gitlabMergeRequestIid": str(request.get("iid") or ""),
            "gitlabMergeRequestState": str(request.get("state") or ""),
            "gitlabMergeRequestTargetProjectId": str(request.get("target_project_id") or ""),
            "gitlabMergeRequestLastCommit": str(request["last_commit"]["id"]),
            **more,
        }
        return Verdict(f"{kind.lower()} from {source} into {target}", parameters, cancels)

    def _state_and_action(self, state: str, action: str | None) -> bool:
        """The plugin's chain: two rules that reject where their option is off, then those that accept."""
        on_update = text_of(self._trigger, "triggerOpenMergeRequestOnPush") != "never"
        is_update = state in (*_OPEN_STATES, "updated") and action in (None, "update")
        if is_update and not on_update:
            return False
        approved = self._on("triggerOnApprovedMergeRequest")
        if action in (None, "approved") and not approved:
            return False
        return (
            is_update
            or action in (None, "approved")
            or (self._on("triggerOnMergeRequest") and state in _OPEN_STATES)
            or (self._on("triggerOnAcceptedMergeRequest") and action == "merge")
            or (self._on("triggerOnClosedMergeRequest") and (action == "close" or state == "closed"))
        )

    def _already_built(self, request: Mapping[str, Any]) -> bool:
        commit = request.get("last_commit") or {}
        return self._built(str(commit.get("id") or ""), request["target_branch"])

    def _forced_by_label(self, payload: Mapping[str, Any]) -> bool:
        forcing = set(_listed(text_of(self._trigger, "labelsThatForcesBuildIfAdded")))
        change = (payload.get("changes") or {}).get("labels") or {}
        before = {label["title"] for label in change.get("previous") or []}
        after = {label["title"] for label in change.get("current") or []}
        return bool(forcing & (after - before))

    def _labels_allowed(self, labels: set[str]) -> bool:
        config = self._trigger.find("mergeRequestLabelFilterConfig")
        include, exclude = _listed(text_of(config, "include")), _listed(text_of(config, "exclude"))
        return not labels & set(exclude) and (not include or bool(labels & set(include)))

    def _branch_allowed(self, source: str | None, target: str | None) -> bool:
        kind = text_of(self._trigger, "branchFilterType")
        if kind == "NameBasedFilter":
            include = _listed(text_of(self._trigger, "includeBranchesSpec"))
            exclude = _listed(text_of(self._trigger, "excludeBranchesSpec"))
            if any(ant_match(pattern, target) for pattern in exclude):
                return False
            return not include or any(ant_match(pattern, target) for pattern in include)
        if kind == "RegexBasedFilter":
            sources = text_of(self._trigger, "sourceBranchRegex")
            targets = text_of(self._trigger, "targetBranchRegex")
            source_fits = not sources or source is None or java_regex.matches(sources, source)
            return source_fits and (not targets or not target or java_regex.matches(targets, target))
        return True


def ant_match(pattern: str, name: str | None) -> bool:
    """Spring's path patterns: ``?`` one character, ``*`` within a segment, ``**`` any number of segments."""
    if name is None or pattern.startswith("/") != name.startswith("/"):
        return False
    return _segments_match(_segments(pattern), _segments(name))


def _segments(text: str) -> list[str]:
    return [segment for segment in text.split("/") if segment]


def _segments_match(pattern: list[str], name: list[str]) -> bool:
    if not pattern:
        return not name
    head, *rest = pattern
    if head == "**":
        return any(_segments_match(rest, name[skip:]) for skip in range(len(name) + 1))
    translated = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in head)
    return bool(name) and re.fullmatch(translated, name[0], re.DOTALL) is not None and _segments_match(rest, name[1:])


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
