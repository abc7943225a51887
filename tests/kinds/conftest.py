"""The embedded servers, and a spec for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from tests.kinds.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Both servers as they come, and a spec with one gitlab entry that manages its connection."""
    with Bench(tmp_path / "configurator.yaml", JenkinsSandbox(), GitLabSandbox()) as made:
        yield made


@pytest.fixture
def quiet(bench: Bench) -> Bench:
    """The same, the connection being somebody else's: plans hold what the test asks for, and nothing else."""
    bench.alone()
    return bench
