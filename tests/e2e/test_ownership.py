"""What is not ours is never changed: conflicts, adopting, two owners, manage: false, what a Jenkinsfile claims."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.e2e.conftest import Site, quiet

JOB = "search/MAIN-Build-search"
FOLDER_CLASS = "com.cloudbees.hudson.plugins.folder.Folder"
FOLDER = f"<{FOLDER_CLASS}><description>by hand</description></{FOLDER_CLASS}>"
FREESTYLE = "<project><description>by hand</description><builders/></project>"
PIPELINE = (
    "<flow-definition><description>Made by Ann in 2019</description><properties/>"
    '<definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition"><script>echo 1</script>'
    "<sandbox>true</sandbox></definition></flow-definition>"
)


def by_hand(site: Site, job_xml: str = PIPELINE) -> int:
    """What somebody made by hand: the folders, a job, its hook. Returns the hook's id."""
    site.jenkins.create_item(site.root, FOLDER)
    site.jenkins.create_item(site.name("search"), FOLDER)
    site.jenkins.create_item(site.name(JOB), job_xml)
    hook = site.gitlab.create_hook(
        int(site.gitlab.project(site.projects[2])["id"]),
        {"url": f"{site.jenkins.url}/project/{site.name(JOB)}", "push_events": True, "token": "by hand"},
    )
    return int(hook["id"])


def of(plan: dict[str, Any], action: str) -> set[tuple[str, str]]:
    return {(one["kind"], one["name"]) for one in plan["changes"] if one["action"] == action}


def test_what_was_made_by_hand_is_a_conflict_for_that_object_and_for_nothing_else(site: Site) -> None:
    by_hand(site)
    plan = site.plan()
    assert of(plan, "conflict") == {
        ("folder", site.root),
        ("folder", site.name("search")),
        ("job", site.name(JOB)),
        ("webhook", f"{site.root}:{site.projects[2]} -> {site.name(JOB)}"),
    }
    assert site.run("plan", "--detailed-exitcode").code == 4
    before = site.jenkins.read_item(site.name(JOB))
    applied = site.apply(code=4)
    assert Counter(one.get("result") for one in applied["changes"] if one["action"] != "conflict") == {"done": 28}
    assert site.jenkins.read_item(site.name(JOB)) == before


def test_adopting_keeps_the_history_the_description_and_the_hooks_id(site: Site) -> None:
    hook_id = by_hand(site)
    plan = site.plan("--adopt", f"*{site.root}*")
    assert of(plan, "conflict") == set()
    assert ("job", site.name(JOB)) in of(plan, "update")
    site.apply("--adopt", f"*{site.root}*")
    [hook] = [one for one in site.hooks(site.projects[2]) if one["url"].endswith("MAIN-Build-search")]
    assert hook["id"] == hook_id
    folder = site.jenkins.read_item(site.name("search"))
    assert "by hand" in folder and f"Managed by configurator ({site.root})" in folder
    assert quiet(site.plan())


def test_adopt_in_the_spec_is_for_that_application_alone(site: Site) -> None:
    by_hand(site)
    site.spec["applications"][2]["adopt"] = True
    site.write()
    assert of(site.plan(), "conflict") == {("folder", site.root)}


def test_an_item_of_another_type_is_a_conflict_that_adopting_does_not_cure(site: Site) -> None:
    by_hand(site, FREESTYLE)
    [conflict] = [one for one in site.plan("--adopt", "*")["changes"] if one["action"] == "conflict"]
    assert conflict["name"] == site.name(JOB)
    assert "another type" in conflict["reason"]


def test_two_owners_share_a_controller(site: Site) -> None:
    site.apply()
    first = dict(site.spec)
    site.spec = {
        **first,
        "name": f"{site.root}-2",
        "gitlab": [{**first["gitlab"][0], "manage": False}],
        "folders": [{"name": site.root, "manage": False}],
        "applications": [{"name": "other", "project": site.projects[0]}, first["applications"][2]],
    }
    site.write()
    plan = site.plan("--adopt", "*", "--prune")
    search = of(plan, "conflict")
    assert ("job", site.name(JOB)) in search
    assert all("search" in name for _, name in search)
    assert of(plan, "delete") == set()
    assert Counter(kind for kind, _ in of(plan, "create")) == {"folder": 1, "view": 2, "job": 3, "webhook": 2}
    site.spec["applications"].pop()
    site.write()
    site.apply()
    assert quiet(site.plan())
    second, site.spec = site.spec, first
    site.write()
    assert quiet(site.plan("--prune"))
    site.spec = {**second, "applications": []}
    site.write()
    site.apply("--prune")
    assert quiet(site.plan("--prune"))
    site.spec = first
    site.write()
    assert quiet(site.plan("--prune"))


