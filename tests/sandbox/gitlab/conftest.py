from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gitlab_client import Client, Clock, Receiver, client_of

from configurator.sandbox.gitlab import GitLabSandbox


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_gitlab(clock: Clock) -> Iterator[Callable[..., GitLabSandbox]]:
    """Starts instances with user ann and her project shop/payments (id 1)."""
    started: list[GitLabSandbox] = []

    def make(version: str = "18.5.0", **options: Any) -> GitLabSandbox:
        gitlab = GitLabSandbox(version, clock=clock, **options).start()
        started.append(gitlab)
        gitlab.add_user("ann")
        gitlab.add_project("shop/payments", maintainers=["ann"], branches=["release/2.x"])
        return gitlab

    yield make
    for gitlab in started:
        gitlab.stop()


@pytest.fixture
def gitlab(make_gitlab: Callable[..., GitLabSandbox]) -> GitLabSandbox:
    return make_gitlab()


@pytest.fixture
def ann(gitlab: GitLabSandbox) -> Client:
    return client_of(gitlab)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


@pytest.fixture
def at(make_gitlab: Callable[..., GitLabSandbox]) -> Callable[..., Client]:
    """A client of a fresh instance of some version."""

    def make(version: str, **options: Any) -> Client:
        return client_of(make_gitlab(version, **options))

    return make
