"""A push on the embedded GitLab starts a build on the embedded Jenkins."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.seed import apply_seed, parse_seed

TRIGGER = """<com.dabsquared.gitlabjenkins.GitLabPushTrigger plugin="gitlab-plugin"><spec/>
<triggerOnPush>true</triggerOnPush><triggerOnMergeRequest>true</triggerOnMergeRequest>
<triggerOpenMergeRequestOnPush>never</triggerOpenMergeRequestOnPush><triggerOnNoteRequest>true</triggerOnNoteRequest>
<noteRegex>build it</noteRegex><branchFilterType>All</branchFilterType><secretToken>{token}</secretToken>
</com.dabsquared.gitlabjenkins.GitLabPushTrigger>"""
JOB = f"""<flow-definition><properties>
<org.jenkinsci.plugins.workflow.job.properties.PipelineTriggersJobProperty><triggers>{TRIGGER.format(token="s3cret")}
</triggers></org.jenkinsci.plugins.workflow.job.properties.PipelineTriggersJobProperty></properties></flow-definition>"""
SEED = """
jenkins: {jobs: [{name: shop/build, file: job.xml}]}
gitlab:
  users: [ann]
  projects:
    - path: shop/payments
      hooks: [{url: "{jenkins}/project/shop/build", token: s3cret, events: [push, merge_requests, note]}]
"""


@pytest.mark.parametrize("context_path", ["", "/jenkins"])
def test_pushes_merge_requests_and_comments_build(tmp_path: Path, context_path: str) -> None:
    (tmp_path / "job.xml").write_text(JOB)
    seed = parse_seed(SEED, "seed.yaml", tmp_path)
    with JenkinsSandbox(context_path=context_path) as jenkins, GitLabSandbox() as gitlab:
        apply_seed(seed, jenkins, gitlab)
        form = {"project": "1", "branch": "main"}
        assert requests.post(f"{gitlab.url}/-/sandbox/push", data=form, timeout=5).status_code == 200
        gitlab.push("shop/payments", "feature")
        assert gitlab.wait_deliveries(5)
        merge_request = gitlab.merge_request("shop/payments", "feature")
        assert gitlab.wait_deliveries(5)
        gitlab.comment("shop/payments", merge_request, "build it")
        assert gitlab.wait_deliveries(5)
        assert [entry.response_status for entry in gitlab.deliveries()] == ["200"] * 4
        assert len(jenkins.deliveries) == 4
        assert len(jenkins.builds) == 4


def test_a_wrong_token_is_refused(tmp_path: Path) -> None:
    (tmp_path / "job.xml").write_text(JOB)
    seed = parse_seed(SEED.replace("token: s3cret", "token: wrong"), "seed.yaml", tmp_path)
    with JenkinsSandbox() as jenkins, GitLabSandbox() as gitlab:
        apply_seed(seed, jenkins, gitlab)
        gitlab.push("shop/payments")
        assert gitlab.wait_deliveries(5)
        assert gitlab.deliveries()[0].response_status == "401"
        assert jenkins.builds == []