def test_manage_false_on_what_is_not_there_is_told(site: Site) -> None:
    site.spec["folders"] = [{"name": site.root, "manage": False}]
    site.write()
    [conflict] = [one for one in site.plan()["changes"] if one["action"] == "conflict"]
    assert (conflict["kind"], conflict["name"]) == ("folder", site.root)
    assert "manage: false" in conflict["reason"]
    applied = site.apply(code=4)
    jobs = [one for one in applied["changes"] if one["kind"] == "job"]
    assert {one["result"] for one in jobs} == {"skipped"}


def test_what_others_add_to_a_job_is_kept(site: Site) -> None:
    site.apply()
    job = site.name("payments/MAIN-Build-payments")
    xml = site.jenkins.read_item(job)
    limit = "<org.jenkinsci.plugins.workflow.job.properties.DisableResumeJobProperty/>"
    edited = xml.replace("<properties>", f"<properties>{limit}", 1).replace("OnPush>true", "OnPush>false")
    site.jenkins.write_item(job, edited)
    [change] = site.plan()["changes"]
    assert [field["path"] for field in change["fields"]] == ["triggers/GitLabPushTrigger/triggerOnPush"]
    site.apply()
    assert "DisableResumeJobProperty" in site.jenkins.read_item(job)
    assert quiet(site.plan())


def test_a_job_disabled_by_hand_stays_so_unless_the_spec_says_otherwise(site: Site) -> None:
    site.spec["jobs"] = [
        {"name": site.name("one"), "template": "pipeline", "variables": {"script": "echo 1"}},
        {"name": site.name("two"), "template": "pipeline", "variables": {"script": "echo 1"}, "disabled": False},
    ]
    site.write()
    site.apply()
    for name in ("one", "two"):
        xml = site.jenkins.read_item(site.name(name)).replace("<disabled>false</disabled>", "")
        end = "</flow-definition>"
        site.jenkins.write_item(site.name(name), xml.replace(end, f"<disabled>true</disabled>{end}"))
    [change] = site.plan()["changes"]
    assert change["name"] == site.name("two")
    assert change["fields"] == [{"path": "disabled", "before": "true", "after": "false"}]


CLAIM = (
    "<actions><org.jenkinsci.plugins.workflow.multibranch.JobPropertyTrackerAction><jobPropertyDescriptors>"
    "<string>org.jenkinsci.plugins.workflow.job.properties.PipelineTriggersJobProperty</string>"
    "</jobPropertyDescriptors></org.jenkinsci.plugins.workflow.multibranch.JobPropertyTrackerAction></actions>"
)


def test_a_jenkinsfile_that_sets_its_own_triggers_is_a_warning_and_no_restlessness(site: Site) -> None:
    site.apply()
    job = site.name("payments/MAIN-Build-payments")
    xml = site.jenkins.read_item(job)
    begin = xml.index("<com.dabsquared.gitlabjenkins.GitLabPushTrigger")
    end = xml.index("</com.dabsquared.gitlabjenkins.GitLabPushTrigger>") + len(
        "</com.dabsquared.gitlabjenkins.GitLabPushTrigger>"
    )
    timer = "<hudson.triggers.TimerTrigger><spec>H 4 * * *</spec></hudson.triggers.TimerTrigger>"
    ran = (xml[:begin] + timer + xml[end:]).replace("<keepDependencies>", CLAIM + "<keepDependencies>", 1)
    site.jenkins.write_item(job, ran)
    plan = site.plan()
    assert quiet(plan)
    [warning] = plan["warnings"]
    assert job in warning and "Jenkinsfile" in warning and "triggers" in warning


def test_handing_the_connection_over_prunes_neither_it_nor_its_credential(site: Site) -> None:
    site.apply()
    site.spec["gitlab"][0]["manage"] = False
    site.write()
    assert quiet(site.plan("--prune"))
    site.spec["gitlab"][0]["manage"] = True
    site.write()
    assert quiet(site.plan("--prune"))


def test_a_second_hook_to_the_same_job_made_by_hand_is_told(site: Site) -> None:
    site.apply()
    url = f"{site.jenkins.url}/project/{site.name(JOB)}"
    project = int(site.gitlab.project(site.projects[2])["id"])
    hook = site.gitlab.create_hook(project, {"url": f"{url}?by=hand", "token": "by hand"})
    plan = site.plan("--prune")
    assert quiet(plan)
    assert [f"webhook {hook['id']} of the project calls the same job" in one for one in plan["warnings"]] == [True]
