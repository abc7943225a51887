"""What the template does not speak of is not ours; what it speaks of converges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from configurator.errors import ConfiguratorError
from configurator.kinds.xml import claims, differences, lay_over, refuse_redacted, set_description
from configurator.xml import parse, to_text

TRIGGERS = "org.jenkinsci.plugins.workflow.job.properties.PipelineTriggersJobProperty"
PUSH = "com.dabsquared.gitlabjenkins.GitLabPushTrigger"


def job(triggers: str = "", properties: str = "", more: str = "", description: str = "d") -> str:
    """A Pipeline job."""
    return (
        f"<flow-definition><description>{description}</description><properties>{properties}"
        f"<{TRIGGERS}><triggers>{triggers}</triggers></{TRIGGERS}></properties>{more}</flow-definition>"
    )


def push(on_push: str = "true", secret: str = "{digest:" + "ab" * 32 + "}", more: str = "") -> str:
    """A GitLab trigger."""
    return f"<{PUSH}><spec/><triggerOnPush>{on_push}</triggerOnPush><secretToken>{secret}</secretToken>{more}</{PUSH}>"


def paths(wanted: str, live: str) -> list[tuple[str, str | None, str | None]]:
    return [(one.path, one.before, one.after) for one in differences(parse(wanted), parse(live))]


def test_a_field_of_the_trigger_is_named_without_its_wrapping() -> None:
    assert paths(job(push("true")), job(push("false"))) == [
        ("triggers/GitLabPushTrigger/triggerOnPush", "false", "true")
    ]


def test_a_secret_is_shown_by_the_head_of_its_digest() -> None:
    [field] = differences(parse(job(push())), parse(job(push(secret="{digest:" + "cd" * 32 + "}"))))
    assert (field.before, field.after, field.secret) == ("(secret) cdcdcdcd", "(secret) abababab", True)


def test_a_secret_in_clear_is_never_shown() -> None:
    [field] = differences(parse(job(push())), parse(job(push(secret="plain-text"))))
    assert field.secret
    assert "plain-text" not in f"{field}"


def test_a_secret_inside_an_element_that_is_missing_is_not_shown() -> None:
    fields = differences(parse(job()), parse(job(push(secret="plain-text"))))
    assert [one.path for one in fields] == ["triggers/GitLabPushTrigger"]
    assert "plain-text" not in str(fields)
    assert "<triggerOnPush>true</triggerOnPush>" in (fields[0].before or "")


def test_what_a_save_adds_does_not_count() -> None:
    saved = job(push(more="<newField>1</newField>"), more="<triggers/><disabled>false</disabled>").replace(
        "<flow-definition>", '<flow-definition plugin="workflow-job@1571">'
    )
    assert paths(job(push()), saved) == []


def test_another_trigger_added_by_hand_counts() -> None:
    timer = "<hudson.triggers.TimerTrigger><spec>H 4 * * *</spec></hudson.triggers.TimerTrigger>"
    [(path, before, after)] = paths(job(push()), job(push() + timer))
    assert (path, after) == ("triggers/TimerTrigger", None)
    assert before is not None and "H 4 * * *" in before


def test_a_trigger_that_is_gone_counts() -> None:
    [(path, before, after)] = paths(job(push()), job())
    assert (path, before) == ("triggers/GitLabPushTrigger", None)
    assert after is not None and "secretToken>(secret) abababab" in after


def test_another_class_is_one_difference() -> None:
    wanted = job(more='<definition class="a.Cps"><script>x</script></definition>')
    live = job(more='<definition class="a.Scm"><scm/></definition>')
    assert paths(wanted, live) == [("definition/@class", "a.Scm", "a.Cps")]


def test_properties_of_other_classes_are_kept_and_do_not_count() -> None:
    name = "hudson.security.AuthorizationMatrixProperty"
    matrix = f"<{name}><permission>x</permission></{name}>"
    live = job(push("false"), properties=matrix)
    assert [path for path, _, _ in paths(job(push()), live)] == ["triggers/GitLabPushTrigger/triggerOnPush"]
    merged = lay_over(parse(job(push())), parse(live))
    assert merged.find("properties/hudson.security.AuthorizationMatrixProperty/permission") is not None


def test_a_second_property_of_our_class_counts() -> None:
    double = job(push()).replace("</properties>", f"<{TRIGGERS}><triggers/></{TRIGGERS}></properties>")
    assert [path for path, _, _ in paths(job(push()), double)] == ["properties/PipelineTriggersJobProperty[2]"]


def test_disabled_is_kept_unless_the_template_says_it() -> None:
    live = job(push(), more="<disabled>true</disabled>")
    assert paths(job(push()), live) == []
    assert lay_over(parse(job(push())), parse(live)).findtext("disabled") == "true"
    assert paths(job(push(), more="<disabled>false</disabled>"), live) == [("disabled", "true", "false")]


def test_run_time_state_is_kept() -> None:
    live = parse(job(push(), more="<actions><a.B/></actions>"))
    assert lay_over(parse(job(push())), live).find("actions/a.B") is not None


def test_a_changed_branch_in_a_list_of_alike_elements() -> None:
    def scm(branch: str) -> str:
        return f'<scm class="g.GitSCM"><branches><g.BranchSpec><name>{branch}</name></g.BranchSpec></branches></scm>'

    assert paths(job(more=scm("main")), job(more=scm("dev"))) == [("scm/branches/BranchSpec/name", "dev", "main")]


def test_jobs_picked_by_hand_into_a_view_count() -> None:
    wanted = "<hudson.model.ListView><jobNames><comparator/></jobNames></hudson.model.ListView>"
    live = wanted.replace("<comparator/>", "<comparator/><string>x</string>")
    assert paths(wanted, live) == [("jobNames/string", "x", None)]


CLAIMING = (
    "<actions><org.x.JobPropertyTrackerAction><jobPropertyDescriptors>"
    f"<string>{TRIGGERS}</string></jobPropertyDescriptors></org.x.JobPropertyTrackerAction></actions>"
)


def test_claims_of_a_jenkinsfile_are_read_and_respected() -> None:
    timer = "<hudson.triggers.TimerTrigger><spec>H 4 * * *</spec></hudson.triggers.TimerTrigger>"
    live = parse(job(timer, more=CLAIMING))
    assert claims(live) == {TRIGGERS}
    merged = lay_over(parse(job(push())), live, claims(live))
    assert differences(merged, live) == []
    assert merged.find(f"properties/{TRIGGERS}/triggers/hudson.triggers.TimerTrigger") is not None
    assert merged.find(f"properties/{TRIGGERS}/triggers/{PUSH}") is None


def test_a_claimed_trigger_class_is_respected_beside_ours() -> None:
    live = parse(
        job(
            push() + "<hudson.triggers.TimerTrigger/>",
            more="<actions><x.DeclarativeJobPropertyTrackerAction><triggers><string>hudson.triggers.TimerTrigger</string>"
            "</triggers></x.DeclarativeJobPropertyTrackerAction></actions>",
        )
    )
    merged = lay_over(parse(job(push())), live, claims(live))
    assert differences(merged, live) == []


def test_a_tracker_names_classes_as_java_does_and_the_xml_as_xstream_does() -> None:
    live = parse(
        "<project><actions><x.DeclarativeJobPropertyTrackerAction>"
        "<jobProperties><string>a_b.Outer$Inner</string></jobProperties><options><string>timestamps</string></options>"
        "<parameters><string>release.name</string></parameters>"
        "</x.DeclarativeJobPropertyTrackerAction></actions></project>"
    )
    assert claims(live) == {"a__b.Outer_-Inner", "parameter:release.name"}


def test_the_description_is_set_where_jenkins_has_it() -> None:
    view = parse("<hudson.model.ListView><name>V</name><filterQueue>false</filterQueue></hudson.model.ListView>")
    set_description(view, "text <&>")
    assert [child.tag for child in view][:2] == ["name", "description"]
    assert "text &lt;&amp;&gt;" in to_text(view)


@pytest.mark.parametrize("text", ["{digest:ab}", "@@configurator:webhook-token@@", "********", "<secret-redacted/>"])
def test_stand_ins_for_secrets_are_never_written(text: str) -> None:
    with pytest.raises(ConfiguratorError, match="blank a secret"):
        refuse_redacted(f"<a><secretToken>{text}</secretToken></a>")


# -- properties -------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "c", "x.Y", "x.Z", "triggers", "description", "properties", "scm"])
TEXTS = st.text(alphabet="ab \n{<&é", max_size=6)


def element(name: str, text: str, children: list[etree._Element], cls: str | None) -> etree._Element:
    made = etree.Element(name, {"class": cls} if cls else {})
    made.extend(children)
    if not children:
        made.text = text
    return made


ELEMENTS = st.recursive(
    st.builds(element, NAMES, TEXTS, st.just([]), st.sampled_from([None, "k.L"])),
    lambda inner: st.builds(element, NAMES, TEXTS, st.lists(inner, max_size=4), st.sampled_from([None, "k.L"])),
    max_leaves=12,
)


def rooted(children: list[etree._Element]) -> etree._Element:
    return parse(etree.tostring(element("flow-definition", "", children, None), encoding="unicode"))


ROOTS = st.builds(rooted, st.lists(ELEMENTS, max_size=5))


@given(ROOTS)
def test_nothing_differs_from_itself(root: etree._Element) -> None:
    assert differences(root, root) == []
    assert to_text(lay_over(root, root)) == to_text(root)


@given(ROOTS, ROOTS)
def test_what_was_laid_over_and_written_differs_from_nothing(wanted: etree._Element, live: etree._Element) -> None:
    """The convergence that every second apply stands on: written once, the wanted XML is found again."""
    written = lay_over(wanted, live)
    assert differences(wanted, written) == []
    assert to_text(lay_over(wanted, written)) == to_text(written)
