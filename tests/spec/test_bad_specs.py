"""Every bad spec under ``bad/`` with the exact text that a person sees.

``PYTHONPATH=. python tests/spec/test_bad_specs.py`` writes the texts anew; read the difference before you commit it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from configurator.errors import EXIT_INPUT, InputError
from configurator.report.errors import render_problems
from configurator.spec.loader import load

BAD = Path(__file__).parent / "bad"
CASES = sorted(path.name for path in BAD.iterdir() if path.suffix != ".txt")


def rendered(name: str) -> str:
    """The errors of a case, read from its folder so that no path of this machine is in them."""
    before = Path.cwd()
    os.chdir(BAD)
    try:
        load(Path(name))
    except InputError as error:
        assert error.exit_code == EXIT_INPUT
        return render_problems(error.problems) + "\n"
    finally:
        os.chdir(before)
    raise AssertionError(f"{name} was accepted")


@pytest.mark.parametrize("name", CASES)
def test_the_error_is_exactly(name: str) -> None:
    expected = BAD / f"{name.removesuffix('.yaml')}.txt"
    assert rendered(name) == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("value", ["11aabb", "22aabb", "glpat-", "hush", "b3Blbn", "hunter22", "12345678", "s3cr3t"])
def test_no_secret_is_shown(name: str, value: str) -> None:
    assert value not in rendered(name)


def test_there_are_many_cases_and_no_text_without_one() -> None:
    assert len(CASES) >= 70
    texts = {path.stem for path in BAD.glob("*.txt")}
    assert texts == {name.removesuffix(".yaml") for name in CASES}


def _write_all() -> None:
    for name in CASES:
        (BAD / f"{name.removesuffix('.yaml')}.txt").write_text(rendered(name), encoding="utf-8")


if __name__ == "__main__":
    _write_all()
