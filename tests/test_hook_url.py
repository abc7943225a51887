"""URLs of webhooks: a job is found in them whatever became of them, a password never."""

from __future__ import annotations

from unicodedata import normalize
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from configurator.clients.jenkins import hook_path
from configurator.hook_url import (
    UNREADABLE,
    Address,
    Reading,
    job_of,
    mask_user_info,
    read_address,
    shown_server,
    shown_url,
)

J = ["https://j.example"]
PORT = ["https://j.example:8443"]
CONTEXT = ["https://j.example/ci"]
PLAIN = ["http://j.example"]
MOVED = ["https://new.example/ci", "http://j.example:8080", "https://j.example"]
NESTED = ["https://j.example", "https://j.example/ci", "https://j.example/ci/blue"]
NFC, NFD = "größe", normalize("NFD", "größe")


def told(address: Address | None) -> str:
    """An address in one line; jobs that the endpoint does not reach are in brackets."""
    if address is None:
        return "foreign"
    readings = " | ".join(one.job if one.works else f"({one.job})" for one in address.readings)
    scheme = "" if address.scheme == address.expected_scheme else f" by {address.scheme}"
    other = f" calls {address.other}" if address.other else ""
    return f"{'' if address.current else 'former '}{readings or '-'}{scheme}{other}"


