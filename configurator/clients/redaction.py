"""Keeps secrets out of everything that is shown: messages, logs, text that came from a server."""

from __future__ import annotations

import base64
import html
import json
import logging
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

from configurator.secret import MASK, Secret

_USER_INFO = re.compile(r"(?P<scheme>\b[A-Za-z][A-Za-z0-9+.-]*://)[^/\s\"'<>]*@")
_GITLAB_TOKEN = re.compile(r"\bgl[a-z]{2,7}-[0-9A-Za-z_.-]{16,}")
_TOKEN_HEADER = re.compile(r"(?i)\b(private-token|authorization|job-token)(\"?\s*[:=]\s*\"?)[^\r\n\"]+")
_PLAIN = re.compile(r"[A-Za-z0-9_.-]+")
_SHORT = 4
_KEY_LINE = 20


class Redactor:
    """Masks the values of the secrets it knows, in every form in which they travel, and user info in URLs.

    One redactor may be shared by several clients and threads.

    Args:
        secrets: the secrets to begin with; :meth:`learn` adds more.
    """

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._lock = threading.Lock()
        self._forms: set[str] = set()
        self._longest_first: tuple[str, ...] | None = ()
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: Secret, username: str | None = None) -> None:
        """Mask this secret from now on.

        Args:
            secret: the secret; an empty one is ignored.
            username: its user, where the pair travels as basic authentication.
        """
        forms = set(_forms(secret.reveal(), username))
        with self._lock:
            if not forms <= self._forms:
                self._forms |= forms
                self._longest_first = None

    def clean(self, text: str) -> str:
        """``text`` with every known secret, token-like word and user info of URLs masked."""
        # Thousands of tokens may be known, and one pattern of them all is slow: first see which are there at all.
        found = [form for form in self._known() if form in text]
        if found:
            text = re.sub("|".join(_expression(form) for form in found), MASK, text)
        text = _USER_INFO.sub(rf"\g<scheme>{MASK}@", text)
        text = _TOKEN_HEADER.sub(rf"\1\2{MASK}", text)
        return _GITLAB_TOKEN.sub(MASK, text)

    def _known(self) -> tuple[str, ...]:
        """Every form, the longest first: a secret may be the beginning of another."""
        with self._lock:
            if self._longest_first is None:
                self._longest_first = tuple(sorted(self._forms, key=len, reverse=True))
            return self._longest_first


class RedactingFilter(logging.Filter):
    """Cleans every record that passes: message, arguments and traceback. Put it on the handlers."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        """Clean ``record`` in place; always True."""
        record.msg = self._redactor.clean(record.getMessage())
        record.args = None
        if record.exc_info:
            record.exc_text = self._redactor.clean(logging.Formatter().formatException(record.exc_info))
        return True


def _forms(value: str, username: str | None) -> Iterator[str]:
    """Every spelling in which ``value`` may turn up in text."""
    spellings = [value, value.strip()]
    # A private key is quoted by line in some messages; its lines are as secret as the whole.
    spellings += [line.strip() for line in value.splitlines() if len(line.strip()) >= _KEY_LINE]
    for text in dict.fromkeys(spellings):
        if text:
            yield from _spelt(text)
    if value:
        yield base64.b64encode(value.encode()).decode()
        if username is not None:
            yield base64.b64encode(f"{username}:{value}".encode()).decode()


_AS_RAILS = {ord(sign): f"\\u{ord(sign):04x}" for sign in "&<>"}
_ENCODINGS: tuple[Callable[[str], str], ...] = (
    lambda text: quote(text, safe=""),
    quote,
    quote_plus,
    escape,
    html.escape,
    lambda text: html.escape(text).replace("&#x27;", "&#039;"),  # Jenkins
    lambda text: html.escape(text).replace("&#x27;", "&#39;"),  # Rails
    lambda text: escape(text, {'"': "&quot;", "'": "&apos;"}),
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1].translate(_AS_RAILS),
    lambda text: repr(text)[1:-1],
)


def _spelt(text: str) -> set[str]:
    """``text`` as it is, encoded once, and twice: XML that a server quotes in JSON, or in HTML."""
    if _PLAIN.fullmatch(text):  # most are, and there may be thousands of tokens
        return {text}
    once = {text, *(encode(text) for encode in _ENCODINGS)}
    return once | {encode(form) for form in once for encode in _ENCODINGS}


def _expression(form: str) -> str:
    """A very short secret is masked only as a word of its own: it would shred every message otherwise."""
    return re.escape(form) if len(form) >= _SHORT else rf"(?<!\w){re.escape(form)}(?!\w)"
