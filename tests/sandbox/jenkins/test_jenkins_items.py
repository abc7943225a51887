"""Items: names, XML as sent, and what a save makes of it."""

from __future__ import annotations

import pytest
from jenkins_calls import FOLDER, FREESTYLE, TRIGGER, TRIGGERS, XML, Caller, pipeline, trigger
from lxml import etree

from configurator.sandbox.jenkins import INSTALLED, JenkinsSandbox, PluginManager

SECRET = "<secretToken>in-clear</secretToken>"


def saved(jenkins: JenkinsSandbox, name: str) -> etree._Element:
    jenkins.save(name)
    return etree.fromstring(jenkins.config(name).encode())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "No name is specified"),
        ("%20", "No name is specified"),
        (".", ".  is not an allowed name"),
        ("a%01", "No control code is allowed: a[1]"),
        ("a%23", "#  is an unsafe character"),
        ("a%26", "&  is an unsafe character"),
        ("x.", "A name cannot end with  ."),
    ],
)
def test_names_that_are_refused(admin: Caller, name: str, reason: str) -> None:
    answer = admin("POST", f"/createItem?name={name}", FREESTYLE)
    assert (answer.status_code, answer.headers["X-Error"].strip()) == (400, reason)


def test_names_that_are_fine(jenkins: JenkinsSandbox, admin: Caller) -> None:
    admin.create("%20Grüße%20an%20Æ%C5%82%20", FREESTYLE)
    assert jenkins.config("Grüße an Æł").startswith("<?xml")
    assert admin("GET", "/job/Gr%C3%BC%C3%9Fe%20an%20%C3%86%C5%82/config.xml").status_code == 200
    answer = admin("POST", "/createItem?name=Gr%C3%BC%C3%9Fe%20an%20%C3%86%C5%82", FREESTYLE)
    assert answer.status_code == 400


def test_names_differ_by_more_than_case(admin: Caller) -> None:
    admin.create("Main", FREESTYLE)
    assert "already exists" in admin("POST", "/createItem?name=main", FREESTYLE).headers["X-Error"]
    assert admin("GET", "/job/MAIN/config.xml").status_code == 200


def test_create_wants_a_name_and_xml(admin: Caller) -> None:
    assert admin("POST", "/createItem", FREESTYLE).headers["X-Error"] == "Query parameter 'name' is required"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert admin("POST", "/createItem?name=a", FREESTYLE, headers=form).headers["X-Error"] == "No mode given"
    answer = admin("POST", "/createItem?name=a", FREESTYLE, headers={"Content-Type": ""})
    assert answer.headers["X-Error"] == "No Content-Type header set"


@pytest.mark.parametrize(
    "xml",
    [
        "",
        "<flow-definition>",
        "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><project><description>&b;</description></project>",
        "<hudson.model.ListView/>",
        "<com.example.Unknown/>",
        "<project/><project/>",
    ],
)
def test_xml_that_is_refused_leaves_nothing(admin: Caller, xml: str) -> None:
    assert admin("POST", "/createItem?name=a", xml).status_code == 500
    assert admin("GET", "/job/a/config.xml").status_code == 404


def test_xml_is_kept_as_sent_until_the_next_save(jenkins: JenkinsSandbox, admin: Caller) -> None:
    sent = pipeline("<unknown a='1'>x</unknown><!-- why -->", triggers=trigger(secretToken="in-clear", nope="1"))
    admin.create("a", sent)
    assert SECRET in jenkins.config("a")
    assert '<unknown a="1">x</unknown><!-- why -->' in admin("GET", "/job/a/config.xml").text
    assert admin("POST", "/job/a/submitDescription", {"description": "x < y"}).status_code == 302
    text = admin("GET", "/job/a/config.xml").text
    for gone in ("in-clear", "unknown", "nope", "why"):
        assert gone not in text
    assert text.startswith("<?xml version='1.1' encoding='UTF-8'?>\n<flow-definition plugin=\"workflow-job@")
    assert "<description>x &lt; y</description>\n  <keepDependencies>false</keepDependencies>" in text
    assert "<script>echo &apos;a&apos; &amp;&amp; &quot;b&quot;</script>" in text
    assert "<spec>" not in text
    assert admin.jenkins.config("a") == text


