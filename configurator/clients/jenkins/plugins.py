"""Plugins: what is installed, installing more, and the GitLab plugin's own connection test."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from configurator.clients.http.failures import plain_text, shorten
from configurator.clients.jenkins.transport import Transport
from configurator.errors import ServerError

_FIELDS = "shortName,version,active,enabled,hasUpdate"
_UNFINISHED = ("Pending", "Installing")
_FINE = ("Success", "Skipped")
_UNKNOWN = re.compile(r"No such plugin:\s*(\S+)")
_SURE_LOOKS = 3
_TEST_CONNECTION = "/descriptorByName/com.dabsquared.gitlabjenkins.connection.GitLabConnection/testConnection"


@dataclass(frozen=True, slots=True)
class Installation:
    """How an installation ended.

    Attributes:
        restart_required: Jenkins must be restarted before all of it works.
        failed: plugin id → why, for those that are not installed now.
    """

    restart_required: bool = False
    failed: Mapping[str, str] = field(default_factory=dict)


class Plugins:
    """Plugins of the controller (contract, fact 23)."""

    _transport: Transport
    _sleep: Callable[[float], None]
    _clock: Callable[[], float]

    def list_plugins(self) -> list[dict[str, Any]]:
        """``shortName``, ``version``, ``active``, ``enabled`` and ``hasUpdate`` of every installed plugin.

        Raises:
            PermissionMissingError: Overall/Administer (or Overall/SystemRead) is missing.
        """
        params = {"depth": "1", "tree": f"plugins[{_FIELDS}]"}
        answer = self._transport.read_json("/pluginManager/api/json", params, "Overall/Administer")
        return list(answer.get("plugins", []))

    def install_plugins(
        self,
        ids: Sequence[str],
        *,
        poll: float = 1.0,
        limit: float = 300.0,
        on_progress: Callable[[Mapping[str, str]], None] | None = None,
    ) -> Installation:
        """Install or update plugins to their newest version, with what they depend on, and wait for it.

        Args:
            ids: short names.
            poll: seconds between two looks.
            limit: seconds to wait at most.
            on_progress: called after each look with plugin id → status in Jenkins' words.

        Raises:
            PermissionMissingError: Overall/Administer is missing.
            ServerError: Jenkins refuses, for another reason than an unknown plugin.
        """
        failed: dict[str, str] = {}
        correlation = self._start_installation(list(ids), failed)
        if correlation is None:
            return Installation(failed=failed)
        jobs = self._await_installation(correlation, poll, limit, on_progress)
        for name, job in jobs.items():
            status = str(job.get("installStatus", ""))
            if status in _UNFINISHED:
                failed[name] = f"still {status.lower()} after {limit:g} s"
            elif not status.startswith(_FINE):
                failed[name] = shorten(f"Jenkins says {status}", self._transport.http.redactor)
        restart = any(str(job.get("requiresRestart")).lower() == "true" for job in jobs.values())
        return Installation(restart, failed)

    def _start_installation(self, ids: list[str], failed: dict[str, str]) -> str | None:
        """Correlation id of the installation; unknown plugins go to ``failed``. None when none is left."""
        while ids:
            response = self._transport.call(
                "POST",
                "/pluginManager/installPlugins",
                json={"dynamicLoad": True, "plugins": ids},
                retry=True,
                needs="Overall/Administer",
            )
            answer = self._transport.json_of(response, "/pluginManager/installPlugins")
            if answer.get("status") == "ok":
                return str((answer.get("data") or {}).get("correlationId"))
            message = shorten(str(answer.get("message", "")), self._transport.http.redactor)
            unknown = _UNKNOWN.search(message)
            # One unknown name makes Jenkins install nothing at all; the others are still wanted.
            if unknown is None or unknown[1] not in ids:
                raise ServerError(self._transport.label, f"plugins were not installed: {message}")
            ids.remove(unknown[1])
            failed[unknown[1]] = f"{message}; check the id, and that the update centre can be reached"
        return None

    def _await_installation(
        self,
        correlation: str,
        poll: float,
        limit: float,
        on_progress: Callable[[Mapping[str, str]], None] | None,
    ) -> dict[str, dict[str, Any]]:
        """Look until nothing is pending, or the limit is over; the last state by plugin id."""
        end = self._clock() + limit
        looks = 0
        while True:
            answer = self._transport.read_json(
                "/updateCenter/installStatus", {"correlationId": correlation}, "Overall/Administer"
            )
            jobs = {str(job.get("name")): job for job in (answer.get("data") or {}).get("jobs", [])}
            looks += 1
            states = {name: str(job.get("installStatus")) for name, job in jobs.items()}
            if on_progress is not None:
                on_progress(states)
            pending = any(state in _UNFINISHED for state in states.values())
            # An empty answer may only mean that the jobs are not queued yet.
            if (states or looks >= _SURE_LOOKS) and not pending:
                return jobs
            if self._clock() >= end:
                return jobs
            self._sleep(poll)

    def test_connection(
        self,
        url: str,
        credential_id: str,
        *,
        client: str = "autodetect",
        ignore_certificate_errors: bool = False,
        connection_timeout: int = 10,
        read_timeout: int = 10,
    ) -> tuple[bool, str]:
        """Let Jenkins try a GitLab connection, as the button in its web form does (contract, fact 19).

        Args:
            url: root URL of GitLab.
            credential_id: a "GitLab API token" credential of the global store.
            client, ignore_certificate_errors, connection_timeout, read_timeout: as in the connection.

        Returns:
            Whether it works, and what Jenkins says, redacted.

        Raises:
            NotFoundError: the GitLab plugin is not installed.
            PermissionMissingError: Overall/Administer is missing.
        """
        form = {
            "url": url,
            "apiTokenId": credential_id,
            "clientBuilderId": client,
            "ignoreCertificateErrors": str(ignore_certificate_errors).lower(),
            "connectionTimeout": str(connection_timeout),
            "readTimeout": str(read_timeout),
        }
        response = self._transport.call("POST", _TEST_CONNECTION, data=form, question=True, needs="Overall/Administer")
        works = re.search(r"class=[\"']?ok\b", response.text) is not None
        return works, plain_text(response.text, self._transport.http.redactor)
