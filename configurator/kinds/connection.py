"""The GitLab plugin's connections: ours upserted among the others. No REST for them, so Administer is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from configurator.errors import ServerError
from configurator.kinds.base import Aftermath, Kind
from configurator.kinds.credential import credential_key
from configurator.kinds.plugin import GITLAB_PLUGIN, plugin_keys
from configurator.marks import read_mark
from configurator.model import Change, Field, Key, Observation, Origin, Resource, Unchecked
from configurator.spec.expanded import Expanded
from configurator.world.found import ConnectionFound, Hidden
from configurator.world.world import World


class ConnectionKind(Kind[ConnectionFound, None]):
    """Connections of the GitLab plugin (contract, fact 18). Ours when the credential they use carries our mark."""

    name = "connection"

    def desired(self, expanded: Expanded) -> Iterator[Resource[ConnectionFound]]:
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

    def observe(self, wanted: Sequence[Resource[ConnectionFound]], world: World) -> Observation[ConnectionFound]:
        found = world.inventory.connections
        if isinstance(found, Hidden):
            reason = f"needs {found.permission}"
            return Observation(unchecked=tuple(Unchecked(self.name, one.key.name, reason) for one in wanted))
        owners = _owners(world)
        handed_over = {entry.name for entry in world.expanded.spec.gitlab if not entry.manage}
        existing = {
            Key(self.name, name): Resource(
                Key(self.name, name),
                body,
                owner=owners.get(body.credential),
                after=(credential_key(None, body.credential),),
            )
            for name, body in (found or {}).items()
            if name not in handed_over
        }
        refused = tuple(
            Unchecked(self.name, one.key.name, reason, failed=True)
            for one in wanted
            if (reason := world.survey(one.key.name).refused)
        )
        return Observation(existing=existing, unchecked=refused, warnings=_open_endpoint(world))

    def differences(self, wanted: Resource[ConnectionFound], existing: Resource[ConnectionFound]) -> Sequence[Field]:
        mine, theirs = asdict(wanted.body), asdict(existing.body)
        return [
            Field(name, _text(theirs[name]), _text(mine[name]))
            for name in mine
            if (mine[name].rstrip("/") if name == "url" else mine[name])
            != (theirs[name].rstrip("/") if name == "url" else theirs[name])
        ]

    def create(self, wanted: Resource[ConnectionFound], world: World, prepared: None) -> None:
        _change(world, upsert=[wanted.body])

    def update(
        self, wanted: Resource[ConnectionFound], existing: Resource[ConnectionFound], world: World, prepared: None
    ) -> None:
        _change(world, upsert=[wanted.body])

    def delete(self, existing: Resource[ConnectionFound], world: World) -> None:
        _change(world, delete=[existing.key.name])

    def finish(self, done: Sequence[Change], world: World, prepared: None) -> Aftermath:
        """Have Jenkins test each new connection with the credential it will use (contract, fact 19)."""
        warnings = []
        for change in done:
            if change.wanted is None:
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


def _open_endpoint(world: World) -> tuple[str, ...]:
    if world.inventory.authenticated_endpoint is not False:
        return ()
    return (
        "the GitLab plugin's 'Enable authentication for /project end-point' is off: "
        "anybody may start jobs that have no secret token; switch it on in Manage Jenkins",
    )


def _change(world: World, upsert: Sequence[ConnectionFound] = (), delete: Sequence[str] = ()) -> None:
    payload = {"upsert": [asdict(body) for body in upsert], "delete": list(delete)}
    with world.connection_lock:  # the whole list is read and written back, so one change at a time
        answer = world.jenkins.run("connection", payload)
    if answer["connections"] is None:
        raise ServerError(
            world.jenkins.label,
            "the GitLab plugin is not installed, or not active",
            f"put {GITLAB_PLUGIN} under jenkins.plugins, and restart Jenkins where it asks for it",
        )


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
