"""Which model a spot of the spec belongs to: for the names that are valid there, and their descriptions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag
from pydantic.fields import FieldInfo
from typing_extensions import TypeAliasType

from configurator.spec.unions import is_tag


def models_along(root: type[BaseModel], loc: Sequence[str | int]) -> Iterator[tuple[type[BaseModel], FieldInfo | None]]:
    """The models on the way to a spot, from the outside in, each with the field that the way leads on by.

    Args:
        root: where the way begins.
        loc: the spot, as pydantic names it: keys, indexes, and tags of union members.
    """
    annotation: Any = root
    for part in loc:
        if isinstance(part, int):
            annotation = next(iter(get_args(_list_in(annotation))), None)
            continue
        if is_tag(part):
            annotation = next((member for tag, member in _members(annotation) if tag == part), None)
            continue
        model = next((member for _, member in _members(annotation) if _is_model(member)), None)
        if model is None:
            return
        field = model.model_fields.get(part)
        yield model, field
        annotation = field.annotation if field else None


def model_at(root: type[BaseModel], loc: Sequence[str | int]) -> type[BaseModel] | None:
    """The model whose key is the last part of ``loc``."""
    way = list(models_along(root, loc))
    return way[-1][0] if way else None


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _list_in(annotation: Any) -> Any:
    return next((member for _, member in _members(annotation) if get_origin(member) is list), None)


def _members(annotation: Any, tag: str | None = None) -> Iterator[tuple[str | None, Any]]:
    """The members of a (tagged, nested, optional, named) union, each with its tag; of no union: itself."""
    if isinstance(annotation, TypeAliasType):
        yield from _members(annotation.__value__, tag)
    elif get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        own = next((entry.tag for entry in metadata if isinstance(entry, Tag)), tag)
        yield from _members(inner, own)
    elif get_origin(annotation) in (Union, UnionType):
        for member in get_args(annotation):
            yield from _members(member, tag)
    else:
        yield tag, annotation
