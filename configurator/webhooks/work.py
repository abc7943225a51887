"""How the commands that change webhooks go through many of them: on the world's workers, whatever fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, as_completed
from typing import Protocol

from configurator.clients.redaction import Redactor
from configurator.webhooks.model import Done

STOPPED = "not tried: stopped by the user"


class Listener(Protocol):
    """Who wants to hear of the progress. Called from the thread that runs the command."""

    def stage(self, text: str) -> None:
        """What is being done now, such as ``removing 12 webhooks``."""

    def warning(self, text: str) -> None:
        """Something that a person should know and that belongs to no single hook."""

    def done(self, done: Done) -> None:
        """A hook is over, one way or the other."""


class Silent:
    """A listener that does not listen."""

    def stage(self, text: str) -> None:
        """Nothing."""

    def warning(self, text: str) -> None:
        """Nothing."""

    def done(self, done: Done) -> None:
        """Nothing."""


class Fuse:
    """Blows when a server is past asking, so that thousands of hooks do not each wait for a time-out.

    Safe for many threads.

    Args:
        limit: how many failures one after the other blow it.
    """

    def __init__(self, limit: int = 3) -> None:
        self._limit = limit
        self._failures = 0
        self._reason = ""
        self._lock = threading.Lock()

    @property
    def reason(self) -> str:
        """Why it blew, empty while it holds."""
        return self._reason

    def blow(self, reason: str) -> None:
        """Nothing more is to be asked of the server. The first reason is kept."""
        with self._lock:
            self._reason = self._reason or reason

    def failed(self, reason: str) -> None:
        """There was no answer."""
        with self._lock:
            self._failures += 1
            if self._failures >= self._limit:
                self._reason = self._reason or reason

    def answered(self) -> None:
        """There was an answer: what failed before was a hiccup."""
        with self._lock:
            self._failures = 0


def work_off(tasks: Sequence[Callable[[], Sequence[Done]]], pool: Executor, watcher: Listener) -> tuple[Done, ...]:
    """Run every task on ``pool``, and tell ``watcher`` of each hook as it ends.

    Args:
        tasks: each works on one or more hooks, never raises, and says how each of them ended.

    Returns:
        What the tasks said, in the order of the tasks.
    """
    futures = [pool.submit(task) for task in tasks]
    for future in as_completed(futures):
        for done in future.result():
            watcher.done(done)
    return tuple(done for future in futures for done in future.result())


def counted(number: int, singular: str) -> str:
    """``1 webhook``, ``1,204 webhooks``."""
    return f"{number:,} {singular}{'' if number == 1 else 's'}"


def bug_words(error: Exception, redactor: Redactor) -> str:
    """Words for an error that nobody thought of."""
    return redactor.clean(f"a bug in configurator: {type(error).__name__}: {error}")
