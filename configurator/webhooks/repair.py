"""Bring managed webhooks in order: what plan and apply would do to them, and GitLab's own switch.

There is one way of the data: the plan of the whole spec, narrowed to these hooks and their jobs, is applied. Beside
that, every hook is sent again with its token even where nothing differs, for GitLab never shows a token; and one
that failed is tried with a test delivery, for nothing else shows that it works again.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from configurator.engine.order import narrowed
from configurator.kinds.hook_body import WEBHOOK, HookBody, observed_hook
from configurator.kinds.webhook import former_job
from configurator.model import Action, Change, Key, Outcome, Plan, Resource, Result
from configurator.run import Run
from configurator.webhooks.model import Done, Ending, Finding, HookClass
from configurator.webhooks.pace import DeliveryPace
from configurator.webhooks.reenable import Sender, reenable
from configurator.webhooks.selection import REPAIRABLE
from configurator.webhooks.work import STOPPED, Listener, work_off

ACTION = "repair"
_AIMS: Mapping[HookClass, str] = {
    HookClass.ORPHANED: "it has no job: `configurator webhooks cleanup` removes it",
    HookClass.DUPLICATE: "another hook does the same: `configurator webhooks cleanup` removes it",
    HookClass.MISROUTED: "its job belongs to another project: see the evidence, and remove it or put it into the spec",
    HookClass.UNKNOWN: "its job could not be checked, so it is left alone",
    HookClass.FOREIGN: "it does not call this Jenkins",
}


@dataclass
class _Stages:
    """A listener of plan and apply that passes on what they are doing."""

    watcher: Listener

    def stage(self, text: str) -> None:
        self.watcher.stage(text)

    def started(self, change: Change) -> None:
        self.watcher.stage(f"{change.action}: {change.key}")

    def finished(self, result: Result) -> None:
        """Told by what repair returns."""


def repair(
    selected: Sequence[Finding],
    run: Run,
    watcher: Listener,
    stop: threading.Event,
    *,
    deliver: bool = False,
    dry_run: bool = False,
    pace: DeliveryPace | None = None,
) -> tuple[Done, ...]:
    """Bring hooks in order on both sides, and try those that GitLab disabled, or whose latest delivery failed.

    A hook keeps its id. Only hooks with this spec's mark, whose job is in the spec, are touched; for every other the
    reason is told, and the command that is right for it.

    Args:
        selected: what to repair.
        run: of the spec; planned anew here.
        watcher: hears of every stage and hook, and beforehand of builds that test deliveries may start.
        stop: once set, what is under way is finished and the rest is skipped.
        deliver: a test delivery that may start a build is allowed, where no harmless one does.
        dry_run: only say what would be done.
        pace: of test deliveries; default: GitLab's limit.

    Returns:
        One for each of ``selected``, in its order.

    Raises:
        ServerError: Jenkins can't be reached, or refuses the user.
    """
    work = _Work(run, selected, watcher)
    if work.todo and not stop.is_set():
        plan = work.match(run.plan(rewrite=work.todo, listener=_Stages(watcher)))
        if dry_run:
            work.tell(plan)
        elif plan.changes:
            applied = run.apply(plan, listener=_Stages(watcher), stop=stop)
            work.note({result.change.key: result for result in applied.results})
            work.enable(Sender(run.world, stop, pace or DeliveryPace(), deliver))
    return tuple(work.ended(finding) for finding in selected)


class _Work:
    """What is known of each hook so far: those still to do, and how the others ended."""

    def __init__(self, run: Run, selected: Sequence[Finding], watcher: Listener) -> None:
        self._watcher = watcher
        self._done: dict[tuple[str, int, int], Done] = {}
        self.todo: dict[Key, list[Finding]] = {}
        """By the hook that the spec wants. There are several where a job has twins of ours."""
        self._written: list[tuple[Finding, str]] = []
        wanted = _wanted_by_job(run)
        for finding in selected:
            resource = wanted.get((finding.hook.gitlab, finding.job))
            reason = _not_for_repair(finding, run.world.owner, resource)
            if reason or resource is None:
                self._end(finding, Ending.SKIPPED, reason)
            else:
                self.todo.setdefault(resource.key, []).append(finding)

    def ended(self, finding: Finding) -> Done:
        """How it ended; what nobody came to was stopped."""
        return self._done.get(_identity(finding)) or Done(finding, ACTION, Ending.SKIPPED, STOPPED)

    def match(self, plan: Plan) -> Plan:
        """The part of the plan that repairs the hooks; the others end here, with the reason."""
        unchecked = {Key(one.kind, one.name): one for one in plan.unchecked}
        changes = {change.key: change for change in plan.changes}
        keys = set()
        for key, findings in self.todo.items():
            cause = unchecked.get(key)
            change = changes.get(key)
            for finding in findings:
                if change is None:
                    reason = cause.reason if cause else "its job or project could not be looked at"
                    self._end(finding, Ending.FAILED if cause and cause.failed else Ending.SKIPPED, reason)
                    continue
                change = changes[key] = _onto(change, finding)
                reason = _other(change, finding)
                if reason:
                    self._end(finding, Ending.SKIPPED, reason)
                else:
                    keys.add(key)
        return narrowed(replace(plan, changes=tuple(changes[change.key] for change in plan.changes)), keys)

    def tell(self, plan: Plan) -> None:
        """What would be done."""
        changes = {change.key: change for change in plan.changes}
        for finding, change in self._left(changes):
            words = _words(change, changes)
            if finding.is_any(HookClass.FAILING):
                words += "; then a test delivery, if it is disabled, or its latest delivery failed"
            self._end(finding, Ending.PLANNED, words)

    def note(self, results: Mapping[Key, Result]) -> None:
        """How plan and apply ended."""
        changes = {key: result.change for key, result in results.items()}
        for finding, change in self._left(changes):
            result = results[change.key]
            if result.outcome is Outcome.DONE:
                self._written.append((finding, _words(change, changes)))
            else:
                self._end(finding, *_not_written(result, results))

    def enable(self, sender: Sender) -> None:
        """Try what failed: projects side by side, for each has a limit of its own."""
        projects: dict[tuple[str, int], list[tuple[Finding, str]]] = {}
        for finding, words in self._written:
            if finding.is_any(HookClass.FAILING):
                projects.setdefault((finding.hook.gitlab, finding.hook.project_id), []).append((finding, words))
            else:
                self._end(finding, Ending.DONE, words)
        if not projects:
            return
        self._watcher.stage("asking whether GitLab delivers to what failed")
        if sender.deliver:
            jobs = sorted({finding.job or "" for hooks in projects.values() for finding, _ in hooks})
            self._watcher.warning(
                f"a test delivery, where no harmless one will do, may start a build of {', '.join(jobs)}"
            )
        tasks = [partial(_enable, hooks, sender) for hooks in projects.values()]
        for done in work_off(tasks, sender.world.pool, self._watcher):
            self._done[_identity(done.finding)] = done

    def _left(self, changes: Mapping[Key, Change]) -> list[tuple[Finding, Change]]:
        return [
            (finding, changes[key])
            for key, findings in self.todo.items()
            for finding in findings
            if key in changes and _identity(finding) not in self._done
        ]

    def _end(self, finding: Finding, ending: Ending, detail: str) -> None:
        done = self._done[_identity(finding)] = Done(finding, ACTION, ending, detail)
        self._watcher.done(done)


def _enable(hooks: Sequence[tuple[Finding, str]], sender: Sender) -> list[Done]:
    """The hooks of one project, one after the other."""
    ended = []
    for finding, words in hooks:
        ending, more = reenable(finding.hook, finding.job or "", sender)
        ended.append(Done(finding, ACTION, ending, f"{words}; {more}" if more else words))
    return ended


def _wanted_by_job(run: Run) -> dict[tuple[str, str | None], Resource[HookBody]]:
    """The hooks of the spec, by their jobs' names, and by the names that these had before the spec renamed them."""
    hooks = [one for one in run.desired.values() if one.key.kind == WEBHOOK]
    former = {(one.body.gitlab, former_job(one.body, run.world)): one for one in hooks}
    return former | {(one.body.gitlab, one.body.job): one for one in hooks}


