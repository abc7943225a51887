"""Scripts of ours, run in the controller's script console."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from configurator.clients.http.failures import brief, brief_text
from configurator.clients.jenkins.transport import Transport
from configurator.clients.redaction import Redactor
from configurator.errors import ScriptError
from configurator.secret import Secret

_QUESTIONS = frozenset({"inventory", "jobs", "compare", "encrypt"})
"""Scripts that change nothing."""


class Scripts:
    """Named scripts, questions about everything at once (contract, facts 6 and 13)."""

    _transport: Transport

    def run(self, script: str, payload: Mapping[str, Any], *, repeat: bool = True) -> Any:
        """Run a script of ours on the controller.

        Args:
            script: name of a file in ``scripts/``, without ``.groovy``.
            payload: what the script gets, as JSON in a form field of its own; a :class:`Secret` in it is
                sent in clear, and masked wherever it might come back in a message.
            repeat: the script may run twice without harm, so a lost answer is asked for again.

        Returns:
            The script's answer, decoded from JSON.

        Raises:
            PermissionMissingError: Overall/Administer is missing.
            ScriptError: it did not compile, threw, or printed anything but its answer.
            AnswerLostError: with ``repeat=False``: it may have run.
        """
        redactor = self._transport.http.redactor
        nonce = secrets.token_hex(16)
        data = {
            "script": load_script(script, self._transport.label),
            "payload": json.dumps({**payload, "nonce": nonce}, default=lambda value: _reveal(value, redactor)),
        }
        response = self._transport.call(
            "POST",
            "/scriptText",
            data=data,
            retry=True if repeat else None,
            question=repeat and script in _QUESTIONS,
            needs="Overall/Administer",
        )
        marker, _, answer = response.text.partition("\n")
        if marker.rstrip("\r") != f"configurator:{nonce}":
            raise ScriptError(
                self._transport.label,
                f"the script {script} failed: {brief(response, redactor) or 'it printed nothing'}",
                "the controller's log has the whole stack trace",
                response.status_code,
            )
        try:
            return json.loads(answer)
        except ValueError:
            raise ScriptError(
                self._transport.label,
                f"the script {script} did not finish its answer: {brief_text(answer, redactor)}",
                "the controller's log may tell why",
                response.status_code,
            ) from None


def load_script(name: str, label: str) -> str:
    """Text of a script; its first line names it.

    Raises:
        ScriptError: this installation has no such script.
    """
    file = files("configurator").joinpath("clients", "jenkins", "scripts", f"{name}.groovy")
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    if text.partition("\n")[0].rstrip() != f"// configurator: {name}":
        raise ScriptError(label, f"there is no script {name} in this installation", "install configurator again")
    return text


def _reveal(value: object, redactor: Redactor) -> str:
    if not isinstance(value, Secret):
        raise TypeError(f"{type(value).__name__} can't be sent to a script")
    redactor.learn(value)
    return value.reveal()
