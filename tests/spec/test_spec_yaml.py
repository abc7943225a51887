"""YAML to nodes: values, places, and the masks of what is shown."""

from __future__ import annotations

import math
from typing import Any

import pytest
import yaml

from configurator.spec import yaml_source
from configurator.spec.nodes import child, dotted, find, plain
from configurator.spec.source import Source
from configurator.spec.yaml_source import parse, resolve


def read(text: str) -> Any:
    node, problems = parse(Source("x.yaml", text))
    assert not problems, problems
    assert node is not None
    return plain(node)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("off", "off"),
        ("n", "n"),
        ("", None),
        ("~", None),
        ("Null", None),
        ("600", 600),
        ("-7", -7),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("1.10", 1.1),
        ("-1.5e3", -1500.0),
        ("2e3", 2000.0),
        (".5", 0.5),
        ("1.2.3", "1.2.3"),
        ("2024-01-01", "2024-01-01"),
        ("12345678901234567890", "12345678901234567890"),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
        ("=", "="),
    ],
)
def test_plain_values_by_the_core_schema(text: str, value: object) -> None:
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


def test_not_a_number() -> None:
    assert math.isnan(resolve(".nan"))  # type: ignore[arg-type]


def test_quoted_and_tagged_values() -> None:
    assert read("a: '600'\nb: !!str 600\nc: ! 600\nd: !!int 6\ne: !!float 6\nf: !!null ''\ng: !!bool true\n") == {
        "a": "600",
        "b": "600",
        "c": "600",
        "d": 6,
        "e": 6,
        "f": None,
        "g": True,
    }
    assert read("a: !!map {b: !!seq [1]}\n") == {"a": {"b": [1]}}


def test_merge_keys() -> None:
    text = "one: &one {a: 1, b: 1}\ntwo: &two {b: 2, c: 2}\nall: {<<: [*one, *two], c: 3}\nquoted: {'<<': x}\n"
    assert read(text)["all"] == {"c": 3, "a": 1, "b": 1}
    assert read(text)["quoted"] == {"<<": "x"}


def test_a_merge_key_twice() -> None:
    _, problems = parse(Source("x.yaml", "a: &a {x: 1}\nb: {<<: *a, <<: *a}\n"))
    assert [problem.message for problem in problems] == [
        "the key '<<' stands in this mapping twice, first at x.yaml:2:5"
    ]


def test_an_alias_of_a_later_anchor_of_that_name() -> None:
    assert read("- &a 1\n- *a\n- &a 2\n- *a\n") == [1, 1, 2, 2]


def test_foreign_tags_on_collections() -> None:
    _, problems = parse(Source("x.yaml", "a: !x {}\nb: !!set {c: null}\n"))
    assert [problem.message for problem in problems] == [
        "the tag !x is not supported",
        "the tag !!set is not supported",
    ]


def test_a_list_as_a_key() -> None:
    _, problems = parse(Source("x.yaml", "? [a]\n: 1\n? ''\n: 1\n? \n: 2\n"))
    assert [problem.message for problem in problems] == [
        "a key must be text, this is a list",
        "a key must be text, this is empty",
    ]


def test_paths_that_lead_nowhere() -> None:
    node, _ = parse(Source("x.yaml", "a: [1]\n"))
    assert node is not None
    assert find(node, ("a", 0)) is not None
    assert find(node, ("a", 1)) is None
    assert find(node, ("b",)) is None
    assert child(node, 0) is None
    assert dotted(("a", 0, "b")) == "a[0].b"


@pytest.mark.parametrize("text", ["a: 'é'\n  \nb: [x, *y]\n", "a: &x {b: 1}\nc: \u2028 x\n", "%FOO bar\n---\na: \t- b"])
def test_both_parsers_agree(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parser in C and the one in Python give the same nodes, or both a problem."""
    results = []
    for parser in (yaml.CSafeLoader, yaml.SafeLoader):
        monkeypatch.setattr(yaml_source, "_PARSER", parser)
        node, problems = parse(Source("x.yaml", text))
        results.append((node and plain(node), bool(problems)))
    assert results[0] == results[1]


def test_an_error_without_a_spot(monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (yaml.YAMLError("odd"), yaml.MarkedYAMLError("context", None, "odd", None)):

        def fail(*_: object, error: yaml.YAMLError = error, **__: object) -> object:
            def events() -> Any:
                raise error
                yield

            return events()

        monkeypatch.setattr(yaml, "parse", fail)
        node, (problem,) = parse(Source("x.yaml", "a: 1"))
        assert node is None
        assert "x.yaml is not valid YAML" in problem.message
        assert "odd" in problem.message


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("  token: abc", "  token: (secret)"),
        ("- {url: x, token: abc, b: c}", "- {url: x, token: (secret)"),
        ('"api_token" : abc', '"api_token" : (secret)'),
        ("token: {env: NAME}", "token: {env: NAME}"),
        ("token: &t {env: NAME}", "token: &t {env: NAME}"),
        ("token: *t", "token: *t"),
        ("token: &t abc", "token: (secret)"),
        ("token: {env: A}, secret: abc", "token: {env: A}, secret: (secret)"),
        ("token: # later", "token: # later"),
        ("GITLAB_TOKEN: abc", "GITLAB_TOKEN: (secret)"),
        ("tokens of old: abc", "tokens of old: abc"),
        ("url: https://u:p@host/x", "url: https://(secret)@host/x"),
        ("url: https://u:p@ss@host/x", "url: https://(secret)@host/x"),
        ("url: https://host/a@b", "url: https://host/a@b"),
    ],
)
def test_masks_of_a_line(line: str, shown: str) -> None:
    assert Source("x", line).place(0, 0).text == shown


def test_masks_over_several_lines() -> None:
    text = """a:
  private_key: |
    AAAA

    BBBB: x
  other: 1
  token:
    CCCC
  secret:
    env: NAME
  password:
    # why
    {env: X}
  note: |
    -----BEGIN KEY-----
DDDD
    -----END KEY-----
  last: 1
"""
    source = Source("x", text)
    shown = [source.place(line, 0).text for line in range(len(source.lines))]
    for value in ("AAAA", "BBBB", "CCCC", "DDDD"):
        assert not any(value in line for line in shown)
    for value in ("  other: 1", "    env: NAME", "    # why", "    {env: X}", "  last: 1"):
        assert value in shown
