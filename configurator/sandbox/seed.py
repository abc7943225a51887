"""What the embedded servers begin with: a YAML file with users, tokens, projects, folders and jobs.

docs/sandbox.md shows one with everything that may stand in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
import yaml
from pydantic import ValidationError
from requests.auth import HTTPBasicAuth

from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.jenkins.permissions import User, default_users
from configurator.sandbox.seed_model import GitLabSeed, JenkinsSeed, Seed, SeedJob

__all__ = [
    "Seed",
    "SeedError",
    "apply_seed",
    "default_seed",
    "gitlab_options",
    "jenkins_options",
    "load_seed",
    "parse_seed",
]

JENKINS_PLACEHOLDER = "{jenkins}"
_TIMEOUT_SECONDS = 30
_FOLDER_XML = '<com.cloudbees.hudson.plugins.folder.Folder plugin="cloudbees-folder"/>'
_PIPELINE_XML = """<flow-definition plugin="workflow-job"><actions/><description/><properties/>
<definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition" plugin="workflow-cps">
<script>{script}</script><sandbox>true</sandbox></definition><triggers/><disabled>false</disabled></flow-definition>"""

DEFAULT_SEED = """
gitlab:
  users: [configurator, developer]
  tokens: [{user: configurator, scopes: [api], name: configurator}]
  oauth_applications:
    - name: configurator
      id: configurator-sandbox
      redirect_uris: ["http://127.0.0.1:7171/callback"]
      scopes: [api, read_api]
  projects:
    - {path: shop/payments, members: {developer: maintainer}, branches: [release/2.x]}
    - {path: shop/catalog, members: {developer: maintainer}}
    - {path: shop/search, members: {developer: maintainer}}
    - {path: legal/contracts, role: developer, members: {developer: maintainer}}
"""


class SeedError(ValueError):
    """The seed can't be used; ``problems`` holds one line for each reason, with file, line and column."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def default_seed() -> Seed:
    """The demo's: three projects for a Maintainer's token, one where its role is too low, and an OAuth application."""
    return parse_seed(DEFAULT_SEED, "default seed", Path())


def load_seed(path: Path) -> Seed:
    """Read a seed file.

    Raises:
        SeedError: it can't be read, or something in it is wrong; all problems at once.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as reason:
        raise SeedError([f"{path}: can't be read ({reason})"]) from reason
    return parse_seed(text, str(path), path.parent)


def parse_seed(text: str, name: str, base: Path) -> Seed:
    """The seed in ``text``.

    Args:
        name: of the file, for messages.
        base: folder that job files are named from.

    Raises:
        SeedError: as for :func:`load_seed`.
    """
    try:
        node = yaml.compose(text, yaml.SafeLoader)
        data = yaml.safe_load(text) or {}
    except yaml.YAMLError as reason:
        raise SeedError([f"{name}: not YAML: {' '.join(str(reason).split())}"]) from reason
    if not isinstance(data, dict):
        raise SeedError([f"{name}: a seed is a mapping with the keys jenkins and gitlab"])
    if "base" in data:
        raise SeedError([f"{_place(name, node, ('base',))}: base: unknown key"])
    try:
        seed = Seed.model_validate({**data, "base": base})
    except ValidationError as errors:
        raise SeedError([_problem(name, node, error) for error in errors.errors()]) from errors
    problems = [f"{_place(name, node, where)}: {text}" for where, text in _loose_ends(seed)]
    if problems:
        raise SeedError(problems)
    return seed


def _problem(name: str, node: yaml.Node | None, error: Any) -> str:
    where = tuple(error["loc"])
    unknown = error["type"] == "extra_forbidden"
    message = "unknown key" if unknown else str(error["msg"]).removeprefix("Value error, ")
    return f"{_place(name, node, where)}: {'.'.join(map(str, where))}: {message}"


def _place(name: str, node: yaml.Node | None, where: tuple[Any, ...]) -> str:
    """File, line and column of the deepest node on the way to ``where``."""
    mark = node.start_mark if node is not None else None
    for step in where:
        found: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == step:
                    mark, found = key.start_mark, value
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            found = node.value[step]
            mark = found.start_mark
        if found is None:
            break
        node = found
    return f"{name}:{mark.line + 1}:{mark.column + 1}" if mark is not None else name


def _loose_ends(seed: Seed) -> list[tuple[tuple[Any, ...], str]]:
    """What names something that is not there, with its place."""
    found: list[tuple[tuple[Any, ...], str]] = []
    users = {user.name for user in seed.gitlab.users}
    known = f"users are {', '.join(sorted(users)) or 'none'}"
    for number, token in enumerate(seed.gitlab.tokens):
        if token.user not in users:
            found.append((("gitlab", "tokens", number, "user"), f"no user {token.user}; {known}"))
    for number, application in enumerate(seed.gitlab.oauth_applications):
        if application.owner is not None and application.owner not in users:
            found.append((("gitlab", "oauth_applications", number, "owner"), f"no user {application.owner}; {known}"))
    paths: set[str] = set()
    for number, project in enumerate(seed.gitlab.projects):
        where = ("gitlab", "projects", number)
        if project.path.lower() in paths:
            found.append(((*where, "path"), f"project {project.path} is there twice"))
        paths.add(project.path.lower())
        for member in project.members:
            if member not in users:
                found.append(((*where, "members", member), f"no user {member}; {known}"))
    found += [(("jenkins", "plugins"), text) for text in _missing_plugins(seed.jenkins)]
    for number, job in enumerate(seed.jenkins.jobs):
        if job.file is not None and not (seed.base / job.file).is_file():
            found.append((("jenkins", "jobs", number, "file"), f"no file {job.file}"))
    return found


def _missing_plugins(jenkins: JenkinsSeed) -> list[str]:
    """What the seed's own plugins lack for its folders and jobs."""
    if jenkins.plugins is None:
        return []
    needed = {
        "cloudbees-folder": "folders" if jenkins.folders or any("/" in job.name for job in jenkins.jobs) else "",
        "workflow-job": "pipeline jobs" if any(job.xml is None and job.file is None for job in jenkins.jobs) else "",
    }
    there = {plugin.id for plugin in jenkins.plugins}
    return [f"{what} need the plugin {name}, too" for name, what in needed.items() if what and name not in there]


