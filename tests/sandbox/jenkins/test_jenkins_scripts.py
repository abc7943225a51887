"""Our own scripts as named operations."""

from __future__ import annotations

import hashlib
import hmac
import json
from importlib.resources import files
from typing import Any

import pytest
from jenkins_calls import FOLDER, VIEW, Caller, gitlab_token, pipeline, trigger

from configurator.sandbox.jenkins import INSTALLED, JenkinsSandbox

SALT = "00ff10"
MARK = "Managed by configurator (platform)"


def digest(clear: str) -> str:
    return hmac.new(bytes.fromhex(SALT), clear.encode(), hashlib.sha256).hexdigest()


def inventory(admin: Caller, **payload: Any) -> Any:
    return admin.script("inventory", {"owner": "platform", "salt": SALT, **payload})


def test_only_the_packaged_text_runs(admin: Caller) -> None:
    text = files("configurator").joinpath("clients", "jenkins", "scripts", "encrypt.groovy").read_text(encoding="utf-8")
    form = {"script": text, "payload": '{"nonce": "n", "values": []}'}
    assert admin("POST", "/scriptText", form).text == 'configurator:n\n{"values": []}'
    for changed in (text + " ", "// configurator: nosuch\n", "// configurator: ../x\n", "println 'a'", ""):
        answer = admin("POST", "/scriptText", {**form, "script": changed})
        assert answer.status_code == 200
        assert answer.text.startswith("org.codehaus.groovy.control.MultipleCompilationErrorsException")
    assert admin("POST", "/scriptText", {**form, "script": text.replace("\n", "\r\n")}).text.startswith("configurator")


@pytest.mark.parametrize("payload", ["", "{", '{"nonce": "n"}', '{"values": []}', "[]"])
def test_a_bad_payload_throws(admin: Caller, payload: str) -> None:
    text = files("configurator").joinpath("clients", "jenkins", "scripts", "encrypt.groovy").read_text(encoding="utf-8")
    answer = admin("POST", "/scriptText", {"script": text, "payload": payload})
    assert (answer.status_code, "\tat " in answer.text) == (200, True)


def test_a_test_may_teach_it_scripts(jenkins: JenkinsSandbox, admin: Caller) -> None:
    jenkins.scripts["print 2"] = lambda controller, form: form["payload"] + controller.version
    assert admin("POST", "/scriptText", {"script": "print 2", "payload": "v"}).text == "v2.524"


def test_encrypt(jenkins: JenkinsSandbox, admin: Caller) -> None:
    secrets = jenkins.controller.secrets
    values = admin.script("encrypt", {"values": ["a", secrets.encrypt("b")]})["values"]
    assert [secrets.decrypt(value) for value in values] == ["a", "b"]


def test_inventory_of_items(jenkins: JenkinsSandbox, admin: Caller) -> None:
    admin.create("f", f"<{FOLDER}><description>{MARK}</description></{FOLDER}>")
    admin.create("a", pipeline(triggers=trigger(secretToken="in-clear")), "/job/f")
    admin.create("b", pipeline(f"<description>x\n{MARK}</description>", disabled=True), "/job/f")
    admin.create("c", pipeline(triggers=trigger(secretToken=" ")))
    admin.create("other", pipeline("<description>Managed by configurator (another)</description>"))
    multibranch = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"
    admin.create("m", f"<{multibranch}/>")
    found = {one["name"]: one for one in inventory(admin, items=["f/a", "f", "c", "m", "nope"])["items"]}
    assert list(found) == ["c", "f", "f/a", "f/b", "m"]
    assert found["f"] == {
        "name": "f",
        "class": FOLDER,
        "description": MARK,
        "children": ["f/a", "f/b"],
    }
    assert (found["f/b"]["disabled"], found["f/b"]["builds"], "xml" in found["f/b"]) == (True, 0, True)
    assert (found["m"]["builds"], found["m"]["children"]) == (None, [])
    assert "<secretToken>@@configurator:in-clear@@</secretToken>" in found["f/a"]["xml"]
    assert "<secretToken> </secretToken>" in found["c"]["xml"]
    jenkins.save("f/a")
    admin("POST", "/job/f/job/a/build")
    again = inventory(admin, items=["f/a"])["items"][1]
    assert f"<secretToken>{{digest:{digest('in-clear')}}}</secretToken>" in again["xml"]
    assert again["builds"] == 1


