"""What templates are given, and that values can't break out of where they are put."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configurator.spec import templating
from configurator.spec.nodes import plain
from configurator.spec.source import Source
from configurator.spec.template_errors import TemplateFailedError
from configurator.spec.templating import Templates, builtin_folder, to_groovy, to_json
from configurator.spec.yaml_source import parse

OWN = Path(__file__).parent / "own"
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def test_the_built_in_templates() -> None:
    templates = Templates()
    assert templates.names("jobs") == ["freestyle", "multibranch", "pipeline", "pipeline-scm"]
    assert templates.names("views") == ["list"]
    assert templates.names("provisioners") == ["gitlab"]


def test_own_templates_come_first_and_add_to_the_built_in_ones() -> None:
    templates = Templates([OWN])
    assert templates.names("provisioners") == ["gitlab", "minimal"]
    assert templates.path("jobs/freestyle.xml.j2") == OWN / "jobs" / "freestyle.xml.j2"
    assert templates.is_builtin("jobs/pipeline.xml.j2")
    assert not templates.is_builtin("jobs/freestyle.xml.j2")
    assert not templates.is_builtin("jobs/gone.xml.j2")


def test_an_installed_package_has_its_templates_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "configurator" / "spec" / "templating.py"
    monkeypatch.setattr(templating, "__file__", str(module))
    assert builtin_folder() == tmp_path / "templates"
    (tmp_path / "configurator" / "_templates").mkdir(parents=True)
    assert builtin_folder() == tmp_path / "configurator" / "_templates"


def test_the_working_folder_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Templates().names("views") == ["list"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | TEXT, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner)
    )
)
def test_any_value_goes_through_yaml_and_json_unharmed(value: object) -> None:
    text = to_json(value)
    assert "\n" not in text
    assert json.loads(text) == value
    if not isinstance(value, int) or abs(value) < 10**17:
        root, problems = parse(Source("x", f"key: [{text}, after]\nnext: 1\n"))
        assert problems == []
        assert root is not None
        assert _without_long_numbers(plain(root)) == _without_long_numbers({"key": [value, "after"], "next": 1})


def _without_long_numbers(value: object) -> object:
    """More than 18 digits are text in YAML, by the loader's rule."""
    if isinstance(value, list):
        return [_without_long_numbers(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_long_numbers(item) for key, item in value.items()}
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


@given(TEXT)
def test_a_groovy_literal_ends_where_it_should(value: str) -> None:
    literal = to_groovy(value)
    inside = literal[1:-1]
    assert literal[0] == literal[-1] == "'"
    assert "\n" not in inside
    assert "\r" not in inside
    assert inside.replace("\\\\", "").replace("\\'", "").count("'") == 0


def test_dates_are_text_and_other_things_are_refused() -> None:
    assert to_json([date(2025, 1, 31)]) == '["2025-01-31"]'
    with pytest.raises(TypeError, match="object can't be written as JSON"):
        to_json(object())


def test_variables_of_a_template_are_those_of_its_parts_too(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "a.xml.j2").write_text("{% include 'jobs/b.xml.j2' %}{{ one }}{% include 'jobs/b.xml.j2' %}")
    (tmp_path / "jobs" / "b.xml.j2").write_text("{{ two }}")
    (tmp_path / "jobs" / "c.xml.j2").write_text("{% include three %}")
    templates = Templates([tmp_path])
    assert templates.variables("jobs", "a") == frozenset({"one", "two"})
    assert templates.variables("jobs", "c") is None


def test_arithmetic_of_sensible_size_works(tmp_path: Path) -> None:
    (tmp_path / "provisioners").mkdir()
    (tmp_path / "provisioners" / "a.yaml").write_text("{{ 'ab' * 2 }} {{ 2 ** 10 }} {{ 3 * 4 }} {{ 2.5 * 2 }}")
    assert Templates([tmp_path]).render("provisioners", "a", {}, (), None) == "abab 1024 12 5.0"


def test_a_template_that_vanishes_while_it_is_told_about(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    file = tmp_path / "jobs" / "a.xml.j2"
    file.write_text("{{ gone }}")
    templates = Templates([tmp_path])
    templates.render("jobs", "a", {"gone": 1}, (), None)
    file.write_bytes(b"\xff")
    with pytest.raises(TemplateFailedError) as caught:
        templates.render("jobs", "a", {}, (), None)
    assert caught.value.problem.place is None
