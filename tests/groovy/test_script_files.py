"""The script files and what is written about them agree. Needs no Groovy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "configurator" / "clients" / "jenkins" / "scripts").glob("*.groovy"))
DOCS = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
# Packages of plugins that a controller may lack: one mention as a class keeps a script from compiling there.
OPTIONAL_PACKAGES = ("com.dabsquared.", "com.cloudbees.", "org.jenkinsci.plugins.", "jenkins.branch.")


def documented() -> set[str]:
    section = DOCS.split("## Scripts", 1)[1].split("\n## ", 1)[0]
    return set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))


def test_docs_describe_every_script() -> None:
    assert documented() == {path.stem for path in SCRIPTS}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
class TestScript:
    def test_first_line_is_its_name(self, path: Path) -> None:
        assert path.read_text(encoding="utf-8").splitlines()[0] == f"// configurator: {path.stem}"

    def test_answers_once_and_last(self, path: Path) -> None:
        # The console also prints the value of the last statement, unless that is print's, which has none.
        before, answer = path.read_text(encoding="utf-8").split("\nprint 'configurator:' + payload.nonce + ")
        assert not re.search(r"^\s*print", before, re.MULTILINE)
        assert all(line.startswith((" ", "]")) for line in answer.splitlines()[1:])

    def test_names_no_optional_class_outside_of_text(self, path: Path) -> None:
        code = re.sub(r"'[^'\n]*'|//.*", "", path.read_text(encoding="utf-8"))
        assert [package for package in OPTIONAL_PACKAGES if package in code] == []

    def test_lines_are_short_and_code_is_ascii(self, path: Path) -> None:
        lines = path.read_text(encoding="utf-8").splitlines()
        assert max(map(len, lines)) <= 110
        assert all(line.split("//")[0].isascii() for line in lines)
