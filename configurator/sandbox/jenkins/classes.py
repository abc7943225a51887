"""The classes that job, view and credential XML is made of: their fields in the order of the real class.

What is not in :data:`CLASSES` keeps its elements as they were sent; what belongs to no plugin listed in
:data:`_OWNERS` is unknown to the controller and is dropped when XML is loaded, as XStream does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["flag", "text", "number", "choice", "secret", "objects", "object", "elements"]

WORKFLOW_JOB = "org.jenkinsci.plugins.workflow.job.WorkflowJob"
FREESTYLE = "hudson.model.FreeStyleProject"
FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"
MULTIBRANCH = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"
LIST_VIEW = "hudson.model.ListView"
ALL_VIEW = "hudson.model.AllView"
TRIGGER = "com.dabsquared.gitlabjenkins.GitLabPushTrigger"
TRIGGERS_PROPERTY = "org.jenkinsci.plugins.workflow.job.properties.PipelineTriggersJobProperty"
PARAMETERS_PROPERTY = "hudson.model.ParametersDefinitionProperty"
FOLDER_CREDENTIALS = (
    "com.cloudbees.hudson.plugins.folder.properties.FolderCredentialsProvider$FolderCredentialsProperty"
)
DOMAIN = "com.cloudbees.plugins.credentials.domains.Domain"
GITLAB_TOKEN = "com.dabsquared.gitlabjenkins.connection.GitLabApiTokenImpl"  # noqa: S105
SECRET_TEXT = "org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl"  # noqa: S105
USERNAME_PASSWORD = "com.cloudbees.plugins.credentials.impl.UsernamePasswordCredentialsImpl"  # noqa: S105
SSH_KEY = "com.cloudbees.jenkins.plugins.sshcredentials.impl.BasicSSHUserPrivateKey"

ROOT_ALIASES = {"flow-definition": WORKFLOW_JOB, "project": FREESTYLE}
ITEM_CLASSES = frozenset({WORKFLOW_JOB, FREESTYLE, FOLDER, MULTIBRANCH})
FOLDER_CLASSES = frozenset({FOLDER})
VIEW_CLASSES = frozenset({LIST_VIEW, ALL_VIEW})
CREDENTIAL_CLASSES = frozenset({GITLAB_TOKEN, SECRET_TEXT, USERNAME_PASSWORD, SSH_KEY})

# Longest prefix wins. None = the core, which is always there and writes no ``plugin=``.
_OWNERS: dict[str, str | None] = {
    "hudson.": None,
    "jenkins.": None,
    "java.": None,
    "hudson.plugins.git.": "git",
    "jenkins.plugins.git.": "git",
    "jenkins.branch.": "branch-api",
    "hudson.security.AuthorizationMatrixProperty": "matrix-auth",
    "org.jenkinsci.plugins.matrixauth.": "matrix-auth",
    "com.cloudbees.hudson.plugins.folder.properties.AuthorizationMatrixProperty": "matrix-auth",
    "com.cloudbees.hudson.plugins.folder.": "cloudbees-folder",
    "com.cloudbees.plugins.credentials.": "credentials",
    "com.cloudbees.jenkins.plugins.sshcredentials.": "ssh-credentials",
    "org.jenkinsci.plugins.plaincredentials.": "plain-credentials",
    "org.jenkinsci.plugins.workflow.job.": "workflow-job",
    "org.jenkinsci.plugins.workflow.cps.": "workflow-cps",
    "org.jenkinsci.plugins.workflow.multibranch.": "workflow-multibranch",
    "org.jenkinsci.plugins.workflow.libs.": "pipeline-groovy-lib",
    "org.jenkinsci.plugins.pipeline.modeldefinition.": "pipeline-model-definition",
    "com.dabsquared.gitlabjenkins.": "gitlab-plugin",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A persisted field.

    Attributes:
        name: element name.
        kind: how it is read and written.
        default: text it gets when it is left out; None = it stays out (``null``). Collections that the class
            makes itself have ``""``.
        choices: for ``choice``, the values of the enum; any other loads as if it was left out.
        implied: for ``object``, the class where the XML names none; for a missing one with a default, its class.
        since: first version of the owning plugin that has the field; older ones drop it.
    """

    name: str
    kind: Kind
    default: str | None = None
    choices: tuple[str, ...] = ()
    implied: str = ""
    since: tuple[int, ...] = ()