def _not_for_repair(finding: Finding, owner: str, wanted: Resource[Any] | None) -> str:
    """Why a hook is left alone, and the command that is right for it; or empty."""
    hook = finding.hook
    if finding.cls in _AIMS:
        return _AIMS[finding.cls]
    if hook.owner is None:
        if wanted is None:
            return "it carries no mark and its job is not in the spec: repair it by hand in GitLab"
        return f"it carries no mark: `configurator apply --adopt '{wanted.key}'` takes it over".replace(
            "webhook ", "", 1
        )
    if hook.owner != owner:
        return f"it belongs to {hook.owner}: repair it with that spec"
    if wanted is None:
        return "it is not in the spec any more: `configurator apply --prune` removes it"
    if not finding.is_any(*REPAIRABLE):
        return "there is nothing to repair"
    return ""


def _onto(change: Change, finding: Finding) -> Change:
    """A creation becomes an update of the hook that is there: the plan does not know every form of its address."""
    if change.action is not Action.CREATE or change.wanted is None:
        return change
    body: HookBody = change.wanted.body
    if body.project_id != finding.hook.project_id:  # the token of a job goes to no other project
        return change
    existing = observed_hook(change.key, body.gitlab, body.project, body.job, finding.hook.attributes)
    return replace(change, action=Action.UPDATE, existing=existing)


def _other(change: Change, finding: Finding) -> str:
    """Why this hook is not the one that the plan changes, or empty."""
    if change.action is Action.CONFLICT:
        return change.reason
    if change.existing is None:
        return "the spec wants the webhook of its job in another project: `configurator apply` makes it there"
    there = change.existing.body.hook_id
    if there == finding.hook.id:
        return ""
    return f"webhook {there} of the project is the one of this job: `configurator webhooks cleanup` removes this one"


def _not_written(result: Result, results: Mapping[Key, Result]) -> tuple[Ending, str]:
    """Why a hook was not written; where its job could not be, the job's own reason too."""
    pair = results.get(result.change.wanted.pair) if result.change.wanted and result.change.wanted.pair else None
    reasons = [result.error, *([pair.error] if pair is not None and pair.error else [])]
    failed = any(one.outcome is Outcome.FAILED for one in (result, pair) if one is not None)
    return Ending.FAILED if failed else Ending.SKIPPED, ": ".join(reasons)


def _words(change: Change, changes: Mapping[Key, Change]) -> str:
    """What a change does, for people."""
    words = [f"{one.path}: {one.before} → {one.after}" for one in change.fields if not one.secret]
    words.append("address and token sent again")
    pair = changes.get(change.wanted.pair) if change.wanted and change.wanted.pair else None
    if pair is not None:
        words.append(f"{pair.key}: {', '.join(one.path for one in pair.fields) or pair.action}")
    return "; ".join(words)


def _identity(finding: Finding) -> tuple[str, int, int]:
    return finding.hook.gitlab, finding.hook.project_id, finding.hook.id