def test_ciphertext_of_another_controller_stays_in_an_inventory(jenkins: JenkinsSandbox, admin: Caller) -> None:
    with JenkinsSandbox() as other:
        foreign = other.controller.secrets.encrypt("s")
    admin.create("a", pipeline(triggers=trigger(secretToken=foreign)))
    assert foreign in inventory(admin, items=["a"])["items"][0]["xml"]


def test_inventory_of_views(admin: Caller) -> None:
    admin.create("f", f"<{FOLDER}/>")
    admin("POST", "/createView?name=V", VIEW)
    admin("POST", "/job/f/createView?name=W", VIEW.replace("<inc", f"<description>{MARK}</description><inc"))
    found = {one["name"]: one for one in inventory(admin, views=["V"])["views"]}
    assert [(name, one["description"]) for name, one in found.items()] == [("V", None), ("f/W", MARK)]
    assert found["V"]["xml"].startswith('<?xml version="1.1" encoding="UTF-8"?>\n<hudson.model.ListView>\n  <name>V')


def test_inventory_of_the_rest(jenkins: JenkinsSandbox, admin: Caller) -> None:
    admin.create("f", f"<{FOLDER}/>")
    ssh = "com.cloudbees.jenkins.plugins.sshcredentials.impl.BasicSSHUserPrivateKey"
    key = (
        f"<{ssh}><scope>GLOBAL</scope><id>k</id><username>git</username>"
        f'<privateKeySource class="{ssh}$DirectEntryPrivateKeySource"><privateKey>KEY\n\n</privateKey>'
        f"</privateKeySource></{ssh}>"
    )
    admin("POST", "/credentials/store/system/domain/_/createCredentials", key)
    admin("POST", "/credentials/store/system/domain/_/createCredentials", f"<{ssh}><id>empty</id></{ssh}>")
    admin("POST", "/job/f/credentials/store/folder/domain/_/createCredentials", gitlab_token("t", "tok"))
    answer = inventory(admin)
    assert (answer["version"], answer["root_url"], answer["user"]) == ("2.524", f"{jenkins.url}/", "admin")
    assert {"id": "gitlab-plugin", "version": "1.9.12", "active": True} in answer["plugins"]
    assert answer["authenticated_endpoint"] is True
    assert [one["name"] for one in answer["connections"]] == [""]
    found = {one["id"]: one for one in answer["credentials"]}
    assert found["k"] == {
        "folder": None,
        "domain": None,
        "id": "k",
        "class": ssh,
        "description": None,
        "scope": "GLOBAL",
        "username": "git",
        "digest": digest("KEY"),
        "passphrase": None,
    }
    assert found["empty"]["digest"] is None
    assert (found["t"]["folder"], found["t"]["digest"]) == ("f", digest("tok"))
    only = {one["id"]: one["digest"] for one in inventory(admin, credentials=["t"])["credentials"]}
    assert only == {"k": None, "empty": None, "t": digest("tok")}


def test_compare(jenkins: JenkinsSandbox, admin: Caller) -> None:
    sent = pipeline(triggers=trigger(secretToken="s", triggerOnPush="true"))
    admin.create("a", sent)
    wanted = [
        {"name": "a", "xml": sent},
        {"name": "a", "xml": sent.replace(">s<", ">other<")},
        {"name": "a", "xml": sent.replace("<triggerOnPush>true", "<triggerOnPush>false")},
        {"name": "nope", "xml": sent},
        {"name": "a", "xml": "<oops"},
    ]
    for _ in range(2):
        same, secret, field, missing, bad = admin.script("compare", {"salt": SALT, "jobs": wanted})["results"]
        assert same == {"name": "a", "equal": True}
        assert f"{{digest:{digest('other')}}}" in secret["wanted"]
        assert f"{{digest:{digest('s')}}}" in secret["live"]
        assert "<triggerOnPush>true" in field["live"]
        assert "<triggerOnPush>false" in field["wanted"]
        assert "plugin=" not in field["live"]
        assert missing == {"name": "nope", "missing": True}
        assert bad["error"]
        admin("POST", "/job/a/build")
        jenkins.save("a")


