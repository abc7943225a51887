"""Jobs compared: one form for both sides, tokens by digest or not at all, a Jenkinsfile's claims respected."""

from __future__ import annotations

import pytest
from lxml import etree

from configurator.kinds.job_compare import IN_CLEAR, JobBody, shown, with_token
from configurator.model import Field, Key, Resource
from configurator.secret import Secret
from configurator.spec.expanded import WEBHOOK_TOKEN
from tests.kinds.bench import LIMITED, Bench, hooked, job, only, paths

WORKFLOW = "org.jenkinsci.plugins.workflow"
DECLARATIVE = "org.jenkinsci.plugins.pipeline.modeldefinition"
TRIGGERS = f"{WORKFLOW}.job.properties.PipelineTriggersJobProperty"
PARAMETERS = "hudson.model.ParametersDefinitionProperty"
PUSH = "com.dabsquared.gitlabjenkins.GitLabPushTrigger"
BOTH = pytest.mark.parametrize("user", ["admin", "limited"])


def claim(root: etree._Element, *classes: str) -> None:
    """What a run leaves behind whose Jenkinsfile sets these properties."""
    actions = root.find("actions")
    if actions is None:
        actions = etree.SubElement(root, "actions")
    tracker = etree.SubElement(actions, f"{WORKFLOW}.multibranch.JobPropertyTrackerAction")
    names = etree.SubElement(tracker, "jobPropertyDescriptors")
    for name in classes:
        etree.SubElement(names, "string").text = name


def as_user(bench: Bench, user: str) -> None:
    if user == "limited":
        bench.act_as("limited", *LIMITED)


def edit(bench: Bench, change: object) -> None:
    """Change the job's file, as a run or a person would, and save it."""
    root = etree.fromstring(bench.jenkins.config("a").partition("?>")[2].encode())
    change(root)  # type: ignore[operator]
    with bench.open() as run:
        run.world.jenkins.write_item("a", etree.tostring(root, encoding="unicode"))
    bench.jenkins.save("a")


@BOTH
def test_a_trigger_that_the_jenkinsfile_took_away_is_told_and_left(quiet: Bench, user: str) -> None:
    quiet.spec["jobs"] = [hooked("a")]
    as_user(quiet, user)
    quiet.done()

    def run(root: etree._Element) -> None:
        claim(root, TRIGGERS)
        [trigger] = root.iter(PUSH)
        parent = trigger.getparent()
        assert parent is not None
        parent.remove(trigger)
        etree.SubElement(etree.SubElement(parent, "hudson.triggers.TimerTrigger"), "spec").text = "H 4 * * *"

    edit(quiet, run)
    plan = quiet.plan()
    assert not plan.changes
    [warning] = plan.warnings
    assert "job a: its Jenkinsfile sets these itself" in warning and "GitLabPushTrigger" in warning
    quiet.spec["jobs"][0]["description"] = "changed"
    assert paths(only(quiet.plan())) == ["description"]
    quiet.settled()
    assert "TimerTrigger" in quiet.jenkins.config("a") and PUSH not in quiet.jenkins.config("a")


@BOTH
def test_parameters_that_the_jenkinsfile_took_away_are_left(quiet: Bench, user: str) -> None:
    quiet.spec["jobs"] = [{**job("a"), "variables": {"script": "echo", "parameters": [{"name": "BRANCH"}]}}]
    as_user(quiet, user)
    quiet.done()

    def run(root: etree._Element) -> None:
        claim(root, PARAMETERS)
        for element in list(root.iter(PARAMETERS)):
            element.getparent().remove(element)  # type: ignore[union-attr]

    edit(quiet, run)
    plan = quiet.plan()
    assert not plan.changes
    assert ["ParametersDefinitionProperty" in one for one in plan.warnings] == [True]