def test_a_trigger_loads_with_false_and_null(jenkins: JenkinsSandbox, admin: Caller) -> None:
    values = {
        "triggerOnPush": "TRUE",
        "triggerOpenMergeRequestOnPush": "sometimes",
        "branchFilterType": "Nonsense",
        "noteRegex": "",
        "secretToken": "",
        "cancelRunningBuildsOnUpdate": "true",
    }
    admin.create("a", pipeline(triggers=trigger(**values)))
    made = saved(jenkins, "a").find(f".//{TRIGGER}")
    assert made is not None
    found = {str(child.tag): child.text for child in made}
    assert found["triggerOnPush"] == "true"
    assert found["triggerOnNoteRequest"] == found["ciSkip"] == "false"
    assert "triggerOpenMergeRequestOnPush" not in found
    assert found["branchFilterType"] == "All"
    assert "cancelRunningBuildsOnUpdate" not in found
    assert "<noteRegex></noteRegex>" in jenkins.config("a")
    assert (found["secretToken"] or "").startswith("{AQA")


def test_a_newer_plugin_has_more_fields() -> None:
    with JenkinsSandbox(plugins={**INSTALLED, "gitlab-plugin": "1.9.16"}) as jenkins:
        Caller(jenkins, "admin").create("a", pipeline(triggers=trigger()))
        assert saved(jenkins, "a").findtext(f".//{TRIGGER}/cancelRunningBuildsOnUpdate") == "false"


def test_a_trigger_of_a_plugin_that_is_not_there_is_dropped() -> None:
    without = {name: version for name, version in INSTALLED.items() if name != "gitlab-plugin"}
    with JenkinsSandbox(plugins=without) as jenkins:
        Caller(jenkins, "admin").create("a", pipeline(triggers=trigger(triggerOnPush="true")))
        assert TRIGGER in jenkins.config("a")
        assert saved(jenkins, "a").find(f".//{TRIGGERS}/triggers/*") is None


def test_a_job_of_a_plugin_that_is_not_there_is_refused() -> None:
    with JenkinsSandbox(plugins={}) as jenkins:
        admin = Caller(jenkins, "admin")
        assert admin("POST", "/createItem?name=a", pipeline()).status_code == 500
        assert admin("POST", "/createItem?name=f", f"<{FOLDER}/>").status_code == 500
        assert admin("POST", "/createItem?name=p", FREESTYLE).status_code == 200


def test_ciphertext_survives_and_what_was_redacted_blanks(jenkins: JenkinsSandbox, admin: Caller) -> None:
    admin.create("a", pipeline(triggers=trigger(secretToken="s")))
    jenkins.save("a")
    first = jenkins.config("a")
    admin("POST", "/job/a/config.xml", first)
    jenkins.save("a")
    assert jenkins.config("a") == first
    admin("POST", "/job/a/config.xml", pipeline(triggers=trigger(secretToken="********")))
    item = jenkins.controller.items.find("a")
    assert item is not None
    made = jenkins.controller.trigger(item)
    assert made is not None
    assert jenkins.controller.secrets.decrypt(made.findtext("secretToken") or "") == ""


def test_ciphertext_of_another_controller_is_a_value_like_any_other(jenkins: JenkinsSandbox, admin: Caller) -> None:
    with JenkinsSandbox() as other:
        foreign = other.controller.secrets.encrypt("s")
    admin.create("a", pipeline(triggers=trigger(secretToken=foreign)))
    jenkins.save("a")
    assert foreign not in jenkins.config("a")


@pytest.mark.parametrize(
    "text", ["", "plain", "{AQA}", "{AQAA=AA}", "{AQAAABAAAAAQ}", "{AQAAABAAAAAQ====}", "{AQAA" + "A" * 40 + "}"]
)
def test_what_is_no_ciphertext(jenkins: JenkinsSandbox, text: str) -> None:
    assert jenkins.controller.secrets.decrypt(text) is None


