"""The spec as typed models: what a person may write, key by key.

These models are the one source of the checks, of the JSON Schema and of the texts an editor shows, so every
field has a description. They hold no secret, only references to one.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from configurator.marks import OWNER_PATTERN

BuildTool = str
ApplicationType = Literal["application", "library", "autotests"]
Event = Literal["push", "tag_push", "merge_request", "note", "pipeline"]


class Model(BaseModel):
    """Base of all: unknown keys are errors, values are not coerced from one type to another."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class EnvSecret(Model):
    """A secret in an environment variable."""

    env: str = Field(min_length=1, description="Name of the environment variable.", examples=["GITLAB_TOKEN"])


class FileSecret(Model):
    """A secret in a file; one line break at its end is not part of it."""

    file: str = Field(min_length=1, description="Path of the file; relative to the spec; ~ is the home folder.")


class StoredSecret(Model):
    """A secret kept by `configurator connect`."""

    stored: str = Field(min_length=1, description="Name under which `configurator connect` stored it.")


class CommandSecret(Model):
    """A secret printed by a command. Runs only with --allow-commands."""

    command: list[str] = Field(min_length=1, description="Program and its arguments; no shell is involved.")


SecretRef = EnvSecret | FileSecret | StoredSecret | CommandSecret


class Plugin(Model):
    """A Jenkins plugin that has to be there."""

    id: str = Field(min_length=1, description="The plugin's short name.", examples=["gitlab-plugin"])
    minimum: str | None = Field(None, description="Oldest version that will do; older ones are updated.")


class Jenkins(Model):
    """The Jenkins controller."""

    url: str = Field(description="Root URL, with the context path if there is one.")
    username: str = Field(description="User that configurator acts as.")
    api_token: SecretRef | None = Field(None, description="The user's API token (preferred to a password).")
    password: SecretRef | None = Field(None, description="The user's password, where there is no API token.")
    ssl_verification: bool = Field(True, description="Verify the controller's TLS certificate.")
    ca_file: str | None = Field(None, description="File with the certificate authorities to trust (PEM).")
    timeout: float = Field(30.0, gt=0, description="Seconds to wait for an answer.")
    plugins: list[str | Plugin] = Field(
        default_factory=list, description="Plugins to install when missing: an id, or an id with a minimum version."
    )


class ConnectionCredential(Model):
    """The "GitLab API token" credential that the connection uses."""

    id: str = Field("gitlab-access-token", min_length=1, description="Credential id in Jenkins.")
    description: str = Field("GitLab API token", description="Description; the ownership mark is added to it.")
    token: SecretRef | None = Field(None, description="Token for Jenkins; default: the token of this gitlab entry.")


class Webhooks(Model):
    """How GitLab reaches Jenkins."""

    secret: SecretRef | None = Field(None, description="Key from which every webhook's own token is derived.")
    jenkins_url: str | None = Field(None, description="Jenkins' root URL as GitLab reaches it; default: jenkins.url.")
    ssl_verification: bool = Field(True, description="GitLab verifies Jenkins' TLS certificate.")
    former_jenkins_urls: list[str] = Field(
        default_factory=list, description="Earlier addresses of this Jenkins, so that hooks to them are known as ours."
    )


class FileSink(Model):
    """Write the new token to a file."""

    file: str = Field(min_length=1, description="Path of the file.")


class EnvFileSink(Model):
    """Write the new token into an environment file."""

    env_file: str = Field(min_length=1, description="Path of the file, and the key in it: PATH:KEY.")


class GitLabVariable(Model):
    """A CI/CD variable of a GitLab project."""

    project: str = Field(min_length=1, description="Project path.")
    key: str = Field(min_length=1, description="Name of the variable.")


class GitLabVariableSink(Model):
    """Write the new token to a GitLab CI/CD variable."""

    gitlab_variable: GitLabVariable = Field(description="Which variable of which project.")


Sink = FileSink | EnvFileSink | GitLabVariableSink | CommandSecret | StoredSecret


