"""Secrets at rest: ``{AQAAABAAAAAQ…}``, laid out as the controller's own ciphertext, made with the standard library.

The layout is the real one (version, length of the vector, length of the data, vector, data padded to 16 bytes);
the cipher is not AES but a stream from HMAC-SHA256, which is enough for a sandbox: reversible with the key,
unreadable without it, and refused when it was made under another key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import struct

_BLOCK = 16
_FORM = re.compile(r"\{AQA[A-Za-z0-9+/=]+\}")


class SecretStore:
    """Encrypts and decrypts under one controller's key.

    Args:
        key: 32 random bytes; None makes a new key.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self.key = key or os.urandom(32)

    def encrypt(self, clear: str) -> str:
        """Ciphertext of ``clear``, another one at every call."""
        data = clear.encode("utf-8")
        seed = os.urandom(8)
        vector = seed + self._check(seed, data)
        padding = _BLOCK - len(data) % _BLOCK
        padded = data + bytes([padding]) * padding
        body = bytes(a ^ b for a, b in zip(padded, self._stream(vector, len(padded)), strict=True))
        packed = struct.pack(">BII", 1, len(vector), len(body)) + vector + body
        return "{" + base64.b64encode(packed).decode("ascii") + "}"

    def decrypt(self, text: str) -> str | None:
        """The clear value, or None when ``text`` is not ciphertext of this controller."""
        if not _FORM.fullmatch(text.strip()):
            return None
        try:
            packed = base64.b64decode(text.strip()[1:-1], validate=True)
            version, vector_length, body_length = struct.unpack(">BII", packed[:9])
        except (binascii.Error, struct.error):
            return None
        vector, body = packed[9 : 9 + vector_length], packed[9 + vector_length :]
        if version != 1 or vector_length != _BLOCK or len(body) != body_length or not body:
            return None
        padded = bytes(a ^ b for a, b in zip(body, self._stream(vector, len(body)), strict=True))
        data = padded[: -padded[-1]] if padded[-1] <= _BLOCK else b""
        if not hmac.compare_digest(self._check(vector[:8], data), vector[8:]):
            return None
        return data.decode("utf-8")

    def value_of(self, text: str) -> str:
        """What a field holding ``text`` means in memory: decrypted, or as it stands when it is no ciphertext.

        What a caller without Configure sees instead of a secret loads as nothing (contract, fact 3).
        """
        clear = self.decrypt(text)
        if clear is not None:
            return clear
        return "" if text == "********" else text

    def at_rest(self, text: str) -> str:
        """The form a save writes for a field holding ``text``: ciphertext stays, anything else is encrypted."""
        return text.strip() if self.decrypt(text) is not None else self.encrypt(self.value_of(text))

    def digests_in(self, xml: str, salt: bytes) -> str:
        """``xml`` with each ciphertext of ours replaced by ``{digest:<64 hex digits>}`` under ``salt``."""

        def digest(found: re.Match[str]) -> str:
            clear = self.decrypt(found[0])
            return found[0] if clear is None else "{digest:" + keyed_digest(salt, clear) + "}"

        return _FORM.sub(digest, xml)

    def _check(self, seed: bytes, data: bytes) -> bytes:
        return hmac.new(self.key, b"check" + seed + data, hashlib.sha256).digest()[:8]

    def _stream(self, vector: bytes, length: int) -> bytes:
        blocks = (
            hmac.new(self.key, b"stream" + vector + struct.pack(">I", number), hashlib.sha256).digest()
            for number in range((length + 31) // 32)
        )
        return b"".join(blocks)[:length]


def keyed_digest(salt: bytes, clear: str) -> str:
    """HMAC-SHA256 of ``clear`` under ``salt``, 64 hex digits: what our scripts answer instead of a secret."""
    return hmac.new(salt, clear.encode("utf-8"), hashlib.sha256).hexdigest()


def looks_encrypted(text: str) -> bool:
    """Whether ``text`` has the form of ciphertext, of whatever controller."""
    return _FORM.fullmatch(text.strip()) is not None