def jenkins_options(seed: Seed) -> dict[str, Any]:
    """What :class:`JenkinsSandbox` has to be made with: version, plugins and users."""
    rights = {user.name: user.permissions for user in default_users()}
    further = [
        User(user.name, f"{user.name}-password", f"sandbox-{user.name}-api-token", rights[user.like])
        for user in seed.jenkins.users
    ]
    options: dict[str, Any] = {"version": seed.jenkins.version, "users": [*default_users(), *further]}
    if seed.jenkins.plugins is not None:
        options["plugins"] = {plugin.id: plugin.version for plugin in seed.jenkins.plugins}
    return options


def gitlab_options(seed: Seed) -> dict[str, Any]:
    """What :class:`GitLabSandbox` has to be made with."""
    return {"version": seed.gitlab.version}


def apply_seed(seed: Seed, jenkins: JenkinsSandbox, gitlab: GitLabSandbox) -> None:
    """Put everything of the seed on two running servers; what is there already is left alone.

    Raises:
        SeedError: Jenkins refused a folder or a job.
    """
    _fill_gitlab(seed.gitlab, gitlab, jenkins.url)
    _fill_jenkins(seed, jenkins)


def _fill_gitlab(seed: GitLabSeed, gitlab: GitLabSandbox, jenkins_url: str) -> None:
    for user in seed.users:
        if user.name not in gitlab.users:
            gitlab.add_user(user.name, admin=user.admin, password=user.password or f"{user.name}-password")
    there = {(gitlab.users[token.user].id, token.name) for token in seed.tokens}
    there &= {(token.user_id, token.name) for token in gitlab.tokens}
    for token in seed.tokens:
        if (gitlab.users[token.user].id, token.name) not in there:
            gitlab.add_token(token.user, token.scopes, name=token.name, value=token.value, expires_at=token.expires_at)
    for application in seed.oauth_applications:
        if application.name not in gitlab.applications:
            options = application.model_dump(include={"confidential", "owner", "secret"})
            gitlab.add_application(
                application.name, application.redirect_uris, application.scopes, uid=application.id, **options
            )
    for project in seed.projects:
        if project.path in gitlab.projects:
            continue
        first = {user.name: project.role for user in seed.users[:1]}
        gitlab.add_project(
            project.path,
            members={**first, **project.members},
            visibility=project.visibility,
            archived=project.archived,
            default_branch=project.default_branch,
            branches=project.branches,
        )
        for hook in project.hooks:
            flags = {"push_events": False} | {f"{event}_events": True for event in hook.events}
            fields = hook.model_dump(exclude={"url", "events"})
            gitlab.add_hook(project.path, hook.url.replace(JENKINS_PLACEHOLDER, jenkins_url), **fields, **flags)


def _fill_jenkins(seed: Seed, jenkins: JenkinsSandbox) -> None:
    made: set[str] = set()
    with requests.Session() as session:
        session.auth = HTTPBasicAuth("admin", jenkins.users["admin"].api_token)
        for folder in seed.jenkins.folders:
            _make_folders(session, jenkins.url, folder, made)
        for job in seed.jenkins.jobs:
            _make_folders(session, jenkins.url, job.name.rpartition("/")[0], made)
            _make_item(session, jenkins.url, job.name, _job_xml(job, seed.base))


def _make_folders(session: requests.Session, url: str, name: str, made: set[str]) -> None:
    parts = name.split("/") if name else []
    for depth in range(1, len(parts) + 1):
        folder = "/".join(parts[:depth])
        if folder not in made:
            _make_item(session, url, folder, _FOLDER_XML)
            made.add(folder)


def _make_item(session: requests.Session, url: str, name: str, xml: str) -> None:
    parent, _, own = name.rpartition("/")
    item, above = _item_url(url, name), _item_url(url, parent)
    if session.get(f"{item}/api/json", timeout=_TIMEOUT_SECONDS).status_code == 200:
        return
    answer = session.post(
        f"{above}/createItem",
        params={"name": own},
        data=xml.encode(),
        headers={"Content-Type": "application/xml"},
        timeout=_TIMEOUT_SECONDS,
    )
    if answer.status_code != 200:
        reason = answer.headers.get("X-Error", f"status {answer.status_code}")
        raise SeedError([f"Jenkins refused {name}: {reason}"])


def _item_url(url: str, name: str) -> str:
    return url + "".join(f"/job/{quote(part, safe='')}" for part in name.split("/") if part)


def _job_xml(job: SeedJob, base: Path) -> str:
    if job.xml is not None:
        return job.xml
    if job.file is not None:
        return (base / job.file).read_text(encoding="utf-8")
    return _PIPELINE_XML.format(script=escape(job.script, quote=False))
