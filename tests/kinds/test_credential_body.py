"""What a credential's XML carries, for any text that a secret may be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from configurator.kinds.credential_body import (
    MAIN_SECRET,
    SSH_KEY,
    CredentialBody,
    as_digested,
    as_written,
    credential_differences,
    credential_xml,
    joined,
    unwritable,
)
from configurator.marks import Mark
from configurator.secret import Secret

TEXTS = st.text(st.characters(), min_size=1)
WHITE = st.text(" \t\r\n", max_size=4)
CLASSES = st.sampled_from(sorted(MAIN_SECRET))


def body(cls: str, value: str, passphrase: str = "") -> CredentialBody:
    element = MAIN_SECRET[cls]
    secrets = {element: as_written(element, Secret(value))}
    if cls == SSH_KEY and passphrase:
        secrets["passphrase"] = Secret(passphrase)
    return CredentialBody(None, None, "id", cls, "text", secrets=secrets)


@given(CLASSES, TEXTS, TEXTS)
def test_every_text_arrives_as_it_is_or_is_refused(cls: str, value: str, passphrase: str) -> None:
    made = body(cls, value, passphrase)
    if unwritable(made):
        assert value not in unwritable(made) or len(value) < 3
        return
    root = etree.fromstring(credential_xml(made))
    assert root.tag == cls
    for element, secret in made.secrets.items():
        [found] = root.iter(element)
        assert (found.text or "") == secret.reveal()


@given(st.text("ab-\n", min_size=1).filter(str.strip), WHITE)
def test_a_private_key_is_one_key_whatever_its_line_breaks(key: str, end: str) -> None:
    """Written twice it is the same; on Windows, with or without white space at its end, too."""
    once = as_written("privateKey", Secret(key))
    assert once.reveal().endswith("\n") and not once.reveal().endswith(("\n\n", "\r\n"))
    for spelled in (once.reveal(), key + end, key.replace("\n", "\r\n")):
        again = as_written("privateKey", Secret(spelled))
        assert again == once
        assert as_digested("privateKey", again) == as_digested("privateKey", once)
        assert joined({"privateKey": again}) == joined({"privateKey": once})


@given(CLASSES)
def test_a_difference_of_secrets_shows_digests_alone(cls: str) -> None:
    mine = CredentialBody(None, None, "id", cls, "text", mark=Mark("o", key="aaaaaaaa"), digest="1" * 64)
    theirs = CredentialBody(None, None, "id", cls, "text", mark=Mark("o", key="bbbbbbbb"), digest="2" * 64)
    [field] = credential_differences(mine, theirs)
    assert (field.path, field.secret) == (MAIN_SECRET[cls], True)
    assert (field.before, field.after) == ("(secret) 22222222", "(secret) 11111111")


def test_control_characters_are_named_by_the_element_that_holds_them() -> None:
    assert "privateKey" in unwritable(body(SSH_KEY, "k\x00"))
    assert "passphrase" in unwritable(body(SSH_KEY, "k", "p\x1b"))
    assert not unwritable(body(SSH_KEY, "k\tä\U0001f511", "p"))
