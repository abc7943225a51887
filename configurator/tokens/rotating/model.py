"""The words of a rotation: what was asked for, what is to be renewed, what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from configurator.clients.gitlab.tokens import TokenOwner


class Mode(StrEnum):
    """How a token is renewed.

    ``ROTATE``: GitLab replaces it; the old value is dead at once. ``OVERLAP``: a second token is made with the help
    of another one, everything moves over, then the old one is revoked.
    """

    ROTATE = "rotate"
    OVERLAP = "overlap"


class Ending(StrEnum):
    """How the rotation of one entry's token ended."""

    ROTATED = "rotated"
    PROVED = "proved"  # a dry run: everything was proven
    NOT_DUE = "not-due"
    NOTHING = "nothing"  # nothing to resume
    SETTLED = "settled"  # an interrupted rotation that turned out not to have happened, or not to matter any more
    REFUSED = "refused"  # a guard said no, before GitLab was asked
    FAILED = "failed"  # nothing was renewed
    INCOMPLETE = "incomplete"  # renewed, and the new value is in the recovery file, but not everywhere yet
    LOST = "lost"  # renewed, and the new value never arrived
    UNKNOWN = "unknown"  # whether it was renewed can't be found out now


FAILURES = frozenset((Ending.FAILED, Ending.INCOMPLETE, Ending.LOST, Ending.UNKNOWN))


class StepResult(StrEnum):
    """How one step ended."""

    PROVED = "proved"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was proven, written or looked at. Never holds a value.

    Attributes:
        target: what, such as ``file /run/secrets/gitlab``.
        result: how it ended.
        detail: what was done, or why it failed and what to do.
    """

    target: str
    result: StepResult
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Rotated:
    """What became of the token of one gitlab entry.

    Attributes:
        gitlab: name of the entry.
        ending: how it ended.
        detail: what happened and what to do next, for people; several sentences where a token is lost.
        token: the token's name in GitLab, empty = not known.
        kind: ``personal``, ``project`` or ``group``, empty = not known.
        mode: how it was renewed, or would be; None = it did not come to that.
        expires_at: ISO date until which the token is good that is in use now, empty = none, or not known.
        steps: what was proven and done, in order.
        recovery: the recovery file, where it was left.
    """

    gitlab: str
    ending: Ending
    detail: str = ""
    token: str = ""
    kind: str = ""
    mode: Mode | None = None
    expires_at: str = ""
    steps: tuple[Step, ...] = ()
    recovery: Path | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asked for.

    Attributes:
        days: rotate when fewer days are left; None = what the spec says.
        force: also when it is not due; with ``resume``, give up a token that is lost.
        recovery: path of the recovery file; None = in the user's folder of states.
        allow_commands: the spec may run commands.
    """

    days: int | None = None
    force: bool = False
    recovery: Path | None = None
    allow_commands: bool = False


@dataclass(frozen=True, slots=True)
class Subject:
    """The token that is to be renewed, as GitLab describes it.

    Attributes:
        id, name, scopes: of its record.
        expires_at: ISO date, None = never.
        owner: the project or group it belongs to; None for a personal token.
        release: major and minor number of that GitLab.
    """

    id: int
    name: str
    scopes: tuple[str, ...]
    expires_at: str | None
    owner: TokenOwner | None
    release: tuple[int, ...]

    @property
    def kind(self) -> str:
        """``personal``, ``project`` or ``group``."""
        return self.owner.kind if self.owner else "personal"

    def __str__(self) -> str:
        return f"{self.kind} token {self.name!r}"


def failed(steps: Sequence[Step]) -> list[Step]:
    """Those of ``steps`` that did not succeed and leave something to do."""
    return [step for step in steps if step.result in (StepResult.FAILED, StepResult.SKIPPED)]
