"""Checks answers of the embedded GitLab against the OpenAPI description of the real one."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

OPENAPI = Path(__file__).parents[2] / "contract" / "gitlab-openapi.yaml"


class Contract:
    """The description, ready to judge answers. ``seen`` collects what was judged: (method, path, status)."""

    def __init__(self) -> None:
        document = _nullable(yaml.safe_load(OPENAPI.read_text(encoding="utf-8")))
        self._components = document["components"]
        self.seen: set[tuple[str, str, int]] = set()
        self.operations: dict[tuple[str, str], dict[str, Any]] = {
            (method.upper(), path): operation
            for path, item in document["paths"].items()
            for method, operation in item.items()
            if method in ("get", "post", "put", "delete")
        }
        # Fixed words come before variables, so that …/self/rotate is not taken for …/{id}/rotate.
        paths = sorted({path for _, path in self.operations}, key=lambda path: (path.count("{"), path))
        self._patterns = [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in paths]

    def path_of(self, path: str) -> str | None:
        """The path template a request belongs to."""
        for pattern, template in self._patterns:
            if pattern.fullmatch(path):
                return template
        return None

    def check(self, method: str, path: str, status: int, media_type: str, body: Any) -> None:
        """Fail unless ``status`` is declared for the operation and ``body`` fits its schema."""
        template = self.path_of(path)
        operation = self.operations.get((method, template or ""))
        if operation is None:
            return
        response = operation["responses"].get(str(status))
        assert response is not None, f"{method} {template} does not declare status {status}: {body}"
        if "$ref" in response:
            response = self._components["responses"][response["$ref"].rpartition("/")[2]]
        self.seen.add((method, str(template), status))
        content = response.get("content", {})
        if not content:
            assert body in ("", None), f"{method} {template} {status} must have no body"
            return
        assert media_type in content, f"{method} {template} {status} must not answer {media_type}"
        if media_type == "application/json":
            schema = content[media_type]["schema"]
            jsonschema.validate(body, {**schema, "components": self._components}, jsonschema.Draft202012Validator)


@cache
def contract() -> Contract:
    """The contract, read once."""
    return Contract()


def _nullable(value: Any) -> Any:
    """OpenAPI 3.0's ``nullable`` as JSON Schema says it."""
    if isinstance(value, list):
        return [_nullable(item) for item in value]
    if not isinstance(value, dict):
        return value
    result = {name: _nullable(item) for name, item in value.items()}
    if result.get("nullable") is True and isinstance(result.get("type"), str):
        result["type"] = [result["type"], "null"]
        if "enum" in result:
            result["enum"] = [*result["enum"], None]
    return result