TABLE = [
    # the plain form, and what means nothing in it
    ("https://j.example/project/a", J, "a"),
    ("https://j.example/project/a", ["https://j.example/"], "a"),
    ("https://j.example/project/a", ["https://j.example//"], "a"),
    ("https://j.example/project/a/b/c", J, "a/b/c"),
    ("https://j.example/project/a/", J, "a"),
    ("https://j.example/project/a//", J, "a"),
    ("https://j.example//project//a//b", J, "a/b"),
    ("https://j.example/project/./a/x/../b", J, "a/b"),
    ("https://j.example/project/%2e/a/x/%2E%2e/b", J, "a/b"),
    ("https://j.example/project/a?configurator=platform&key=01234567", J, "a"),
    ("https://j.example/project/a?", J, "a"),
    ("https://j.example/project/a/?x=/project/b", J, "a"),
    ("https://j.example/project/a#top", J, "a"),
    ("https://j.example/project/a;jsessionid=1;x/b;y", J, "a/b"),
    (" https://j.example/project/a", J, "a"),
    ("https://j.example/project/a\n", J, "a"),
    # user info, letter case, hosts
    ("https://ann:p%40ss@j.example/project/a", J, "a"),
    ("https://ann@j.example/project/a", J, "a"),
    ("https://a@b:c@j.example/project/a", J, "a"),
    ("HTTPS://J.Example/project/a", J, "a"),
    ("https://j.example/project/a", ["HTTPS://J.EXAMPLE"], "a"),
    ("https://j.example./project/a", J, "a"),
    ("https://j.example/project/a", ["https://j.example./"], "a"),
    ("https://j%2Eexample/project/a", J, "a"),
    ("https://j.example.org/project/a", J, "foreign"),
    ("https://xj.example/project/a", J, "foreign"),
    ("https://bücher.example/project/a", ["https://xn--bcher-kva.example"], "a"),
    ("https://XN--BCHER-KVA.example/project/a", ["https://Bücher.example"], "a"),
    (f"https://{normalize('NFD', 'bücher')}.example/project/a", ["https://bücher.example"], "a"),
    ("https://xn--strae-oqa.example/project/a", ["https://straße.example"], "a"),
    ("https://xn--99999999999.example/project/a", ["https://xn--99999999999.example"], "a"),
    ("https://xn--bcher-kva.example/project/a", ["https://bucher.example"], "foreign"),
    ("http://[::1]:8080/project/a", ["http://[::1]:8080"], "a"),
    ("http://[0:0:0:0:0:0:0:1]:8080/project/a", ["http://[::1]:8080"], "a"),
    ("http://[2001:DB8::A]/project/a", ["http://[2001:db8:0::a]"], "a"),
    ("http://[::2]:8080/project/a", ["http://[::1]:8080"], "foreign"),
    ("http://127.0.0.1/project/a", ["http://localhost"], "foreign"),
    # ports and schemes
    ("https://j.example:443/project/a", J, "a"),
    ("https://j.example/project/a", ["https://j.example:443"], "a"),
    ("https://j.example:/project/a", J, "a"),
    ("http://j.example/project/a", J, "a by http"),
    ("http://j.example:80/project/a", J, "a by http"),
    ("http://j.example:443/project/a", J, "a by http"),
    ("https://j.example/project/a", PLAIN, "a by https"),
    ("https://j.example:8443/project/a", PORT, "a"),
    ("http://j.example:8443/project/a", PORT, "a by http"),
    ("https://j.example/project/a", PORT, "foreign"),
    ("https://j.example:8444/project/a", PORT, "foreign"),
    ("ftp://j.example/project/a", J, "foreign"),
    ("//j.example/project/a", J, "foreign"),
    ("j.example/project/a", J, "foreign"),
    # context paths and several roots
    ("https://j.example/ci/project/a", CONTEXT, "a"),
    ("https://j.example//ci//project/a", CONTEXT, "a"),
    ("https://j.example/%63i/project/a", CONTEXT, "a"),
    ("https://j.example/project/a", CONTEXT, "foreign"),
    ("https://j.example/CI/project/a", CONTEXT, "foreign"),
    ("https://j.example/cicd/project/a", CONTEXT, "foreign"),
    ("https://j.example/ci/project/a", J, "- calls /ci/project/a"),
    ("https://new.example/ci/project/a", MOVED, "a"),
    ("http://j.example:8080/project/a", MOVED, "former a"),
    ("http://j.example/project/a", MOVED, "former a by http"),
    ("https://j.example:8081/project/a", MOVED, "foreign"),
    ("https://j.example/project/a", NESTED, "a"),
    ("https://j.example/ci/project/a", NESTED, "former a"),
    ("https://j.example/ci/blue/project/a", NESTED, "former a"),
    ("https://j.example/ci/project/a", NESTED[::-1], "former a"),
    ("https://j.example/ci/blue/project/a", NESTED[::-1], "a"),
    ("http://j.example/project/a", ["https://j.example", "http://j.example"], "a by http"),
    ("https://j.example/project/a", [], "foreign"),
    ("https://j.example/project/a", ["http://[broken", "", "https://j.example"], "former a"),
    # names
    ("https://j.example/project/a%20b/c%20d", J, "a b/c d"),
    ("https://j.example/project/a b", J, "a b"),
    ("https://j.example/project/a+b", J, "a+b | (a b)"),
    ("https://j.example/project/a%2Bb", J, "a+b | (a b)"),
    (f"https://j.example/project/{quote(NFC)}", J, f"{NFC} | ({NFD})"),
    (f"https://j.example/project/{quote(NFD)}", J, f"{NFD} | ({NFC})"),
    (f"https://j.example/project/{NFC}", J, f"{NFC} | ({NFD})"),
    ("https://j.example/project/gr%F6%DFe", J, f"{NFC} | ({NFD})"),
    ("https://j.example/project/日本/%E6%97%A5", J, "日本/日"),
    ("https://j.example/project/svc/feature%252Fx", J, "svc/feature%2Fx | (svc/feature/x)"),
    ("https://j.example/project/svc/feature%2Fx", J, "svc/feature/x"),
    ("https://j.example/project/svc%2Fmain", J, "svc/main"),
    ("https://j.example/project/a%2520b", J, "a%20b | (a b)"),
    ("https://j.example/project/a%252520b", J, "a%2520b | (a%20b) | (a b)"),
    ("https://j.example/project/a%252Bb", J, "a%2Bb | (a+b) | (a b)"),
    ("https://j.example/project/100%25", J, "100%"),
    ("https://j.example/project/100%", J, "100%"),
    ("https://j.example/project/a%3Bb", J, "a;b"),
    ("https://j.example/project/a%252F", J, "a%2F | (a)"),
    ("https://j.example/project/a&b=c", J, "a&b=c"),
    ("https://j.example/project/%7Bname%7D", J, "{name}"),
    # an item's page, which the endpoint does not know; and folders of those names
    ("https://j.example/job/a", J, "(a)"),
    ("https://j.example/job/a/job/b/", J, "(a/b)"),
    ("https://j.example/ci/job/a%20b/job/c", CONTEXT, "(a b/c)"),
    ("https://j.example/job/job/job/view", J, "(job/view)"),
    ("https://j.example/view/V/job/a", J, "(a)"),
    ("https://j.example/view/V/view/W/job/a/view/X/job/b", J, "(a/b)"),
    ("https://j.example/job/svc/job/feature%252Fx", J, "(svc/feature%2Fx) | (svc/feature/x)"),
    ("https://j.example/project/job/a/job/b", J, "job/a/job/b | (a/b)"),
    ("https://j.example/project/job/x", J, "job/x | (x)"),
    ("https://j.example/project/a/job/b", J, "a/job/b | (a/b)"),
    ("https://j.example/project/job/a/b", J, "job/a/b | (a/b)"),
    ("https://j.example/project/view/V/job/a", J, "view/V/job/a | (a)"),
    ("https://j.example/project/view/x", J, "view/x"),
    ("https://j.example/project/job", J, "job"),
    ("https://j.example/project/project/a", J, "project/a"),
    ("https://j.example/project/project", J, "project"),
    # no job's endpoint
    ("https://j.example", J, "- calls /"),
    ("https://j.example/", J, "- calls /"),
    ("https://j.example/project", J, "- calls /project"),
    ("https://j.example/project/", J, "- calls /project"),
    ("https://j.example/project/?job=a", J, "- calls /project"),
    ("https://j.example/Project/a", J, "- calls /Project/a"),
    ("https://j.example/job/", J, "- calls /job"),
    ("https://j.example/view/V", J, "- calls /view/V"),
    ("https://j.example/job/a/job/b/build?token=secret", J, "(a/b) | (a/b/build) calls /job/a/job/b/build"),
    ("https://j.example/job/a/b", J, "(a) | (a/b) calls /job/a/b"),
    ("https://j.example/github-webhook/", J, "- calls /github-webhook"),
    ("https://j.example/generic-webhook-trigger/invoke?token=x", J, "- calls /generic-webhook-trigger/invoke"),
    ("https://j.example/git/notifyCommit?url=u", J, "- calls /git/notifyCommit"),
    ("http://j.example:8080/gitlab/notify_commit", MOVED, "former - calls /gitlab/notify_commit"),
    ("https://j.example/project/../../..", J, "- calls /"),
    # what GitLab hides, and what was never a URL
    ("https://j.example/project/{name}", J, "- calls /project/{name}"),
    ("https://j.example/{where}/a-{b.c}", J, "- calls /{where}/a-{b.c}"),
    ("https://{user}:{password}@j.example/project/a?t={t}", J, "a"),
    ("https://{host}/project/a", J, "foreign"),
    ("https://j.example:port/project/a", J, "foreign"),
    ("https://j.example:99999999/project/a", J, "foreign"),
    ("https://[broken/project/a", J, "foreign"),
    ("https:///project/a", J, "foreign"),
    ("https://j.example\uff0fproject/a", J, "foreign"),
    ("", J, "foreign"),
]


