"""What a credential is made of: its class, the XML that Jenkins takes, what differs between two."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml import etree

from configurator.marks import Mark
from configurator.model import Field
from configurator.secret import MASK, Secret
from configurator.spec.models import (
    GitLabTokenCredential,
    SecretRef,
    SecretTextCredential,
    SshKeyCredential,
    UsernamePasswordCredential,
)

GITLAB_TOKEN = "com.dabsquared.gitlabjenkins.connection.GitLabApiTokenImpl"  # noqa: S105 - a class name
USERNAME_PASSWORD = "com.cloudbees.plugins.credentials.impl.UsernamePasswordCredentialsImpl"  # noqa: S105
SECRET_TEXT = "org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl"  # noqa: S105
SSH_KEY = "com.cloudbees.jenkins.plugins.sshcredentials.impl.BasicSSHUserPrivateKey"
PASSPHRASE = "passphrase"  # noqa: S105 - the name of an element
_PRIVATE_KEY = "privateKey"
_DIRECT_ENTRY = SSH_KEY + "$DirectEntryPrivateKeySource"
MAIN_SECRET = {
    GITLAB_TOKEN: "apiToken",
    USERNAME_PASSWORD: "password",
    SECRET_TEXT: "secret",
    SSH_KEY: _PRIVATE_KEY,
}
"""Which element holds the secret of each class; an SSH key may have a passphrase beside it."""
_END = re.compile(r"[ \t\n\x0b\f\r]+\Z")
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class CredentialBody:
    """A credential as wanted or as found.

    Attributes:
        folder: full name of the folder whose store holds it; None = the system store.
        domain: name of its domain; None = the global one.
        cls: its class in Jenkins; empty = unknown (hidden from us).
        references: wanted: secret references by XML element; found: empty.
        secrets: wanted, once resolved: the values by XML element.
        gitlab: name of the gitlab entry it serves, None for further ones.
        mark: the mark in its description.
        digest: found: HMAC of the secret under the run's salt, None = unknown. Wanted: the same, computed here.
        passphrase: likewise, of an SSH key's passphrase; None = it has none, or, without a digest, unknown.
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
    passphrase: str | None = None


def content_of(
    one: SshKeyCredential | UsernamePasswordCredential | SecretTextCredential | GitLabTokenCredential,
) -> tuple[str, str | None, dict[str, SecretRef]]:
    """Class, user name and secret references of a credential in the spec."""
    if isinstance(one, SshKeyCredential):
        passphrase = {PASSPHRASE: one.passphrase} if one.passphrase else {}
        return SSH_KEY, one.username, {_PRIVATE_KEY: one.private_key, **passphrase}
    if isinstance(one, UsernamePasswordCredential):
        return USERNAME_PASSWORD, one.username, {"password": one.password}
    if isinstance(one, SecretTextCredential):
        return SECRET_TEXT, None, {"secret": one.secret}
    return GITLAB_TOKEN, None, {"apiToken": one.token}


def as_written(element: str, secret: Secret) -> Secret:
    """The secret as Jenkins is to hold it.

    Of a private key that is the text with plain line breaks and one at its end, wherever it was copied from: OpenSSH
    refuses a key without, and one from a Windows editor. Every other secret goes as it is.
    """
    if element != _PRIVATE_KEY:
        return secret
    return Secret(_END.sub("", secret.reveal().replace("\r\n", "\n")) + "\n")


def as_digested(element: str, secret: Secret) -> Secret:
    """The secret as the script ``inventory`` digests it: a private key without the white space at its end."""
    return Secret(_END.sub("", as_written(element, secret).reveal())) if element == _PRIVATE_KEY else secret


def joined(secrets: Mapping[str, Secret]) -> Secret:
    """All secrets of a credential as one value, so that the fingerprint changes with any of them."""
    return Secret("\0".join(secret.reveal() for secret in secrets.values()))


def unwritable(body: CredentialBody) -> str:
    """Why no XML can hold what the credential is made of, or empty. Names no value."""
    texts = {"id": body.id, "description": body.description, "username": body.username or ""}
    texts |= {element: secret.reveal() for element, secret in body.secrets.items()}
    held = [name for name, text in texts.items() if _NOT_IN_XML.search(text)]
    if not held:
        return ""
    return f"its {' and '.join(held)} can't be written into XML: there is a control character in it; is it a text?"


def credential_xml(body: CredentialBody) -> str:
    """The XML of a credential with its clear secrets, as the credentials API takes it. Never log it."""
    root = etree.Element(body.cls)
    for name, value in (("scope", "GLOBAL"), ("id", body.id), ("description", body.description)):
        etree.SubElement(root, name).text = value
    if body.username is not None:
        etree.SubElement(root, "username").text = body.username
    for element, secret in body.secrets.items():
        parent = root
        if element == _PRIVATE_KEY:
            parent = etree.SubElement(root, "privateKeySource", {"class": _DIRECT_ENTRY})
        etree.SubElement(parent, element).text = secret.reveal()
    return etree.tostring(root, encoding="unicode")


def credential_differences(mine: CredentialBody, theirs: CredentialBody) -> list[Field]:
    """What differs between a credential as wanted and as found. What can't be seen does not."""
    fields = []
    if theirs.cls and mine.cls != theirs.cls:
        fields.append(Field("class", theirs.cls, mine.cls))
    if mine.domain != theirs.domain:
        fields.append(Field("domain", theirs.domain or "(global)", mine.domain or "(global)"))
    if mine.description.strip() != theirs.description.strip():
        fields.append(Field("description", theirs.description, mine.description))
    if theirs.cls and mine.username is not None and mine.username != theirs.username:
        fields.append(Field("username", theirs.username, mine.username))
    return fields + _secret_differences(mine, theirs)


def _secret_differences(mine: CredentialBody, theirs: CredentialBody) -> list[Field]:
    """By the digests that the controller computed, where it did; by the fingerprint in the mark otherwise."""
    main = MAIN_SECRET[mine.cls]
    if theirs.digest is not None and mine.digest is not None:
        pairs = ((main, theirs.digest, mine.digest), (PASSPHRASE, theirs.passphrase, mine.passphrase))
        return [_secret_field(path, before, after) for path, before, after in pairs if before != after]
    if theirs.mark and mine.mark and mine.mark.key and theirs.mark.key != mine.mark.key:
        return [_secret_field(main, theirs.mark.key or "", mine.mark.key)]
    return []


def _secret_field(path: str, before: str | None, after: str | None) -> Field:
    """A difference between two secrets, each shown by the first digits of its digest or fingerprint."""
    shown = [None if one is None else f"{MASK} {one[:8]}".strip() for one in (before, after)]
    return Field(path, shown[0], shown[1], secret=True)
