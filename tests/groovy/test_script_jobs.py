"""``jobs.groovy`` against stand-ins for the controller, and whether the embedded Jenkins answers alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from groovy_cases import FOLDER, FREESTYLE, PIPELINE, SALT, TRIGGER, Run, case, digest, job

from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.jenkins import jobs as embedded

MULTIBRANCH = "com.cloudbees.hudson.plugins.folder.MultiBranchProject"
ORGANIZATION = "com.cloudbees.hudson.plugins.folder.OrganizationFolder"
DAMAGED_FOLDER = "com.cloudbees.hudson.plugins.folder.DamagedFolder"
MATRIX = "hudson.model.MatrixProject"
DAMAGED = "hudson.model.DamagedProject"
MARK = "Managed by configurator (platform) gitlab=gitlab project=7"
LABELS = {"class": "com.dabsquared.gitlabjenkins.MergeRequestLabelFilterConfig", "include": "ok"}


def trigger(**fields: Any) -> dict[str, Any]:
    return {"class": TRIGGER, **fields}


FULL = trigger(
    triggerOnPush=True,
    triggerOpenMergeRequestOnPush="both",
    noteRegex="büild|it",
    delay=7,
    mergeRequestLabelFilterConfig=LABELS,
    foreign={"class": "hudson.triggers.Trigger"},
    **{"(secret)secretToken": "tökén", "(secret)other": "hunter2"},
)
WORLD: dict[str, Any] = {
    "items": [
        job("plain", disk="<x/>", description=f"about\n\n {MARK} \n\n", disabled=True),
        job("ü/full", triggers=[{"class": "hudson.triggers.TimerTrigger"}, FULL]),
        {"class": FOLDER, "fullName": "ü", "description": f"{MARK}\nno longer the last line"},
        {"class": FREESTYLE, "fullName": "empty", "triggers": [trigger(**{"(secret)secretToken": ""})]},
        {"class": FREESTYLE, "fullName": "none", "triggers": [trigger()]},
        job("old", triggers=[{"class": "com.dabsquared.gitlabjenkins.OldTrigger", "plain": "in clear"}]),
        {"class": FREESTYLE, "fullName": "timed", "triggers": [{"class": "hudson.triggers.TimerTrigger"}]},
        {"class": MULTIBRANCH, "fullName": "multi"},
        job("multi/main"),
        {"class": ORGANIZATION, "fullName": "org"},
        {"class": MULTIBRANCH, "fullName": "org/repo"},
        job("org/repo/main"),
        {"class": MATRIX, "fullName": "matrix"},
        {"class": FREESTYLE, "fullName": "matrix/axis=1"},
        {"class": "hudson.model.ExternalJob", "fullName": "external"},
        {"class": "hudson.model.PlainItem", "fullName": "bare"},
    ]
}
WHOLE = case("jobs", "everything", WORLD, {})
OLD = case("jobs", "before Jakarta EE", WORLD, {}, old_stapler=True)
BROKEN = case(
    "jobs",
    "damaged",
    {
        "items": [
            {"class": DAMAGED, "fullName": "damaged", "description": MARK},
            {"class": DAMAGED_FOLDER, "fullName": "shut"},
            job("shut/in"),
            job("well"),
        ]
    },
    {},
)
UNLOADED = case(
    "jobs",
    "on the disk only",
    {
        "items": [
            {"class": FOLDER, "fullName": "f"},
            job("f/Well"),
            {"class": FOLDER, "fullName": "f/sub"},
            {"class": MULTIBRANCH, "fullName": "multi"},
            {"class": DAMAGED_FOLDER, "fullName": "shut"},
            job("top"),
        ],
        "home": [
            "top/config.xml",
            "lost/config.xml",
            "lost/jobs/in/config.xml",
            "rest/builds/1/log",  # left behind by a deletion
            "a file",
            "f/jobs/well/config.xml",
            "f/jobs/lost too/config.xml",
            "f/jobs/sub/jobs/deep/config.xml",
            "multi/jobs/x/config.xml",
            "shut/jobs/x/config.xml",
        ],
    },
    {},
)
BARE = case("jobs", "no plugin at all", {"items": [{"class": FREESTYLE, "fullName": "f"}]}, {}, without_plugins=True)
MANY = case("jobs", "many", {"items": [job(f"MAIN-Build-{n}", description=f"d\n{MARK}") for n in range(2_000)]}, {})


class TestJobs:
    def test_classes(self, run: Callable[[str], Run]) -> None:
        found = run(WHOLE).named("items")
        assert {name: one["class"] for name, one in found.items()} == {
            item["fullName"]: item["class"] for item in WORLD["items"] if item["fullName"] != "matrix/axis=1"
        }
        assert run(WHOLE).answer["unlisted"] == []

    def test_a_job_without_a_trigger_is_short(self, run: Callable[[str], Run]) -> None:
        found = run(WHOLE).named("items")
        assert found["plain"] == {"name": "plain", "class": PIPELINE, "mark": MARK, "disabled": True}
        assert found["timed"] == {"name": "timed", "class": FREESTYLE, "mark": None, "disabled": False}

    def test_disabled_only_where_the_class_has_it(self, run: Callable[[str], Run]) -> None:
        found = run(WHOLE).named("items")
        assert {name for name, one in found.items() if one["disabled"] is None} == {"ü", "external", "bare"}

    def test_the_last_line_is_the_mark(self, run: Callable[[str], Run]) -> None:
        assert run(WHOLE).named("items")["ü"]["mark"] is None

    def test_fields_of_the_trigger(self, run: Callable[[str], Run]) -> None:
        found = run(WHOLE).named("items")["ü/full"]
        assert found["trigger"] == {
            "triggerOnPush": "true",
            "triggerOpenMergeRequestOnPush": "both",
            "noteRegex": "büild|it",
            "delay": "7",
            "mergeRequestLabelFilterConfig.include": "ok",
        }
        assert found["token"] == digest("tökén")

    def test_no_token(self, run: Callable[[str], Run]) -> None:
        found = run(WHOLE).named("items")
        assert found["none"]["trigger"] == {"triggerOnPush": "false"}
        assert found["none"]["token"] is None
        assert found["empty"]["token"] is None

    def test_a_token_that_is_text(self, run: Callable[[str], Run]) -> None:
        assert run(WHOLE).named("items")["old"]["token"] == digest("in clear")

    def test_no_secret_leaves_and_nothing_is_touched(self, run: Callable[[str], Run]) -> None:
        for secret in ("tökén", "t\\u00f6k", "hunter2", "in clear"):
            assert secret not in run(WHOLE).output
        assert run(WHOLE).effects == []

    def test_old_controller_answers_the_same(self, run: Callable[[str], Run]) -> None:
        assert run(OLD).answer == run(WHOLE).answer

    def test_what_is_damaged_hides_nothing_else(self, run: Callable[[str], Run]) -> None:
        found = run(BROKEN).named("items")
        assert set(found) == {"damaged", "shut", "well"}
        assert (found["damaged"]["mark"], found["damaged"]["error"]) == (MARK, "NoClassDefFoundError")
        assert run(BROKEN).answer["unlisted"] == ["shut"]

    def test_what_was_not_loaded(self, run: Callable[[str], Run]) -> None:
        answer = run(UNLOADED).answer
        assert sorted(answer["unloaded"]) == ["f/lost too", "f/sub/deep", "lost"]
        assert answer["unlisted"] == ["shut"]
        assert run(WHOLE).answer["unloaded"] == []

    def test_many_are_few_bytes(self, run: Callable[[str], Run]) -> None:
        assert len(run(MANY).answer["items"]) == 2_000
        assert len(run(MANY).output) < 300 * 2_000

    def test_without_plugins(self, run: Callable[[str], Run]) -> None:
        assert run(BARE).answer["items"] == [{"name": "f", "class": FREESTYLE, "mark": None, "disabled": False}]


SAME: dict[str, Any] = {
    "items": [
        {"class": FOLDER, "fullName": "f"},
        job("f/a", description=MARK, triggers=[trigger(triggerOnPush=True, **{"(secret)secretToken": "s3"})]),
        {"class": FREESTYLE, "fullName": "off", "description": "", "disabled": True},
        job("none", triggers=[trigger(noteRegex="x", mergeRequestLabelFilterConfig=LABELS)]),
    ]
}
AGREED = case("jobs", "what the embedded Jenkins answers, too", SAME, {})


def in_sandbox() -> JenkinsSandbox:
    """The world ``SAME`` in an embedded Jenkins."""
    sandbox = JenkinsSandbox()
    tree = sandbox.controller.items
    held = "org.jenkinsci.plugins.workflow.job.properties.PipelineTriggersJobProperty"

    def pipeline(description: str, fields: str) -> str:
        triggers = f"<{held}><triggers><{TRIGGER}>{fields}</{TRIGGER}></triggers></{held}>"
        return f"<flow-definition>{description}<properties>{triggers}</properties></flow-definition>"

    folder = tree.create(tree.root, "f", f"<{FOLDER}/>")
    described = f"<description>{MARK}</description>"
    tree.create(folder, "a", pipeline(described, "<triggerOnPush>true</triggerOnPush><secretToken>s3</secretToken>"))
    tree.create(tree.root, "off", "<project><disabled>true</disabled></project>")
    labels = "<mergeRequestLabelFilterConfig><include>ok</include></mergeRequestLabelFilterConfig>"
    tree.create(tree.root, "none", pipeline("", f"<noteRegex>x</noteRegex>{labels}"))
    return sandbox


def test_the_embedded_jenkins_agrees(run: Callable[[str], Run]) -> None:
    sandbox = in_sandbox()
    try:
        theirs = {one["name"]: one for one in embedded.answer(sandbox.controller, {"salt": SALT})["items"]}
    finally:
        sandbox.stop()
    ours = run(AGREED).named("items")
    assert set(theirs) == set(ours)
    for name, one in ours.items():
        fields = one.pop("trigger", None)
        shown = theirs[name].pop("trigger", None)
        assert theirs[name] == one
        # The stand-in for the trigger has a few of the real one's fields.
        assert (shown is None) == (fields is None)
        assert all((shown or {})[field] == text for field, text in (fields or {}).items())