def _flag(name: str, since: tuple[int, ...] = ()) -> Field:
    return Field(name, "flag", "false", since=since)


def _text(name: str) -> Field:
    return Field(name, "text")


def _objects(name: str, default: str | None = "") -> Field:
    return Field(name, "objects", default)


_JOB_HEAD = (
    Field("actions", "elements"),
    _text("description"),
    _text("displayName"),
    _flag("keepDependencies"),
    _objects("properties"),
)
_CREDENTIAL_HEAD = (_text("scope"), _text("id"), _text("description"))
_VIEW_HEAD = (
    _text("name"),
    _text("description"),
    _flag("filterExecutors"),
    _flag("filterQueue"),
    Field("properties", "elements", "", implied="hudson.model.View$PropertyList"),
)
_PARAMETER_HEAD = (_text("name"), _text("description"))

CLASSES: dict[str, tuple[Field, ...]] = {
    WORKFLOW_JOB: (
        *_JOB_HEAD,
        Field("definition", "object"),
        _objects("triggers"),
        Field("quietPeriod", "number"),
        Field("authToken", "elements"),
        _flag("disabled"),
    ),
    FREESTYLE: (
        *_JOB_HEAD,
        Field("scm", "object", "", implied="hudson.scm.NullSCM"),
        Field("quietPeriod", "number"),
        Field("scmCheckoutRetryCount", "number"),
        _text("assignedNode"),
        _flag("canRoam"),
        _flag("disabled"),
        _flag("blockBuildWhenDownstreamBuilding"),
        _flag("blockBuildWhenUpstreamBuilding"),
        _text("jdk"),
        Field("authToken", "elements"),
        _objects("triggers"),
        _flag("concurrentBuild"),
        _text("customWorkspace"),
        _objects("builders"),
        _objects("publishers"),
        _objects("buildWrappers"),
    ),
    FOLDER: (
        Field("actions", "elements", ""),
        _text("description"),
        _text("displayName"),
        _objects("properties"),
        Field("folderViews", "object", "", implied="com.cloudbees.hudson.plugins.folder.views.DefaultFolderViewHolder"),
        _objects("healthMetrics"),
        Field("icon", "object", "", implied="com.cloudbees.hudson.plugins.folder.icons.StockFolderIcon"),
    ),
    "com.cloudbees.hudson.plugins.folder.views.DefaultFolderViewHolder": (
        _objects("views"),
        _text("primaryView"),
        Field("tabBar", "object", "", implied="hudson.views.DefaultViewsTabBar"),
    ),
    LIST_VIEW: (
        *_VIEW_HEAD,
        Field("jobNames", "elements", ""),
        _objects("jobFilters"),
        _objects("columns"),
        _text("includeRegex"),
        _flag("recurse"),
    ),
    ALL_VIEW: _VIEW_HEAD,
    TRIGGERS_PROPERTY: (_objects("triggers"),),
    PARAMETERS_PROPERTY: (_objects("parameterDefinitions"),),
    "hudson.model.StringParameterDefinition": (*_PARAMETER_HEAD, _text("defaultValue"), _flag("trim")),
    "hudson.model.TextParameterDefinition": (*_PARAMETER_HEAD, _text("defaultValue"), _flag("trim")),
    "hudson.model.BooleanParameterDefinition": (*_PARAMETER_HEAD, _flag("defaultValue")),
    "hudson.model.PasswordParameterDefinition": (*_PARAMETER_HEAD, Field("defaultValue", "secret")),
    "jenkins.model.BuildDiscarderProperty": (Field("strategy", "object"),),
    "hudson.tasks.LogRotator": (
        Field("daysToKeep", "number", "0"),
        Field("numToKeep", "number", "0"),
        Field("artifactDaysToKeep", "number"),
        Field("artifactNumToKeep", "number"),
        _flag("removeLastBuild"),
    ),
    "com.dabsquared.gitlabjenkins.connection.GitLabConnectionProperty": (
        _text("gitLabConnection"),
        _text("jobCredentialId"),
        _flag("useAlternativeCredential"),
    ),
    TRIGGER: (
        _text("spec"),
        _flag("triggerOnPush"),
        _flag("triggerToBranchDeleteRequest"),
        _flag("triggerOnMergeRequest"),
        _flag("triggerOnlyIfNewCommitsPushed"),
        _flag("triggerOnPipelineEvent"),
        _flag("triggerOnAcceptedMergeRequest"),
        _flag("triggerOnClosedMergeRequest"),
        _flag("triggerOnApprovedMergeRequest"),
        Field("triggerOpenMergeRequestOnPush", "choice", None, ("never", "source", "both")),
        _flag("triggerOnNoteRequest"),
        _text("noteRegex"),
        _flag("ciSkip"),
        _flag("skipWorkInProgressMergeRequest"),
        _text("labelsThatForcesBuildIfAdded"),
        _flag("setBuildDescription"),
        Field("branchFilterType", "choice", "All", ("All", "NameBasedFilter", "RegexBasedFilter")),
        _text("includeBranchesSpec"),
        _text("excludeBranchesSpec"),
        _text("sourceBranchRegex"),
        _text("targetBranchRegex"),
        Field("mergeRequestLabelFilterConfig", "object", implied="MergeRequestLabelFilterConfig"),
        Field("secretToken", "secret"),
        _text("pendingBuildName"),
        _flag("cancelPendingBuildsOnUpdate"),
        _flag("cancelRunningBuildsOnUpdate", since=(1, 9, 16)),
    ),
    "MergeRequestLabelFilterConfig": (_text("include"), _text("exclude")),
    "org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition": (_text("script"), _flag("sandbox")),
    "org.jenkinsci.plugins.workflow.cps.CpsScmFlowDefinition": (
        Field("scm", "object"),
        _text("scriptPath"),
        _flag("lightweight"),
    ),
    "hudson.plugins.git.GitSCM": (
        Field("configVersion", "number"),
        _objects("userRemoteConfigs", None),
        _objects("branches", None),
        _flag("doGenerateSubmoduleConfigurations"),
        Field("browser", "object"),
        _text("gitTool"),
        Field("submoduleCfg", "elements"),
        _objects("extensions"),
    ),
    "hudson.plugins.git.UserRemoteConfig": (
        _text("name"),
        _text("refspec"),
        _text("url"),
        _text("credentialsId"),
    ),
    "hudson.plugins.git.BranchSpec": (_text("name"),),
    FOLDER_CREDENTIALS: (Field("domainCredentialsMap", "elements", "", implied="hudson.util.CopyOnWriteMap$Hash"),),
    DOMAIN: (_text("name"), _text("description"), Field("specifications", "objects")),
    GITLAB_TOKEN: (*_CREDENTIAL_HEAD, Field("apiToken", "secret")),
    SECRET_TEXT: (*_CREDENTIAL_HEAD, Field("secret", "secret")),
    USERNAME_PASSWORD: (
        *_CREDENTIAL_HEAD,
        _text("username"),
        Field("password", "secret"),
        Field("usernameSecret", "choice", None, ("true", "false")),
    ),
    SSH_KEY: (
        *_CREDENTIAL_HEAD,
        _text("username"),
        Field("usernameSecret", "choice", "true", ("true", "false")),
        Field("passphrase", "secret"),
        Field("privateKeySource", "object"),
    ),
    f"{SSH_KEY}$DirectEntryPrivateKeySource": (Field("privateKey", "secret"),),
}


def class_of_tag(tag: str) -> str:
    """The class an element's name stands for: an alias, or a class name in XStream's escaping; else empty."""
    if tag in ROOT_ALIASES:
        return ROOT_ALIASES[tag]
    return tag.replace("_-", "$").replace("__", "_") if "." in tag else ""


def tag_of_class(name: str) -> str:
    """An element's name for a class without an alias: the reverse of :func:`class_of_tag`."""
    return name.replace("_", "__").replace("$", "_-")


def owner_of(name: str) -> tuple[bool, str | None]:
    """Whether the class belongs to something we know, and to which plugin (None = the core)."""
    best = max((prefix for prefix in _OWNERS if name.startswith(prefix)), key=len, default="")
    return (bool(best), _OWNERS.get(best))