class Rotation(Model):
    """How `token rotate` renews this token."""

    days: int = Field(30, ge=1, description="Rotate when fewer days than this are left.")
    expires_in: int = Field(90, ge=1, le=400, description="Days that the new token gets.")
    sinks: list[Sink] = Field(default_factory=list, description="Where the new token is written.")
    admin_token: SecretRef | None = Field(
        None, description="A token allowed to make project and group tokens: replacement then overlaps."
    )


class GitLab(Model):
    """One GitLab instance and the connection of that name in Jenkins."""

    name: str = Field("gitlab", pattern=r"^\S+$", description="The connection's name in Jenkins.")
    url: str = Field(description="Root URL of the instance, with its relative path if there is one.")
    token: SecretRef = Field(description="Token that configurator uses; scope api, role Maintainer.")
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
    timeout: float = Field(30.0, gt=0, description="Seconds configurator waits for an answer.")


class _Credential(Model):
    id: str = Field(min_length=1, description="Credential id in Jenkins.")
    description: str = Field("", description="Description; the ownership mark is added to it.")
    folder: str | None = Field(None, description="Folder whose store holds it; default: the global store.")
    domain: str | None = Field(None, description="Credentials domain; default: global credentials.")
    adopt: bool = Field(False, description="Take it over where it exists unmarked.")
    manage: bool = Field(True, description="false: it is somebody else's, verified and never changed.")


class SshKeyCredential(_Credential):
    """An SSH username with private key."""

    kind: Literal["ssh-key"]
    username: str = Field(description="SSH user name.", examples=["git"])
    private_key: SecretRef = Field(description="The private key (PEM or OpenSSH).")
    passphrase: SecretRef | None = Field(None, description="The key's passphrase.")


class UsernamePasswordCredential(_Credential):
    """A user name with password."""

    kind: Literal["username-password"]
    username: str = Field(description="User name.")
    password: SecretRef = Field(description="Password or token.")


class SecretTextCredential(_Credential):
    """A secret text."""

    kind: Literal["secret-text"]
    secret: SecretRef = Field(description="The text.")


class GitLabTokenCredential(_Credential):
    """A GitLab API token."""

    kind: Literal["gitlab-token"]
    token: SecretRef = Field(description="The token.")


Credential = Annotated[
    SshKeyCredential | UsernamePasswordCredential | SecretTextCredential | GitLabTokenCredential,
    Field(discriminator="kind"),
]


