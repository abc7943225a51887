"""pydantic's complaints as problems for people: placed, in plain words, with what to do next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from configurator.errors import Place, Problem
from configurator.spec.fields import model_at, models_along
from configurator.spec.models import Application, ApplicationDefaults, Model
from configurator.spec.nodes import MappingNode, Node, Path, ScalarNode, SequenceNode, along, dotted
from configurator.spec.references import CommandSecret, EnvSecret, FileSecret, StoredSecret
from configurator.spec.source import masked
from configurator.spec.suggest import all_names, nearest
from configurator.spec.unions import is_tag

NAMED_SECTIONS = {
    "applications": "application",
    "folders": "folder",
    "jobs": "job",
    "views": "view",
    "gitlab": "gitlab",
    "credentials": "credential",
}

_NEEDED = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "plugin": "a plugin's id, or a mapping with id and minimum,",
    "branch": "a branch's name, or a mapping with name and renamed_from,",
    "script_path": "a path, or a mapping with build, code_review and create_release,",
}
_BY_NAME = ("applications", "folders", "jobs", "views")
_TRUTH = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_NEVER_WRITTEN = "a secret is never written here"
_REFERENCE_HINT = "use {env: NAME}, {file: PATH}, {stored: NAME} or {command: [PROGRAM, …]}"
_SECRETS: tuple[type[Model], ...] = (EnvSecret, FileSecret, StoredSecret, CommandSecret)


@dataclass(frozen=True)
class _Complaint:
    """One error of pydantic, with what it is about.

    Attributes:
        kind: pydantic's type of error.
        path: the spot, union tags left out.
        node: what is written there; for a missing or unknown key, the mapping around it.
        place: where to point.
        context: pydantic's details.
        model: the model whose key is the last of the path.
        secret: the value may be a secret: it must not be shown.
    """

    kind: str
    path: Path
    node: Node
    place: Place
    context: dict[str, Any]
    model: type[BaseModel] | None
    description: str
    examples: list[Any]
    secret: bool

    @property
    def key(self) -> str:
        """The innermost key of the path."""
        return next((part for part in reversed(self.path) if isinstance(part, str)), "")


def chain(root: Node, path: Path) -> tuple[str, ...]:
    """What a spot belongs to, for people: ``application payments (configurator.yaml:12:5)``."""
    if len(path) < 2 or path[0] not in NAMED_SECTIONS:
        return ()
    item = list(along(root, path[:2]))[-1]
    entry = item.entries.get("name", item.entries.get("id")) if isinstance(item, MappingNode) else None
    if entry is None or not isinstance(entry.node, ScalarNode) or not isinstance(entry.node.value, str):
        return ()
    return (f"{NAMED_SECTIONS[str(path[0])]} {entry.node.value} ({item.spot.place})",)


def locations(error: ValidationError) -> set[Path]:
    """The spots that an error of pydantic is about, without union tags."""
    return {_path(entry["loc"], entry["type"]) for entry in error.errors(include_url=False)}


def problems_of(error: ValidationError, root: Node, model: type[BaseModel], prefix: Path = ()) -> Iterable[Problem]:
    """The problems in an error of pydantic.

    Args:
        error: what pydantic said.
        root: the whole spec as it is written.
        model: the model that was validated.
        prefix: where in the spec the validated value stands.
    """
    complaints: list[tuple[_Complaint, str]] = []
    for entry in error.errors(include_url=False, include_input=False):
        path = (*prefix, *_path(entry["loc"], entry["type"]))
        about = _complaint(entry["type"], entry["loc"], path, root, model, entry.get("ctx", {}))
        complaints.append((about, entry["msg"]))
    mistyped = {(*about.path[:-1], _meant(about)) for about, _ in complaints if about.kind == "extra_forbidden"}
    for about, fallback in complaints:
        if about.kind == "missing" and about.path in mistyped:
            continue
        message, hint = _say(about, fallback)
        place = masked(about.place) if about.secret and not _is_empty(about.node) else about.place
        yield Problem(message, place, hint, chain(root, about.path))


def _meant(about: _Complaint) -> str:
    """The key that an unknown one is likely meant to be; empty where none is near."""
    return nearest(str(about.path[-1]), _unused(about)) or ""


def _unused(about: _Complaint) -> list[str]:
    """The keys that the mapping around an unknown key may have and has not."""
    used = set(about.node.entries) if isinstance(about.node, MappingNode) else set()
    return [name for name in about.model.model_fields if name not in used] if about.model else []


def _is_empty(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.value is None


def _path(loc: Sequence[str | int], kind: str) -> Path:
    unknown = (loc[-1],) if kind == "extra_forbidden" else ()
    rest = loc[:-1] if unknown else loc
    return (*(part for part in rest if not is_tag(part)), *unknown)


def _complaint(
    kind: str,
    loc: Sequence[str | int],
    path: Path,
    root: Node,
    model: type[BaseModel],
    context: dict[str, Any],
) -> _Complaint:
    about_key = kind in ("extra_forbidden", "missing")
    node = list(along(root, path[:-1] if about_key else path))[-1]
    spot = node.spot
    if kind == "extra_forbidden" and isinstance(node, MappingNode) and path[-1] in node.entries:
        spot = node.entries[str(path[-1])].key
    elif kind == "credential" and isinstance(node, MappingNode) and "kind" in node.entries:
        spot = node.entries["kind"].node.spot
    way = list(models_along(model, loc))
    fields = [field for _, field in way if field is not None]
    return _Complaint(
        kind=kind,
        path=path,
        node=node,
        place=spot.place,
        context=context,
        model=model_at(model, loc),
        description=(fields[-1].description or "") if fields else "",
        examples=(fields[-1].examples or []) if fields else [],
        secret=kind == "secret_reference" or any(found in _SECRETS for found, _ in way),
    )


def _say(about: _Complaint, fallback: str) -> tuple[str, str]:
    """Message and hint."""
    if about.kind in _NEEDED:
        return _wrong_type(about)
    say = _SAYINGS.get(about.kind)
    return say(about) if say else (f"{dotted(about.path)}: {fallback}", about.description)


def _wrong_type(about: _Complaint) -> tuple[str, str]:
    message = f"{_NEEDED[about.kind]} is needed here, this is {describe(about.node)}"
    message = message.replace(", is needed", " is needed")
    node = about.node
    if about.kind == "list_type" and isinstance(node, MappingNode):
        return message, "begin each item with a dash (-)"
    if not isinstance(node, ScalarNode) or about.secret:
        hint = "write the program and its arguments: [PROGRAM, ARGUMENT, …]" if about.key == "command" else ""
        return message, hint
    if node.value is None:
        return message, f"fill it in, or remove the key {about.key}"
    if len(about.path) == 2 and about.path[0] in _BY_NAME and isinstance(node.value, str):
        return message, f"write {{name: {node.raw}}}"
    if about.kind in ("string_type", "branch"):
        return message, f'put it in quotes: "{node.raw}"'
    if about.kind == "list_type":
        return message, f"put it in brackets: [{node.raw}]"
    if about.kind == "bool_type" and node.raw.lower() in _TRUTH:
        return message, f"write {_TRUTH[node.raw.lower()]}"
    if about.kind in ("int_type", "float_type") and isinstance(node.value, str):
        return message, "write it without quotes" if node.raw.isdigit() else ""
    return message, ""


def describe(node: Node) -> str:
    """What a node is, in plain words."""
    if isinstance(node, MappingNode):
        return "a mapping"
    if isinstance(node, SequenceNode):
        return "a list"
    if node.value is None:
        return "empty"
    if isinstance(node.value, bool):
        return "true" if node.value else "false"
    if isinstance(node.value, float):
        return "a number with a fraction"
    if isinstance(node.value, int):
        return "a number"
    return "text" if node.value else "an empty text"


def _missing(about: _Complaint) -> tuple[str, str]:
    example = f" Example: {about.key}: {about.examples[0]}" if about.examples else ""
    return f"the key '{about.key}' is missing", f"{about.key}: {about.description}{example}"


def _unknown_key(about: _Complaint) -> tuple[str, str]:
    if about.secret:
        return "a secret reference has only one key", _REFERENCE_HINT
    key = str(about.path[-1])
    if about.model is ApplicationDefaults and key in Application.model_fields:
        return f"'{key}' can't have a default", "write it in each application"
    return f"unknown key '{key}'", all_names(key, _unused(about))


def _secret_reference(about: _Complaint) -> tuple[str, str]:
    if not isinstance(about.node, MappingNode):
        missing = _is_empty(about.node)
        return "a secret reference is missing here" if missing else _NEVER_WRITTEN, _REFERENCE_HINT
    names: list[str] = about.context["names"].split(", ")
    near = [found for found in (nearest(key, names) for key in about.node.entries) if found]
    if len(near) == 1:
        return "this is no secret reference", f"did you mean {near[0]}?"
    return "a secret reference has exactly one of the keys env, file, stored and command", _REFERENCE_HINT


def _sink(about: _Complaint) -> tuple[str, str]:
    names: list[str] = about.context["names"].split(", ")
    hint = "such as {file: /run/secrets/gitlab}"
    if not isinstance(about.node, MappingNode):
        return f"a mapping is needed here, this is {describe(about.node)}", hint
    near = [found for found in (nearest(key, names) for key in about.node.entries) if found]
    hint = f"did you mean {near[0]}?" if len(near) == 1 else hint
    return f"a sink has exactly one of the keys {', '.join(names)}", hint


def _credential(about: _Complaint) -> tuple[str, str]:
    kinds: list[str] = about.context["names"].split(", ")
    if not isinstance(about.node, MappingNode):
        return f"a mapping is needed here, this is {describe(about.node)}", "it begins with id and kind"
    entry = about.node.entries.get("kind")
    if entry is None:
        return "the key 'kind' is missing", f"kind is one of {', '.join(kinds)}"
    word = entry.node.raw if isinstance(entry.node, ScalarNode) else ""
    return "this kind of credential is not known", all_names(word, kinds)


def _literal(about: _Complaint) -> tuple[str, str]:
    valid = about.context["expected"].replace("'", "").replace(" or ", ", ").split(", ")
    if not isinstance(about.node, ScalarNode) or not isinstance(about.node.value, str):
        return f"one of {', '.join(valid)} is needed here, this is {describe(about.node)}", ""
    return f"'{about.node.raw}' is not valid for {about.key}", all_names(about.node.raw, valid)


def _pattern(about: _Complaint) -> tuple[str, str]:
    example = f" Example: {about.examples[0]}" if about.examples else ""
    shown = "this" if about.secret or not isinstance(about.node, ScalarNode) else f"'{about.node.raw}'"
    return f"{shown} is not valid for {about.key}", f"{about.description}{example}"


def _too_short(about: _Complaint) -> tuple[str, str]:
    return f"{about.key} must not be empty", about.description


def _limit(word: str, detail: str) -> Callable[[_Complaint], tuple[str, str]]:
    def say(about: _Complaint) -> tuple[str, str]:
        limit = about.context[detail]
        return f"{about.key} must be {word} {limit:g}", about.description

    return say


_SAYINGS: dict[str, Callable[[_Complaint], tuple[str, str]]] = {
    "missing": _missing,
    "extra_forbidden": _unknown_key,
    "secret_reference": _secret_reference,
    "sink": _sink,
    "credential": _credential,
    "literal_error": _literal,
    "string_pattern_mismatch": _pattern,
    "string_too_short": _too_short,
    "too_short": _too_short,
    "greater_than": _limit("more than", "gt"),
    "greater_than_equal": _limit("at least", "ge"),
    "less_than_equal": _limit("at most", "le"),
    "finite_number": lambda about: (f"{about.key} must be a finite number", about.description),
}
