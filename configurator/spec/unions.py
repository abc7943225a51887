"""Which member of a union a value is meant to be, so that an error speaks of that one, not of each in turn.

The members carry tags in angle brackets; pydantic names the tag in the place of an error, where
:mod:`configurator.spec.problems` knows it by :func:`is_tag`.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Discriminator


def is_tag(part: str | int) -> bool:
    """Whether a part of an error's place is the tag of a union's member."""
    return isinstance(part, str) and part.startswith("<") and part.endswith(">")


def by_key(error: str, *names: str) -> Discriminator:
    """The member is the one of the only key in the mapping that is among ``names``."""

    def choose(value: Any) -> str | None:
        keys = type(value).model_fields if isinstance(value, BaseModel) else value
        if not isinstance(keys, dict):
            return None
        present = [name for name in names if name in keys]
        return f"<{present[0]}>" if len(present) == 1 else None

    return _discriminator(choose, error, names)


def by_kind(error: str, *kinds: str) -> Discriminator:
    """The member is named by the key ``kind``."""

    def choose(value: Any) -> str | None:
        kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
        return f"<{kind}>" if kind in kinds else None

    return _discriminator(choose, error, kinds)


def by_shape(error: str) -> Discriminator:
    """The member is ``<text>`` for text and ``<mapping>`` for a mapping."""

    def choose(value: Any) -> str | None:
        if isinstance(value, str):
            return "<text>"
        return "<mapping>" if isinstance(value, dict | BaseModel) else None

    return _discriminator(choose, error, ())


def _discriminator(choose: Any, error: str, names: tuple[str, ...]) -> Discriminator:
    return Discriminator(
        choose,
        custom_error_type=error,
        custom_error_message=error.replace("_", " "),
        custom_error_context={"names": ", ".join(names)},
    )