class Trigger(Model):
    """Options of the GitLab trigger, under the plugin's own field names. Left out: from the events of the job.

    Source: contract, fact 15 (``com.dabsquared.gitlabjenkins.GitLabPushTrigger``).
    """

    triggerOnPush: bool | None = Field(None, description="Build on pushes and tags.")
    triggerToBranchDeleteRequest: bool | None = Field(None, description="Build when a branch is deleted.")
    triggerOnMergeRequest: bool | None = Field(None, description="Build when a merge request is opened or updated.")
    triggerOnlyIfNewCommitsPushed: bool | None = Field(
        None, description="Merge requests: only when commits are new. true makes approvals answer 500."
    )
    triggerOnPipelineEvent: bool | None = Field(None, description="Build on pipeline events.")
    triggerOnAcceptedMergeRequest: bool | None = Field(None, description="Build when a merge request is merged.")
    triggerOnClosedMergeRequest: bool | None = Field(None, description="Build when a merge request is closed.")
    triggerOnApprovedMergeRequest: bool | None = Field(None, description="Build when a merge request is approved.")
    triggerOpenMergeRequestOnPush: Literal["never", "source", "both"] | None = Field(
        None, description="Rebuild open merge requests when their source (or target, too) branch is pushed to."
    )
    triggerOnNoteRequest: bool | None = Field(None, description="Build on a comment that matches noteRegex.")
    noteRegex: str | None = Field(None, description="Java regex that must match the whole comment.")
    ciSkip: bool | None = Field(None, description="[ci-skip] in a message or description prevents the build.")
    skipWorkInProgressMergeRequest: bool | None = Field(None, description="Draft merge requests are not built.")
    labelsThatForcesBuildIfAdded: str | None = Field(None, description="Labels that force a build, comma-separated.")
    setBuildDescription: bool | None = Field(None, description="Describe the build by what started it.")
    branchFilterType: Literal["All", "NameBasedFilter", "RegexBasedFilter"] | None = Field(
        None, description="How branches are filtered; for merge requests it is the target branch."
    )
    includeBranchesSpec: str | None = Field(None, description="NameBasedFilter: branches to build, comma-separated.")
    excludeBranchesSpec: str | None = Field(None, description="NameBasedFilter: branches not to build.")
    sourceBranchRegex: str | None = Field(None, description="RegexBasedFilter: source branches.")
    targetBranchRegex: str | None = Field(None, description="RegexBasedFilter: target branches.")
    mergeRequestLabelInclude: str | None = Field(None, description="Merge requests need one of these labels.")
    mergeRequestLabelExclude: str | None = Field(None, description="Merge requests with these labels are not built.")
    pendingBuildName: str | None = Field(
        None, description="Commit status set while queued. Only where the pipeline itself ends that status."
    )
    cancelPendingBuildsOnUpdate: bool | None = Field(
        None, description="Cancel queued builds of an updated merge request. true makes approvals answer 500."
    )
    cancelRunningBuildsOnUpdate: bool | None = Field(
        None, description="Cancel running builds of an updated merge request (plugin 1.9.16 and later)."
    )


class JobGitLab(Model):
    """The GitLab side of a single job."""

    gitlab: str | None = Field(None, description="Name of the gitlab entry; needed where there are several.")
    project: str = Field(pattern=r"^[^/\s]+(/[^/\s]+)+$", description="GitLab project path.", examples=["shop/payments"])
    events: list[Event] = Field(default=["push"], min_length=1, description="Events that start a build.")
    branches: list[str] = Field(
        default_factory=list, description="Branches that build (for merge requests the target); empty: all."
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


class Triggers(Model):
    """Trigger options for the jobs of an application, over the provisioner's own."""

    build: Trigger = Field(default_factory=Trigger, description="For the Build jobs.")
    code_review: Trigger = Field(default_factory=Trigger, description="For the Code-review jobs.")


class ApplicationDefaults(Model):
    """What an application may leave out."""

    type: ApplicationType = Field("application", description="Which stages it gets.")
    build_tool: BuildTool = Field("none", description="maven, gradle, npm, dotnet, python, go, terraform, helm, …")
    branches: list[str] = Field(default=["main"], min_length=1, description="Branches to build and review.")
    gitlab: str | None = Field(None, description="Name of the gitlab entry; needed where there are several.")
    folder: str | None = Field(None, description="Parent folder; default: the root.")
    provisioner: str = Field("gitlab", description="Which set of jobs; built in or from a templates folder.")
    git: Git = Field(default_factory=Git, description="How Jenkins clones.")
    script_path: str | ScriptPaths = Field("Jenkinsfile", description="Jenkinsfile in the project, or one per job.")
    library: list[str] = Field(
        default_factory=list, description="Shared libraries instead of a Jenkinsfile; their Build() etc. is called."
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
    project: str = Field(pattern=r"^[^/\s]+(/[^/\s]+)+$", description="GitLab project path.", examples=["shop/payments"])
    description: str = Field("", description="Description of the folder.")


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


class View(Model):
    """A list view."""

    name: str = Field(min_length=1, description="Full name: a folder's view is FOLDER/VIEW.")
    template: str = Field("list", description="Template in templates/views.")
    regex: str = Field(description="Java regex on job names; not quoted by anybody.", examples=["nightly.*"])
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

    apiVersion: Literal["configurator/v1"] = Field(description="Format of this file.")
    name: str = Field(pattern=rf"^{OWNER_PATTERN}$", description="Owner mark on everything this spec manages.")
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
