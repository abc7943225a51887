"""Credentials: those of the GitLab connections and those listed in the spec, in the system's or a folder's store."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lxml import etree

from configurator.errors import Place
from configurator.kinds.base import Kind
from configurator.kinds.plugin import GITLAB_PLUGIN, plugin_keys
from configurator.marks import Mark, fingerprint, read_mark, with_mark
from configurator.model import Field, Key, Observation, Origin, Resource, Unchecked
from configurator.secret import MASK, Secret
from configurator.spec.expanded import Expanded
from configurator.spec.models import (
    GitLabTokenCredential,
    SecretRef,
    SecretTextCredential,
    Spec,
    SshKeyCredential,
    UsernamePasswordCredential,
)
from configurator.world.found import CredentialFound, Hidden
from configurator.world.world import World

GITLAB_TOKEN = "com.dabsquared.gitlabjenkins.connection.GitLabApiTokenImpl"  # noqa: S105 - a class name
USERNAME_PASSWORD = "com.cloudbees.plugins.credentials.impl.UsernamePasswordCredentialsImpl"  # noqa: S105
SECRET_TEXT = "org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl"  # noqa: S105
SSH_KEY = "com.cloudbees.jenkins.plugins.sshcredentials.impl.BasicSSHUserPrivateKey"
_DIRECT_ENTRY = SSH_KEY + "$DirectEntryPrivateKeySource"
# Which element holds the secret whose digest the controller tells; a passphrase is only ever told by the mark.
_MAIN_SECRET = {
    GITLAB_TOKEN: "apiToken",
    USERNAME_PASSWORD: "password",
    SECRET_TEXT: "secret",
    SSH_KEY: "privateKey",
}
_END = re.compile(r"[ \t\n\x0b\f\r]+\Z")  # a private key is digested without it, as the script inventory does


@dataclass(frozen=True, slots=True)
class CredentialBody:
    """A credential as wanted or as found.

    Attributes:
        cls: its class in Jenkins; empty = unknown (REST does not tell).
        references: wanted: secret references by XML element; found: empty.
        secrets: wanted, once resolved: the values by XML element.
        gitlab: name of the gitlab entry it serves, None for further ones.
        mark: the mark in its description.
        digest: found: HMAC of the secret under the run's salt, None = unknown. Wanted: the same, computed here.
    """

    folder: str | None
    domain: str | None
    id: str
    cls: str
    description: str
    username: str | None = None
    gitlab: str | None = None
    references: Mapping[str, SecretRef] = field(default_factory=dict)
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    mark: Mark | None = None
    digest: str | None = None


def credential_key(folder: str | None, id: str) -> Key:
    """Key of a credential: its id, below its folder where it has one."""
    return Key(CredentialKind.name, f"{folder}/{id}" if folder else id)


class CredentialKind(Kind[CredentialBody, None]):
    """Jenkins credentials."""

    name = "credential"

    def desired(self, expanded: Expanded) -> Iterator[Resource[CredentialBody]]:
        spec = expanded.spec
        for number, entry in enumerate(spec.gitlab):
            if not entry.manage:
                continue
            own = entry.credential
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
            cls, username, references = _content(one)
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
            reason = f"needs {listed.permission}"
            return Observation(
                existing={one.key: one for one in wanted if not one.manage},
                unchecked=tuple(Unchecked(self.name, one.key.name, reason) for one in wanted if one.manage),
            )
        existing = {key: _found(key, one) for key, one in _by_key(wanted, listed).items()}
        for entry in world.expanded.spec.gitlab:
            if not entry.manage:  # handed over to somebody else, whatever mark it still carries
                existing.pop(credential_key(None, entry.credential.id), None)
        refused = self._refused(wanted, world)
        resolved = {one.key: self._resolve(one, existing.get(one.key), world) for one in wanted if one.manage}
        warnings = tuple(
            f"credential {key.name}: whether its secret changed can't be told "
            "without Overall/Administer or a webhook secret"
            for key, one in resolved.items()
            if key in existing and existing[key].body.digest is None and not (one.body.mark and one.body.mark.key)
        )
        return Observation(existing=existing, wanted=resolved, unchecked=refused, warnings=warnings)

    @staticmethod
    def _refused(wanted: Sequence[Resource[CredentialBody]], world: World) -> tuple[Unchecked, ...]:
        """A token that GitLab refuses is not handed to Jenkins."""
        return tuple(
            Unchecked(CredentialKind.name, one.key.name, reason, failed=True)
            for one in wanted
            if one.body.gitlab and (reason := world.survey(one.body.gitlab).refused)
        )

    def _resolve(
        self, wanted: Resource[CredentialBody], existing: Resource[CredentialBody] | None, world: World
    ) -> Resource[CredentialBody]:
        """``wanted`` with its secret, the digest to compare with, and the mark that it will carry."""
        body = wanted.body
        secrets = {element: world.secret_of(reference) for element, reference in body.references.items()}
        main = secrets[_MAIN_SECRET[body.cls]]
        gitlab = body.gitlab or keyed_by(world.expanded.spec)
        key = fingerprint(world.webhook_secret(gitlab) if gitlab else None, _joined(secrets))
        mark = Mark(world.owner, key=key)
        digested = Secret(_END.sub("", main.reveal().replace("\r\n", "\n"))) if body.cls == SSH_KEY else main
        return wanted.with_body(
            CredentialBody(
                folder=body.folder,
                domain=existing.body.domain if existing else body.domain,
                id=body.id,
                cls=body.cls,
                description=with_mark(body.description, mark),
                username=body.username,
                gitlab=body.gitlab,
                secrets=secrets,
                mark=mark,
                digest=digested.digest(bytes.fromhex(world.salt)),
            )
        )

    def differences(self, wanted: Resource[CredentialBody], existing: Resource[CredentialBody]) -> Sequence[Field]:
        mine, theirs = wanted.body, existing.body
        fields = []
        if theirs.cls and mine.cls != theirs.cls:
            fields.append(Field("class", theirs.cls, mine.cls))
        if mine.description.strip() != theirs.description.strip():
            fields.append(Field("description", theirs.description, mine.description))
        if theirs.cls and mine.username is not None and mine.username != theirs.username:
            fields.append(Field("username", theirs.username, mine.username))
        fields += _secret_difference(mine, theirs)
        return fields

    def create(self, wanted: Resource[CredentialBody], world: World, prepared: None) -> None:
        body = wanted.body
        if body.domain and body.domain not in world.jenkins.list_domains(body.folder):
            world.jenkins.create_domain(body.folder, body.domain)
        world.jenkins.create_credential(body.folder, body.domain, credential_xml(body))

    def update(
        self, wanted: Resource[CredentialBody], existing: Resource[CredentialBody], world: World, prepared: None
    ) -> None:
        body = wanted.body
        world.jenkins.write_credential(body.folder, body.domain, body.id, credential_xml(body))

    def delete(self, existing: Resource[CredentialBody], world: World) -> None:
        world.jenkins.delete_credential(existing.body.folder, existing.body.domain, existing.body.id)


def credential_xml(body: CredentialBody) -> str:
    """The XML of a credential with its clear secrets, as the credentials API takes it. Never log it."""
    root = etree.Element(body.cls)
    for name, value in (("scope", "GLOBAL"), ("id", body.id), ("description", body.description)):
        etree.SubElement(root, name).text = value
    if body.username is not None:
        etree.SubElement(root, "username").text = body.username
    for element, secret in body.secrets.items():
        parent = root
        if element == "privateKey":
            parent = etree.SubElement(root, "privateKeySource", {"class": _DIRECT_ENTRY})
        etree.SubElement(parent, element).text = secret.reveal()
    return etree.tostring(root, encoding="unicode")


def _content(
    one: SshKeyCredential | UsernamePasswordCredential | SecretTextCredential | GitLabTokenCredential,
) -> tuple[str, str | None, dict[str, SecretRef]]:
    """Class, user name and secret references of a credential in the spec."""
    if isinstance(one, SshKeyCredential):
        passphrase = {"passphrase": one.passphrase} if one.passphrase else {}
        return SSH_KEY, one.username, {"privateKey": one.private_key, **passphrase}
    if isinstance(one, UsernamePasswordCredential):
        return USERNAME_PASSWORD, one.username, {"password": one.password}
    if isinstance(one, SecretTextCredential):
        return SECRET_TEXT, None, {"secret": one.secret}
    return GITLAB_TOKEN, None, {"apiToken": one.token}


def keyed_by(spec: Spec) -> str | None:
    """Name of the gitlab entry whose webhook secret keys the fingerprints of the spec's further credentials."""
    return next((entry.name for entry in spec.gitlab if entry.webhooks.secret), None)