@pytest.mark.parametrize("clear", ["", "x", "x" * 15, "x" * 16, "ü" * 100, "-----BEGIN\nKEY-----\n"])
def test_encryption_can_be_undone(jenkins: JenkinsSandbox, clear: str) -> None:
    secrets = jenkins.controller.secrets
    one, other = secrets.encrypt(clear), secrets.encrypt(clear)
    assert one != other
    assert secrets.decrypt(one) == secrets.decrypt(f" {other}\n") == clear


def test_what_a_save_fills_in(jenkins: JenkinsSandbox, admin: Caller) -> None:
    properties = (
        "<hudson.model.ParametersDefinitionProperty><parameterDefinitions>"
        "<hudson.model.StringParameterDefinition><name>A</name></hudson.model.StringParameterDefinition>"
        "</parameterDefinitions></hudson.model.ParametersDefinitionProperty>"
        '<jenkins.model.BuildDiscarderProperty><strategy class="hudson.tasks.LogRotator"><daysToKeep>7</daysToKeep>'
        "<numToKeep>many</numToKeep></strategy></jenkins.model.BuildDiscarderProperty>"
        "<com.dabsquared.gitlabjenkins.connection.GitLabConnectionProperty/>"
        "<hudson.security.AuthorizationMatrixProperty><permission>x:y</permission>\n"
        "</hudson.security.AuthorizationMatrixProperty><com.example.Gone/>"
    )
    admin.create("a", pipeline(properties=properties))
    made = saved(jenkins, "a").find("properties")
    assert made is not None
    assert [child.get("plugin") for child in made] == [None, None, "gitlab-plugin@1.9.12", "matrix-auth@3.2.10"]
    assert made.findtext(".//trim") == "false"
    assert made.findtext(".//numToKeep") == "0"
    assert made.findtext(".//removeLastBuild") == "false"
    assert made.findtext(".//useAlternativeCredential") == "false"
    assert made.findtext(".//permission") == "x:y"


def test_freestyle_and_scm(jenkins: JenkinsSandbox, admin: Caller) -> None:
    scm = (
        '<scm class="hudson.plugins.git.GitSCM" plugin="git@1"><configVersion>2</configVersion>'
        "<branches><hudson.plugins.git.BranchSpec><name>*/main</name></hudson.plugins.git.BranchSpec></branches>"
        '<submoduleCfg class="empty-list"/></scm>'
    )
    admin.create("a", f"<project>{scm}<triggers>{trigger()}</triggers></project>")
    made = saved(jenkins, "a")
    assert made.get("plugin") is None
    assert [str(child.tag) for child in made][:3] == ["keepDependencies", "properties", "scm"]
    assert made.find("scm").get("plugin") == f"git@{INSTALLED['git']}"  # type: ignore[union-attr]
    assert made.find(f"triggers/{TRIGGER}") is not None
    assert '<submoduleCfg class="empty-list"/>' in jenkins.config("a")
    admin.create("b", '<project><scm class="com.example.Gone"/></project>')
    assert saved(jenkins, "b").find("scm").get("class") == "hudson.scm.NullSCM"  # type: ignore[union-attr]


def test_a_pipeline_definition_of_an_unknown_class_is_dropped(jenkins: JenkinsSandbox, admin: Caller) -> None:
    admin.create("a", '<flow-definition><definition class="com.example.Gone"/></flow-definition>')
    assert saved(jenkins, "a").find("definition") is None


def test_old_triggers_of_a_pipeline_move_to_the_property(jenkins: JenkinsSandbox, admin: Caller) -> None:
    old = trigger(triggerOnPush="true")
    admin.create("a", f"<flow-definition><triggers>{old}</triggers></flow-definition>")
    admin.create("b", pipeline(triggers=trigger()).replace("</properties>", f"</properties><triggers>{old}</triggers>"))
    for name, count in (("a", 1), ("b", 2)):
        made = saved(jenkins, name)
        assert len(made.findall(f"properties/{TRIGGERS}/triggers/{TRIGGER}")) == count
        assert len(made.findall("triggers/*")) == 0


def test_multibranch_keeps_what_it_was_given(jenkins: JenkinsSandbox, admin: Caller) -> None:
    name = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"
    admin.create("m", f'<{name} plugin="old@1"><description>d</description><sources><data/></sources></{name}>')
    made = saved(jenkins, "m")
    assert str(made.get("plugin")).startswith("workflow-multibranch@")
    assert made.find("sources/data") is not None
    assert admin("POST", "/job/m/build").status_code == 302


