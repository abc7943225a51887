"""Credentials: those of the GitLab connections and those listed in the spec, in the system's or a folder's store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from configurator.errors import AlreadyExistsError, NotFoundError, Place
from configurator.kinds.base import Kind
from configurator.kinds.credential_body import (
    GITLAB_TOKEN,
    MAIN_SECRET,
    PASSPHRASE,
    CredentialBody,
    as_digested,
    as_written,
    content_of,
    credential_differences,
    credential_xml,
    joined,
    unwritable,
)
from configurator.kinds.plugin import GITLAB_PLUGIN, plugin_keys
from configurator.marks import Mark, fingerprint, read_mark, with_mark
from configurator.model import Field, Key, Observation, Origin, Resource, Unchecked
from configurator.spec.expanded import Expanded
from configurator.spec.models import Spec
from configurator.world.found import CredentialFound, Hidden
from configurator.world.world import World

__all__ = ["GITLAB_TOKEN", "CredentialBody", "CredentialKind", "credential_key", "credential_xml", "keyed_by"]


def credential_key(folder: str | None, id: str) -> Key:
    """Key of a credential: its id, below its folder where it has one."""
    return Key(CredentialKind.name, f"{folder}/{id}" if folder else id)


class CredentialKind(Kind[CredentialBody, None]):
    """Jenkins credentials."""

    name = "credential"

    def desired(self, expanded: Expanded) -> Iterator[Resource[CredentialBody]]:
        spec = expanded.spec
        made: set[str] = set()
        for number, entry in enumerate(spec.gitlab):
            own = entry.credential
            if not entry.manage or own.id in made:  # entries that share one mean the very same (check_items.py)
                continue
            made.add(own.id)
            body = CredentialBody(
                folder=None,
                domain=None,
                id=own.id,
                cls=GITLAB_TOKEN,
                description=own.description,
                gitlab=entry.name,
                references={"apiToken": own.token or entry.token},
            )
            place = expanded.place("gitlab", number, "credential")
            yield self._resource(expanded, body, place, adopt=entry.adopt)
        for number, one in enumerate(spec.credentials):
            cls, username, references = content_of(one)
            further = CredentialBody(
                one.folder, one.domain, one.id, cls, one.description, username, references=references
            )
            place = expanded.place("credentials", number)
            yield self._resource(expanded, further, place, adopt=one.adopt, manage=one.manage)

    @staticmethod
    def _resource(
        expanded: Expanded, body: CredentialBody, place: Place | None, *, adopt: bool, manage: bool = True
    ) -> Resource[CredentialBody]:
        plugins = plugin_keys(expanded, GITLAB_PLUGIN) if body.cls == GITLAB_TOKEN else ()
        folders = (Key("folder", body.folder),) if body.folder else ()
        return Resource(
            credential_key(body.folder, body.id),
            body,
            owner=expanded.spec.name,
            origin=Origin(place),
            after=(*plugins, *folders),
            manage=manage,
            adopt=adopt,
        )

    def observe(self, wanted: Sequence[Resource[CredentialBody]], world: World) -> Observation[CredentialBody]:
        listed = world.inventory.credentials
        if isinstance(listed, Hidden):
            hidden = {one.key: listed.permission for one in wanted}
            listed = ()
        else:
            stores = world.inventory.hidden_stores
            hidden = {one.key: stores[one.body.folder].permission for one in wanted if one.body.folder in stores}
        existing = _by_key(wanted, listed)
        mine = {one.key for one in wanted}
        for entry in world.expanded.spec.gitlab:
            key = credential_key(None, entry.credential.id)
            if not entry.manage and key not in mine:  # handed over to somebody else, whatever mark it still carries
                existing.pop(key, None)
        existing.update({one.key: one for one in wanted if one.key in hidden and not one.manage})
        unchecked = [
            Unchecked(self.name, one.key.name, f"needs {hidden[one.key]}")
            for one in wanted
            if one.key in hidden and one.manage
        ]
        unchecked += self._refused(wanted, world)
        resolved = {one.key: self._resolve(one, world) for one in wanted if one.manage and one.key not in hidden}
        for key, one in resolved.items():
            if reason := unwritable(one.body):
                unchecked.append(Unchecked(self.name, key.name, reason, failed=True))
        warnings = [
            _UNSEEN.format(key)
            for key, one in resolved.items()
            if key in existing and existing[key].body.digest is None and not (one.body.mark and one.body.mark.key)
        ]
        return Observation(existing=existing, wanted=resolved, unchecked=tuple(unchecked), warnings=tuple(warnings))

    @staticmethod
    def _refused(wanted: Sequence[Resource[CredentialBody]], world: World) -> tuple[Unchecked, ...]:
        """A token that GitLab refuses is not handed to Jenkins."""
        return tuple(
            Unchecked(CredentialKind.name, one.key.name, reason, failed=True)
            for one in wanted
            if one.body.gitlab and (reason := world.survey(one.body.gitlab).refused)
        )

    def _resolve(self, wanted: Resource[CredentialBody], world: World) -> Resource[CredentialBody]:
        """``wanted`` with its secrets, the digests to compare with, and the mark that it will carry."""
        body = wanted.body
        secrets = {
            element: as_written(element, world.secret_of(reference)) for element, reference in body.references.items()
        }
        salt = bytes.fromhex(world.salt)
        digests = {element: as_digested(element, secret).digest(salt) for element, secret in secrets.items()}
        gitlab = body.gitlab or keyed_by(world.expanded.spec)
        key = fingerprint(world.webhook_secret(gitlab) if gitlab else None, joined(secrets))
        mark = Mark(world.owner, key=key)
        return wanted.with_body(
            replace(
                body,
                description=with_mark(body.description, mark),
                references={},
                secrets=secrets,
                mark=mark,
                digest=digests[MAIN_SECRET[body.cls]],
                passphrase=digests.get(PASSPHRASE),
            )
        )

    def differences(self, wanted: Resource[CredentialBody], existing: Resource[CredentialBody]) -> Sequence[Field]:
        return credential_differences(wanted.body, existing.body)

    def create(self, wanted: Resource[CredentialBody], world: World, prepared: None) -> None:
        body = wanted.body
        if body.domain and body.domain not in world.jenkins.list_domains(body.folder):
            with suppress(AlreadyExistsError):  # another credential's worker was faster
                world.jenkins.create_domain(body.folder, body.domain)
        world.jenkins.create_credential(body.folder, body.domain, credential_xml(body))

    def update(
        self, wanted: Resource[CredentialBody], existing: Resource[CredentialBody], world: World, prepared: None
    ) -> None:
        """Write it whole: with its real secrets, for what is read redacted would blank them (contract, fact 3)."""
        body = wanted.body
        if body.domain == existing.body.domain:
            world.jenkins.write_credential(body.folder, body.domain, body.id, credential_xml(body))
            return
        self.create(wanted, world, prepared)  # first, so that its users find one at any moment
        with suppress(NotFoundError):
            self.delete(existing, world)

    def delete(self, existing: Resource[CredentialBody], world: World) -> None:
        world.jenkins.delete_credential(existing.body.folder, existing.body.domain, existing.body.id)


_UNSEEN = (
    "{}: whether its secret changed can't be told without Overall/Administer or a webhook secret; name one under "
    "gitlab.webhooks.secret, and its fingerprint is kept in the description"
)


def keyed_by(spec: Spec) -> str | None:
    """Name of the gitlab entry whose webhook secret keys the fingerprints of the spec's further credentials."""
    return next((entry.name for entry in spec.gitlab if entry.webhooks.secret), None)


