"""The state folder: one JSON file, written a moment after a change and when the server stops."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

_DELAY = 0.5
FILE_NAME = "jenkins.json"


class StateFile:
    """Keeps a controller's state in ``folder``.

    Args:
        folder: made when it is absent.
        dump: the state as JSON; called with the controller's lock held.
        lock: that lock.
    """

    def __init__(self, folder: Path, dump: Callable[[], dict[str, Any]], lock: threading.RLock) -> None:
        self.path = folder / FILE_NAME
        self._dump = dump
        self._lock = lock
        self._writing = threading.Lock()
        self._timer: threading.Timer | None = None

    def read(self) -> dict[str, Any] | None:
        """What an earlier run left, or None."""
        if not self.path.is_file():
            return None
        state: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        return state

    def changed(self) -> None:
        """Write soon; several changes become one write. Called with the lock held."""
        if self._timer is None:
            self._timer = threading.Timer(_DELAY, self.write)
            self._timer.daemon = True
            self._timer.start()

    def write(self) -> None:
        """Write now; the file is replaced as a whole."""
        with self._writing:
            with self._lock:
                if self._timer is not None:
                    self._timer.cancel()
                    self._timer = None
                text = json.dumps(self._dump(), indent=1)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            beside = self.path.with_suffix(".new")
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            beside.replace(self.path)
