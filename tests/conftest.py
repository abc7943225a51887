"""What holds for every test: a clean environment, loopback only, and hypothesis that repeats itself.

The network is switched off in ``pyproject.toml`` (pytest-socket): only loopback can be connected to.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "configurator",
    deadline=None,  # two busy cores: a slow example is no finding
    derandomize=True,
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("configurator")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Real servers that are named for the end-to-end tests may be reached, and nothing else beside loopback."""
    named = [os.environ.get(f"CONFIGURATOR_TEST_{server}_URL", "") for server in ("JENKINS", "GITLAB")]
    hosts = {host for url in named if (host := urlsplit(url).hostname)}
    config.option.allow_hosts = ",".join([config.option.allow_hosts, *sorted(hosts)])


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No option, colour or proxy of the person who runs the tests reaches them."""
    for name in list(os.environ):
        if name.startswith("CONFIGURATOR_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TERM"):
        monkeypatch.delenv(name, raising=False)
