"""The plugin manager and the part of the update centre that installs."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# What the recorded controller had, as far as job XML, credentials and our scripts speak of it.
INSTALLED: Mapping[str, str] = {
    "branch-api": "2.1280.v0d4e5b_b_460ef",
    "cloudbees-folder": "6.1053.vd62fb_b_f7367b_",
    "credentials": "1487.va_d001ede2c31",
    "git": "5.8.1",
    "gitlab-plugin": "1.9.12",
    "matrix-auth": "3.2.10",
    "pipeline-groovy-lib": "787.ve2fef0efdca_6",
    "pipeline-model-definition": "2.2277.v00573e73ddf1",
    "plain-credentials": "199.v9f8e1f741799",
    "scm-api": "724.v7d839074eb_5c",
    "ssh-credentials": "372.va_250881b_08cd",
    "structs": "350.v3b_30f09f2363",
    "workflow-aggregator": "608.v67378e9d3db_1",
    "workflow-api": "1384.vdc05a_48f535f",
    "workflow-cps": "4303.v8fa_2a_581f0a_6",
    "workflow-job": "1571.vb_423c255d6d9",
    "workflow-multibranch": "821.vc3b_4ea_780798",
    "workflow-step-api": "710.v3e456cc85233",
}
# What the update centre offers beside those.
OFFERED: Mapping[str, str] = {
    "ansicolor": "1.0.6",
    "configuration-as-code": "2006.v001a_2ca_6b_574",
    "job-dsl": "1.93",
    "timestamper": "1.30",
}
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "gitlab-plugin": ("credentials", "git", "plain-credentials", "structs"),
    "workflow-job": ("workflow-api", "workflow-step-api"),
    "workflow-cps": ("workflow-job", "scm-api"),
    "workflow-multibranch": ("branch-api", "workflow-cps"),
    "git": ("credentials", "ssh-credentials", "scm-api"),
    "plain-credentials": ("credentials",),
    "ssh-credentials": ("credentials",),
    "branch-api": ("cloudbees-folder", "scm-api"),
}


@dataclass(slots=True)
class Installation:
    """One job of the update centre.

    Attributes:
        correlation: id of the request that asked for it, or None.
        polls_left: how often its state is asked for before it is done.
    """

    plugin: str
    version: str
    correlation: str | None
    polls_left: int
    status: str = "Pending"


class PluginManager:
    """Installed plugins and running installations.

    Args:
        installed: id → version of what is there and active.
        offered: id → version of what can be installed.
        polls: how many questions after ``installStatus`` an installation takes.
        restart_for: plugins that become active only after a restart.
        broken: plugins whose download fails.
    """

    def __init__(
        self,
        installed: Mapping[str, str] | None = None,
        offered: Mapping[str, str] | None = None,
        polls: int = 2,
        restart_for: frozenset[str] = frozenset(),
        broken: frozenset[str] = frozenset(),
    ) -> None:
        self.installed: dict[str, str] = dict(INSTALLED if installed is None else installed)
        self.offered: dict[str, str] = {**INSTALLED, **OFFERED} if offered is None else dict(offered)
        self.polls = polls
        self.restart_for = restart_for
        self.broken = broken
        self.after_restart: dict[str, str] = {}
        self.installations: list[Installation] = []

    def is_active(self, plugin: str) -> bool:
        """Installed and loaded: one that waits for a restart is neither."""
        return plugin in self.installed

    def version(self, plugin: str) -> str:
        """Installed version, empty when it is not installed."""
        return self.installed.get(plugin, "")

    def version_tuple(self, plugin: str | None) -> tuple[int, ...]:
        """Leading numbers of the installed version, for comparison."""
        found = re.match(r"[0-9.]*", self.version(plugin or ""))
        return tuple(int(part) for part in (found[0] if found else "").split(".") if part)

    def install(self, names: list[str], *, correlate: bool = True) -> tuple[str, str]:
        """Start installing; ``("", message)`` when one of them is not known, else ``(correlation id, "")``."""
        for name in names:
            if name not in self.offered:
                return "", f"No such plugin: {name}"
        correlation = str(uuid.uuid4()) if correlate else ""
        for name in self._with_needs(names):
            if name in names or name not in self.installed:
                self.installations.append(Installation(name, self.offered[name], correlation or None, self.polls))
        return correlation, ""

    def install_necessary(self, wanted: list[str]) -> None:
        """The old way: ``plugin@version`` pairs, unknown ones are skipped silently (contract, fact 23)."""
        names = [name.partition("@")[0] for name in wanted]
        self.install([name for name in names if name in self.offered], correlate=False)

    def status(self, correlation: str | None) -> dict[str, Any]:
        """The state of the installations of one request (all without an id), which makes them go on."""
        found = [job for job in self.installations if correlation is None or job.correlation == correlation]
        for job in found:
            self._advance(job)
        return {"state": "RUNNING", "jobs": [self._describe(job) for job in found]}

    def restart(self) -> None:
        """What a restart of the controller does to plugins."""
        for job in self.installations:
            while job.status in ("Pending", "Installing"):
                self._advance(job)
        self.installed.update(self.after_restart)
        self.after_restart.clear()
        self.installations.clear()

    def listing(self) -> list[dict[str, Any]]:
        """One entry a plugin, as ``pluginManager/api/json`` shows them."""
        return [
            {
                "active": self.is_active(plugin),
                "dependencies": [
                    {"optional": False, "shortName": need, "version": self.version(need) or self.offered.get(need, "")}
                    for need in _NEEDS.get(plugin, ())
                ],
                "enabled": True,
                "hasUpdate": _numbers(self.offered.get(plugin, "")) > _numbers(version),
                "shortName": plugin,
                "version": version,
            }
            for plugin, version in sorted(self.installed.items())
        ]

    def _with_needs(self, names: list[str]) -> list[str]:
        ordered: dict[str, None] = {}

        def add(name: str) -> None:
            if name in ordered or name not in self.offered:
                return
            for need in _NEEDS.get(name, ()):
                add(need)
            ordered[name] = None

        for name in names:
            add(name)
        return list(ordered)

    def _advance(self, job: Installation) -> None:
        if job.status not in ("Pending", "Installing"):
            return
        if job.polls_left > 0:
            job.status = "Pending" if job.polls_left == self.polls and self.polls > 1 else "Installing"
            job.polls_left -= 1
            return
        if job.plugin in self.broken:
            job.status = "Failure"
            return
        another = self.installed.get(job.plugin, job.version) != job.version
        if another or job.plugin in self.restart_for:
            self.after_restart[job.plugin] = job.version
            job.status = "SuccessButRequiresRestart"
        else:
            self.installed[job.plugin] = job.version
            job.status = "Success"

    @staticmethod
    def _describe(job: Installation) -> dict[str, str]:
        described = {
            "name": job.plugin,
            "version": job.version,
            "title": job.plugin,
            "installStatus": job.status,
            "requiresRestart": "true" if job.status == "SuccessButRequiresRestart" else "false",
        }
        return {**described, "correlationId": job.correlation} if job.correlation else described


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
