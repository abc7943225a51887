"""The options of the trigger and the events of the hook, from what the spec asks for."""

from __future__ import annotations

import re
from typing import Any

import pytest

from configurator.spec.trigger import hook_branch_filter, hook_events, resolve_trigger, trigger_warnings
from configurator.spec.trigger_options import Trigger

NONE = Trigger()


def test_all_options_are_there_whatever_is_asked() -> None:
    assert set(resolve_trigger([], [], NONE)) == set(Trigger.model_fields)
    assert None not in resolve_trigger(["push"], ["main"], NONE).values()


def test_without_events_everything_is_off_and_the_rest_is_as_the_web_form_shows_it() -> None:
    trigger = resolve_trigger([], [], NONE)
    assert [name for name, value in trigger.items() if value is True] == ["ciSkip", "setBuildDescription"]
    assert trigger["triggerOpenMergeRequestOnPush"] == "never"
    assert trigger["branchFilterType"] == "All"
    assert trigger["noteRegex"] == "Jenkins please retry a build"


@pytest.mark.parametrize(
    ("event", "changed"),
    [
        ("push", {"triggerOnPush": True}),
        ("tag_push", {"triggerOnPush": True}),
        ("merge_request", {"triggerOnMergeRequest": True, "triggerOpenMergeRequestOnPush": "source"}),
        ("note", {"triggerOnNoteRequest": True}),
        ("pipeline", {"triggerOnPipelineEvent": True}),
    ],
)
def test_an_event_turns_on_its_options_alone(event: str, changed: dict[str, Any]) -> None:
    assert resolve_trigger([event], [], NONE) == resolve_trigger([], [], NONE) | changed


@pytest.mark.parametrize(
    ("events", "branches", "include"),
    [
        (["push"], ["main"], "main"),
        (["push"], ["main", "release/1"], "main,release/1"),
        (["push", "tag_push"], ["main"], "main,refs/tags/**"),
    ],
)
def test_branches_become_a_name_filter(events: list[str], branches: list[str], include: str) -> None:
    trigger = resolve_trigger(events, branches, NONE)
    assert (trigger["branchFilterType"], trigger["includeBranchesSpec"]) == ("NameBasedFilter", include)


def test_what_the_spec_gives_wins() -> None:
    trigger = resolve_trigger(["push"], ["main"], Trigger(triggerOnPush=False, includeBranchesSpec="x"))
    assert (trigger["triggerOnPush"], trigger["includeBranchesSpec"]) == (False, "x")


@pytest.mark.parametrize(
    ("events", "overrides", "flags"),
    [
        (["push"], {}, {"push_events"}),
        (["tag_push"], {}, {"tag_push_events"}),
        (["push", "tag_push"], {}, {"push_events", "tag_push_events"}),
        (["merge_request", "note"], {}, {"merge_requests_events", "note_events"}),
        (["pipeline"], {}, {"pipeline_events"}),
        (["push"], {"triggerOnMergeRequest": True}, {"push_events", "merge_requests_events"}),
        (["push"], {"triggerOnApprovedMergeRequest": True}, {"push_events", "merge_requests_events"}),
        (["note"], {"triggerOnClosedMergeRequest": True}, {"note_events", "merge_requests_events"}),
        (["note"], {"triggerOnAcceptedMergeRequest": True}, {"note_events", "merge_requests_events"}),
        (["note"], {"triggerOnPush": True}, {"note_events", "push_events"}),
        (["tag_push"], {"triggerToBranchDeleteRequest": True}, {"tag_push_events", "push_events"}),
        (["push", "tag_push"], {"triggerOnPush": False}, set()),
        (["merge_request"], {"triggerOnMergeRequest": False}, set()),
    ],
)
def test_the_hook_delivers_what_the_trigger_reacts_to(
    events: list[str], overrides: dict[str, Any], flags: set[str]
) -> None:
    assert hook_events(resolve_trigger(events, [], Trigger(**overrides)), events) == flags


@pytest.mark.parametrize(
    ("events", "branches", "overrides", "wanted"),
    [
        (["push"], ["main"], {}, "main"),
        (["push", "tag_push"], ["main"], {}, "main"),
        (["push"], ["release/*"], {}, "release/*"),
        (["push"], ["release/?"], {}, ""),
        (["push"], ["main", "dev"], {}, ""),
        (["push"], [], {}, ""),
        (["tag_push"], ["main"], {}, ""),
        (["merge_request"], ["main"], {}, ""),
        (["push"], ["main"], {"includeBranchesSpec": " dev ,"}, "dev"),
        (["push"], ["main"], {"branchFilterType": "RegexBasedFilter"}, ""),
        (["push"], ["main"], {"branchFilterType": "All"}, ""),
    ],
)
def test_a_push_filter_is_set_where_it_can_be_said(
    events: list[str], branches: list[str], overrides: dict[str, Any], wanted: str
) -> None:
    trigger = resolve_trigger(events, branches, Trigger(**overrides))
    assert hook_branch_filter(trigger, hook_events(trigger, events)) == wanted


@pytest.mark.parametrize("option", ["triggerOnlyIfNewCommitsPushed", "cancelPendingBuildsOnUpdate"])
def test_options_that_break_approvals_are_warned_of(option: str) -> None:
    overrides = Trigger.model_validate({option: True})
    (warning,) = trigger_warnings(resolve_trigger(["merge_request"], [], overrides))
    assert warning == (
        f"{option}: true makes Jenkins answer approvals with 500, which GitLab counts as a failed delivery"
    )
    assert trigger_warnings(resolve_trigger(["push"], [], overrides)) == []


@pytest.mark.parametrize(
    "comment", ["build it please", "Build it please!", "hm.\n\nBUILD IT PLEASE, thanks\n", "ok: build it please\n"]
)
def test_the_phrase_of_code_reviews_may_stand_anywhere(comment: str) -> None:
    # Java and Python agree on these flags; the plugin asks for a match of the whole comment.
    assert re.fullmatch("(?is).*build it please.*", comment)