def test_posted_declarations_and_escapes(jenkins: JenkinsSandbox, admin: Caller) -> None:
    sent = (
        "<?xml version='1.1' encoding='UTF-8'?>\n<project><description>a&#xd;\n<![CDATA[<b>]]></description></project>"
    )
    admin.create("a", sent)
    assert jenkins.config("a") == (
        '<?xml version="1.1" encoding="UTF-8"?><project><description>a&#13;\n&lt;b&gt;</description></project>'
    )
    jenkins.save("a")
    assert "<description>a&#xd;\n&lt;b&gt;</description>" in jenkins.config("a")


def test_disable_and_enable_save_only_a_change(jenkins: JenkinsSandbox, admin: Caller) -> None:
    admin.create("a", pipeline())
    before = jenkins.config("a")
    assert admin("POST", "/job/a/enable").status_code == 302
    assert jenkins.config("a") == before
    admin("POST", "/job/a/disable")
    assert "<disabled>true</disabled>" in jenkins.config("a")
    assert admin("GET", "/job/a/api/json?tree=color,buildable,disabled").json() == {
        "_class": "org.jenkinsci.plugins.workflow.job.WorkflowJob",
        "buildable": False,
        "color": "disabled",
        "disabled": True,
    }


def test_renaming(jenkins: JenkinsSandbox, admin: Caller) -> None:
    admin.create("f", f"<{FOLDER}/>")
    admin.create("a", pipeline(), "/job/f")
    admin("POST", "/job/f/job/a/build")
    admin.create("other", FREESTYLE)
    reasons = {"f": "same as", "other": "already in use", "a/b": "unsafe character"}
    for name, reason in reasons.items():
        assert reason in admin("POST", "/job/f/confirmRename", {"newName": name}).headers["X-Error"]
    assert admin("POST", "/job/f/confirmRename", {"newName": "F"}).headers["Location"] == "/job/F"
    assert [build.job for build in jenkins.builds] == ["F/a"]


def test_deleting_a_folder_deletes_all_in_it(jenkins: JenkinsSandbox, admin: Caller) -> None:
    admin.create("f", f"<{FOLDER}/>")
    admin.create("g", f"<{FOLDER}/>", "/job/f")
    admin.create("a", pipeline(), "/job/f/job/g")
    admin("POST", "/job/f/job/g/job/a/build")
    assert admin("POST", "/job/f/job/g/doDelete").headers["Location"] == "/job/f/"
    assert jenkins.builds == []
    assert admin("GET", "/job/f/job/g/job/a/config.xml").status_code == 404
    assert admin("DELETE", "/job/f/job/g/").status_code == 404


def test_building(jenkins: JenkinsSandbox, admin: Caller) -> None:
    parameter = (
        "<hudson.model.ParametersDefinitionProperty><parameterDefinitions>"
        "<hudson.model.StringParameterDefinition><name>A</name><defaultValue>1</defaultValue>"
        "</hudson.model.StringParameterDefinition></parameterDefinitions></hudson.model.ParametersDefinitionProperty>"
    )
    admin.create("with", pipeline(properties=parameter))
    admin.create("without", pipeline())
    admin.create("off", pipeline(disabled=True))
    admin.create("f", f"<{FOLDER}/>")
    assert admin("POST", "/job/with/build").status_code == 400
    assert admin("POST", "/job/without/buildWithParameters").status_code == 500
    assert admin("POST", "/job/off/build").status_code == 409
    for path in ("/job/f/build", "/job/f/disable"):
        assert admin("POST", path).status_code == 404
    answer = admin("POST", "/job/with/buildWithParameters", {"A": "2", "B": "3"})
    assert (answer.status_code, answer.headers["Location"]) == (201, "/queue/item/1/")
    admin("POST", "/job/without/build")
    assert [(build.job, build.number, build.parameters) for build in jenkins.builds] == [
        ("with", 1, {"A": "2"}),
        ("without", 1, {}),
    ]
    item = admin("GET", "/queue/item/1/api/json").json()
    assert item["executable"]["number"] == 1
    assert admin("GET", "/queue/item/9/api/json").status_code == 404
    last = admin("GET", "/job/with/lastBuild/api/json").json()
    assert (last["number"], last["result"]) == (1, "SUCCESS")
    assert admin("GET", "/job/with/7/api/json").status_code == 404
    shown = admin("GET", "/job/with/api/json?tree=lastBuild[number],color,inQueue,property[parameterDefinitions[name]]")
    assert shown.json()["lastBuild"]["number"] == 1
    assert shown.json()["property"][0]["parameterDefinitions"][0]["name"] == "A"


