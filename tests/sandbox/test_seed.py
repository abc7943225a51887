from __future__ import annotations

from pathlib import Path

import pytest
import requests

from configurator.sandbox.gitlab import DEVELOPER, MAINTAINER, OWNER, GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.seed import (
    SeedError,
    apply_seed,
    default_seed,
    gitlab_options,
    jenkins_options,
    load_seed,
    parse_seed,
)

SEED = """\
jenkins:
  version: "2.440"
  plugins: [{id: cloudbees-folder, version: 6.1053.vd62fb_b_f7367b_}, {id: workflow-job, version: "1571"}]
  users: [{name: eve, like: limited}, boss]
  folders: [tools/deep]
  jobs:
    - {name: tools/nightly, script: "if (1 < 2) { echo 'hello' }"}
    - {name: from-file, file: job.xml}
    - {name: from-text, xml: "<flow-definition/>"}
gitlab:
  version: 17.3.0
  users: [configurator, {name: root, admin: true, password: let-me-in}]
  tokens: [{user: configurator, name: ci, value: glpat-seeded, expires_at: never}]
  oauth_applications:
    - {name: connect, id: known, redirect_uris: ["http://127.0.0.1:7171/"], scopes: [read_api]}
    - {name: server, secret: s3cret, confidential: true, owner: root}
  projects:
    - path: shop/payments
      members: {root: owner}
      branches: [release/2.x]
      hooks:
        - {url: "{jenkins}/project/tools/nightly", token: s3cret, events: [merge_requests, note], name: by hand}
    - {path: shop/old, role: 30, archived: true, visibility: internal, default_branch: trunk}
"""


def test_a_seed_fills_both_servers(tmp_path: Path) -> None:
    (tmp_path / "seed.yaml").write_text(SEED)
    (tmp_path / "job.xml").write_text("<flow-definition><description>file</description></flow-definition>")
    seed = load_seed(tmp_path / "seed.yaml")
    with JenkinsSandbox(**jenkins_options(seed)) as jenkins, GitLabSandbox(**gitlab_options(seed)) as gitlab:
        apply_seed(seed, jenkins, gitlab)
        apply_seed(seed, jenkins, gitlab)
        assert "1 &lt; 2" in jenkins.config("tools/nightly")
        assert "file" in jenkins.config("from-file")
        assert jenkins.config("from-text")
        assert "Folder" in jenkins.config("tools/deep")
        assert set(jenkins.users) == {"admin", "limited", "reader", "eve", "boss"}
        assert jenkins.users["eve"].permissions == jenkins.users["limited"].permissions
        assert jenkins.controller.version == "2.440"
        assert gitlab.version == "17.3.0"
        payments, old = gitlab.projects["shop/payments"], gitlab.projects["shop/old"]
        assert payments.members == {1: MAINTAINER, 2: OWNER}
        assert set(payments.branches) == {"main", "release/2.x"}
        assert (old.members, old.archived, old.visibility) == ({1: DEVELOPER}, True, "internal")
        assert list(old.branches) == ["trunk"]
        (hook,) = gitlab.hooks("shop/payments")
        assert hook.url == f"{jenkins.url}/project/tools/nightly"
        assert {name for name, on in hook.flags.items() if on} == {"merge_requests_events", "note_events"}
        assert (hook.name, hook.token) == ("by hand", "s3cret")
        (token,) = gitlab.tokens
        assert (token.value, token.expires_at) == ("glpat-seeded", None)
        passwords = {name: user.password for name, user in gitlab.users.items()}
        assert passwords == {"configurator": "configurator-password", "root": "let-me-in"}
        connect, server = gitlab.applications["connect"], gitlab.applications["server"]
        assert (connect.uid, connect.redirect_uris, connect.scopes) == (
            "known",
            ["http://127.0.0.1:7171/"],
            ["read_api"],
        )
        assert (server.secret, server.confidential, server.owner_id) == ("s3cret", True, 2)


