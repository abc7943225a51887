"""Keeping the instance across restarts: one JSON file, written whole, at most every second."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections import deque
from pathlib import Path
from typing import Any

from configurator.sandbox.gitlab.model import (
    Commit,
    CommitStatus,
    Delivery,
    Group,
    Hook,
    JenkinsIntegration,
    MergeRequest,
    Note,
    Project,
    Token,
    User,
    Variable,
)
from configurator.sandbox.gitlab.store import DELIVERIES_PER_HOOK
from configurator.sandbox.gitlab.world import World

STATE_FILE = "gitlab.json"
FORMAT = 1
_SAVE_EVERY_SECONDS = 1.0


def dump(world: World) -> str:
    """The world as JSON text. Hold its lock."""
    hooks = [hook for of_project in world.hooks.values() for hook in of_project.values()]
    deliveries = [delivery for log in world.deliveries.values() for delivery in reversed(log)]
    data = {
        "format": FORMAT,
        "ids": world.ids,
        "moved": world.moved,
        "users": list(world.users.values()),
        "tokens": list(world.tokens.values()),
        "groups": list(world.groups.values()),
        "projects": list(world.projects.values()),
        "hooks": hooks,
        "deliveries": deliveries,
        "oauth": world.oauth.dump(),
    }
    return json.dumps(data, default=vars, separators=(",", ":"))


def restore(world: World, text: str) -> None:
    """Fill an empty world from :func:`dump`'s text.

    Raises:
        ValueError: it is not such a text.
    """
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']}")
        world.ids = data["ids"]
        for record in data["users"]:
            world.put_user(User(**record))
        for record in data["tokens"]:
            world.put_token(Token(**record))
        for record in data["groups"]:
            world.put_group(Group(**{**record, "members": _int_keys(record["members"])}))
        for record in data["projects"]:
            world.put_project(_project(record))
        for record in data["hooks"]:
            world.put_hook(Hook(**record))
        for record in data["deliveries"]:
            log = world.deliveries.setdefault(record["hook_id"], deque(maxlen=DELIVERIES_PER_HOOK))
            log.appendleft(Delivery(**record))
        world.oauth.restore(data.get("oauth", {}))
        world.moved = data["moved"]
    except (KeyError, TypeError, ValueError) as reason:
        raise ValueError(f"not a state file of the embedded GitLab ({reason})") from reason


def _int_keys(mapping: dict[str, Any]) -> dict[int, Any]:
    return {int(key): value for key, value in mapping.items()}


def _project(record: dict[str, Any]) -> Project:
    project = Project(**record)
    project.members = _int_keys(record["members"])
    project.shared_with = _int_keys(record["shared_with"])
    project.commits = {sha: Commit(**commit) for sha, commit in record["commits"].items()}
    project.merge_requests = [
        MergeRequest(**{**merge_request, "notes": [Note(**note) for note in merge_request["notes"]]})
        for merge_request in record["merge_requests"]
    ]
    project.variables = [Variable(**variable) for variable in record["variables"]]
    project.statuses = [CommitStatus(**status) for status in record["statuses"]]
    integration = record["integration"]
    project.integration = JenkinsIntegration(**integration) if integration else None
    return project


class StateFile:
    """Saves a world into a folder while it changes.

    Args:
        folder: made when missing; holds ``gitlab.json``, readable by its owner only (it has tokens in it).
    """

    def __init__(self, folder: Path, world: World) -> None:
        self.path = folder / STATE_FILE
        self._world = world
        self._saved = -1
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def load(self) -> bool:
        """Fill the world from the file; False when there is none.

        Raises:
            ValueError: the file can't be understood; the message names it.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return False
        try:
            restore(self._world, text)
        except ValueError as reason:
            raise ValueError(f"{self.path}: {reason}") from reason
        self._saved = self._world.revision
        return True

    def start(self) -> None:
        """Save in the background from now on."""
        self._thread = threading.Thread(target=self._run, name="gitlab-state", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Save what is left and stop."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.save()

    def save(self) -> None:
        """Write the file, if anything changed since."""
        with self._world.lock:
            if self._world.revision == self._saved:
                return
            text, revision = dump(self._world), self._world.revision
        temporary = self.path.with_suffix(".tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.replace(self.path)
        self._saved = revision

    def _run(self) -> None:
        while not self._stop.wait(_SAVE_EVERY_SECONDS):
            # A full disk must not stop the server; the save on stop() tells.
            with contextlib.suppress(OSError):
                self.save()
