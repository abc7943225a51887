"""What loading gives, and what it must not touch."""

from __future__ import annotations

import builtins
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from configurator.errors import InputError
from configurator.spec.loader import LoadedSpec, load
from configurator.spec.models import EnvSecret, FileSecret, Plugin, ScriptPaths

GOOD = Path(__file__).parent / "good"
HEAD = (
    "apiVersion: configurator/v1\nname: platform\n"
    "jenkins: {url: https://jenkins.example.com, username: bot, api_token: {env: TOKEN}}\n"
    "gitlab: [{url: https://gitlab.example.com, token: {env: GL}, webhooks: {secret: {env: KEY}}}]\n"
)


def load_text(folder: Path, text: str) -> LoadedSpec:
    path = folder / "spec.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def errors_of(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        load(path)
    return [problem.message for problem in caught.value.problems]


@pytest.fixture(scope="module")
def full() -> LoadedSpec:
    return load(GOOD / "full.yaml")


def test_a_full_spec_has_every_value(full: LoadedSpec) -> None:
    spec = full.spec
    assert spec.jenkins.plugins == ["gitlab-plugin", Plugin(id="workflow-aggregator", minimum="600")]
    assert spec.gitlab[0].credential.token == FileSecret(file="~/token")
    assert [credential.kind for credential in spec.credentials] == [
        "ssh-key",
        "username-password",
        "secret-text",
        "gitlab-token",
    ]
    assert spec.jenkins.authenticated_endpoint is True
    assert spec.max_deletes == 5
    assert full.base == GOOD
    assert full.files == (GOOD / "full.yaml",)
    assert full.warnings == ()


def test_defaults_are_merged_key_by_key(full: LoadedSpec) -> None:
    payments, cart, library = full.spec.applications
    assert payments.branches == ["main", "release/2.x"]
    assert payments.git.url == "ssh"
    assert payments.git.clone_url == "ssh://git@gitlab.example.com:2222/shop/payments.git"
    assert payments.git.credential == "gitlab-ssh"
    assert payments.script_path == ScriptPaths(build="ci/Build", code_review="ci/Review")
    assert payments.triggers.build.ciSkip is False
    assert payments.variables == {
        "team": "shop",
        "tier": "gold",
        "since": "2024-01-01",
        "on": "yes",
        "version": 1.1,
    }
    assert cart.branches == ["main"]
    assert cart.script_path == "Jenkinsfile"
    assert cart.variables == {"team": "shop", "tier": {"cpu": 1}}
    assert library.folder == "shop"
    assert library.type == "library"


def test_a_variable_that_is_a_mapping_is_not_mixed_with_its_default(tmp_path: Path) -> None:
    loaded = load_text(
        tmp_path,
        HEAD + "defaults: {application: {variables: {x: {a: 1}}}}\n"
        "applications: [{name: a, project: g/a, variables: {x: {b: 2}}}]\n",
    )
    assert loaded.spec.applications[0].variables == {"x": {"b": 2}}


def test_a_folder_is_merged() -> None:
    loaded = load(GOOD / "folder")
    assert [file.name for file in loaded.files] == [
        "10-platform.yaml",
        "20-shop.yml",
        "30-tools.yaml",
        "40-empty.yaml",
    ]
    assert loaded.spec.jenkins.plugins == ["gitlab-plugin", "git"]
    assert [application.name for application in loaded.spec.applications] == ["web", "tool"]
    assert loaded.spec.applications[0].build_tool == "npm"
    assert loaded.spec.applications[1].jira is True
    assert loaded.base == GOOD / "folder"
    assert loaded.warnings == (f"{GOOD / 'folder' / '40-empty.yaml'} is empty",)


def test_places(full: LoadedSpec) -> None:
    place = full.place("applications", 0, "project")
    assert place is not None
    assert (place.line, place.column, place.text) == (71, 14, "    project: shop/payments")
    root = full.place()
    assert root is not None
    assert (root.line, root.column) == (2, 1)
    assert full.place("applications", 0, "folder") == full.place("applications", 0)
    assert full.place("nothing") is None
    # A default's place is where it is written.
    default = full.place("applications", 0, "branches", 1)
    assert default is not None
    assert default.line == 5


def test_places_of_secret_references(full: LoadedSpec) -> None:
    gitlab = full.spec.gitlab[0]
    assert full.reference_path(gitlab.token) == "gitlab[0].token"
    assert gitlab.rotation is not None
    assert gitlab.rotation.admin_token is not None
    assert full.reference_path(gitlab.rotation.admin_token) == "gitlab[0].rotation.admin_token"
    assert full.reference_place(gitlab.token) == full.place("gitlab", 0, "token")
    stranger = EnvSecret(env="GITLAB_TOKEN")
    assert full.reference_path(stranger) == ""
    assert full.reference_place(stranger) is None