def test_default_seed() -> None:
    seed = default_seed()
    with JenkinsSandbox(**jenkins_options(seed)) as jenkins, GitLabSandbox(**gitlab_options(seed)) as gitlab:
        apply_seed(seed, jenkins, gitlab)
        headers = {"PRIVATE-TOKEN": gitlab.tokens[0].value}
        url = f"{gitlab.url}/api/v4/projects?min_access_level=40&order_by=path&sort=asc"
        found = requests.get(url, headers=headers, timeout=5).json()
        assert [project["path_with_namespace"] for project in found] == [
            "shop/catalog",
            "shop/payments",
            "shop/search",
        ]
        refused = requests.get(f"{gitlab.url}/api/v4/projects/legal%2Fcontracts/hooks", headers=headers, timeout=5)
        assert refused.status_code == 403


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("gitlab: [", ["seed.yaml: not YAML"]),
        ("- a", ["seed.yaml: a seed is a mapping with the keys jenkins and gitlab"]),
        ("base: /etc", ["seed.yaml:1:1: base: unknown key"]),
        ("gitlab:\n  projcts: []", ["seed.yaml:2:3: gitlab.projcts: unknown key"]),
        ("gitlab:\n  version: 14.1.0", ["seed.yaml:2:3: gitlab.version: GitLab 14.1.0 is older than 15.0"]),
        (
            "gitlab:\n  users: [ann]\n  projects:\n    - {path: a/b, role: king}\n    - {path: alone}",
            [
                "seed.yaml:4:19: gitlab.projects.0.role: is no role; roles are guest, planner",
                "seed.yaml:5:8: gitlab.projects.1.path: String should match pattern",
            ],
        ),
        (
            "gitlab:\n  tokens: [{user: bob}]\n  projects: [{path: a/b, members: {eve: guest}}, {path: A/b}]",
            [
                "seed.yaml:2:13: no user bob; users are none",
                "seed.yaml:3:36: no user eve; users are none",
                "seed.yaml:3:51: project A/b is there twice",
            ],
        ),
        (
            "gitlab:\n  oauth_applications:\n    - {name: x, owner: bob}\n",
            ["seed.yaml:3:17: no user bob; users are none"],
        ),
        (
            "gitlab:\n  oauth_applications:\n    - {name: x, redirect_uris: [nowhere]}\n    - {name: y, scopes: [a]}\n",
            [
                "seed.yaml:3:7: gitlab.oauth_applications.0: 'nowhere' can't be a redirect URI",
                "seed.yaml:4:7: gitlab.oauth_applications.1: 'a' is no scope of applications",
            ],
        ),
        ("jenkins:\n  jobs: [{name: x, file: none.xml}]", ["seed.yaml:2:20: no file none.xml"]),
        ("jenkins:\n  jobs:\n    - name: x\n      file: {}", ["seed.yaml:4:7: jenkins.jobs.0.file: Input should"]),
        ("jenkins: {users: [5]}", ["seed.yaml:1:19: jenkins.users.0: Input should be"]),
    ],
)
def test_wrong_seeds(text: str, problems: list[str]) -> None:
    with pytest.raises(SeedError) as caught:
        parse_seed(text, "seed.yaml", Path())
    found = caught.value.problems
    assert len(found) == len(problems)
    for got, wanted in zip(found, problems, strict=True):
        assert got.startswith(wanted)


def test_an_empty_seed_is_a_seed() -> None:
    assert parse_seed("", "seed.yaml", Path()).gitlab.projects == ()


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(SeedError, match="can't be read"):
            load_seed(path)


def test_jobs_that_jenkins_refuses() -> None:
    seed = parse_seed("jenkins: {jobs: [{name: broken, xml: '<nonsense'}]}", "seed.yaml", Path())
    with JenkinsSandbox() as jenkins, GitLabSandbox() as gitlab, pytest.raises(SeedError, match="refused broken"):
        apply_seed(seed, jenkins, gitlab)


def test_the_end_of_a_token_needs_no_quotes() -> None:
    token = "{user: bot, expires_at: %s}"
    seed = parse_seed(f"gitlab: {{users: [bot], tokens: [{token % '2027-01-31'}]}}", "seed", Path())
    assert seed.gitlab.tokens[0].expires_at == "2027-01-31"
    for wrong in ("tomorrow", "12"):
        with pytest.raises(SeedError, match=r"seed:1:\d+: gitlab\.tokens\.0\.expires_at: "):
            parse_seed(f"gitlab: {{users: [bot], tokens: [{token % wrong}]}}", "seed", Path())


def test_the_seed_of_the_documentation_can_be_used() -> None:
    text = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    seed = parse_seed(text.split("```yaml\n")[1].split("```")[0], "docs", Path())
    with JenkinsSandbox(**jenkins_options(seed)) as jenkins, GitLabSandbox(**gitlab_options(seed)) as gitlab:
        apply_seed(seed, jenkins, gitlab)
        assert jenkins.config("tools/nightly")
        assert set(gitlab.projects) == {"shop/payments"}
        assert {token.name for token in gitlab.tokens} == {"ci", "soon"}
        assert set(gitlab.applications) == {"configurator"}


def test_plugins_that_folders_and_jobs_need_are_missed_at_once() -> None:
    jenkins = "plugins: [{id: gitlab-plugin, version: 1.9.12}], folders: [tools], jobs: [{name: nightly}]"
    with pytest.raises(SeedError) as caught:
        parse_seed(f"jenkins: {{{jenkins}}}", "seed", Path())
    assert caught.value.problems == (
        "seed:1:11: folders need the plugin cloudbees-folder, too",
        "seed:1:11: pipeline jobs need the plugin workflow-job, too",
    )
