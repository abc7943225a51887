"""The JSON Schema of the spec, from the same models that check it: for editors.

``python -m configurator.spec.schema > configurator.schema.json`` writes the file in the repository.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from pydantic.json_schema import models_json_schema

from configurator.spec.models import ApplicationDefaults, Spec

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The schema: each key with its description, unknown keys refused, those that begin with ``x-`` free.

    ``defaults.application`` is a free mapping in the model, because it is merged before it is checked as part of
    each application; here it has the keys of an application that may be left out.
    """
    references, whole = models_json_schema(
        [(Spec, "validation"), (ApplicationDefaults, "validation")], ref_template="#/$defs/{model}"
    )
    definitions: dict[str, Any] = whole["$defs"]
    spec = definitions.pop(references[(Spec, "validation")]["$ref"].rpartition("/")[2])
    defaults = definitions["Defaults"]["properties"]["application"]
    definitions["Defaults"]["properties"]["application"] = {
        "$ref": references[(ApplicationDefaults, "validation")]["$ref"],
        "description": defaults["description"],
    }
    result = {
        "$schema": _DRAFT,
        "title": "configurator spec",
        **{key: value for key, value in spec.items() if key != "title"},
        "patternProperties": {"^x-": {"description": "Ignored: a home for YAML anchors."}},
        "$defs": definitions,
    }
    for described in (result, *definitions.values()):
        for value in described.get("properties", {}).values():
            _describe(value, definitions)
    return {key: _readable(value) for key, value in result.items()}


def schema_text() -> str:
    """The schema as text, as it stands in ``configurator.schema.json``."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _describe(value: dict[str, Any], definitions: dict[str, Any]) -> None:
    """Give a key the description of its model, where pydantic left it out because both are the same."""
    if "$ref" in value and "description" not in value:
        value["description"] = definitions[value["$ref"].rpartition("/")[2]]["description"]


def _readable(value: Any) -> Any:
    """Without titles that only repeat a key's name, and without defaults that say nothing (null)."""
    if isinstance(value, list):
        return [_readable(item) for item in value]
    if not isinstance(value, dict):
        return value
    is_schema = "type" in value or "anyOf" in value or "$ref" in value or "oneOf" in value
    kept = {}
    for key, inner in value.items():
        repeats_key = is_schema and key == "title" and isinstance(inner, str)
        if repeats_key or (key == "default" and inner is None):
            continue
        kept[key] = inner if key in ("examples", "default") else _readable(inner)
    return kept


if __name__ == "__main__":
    sys.stdout.write(schema_text())
