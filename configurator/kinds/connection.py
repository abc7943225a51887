"""The GitLab plugin's global configuration: our connections among the others, and whether its endpoint asks who calls.

No REST for it, so Administer is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from configurator.errors import ServerError
from configurator.kinds.base import Aftermath, Kind
from configurator.kinds.credential import credential_key
from configurator.kinds.endpoint import EndpointSwitch, open_endpoint_warnings
from configurator.kinds.plugin import GITLAB_PLUGIN, plugin_keys
from configurator.marks import read_mark
from configurator.model import Change, Field, Key, Observation, Origin, Resource, Unchecked
from configurator.spec.expanded import Expanded
from configurator.world.found import ConnectionFound, Hidden
from configurator.world.world import World

ConnectionBody = ConnectionFound | EndpointSwitch
ENDPOINT = Key("connection", "/project endpoint")
"""No connection of a spec has a space in its name."""


class ConnectionKind(Kind[ConnectionBody, None]):
    """Connections of the GitLab plugin (contract, fact 18), and the one switch beside them.

    A connection is ours when the credential that it uses carries our mark. The switch is everybody's: it is changed
    where the spec speaks of it, and never looked at otherwise.
    """

    name = "connection"

    def desired(self, expanded: Expanded) -> Iterator[Resource[ConnectionBody]]:
        switch = expanded.spec.jenkins.authenticated_endpoint
        if switch is not None:
            yield Resource(
                ENDPOINT,
                EndpointSwitch(switch),
                owner=expanded.spec.name,
                origin=Origin(expanded.place("jenkins", "authenticated_endpoint")),
                after=plugin_keys(expanded, GITLAB_PLUGIN),
            )
        for number, entry in enumerate(expanded.spec.gitlab):
            if not entry.manage:
                continue
            body = ConnectionFound(
                name=entry.name,
                url=entry.url,
                credential=entry.credential.id,
                client=entry.client,
                ignore_certificate_errors=entry.ignore_certificate_errors,
                connection_timeout=entry.connection_timeout,
                read_timeout=entry.read_timeout,
            )
            credential = credential_key(None, entry.credential.id)
            yield Resource(
                Key(self.name, entry.name),
                body,
                owner=expanded.spec.name,
                origin=Origin(expanded.place("gitlab", number)),
                after=(credential, *plugin_keys(expanded, GITLAB_PLUGIN)),
                adopt=entry.adopt,
            )

    def observe(self, wanted: Sequence[Resource[ConnectionBody]], world: World) -> Observation[ConnectionBody]:
        found = world.inventory.connections
        if isinstance(found, Hidden):
            reason = f"needs {found.permission}"
            return Observation(unchecked=tuple(Unchecked(self.name, one.key.name, reason) for one in wanted))
        owners = _owners(world)
        handed_over = {entry.name for entry in world.expanded.spec.gitlab if not entry.manage}
        existing: dict[Key, Resource[ConnectionBody]] = {
            Key(self.name, name): Resource(
                Key(self.name, name),
                body,
                owner=owners.get(body.credential),
                after=(credential_key(None, body.credential),),
            )
            for name, body in (found or {}).items()
            if name not in handed_over
        }
        existing.pop(ENDPOINT, None)
        refused = []
        for one in wanted:
            if one.key == ENDPOINT:
                existing[ENDPOINT] = _switch(one, world)
            elif reason := world.survey(one.key.name).refused:
                refused.append(Unchecked(self.name, one.key.name, reason, failed=True))
        return Observation(existing=existing, unchecked=tuple(refused), warnings=open_endpoint_warnings(world))

    def differences(self, wanted: Resource[ConnectionBody], existing: Resource[ConnectionBody]) -> Sequence[Field]:
        mine, theirs = asdict(wanted.body), asdict(existing.body)
        return [
            Field(name, _text(theirs[name]), _text(mine[name]))
            for name in mine
            if (mine[name].rstrip("/") if name == "url" else mine[name])
            != (theirs[name].rstrip("/") if name == "url" else theirs[name])
        ]

    def create(self, wanted: Resource[ConnectionBody], world: World, prepared: None) -> None:
        _write(wanted.body, world)

    def update(
        self, wanted: Resource[ConnectionBody], existing: Resource[ConnectionBody], world: World, prepared: None
    ) -> None:
        _write(wanted.body, world)

    def delete(self, existing: Resource[ConnectionBody], world: World) -> None:
        _change(world, delete=[existing.key.name])

    def finish(self, done: Sequence[Change], world: World, prepared: None) -> Aftermath:
        """Have Jenkins test each new connection with the credential it will use (contract, fact 19)."""
        warnings = []
        for change in done:
            if change.wanted is None or change.key == ENDPOINT:
                continue
            body: ConnectionFound = change.wanted.body
            try:
                good, answer = world.jenkins.test_connection(
                    body.url,
                    body.credential,
                    client=body.client,
                    ignore_certificate_errors=body.ignore_certificate_errors,
                    connection_timeout=body.connection_timeout,
                    read_timeout=body.read_timeout,
                )
            except ServerError as error:
                good, answer = False, str(error)
            if not good:
                warnings.append(f"connection {body.name}: Jenkins can't use it: {answer}")
        return Aftermath(warnings=tuple(warnings))


def _owners(world: World) -> Mapping[str, str]:
    """Owner by id of every marked credential in the system store."""
    listed = world.inventory.credentials
    marks = (
        {} if isinstance(listed, Hidden) else {one.id: read_mark(one.description) for one in listed if not one.folder}
    )
    return {id: mark.owner for id, mark in marks.items() if mark}


def _switch(wanted: Resource[ConnectionBody], world: World) -> Resource[ConnectionBody]:
    """The switch as it is, or as the plugin brings it along where that is yet to be installed (contract, fact 18)."""
    return wanted.with_body(EndpointSwitch(world.inventory.authenticated_endpoint is not False))


def _write(body: ConnectionBody, world: World) -> None:
    if isinstance(body, ConnectionFound):
        _change(world, upsert=[body])
        return
    answer = _change(world, endpoint=body.authenticated_endpoint)
    if answer["authenticated_endpoint"] is not body.authenticated_endpoint:
        raise ServerError(
            world.jenkins.label,
            "the GitLab plugin did not keep the setting of its /project end-point",
            "set it in Manage Jenkins, System, GitLab; this version of the plugin may not know it",
        )


def _change(
    world: World,
    upsert: Sequence[ConnectionFound] = (),
    delete: Sequence[str] = (),
    endpoint: bool | None = None,
) -> Mapping[str, Any]:
    """Change what is named and nothing else; what is there afterwards. Raises ServerError."""
    payload = {
        "upsert": [asdict(body) for body in upsert],
        "delete": list(delete),
        "authenticated_endpoint": endpoint,
    }
    with world.connection_lock:  # the whole list is read and written back, so one change at a time
        answer: Mapping[str, Any] = world.jenkins.run("connection", payload)
    if answer["connections"] is None:
        raise ServerError(
            world.jenkins.label,
            "the GitLab plugin is not installed, or not active",
            f"put {GITLAB_PLUGIN} under jenkins.plugins, and restart Jenkins where it asks for it",
        )
    return answer


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