@pytest.mark.parametrize(("url", "roots", "expected"), TABLE)
def test_what_a_url_says(url: str, roots: list[str], expected: str) -> None:
    assert told(read_address(url, roots)) == expected
    assert told(read_address(url, iter(roots))) == expected


def test_the_table_is_long_and_without_repetition() -> None:
    rows = {(url, tuple(roots)) for url, roots, _ in TABLE}
    assert len(rows) == len(TABLE) >= 80


def test_the_root_is_told_as_it_was_given() -> None:
    address = read_address("http://j.example/ci/project/a", ["https://k.example", "HTTPS://J.example:443/ci//"])
    assert address is not None
    assert (address.root, address.job) == ("HTTPS://J.example:443/ci//", "a")
    nothing = read_address("https://k.example", ["https://k.example"])
    assert nothing is not None and nothing.job is None


@pytest.mark.parametrize(
    ("url", "job"),
    [
        ("https://j.example/project/job/x", "job/x"),
        ("http://j.example/project/svc/feature%252Fx", "svc/feature%2Fx"),
        ("https://j.example/job/a", None),  # reaches no job, so it is not in the way of one that does
        ("https://j.example/job/a/build", None),
        ("https://j.example/project/", None),
        ("https://k.example/project/a", None),
    ],
)
def test_a_hook_is_a_jobs_where_it_reaches_it(url: str, job: str | None) -> None:
    assert job_of(url, J) == job


