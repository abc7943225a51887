"""`status` as people and machines call it, on both embedded servers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from prometheus_format import parse

from tests.e2e.conftest import REAL, Site

pytestmark = pytest.mark.skipif("JENKINS_URL" in REAL, reason="stops servers, which real ones don't like")


def by_subject(status: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"{one['kind']}:{one['name']}".rstrip(":"): one for one in status["integrations"]}


def test_from_nothing_to_green_to_red(site: Site) -> None:
    assert site.embedded is not None
    before = site.run("status", "-o", "json").json
    assert by_subject(before)[f"credential:{site.root}-token"]["state"] == "create"
    site.apply()
    ran = site.run("status", "-o", "json")
    assert ran.code == 0
    green = by_subject(ran.json)
    assert green[f"gitlab:{site.root}"]["user"] == "bot"
    assert green[f"gitlab:{site.root}"]["applications"] == ["catalog", "payments", "search"]
    assert green[f"connection:{site.root}"]["verdict"] == "ok"
    assert green["webhooks"]["verdict"] == "ok"
    assert {one["subject"] for one in ran.json["checks"]} >= {f"gitlab:{site.root}", "jenkins", "webhooks"}
    _, gitlab = site.embedded
    gitlab.stop()
    ran = site.run("status", "-o", "json")
    assert ran.code == 1
    red = by_subject(ran.json)
    assert (red[f"gitlab:{site.root}"]["verdict"], red[f"gitlab:{site.root}"]["up"]) == ("fail", False)
    assert red["jenkins"]["up"] is True
    assert red["jenkins"]["verdict"] != "fail"


def test_a_token_that_was_revoked(site: Site) -> None:
    assert site.embedded is not None
    site.apply()
    _, gitlab = site.embedded
    for token in gitlab.tokens:
        token.revoked = True
    ran = site.run("status")
    assert ran.code == 1
    assert "revoked" in ran.out
    assert "✗ fail     gitlab" in ran.out


def test_jenkins_down(site: Site) -> None:
    assert site.embedded is not None
    site.embedded[0].stop()
    ran = site.run("status")
    assert ran.code == 1
    assert "✗ fail     jenkins" in ran.out
    assert "connected as bot" in ran.out


def test_nothing_secret_in_any_format(site: Site, tmp_path: Path) -> None:
    site.apply()
    for output in ("text", "json", "prometheus"):
        ran = site.run("status", "-o", output, "-vv")
        for secret in site.environ.values():
            assert secret not in ran.out
            assert secret not in ran.err


def test_metrics_for_the_node_exporter(site: Site, tmp_path: Path) -> None:
    site.apply()
    out = tmp_path / "configurator.prom"
    assert site.run("status", "-o", "prometheus", "--out", str(out)).code == 0
    families = parse(out.read_text())
    objects = {
        tuple(sorted(dict(labels).items())): value for labels, value in families["configurator_objects"].samples.items()
    }
    whole = sum(value for labels, value in objects.items() if ("state", "unchanged") in labels)
    assert whole == sum(objects.values()) > 20
    assert set(families["configurator_up"].samples.values()) == {1.0}


def test_a_hundred_projects_cost_little_more_than_a_plan(site: Site) -> None:
    assert site.embedded is not None
    jenkins, gitlab = site.embedded

    def asked(command: str) -> int:
        before = jenkins.count() + gitlab.count()
        site.run(command)
        return jenkins.count() + gitlab.count() - before

    few = asked("status") - asked("plan")
    for number in range(97):
        gitlab.add_project(f"many/p{number}", members={"bot": 40})
        site.spec["applications"].append({"name": f"app-{number}", "project": f"many/p{number}"})
    site.write()
    many = asked("status") - asked("plan")
    assert many - few <= 2, "a page of a listing more, not a request for each project"
    assert many <= 20


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_watching_ends_cleanly(site: Site, number: int) -> None:
    site.apply()
    watcher = subprocess.Popen(
        [sys.executable, "-m", "configurator", "status", "-f", str(site.path), "--watch", "1", "-q"],
        env={**os.environ, **site.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert watcher.stdout is not None
    while not (line := watcher.stdout.readline()).startswith("Status: "):
        assert line, "it ended early"
    watcher.send_signal(number)
    out, err = watcher.communicate(timeout=30)
    assert (watcher.returncode, out, err) == (0, "", "")
