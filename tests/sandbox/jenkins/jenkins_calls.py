"""What the tests of the embedded Jenkins share: callers, and XML to post."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import requests

from configurator.sandbox.jenkins import JenkinsSandbox

XML = {"Content-Type": "text/xml; charset=utf-8"}
FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"
TRIGGER = "com.dabsquared.gitlabjenkins.GitLabPushTrigger"
TRIGGERS = "org.jenkinsci.plugins.workflow.job.properties.PipelineTriggersJobProperty"
TOKEN_CLASS = "com.dabsquared.gitlabjenkins.connection.GitLabApiTokenImpl"
VIEW = "<hudson.model.ListView><includeRegex>^MAIN-.*</includeRegex></hudson.model.ListView>"
FREESTYLE = "<project><description>f</description></project>"


def trigger(**fields: str) -> str:
    """A GitLab trigger's XML; only the given fields."""
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    return f"<{TRIGGER}>{inner}</{TRIGGER}>"


def pipeline(inner: str = "", *, triggers: str = "", properties: str = "", disabled: bool = False) -> str:
    """A Pipeline job's XML."""
    held = f"<{TRIGGERS}><triggers>{triggers}</triggers></{TRIGGERS}>" if triggers else ""
    return (
        f"<flow-definition>{inner}<properties>{held}{properties}</properties>"
        '<definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition">'
        "<script>echo 'a' &amp;&amp; \"b\"</script><sandbox>true</sandbox></definition>"
        f"<disabled>{str(disabled).lower()}</disabled></flow-definition>"
    )


def gitlab_token(credential_id: str, token: str = "glpat-1", description: str = "d") -> str:
    """A GitLab API token credential's XML."""
    return (
        f"<{TOKEN_CLASS}><scope>GLOBAL</scope><id>{credential_id}</id><description>{description}</description>"
        f"<apiToken>{token}</apiToken></{TOKEN_CLASS}>"
    )


class Caller:
    """One user of a sandbox; call it with method and path."""

    def __init__(self, jenkins: JenkinsSandbox, name: str | None) -> None:
        self.jenkins = jenkins
        self.auth = None if name is None else (name, jenkins.users[name].api_token)

    def __call__(self, method: str, path: str, data: Any = None, **options: Any) -> requests.Response:
        if isinstance(data, str):
            data = data.encode()
            options.setdefault("headers", XML)
        return requests.request(
            method,
            self.jenkins.url + path,
            data=data,
            auth=self.auth,
            allow_redirects=False,
            timeout=10,
            **options,
        )

    def create(self, name: str, xml: str, folder: str = "") -> requests.Response:
        """``createItem``, which must work."""
        answer = self("POST", f"{folder}/createItem?name={name}", xml)
        assert answer.status_code == 200, answer.headers
        return answer

    def script(self, name: str, payload: dict[str, Any]) -> Any:
        """Run one of our own scripts and decode its answer."""
        text = (
            files("configurator")
            .joinpath("clients", "jenkins", "scripts", f"{name}.groovy")
            .read_text(encoding="utf-8")
        )
        form = {"script": text, "payload": json.dumps({**payload, "nonce": "n0"})}
        printed = self("POST", "/scriptText", form).text
        head, _, answer = printed.partition("\n")
        assert head == "configurator:n0", printed
        return json.loads(answer)
