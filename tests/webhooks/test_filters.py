"""Would an event pass? Evaluated here as the embedded Jenkins, written independently, does it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configurator.sandbox.jenkins import trigger_rules
from configurator.sandbox.jenkins.xml_store import parse
from configurator.webhooks.filters import (
    EVENTS,
    MERGE_REQUEST,
    NOTE,
    PIPELINE,
    PUSH,
    TAG_PUSH,
    ant_match,
    branch_passes,
    harmless_events,
    hook_passes,
    reacts_to,
)
from configurator.webhooks.job_read import job_in

QUIET = {
    "triggerOnPush": "false",
    "triggerOnMergeRequest": "false",
    "triggerOnNoteRequest": "false",
    "triggerOnPipelineEvent": "false",
    "triggerOpenMergeRequestOnPush": "never",
    "branchFilterType": "All",
}


def names(include: str, exclude: str = "", **more: str) -> dict[str, str]:
    return QUIET | {
        "branchFilterType": "NameBasedFilter",
        "includeBranchesSpec": include,
        "excludeBranchesSpec": exclude,
        **more,
    }


@pytest.mark.parametrize(
    ("include", "exclude", "branch", "passes"),
    [
        ("main", "", "main", True),
        ("main", "", "maintenance", False),
        ("main, release/*", "", "release/2.x", True),
        ("release/*", "", "release/2/x", False),
        ("release/**", "", "release/2/x", True),
        ("**", "", "refs/tags/v1", True),
        ("*", "", "refs/tags/v1", False),
        ("refs/tags/**", "", "refs/tags/v1", True),
        ("v?", "", "v1", True),
        ("v?", "", "v10", False),
        ("", "", "anything", True),
        ("", "wip/*", "wip/me", False),
        ("**", "main", "main", False),
        ("/main", "", "main", False),
    ],
)
def test_a_name_filter(include: str, exclude: str, branch: str, passes: bool) -> None:
    assert branch_passes(names(include, exclude), branch).passes is passes


PIECES = st.sampled_from(["main", "release", "*", "**", "a?", "ab", "refs", "tags"])
PATHS = st.lists(PIECES, min_size=1, max_size=4).map("/".join)


@given(PATHS, st.lists(st.sampled_from(["main", "release", "ab", "refs", "tags"]), min_size=1, max_size=4))
def test_ant_patterns_match_as_the_embedded_jenkins_does(pattern: str, name: list[str]) -> None:
    assert ant_match(pattern, "/".join(name)) is trigger_rules.ant_match(pattern, "/".join(name))


@pytest.mark.parametrize(
    ("pattern", "branch", "passes"),
    [
        ("", "main", True),
        ("main", "main", True),
        ("main", "main2", False),
        (r"release/\Q2.x\E", "release/2.x", True),
        (r"release/\Q2.x\E", "release/2zx", False),
        (r"\Q2.x", "2.x", True),
        ("release/2.x", "release/2zx", True),
        ("[.]x", ".x", True),
        ("[.]x", "ax", False),
        ("main.", "main\n", False),
        (r"\d+", "12", True),
        ("(", "main", None),
        (r"\p{Alpha}+", "main", None),
    ],
)
def test_a_regular_expression_of_java(pattern: str, branch: str, passes: bool | None) -> None:
    trigger = QUIET | {"branchFilterType": "RegexBasedFilter", "targetBranchRegex": pattern}
    assert branch_passes(trigger, branch).passes is passes


def test_no_filter_lets_everything_pass() -> None:
    assert branch_passes(QUIET, "main").passes is True


@pytest.mark.parametrize(
    ("strategy", "pattern", "branch", "passes"),
    [
        ("all_branches", "main", "other", True),
        ("wildcard", None, "other", True),
        ("wildcard", "", "other", True),
        (None, "main", "main", True),
        (None, "main", "other", False),
        ("wildcard", "release/*", "release/2/x", True),
        ("wildcard", "release.*", "releases", False),
        ("regex", "^rel", "release", True),
        ("regex", "^rel$", "release", False),
        ("regex", "(", "release", None),
    ],
)
def test_gitlabs_own_filter(strategy: str | None, pattern: str | None, branch: str, passes: bool | None) -> None:
    hook = {"branch_filter_strategy": strategy, "push_events_branch_filter": pattern}
    verdict = hook_passes(hook, branch)
    assert verdict.passes is passes
    assert verdict.reason


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (PUSH, "triggerOnPush"),
        (TAG_PUSH, "triggerOnPush"),
        (MERGE_REQUEST, "triggerOnMergeRequest"),
        (MERGE_REQUEST, "triggerOnAcceptedMergeRequest"),
        (MERGE_REQUEST, "triggerOnClosedMergeRequest"),
        (MERGE_REQUEST, "triggerOnApprovedMergeRequest"),
        (PIPELINE, "triggerOnPipelineEvent"),
    ],
)
def test_an_event_and_its_switch(event: str, field: str) -> None:
    assert reacts_to(QUIET, event).passes is False
    verdict = reacts_to(QUIET | {field: "true"}, event)
    assert verdict.passes is True
    assert field in verdict.reason


def test_comments_need_a_regex_and_null_is_not_never() -> None:
    assert reacts_to(QUIET, NOTE).passes is False
    assert reacts_to(QUIET | {"triggerOnNoteRequest": "true"}, NOTE).passes is False
    assert reacts_to(QUIET | {"triggerOnNoteRequest": "true", "noteRegex": "again"}, NOTE).passes is True
    unset = {name: value for name, value in QUIET.items() if name != "triggerOpenMergeRequestOnPush"}
    assert reacts_to(unset, MERGE_REQUEST).passes is True
    assert reacts_to(QUIET, "wiki_page_events").passes is False


# ---- which test delivery starts nothing


def harmless(trigger: dict[str, str] | None, default_branch: str | None = "main") -> list[str]:
    found = list(harmless_events(trigger, default_branch))
    assert all(reason for _, reason in found)
    return [event for event, _ in found]


def test_a_trigger_that_is_off_lets_any_test_through() -> None:
    assert harmless(None) == [PUSH]
    assert harmless(QUIET) == [PUSH, MERGE_REQUEST, NOTE, PIPELINE]


def test_a_push_is_harmless_only_where_the_default_branch_is_filtered_out() -> None:
    trigger = names("release/2.x", triggerOnPush="true")
    assert harmless(trigger)[0] == PUSH
    assert PUSH not in harmless(trigger, "release/2.x")
    assert PUSH not in harmless(trigger, None)
    assert TAG_PUSH not in harmless(trigger)
    regex = QUIET | {"triggerOnPush": "true", "branchFilterType": "RegexBasedFilter", "targetBranchRegex": "("}
    assert PUSH not in harmless(regex)


def test_a_label_that_forces_a_build_makes_merge_requests_harmful() -> None:
    assert MERGE_REQUEST not in harmless(QUIET | {"labelsThatForcesBuildIfAdded": "build"})


SWITCHES = st.fixed_dictionaries(
    {
        **{
            name: st.sampled_from(["true", "false"])
            for name in ("triggerOnPush", "triggerOnMergeRequest", "triggerOnNoteRequest", "triggerOnPipelineEvent")
        },
        "triggerOnApprovedMergeRequest": st.sampled_from(["true", "false"]),
        "triggerOpenMergeRequestOnPush": st.sampled_from(["never", "source", "both"]),
        "noteRegex": st.sampled_from(["", ".*"]),
        "branchFilterType": st.sampled_from(["All", "NameBasedFilter", "RegexBasedFilter"]),
        "includeBranchesSpec": st.sampled_from(["", "main", "release/*"]),
        "targetBranchRegex": st.sampled_from(["", "main", "release/.*"]),
    }
)
TESTS: dict[str, tuple[str, dict[str, Any]]] = {
    PUSH: ("push", {"object_kind": "push", "ref": "refs/heads/main", "before": "1" * 40, "after": "2" * 40}),
    MERGE_REQUEST: (
        "merge_request",
        {
            "object_attributes": {
                "state": "opened",
                "source_branch": "x",
                "target_branch": "main",
                "last_commit": {"id": "2" * 40},
            }
        },
    ),
    NOTE: (
        "note",
        {
            "object_attributes": {"note": "again"},
            "merge_request": {"source_branch": "x", "target_branch": "main", "last_commit": {"id": "2" * 40}},
        },
    ),
    PIPELINE: ("pipeline", {"object_attributes": {"status": "success", "ref": "main", "sha": "2" * 40}}),
}


@given(SWITCHES)
def test_what_is_called_harmless_never_builds_in_the_embedded_jenkins(trigger: dict[str, str]) -> None:
    body = "".join(f"<{name}>{value}</{name}>" for name, value in trigger.items())
    rules = trigger_rules.TriggerRules(parse(f"<trigger>{body}</trigger>")[0], lambda sha, target: False)
    for event in harmless(trigger):
        kind, payload = TESTS[event]
        assert rules.judge(kind, payload).parameters is None


def test_every_event_has_words() -> None:
    assert set(EVENTS) == {PUSH, TAG_PUSH, MERGE_REQUEST, NOTE, PIPELINE}


# ---- the job in its config.xml


def test_a_job_is_read_without_its_token() -> None:
    xml = (
        "<?xml version='1.1'?><flow-definition><description>x</description><properties><P><triggers>"
        "<com.dabsquared.gitlabjenkins.GitLabPushTrigger><triggerOnPush>true</triggerOnPush><noteRegex/>"
        "<mergeRequestLabelFilterConfig><include/></mergeRequestLabelFilterConfig>"
        "<secretToken>{AQAA}</secretToken></com.dabsquared.gitlabjenkins.GitLabPushTrigger></triggers></P></properties>"
        "<disabled>true</disabled></flow-definition>"
    )
    job = job_in("a", xml)
    assert (job.cls, job.disabled, job.read, job.token) == ("flow-definition", True, True, None)
    assert job.trigger == {"triggerOnPush": "true", "noteRegex": ""}
    bare = job_in("a", "<project/>")
    assert (bare.disabled, bare.trigger) == (None, None)


def test_patterns_that_could_be_tried_forever() -> None:
    """Whoever may configure a job writes them, and this program must not hang on them."""
    assert not ant_match("/".join(["**", "a"] * 20) + "/b", "/".join(["a"] * 60))
    assert not ant_match("*a" * 40 + "b", "a" * 200)
    hook = {"push_events_branch_filter": "*a" * 40 + "b", "branch_filter_strategy": "wildcard"}
    assert hook_passes(hook, "a" * 200).passes is False
