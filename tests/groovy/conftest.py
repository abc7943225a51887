"""Runs all registered cases in one JVM, whose start is what takes time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from groovy_cases import CASES, Run

HERE = Path(__file__).parent
SCRIPTS = HERE.parents[1] / "configurator" / "clients" / "jenkins" / "scripts"


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Every case's run. Jenkins embeds Groovy 2.4.21, the version of Debian's package (contract, fact 13)."""
    groovy, java = shutil.which("groovy"), shutil.which("java")
    if groovy is None or java is None:
        reason = "the scripts for Jenkins are not checked: groovy is missing (apt-get install groovy)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("groovy")
    cases, results = folder / "cases.json", folder / "results.json"
    cases.write_text(json.dumps(list(CASES.values())), encoding="utf-8")
    # Debian's launcher wants a JAVA_HOME, and its default may be absent.
    home = Path(java).resolve().parent.parent
    done = subprocess.run(
        [groovy, HERE / "run_cases.groovy", HERE / "standins", SCRIPTS, cases, folder, results],
        env={**os.environ, "JAVA_HOME": str(home), "JAVA_OPTS": "-XX:TieredStopAtLevel=1"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {name: Run(**run) for name, run in json.loads(results.read_text(encoding="utf-8")).items()}


@pytest.fixture
def run(runs: dict[str, Run]) -> Callable[[str], Run]:
    """The run of a case, by the name that registering it returned."""
    return runs.__getitem__
