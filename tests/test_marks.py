"""The mark: written, read back, and never mistaken for what people wrote."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configurator.marks import (
    Mark,
    fingerprint,
    hook_token,
    read_mark,
    read_url_mark,
    strip_mark,
    with_mark,
    with_url_mark,
)
from configurator.secret import Secret

OWNERS = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")
KEYS = st.none() | st.from_regex(r"\A[0-9a-f]{8}\Z")
PROJECTS = st.none() | st.tuples(st.from_regex(r"\A[A-Za-z0-9._-]{1,9}\Z"), st.integers(1, 10**9))
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


def mark_of(owner: str, project: tuple[str, int] | None, key: str | None) -> Mark:
    gitlab, number = project or (None, None)
    return Mark(owner, gitlab, number, key)


MARKS = st.builds(mark_of, OWNERS, PROJECTS, KEYS)


@given(MARKS, TEXTS)
def test_a_mark_comes_back_and_the_text_before_it_is_untouched(mark: Mark, text: str) -> None:
    marked = with_mark(text, mark)
    assert read_mark(marked) == mark
    assert strip_mark(marked) == strip_mark(text)
    assert with_mark(marked, mark) == marked, "it is written once, however often"


@pytest.mark.parametrize("text", ["one\r\ntwo", "one\rtwo", "one\u2028two", "one\x0btwo", "one\n\n  two"])
def test_line_breaks_of_any_kind_stay_as_people_wrote_them(text: str) -> None:
    assert strip_mark(with_mark(text, Mark("a"))) == text


@given(MARKS, MARKS)
def test_an_earlier_mark_is_replaced(first: Mark, second: Mark) -> None:
    assert with_mark(with_mark("text", first), second) == f"text\n{second}"


@given(OWNERS, KEYS)
def test_a_mark_in_a_url_comes_back_and_replaces_any_query(owner: str, key: str | None) -> None:
    url = with_url_mark("https://u:p@j.example:8443/jenkins/project/a/b%20c?x=1", Mark(owner, key=key))
    assert url.startswith("https://u:p@j.example:8443/jenkins/project/a/b%20c?configurator=")
    assert read_url_mark(url) == Mark(owner, key=key)


def test_the_words_of_the_mark_are_a_contract() -> None:
    assert str(Mark("platform")) == "Managed by configurator (platform)"
    assert str(Mark("p", "gitlab", 7)) == "Managed by configurator (p) gitlab=gitlab project=7"
    assert str(Mark("p", key="0123abcd")) == "Managed by configurator (p) key=0123abcd"
    assert str(Mark("p", gitlab="gitlab")) == "Managed by configurator (p)", "a project without its number says nothing"


@pytest.mark.parametrize(
    "description",
    [
        None,
        "",
        " \n ",
        "Managed by configurator (platform), says Ann",
        "Managed by configurator (platform)\nand by Ann",
        "Managed by configurator ()",
        "Managed by configurator (a b)",
        "Managed by configurator (a) key=XYZ",
        "Managed by configurator (a) gitlab=g project=seven",
        "not Managed by configurator (a)",
    ],
)
def test_what_is_not_a_mark_in_the_last_line_owns_nothing(description: str | None) -> None:
    assert read_mark(description) is None
    assert strip_mark(description) == (description or "").strip()


@pytest.mark.parametrize(
    "url",
    [
        "https://j/project/a",
        "https://j/project/a?configurator=",
        "https://j/project/a?configurator=a%20b",
        "https://j/project/a?other=1",
        "http://[broken/project/a?configurator=a",
    ],
)
def test_urls_without_a_mark(url: str) -> None:
    assert read_url_mark(url) is None


def test_a_key_that_is_none_is_left_aside() -> None:
    assert read_url_mark("https://j/project/a?configurator=o&key=nonsense") == Mark("o")


def test_fingerprint_and_token_are_derived_as_promised() -> None:
    key, value = Secret("key"), Secret("value")

    def expected(message: str) -> str:
        return hmac.new(b"key", message.encode(), hashlib.sha256).hexdigest()

    assert fingerprint(key, value) == expected("configurator/v1 fingerprint\nvalue")[:8]
    assert fingerprint(None, value) is None
    assert hook_token(key, 7, "a/b").reveal() == expected("configurator/v1\n7\na/b")
