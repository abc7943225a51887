"""The spec as typed models: what a person may write, key by key.

These models are the one source of the checks, of the JSON Schema and of the texts an editor shows, so every
field has a description. They hold no secret, only references to one.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, Tag

from configurator.marks import OWNER_PATTERN
from configurator.spec.references import (
    PROJECT_PATTERN,
    CommandSecret,
    EnvFileSink,
    EnvSecret,
    FileSecret,
    FileSink,
    GitLabVariable,
    GitLabVariableSink,
    Model,
    SecretRef,
    SecretReference,
    Sink,
    SinkEntry,
    StoredSecret,
)
from configurator.spec.renamed import JOB_RENAMED, RENAMED, BranchEntry
from configurator.spec.trigger_options import Trigger
from configurator.spec.unions import by_kind, by_shape

__all__ = [
    "Application",
    "ApplicationDefaults",
    "ApplicationType",
    "BuildTool",
    "CommandSecret",
    "ConnectionCredential",
    "Credential",
    "Defaults",
    "EnvFileSink",
    "EnvSecret",
    "Event",
    "FileSecret",
    "FileSink",
    "Folder",
    "Git",
    "GitLab",
    "GitLabTokenCredential",
    "GitLabVariable",
    "GitLabVariableSink",
    "Jenkins",
    "Job",
    "JobGitLab",
    "Model",
    "Plugin",
    "PluginEntry",
    "Rotation",
    "ScriptPath",
    "ScriptPaths",
    "SecretRef",
    "SecretReference",
    "SecretTextCredential",
    "Sink",
    "Spec",
    "SshKeyCredential",
    "StoredSecret",
    "Trigger",
    "Triggers",
    "UsernamePasswordCredential",
    "View",
    "Webhooks",
]


BuildTool = str
ApplicationType = Literal["application", "library", "autotests"]
Event = Literal["push", "tag_push", "merge_request", "note", "pipeline"]


class Plugin(Model):
    """A Jenkins plugin that has to be there."""

    id: str = Field(min_length=1, description="The plugin's short name.", examples=["gitlab-plugin"])
    minimum: str | None = Field(
        None,
        description="Oldest version that will do; older ones are updated. In quotes.",
        examples=["600", "1.9.0"],
    )


PluginEntry = Annotated[
    Annotated[str, Tag("<text>"), Field(min_length=1)] | Annotated[Plugin, Tag("<mapping>")],
    by_shape("plugin"),
]


class Jenkins(Model):
    """The Jenkins controller."""

    url: str = Field(
        description="Root URL, with the context path if there is one.",
        examples=["https://jenkins.example.com"],
    )
    username: str = Field(min_length=1, description="User that configurator acts as.", examples=["configurator"])
    api_token: SecretReference | None = Field(None, description="The user's API token (preferred to a password).")
    password: SecretReference | None = Field(None, description="The user's password, where there is no API token.")
    ssl_verification: bool = Field(True, description="Verify the controller's TLS certificate.")
    ca_file: str | None = Field(None, description="File with the certificate authorities to trust (PEM).")
    timeout: float = Field(30.0, gt=0, allow_inf_nan=False, description="Seconds to wait for an answer.")
    authenticated_endpoint: bool | None = Field(
        None,
        description="Whether the GitLab plugin's endpoint /project asks who calls, before it starts a job that has no "
        "secret token. Should be true: with false anybody who reaches Jenkins can start those jobs. It is one switch "
        "for the whole controller; left out, it stays as it is.",
    )
    plugins: list[PluginEntry] = Field(
        default_factory=list,
        description="Plugins to install when missing: an id, or an id with a minimum version.",
        examples=[["gitlab-plugin", {"id": "workflow-aggregator", "minimum": "600"}]],
    )


class ConnectionCredential(Model):
    """The "GitLab API token" credential that the connection uses."""

    id: str = Field("gitlab-access-token", min_length=1, description="Credential id in Jenkins.")
    description: str = Field("GitLab API token", description="Description; the ownership mark is added to it.")
    token: SecretReference | None = Field(
        None, description="Token for Jenkins; default: the token of this gitlab entry."
    )


class Webhooks(Model):
    """How GitLab reaches Jenkins."""

    secret: SecretReference | None = Field(None, description="Key from which every webhook's own token is derived.")
    jenkins_url: str | None = Field(None, description="Jenkins' root URL as GitLab reaches it; default: jenkins.url.")
    ssl_verification: bool = Field(True, description="GitLab verifies Jenkins' TLS certificate.")
    former_jenkins_urls: list[str] = Field(
        default_factory=list,
        description="Earlier addresses of this Jenkins, so that hooks to them are known as ours.",
    )


class Rotation(Model):
    """How `token rotate` renews this token."""

    days: int = Field(30, ge=1, description="Rotate when fewer days than this are left.")
    expires_in: int = Field(90, ge=1, le=400, description="Days that the new token gets.")
    sinks: list[SinkEntry] = Field(
        default_factory=list,
        description="Where the new token is written.",
        examples=[[{"file": "/run/secrets/gitlab"}]],
    )
    admin_token: SecretReference | None = Field(
        None, description="A token allowed to make project and group tokens: replacement then overlaps."
    )


class GitLab(Model):
    """One GitLab instance and the connection of that name in Jenkins."""

    name: str = Field("gitlab", pattern=r"^\S+$", description="The connection's name in Jenkins.", examples=["gitlab"])
    url: str = Field(
        description="Root URL of the instance, with its relative path if there is one.",
        examples=["https://gitlab.example.com"],
    )
    token: SecretReference = Field(description="Token that configurator uses; scope api, role Maintainer.")
    credential: ConnectionCredential = Field(default_factory=ConnectionCredential, description="What Jenkins uses.")
    webhooks: Webhooks = Field(default_factory=Webhooks, description="How GitLab reaches Jenkins.")
    rotation: Rotation | None = Field(None, description="How `token rotate` renews the token.")
    manage: bool = Field(True, description="false: connection and credential are somebody else's, never changed.")
    adopt: bool = Field(False, description="Take over the connection and credential where they exist unmarked.")
    client: Literal["autodetect", "v4", "v3"] = Field("autodetect", description="API version the plugin speaks.")
    ignore_certificate_errors: bool = Field(False, description="Jenkins does not verify GitLab's certificate.")
    connection_timeout: int = Field(10, ge=0, description="Seconds the plugin waits for a connection.")
    read_timeout: int = Field(10, ge=0, description="Seconds the plugin waits for an answer.")
    ssl_verification: bool = Field(True, description="configurator verifies GitLab's TLS certificate.")
    ca_file: str | None = Field(None, description="File with the certificate authorities to trust (PEM).")
    timeout: float = Field(30.0, gt=0, allow_inf_nan=False, description="Seconds configurator waits for an answer.")


class _Credential(Model):
    id: str = Field(min_length=1, description="Credential id in Jenkins.", examples=["gitlab-ssh"])
    description: str = Field("", description="Description; the ownership mark is added to it.")
    folder: str | None = Field(None, description="Folder whose store holds it; default: the global store.")
    domain: str | None = Field(None, description="Credentials domain; default: global credentials.")
    adopt: bool = Field(False, description="Take it over where it exists unmarked.")
    manage: bool = Field(True, description="false: it is somebody else's, verified and never changed.")


class SshKeyCredential(_Credential):
    """An SSH username with private key."""

    kind: Literal["ssh-key"] = Field(description="An SSH user name with its private key.")
    username: str = Field(description="SSH user name.", examples=["git"])
    private_key: SecretReference = Field(description="The private key (PEM or OpenSSH).")
    passphrase: SecretReference | None = Field(None, description="The key's passphrase.")


class UsernamePasswordCredential(_Credential):
    """A user name with password."""

    kind: Literal["username-password"] = Field(description="A user name with its password.")
    username: str = Field(description="User name.")
    password: SecretReference = Field(description="Password or token.")


class SecretTextCredential(_Credential):
    """A secret text."""

    kind: Literal["secret-text"] = Field(description="A text, such as a token for another system.")
    secret: SecretReference = Field(description="The text.")


class GitLabTokenCredential(_Credential):
    """A GitLab API token."""

    kind: Literal["gitlab-token"] = Field(description="A token for GitLab, of the GitLab plugin's own kind.")
    token: SecretReference = Field(description="The token.")


Credential = Annotated[
    Annotated[SshKeyCredential, Tag("<ssh-key>")]
    | Annotated[UsernamePasswordCredential, Tag("<username-password>")]
    | Annotated[SecretTextCredential, Tag("<secret-text>")]
    | Annotated[GitLabTokenCredential, Tag("<gitlab-token>")],
    by_kind("credential", "ssh-key", "username-password", "secret-text", "gitlab-token"),
]


class JobGitLab(Model):
    """The GitLab side of a single job."""

    gitlab: str | None = Field(None, description="Name of the gitlab entry; needed where there are several.")
    project: str = Field(pattern=PROJECT_PATTERN, description="GitLab project path.", examples=["shop/payments"])
    events: list[Event] = Field(default=["push"], description="Events that start a build; empty: none does.")
    branches: list[str] = Field(
        default_factory=list,
        description="Branches that build (for merge requests the target); empty: all.",
        examples=[["main"]],
    )
    webhook: bool = Field(True, description="false: set the trigger, make no webhook.")
    trigger: Trigger = Field(default_factory=Trigger, description="Any option of the GitLab trigger.")


class Git(Model):
    """How Jenkins clones."""

    url: Literal["ssh", "http"] = Field("http", description="Which clone address of the project to use.")
    credential: str | None = Field(None, description="Id of the Jenkins credential for it.")
    clone_url: str | None = Field(None, description="The address itself, where GitLab's own can't be used.")


class ScriptPaths(Model):
    """Jenkinsfile for each job of an application."""

    build: str = Field("Jenkinsfile", description="For the Build jobs.")
    code_review: str = Field("Jenkinsfile", description="For the Code-review jobs.")
    create_release: str = Field("Jenkinsfile", description="For the Create-release job.")


ScriptPath = Annotated[
    Annotated[str, Tag("<text>"), Field(min_length=1)] | Annotated[ScriptPaths, Tag("<mapping>")],
    by_shape("script_path"),
]


class Triggers(Model):
    """Trigger options for the jobs of an application, over the provisioner's own."""

    build: Trigger = Field(default_factory=Trigger, description="For the Build jobs.")
    code_review: Trigger = Field(default_factory=Trigger, description="For the Code-review jobs.")


