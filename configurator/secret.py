"""The one type that holds a secret value. It can't be printed, formatted, compared by accident or pickled."""

from __future__ import annotations

import hashlib
import hmac
from typing import NoReturn

MASK = "(secret)"


class Secret:
    """A value that must not reach a log, a plan, an error message, a URL or a process list.

    Only :meth:`reveal` gives it back, so every place that handles a clear value can be found by that word.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """The clear value. Call it where the value leaves for its server, nowhere else."""
        return self.__value

    def matches(self, other: Secret) -> bool:
        """Whether both hold the same value, in constant time."""
        return hmac.compare_digest(self.__value.encode(), other.reveal().encode())

    def digest(self, key: bytes) -> str:
        """HMAC-SHA256 of the value under ``key``, 64 lower-case hex digits."""
        return hmac.new(key, self.__value.encode(), hashlib.sha256).hexdigest()

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.matches(other)

    def __hash__(self) -> int:
        return hash(self.__value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is never serialised")
