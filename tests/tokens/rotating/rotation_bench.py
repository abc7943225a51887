"""A spec on both embedded servers whose token is about to end, and rotations of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from unittest import mock

from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.gitlab.model import Token
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.server import Fault, FaultAction, Request, Response
from configurator.tokens.keeping.store import TokenStore
from configurator.tokens.rotating.model import Ending, Rotated, Step, StepResult, Wish
from configurator.tokens.rotating.rotations import Rotations, chosen
from tests.kinds.bench import Bench

CREDENTIAL = "gitlab-access-token"
ROTATE = "/rotate"


def in_days(days: int) -> str:
    """An ISO date."""
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


class RotationBench(Bench):
    """The token of the spec's entry ends in five days, and lies in a file.

    Attributes:
        folder: of the spec, the token's file, the recovery file and the sinks.
        old: the token before.
    """

    folder: Path
    old: Token

    @classmethod
    def at(cls, folder: Path, version: str = "18.5.0") -> Self:
        """A bench whose GitLab is of that version."""
        made = cls(folder / "configurator.yaml", JenkinsSandbox(), GitLabSandbox(version))
        made.folder = folder
        return made

    def __enter__(self) -> Self:
        super().__enter__()
        self.stack.enter_context(mock.patch.dict(os.environ, {"XDG_STATE_HOME": str(self.folder / "state")}))
        self.use(self.gitlab.add_token("bot", ["api"], name="ci", expires_at=in_days(5)))
        self.entry["token"] = {"file": "token"}
        self.entry["rotation"] = {"expires_in": 90, "days": 30, "sinks": [{"file": "sink"}]}
        self.recovery = self.folder / "recovery.json"
        return self

    def use(self, token: Token) -> None:
        """Let the spec use this token."""
        self.old = token
        (self.folder / "token").write_text(f"{token.value}\n")

    def project_token(self, **options: Any) -> None:
        """Let the spec use a project access token."""
        project = self.gitlab.projects["shop/payments"]
        self.use(self.gitlab.add_resource_token(project, "ci", ["api"], expires_at=in_days(5), **options))

    def group_token(self, **options: Any) -> None:
        """Let the spec use a group access token."""
        group = self.gitlab.add_group("shop")
        self.use(self.gitlab.add_resource_token(group, "ci", ["api"], expires_at=in_days(5), **options))

    def admin_token(self) -> Token:
        """Let the spec name a token that makes other tokens."""
        owner = self.gitlab.add_user("owner")
        self.gitlab.add_group("shop", members={"owner": 50})
        token = self.gitlab.add_token(owner, ["api"], name="admin")
        self.environ["ADMIN"] = token.value
        self.entry["rotation"]["admin_token"] = {"env": "ADMIN"}
        return token

    @contextmanager
    def rotations(self, *names: str, **wish: Any) -> Iterator[Rotations]:
        """Rotations of one run."""
        with self.open() as run:
            wish = {"recovery": self.recovery, **wish}
            entries = chosen(run, names)
            store = lambda: TokenStore.open({"CONFIGURATOR_STORE": str(self.folder / "store")})  # noqa: E731
            with Rotations(run, entries, Wish(**wish), store, self.environ) as rotations:
                yield rotations

    def rotate(self, *names: str, **wish: Any) -> Rotated:
        """Rotate the one token of the spec."""
        (result,) = self.rotate_all(*names, **wish)
        return result

    def rotate_all(self, *names: str, stop: threading.Event | None = None, **wish: Any) -> Sequence[Rotated]:
        """Rotate as the command does it."""
        with self.rotations(*names, **wish) as rotations:
            rotations.prepare()
            return rotations.carry_out(stop or threading.Event())

    def dry(self, **wish: Any) -> Rotated:
        """Only prove."""
        with self.rotations(**wish) as rotations:
            rotations.prepare()
            (result,) = rotations.dry()
            return result

    def resume(self, *, stop: threading.Event | None = None, **wish: Any) -> Rotated:
        """Finish what was left."""
        (result,) = self.resume_all(stop=stop, **wish)
        return result

    def resume_all(self, *names: str, stop: threading.Event | None = None, **wish: Any) -> Sequence[Rotated]:
        """Finish what was left of these entries."""
        with self.rotations(*names, **wish) as rotations:
            return rotations.resume(stop or threading.Event())

    def fault(self, action: FaultAction, *, path: str = ROTATE, method: str = "POST", **more: Any) -> None:
        """A failure of GitLab at the rotation request, or at another."""
        self.gitlab.inject(Fault(self._hits(method, path), action, **more))

    def jenkins_fault(self, action: FaultAction, *, path: str, method: str = "POST", **more: Any) -> None:
        """A failure of Jenkins."""
        self.jenkins.inject(Fault(self._hits(method, path), action, **more))

    @staticmethod
    def _hits(method: str, path: str) -> Any:
        def matches(request: Request) -> bool:
            return request.method == method and path in request.path

        return matches

    @property
    def asked(self) -> int:
        """How many rotations were asked for."""
        return self.gitlab.count("POST", ROTATE)

    @property
    def alive(self) -> list[Token]:
        """Tokens named ci that are still good, oldest first."""
        return [token for token in self.gitlab.tokens if token.name == "ci" and not token.revoked]

    def in_jenkins(self, id: str = CREDENTIAL) -> str:
        """The token that Jenkins holds."""
        return self.jenkins.secret(id)

    def read(self, name: str) -> str:
        """A file of the bench."""
        return (self.folder / name).read_text()

    def assert_everywhere(self, *files: str) -> Token:
        """One token is good, everything holds it, and no recovery file is left."""
        (new,) = self.alive
        assert new.value != self.old.value
        for name in ("token", *(files or ("sink",))):
            assert new.value in self.read(name)
        assert self.in_jenkins() == new.value
        assert not self.recovery.exists()
        return new

    def assert_not_lost(self) -> None:
        """The token that is good is held by somebody: the spec's file, or the recovery file."""
        (good,) = self.alive
        kept = self.recovery.read_text() if self.recovery.exists() else ""
        assert good.value in self.read("token") + kept


def step_of(result: Rotated, target: str) -> Step:
    """The last step of that target."""
    found = [one for one in result.steps if target in one.target]
    assert found, [one.target for one in result.steps]
    return found[-1]


def bad(result: Rotated) -> list[str]:
    """Targets that failed."""
    return [one.target for one in result.steps if one.result is StepResult.FAILED]


HTML = Response(502, "<html><head><title>Bad Gateway</title></head></html>", {"Content-Type": "text/html"})
__all__ = ["CREDENTIAL", "HTML", "Ending", "RotationBench", "Step", "StepResult", "bad", "in_days", "step_of"]