def connection(name: str, **changed: Any) -> dict[str, Any]:
    return {
        "name": name,
        "url": "http://gitlab",
        "credential": "c",
        "client": "autodetect",
        "ignore_certificate_errors": False,
        "connection_timeout": 10,
        "read_timeout": 10,
        **changed,
    }


def test_connections_are_changed_among_the_others(jenkins: JenkinsSandbox, admin: Caller) -> None:
    assert len(admin.script("connection", {"delete": ["nope"]})["connections"]) == 1
    admin.script("connection", {"upsert": [connection("one"), connection("two", url="<&>")]})
    changed = {"upsert": [connection("two", client="v4"), connection("three", credential=None)], "delete": ["one"]}
    answer = admin.script("connection", changed)["connections"]
    assert answer == [connection("two", client="v4"), connection("three", credential=None)]
    assert admin.script("connection", {})["connections"] == answer
    text = jenkins.controller.connection_config.on_disk("1.9.12")
    assert "V4GitLabClientBuilder" in text
    assert text.count("<apiTokenId>") == 1


def test_two_connections_of_one_name_throw(jenkins: JenkinsSandbox) -> None:
    config = jenkins.controller.connection_config
    with pytest.raises(Exception, match="x"):
        config.set_connections([*config.connections, *(type(config.connections[0])("x", "", None),) * 2])


def test_build(jenkins: JenkinsSandbox, admin: Caller) -> None:
    admin.create("a", pipeline())
    admin.create("off", pipeline(disabled=True))
    admin.create("f", f"<{FOLDER}/>")
    results = admin.script("build", {"jobs": ["a", "off", "f", "nope"]})["results"]
    assert [one.get("error", one.get("queued")) for one in results] == [
        True,
        "the job is disabled",
        "a Folder can not be built",
        "there is no such job",
    ]
    assert admin.script("build", {"jobs": ["a"]})["results"] == [{"name": "a", "queued": True}]
    assert [(build.job, build.cause) for build in jenkins.builds] == [("a", "Started by user admin")]


def test_a_first_build_that_waits_is_not_asked_for_twice() -> None:
    with JenkinsSandbox(quiet_period=3600) as jenkins:
        admin = Caller(jenkins, "admin")
        admin.create("a", pipeline())
        for _ in range(2):
            assert admin.script("build", {"jobs": ["a"]})["results"] == [{"name": "a", "queued": True}]
        assert len(jenkins.queue.waiting) == 1


def test_without_the_plugin() -> None:
    plugins = {name: version for name, version in INSTALLED.items() if name != "gitlab-plugin"}
    with JenkinsSandbox(plugins=plugins) as jenkins:
        admin = Caller(jenkins, "admin")
        answer = inventory(admin)
        assert (answer["connections"], answer["authenticated_endpoint"]) == (None, None)
        changed = admin.script("connection", {"upsert": [connection("a")], "authenticated_endpoint": False})
        assert changed == {"connections": None, "authenticated_endpoint": None}


def test_a_thousand_jobs_are_quick(jenkins: JenkinsSandbox, admin: Caller) -> None:
    xml = pipeline(triggers=trigger(secretToken="s"))
    tree = jenkins.controller.items
    for number in range(1000):
        tree.create(tree.root, f"j{number}", xml)
    jobs = [{"name": f"j{number}", "xml": xml} for number in range(1000)]
    assert len(inventory(admin, items=[job["name"] for job in jobs])["items"]) == 1000
    results = admin.script("compare", {"salt": SALT, "jobs": jobs})["results"]
    assert all(result.get("equal") for result in results)
    assert json.dumps(results).count("equal") == 1000
