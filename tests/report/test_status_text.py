from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from status_builders import AT, TOKEN, check, counted, credential, down, example, gitlab, jenkins

from configurator.report.columns import display_width
from configurator.report.status_text import changes_text, integration_words, status_text, summary_line
from configurator.report.webhooks_text import Look
from configurator.tokens.checks import Verdict
from configurator.tokens.watching.model import Part, Status, TokenFacts, Users

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def test_a_status_reads_like_this() -> None:
    assert (
        status_text(example(), Look())
        == """\
✓ ok       gitlab      gitlab               https://gitlab.example.com: connected as project_7_bot_1, \
project access token 'ci', expires 2026-05-24 (20 days left), last used 2026-05-03, GitLab 18.5.0-ee, \
4 applications (audit, catalog, payments and 1 more), 9 jobs
✓ ok       jenkins                          https://jenkins.example.com: connected as configurator, Jenkins 2.524
✓ ok       connection  gitlab               there, 4 applications (audit, catalog, payments and 1 more), 9 jobs
! warn     credential  gitlab-access-token  it differs from the spec: its secret, 1 application (payments), 2 jobs
               → run `configurator apply`
! warn     webhooks                         1 to create
               → mend drift
! warn     drift                            1 credential to update

Status: 3 to look at, 3 ok. 1.2 s, 5 requests to Jenkins, 12 to GitLab.
"""
    )


def test_a_server_that_is_down_says_so_once_with_its_cure() -> None:
    text = status_text(example(down(), jenkins()), Look())
    assert text.count("the connection is refused") == 1
    assert text.startswith("✗ fail     gitlab")
    assert "\n               → start it\n" in text
    assert "Status: 1 failed, 1 ok." in text


def test_what_the_line_does_not_say_stands_below_it() -> None:
    line = gitlab(
        check("gitlab:gitlab", "reachable", Verdict.OK),
        check("gitlab:gitlab", "scopes", Verdict.FAIL, "it has read_api", "make one with api"),
        check("gitlab:gitlab", "role", Verdict.UNKNOWN, "not told"),
    )
    lines = status_text(example(line), Look()).split("\n")
    assert lines[1] == "    ✗ fail     scopes: it has read_api"
    assert lines[2] == "               → make one with api"
    assert lines[3] == "    ? unknown  role: not told"
    assert "reachable" not in "".join(lines)


def test_a_cure_is_said_once() -> None:
    line = gitlab(
        check("gitlab:gitlab", "scopes", Verdict.FAIL, "it has read_api", "make another"),
        check("gitlab:gitlab", "expiry", Verdict.FAIL, "it is over", "make another"),
    )
    assert status_text(example(line), Look()).count("make another") == 1


def test_verbose_shows_what_is_in_order_and_the_warnings() -> None:
    text = status_text(example(), Look(verbose=True))
    assert "    ✓ ok       reachable: answers in 12 ms\n" in text
    assert "Warning: plugin git is old\n" in text


def test_colour_only_adds_escapes() -> None:
    for status in (example(), example(down())):
        coloured = status_text(status, Look(colour=True))
        assert ESCAPES.search(coloured)
        assert ESCAPES.sub("", coloured) == status_text(status, Look())


@pytest.mark.parametrize("width", [60, 100, 140])
def test_nothing_runs_over_the_edge_of_a_terminal(width: int) -> None:
    long = check("gitlab:gitlab", "role", Verdict.FAIL, "the role is too low in " + "shop/payments, " * 20, "ask " * 60)
    for verbose in (False, True):
        text = status_text(example(gitlab(long)), Look(width=width, verbose=verbose))
        assert max(map(display_width, text.split("\n")[:-2])) <= max(width, 80)


def test_what_servers_say_can_not_repaint_the_terminal() -> None:
    nasty = "a\x1b[2Jb\nc"
    line = replace(gitlab(check("x", "scopes", Verdict.WARN, nasty, nasty)), user=nasty, version=nasty, name=nasty)
    for text in (status_text(example(line), Look(verbose=True)), changes_text(None, example(line), Look())):
        assert "\x1b" not in text
        assert "\nc" not in text


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (TOKEN, "project access token 'ci', expires 2026-05-24 (20 days left), last used 2026-05-03"),
        (TokenFacts("personal", known=True), "personal access token, never expires"),
        (TokenFacts("group", "g", date(2026, 5, 5), known=True), "expires 2026-05-05 (1 day left)"),
        (TokenFacts("group", "g", date(2026, 5, 4), known=True), "expires 2026-05-04 (over)"),
        (TokenFacts("oauth"), "OAuth token, renews itself"),
        (TokenFacts("unknown"), "token"),
        (TokenFacts("fine-grained", "f", known=True), "fine-grained token 'f', never expires"),
    ],
)
def test_tokens_in_words(token: TokenFacts, words: str) -> None:
    assert words in integration_words(gitlab(token=token), AT.date())


def test_a_credential_of_several_gitlabs_names_them() -> None:
    line = replace(credential(Verdict.OK, "there"), users=Users((), 0, ("one", "two")))
    assert integration_words(line, AT.date()) == "there, for one, two"


def test_counts_are_separated_by_what_they_count() -> None:
    assert summary_line(example(jenkins(), requests={"jenkins": 1, "gitlab:a": 1000, "gitlab:b": 500})) == (
        "Status: 1 ok. 1.2 s, 1 request to Jenkins, 1,500 to GitLab."
    )


class TestChanges:
    def test_the_same_again_says_nothing(self) -> None:
        later = replace(
            example(gitlab(token=replace(TOKEN, last_used_at="2026-05-04T10:00:00Z")), jenkins()),
            at=AT + timedelta(days=1),
            seconds=9.0,
        )
        assert changes_text(example(gitlab(), jenkins()), later, Look()) == ""

    def test_a_verdict_that_changed_says_from_what(self) -> None:
        text = changes_text(example(gitlab(), jenkins()), example(down(), jenkins()), Look())
        assert text == (
            "2026-05-04T10:00:00+00:00 gitlab:gitlab: ok → fail: "
            "GitLab gitlab https://gitlab.example.com: the connection is refused\n"
        )

    def test_other_words_under_the_same_verdict(self) -> None:
        before = example(counted(Part.OBJECTS, Verdict.WARN, "1 job to create"))
        after = example(counted(Part.OBJECTS, Verdict.WARN, "2 jobs to create"))
        assert changes_text(before, after, Look()) == "2026-05-04T10:00:00+00:00 objects: warn: 2 jobs to create\n"

    def test_what_came_and_what_went(self) -> None:
        before, after = example(jenkins(), credential(Verdict.OK, "there")), example(jenkins(), gitlab())
        text = changes_text(before, after, Look())
        assert "gitlab:gitlab: ok: connected\n" in text
        assert "credential:gitlab-access-token: no longer there\n" in text

    def test_the_first_look_tells_everything(self) -> None:
        status: Status = example()
        assert changes_text(None, status, Look()).count("\n") == len(status.integrations)


def test_a_red_server_is_named_with_its_address_once() -> None:
    refused = replace(down(), summary="the token has expired")
    assert integration_words(refused, date(2026, 5, 4)) == "https://gitlab.example.com: the token has expired"
    assert integration_words(down(), date(2026, 5, 4)).count("https://gitlab.example.com") == 1