class ApplicationDefaults(Model):
    """What an application may leave out."""

    type: ApplicationType = Field("application", description="Which stages it gets.")
    build_tool: BuildTool = Field(
        "none",
        min_length=1,
        description="Which stages it gets: maven, gradle, npm, dotnet, python, go, terraform, helm, docker, "
        "opa, codenarc, kaniko or none; another one gets the default stages and a warning.",
        examples=["maven"],
    )
    branches: list[BranchEntry] = Field(
        default=["main"],
        min_length=1,
        description="Branches to build and review.",
        examples=[["main", "release/2.x"], [{"name": "main", "renamed_from": "master"}]],
    )
    gitlab: str | None = Field(None, description="Name of the gitlab entry; needed where there are several.")
    folder: str | None = Field(None, description="Parent folder; default: the root.")
    provisioner: str = Field("gitlab", description="Which set of jobs; built in or from a templates folder.")
    git: Git = Field(default_factory=Git, description="How Jenkins clones.")
    script_path: ScriptPath = Field("Jenkinsfile", description="Jenkinsfile in the project, or one per job.")
    library: list[str] = Field(
        default_factory=list,
        description="Shared libraries instead of a Jenkinsfile; their Build() etc. is called.",
        examples=[["ci-stages", "ci-pipelines"]],
    )
    jira: bool = Field(False, description="Adds the Jira stages.")
    platform: Literal["kubernetes", "openshift"] = Field("kubernetes", description="Decides the image stage.")
    default_branch: str | None = Field(None, description="For releases; default: the first of branches.")
    build_on_create: bool = Field(True, description="Build a new Build job once when it is made.")
    triggers: Triggers = Field(default_factory=Triggers, description="Options of the GitLab triggers.")
    adopt: bool = Field(False, description="Take over what was made by hand under these names.")
    variables: dict[str, Any] = Field(default_factory=dict, description="Values that reach the templates.")