# ---- for every name that Jenkins takes

NAMES = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters='/*?%.<>|[]:;@!#$&^\\"'), min_size=1, max_size=8
).filter(lambda name: name == name.strip())
ODD = st.sampled_from(
    ["job", "view", "project", "feature%2Fx", "50%25", "%2e%2e", "a+b", "{x}", NFC, NFD, "x.y", "build"]
)
FULL_NAMES = st.lists(NAMES | ODD, min_size=1, max_size=4).map("/".join)
USER_INFO = st.sampled_from(["", "ann@", "ann:p%40ss@"])
TAILS = st.sampled_from(["", "/", "//", "?configurator=platform&key=01234567", "/?x=1", "#top"])


@given(FULL_NAMES, USER_INFO, TAILS, st.booleans(), st.sampled_from(["", "/jenkins", "/a/b"]), st.integers(1024, 65535))
def test_a_hooks_url_means_the_job_that_it_was_made_for(
    name: str, user: str, tail: str, upper: bool, context: str, port: int
) -> None:
    host = "JENKINS.Example.com" if upper else "jenkins.example.com"
    url = f"https://{user}{host}:{port}{context}{hook_path(name)}{tail}"
    assert job_of(url, [f"http://jenkins.example.com:{port}{context}/"]) == name
    assert job_of(url, ["http://elsewhere.example.com", f"http://jenkins.example.com:{port}{context}"]) == name
    assert job_of(url, [f"http://jenkins.example.com:{port % 65535 + 1}{context}"]) is None
    assert job_of(url, [f"http://jenkins.example.com:{port}{context}/more"]) is None


@given(FULL_NAMES, st.sampled_from(["https://j.example", "http://j.example:8080/ci/", "http://[::1]/a/b"]))
def test_what_is_made_is_read_back(name: str, root: str) -> None:
    address = read_address(root.rstrip("/") + hook_path(name), [root, "https://former.example"])
    assert address is not None
    assert (address.readings[0].job, address.readings[0].works) == (name, True)
    assert address.current and not address.other and address.scheme == address.expected_scheme
    jobs = [one.job for one in address.readings]
    assert len(jobs) == len(set(jobs))
    assert not any(one.works for one in address.readings[1:])


@given(st.text(max_size=40) | st.text("htps:/@[]?#%{}.;&=+\\j\t\n ", max_size=40).map("https://j.example/".__add__))
@example("https://j.example/%")
@example("https://[")
def test_whatever_stands_in_gitlab_can_be_read_and_shown(url: str) -> None:
    read_address(url, [*J, url])
    job_of(url, [url])
    shown_url(url)


# ---- for people


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ann:secret@j.example/project/a", "https://***@j.example/project/a"),
        ("https://ann@j.example", "https://***@j.example"),
        ("https://a@b:c@j/x?y=1", "https://***@j/x?y=1"),
        ("https://j/project/a", "https://j/project/a"),
        ("https://j/project/a@b", "https://j/project/a@b"),
        ("http://u:secret@[broken/project/a", UNREADABLE),
        ("http://u:sec/ret@j/project/a", UNREADABLE),
        ("http://[broken/project/a", "http://[broken/project/a"),
        ("http:///ann:secret@j/project/a", "http:///***@j/project/a"),
        ("ann:secret@j/project/a", "ann:***@j/project/a"),
        ("ht\ttp://ann:secret@j/\nproject/a ", "http://***@j/project/a"),
        ("", ""),
    ],
)
def test_user_info_is_masked(url: str, shown: str) -> None:
    assert mask_user_info(url) == shown
    assert shown_url(url) == shown


