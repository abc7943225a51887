from __future__ import annotations

import pytest

from configurator.model import Field
from configurator.report.fields import field_lines


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("false", "true", "false → true"),
        (None, "x", "(absent) → x"),
        ("x", None, "x → (absent)"),
        ("", "x", '"" → x'),
        ("(secret) 1a2b3c4d", "(secret) 5e6f7a8b", "(secret) 1a2b3c4d → (secret) 5e6f7a8b"),
    ],
)
def test_a_short_value(before: str | None, after: str | None, shown: str) -> None:
    assert field_lines(Field("p", before, after)) == [f"p: {shown}"]


def test_long_values_are_cut_to_where_they_differ() -> None:
    (line,) = field_lines(Field("p", "a" * 300 + "OLD" + "b" * 300, "a" * 300 + "NEW" + "b" * 300))
    assert "…aaaaaaaaaaaaaaaaOLDbbb" in line
    assert "…aaaaaaaaaaaaaaaaNEWbbb" in line
    assert line.endswith("b…")
    assert len(line) < 180


def test_a_long_value_that_is_the_beginning_of_another() -> None:
    (line,) = field_lines(Field("p", "a" * 100, "a" * 100 + "b" * 5))
    assert line.endswith("bbbbb") or "→" in line


def test_many_lines_are_a_small_diff() -> None:
    assert field_lines(Field("script", "one\ntwo\nthree\n", "one\n2\nthree\n")) == [
        "script:",
        "   one",
        "  -two",
        "  +2",
        "   three",
    ]


def test_a_text_that_appears_is_a_diff_too() -> None:
    assert field_lines(Field("script", None, "one\ntwo")) == ["script:", "  -", "  +one", "  +two"]


def test_a_long_diff_is_cut() -> None:
    after = "\n".join(f"line {number}" for number in range(40))
    lines = field_lines(Field("script", "", after))
    assert len(lines) == 1 + 12 + 1
    assert lines[-1] == "  … and 29 more lines"


def test_line_breaks_alone() -> None:
    assert field_lines(Field("script", "a\r\nb", "a\nb")) == ["script:", "  (only line breaks differ)"]


def test_the_lines_of_a_diff_are_clean() -> None:
    assert "  +a\\x1b[2J" in field_lines(Field("script", "a\nb", "a\x1b[2J\nb"))