def _by_key(
    wanted: Sequence[Resource[CredentialBody]], listed: Sequence[CredentialFound]
) -> dict[Key, Resource[CredentialBody]]:
    """What is in the stores, by key. Where a store holds an id in several domains, that of the wanted one is meant.

    What else carries a mark there is told with its domain: ours are left over from where the spec had them before.
    """
    domains = {one.key: one.body.domain for one in wanted}
    same: dict[Key, list[CredentialFound]] = {}
    for found in listed:
        same.setdefault(credential_key(found.folder, found.id), []).append(found)
    existing: dict[Key, Resource[CredentialBody]] = {}
    for key, twins in same.items():
        meant = next((one for one in twins if key in domains and one.domain == domains[key]), twins[0])
        existing[key] = _found(key, meant)
        for twin in twins:
            if twin is not meant and read_mark(twin.description):
                other = Key(key.kind, f"{key.name} (domain {twin.domain or 'global'})")
                existing[other] = _found(other, twin)
    return existing


def _found(key: Key, found: CredentialFound) -> Resource[CredentialBody]:
    mark = read_mark(found.description)
    body = CredentialBody(
        found.folder,
        found.domain,
        found.id,
        found.cls,
        found.description,
        found.username,
        mark=mark,
        digest=found.digest,
        passphrase=found.passphrase,
    )
    after = (Key("folder", found.folder),) if found.folder else ()
    return Resource(key, body, owner=mark.owner if mark else None, after=after)
