# ruff: noqa: N815 (the field names are the plugin's own)
"""The options of the GitLab trigger, as a model."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from configurator.spec.references import Model


class Trigger(Model):
    """Options of the GitLab trigger under the plugin's own names. Left out: from the events of the job.

    Source: contract, fact 15 (``com.dabsquared.gitlabjenkins.GitLabPushTrigger``).
    """

    triggerOnPush: bool | None = Field(None, description="Build on pushes and tags.")
    triggerToBranchDeleteRequest: bool | None = Field(None, description="Build when a branch is deleted.")
    triggerOnMergeRequest: bool | None = Field(None, description="Build when a merge request is opened or updated.")
    triggerOnlyIfNewCommitsPushed: bool | None = Field(
        None, description="Merge requests: only when commits are new. true makes approvals answer 500."
    )
    triggerOnPipelineEvent: bool | None = Field(None, description="Build on pipeline events.")
    triggerOnAcceptedMergeRequest: bool | None = Field(None, description="Build when a merge request is merged.")
    triggerOnClosedMergeRequest: bool | None = Field(None, description="Build when a merge request is closed.")
    triggerOnApprovedMergeRequest: bool | None = Field(None, description="Build when a merge request is approved.")
    triggerOpenMergeRequestOnPush: Literal["never", "source", "both"] | None = Field(
        None,
        description="Rebuild open merge requests when their source (or target, too) branch is pushed to.",
    )
    triggerOnNoteRequest: bool | None = Field(None, description="Build on a comment that matches noteRegex.")
    noteRegex: str | None = Field(None, description="Java regex that must match the whole comment.")
    ciSkip: bool | None = Field(None, description="[ci-skip] in a message or description prevents the build.")
    skipWorkInProgressMergeRequest: bool | None = Field(None, description="Draft merge requests are not built.")
    labelsThatForcesBuildIfAdded: str | None = Field(None, description="Labels that force a build, comma-separated.")
    setBuildDescription: bool | None = Field(None, description="Describe the build by what started it.")
    branchFilterType: Literal["All", "NameBasedFilter", "RegexBasedFilter"] | None = Field(
        None, description="How branches are filtered; for merge requests it is the target branch."
    )
    includeBranchesSpec: str | None = Field(None, description="NameBasedFilter: branches to build, comma-separated.")
    excludeBranchesSpec: str | None = Field(None, description="NameBasedFilter: branches not to build.")
    sourceBranchRegex: str | None = Field(None, description="RegexBasedFilter: source branches.")
    targetBranchRegex: str | None = Field(None, description="RegexBasedFilter: target branches.")
    mergeRequestLabelInclude: str | None = Field(None, description="Merge requests need one of these labels.")
    mergeRequestLabelExclude: str | None = Field(None, description="Merge requests with these labels are not built.")
    pendingBuildName: str | None = Field(
        None, description="Commit status set while queued. Only where the pipeline itself ends that status."
    )
    cancelPendingBuildsOnUpdate: bool | None = Field(
        None, description="Cancel queued builds of an updated merge request. true makes approvals answer 500."
    )
    cancelRunningBuildsOnUpdate: bool | None = Field(
        None, description="Cancel running builds of an updated merge request (plugin 1.9.16 and later)."
    )