def _joined(secrets: Mapping[str, Secret]) -> Secret:
    """All secrets of a credential as one value, so that the fingerprint changes with any of them."""
    return Secret("\0".join(secret.reveal() for secret in secrets.values()))


def _secret_difference(mine: CredentialBody, theirs: CredentialBody) -> list[Field]:
    """By the digest that the controller computed, where it did; by the fingerprint in the mark otherwise."""
    path = _MAIN_SECRET[mine.cls]
    if theirs.digest is not None and mine.digest is not None:
        if theirs.digest == mine.digest:
            return []
        return [Field(path, f"{MASK} {theirs.digest[:8]}", f"{MASK} {mine.digest[:8]}", secret=True)]
    if theirs.mark and mine.mark and mine.mark.key and theirs.mark.key != mine.mark.key:
        return [Field(path, f"{MASK} {theirs.mark.key or ''}".strip(), f"{MASK} {mine.mark.key}", secret=True)]
    return []


def _by_key(
    wanted: Sequence[Resource[CredentialBody]], listed: Sequence[CredentialFound]
) -> dict[Key, CredentialFound]:
    """Where a store holds an id in several domains, the one in the wanted domain is the one meant."""
    domains = {one.key: one.body.domain for one in wanted}
    chosen: dict[Key, CredentialFound] = {}
    for found in listed:
        key = credential_key(found.folder, found.id)
        if key not in chosen or found.domain == domains.get(key):
            chosen[key] = found
    return chosen


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
    )
    after = (Key("folder", found.folder),) if found.folder else ()
    return Resource(key, body, owner=mark.owner if mark else None, after=after)
