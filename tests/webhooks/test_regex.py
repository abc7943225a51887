"""Regular expressions of others: the same answers as Python's where they are quick, and none where they may not be."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configurator.webhooks.filters import branch_passes, hook_passes
from configurator.webhooks.regex import is_found, matches_like_java

LONG = "a" * 250 + "!"


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b",
        "(a*)*b",
        "(a|a)*b",
        "(a|aa)+$",
        "([a-z]+)*/x",
        "(?:(?:a?){9}){9}b",
        "(a{1,9}){1,9}b",
        "a?" * 40 + "a" * 40,
        "(a|b|ab)" * 20,
        ".*" * 6 + "b",
        "(x+x+)+y",
        "((?:){9999}){9999}",
        "((((a{99}){99}){99}){99}){99}",
        "(" * 300 + "a" + ")" * 300,
        "a" * 5000,
        "(?x)(a+) +b",
        "(?x:a+ +b)",
        r"(a)?(?(1)b|c)",
        "(a))+(b",
        "(((((a|b){9}){9}){9}){9}){9}",
    ],
)
def test_what_might_take_for_ever_is_not_tried(pattern: str) -> None:
    began = time.monotonic()
    assert matches_like_java(pattern, LONG) is None
    assert is_found(pattern, LONG) is None
    trigger = {"branchFilterType": "RegexBasedFilter", "targetBranchRegex": pattern}
    hook = {"branch_filter_strategy": "regex", "push_events_branch_filter": pattern}
    for verdict in (branch_passes(trigger, LONG), hook_passes(hook, LONG)):
        assert verdict.passes is None
        assert "can't be told here" in verdict.reason
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("(main|master|release/.*)", "release/2.x", True),
        ("(main|master|release/.*)", "feature/x", False),
        ("(?:feature|bugfix|hotfix)/[A-Z]+-[0-9]+(?:-.*)?", "feature/ABC-12-words", True),
        ("(?:feature|bugfix|hotfix)/[A-Z]+-[0-9]+(?:-.*)?", "feature/ABC-12-" + "words-" * 6, True),
        ("(?:a|b){3}c", "abac", True),
        (r"release/[0-9]+\.[0-9]+\.[0-9]+", "release/1.22.3", True),
        ("(?!wip/).*", "wip/me", False),
        ("(?i)MAIN", "main", True),
        ("(?i:M)ain", "main", True),
        ("(?<name>x)", "x", None),  # Python spells it otherwise
        ("(?P<name>x)(?P=name)", "xx", True),
        (r"v\d{1,3}", "v12", True),
        ("a{}", "a{}", True),
        ("a{,2}", "aa", True),
        ("a{2,}b", "aaab", True),
        ("a++b", "aab", True),
        ("[]a]+", "]a", True),
        ("[^/]*", "a/b", False),
        ("", "", True),
        ("|a", "a", True),
        ("*a", "a", None),
    ],
)
def test_what_people_write_is_told(pattern: str, text: str, found: bool | None) -> None:
    assert matches_like_java(pattern, text) is found


PARTS = st.sampled_from(
    ["a", "b", "/", ".", "[ab]", "(a|b)", "(ab)", "a*", "b+", "a?", "(a*)", "(a|b)?", "(ab)*", ".*"]
)
TEXTS = st.text(alphabet="ab/", max_size=24)


@given(st.lists(PARTS, max_size=5).map("".join), TEXTS)
def test_what_is_told_is_what_python_says(pattern: str, text: str) -> None:
    assert matches_like_java(pattern, text) in (None, re.fullmatch(pattern, text) is not None)
    assert is_found(pattern, text) in (None, re.search(pattern, text) is not None)


ODD = st.text(alphabet="ab|()[]{}*+?.\\^$,129:=!<P-", max_size=14)


@given(ODD, st.integers(0, 250))
def test_whatever_is_tried_is_quick(pattern: str, length: int) -> None:
    began = time.monotonic()
    matches_like_java(pattern, "a" * length + "b")
    is_found(pattern, "a" * length + "b")
    assert time.monotonic() - began < 3
