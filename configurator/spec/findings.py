"""What the checks work on, and where they write down what they find."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from configurator.errors import Place, Problem
from configurator.spec.models import Application, Credential, Folder, GitLab, Jenkins, Job, Spec, View
from configurator.spec.nodes import Node, Path, along
from configurator.spec.problems import chain

BUILT_IN_PROVISIONER = "gitlab"


@dataclass
class Parts:
    """The parts of a spec that are valid by themselves; lists are keyed by the index in the spec.

    Attributes:
        broken: top-level keys of which something is missing here because it is wrong: what refers to them
            can't be judged.
    """

    jenkins: Jenkins | None = None
    gitlab: dict[int, GitLab] = field(default_factory=dict)
    credentials: dict[int, Credential] = field(default_factory=dict)
    applications: dict[int, Application] = field(default_factory=dict)
    folders: dict[int, Folder] = field(default_factory=dict)
    jobs: dict[int, Job] = field(default_factory=dict)
    views: dict[int, View] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()

    @classmethod
    def of(cls, spec: Spec) -> Parts:
        """All parts of a valid spec."""
        parts = cls(jenkins=spec.jenkins)
        for section, items in parts.sections().items():
            items.update(enumerate(getattr(spec, section)))
        return parts

    def sections(self) -> dict[str, dict[int, Any]]:
        """The lists by their top-level key."""
        names = ("gitlab", "credentials", "applications", "folders", "jobs", "views")
        return {name: getattr(self, name) for name in names}


class Findings:
    """Problems and warnings, with the places of what they are about."""

    def __init__(self, root: Node) -> None:
        self.problems: list[Problem] = []
        self._root = root
        self._warnings: dict[str, None] = {}

    @property
    def warnings(self) -> tuple[str, ...]:
        """Each warning once, in the order in which they were found."""
        return tuple(self._warnings)

    def place(self, path: Path) -> Place:
        """Where ``path`` is written, or the nearest thing around it."""
        return list(along(self._root, path))[-1].spot.place

    def error(self, path: Path, message: str, hint: str = "") -> None:
        """Note what is wrong with the value at ``path``."""
        self.problems.append(Problem(message, self.place(path), hint, chain(self._root, path)))

    def warn(self, path: Path, message: str) -> None:
        """Note a likely mistake at ``path``; said once where a default brings it to many applications."""
        self._warnings[f"{self.place(path)}: {message}"] = None
