"""The JSON Schema: the file in the repository, what it accepts, and that an editor can explain every key."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from configurator.errors import InputError
from configurator.spec.loader import load
from configurator.spec.models import Application, ApplicationDefaults
from configurator.spec.nodes import plain
from configurator.spec.schema import schema, schema_text
from configurator.spec.source import Source, read_source
from configurator.spec.yaml_source import parse

ROOT = Path(__file__).parents[2]
GOOD = Path(__file__).parent / "good"
BAD = Path(__file__).parent / "bad"


def read(path: Path) -> Any:
    source = read_source(path)
    assert isinstance(source, Source)
    node, problems = parse(source)
    assert node is not None
    assert not problems
    return plain(node)


def objects(value: Any, where: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        yield where, value
        for key, inner in value.items():
            if key not in ("examples", "default"):
                yield from objects(inner, f"{where}/{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from objects(inner, f"{where}/{index}")


def test_the_file_in_the_repository_is_that_of_the_models() -> None:
    assert (ROOT / "configurator.schema.json").read_text(encoding="utf-8") == schema_text(), (
        "run: python -m configurator.spec.schema > configurator.schema.json"
    )


def test_the_module_prints_it() -> None:
    command = [sys.executable, "-m", "configurator.spec.schema"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    assert printed.stdout.decode() == schema_text()


def test_it_is_a_valid_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


def test_every_key_has_a_description_and_no_other_key_is_allowed() -> None:
    seen = 0
    for where, value in objects(schema()):
        properties = value.get("properties")
        if not isinstance(properties, dict) or where.endswith("/properties"):
            continue
        assert value["additionalProperties"] is False, where
        assert value.get("description"), where
        for key, described in properties.items():
            seen += 1
            assert described.get("description"), f"{where}/{key}"
    assert seen > 150


@pytest.mark.parametrize("name", ["full.yaml", "minimal.yml"])
def test_good_specs_pass(name: str) -> None:
    jsonschema.Draft202012Validator(schema()).validate(read(GOOD / name))


@pytest.mark.parametrize(
    "name",
    ["037-unknown-top-level-key", "057-not-a-project-path", "069-token-in-clear", "103-wrong-defaults-are-told-once"],
)
def test_bad_specs_fail(name: str) -> None:
    path = BAD / f"{name}.yaml"
    with pytest.raises(InputError):
        load(path)
    assert not jsonschema.Draft202012Validator(schema()).is_valid(read(path))


def test_defaults_have_the_keys_of_an_application_that_may_be_left_out() -> None:
    definitions = schema()["$defs"]
    assert set(definitions["ApplicationDefaults"]["properties"]) == set(ApplicationDefaults.model_fields)
    assert definitions["ApplicationDefaults"].get("required", []) == []
    assert set(definitions["Application"]["required"]) == {"name", "project"}
    assert set(definitions["Application"]["properties"]) == set(Application.model_fields)
