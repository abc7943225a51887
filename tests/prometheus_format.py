"""A strict reader of Prometheus' text format 0.0.4: stricter than Prometheus, so that every reader is content."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r"[a-zA-Z_][a-zA-Z0-9_]*"
TYPES = ("counter", "gauge", "histogram", "summary", "untyped")
_SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
_PAIR = re.compile(rf'({LABEL})="((?:[^"\\\n]|\\[\\"n])*)"(,|$)')
_UNESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


@dataclass
class Family:
    """A metric with its help, its type, and a value by labels."""

    help: str
    type: str = ""
    samples: dict[tuple[tuple[str, str], ...], float] = field(default_factory=dict)


def parse(text: str) -> dict[str, Family]:
    """The metrics of ``text``. Raises AssertionError for what the format does not allow."""
    assert text.endswith("\n")
    assert "\r" not in text
    families: dict[str, Family] = {}
    current = ""
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            current, _, words = line.removeprefix("# HELP ").partition(" ")
            assert re.fullmatch(NAME, current), line
            assert current not in families, f"{current} comes twice"
            assert words
            families[current] = Family(words)
        elif line.startswith("# TYPE "):
            name, _, kind = line.removeprefix("# TYPE ").partition(" ")
            assert name == current, "HELP and TYPE belong together"
            assert kind in TYPES
            assert not families[name].type
            assert not families[name].samples
            families[name].type = kind
        else:
            found = _SAMPLE.fullmatch(line)
            assert found, f"no sample: {line!r}"
            name, labels, value = found.groups()
            assert name == current, f"{name} stands away from its family"
            assert families[name].type
            key = _labels(labels or "")
            assert key not in families[name].samples, f"{line!r} comes twice"
            families[name].samples[key] = float(value)
    assert all(family.samples for family in families.values())
    return families


def _labels(text: str) -> tuple[tuple[str, str], ...]:
    pairs, at = [], 0
    while at < len(text):
        found = _PAIR.match(text, at)
        assert found, f"no label: {text[at:]!r}"
        assert not found[1].startswith("__")
        pairs.append((found[1], re.sub(r"\\.", lambda escape: _UNESCAPED[escape[0]], found[2])))
        at = found.end()
    assert not text.endswith(",")
    assert len({name for name, _ in pairs}) == len(pairs)
    return tuple(sorted(pairs))
