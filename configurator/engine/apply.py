"""Carry out a plan: in order of dependency, on a pool of workers, whatever fails. The only place that writes."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from typing import Any, Protocol

from configurator.engine.order import obstacle, waits_for
from configurator.errors import ConfiguratorError, PermissionMissingError, RefusedError, in_words
from configurator.kinds.base import Aftermath, Kind
from configurator.model import Action, Applied, Change, Key, Outcome, Plan, Result, Unchecked
from configurator.world.world import World


class Listener(Protocol):
    """Who wants to hear of the progress. Called from the thread that runs the plan or apply."""

    def stage(self, text: str) -> None:
        """What is being done now, such as ``reading Jenkins``."""

    def started(self, change: Change) -> None:
        """A change was handed to a worker."""

    def finished(self, result: Result) -> None:
        """A change is over, one way or the other."""


class Silent:
    """A listener that does not listen."""

    def stage(self, text: str) -> None:
        """Nothing."""

    def started(self, change: Change) -> None:
        """Nothing."""

    def finished(self, result: Result) -> None:
        """Nothing."""


def guard_deletions(plan: Plan, max_deletes: int) -> None:
    """Refuse a plan that deletes more than it may.

    Raises:
        RefusedError: it does; nothing was changed.
    """
    count = plan.count(Action.DELETE)
    if count > max_deletes:
        raise RefusedError(
            f"the plan deletes {count} objects, more than the {max_deletes} that are allowed; nothing was changed",
            f"look at the plan; if it is meant, run again with --max-deletes {count}",
        )


def apply(
    plan: Plan, kinds: Sequence[Kind[Any, Any]], world: World, workers: int, listener: Listener, stop: threading.Event
) -> Applied:
    """Carry out every change of ``plan`` that can be; never raises for what a server says.

    Args:
        plan: what to do.
        kinds: all kinds there are.
        world: the servers.
        workers: how many changes may be under way at once.
        listener: hears of every step.
        stop: once set, what is under way is finished and the rest is skipped.
    """
    began = time.monotonic()
    run = _Run(plan, kinds, world, listener, stop)
    with ThreadPoolExecutor(workers, thread_name_prefix="apply") as pool:
        try:
            run.carry_out(pool, workers)
        except BaseException:
            # The pool waits for its workers: they must not wait for a server's limit meanwhile, nor begin anew.
            world.interrupt()
            raise
    aftermath = run.finish()
    return Applied(
        plan=plan,
        results=tuple(run.results[change.key] for change in plan.changes if change.key in run.results),
        warnings=tuple(warning for one in aftermath for warning in one.warnings),
        unchecked=tuple(unchecked for one in aftermath for unchecked in one.unchecked),
        interrupted=stop.is_set(),
        seconds=time.monotonic() - began,
    )


class _Preparation:
    """A kind's preparation for all of its changes: made once, by whoever needs it first."""

    def __init__(self, kind: Kind[Any, Any], changes: Sequence[Change], world: World) -> None:
        self._lock = threading.Lock()
        self._kind, self._changes, self._world = kind, changes, world
        self._tried = False
        self._error: Exception | None = None
        self.made: Any = None
        """What was prepared; None until somebody needs it."""

    def get(self) -> Any:
        """What was prepared, made now where it is not yet. Raises what that raised, to everybody the same."""
        with self._lock:
            if not self._tried:
                self._tried = True
                try:
                    self.made = self._kind.prepare(self._changes, self._world)
                except Exception as error:  # raised below, to each change that needed it
                    self._error = error
            if self._error is not None:
                raise self._error
            return self.made


