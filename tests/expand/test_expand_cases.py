"""A folder for each case: ``spec.yaml`` in, ``expected/`` out. ``UPDATE_EXPECTED=1`` writes what comes out."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from configurator.spec.expand import expand
from configurator.spec.expanded import WEBHOOK_TOKEN, Expanded
from configurator.spec.loader import load
from configurator.spec.trigger_options import Trigger

CASES = Path(__file__).parent / "cases"
NAMES = sorted(path.name for path in CASES.iterdir())
# Contract, fact 15, in the order in which the plugin saves them.
PLUGIN_FIELDS = [
    "spec",
    "triggerOnPush",
    "triggerToBranchDeleteRequest",
    "triggerOnMergeRequest",
    "triggerOnlyIfNewCommitsPushed",
    "triggerOnPipelineEvent",
    "triggerOnAcceptedMergeRequest",
    "triggerOnClosedMergeRequest",
    "triggerOnApprovedMergeRequest",
    "triggerOpenMergeRequestOnPush",
    "triggerOnNoteRequest",
    "noteRegex",
    "ciSkip",
    "skipWorkInProgressMergeRequest",
    "labelsThatForcesBuildIfAdded",
    "setBuildDescription",
    "branchFilterType",
    "includeBranchesSpec",
    "excludeBranchesSpec",
    "sourceBranchRegex",
    "targetBranchRegex",
    "mergeRequestLabelFilterConfig",
    "secretToken",
    "pendingBuildName",
    "cancelPendingBuildsOnUpdate",
    "cancelRunningBuildsOnUpdate",
]
TRIGGER = "com.dabsquared.gitlabjenkins.GitLabPushTrigger"


def expand_case(name: str, monkeypatch: pytest.MonkeyPatch) -> Expanded:
    monkeypatch.chdir(CASES / name)
    return expand(load(Path("spec.yaml")))


def without_xml(item: Any) -> dict[str, Any]:
    """An item as JSON values; the XML has a file of its own."""
    values = asdict(item)
    values.pop("xml", None)
    values["origin"] = {"place": str(item.origin.place), "application": item.origin.application}
    if values.get("hook"):
        values["hook"]["events"] = sorted(values["hook"]["events"])
    return values


def files_of(expanded: Expanded) -> dict[str, str]:
    sections = {"folders": expanded.folders, "jobs": expanded.jobs, "views": expanded.views}
    listing: dict[str, Any] = {kind: [without_xml(item) for item in items] for kind, items in sections.items()}
    listing["warnings"] = expanded.warnings
    files = {"expanded.json": json.dumps(listing, indent=2, ensure_ascii=False) + "\n"}
    for kind, items in (("jobs", expanded.jobs), ("views", expanded.views)):
        for item in items:
            files[f"{kind}/{re.sub(r'[^A-Za-z0-9.-]+', '_', item.name)}.xml"] = item.xml
    return files


@pytest.mark.parametrize("name", NAMES)
def test_spec_expands_to_the_expected_files(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files = files_of(expand_case(name, monkeypatch))
    expected = CASES / name / "expected"
    if os.environ.get("UPDATE_EXPECTED"):
        for old in (path for path in expected.rglob("*") if path.is_file()):
            old.unlink()
        for file, text in files.items():
            (expected / file).parent.mkdir(parents=True, exist_ok=True)
            (expected / file).write_text(text, "utf-8")
    found = {
        path.relative_to(expected).as_posix(): path.read_bytes().decode()
        for path in expected.rglob("*")
        if path.is_file()
    }
    assert files == found


@pytest.mark.parametrize("name", NAMES)
def test_the_same_spec_gives_the_same_bytes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert files_of(expand_case(name, monkeypatch)) == files_of(expand_case(name, monkeypatch))


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"own_templates"}))
def test_every_trigger_has_every_field_and_the_token_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for job in expand_case(name, monkeypatch).jobs:
        triggers = list(etree.fromstring(job.xml.encode()).iter(TRIGGER))
        assert len(triggers) == (1 if job.trigger_project else 0)
        assert job.xml.count(WEBHOOK_TOKEN) == len(triggers)
        for trigger in triggers:
            assert [field.tag for field in trigger] == PLUGIN_FIELDS
            assert [field.tag for field in trigger.iterfind("mergeRequestLabelFilterConfig/*")] == [
                "include",
                "exclude",
            ]
            assert trigger.findtext("secretToken") == WEBHOOK_TOKEN


def test_every_option_of_the_model_reaches_the_xml(monkeypatch: pytest.MonkeyPatch) -> None:
    expanded = expand_case("trigger_options", monkeypatch)
    (job,) = expanded.jobs
    asked = expanded.spec.jobs[0].gitlab
    assert asked is not None
    options = asked.trigger.model_dump()
    assert None not in options.values()
    trigger = next(etree.fromstring(job.xml.encode()).iter(TRIGGER))
    texts = {field.tag: field.text or "" for field in trigger}
    texts["mergeRequestLabelInclude"] = trigger.findtext("mergeRequestLabelFilterConfig/include") or ""
    texts["mergeRequestLabelExclude"] = trigger.findtext("mergeRequestLabelFilterConfig/exclude") or ""
    for name in Trigger.model_fields:
        value = options[name]
        assert texts[name] == (str(value).lower() if isinstance(value, bool) else value)


def test_values_survive_escaping_to_the_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    expanded = expand_case("escaping", monkeypatch)
    spec = expanded.spec
    jobs = {job.name: etree.fromstring(job.xml.encode()) for job in expanded.jobs}
    wanted = spec.jobs[0]
    assert jobs["größe"].findtext("description") == wanted.description
    assert jobs["größe"].findtext("definition/script") == wanted.variables["script"]
    assert next(jobs["größe"].iter("defaultValue")).text == "  two\n   lines  "
    assert expanded.folders[0].description == spec.applications[0].description
    build = next(xml for name, xml in jobs.items() if "-Build-" in name)
    assert f"{spec.applications[0].name}/FEATURE-Ü-X'Y{{Z}}\"-Build-{spec.applications[0].name}" in jobs
    assert build.findtext("definition/scriptPath") == spec.applications[0].script_path
    assert next(build.iter("hudson.triggers.TimerTrigger")).findtext("spec") == spec.applications[0].variables["cron"]
    assert [name.text for name in build.iterfind(".//branches//name")] == [
        f"refs/heads/{spec.applications[0].branches[0]}"
    ]
    view = etree.fromstring(expanded.views[0].xml.encode())
    assert (view.findtext("includeRegex"), view.findtext("description")) == (spec.views[0].regex, "<i>")


def test_parents_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [folder.name for folder in expand_case("application_with_everything", monkeypatch).folders]
    assert names == ["shop", "shop/payments"]


def test_no_rendered_xml_speaks_of_disabled_unless_the_spec_does(monkeypatch: pytest.MonkeyPatch) -> None:
    for job in expand_case("jobs_without_trigger", monkeypatch).jobs:
        spoken = etree.fromstring(job.xml.encode()).findtext("disabled")
        assert spoken == (None if job.disabled is None else str(job.disabled).lower())
