"""A stand-in for ``configurator.run``, so that the commands are tested without a server and without an engine."""

from __future__ import annotations

import sys
import threading
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest
from plan_builders import example_plan

from configurator.cli.app import run
from configurator.cli.console import Settings
from configurator.clients.redaction import Redactor
from configurator.model import Action, Applied, Change, Outcome, Plan, Result


@dataclass
class FakeRun:
    """What :class:`configurator.run.Run` does, as far as the commands see it, and a record of the calls."""

    plans: list[Plan] = field(default_factory=lambda: [example_plan()])
    failed: str = ""
    opening: BaseException | None = None
    planning: BaseException | None = None
    guarding: BaseException | None = None
    applying: BaseException | None = None
    plan_code: int = 0
    apply_code: int = 0
    redactor: Redactor = field(default_factory=Redactor)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def open(self, path: Path, **options: Any) -> Self:
        self.calls.append(("open", {"path": path, **options}))
        if self.opening:
            raise self.opening
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.calls.append(("close", {}))

    def plan(self, *, prune: bool = False, adopt: Sequence[str] = (), listener: Any = None) -> Plan:
        self.calls.append(("plan", {"prune": prune, "adopt": tuple(adopt)}))
        listener.stage("reading Jenkins …")
        if self.planning:
            raise self.planning
        return self.plans.pop(0) if len(self.plans) > 1 else self.plans[0]

    def guard(self, plan: Plan, max_deletes: int | None = None) -> None:
        self.calls.append(("guard", {"max_deletes": max_deletes}))
        if self.guarding:
            raise self.guarding

    def apply(
        self, plan: Plan, *, max_deletes: int | None = None, listener: Any = None, stop: threading.Event | None = None
    ) -> Applied:
        assert stop is not None and not stop.is_set()
        self.calls.append(("apply", {"max_deletes": max_deletes}))
        if self.applying:
            raise self.applying
        results = tuple(self._result(change) for change in plan.changes)
        for result in results:
            listener.started(result.change)
            listener.finished(result)
        return Applied(plan, results, seconds=1.0)

    def _result(self, change: Change) -> Result:
        if change.key.name == self.failed:
            return Result(change, Outcome.FAILED, "Jenkins answered 500", 0.1)
        outcome = Outcome.SKIPPED if change.action is Action.CONFLICT else Outcome.DONE
        return Result(change, outcome, seconds=0.1)

    def called(self, name: str) -> dict[str, Any]:
        """The arguments of the only call of that name."""
        (found,) = [arguments for call, arguments in self.calls if call == name]
        return found

    def was_called(self, name: str) -> bool:
        return any(call == name for call, _ in self.calls)


@dataclass
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str


Command = Callable[..., Ended]


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """No handler and no level of a test reaches the next."""
    yield
    Settings.stop_logs()


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeRun:
    """The stand-in, and a spec in the current folder."""
    fake_run = FakeRun()
    module = types.ModuleType("configurator.run")
    module.Run = fake_run  # type: ignore[attr-defined]
    module.exit_code_of_plan = lambda plan, detailed: fake_run.plan_code if detailed else 0  # type: ignore[attr-defined]
    module.exit_code_of_apply = lambda applied: fake_run.apply_code  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "configurator.run", module)
    monkeypatch.chdir(tmp_path)
    Path("configurator.yaml").write_text("name: platform\n")
    return fake_run


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs ``configurator ARGUMENTS`` inside this process."""

    def call(*arguments: str) -> Ended:
        code = run(arguments)
        captured = capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    return call


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Pretends that a person sits at a terminal and types this answer."""

    def sit(answer: str) -> None:
        monkeypatch.setattr("configurator.cli.console.Console.can_ask", staticmethod(lambda: True))
        monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: answer)

    return sit
