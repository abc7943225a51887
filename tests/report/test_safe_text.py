from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configurator.report.safe import clean, clean_json, clean_lines, fenced, html_code


@given(st.text())
def test_clean_text_is_one_line_without_control_characters(text: str) -> None:
    shown = clean(text)
    assert shown.isprintable() or all(char.isprintable() or char > "\xa0" or char == "\xa0" for char in shown)
    assert not set(shown) & {chr(code) for code in [*range(0x20), *range(0x7F, 0xA0)]}
    assert shown.splitlines() in ([], [shown])


@given(st.recursive(st.text() | st.none() | st.integers(), st.lists))
def test_clean_json_means_the_same(data: object) -> None:
    text = clean_json(json.dumps(data, ensure_ascii=False))
    assert json.loads(text) == data
    assert "\x9b" not in text
    assert "\u202e" not in text


def test_a_lone_surrogate_can_be_printed() -> None:
    assert clean("\ud800").encode() == b"\\ud800"


def test_ordinary_letters_stay() -> None:
    assert clean("naïve → 日本 🚀") == "naïve → 日本 🚀"


def test_lines() -> None:
    assert clean_lines("a\r\nb\tc\n") == ["a", r"b\tc", ""]


@pytest.mark.parametrize(("line", "fence"), [("a", "```"), ("a ``` b", "````"), ("`````", "``````")])
def test_a_fence_is_longer_than_what_is_in_it(line: str, fence: str) -> None:
    assert fenced([line], "diff") == [f"{fence}diff", line, fence]


def test_html() -> None:
    assert html_code("<b>@all & 'x'") == "<code>&lt;b&gt;@all &amp; &#x27;x&#x27;</code>"
