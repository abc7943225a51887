"""Plugins: installed when missing, updated when older than the spec's minimum. Never owned, never removed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from configurator.clients.jenkins import Installation
from configurator.errors import ServerError
from configurator.kinds.base import Aftermath, Kind
from configurator.model import Change, Field, Key, Observation, Origin, Resource, Unchecked
from configurator.spec.expanded import Expanded
from configurator.world.found import Hidden
from configurator.world.world import World

GITLAB_PLUGIN = "gitlab-plugin"
FOLDER_PLUGIN = "cloudbees-folder"
JOB_PLUGINS = (GITLAB_PLUGIN, FOLDER_PLUGIN, "git", "workflow-*", "pipeline-*", "branch-api")
"""Plugins that bring the classes of the built-in job templates. Without them Jenkins would drop parts of a job."""


@dataclass(frozen=True, slots=True)
class PluginBody:
    """A plugin: wanted with its ``minimum``, found with its ``version``."""

    id: str
    minimum: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class _Installed:
    """How the installation ended, and the version of every plugin that is active after it."""

    how: Installation
    versions: Mapping[str, str]


def plugin_keys(expanded: Expanded, *patterns: str) -> tuple[Key, ...]:
    """Keys of those plugins of the spec whose id matches one of ``patterns``: what needs them comes after them."""
    ids = [plugin if isinstance(plugin, str) else plugin.id for plugin in expanded.spec.jenkins.plugins]
    return tuple(Key(PluginKind.name, id) for id in ids if any(fnmatchcase(id, one) for one in patterns))


class PluginKind(Kind[PluginBody, _Installed]):
    """Jenkins plugins."""

    name = "plugin"

    def desired(self, expanded: Expanded) -> Iterator[Resource[PluginBody]]:
        for number, plugin in enumerate(expanded.spec.jenkins.plugins):
            body = PluginBody(plugin) if isinstance(plugin, str) else PluginBody(plugin.id, minimum=plugin.minimum)
            origin = Origin(expanded.place("jenkins", "plugins", number))
            yield Resource(Key(self.name, body.id), body, owner=expanded.spec.name, origin=origin)

    def observe(self, wanted: Sequence[Resource[PluginBody]], world: World) -> Observation[PluginBody]:
        plugins = world.inventory.plugins
        if isinstance(plugins, Hidden):
            reason = f"needs {plugins.permission}"
            return Observation(unchecked=tuple(Unchecked(self.name, one.key.name, reason) for one in wanted))
        existing = {
            one.key: Resource(one.key, PluginBody(one.key.name, version=plugins[one.key.name]), owner=world.owner)
            for one in wanted
            if one.key.name in plugins
        }
        asleep = [one.key.name for one in wanted if one.key.name in world.inventory.inactive]
        warnings = tuple(f"plugin {id} is installed and not active: enable it and restart Jenkins" for id in asleep)
        return Observation(existing=existing, warnings=(*warnings, *_lacking(wanted, plugins, world)))

    def differences(self, wanted: Resource[PluginBody], existing: Resource[PluginBody]) -> Sequence[Field]:
        minimum, version = wanted.body.minimum, existing.body.version
        if minimum is None or version_number(version) >= version_number(minimum):
            return []
        return [Field("version", version, f"{minimum} or later")]

    def prepare(self, changes: Sequence[Change], world: World) -> _Installed:
        """Install all in one request: Jenkins resolves their dependencies together (contract, fact 23)."""
        installation = world.jenkins.install_plugins([change.key.name for change in changes])
        return _Installed(installation, {one["shortName"]: one["version"] for one in world.jenkins.list_plugins()})

    def create(self, wanted: Resource[PluginBody], world: World, prepared: _Installed) -> None:
        self._settle(wanted, world, prepared)

    def update(
        self, wanted: Resource[PluginBody], existing: Resource[PluginBody], world: World, prepared: _Installed
    ) -> None:
        self._settle(wanted, world, prepared)

    def delete(self, existing: Resource[PluginBody], world: World) -> None:
        raise AssertionError("plugins are never owned, so never deleted")

    def finish(self, done: Sequence[Change], world: World, prepared: _Installed | None) -> Aftermath:
        if prepared is None or not prepared.how.restart_required:
            return Aftermath()
        names = ", ".join(change.key.name for change in done)
        return Aftermath(warnings=(f"Jenkins must be restarted before it uses the new plugins ({names})",))

    @staticmethod
    def _settle(wanted: Resource[PluginBody], world: World, installed: _Installed) -> None:
        name, minimum = wanted.key.name, wanted.body.minimum
        if name in installed.how.failed:
            raise ServerError(world.jenkins.label, installed.how.failed[name])
        version = installed.versions.get(name)
        waits = installed.how.restart_required  # until then Jenkins shows the old version, or none
        if minimum and not waits and version_number(version) < version_number(minimum):
            raise ServerError(
                world.jenkins.label,
                f"plugin {name} is {version} now, older than the minimum {minimum}",
                "the update centre offers nothing newer: update Jenkins, or lower the minimum",
            )


def _lacking(wanted: Sequence[Resource[PluginBody]], plugins: Mapping[str, str], world: World) -> Iterator[str]:
    """Jenkins drops a trigger whose plugin it lacks, without a word; so somebody must say it."""
    asked_for = GITLAB_PLUGIN in plugins or any(one.key.name == GITLAB_PLUGIN for one in wanted)
    if not asked_for and any(job.trigger_project for job in world.expanded.jobs):
        yield (
            "Jenkins lacks the GitLab plugin, so it drops the triggers of the jobs: "
            "put gitlab-plugin under jenkins.plugins"
        )


def version_number(version: str | None) -> tuple[int, ...]:
    """The leading numbers of a plugin version: ``1487.va_d001ede2c31`` is (1487,), ``1.9.12`` is (1, 9, 12).

    Zeros at the end are left out, so that 2.0 is 2.0.0.
    """
    numbers = []
    for part in re.split(r"[.\-_]", version or ""):
        if not part.isdigit():
            break
        numbers.append(int(part))
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
