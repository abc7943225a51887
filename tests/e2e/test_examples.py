"""Every example runs on the sandbox, twice, and the demo tells its story to the end."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from prometheus_format import parse

from configurator import demo
from configurator.cli.app import run as run_command
from configurator.sandbox.gitlab import GitLabSandbox
from tests.e2e.conftest import REAL, Site, quiet

SECOND_GITLAB, ITS_PROJECT = "https://gitlab.internal.example.com", "core/gateway"
EXAMPLES = Path(__file__).parents[2] / "examples"
embedded_only = pytest.mark.skipif(bool(REAL), reason="the examples name projects and folders of their own")


@embedded_only
@pytest.mark.parametrize("name", sorted(one.name for one in EXAMPLES.iterdir()))
def test_an_example_makes_what_it_says_and_finds_nothing_to_do_after(
    name: str, site: Site, second: GitLabSandbox
) -> None:
    jenkins, gitlab = site.jenkins.url, site.gitlab.http.url
    spec = site.path.parent / name
    shutil.copytree(EXAMPLES / name, spec)
    for file in spec.glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        text = text.replace("https://jenkins.example.com", jenkins).replace("https://gitlab.example.com", gitlab)
        text = text.replace(SECOND_GITLAB, second.url)
        file.write_text(text.replace("username: configurator", "username: admin"), encoding="utf-8")
    site.environ |= {"GITLAB_CLONE_TOKEN": "clone token", "PAYMENT_GATEWAY_KEY": "gateway key"}
    site.environ |= {"INTERNAL_WEBHOOK_SECRET": "another", "INTERNAL_SSH_PASSPHRASE": "open"}
    site.environ |= {"INTERNAL_SSH_KEY": "a key", "CORE_REGISTRY_PASSWORD": "core", "SHOP_REGISTRY_PASSWORD": "shop"}
    target = spec / "configurator.yaml" if (spec / "configurator.yaml").is_file() else spec
    here = f"-f{target}"
    assert site.run("validate", here).code == 0
    applied = site.run("apply", here, "--yes", "-o", "json")
    assert applied.code == 0, applied.err
    assert {change["result"] for change in applied.json["changes"]} == {"done"}
    for item in site.jenkins.list_items():
        if item["_class"] != "com.cloudbees.hudson.plugins.folder.Folder":
            site.jenkins.set_description(item["fullName"], item["description"])
    again = site.run("plan", here, "-o", "json")
    assert quiet(again.json), again.out
    assert again.json["warnings"] == []


@pytest.fixture
def second(site: Site) -> Iterator[GitLabSandbox]:
    """A second GitLab for examples that speak of two."""
    with GitLabSandbox() as server:
        bot = server.add_user("bot")
        server.add_project(ITS_PROJECT, members={bot.username: 40})
        site.environ["INTERNAL_GITLAB_TOKEN"] = server.add_token(bot, ["api"]).value
        yield server


@embedded_only
def test_the_pipeline_for_tokens_rotates_what_ends_soon_and_then_finds_nothing_to_do(site: Site) -> None:
    assert site.embedded is not None
    jenkins, gitlab = site.embedded
    text = (EXAMPLES / "tokens" / "configurator.yaml").read_text(encoding="utf-8")
    text = text.replace("https://jenkins.example.com", jenkins.url).replace("https://gitlab.example.com", gitlab.url)
    site.path.write_text(text.replace("username: configurator", "username: admin"), encoding="utf-8")
    gitlab.add_project("ops/configurator", members={"bot": 40})
    ends = datetime.now(UTC).date() + timedelta(days=10)
    old = gitlab.add_token("bot", ["api"], expires_at=ends).value
    folder = site.path.parent
    site.environ |= {"GITLAB_TOKEN": old, "CONFIGURATOR_RECOVERY": str(folder / "rotation.json")}
    assert site.run("apply", "--yes").code == 0
    pipeline = yaml.safe_load((EXAMPLES / "tokens" / ".gitlab-ci.yml").read_text(encoding="utf-8"))
    said: list[str] = []
    for stage in [*pipeline["stages"], *pipeline["stages"]]:
        [line] = pipeline[stage]["script"]
        words = line.replace("/var/lib/node_exporter", str(folder)).split()[1:]
        depth = 2 if words[0] == "token" else 1
        ran = site.run(" ".join(words[:depth]), *words[depth:])
        assert ran.code == 0, (line, ran.out, ran.err)
        said.append(ran.out)
        for variable in gitlab.projects["ops/configurator"].variables:  # what the next job begins with
            site.environ[variable.key] = variable.value
    assert site.environ["GITLAB_TOKEN"] != old
    assert "rotated, good until" in said[2] and "left alone" in said[6]
    metrics = parse((folder / "configurator.prom").read_text(encoding="utf-8"))
    assert list(metrics["configurator_token_days_left"].samples.values()) == [90]
    assert not (folder / "rotation.json").exists()


def test_every_secret_of_an_example_is_a_reference_and_every_address_an_example() -> None:
    for file in EXAMPLES.rglob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        assert set(re.findall(r"https?://([^/\s]+)", text)) <= {
            "jenkins.example.com",
            "gitlab.example.com",
            SECOND_GITLAB.removeprefix("https://"),
        }


@embedded_only
def test_the_demo(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []
    assert demo.run(run_command, told.append) == 0
    printed = capsys.readouterr()
    story = "".join(told)
    assert "Jenkins builds payments/MAIN-Build-payments #2" in story
    assert "6 webhooks are left, none of them an orphan" in story
    assert "Nothing to do" in printed.out
    assert "triggers/GitLabPushTrigger/triggerOnPush: false → true" in printed.out
    assert "a key that only the platform team knows" not in printed.out + printed.err + story


@embedded_only
def test_a_demo_that_goes_wrong_says_so() -> None:
    with pytest.raises(demo.ConfiguratorError, match=r"`configurator validate` ended with 3, not 0"):
        demo.run(lambda arguments: 3, lambda text: None)


@embedded_only
def test_the_plan_in_the_readme_is_a_real_one(site: Site) -> None:
    assert site.embedded is not None
    jenkins, gitlab = site.embedded
    text = (EXAMPLES / "quickstart" / "configurator.yaml").read_text(encoding="utf-8")
    text = text.replace("https://jenkins.example.com", jenkins.url).replace("https://gitlab.example.com", gitlab.url)
    site.path.write_text(text.replace("[main, release/2.x]", "[main]"), encoding="utf-8")
    assert site.run("apply", "--yes").code == 0
    job = "payments/MAIN-Build-payments"
    xml = site.jenkins.read_item(job)
    site.jenkins.write_item(job, xml.replace("<triggerOnPush>true", "<triggerOnPush>false"))
    [hook] = [one for one in gitlab.hooks("shop/payments") if "Build" in one.url]
    hook.enable_ssl_verification = False
    site.path.write_text(text.partition("  - name: search\n")[0], encoding="utf-8")
    readme = (EXAMPLES.parent / "README.md").read_text(encoding="utf-8")
    assert site.run("plan", "--prune").out in readme
