"""The script ``jobs`` in the embedded Jenkins; that it agrees with the real script, see tests/groovy."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

from jenkins_calls import FOLDER, FREESTYLE, Caller, pipeline, trigger

from configurator.sandbox.jenkins import INSTALLED, JenkinsSandbox

SALT = "00ff10"
MARK = "Managed by configurator (platform)"
MULTIBRANCH = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"


def listed(caller: Caller) -> dict[str, Any]:
    return {one["name"]: one for one in caller.script("jobs", {"salt": SALT})["items"]}


def test_every_item_with_what_matters_for_a_webhook(admin: Caller) -> None:
    admin.create("f", f"<{FOLDER}><description>{MARK}</description></{FOLDER}>")
    labels = "<include>a</include>"
    fields = {"noteRegex": "x", "secretToken": "s3", "mergeRequestLabelFilterConfig": labels, "spec": ""}
    described = f"<description>about\n{MARK}\n</description>"
    admin.create("a", pipeline(described, triggers=trigger(**fields)), "/job/f")
    admin.create("b", pipeline(f"<description>{MARK}\nmore</description>", disabled=True), "/job/f")
    admin.create("c", FREESTYLE)
    admin.create("m", f"<{MULTIBRANCH}/>")
    found = listed(admin)
    assert list(found) == ["c", "f", "f/a", "f/b", "m"]
    assert found["f"] == {"name": "f", "class": FOLDER, "mark": MARK, "disabled": None}
    assert (found["f/b"]["mark"], found["f/b"]["disabled"], "trigger" in found["f/b"]) == (None, True, False)
    assert found["m"]["class"] == MULTIBRANCH
    shown = found["f/a"]["trigger"]
    assert found["f/a"]["mark"] == MARK
    assert shown["noteRegex"] == "x"
    assert shown["triggerOnPush"] == "false"
    assert shown["mergeRequestLabelFilterConfig.include"] == "a"
    assert not {"secretToken", "spec", "mergeRequestLabelFilterConfig"} & set(shown)
    assert found["f/a"]["token"] == hmac.new(bytes.fromhex(SALT), b"s3", hashlib.sha256).hexdigest()


def test_no_token_no_digest(admin: Caller) -> None:
    admin.create("a", pipeline(triggers=trigger(triggerOnPush="true")))
    assert listed(admin)["a"]["token"] is None


def test_without_the_plugin_there_are_no_triggers() -> None:
    plugins = {name: version for name, version in INSTALLED.items() if name != "gitlab-plugin"}
    with JenkinsSandbox(plugins=plugins) as jenkins:
        admin = Caller(jenkins, "admin")
        admin.create("a", pipeline(triggers=trigger(triggerOnPush="true")))
        assert "trigger" not in listed(admin)["a"]


def test_thousands_are_quick_and_small(jenkins: JenkinsSandbox, admin: Caller) -> None:
    tree = jenkins.controller.items
    xml = pipeline(f"<description>d\n{MARK} gitlab=gitlab project=12345</description>")
    for number in range(2_000):
        tree.create(tree.root, f"MAIN-Build-payments-{number}", xml)
    began = time.monotonic()
    found = listed(admin)
    assert time.monotonic() - began < 5
    assert max(len(json.dumps(one)) for one in found.values()) < 300