def test_loading_resolves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of the environment, no other file, no command: a stranger's spec may be loaded."""
    (tmp_path / "full.yaml").write_bytes((GOOD / "full.yaml").read_bytes())
    load(tmp_path / "full.yaml")
    opened: list[str] = []
    real = Path.open

    def watch(path: Path, *arguments: Any, **options: Any) -> Any:
        opened.append(path.name)
        return real(path, *arguments, **options)

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError(f"touched: {arguments}")

    class NoEnvironment(dict[str, str]):
        __getitem__ = get = __contains__ = refuse  # type: ignore[assignment]

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", watch)
        patched.setattr(builtins, "open", refuse)
        patched.setattr(Path, "expanduser", refuse)
        patched.setattr(os, "environ", NoEnvironment())
        patched.setattr(os, "system", refuse)
        patched.setattr(subprocess, "Popen", refuse)
        loaded = load(tmp_path / "full.yaml")
    assert opened == ["full.yaml"]
    assert loaded.spec.name == "platform"


def test_missing_file_and_unreadable_things(tmp_path: Path) -> None:
    missing = tmp_path / "missing.yaml"
    assert errors_of(missing) == [f"{missing} can't be read: No such file or directory"]
    assert "is no path" in errors_of(Path("a\0b"))[0] or "can't be read" in errors_of(Path("a\0b"))[0]
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "lost.yaml").symlink_to(missing)
    (tmp_path / "folder" / "sub.yaml").mkdir()
    assert errors_of(tmp_path / "folder") == [
        f"{tmp_path / 'folder' / 'lost.yaml'} can't be read: No such file or directory"
    ]


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(path: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", denied)
    path = tmp_path / "spec.yaml"
    assert errors_of(path) == [f"{path} can't be read: Permission denied"]
    monkeypatch.setattr(Path, "iterdir", denied)
    assert errors_of(tmp_path) == [f"{tmp_path} can't be read: Permission denied"]


def test_a_huge_file(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes(b"#" * (10 * 1024 * 1024 + 1))
    assert errors_of(path) == [f"{path} is larger than 10 MB: that is no spec"]


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + HEAD.replace("\n", "\r\n").encode())
    assert load(path).place("jenkins", "url") is not None


WARNINGS = {
    "applications: [{name: a, project: g/a, build_tool: mavn}]": (
        ":5:52: the build tool 'mavn' is not known, it gets the default stages; did you mean maven?"
    ),
    "applications: [{name: a, project: g/a, build_tool: bazel}]": (
        ":5:52: the build tool 'bazel' is not known, it gets the default stages (known: maven, gradle, npm, dotnet, "
        "python, go, terraform, helm, docker, opa, codenarc, kaniko, none)"
    ),
    "jobs: [{name: j, git: {url: ssh}}]": (
        ":5:29: git.url is ssh, but no git.credential is named: Jenkins has no key to clone with"
    ),
}
CREDENTIALS = """
credentials:
  - {id: key, kind: ssh-key, username: git, private_key: {env: KEY}}
  - {id: login, kind: username-password, username: ci, password: {env: LOGIN}, folder: shop}
  - {id: text, kind: secret-text, secret: {env: TEXT}}
  - {id: both, kind: secret-text, secret: {env: TEXT}}
  - {id: both, kind: ssh-key, username: git, private_key: {env: KEY}, folder: shop/cart}
folders: [{name: shop}, {name: tools}, {name: shop/cart}, {name: shopping}]
jobs: [{name: %s, git: {%s}}]
"""
GIT_CREDENTIALS = {
    ("tools/j", "url: ssh, credential: key"): "",
    ("tools/j", "credential: somebody-elses"): "",
    ("shop/cart/j", "credential: login"): "",
    ("shop/cart/j", "url: ssh, credential: both"): "",
    ("j", 'credential: key, clone_url: "git@gitlab.example.com:shop/payments.git"'): "",
    ("shop/j", "url: ssh, credential: both"): (
        "the credential 'both' is of the kind secret-text, which git can't use: ssh-key clones"
    ),
    ("j", "credential: key"): (
        "the credential 'key' is of the kind ssh-key, which does not fit a clone address by http: "
        "username-password does"
    ),
    ("shop/j", "url: ssh, credential: login"): (
        "the credential 'login' is of the kind username-password, which does not fit a clone address by ssh: "
        "ssh-key does"
    ),
    ("j", "credential: text"): (
        "the credential 'text' is of the kind secret-text, which git can't use: username-password clones"
    ),
    ("j", "credential: gitlab-access-token"): (
        "the credential 'gitlab-access-token' is a GitLab API token, which git can't use: username-password clones"
    ),
    ("tools/j", "credential: login"): (
        "jobs of the folder tools can't see the credential 'login': it is in the store of the folder shop"
    ),
    ("shopping/j", "credential: login"): (
        "jobs of the folder shopping can't see the credential 'login': it is in the store of the folder shop"
    ),
    ("j", "credential: login"): (
        "jobs at the root can't see the credential 'login': it is in the store of the folder shop"
    ),
    ("shop/j", "credential: logni"): "the spec makes no credential 'logni'; did you mean login?",
    ("tools/j", "credential: logni"): "",
}


@pytest.mark.parametrize(("job", "git"), GIT_CREDENTIALS)
def test_what_is_said_of_a_credential_to_clone_with(tmp_path: Path, job: str, git: str) -> None:
    loaded = load_text(tmp_path, HEAD + CREDENTIALS % (job, git))
    said = [one.split(": ", 1)[1] for one in loaded.warnings]
    assert said == [one for one in [GIT_CREDENTIALS[job, git]] if one]


def test_a_credential_of_an_application_counts_for_its_folder(tmp_path: Path) -> None:
    text = """
credentials: [{id: key, kind: ssh-key, username: git, private_key: {env: KEY}, folder: a}]
defaults: {application: {git: {url: ssh, credential: key}}}
applications: [{name: a, project: g/a}, {name: b, project: g/b}, {name: c, project: g/c}]
"""
    said = [one.split(": ", 1)[1] for one in load_text(tmp_path, HEAD + text).warnings]
    assert said == [
        f"jobs of the folder {name} can't see the credential 'key': it is in the store of the folder a" for name in "bc"
    ]


@pytest.mark.parametrize("text", WARNINGS)
def test_warnings(tmp_path: Path, text: str) -> None:
    loaded = load_text(tmp_path, HEAD + text)
    assert loaded.warnings == (f"{tmp_path / 'spec.yaml'}{WARNINGS[text]}",)


def test_a_warning_about_a_default_comes_once(tmp_path: Path) -> None:
    text = "defaults: {application: {build_tool: x}}\napplications: [{name: a, project: g/a}, {name: b, project: g/b}]"
    assert len(load_text(tmp_path, HEAD + text).warnings) == 1


@pytest.mark.parametrize(
    "text",
    [
        # The same name in different folders is not the same thing.
        "folders: [{name: x}, {name: y}]\n"
        "applications: [{name: a, project: x/a, folder: x}, {name: a, project: y/a, folder: y}]",
        "jobs: [{name: V}]\nviews: [{name: V, regex: a}]",
        "credentials: [{id: x, kind: secret-text, secret: {env: X}},"
        " {id: x, kind: secret-text, secret: {env: X}, folder: a}]\nfolders: [{name: a}]",
        # An application's own folder, and one that exists already, can be used.
        "applications: [{name: a, project: g/a}]\njobs: [{name: a/x}]",
        "folders: [{name: old, manage: false}]\njobs: [{name: old/x}]",
        # Fifty branches just fit; a team's own provisioner counts for itself.
        "applications: [{name: a, project: g/a, branches: [" + ",".join(f"b{n}" for n in range(50)) + "]}]",
        "applications: [{name: a, project: g/a, provisioner: mine, branches: ["
        + ",".join(f"b{n}" for n in range(70))
        + "]}]",
        "jobs: [{name: m, template: multibranch, gitlab: {project: g/a}}]",
        "x-anything: [1, {2nd: x}]",
    ],
)
def test_what_is_allowed(tmp_path: Path, text: str) -> None:
    assert load_text(tmp_path, HEAD + text).warnings == ()


def test_events_on_a_multibranch_job(tmp_path: Path) -> None:
    text = "jobs: [{name: m, template: multibranch, gitlab: {project: g/a, events: [push]}}]"
    (tmp_path / "spec.yaml").write_text(HEAD + text)
    assert errors_of(tmp_path / "spec.yaml") == ["events don't work on a multibranch job: the plugin ignores its token"]


def test_a_connection_of_somebody_else_may_share_a_credential(tmp_path: Path) -> None:
    text = HEAD.replace("gitlab: [", "gitlab: [{name: b, url: https://b.example.com, token: {env: B}, manage: false}, ")
    assert len(load_text(tmp_path, text).spec.gitlab) == 2