class _Run:
    def __init__(
        self, plan: Plan, kinds: Sequence[Kind[Any, Any]], world: World, listener: Listener, stop: threading.Event
    ) -> None:
        self.changes: Mapping[Key, Change] = {change.key: change for change in plan.changes}
        self.kinds = {kind.name: kind for kind in kinds}
        self.world = world
        self.listener = listener
        self.results: dict[Key, Result] = {}
        self.stop = stop
        self.order: TopologicalSorter[Key] = TopologicalSorter(waits_for(plan.changes))
        self.order.prepare()
        self.ready: deque[Key] = deque()
        self.preparations = {
            name: _Preparation(kind, [one for one in plan.changes if _is_written(one, name)], world)
            for name, kind in self.kinds.items()
        }

    def carry_out(self, pool: ThreadPoolExecutor, workers: int) -> None:
        """Hand out what is ready, no further ahead than the workers can take, until nothing is left."""
        running: set[Future[Result]] = set()
        told = False
        while self.order.is_active():
            if self.stop.is_set() and not told:
                told = True
                self.listener.stage("stopping: what is under way is finished first; once more to break it off")
            self._hand_out(pool, running, workers)
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            running -= finished
            for future in finished:
                self._record(future.result())

    def _hand_out(self, pool: ThreadPoolExecutor, running: set[Future[Result]], most: int) -> None:
        while len(running) < most:
            self.ready.extend(self.order.get_ready())
            if not self.ready:
                return
            change = self.changes[self.ready.popleft()]
            reason = "stopped by the user" if self.stop.is_set() else obstacle(change, self.changes, self.results)
            if reason:
                self._record(Result(change, Outcome.SKIPPED, reason))
            else:
                self.listener.started(change)
                running.add(pool.submit(self._one, change))

    def _record(self, result: Result) -> None:
        self.results[result.change.key] = result
        self.order.done(result.change.key)
        self.listener.finished(result)

    def _one(self, change: Change) -> Result:
        began = time.monotonic()
        kind = self.kinds[change.key.kind]
        try:
            prepared = None if change.action is Action.DELETE else self.preparations[kind.name].get()
            kind.carry_out(change, self.world, prepared)
        except PermissionMissingError as error:
            reason = f"needs {error.permission}"
            unchecked = Unchecked(change.key.kind, change.key.name, reason)
            return Result(change, Outcome.SKIPPED, reason, time.monotonic() - began, unchecked)
        except RefusedError as error:
            return Result(change, Outcome.SKIPPED, error.message, time.monotonic() - began)
        except ConfiguratorError as error:
            return Result(change, Outcome.FAILED, _words(change, error), time.monotonic() - began)
        except Exception as error:  # a bug must not take the other changes, nor the report of them, with it
            words = self.world.redactor.clean(f"a bug in configurator: {type(error).__name__}: {error}")
            return Result(change, Outcome.FAILED, words, time.monotonic() - began)
        return Result(change, Outcome.DONE, seconds=time.monotonic() - began)

    def finish(self) -> list[Aftermath]:
        """Let every kind that changed something do what follows."""
        aftermath = []
        for kind in self.kinds.values():
            done = [
                result.change
                for result in self.results.values()
                if result.outcome is Outcome.DONE and result.change.key.kind == kind.name
            ]
            if done:
                aftermath.append(self._finish(kind, done))
        return aftermath

    def _finish(self, kind: Kind[Any, Any], done: Sequence[Change]) -> Aftermath:
        try:
            return kind.finish(done, self.world, self.preparations[kind.name].made)
        except Exception as error:  # what was changed must be reported all the same
            words = self.world.redactor.clean(f"what follows its changes failed: {type(error).__name__}: {error}")
            return Aftermath(unchecked=(Unchecked(kind.name, "*", words, failed=True),))


def _words(change: Change, error: ConfiguratorError) -> str:
    """What went wrong, where the spec asks for it, what to do next."""
    place = change.wanted.origin.place if change.wanted else None
    where = f"{place}: " if place else ""
    return f"{where}{in_words(error)}"


def _is_written(change: Change, kind: str) -> bool:
    return change.key.kind == kind and change.action in (Action.CREATE, Action.UPDATE)