@BOTH
def test_parameters_of_a_declarative_jenkinsfile_stay_beside_ours(quiet: Bench, user: str) -> None:
    parameters = [{"name": "BRANCH"}, {"name": "STAGE", "default": "test"}]
    quiet.spec["jobs"] = [{**job("a"), "variables": {"script": "echo", "parameters": parameters}}]
    as_user(quiet, user)
    quiet.done()

    def run(root: etree._Element) -> None:
        """Its own first, of which one takes the place of ours; then what it does not name."""
        claim(root)
        [actions] = root.iter("actions")
        tracker = etree.SubElement(actions, f"{DECLARATIVE}.actions.DeclarativeJobPropertyTrackerAction")
        names = etree.SubElement(tracker, "parameters")
        [ours] = root.iter("parameterDefinitions")
        ours.remove(ours[1])
        for place, name in enumerate(("DEPLOY", "STAGE")):
            etree.SubElement(names, "string").text = name
            made = etree.Element("hudson.model.StringParameterDefinition")
            etree.SubElement(made, "name").text = name
            etree.SubElement(made, "defaultValue").text = "theirs"
            ours.insert(place, made)

    edit(quiet, run)
    plan = quiet.plan()
    assert not plan.changes
    [warning] = plan.warnings
    assert "parameter STAGE" in warning and "DEPLOY" not in warning
    quiet.spec["jobs"][0]["description"] = "changed"
    quiet.settled()
    found = etree.fromstring(quiet.jenkins.config("a").partition("?>")[2].encode()).iterfind(
        ".//parameterDefinitions/*/name"
    )
    assert [name.text for name in found] == ["DEPLOY", "STAGE", "BRANCH"]


@BOTH
def test_a_claim_on_something_else_hides_no_drift(quiet: Bench, user: str) -> None:
    quiet.spec["jobs"] = [hooked("a")]
    as_user(quiet, user)
    quiet.done()

    def run(root: etree._Element) -> None:
        claim(root, PARAMETERS)
        for element in root.iter("triggerOnPush"):
            element.text = "false"

    edit(quiet, run)
    plan = quiet.plan()
    assert paths(only(plan)) == ["triggers/GitLabPushTrigger/triggerOnPush"]
    assert plan.warnings == ()
    quiet.settled()


def test_the_token_of_a_foreign_secret_tells_its_change_by_digests(quiet: Bench) -> None:
    quiet.spec["jobs"] = [hooked("a")]
    quiet.done()

    def change(root: etree._Element) -> None:
        for element in root.iter("secretToken"):
            element.text = "another"

    edit(quiet, change)
    [field] = only(quiet.plan()).fields
    assert (field.path, field.secret) == ("triggers/GitLabPushTrigger/secretToken", True)
    assert str(field.before).startswith("(secret) ") and "another" not in str(field)
    quiet.settled()


def test_stand_ins_are_shown_in_words() -> None:
    field = shown(Field("x", f"<a>{IN_CLEAR}</a>", WEBHOOK_TOKEN, secret=True))
    assert field == Field("x", "<a>(secret) in clear on the controller's disk</a>", "(secret)", secret=True)
    assert shown(Field("x", None, "")) == Field("x", None, "")


def test_a_body_shows_neither_its_xml_nor_its_token() -> None:
    body = JobBody("<secretToken>in clear</secretToken>", "C", token=Secret("in clear"))
    assert "in clear" not in repr(body)
    wanted = Resource(Key("job", "a"), body)
    assert with_token(f"<a>{WEBHOOK_TOKEN}</a>", wanted) == "<a>in clear</a>"
    assert with_token(f"<a>{WEBHOOK_TOKEN}</a>", wanted.with_body(JobBody("", "C"))) == "<a></a>"


def test_whether_it_takes_parameters() -> None:
    assert JobBody("<a><parameterDefinitions><b/></parameterDefinitions></a>", "C").has_parameters
    assert not JobBody("<a><parameterDefinitions/></a>", "C").has_parameters
