"""Checks for people and for programs."""

from __future__ import annotations

from configurator.report.checks_json import checks_json
from configurator.report.checks_text import checks_text
from configurator.tokens.checks import Check, Verdict, worst

CHECKS = [
    Check("gitlab:gitlab", "reachable", Verdict.OK, "GitLab answers"),
    Check("gitlab:gitlab", "expiry", Verdict.WARN, "expires in 5 days, on 2026-03-15", "make another one"),
    Check("jenkins", "user", Verdict.FAIL, "nobody\x1b[2J", "make a new API token"),
    Check("jenkins", "clock", Verdict.UNKNOWN, "Jenkins does not tell its time", "compare `date`"),
]


def test_as_text() -> None:
    assert checks_text(CHECKS) == (
        "gitlab:gitlab\n"
        "  ok       reachable  GitLab answers\n"
        "  warn     expiry     expires in 5 days, on 2026-03-15\n"
        "                      → make another one\n"
        "\n"
        "jenkins\n"
        "  fail     user       nobody\\x1b[2J\n"
        "                      → make a new API token\n"
        "  unknown  clock      Jenkins does not tell its time\n"
        "                      → compare `date`\n"
        "\n"
        "Checks: 1 fail, 1 unknown, 1 warn, 1 ok.\n"
    )


def test_on_a_narrow_terminal() -> None:
    lines = checks_text(CHECKS[1:2], width=40).splitlines()
    assert lines == [
        "gitlab:gitlab",
        "  warn     expiry  expires in 5 days, on",
        "                   2026-03-15",
        "                   → make another one",
        "",
        "Checks: 1 warn.",
    ]


def test_in_colour() -> None:
    text = checks_text(CHECKS, colour=True)
    for code in ("32mok", "33mwarn", "31mfail", "33munknown"):
        assert f"\x1b[{code}" in text


def test_without_any() -> None:
    assert checks_text([]) == "Checks: none.\n"


def test_as_json() -> None:
    assert checks_json(CHECKS[1:2]) == {
        "version": 1,
        "checks": [
            {
                "subject": "gitlab:gitlab",
                "check": "expiry",
                "verdict": "warn",
                "evidence": "expires in 5 days, on 2026-03-15",
                "cure": "make another one",
            }
        ],
    }


def test_the_worst() -> None:
    assert worst(CHECKS) is Verdict.FAIL
    assert worst(CHECKS[:2]) is Verdict.WARN
    assert worst([]) is Verdict.OK