class Application(ApplicationDefaults):
    """What most teams write: one application, all its jobs."""

    name: str = Field(min_length=1, description="Name; also the folder's and the jobs' ending.")
    project: str = Field(pattern=PROJECT_PATTERN, description="GitLab project path.", examples=["shop/payments"])
    description: str = Field("", description="Description of the folder.")
    renamed_from: str | None = Field(
        None,
        min_length=1,
        description=f"{RENAMED} With a slash: the full name of its former folder.",
        examples=["payment-service", "shop/payments"],
    )


class Folder(Model):
    """A folder in Jenkins."""

    name: str = Field(min_length=1, description="Full name, such as shop or shop/tools.")
    description: str = Field("", description="Description; the ownership mark is added to it.")
    manage: bool = Field(True, description="false: it is there already; verified, not owned.")
    adopt: bool = Field(False, description="Take it over where it exists unmarked.")


class Job(Model):
    """A single job, outside any application."""

    name: str = Field(min_length=1, description="Full name, such as tools/nightly.")
    template: str = Field("pipeline-scm", description="Template in templates/jobs, such as pipeline-scm or freestyle.")
    description: str = Field("", description="Description; the ownership mark is added to it.")
    variables: dict[str, Any] = Field(default_factory=dict, description="Values that reach the template.")
    gitlab: JobGitLab | None = Field(None, description="The GitLab project, and what starts a build.")
    git: Git = Field(default_factory=Git, description="How Jenkins clones.")
    disabled: bool | None = Field(None, description="Disable or enable the job; left out: as it is.")
    build_on_create: bool = Field(False, description="Build it once when it is made.")
    adopt: bool = Field(False, description="Take it over where it exists unmarked.")
    renamed_from: str | None = Field(None, min_length=1, description=JOB_RENAMED, examples=["tools/daily"])