def test_run_time_state_appears_at_the_next_save(jenkins: JenkinsSandbox, admin: Caller) -> None:
    admin.create("a", pipeline())
    admin("POST", "/job/a/build")
    assert "<actions" not in jenkins.config("a")
    jenkins.save("a")
    assert "\n  <actions/>\n" in jenkins.config("a")


def test_waiting_builds_of_the_same_kind_are_one() -> None:
    with JenkinsSandbox(quiet_period=3600) as jenkins:
        admin = Caller(jenkins, "admin")
        admin.create("a", pipeline())
        admin.create("b", pipeline())
        first = admin("POST", "/job/a/build").headers["Location"]
        assert admin("POST", "/job/a/build").headers["Location"] == first
        admin("POST", "/job/b/build")
        waiting = admin("GET", "/queue/api/json?tree=items[id,executable,task[fullName]]").json()["items"]
        assert [one["task"]["fullName"] for one in waiting] == ["a", "b"]
        assert waiting[0]["executable"] is None
        assert admin("GET", "/job/a/api/json?tree=inQueue").json()["inQueue"] is True
        admin("POST", "/job/a/confirmRename", {"newName": "c"})
        admin("POST", "/job/b/doDelete")
        assert [build.job for build in jenkins.queue.waiting] == ["c"]
        jenkins.queue.waiting[0].time = 0
        jenkins.controller.items.root.children = {}
        assert jenkins.builds == []


def test_edit_is_a_change_by_hand(jenkins: JenkinsSandbox, admin: Caller) -> None:
    admin.create("a", pipeline(triggers=trigger(triggerOnPush="true")))

    def switch_off(job: etree._Element) -> None:
        job.find(f".//{TRIGGER}/triggerOnPush").text = "false"  # type: ignore[union-attr]

    jenkins.edit("a", switch_off)
    assert "<triggerOnPush>false</triggerOnPush>" in jenkins.config("a")
    with pytest.raises(KeyError):
        jenkins.config("nope")


def test_a_context_path_stands_before_every_location() -> None:
    with JenkinsSandbox(context_path="/jenkins", plugins=PluginManager()) as jenkins:
        admin = Caller(jenkins, "admin")
        admin.create("a", FREESTYLE)
        assert admin("POST", "/job/a/disable").headers["Location"] == "/jenkins/job/a/"
        assert admin("GET", "/job/a/api/json").json()["url"] == f"{jenkins.url}/job/a/"


def test_what_is_not_there(admin: Caller) -> None:
    for path in ("/nothing", "/job/a", "/view/none/config.xml", "/config.xml", "/view/all/nothing"):
        assert admin("GET", path, headers={**XML, "Accept": "*/*"}).status_code == 404
    admin.create("a", FREESTYLE)
    assert admin("GET", "/job/a/createItem?name=x").status_code == 404
    assert admin("PUT", "/job/a/config.xml", FREESTYLE).status_code == 405


def test_bodies_that_are_no_form(admin: Caller) -> None:
    admin.create("a", FREESTYLE)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert admin("POST", "/job/a/submitDescription", b"\xff\xfe", headers=form).status_code == 500


def test_a_store_that_makes_no_sense_holds_nothing(admin: Caller) -> None:
    tag = "com.cloudbees.hudson.plugins.folder.properties.FolderCredentialsProvider_-FolderCredentialsProperty"
    held = f"<properties><{tag}><domainCredentialsMap><entry/></domainCredentialsMap></{tag}></properties>"
    admin.create("f", f"<{FOLDER}>{held}</{FOLDER}>")
    listed = admin("GET", "/job/f/credentials/store/folder/domain/_/api/json").json()
    assert listed["credentials"] == []
