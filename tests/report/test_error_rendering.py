"""Problems as text."""

from __future__ import annotations

from configurator.errors import Place, Problem
from configurator.report.errors import render_problems


def test_all_parts() -> None:
    problem = Problem(
        "wrong", Place("a.yaml", 12, 3, "  key: 1"), "do this", ("application a (a.yaml:1:1)", "template t")
    )
    assert render_problems([problem, Problem("also wrong")]) == (
        "a.yaml:12:3: error: wrong\n"
        "   12 |   key: 1\n"
        "      |   ^\n"
        "      = in application a (a.yaml:1:1)\n"
        "      = in template t\n"
        "      = hint: do this\n"
        "\n"
        "error: also wrong"
    )


def test_tabs_wide_letters_and_accents_keep_the_caret_under_its_spot() -> None:
    assert render_problems([Problem("x", Place("f", 1, 3, "\t\tkey"))]).splitlines()[1:] == [
        "    1 |   key",
        "      |   ^",
    ]
    assert render_problems([Problem("x", Place("f", 1, 3, "日本: x"))]).splitlines()[2] == "      |     ^"
    assert render_problems([Problem("x", Place("f", 1, 3, "e\u0301x"))]).splitlines()[2] == "      |  ^"


def test_a_long_line_is_cut_around_the_spot() -> None:
    _, line, caret = render_problems([Problem("x", Place("f", 1, 301, "a" * 300 + "B" + "c" * 300))]).splitlines()
    assert line.startswith("    1 | …aaa")
    assert line.endswith("ccc…")
    assert len(line) < 120
    assert line[caret.index("^")] == "B"


def test_no_line_where_there_is_no_text() -> None:
    assert render_problems([Problem("x", Place("f", 9, 1, "  "))]) == "f:9:1: error: x"


def test_what_a_terminal_would_obey_is_spelled_out() -> None:
    assert render_problems([Problem("bad \x1b[31m name\n", Place("f", 1, 1, "\x07"))]) == (
        "f:1:1: error: bad \\x1b[31m name\\n\n    1 | \\x07\n      | ^"
    )


def test_nothing() -> None:
    assert render_problems([]) == ""
