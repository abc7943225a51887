import socket
import ssl

import pytest
import requests
from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError, ReadTimeoutError

from configurator.clients.http.failures import diagnose, plain_text, shorten
from configurator.clients.redaction import Redactor


def wrapped(reason: Exception) -> requests.ConnectionError:
    return requests.ConnectionError(MaxRetryError(None, "/", reason))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "words", "sent"),
    [
        (wrapped(NameResolutionError("h", None, socket.gaierror())), "can't be resolved", False),  # type: ignore[arg-type]
        (wrapped(NewConnectionError(None, "x")), "no way there", False),  # type: ignore[arg-type]
        (requests.exceptions.ProxyError("x"), "proxy", False),
        (requests.exceptions.ConnectTimeout("x"), "no connection (time-out)", False),
        (wrapped(ReadTimeoutError(None, "/", "x")), "no answer within 3 s", True),  # type: ignore[arg-type]
        (requests.exceptions.ReadTimeout("x"), "no answer within 3 s", True),
        (requests.exceptions.SSLError("record corrupt"), "TLS connection broke", True),
        (requests.exceptions.InvalidHeader("header value: x"), "line break", False),
        (requests.exceptions.InvalidURL("x"), "not a usable address", False),
        (UnicodeError("x"), "not a usable address", False),
        (OSError("Could not find a suitable TLS CA certificate bundle"), "certificate authorities", False),
        (OSError("x"), "closed before the answer", True),
        (requests.exceptions.ChunkedEncodingError("x"), "closed before the answer", True),
        (requests.exceptions.SSLError(ssl.SSLCertVerificationError()), "not trusted", False),
    ],
)
def test_diagnose(error: Exception, words: str, sent: bool) -> None:
    failure = diagnose(error, 3)
    assert words in failure.words
    assert failure.sent is sent
    assert failure.hint


def test_texts_are_short_and_clean() -> None:
    assert plain_text("<div class='x'>a &lt; b<script>evil()</script></div>", Redactor()) == "a < b"
    assert len(shorten("x" * 999, Redactor())) == 300
