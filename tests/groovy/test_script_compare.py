"""``compare.groovy`` against stand-ins for the controller."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from groovy_cases import FOREIGN, TRIGGER, Run, case, digest, disk, job, pipeline_xml

ACTIONS = "<actions><a.B><actions><y/></actions><actions/></a.B><c/></actions>"
LIVE = pipeline_xml("<secretToken>(encrypted:a)</secretToken>", around=ACTIONS)
EQUAL = {
    "token in clear": disk("a"),
    "token encrypted": disk("(encrypted:a)"),
    "actions empty": pipeline_xml("<secretToken>a</secretToken>", around="<actions/>"),
    "actions with a class": pipeline_xml("<secretToken>a</secretToken>", around='<actions class="list"/>'),
    "unknown element inside": pipeline_xml("<secretToken>a</secretToken><unknown>1</unknown>"),
    "Ünïcode": disk("a"),
}
OTHER_FIELD = pipeline_xml("<secretToken>a</secretToken>", "<triggerOnPush>false</triggerOnPush>")
ACTIONS_INSIDE = disk("a").replace("<triggerOnPush>", "<actions><b/></actions><triggerOnPush>")
DIFFERENT = {
    "another token": disk("b"),
    "no token": disk(""),
    "another field": OTHER_FIELD,
    "another class": "<project><description>d</description></project>",
    "another property plugin text": disk("a").replace(">d<", '> plugin="x@1"<'),
    "actions inside": ACTIONS_INSIDE,
    "empty actions inside": ACTIONS_INSIDE.replace("<actions><b/></actions>", "<actions/>"),
    "actions inside and behind": ACTIONS_INSIDE.replace("</flow", f"{ACTIONS}</flow"),
}
BROKEN = {
    "broken": f"<flow-definition><secretToken>hunter2{'x' * 8}</secretToken>",
    "unknown class": "<no.such.Job/>",
}
COMPARED = {**EQUAL, **DIFFERENT, **BROKEN}
COMPARE_WORLD = {
    "items": [job(name, live=LIVE) for name in COMPARED] + [job("broken live", live="<flow-"), job("text", live=LIVE)]
}
COMPARE_PAYLOAD = {
    "jobs": [{"name": name, "xml": xml} for name, xml in {**COMPARED, "absent": disk("a")}.items()]
    + [{"name": "broken live", "xml": disk("a")}]
}
COMPARE = case("compare", "many", COMPARE_WORLD, COMPARE_PAYLOAD)
COMPARE_OLD = case("compare", "before Jakarta EE", COMPARE_WORLD, COMPARE_PAYLOAD, old_stapler=True)
COMPARE_LARGE = case(
    "compare",
    "a large payload",
    {"items": [job("text", live=LIVE)]},
    {"jobs": [{"name": "text", "xml": disk("a") + f"<!-- {'x' * 70_000} -->"}]},
)
COMPARE_FOREIGN = case(
    "compare",
    "ciphertext that nobody can read",
    {"items": [job("text", live=pipeline_xml(f"<k>{FOREIGN}</k>"))]},
    {"jobs": [{"name": "text", "xml": pipeline_xml(f"<k>{FOREIGN}</k>")}]},
)


class TestCompare:
    @pytest.mark.parametrize("name", EQUAL)
    def test_equal(self, run: Callable[[str], Run], name: str) -> None:
        assert run(COMPARE).named("results")[name] == {"name": name, "equal": True}

    @pytest.mark.parametrize("name", DIFFERENT)
    def test_different(self, run: Callable[[str], Run], name: str) -> None:
        result = run(COMPARE).named("results")[name]
        assert set(result) == {"name", "wanted", "live"}
        assert result["wanted"] != result["live"]

    def test_texts_of_a_difference(self, run: Callable[[str], Run]) -> None:
        result = run(COMPARE).named("results")["another token"]
        for text, token in ((result["wanted"], "b"), (result["live"], "a")):
            assert text == "\n".join(
                (
                    "<flow-definition>",
                    "  <description>d</description>",
                    "  <properties>",
                    f"    <{TRIGGER}>",
                    "      <triggerOnPush>true</triggerOnPush>",
                    f"      <secretToken>{{digest:{digest(token)}}}</secretToken>",
                    f"    </{TRIGGER}>",
                    "  </properties>",
                    "</flow-definition>",
                )
            )

    def test_actions_that_are_not_the_roots_stay(self, run: Callable[[str], Run]) -> None:
        results = run(COMPARE).named("results")
        assert "      <actions>\n        <b/>\n      </actions>" in results["actions inside"]["wanted"]
        assert "      <actions/>" in results["empty actions inside"]["wanted"]
        assert results["actions inside and behind"]["wanted"] == results["actions inside"]["wanted"]

    def test_broken_xml_names_the_place_and_quotes_nothing(self, run: Callable[[str], Run]) -> None:
        result = run(COMPARE).named("results")["broken"]
        assert result == {"name": "broken", "error": "StreamException: unexpected end at line 3, column 14"}
        assert "hunter2" not in run(COMPARE).output

    def test_unknown_class(self, run: Callable[[str], Run]) -> None:
        result = run(COMPARE).named("results")["unknown class"]
        assert result == {"name": "unknown class", "error": "CannotResolveClassException: no.such.Job"}

    def test_live_job_that_can_not_be_written(self, run: Callable[[str], Run]) -> None:
        assert "error" in run(COMPARE).named("results")["broken live"]

    def test_missing(self, run: Callable[[str], Run]) -> None:
        assert run(COMPARE).named("results")["absent"] == {"name": "absent", "missing": True}

    def test_every_job_has_its_result_and_nothing_is_touched(self, run: Callable[[str], Run]) -> None:
        assert [found["name"] for found in run(COMPARE).answer["results"]] == [
            *COMPARED,
            "absent",
            "broken live",
        ]
        assert run(COMPARE).effects == []

    def test_old_controller_answers_the_same(self, run: Callable[[str], Run]) -> None:
        assert run(COMPARE_OLD).answer == run(COMPARE).answer

    @pytest.mark.parametrize("name", [COMPARE_LARGE, COMPARE_FOREIGN])
    def test_is_equal(self, run: Callable[[str], Run], name: str) -> None:
        assert run(name).answer["results"] == [{"name": "text", "equal": True}]