@pytest.mark.parametrize(
    ("tail", "shown"),
    [
        ("?token=abc&x=1", "?token=***&x=1"),
        ("?x=1&private_token=abc", "?x=1&private_token=***"),
        ("?X-Api-KEY=abc;Password=abc", "?X-Api-KEY=***;Password=***"),
        ("?client%5Fs%65cret=abc", "?client%5Fs%65cret=***"),
        ("?token=", "?token="),
        ("?token", "?token"),
        ("?name=abc#access_token=abc", "?name=abc#access_token=***"),
        (";token=abc", ";token=***"),
        ("?configurator=platform&key=01234567", "?configurator=platform&key=01234567"),
        ("?key=01234567&configurator=platform", "?key=01234567&configurator=platform"),
        ("?configurator=platform&key=0123456789", "?configurator=platform&key=***"),
        ("?key=01234567", "?key=***"),
        ("?url=https://oauth2:abc@gitlab.example/p.git", "?url=***"),
        ("?url=https%3A%2F%2Foauth2%3Aabc%40gitlab.example%2Fp.git&x=1", "?url=***&x=1"),
        ("?mail=ann@example.com", "?mail=ann@example.com"),
    ],
)
def test_values_that_sound_like_a_secret_are_masked(tail: str, shown: str) -> None:
    assert shown_url(f"https://j/project/a{tail}") == f"https://j/project/a{shown}"


PASSWORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).map(lambda text: f"hunter{text}2")


@given(FULL_NAMES, PASSWORDS, st.booleans(), st.sampled_from(["", "?token={}", "?a=1&secret={}#x", ";key={}"]))
def test_no_password_is_shown(name: str, password: str, raw: bool, tail: str) -> None:
    written = password if raw else quote(password, safe="")
    url = f"https://ann:{written}@j.example{hook_path(name)}{tail.format(quote(password, safe=''))}"
    for shown in (shown_url(url), shown_url(url.upper())):
        assert "hunter" not in shown.lower()


@pytest.mark.parametrize(
    ("tail", "shown"),
    [
        ("?pass=hunter2", "?pass=***"),
        ("?pw=hunter2&x=1", "?pw=***&x=1"),
        ("?sv=1&sig=hunter2", "?sv=1&sig=***"),
        ("?code=hunter2", "?code=***"),
        ("%3Ftoken%3Dhunter2", "%3Ftoken%3D***"),  # encoded together with the path
        ("%3fx%3D1%26token=hunter2/on", "%3fx%3D1%26token=***/on"),
        ("%3Fx%3D1", "%3Fx%3D1"),
        ("/https://bob:hunter2@j/project/b", "/https://***@j/project/b"),
        ("/https%3A%2F%2Fbob%3Ahunter2%40j%2Fproject", "/https%3A%2F%2F***%40j%2Fproject"),
    ],
)
def test_secrets_in_odd_places_are_masked(tail: str, shown: str) -> None:
    assert shown_url(f"https://j/project/a{tail}") == f"https://j/project/a{shown}"


def test_a_query_that_was_encoded_is_no_part_of_the_name() -> None:
    """It reaches nothing, and may hold a secret that no message shall quote."""
    for query in ("%3Ftoken%3Dhunter2", "%253Ftoken%253Dhunter2"):
        address = read_address(f"https://j/project/a/b{query}", ["https://j"])
        assert address is not None
        assert Reading("a/b", works=False) in address.readings
    once = read_address("https://j/project/a%3Ftoken%3Dhunter2", ["https://j"])
    assert once is not None and "hunter2" not in repr(once)
    page = read_address("https://j/github-webhook%3Ftoken%3Dhunter2", ["https://j"])
    assert page is not None and page.other == "/github-webhook"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://hooks.chat.example.com/services/T0/B0/hunter2", "https://hooks.chat.example.com/…"),
        ("https://bob:hunter2@example.com:8443/?x=hunter2", "https://***@example.com:8443/…"),
        ("https://example.com/", "https://example.com/"),
        ("https://example.com", "https://example.com"),
        ("hunter2", UNREADABLE),
        ("https:hunter2", UNREADABLE),
        ("http://[hunter2@x", UNREADABLE),
    ],
)
def test_of_strangers_only_the_server_is_shown(url: str, shown: str) -> None:
    assert shown_server(url) == shown
