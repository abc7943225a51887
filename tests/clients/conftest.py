"""Fixtures for the clients: time that can be watched, and servers that answer what a test says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from configurator.sandbox.server import EmbeddedServer, Request, Response


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds


class Answering(EmbeddedServer):
    """Answers with a function; keeps the requests."""

    def __init__(self, answer: Callable[[Request], Response], context_path: str = "") -> None:
        super().__init__(context_path=context_path)
        self._function = answer
        self.requests: list[Request] = []

    def answer(self, request: Request) -> Response | None:
        self.requests.append(request)
        return super().answer(request)

    def handle(self, request: Request) -> Response:
        return self._function(request)


@pytest.fixture
def time_() -> Time:
    """A fake clock."""
    return Time()


@pytest.fixture
def serve() -> Iterator[Callable[..., Answering]]:
    """Start servers: ``serve(function)`` or ``serve(function, "/context")``."""
    with ExitStack() as stack:

        def start(answer: Callable[[Request], Response], context_path: str = "") -> Answering:
            return stack.enter_context(Answering(answer, context_path))

        yield start
