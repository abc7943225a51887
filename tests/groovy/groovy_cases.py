"""Cases for the Groovy scripts: modules register them at import, one JVM then runs them all (see conftest)."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

SALT = "00112233445566778899aabbccddeeff"
NONCE = "n-1f"

FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"
PIPELINE = "org.jenkinsci.plugins.workflow.job.WorkflowJob"
FREESTYLE = "hudson.model.FreeStyleProject"
EXTERNAL = "hudson.model.ExternalJob"
TRIGGER = "com.dabsquared.gitlabjenkins.GitLabPushTrigger"
# Has the form of ciphertext; this controller can't decrypt it.
FOREIGN = "{AQA+/w==}"

# Arguments of GitLabConnection: what a stock controller holds, somebody else's, ours.
STOCK = ["", "", None, "autodetect", False, 10, 10]
THEIRS = ["theirs", "https://other.example.com", "t", "v4", True, 5, 6]
OURS = ["gitlab", "https://gitlab.example.com", "gitlab-access-token", "autodetect", False, 10, 10]

CASES: dict[str, dict[str, Any]] = {}


def case(script: str, name: str, world: dict[str, Any], payload: dict[str, Any], **options: bool) -> str:
    """Registers a case and returns its name, under which its run is found later.

    Args:
        script: which script to run.
        name: what the case is about.
        world: what the stand-in controller holds, see ``standins/core/world.groovy``. In XML and in the
            payload, ``(encrypted:TEXT)`` becomes ciphertext.
        payload: sent along with a nonce and the salt.
        options: ``old_stapler`` (before Jakarta EE), ``without_plugins`` (no class of any plugin).
    """
    full = f"{script}: {name}"
    assert full not in CASES
    text = json.dumps({"nonce": NONCE, "salt": SALT, **payload}, ensure_ascii=False)
    CASES[full] = {"name": full, "script": script, "world": world, "payload": text, **options}
    return full


class Run:
    """What a script printed and did.

    Attributes:
        output: all that was printed.
        error: the exception that ended it, or None.
        effects: what it did beside answering: files read, configurations saved, builds queued.
    """

    def __init__(self, output: str, error: str | None, effects: list[str]) -> None:
        self.output, self.error, self.effects = output, error, effects

    @property
    def answer(self) -> Any:
        """The answer, after checks that nothing but it was printed."""
        assert self.error is None
        first, body = self.output.split("\n", 1)
        assert first == f"configurator:{NONCE}"
        assert "\n" not in body
        assert body.isascii()
        return json.loads(body)

    def named(self, part: str, key: str = "name") -> dict[str, dict[str, Any]]:
        """The entries of a list in the answer, by name."""
        return {entry[key]: entry for entry in self.answer[part]}


def digest(text: str) -> str:
    """HMAC-SHA256 under the salt of every case."""
    return hmac.new(bytes.fromhex(SALT), text.encode(), hashlib.sha256).hexdigest()


def as_answer(connection: list[Any]) -> dict[str, Any]:
    """Arguments of GitLabConnection in the shape of the protocol."""
    keys = ("name", "url", "credential", "client")
    more = ("ignore_certificate_errors", "connection_timeout", "read_timeout")
    return dict(zip(keys + more, connection, strict=True))


def pipeline_xml(token: str, inside: str = "<triggerOnPush>true</triggerOnPush>", around: str = "") -> str:
    """A Pipeline job with a GitLab trigger."""
    return (
        f"<flow-definition>{around}<description>d</description><properties><{TRIGGER}>{inside}{token}</{TRIGGER}>"
        "</properties></flow-definition>"
    )


def disk(token: str) -> str:
    """A Pipeline job whose trigger has ``token`` as its token."""
    return pipeline_xml(f"<secretToken>{token}</secretToken>")


def job(name: str, **more: Any) -> dict[str, Any]:
    """A Pipeline job of a world."""
    return {"class": PIPELINE, "fullName": name, **more}


def view(name: str, **more: Any) -> dict[str, Any]:
    """A list view of a world."""
    return {"class": "hudson.model.ListView", "viewName": name, "xml": "<view/>", **more}