class View(Model):
    """A list view."""

    name: str = Field(min_length=1, description="Full name: a folder's view is FOLDER/VIEW.")
    template: str = Field("list", description="Template in templates/views.")
    regex: str = Field(
        min_length=1, description="Java regex on job names; not quoted by anybody.", examples=["nightly.*"]
    )
    recurse: bool = Field(False, description="Also jobs in subfolders.")
    description: str = Field("", description="Description; the ownership mark is added to it.")
    variables: dict[str, Any] = Field(default_factory=dict, description="Values that reach the template.")
    adopt: bool = Field(False, description="Take it over where it exists unmarked.")


class Defaults(Model):
    """Defaults for what follows."""

    application: dict[str, Any] = Field(
        default_factory=dict, description="Any key of an application but name and project."
    )


class Spec(Model):
    """A configurator spec."""

    apiVersion: Literal["configurator/v1"] = Field(description="Format of this file.")  # noqa: N815
    name: str = Field(
        pattern=rf"^{OWNER_PATTERN}$",
        description="Owner mark on everything this spec manages: letters, digits, dot, underscore and hyphen.",
        examples=["platform"],
    )
    jenkins: Jenkins = Field(description="The Jenkins controller.")
    gitlab: list[GitLab] = Field(default_factory=list, description="GitLab instances, one or more.")
    credentials: list[Credential] = Field(default_factory=list, description="Further Jenkins credentials.")
    templates: list[str] = Field(default_factory=list, description="Folders searched before the built-in templates.")
    defaults: Defaults = Field(default_factory=Defaults, description="Defaults for what follows.")
    applications: list[Application] = Field(default_factory=list, description="Applications with all their jobs.")
    folders: list[Folder] = Field(default_factory=list, description="Folders outside any application.")
    jobs: list[Job] = Field(default_factory=list, description="Single jobs outside any application.")
    views: list[View] = Field(default_factory=list, description="Views outside any application.")
    max_deletes: int = Field(20, ge=0, description="More deletions than this in one run are refused.")
