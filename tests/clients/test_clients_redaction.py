import base64
import logging
from urllib.parse import quote

import pytest

from configurator.clients.redaction import RedactingFilter, Redactor
from configurator.secret import Secret

CANARY = "cánary/va+lue & <more>"


@pytest.mark.parametrize(
    "form",
    [
        CANARY,
        quote(CANARY, safe=""),
        quote(CANARY),
        base64.b64encode(CANARY.encode()).decode(),
        base64.b64encode(f"admin:{CANARY}".encode()).decode(),
        "cánary/va+lue &amp; &lt;more&gt;",
        "c\\u00e1nary/va+lue & <more>",
        "cánary/va+lue \\u0026 \\u003cmore\\u003e",
        "cánary/va+lue &amp;amp; &amp;lt;more&amp;gt;",
    ],
)
def test_every_form_of_a_secret_is_masked(form: str) -> None:
    redactor = Redactor()
    redactor.learn(Secret(CANARY), "admin")
    assert redactor.clean(f"before {form} after") == "before (secret) after"


def test_the_longer_of_two_secrets_is_masked_whole() -> None:
    redactor = Redactor([Secret("abcd"), Secret("abcd-efgh")])
    assert redactor.clean("abcd-efgh abcd") == "(secret) (secret)"


def test_a_line_of_a_private_key_is_masked() -> None:
    key = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA0123456789\n-----END KEY-----\n"
    assert "MIIEpAIBAAKCAQEA" not in Redactor([Secret(key)]).clean("bad line: MIIEpAIBAAKCAQEA0123456789 !")


def test_a_short_secret_is_masked_as_a_word_only() -> None:
    redactor = Redactor([Secret("ab")])
    assert redactor.clean("ab abc cab") == "(secret) abc cab"


def test_an_empty_secret_masks_nothing() -> None:
    assert Redactor([Secret("")]).clean("nothing") == "nothing"


def test_user_info_headers_and_gitlab_tokens_are_masked_without_being_known() -> None:
    clean = Redactor().clean
    assert clean("see https://me:p@ss@host/a?b#c.") == "see https://(secret)@host/a?b#c."
    assert clean("https://host/path@x") == "https://host/path@x"
    assert clean("token glpat-AAAAbbbbCCCCdddd1234 is bad") == "token (secret) is bad"
    assert clean("PRIVATE-TOKEN: whatever") == "PRIVATE-TOKEN: (secret)"
    assert clean('{"Authorization": "Basic abc"}') == '{"Authorization": "(secret)"}'


def test_learning_later_counts() -> None:
    redactor = Redactor()
    assert redactor.clean("late-secret") == "late-secret"
    redactor.learn(Secret("late-secret"))
    redactor.learn(Secret("late-secret"))
    assert redactor.clean("late-secret") == "(secret)"


def test_the_filter_cleans_message_arguments_and_traceback() -> None:
    redactor = Redactor([Secret("hunter22")])
    try:
        raise ValueError("hunter22")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "pw %s", ("hunter22",), info)
    assert RedactingFilter(redactor).filter(record)
    text = logging.Formatter().format(record)
    assert text.startswith("pw (secret)")
    assert "ValueError: (secret)" in text
    plain = logging.LogRecord("x", logging.INFO, __file__, 1, "pw hunter22", None, None)
    assert RedactingFilter(redactor).filter(plain)
    assert plain.getMessage() == "pw (secret)"
