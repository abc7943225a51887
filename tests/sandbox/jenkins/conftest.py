"""A running sandbox and a caller for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import requests
from jenkins_calls import Caller

from configurator.sandbox.jenkins import JenkinsSandbox


@pytest.fixture
def jenkins() -> Iterator[JenkinsSandbox]:
    with JenkinsSandbox() as running:
        yield running


@pytest.fixture
def admin(jenkins: JenkinsSandbox) -> Caller:
    return Caller(jenkins, "admin")


@pytest.fixture
def limited(jenkins: JenkinsSandbox) -> Caller:
    return Caller(jenkins, "limited")


@pytest.fixture
def reader(jenkins: JenkinsSandbox) -> Caller:
    return Caller(jenkins, "reader")


@pytest.fixture
def anonymous(jenkins: JenkinsSandbox) -> Callable[..., requests.Response]:
    return Caller(jenkins, None)
