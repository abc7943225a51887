"""A secret can't be shown by accident."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
import pickle

import pytest

from configurator.secret import MASK, Secret

VALUE = "s3cr3t-välue"


@pytest.fixture
def secret() -> Secret:
    return Secret(VALUE)


def test_no_way_of_printing_shows_it(secret: Secret) -> None:
    shown = [str(secret), repr(secret), f"{secret}", f"{secret:>20}", f"{secret!r}", "%s" % secret, f"{[secret]}"]  # noqa: UP031
    assert all(VALUE not in text and MASK in text for text in shown)
    assert not hasattr(secret, "__dict__")


@pytest.mark.parametrize("serialise", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps])
def test_it_is_never_serialised(secret: Secret, serialise: object) -> None:
    with pytest.raises(TypeError) as caught:
        serialise(secret)  # type: ignore[operator]
    assert VALUE not in str(caught.value)


def test_it_is_revealed_where_one_asks_for_it_by_name(secret: Secret) -> None:
    assert secret.reveal() == VALUE


def test_it_equals_secrets_of_the_same_value_only(secret: Secret) -> None:
    assert secret == Secret(VALUE)
    assert secret.matches(Secret(VALUE))
    assert secret != Secret("other")
    assert secret != VALUE
    assert len({secret, Secret(VALUE), Secret("other")}) == 2


def test_its_digest_is_keyed(secret: Secret) -> None:
    assert secret.digest(b"salt") == hmac.new(b"salt", VALUE.encode(), hashlib.sha256).hexdigest()
    assert secret.digest(b"salt") != secret.digest(b"other")


def test_an_empty_one_is_false(secret: Secret) -> None:
    assert secret
    assert not Secret("")
