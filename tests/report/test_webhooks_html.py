from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import time
from html.parser import HTMLParser

import pytest
from hook_builders import GITLAB, JENKINS, finding, picture

from configurator.report.webhooks_diagram import MOST_LINES, diagram_of
from configurator.report.webhooks_html import Addresses, picture_html
from configurator.webhooks.model import Delivery, Finding, HookClass, Integration

C = HookClass
WHEN = "2026-05-04T10:00:00+00:00"
EVIL = "</script><img src=x onerror=alert(1)>\"'&<!--"
VOID = {"meta", "input", "br", "img", "link"}


class Page(HTMLParser):
    """What a browser would see: elements, their attributes, whether all are closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self.open[-1] if self.open else "", []).append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page(*findings: Finding, addresses: Addresses | None = None, **more) -> str:
    seen = picture(*findings, **more)
    return picture_html(seen, seen.findings, addresses or Addresses(JENKINS, {"gitlab": GITLAB}), WHEN)


def data_of(text: str) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1])


def test_the_page_is_whole_and_loads_nothing() -> None:
    text = page(finding(C.ORPHANED), finding(), warnings=("w",), problems=("p",))
    parsed = Page(text)
    assert parsed.open == []
    assert not {"link", "img", "iframe", "object", "form"} & {name for name, _ in parsed.elements}
    assert not any("src" in attributes for _, attributes in parsed.elements)
    assert not any(name.startswith("on") or name == "style" for _, found in parsed.elements for name in found)
    assert "url(" not in text
    assert "@import" not in text


def test_only_our_own_style_and_script_may_run() -> None:
    parsed = Page(text := page(finding()))
    policy = next(one["content"] for one in parsed.all("meta") if one.get("http-equiv"))
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for opening, directive in (("<style>", "style-src"), ("<script>", "script-src")):
        content = text.split(opening, 1)[1].split("</", 1)[0] if opening == "<style>" else ""
        if opening == "<script>":
            content = text.rsplit(opening, 1)[1].rpartition("</script>")[0]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy


def test_hostile_names_stay_text() -> None:
    evil = finding(C.FAILING, EVIL, EVIL, evidence=EVIL, url=f"{JENKINS}/project/{EVIL}", id_=3)
    integration = Integration("gitlab", EVIL, 7, EVIL, None, (f"{EVIL}_events",), (3,))
    text = page(evil, problems=(EVIL,), warnings=(EVIL,), integrations=(integration,))
    parsed = Page(text)
    assert parsed.open == []
    assert "<img" not in text
    assert len(parsed.all("script")) == 2
    assert data_of(text)["rows"][0][2] == EVIL
    assert html.escape(EVIL, quote=False)[:20] in text


def test_escapes_and_direction_marks_are_shown_not_obeyed() -> None:
    text = page(finding(C.ORPHANED, "a\u202eb\x1b", "c\u2028d", evidence="e\x00"))
    assert not re.search("[\u202e\u2028\x1b\x00]", text)
    assert data_of(text)["rows"][0][2] == "a\\u202eb\\x1b"


def test_what_stands_at_the_top() -> None:
    text = page(finding(C.ORPHANED), finding(C.ORPHANED, id_=2), finding())
    assert "<h1>Webhooks of platform</h1>" in text
    assert JENKINS in text
    assert GITLAB in text
    assert WHEN in text
    assert "12 projects, 3 hooks" in text
    assert '<span class="number">2</span> <span class="name">orphaned</span>' in text
    assert "not complete" not in text
    holes = page(finding(), problems=tuple(f"problem {at}" for at in range(103)))
    assert "This picture is not complete" in holes
    assert "problem 99</li>" in holes
    assert "… and 3 more" in holes


def test_user_info_of_an_address_is_not_shown_and_not_linked() -> None:
    text = page(finding(), addresses=Addresses("https://bob:pw@jenkins.example.com", {"gitlab": "ftp://gitlab"}))
    assert "pw@" not in text
    assert "***@jenkins.example.com" in text
    data = data_of(text)
    assert data["jenkins"] == ""
    assert data["gitlabs"] == [{"name": "gitlab", "url": ""}]


def test_rows_are_the_worst_first_with_all_that_the_table_shows() -> None:
    failing = finding(C.FAILING, id_=4, also=(C.STALE,), deliveries=(Delivery("500", "", "push_hooks"),) * 9)
    by_hand = finding(C.UNMANAGED, job=None, owner=None, id_=5, gitlab="other", created_at=None)
    text = page(finding(), by_hand, failing, addresses=Addresses(JENKINS, {"gitlab": GITLAB, "other": GITLAB}))
    data = data_of(text)
    assert [data["classes"][row[0]] for row in data["rows"]] == ["failing", "unmanaged", "live"]
    assert data["rows"][0][10:] == ["stale", "500 500 500 500 500 500 500 500"]
    assert data["gitlabs"][data["rows"][1][1]]["name"] == "other"
    assert data["rows"][1][4] == data["rows"][1][8] == data["rows"][1][9] == ""
    assert "(other)" in text


def test_without_scripts_what_is_wrong_is_there() -> None:
    many = [finding(C.LIVE, id_=at) for at in range(1, 1001)]
    text = page(*many, finding(C.ORPHANED, id_=5000))
    plain = re.search(r'<noscript id="plain">(.*)</noscript>', text, re.DOTALL)[1]
    assert "hook 5000<" in plain
    assert "shows 1,000 of 1,001 hooks" in plain
    assert "<p class" not in re.search(r'<noscript id="plain">(.*)</noscript>', page(finding()), re.DOTALL)[1]


def test_a_page_without_hooks() -> None:
    text = page()
    assert Page(text).open == []
    assert "Which projects feed which jobs" not in text


@pytest.mark.parametrize("style", ["light", "dark"])
def test_texts_have_contrast(style: str) -> None:
    """WCAG AA: 4.5 to 1 for texts, in both schemes."""
    css = page().split("<style>")[1].split("</style>")[0]
    roots = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", roots[0 if style == "light" else 1]))
    assert set(colours) >= {one.value for one in HookClass}
    for name in ("text", "faint", "link", *(one.value for one in HookClass)):
        for ground in ("card", "page"):
            assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)


def contrast(one: str, two: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def world(number: int) -> list[Finding]:
    classes = [C.ORPHANED, C.FAILING, C.UNMANAGED, *[C.LIVE] * 17]
    return [
        finding(
            classes[at % 20],
            f"group{at % 50}/sub{at % 3}/project{at // 3}",
            f"folder{at // 3}/JOB-{at % 3}",
            id_=at + 1,
        )
        for at in range(number)
    ]


def test_fifteen_thousand_hooks_are_quick_and_small() -> None:
    findings = world(15_000)
    began = time.perf_counter()
    text = page(*findings)
    assert time.perf_counter() - began < 5
    assert len(text) < 6_000_000
    assert len(data_of(text)["rows"]) == 15_000
    assert len(Page(text).all("path")) <= MOST_LINES


def test_a_few_hooks_have_a_line_each_and_foreign_ones_none() -> None:
    drawn = diagram_of(
        [finding(C.ORPHANED), finding(C.LIVE, job="a/b"), finding(C.UNMANAGED, "other/x", None), finding(C.FOREIGN)]
    )
    assert [node.name for node in drawn.left] == ["shop/payments", "other/x"]
    assert {node.name for node in drawn.right} == {"payments/MAIN-Build-payments", "a/b", "(no job)"}
    assert [line.cls for line in drawn.lines] == [C.LIVE, C.UNMANAGED, C.ORPHANED]
    assert not drawn.summed
    assert drawn.left[0].cls is C.ORPHANED
    assert drawn.left[0].number == 2
    assert "shop/payments → a/b: 1 live" in [line.title for line in drawn.lines]


def test_two_hooks_between_the_same_are_one_thicker_line() -> None:
    one = diagram_of([finding(C.DUPLICATE)])
    two = diagram_of([finding(C.DUPLICATE), finding(C.DUPLICATE, id_=2)])
    assert len(two.lines) == 1
    assert two.lines[0].width > one.lines[0].width
    assert two.summed


def test_several_gitlabs_in_the_diagram() -> None:
    drawn = diagram_of([finding(), finding(gitlab="other")])
    assert [node.name for node in drawn.left] == ["gitlab:shop/payments", "other:shop/payments"]


@pytest.mark.parametrize("number", [1, 40, 61, 300, 3_000])
def test_any_number_of_hooks_stays_readable_and_none_is_lost(number: int) -> None:
    findings = world(number)
    drawn = diagram_of(findings)
    assert 1 <= len(drawn.lines) <= MOST_LINES
    assert sum(node.number for node in drawn.left) == sum(node.number for node in drawn.right) == number
    for line in drawn.lines:
        start, end = (float(found) for found in re.findall(r" (\d+\.\d)(?=C|$)", line.path))
        assert 0 <= start <= drawn.height
        assert 0 <= end <= drawn.height


def test_what_is_wrong_keeps_its_name_longest() -> None:
    findings = [
        finding(C.ORPHANED, "shop/broken", "gone/job", id_=9999),
        *[one for one in world(3_000) if one.cls is C.LIVE],
    ]
    drawn = diagram_of(findings)
    assert drawn.left[0].name == "shop/broken"
    assert "gone/job" in [node.name for node in drawn.right]
    assert {node.name[-2:] for node in drawn.left[1:]} == {"/…"}


def test_groups_with_one_folder_keep_its_name() -> None:
    findings = [finding(C.ORPHANED, f"g{at}/p", f"f{at}/j", id_=at + 1) for at in range(60)]
    names = [node.name for node in diagram_of(findings).right]
    assert "f0/…" in names
    assert names[-1] == "(other folders)"
