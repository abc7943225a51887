"""Prove the chain from a push to a build, link by link, for every webhook of the spec or those named.

Without ``deliver`` nothing is changed and nothing is started: Jenkins' endpoint is asked with a payload that can start
no build, all the rest is reading. With it, GitLab really sends a test event, and the build is looked for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from configurator.errors import AnswerLostError, ConfiguratorError, InputError, Problem, in_words
from configurator.hook_url import job_of
from configurator.kinds.hook_body import WEBHOOK, HookBody, hook_mark, observed_hook, resolve_hook
from configurator.kinds.webhook import addresses
from configurator.model import Resource
from configurator.run import Run
from configurator.spec.expanded import JobItem
from configurator.spec.renamed import present_branches
from configurator.spec.suggest import suggestion
from configurator.spec.trigger import TAGS
from configurator.webhooks import trial_steps as steps
from configurator.webhooks.details import delivery_of
from configurator.webhooks.filters import EVENTS, PUSH, TAG_PUSH, branch_passes
from configurator.webhooks.job_read import job_in, read_job
from configurator.webhooks.model import HEALTHY, Delivery, Done, Ending, Finding, Hook, HookClass, JobSeen
from configurator.webhooks.pace import DeliveryPace
from configurator.webhooks.reenable import Sender, send_test
from configurator.webhooks.trial_steps import FAIL, OK, UNKNOWN, WARN, Step
from configurator.webhooks.work import STOPPED, Listener, work_off
from configurator.world.survey import ProjectFound, Survey, take_survey
from configurator.world.world import World

ACTION = "test"
_POLL = 1.0  # seconds between two looks for a build
_BY_HAND = "see the evidence, then run this again"


@dataclass(frozen=True, slots=True)
class _Case:
    """One hook of the spec, and what is known of it.

    Attributes:
        wanted: as the spec has it; resolved where its project was found.
        job: what the spec says of its job.
        project: what GitLab shows of its project.
        found: the hook that is there, None without.
    """

    wanted: Resource[HookBody]
    job: JobItem
    project: ProjectFound
    found: Resource[HookBody] | None = None


def try_hooks(
    run: Run,
    names: Sequence[str],
    watcher: Listener,
    stop: threading.Event,
    *,
    deliver: bool = False,
    wait: float = 15.0,
    pace: DeliveryPace | None = None,
) -> tuple[Done, ...]:
    """Try webhooks of the spec.

    Args:
        run: of the spec.
        names: applications, project paths or full names of jobs; empty = every webhook of the spec.
        watcher: hears of every stage and hook, and beforehand of builds that deliveries may start.
        stop: once set, what is under way is finished and the rest is skipped.
        deliver: let GitLab really send a test event, which may start a build, and look for that build.
        wait: seconds to look for it. From hook to build it takes Jenkins 7 to 9 s (contract, fact 8).
        pace: of test deliveries; default: GitLab's limit.

    Returns:
        One for each hook, in the order of the spec's names: FAILED where a step fails, INCOMPLETE where one could not
        be looked at. Their steps tell all.

    Raises:
        InputError: a name is none of the spec's.
    """
    jobs = {job.name: job for job in run.expanded.jobs}
    chosen = _chosen(run, names)
    watcher.stage("reading the projects' webhooks")
    cases = [case for name in run.world.gitlabs for case in _cases(run.world, name, chosen, jobs)]
    sender = Sender(run.world, stop, pace or DeliveryPace(), deliver)
    if deliver and cases:
        watcher.warning(f"test deliveries may start builds of {', '.join(case.job.name for case in cases)}")
    watcher.stage("trying the webhooks")
    by_project: dict[tuple[str, str], list[_Case]] = {}
    for case in cases:
        by_project.setdefault((case.wanted.body.gitlab, case.wanted.body.project), []).append(case)
    tasks = [partial(_try_all, some, sender, wait) for some in by_project.values()]
    return work_off(tasks, run.world.pool, watcher)


def _chosen(run: Run, names: Sequence[str]) -> list[Resource[HookBody]]:
    """Hooks of the spec that are meant by ``names``."""
    hooks = [one for one in run.desired.values() if one.key.kind == WEBHOOK]
    if not names:
        return hooks
    known: dict[str, set[str]] = {}
    for one in hooks:
        for name in (one.origin.application, one.body.project, one.body.job):
            if name:
                known.setdefault(name, set()).add(one.key.name)
    problems = [
        Problem(
            f"no application, project or job of the spec with a webhook is called {name!r}", None, _near(name, known)
        )
        for name in names
        if name not in known
    ]
    if problems:
        raise InputError(problems)
    keys = {key for name in names for key in known[name]}
    return [one for one in hooks if one.key.name in keys]


def _near(name: str, known: Iterable[str]) -> str:
    return suggestion(name, known) or "`configurator plan --verbose` names them all"


def _cases(
    world: World, gitlab: str, chosen: Sequence[Resource[HookBody]], jobs: dict[str, JobItem]
) -> Iterable[_Case]:
    mine = [one for one in chosen if one.body.gitlab == gitlab]
    if not mine:
        return
    survey = take_survey(world.gitlabs[gitlab], {one.body.project for one in mine}, (), world.pool)
    for one in mine:
        yield _case(world, one, survey, jobs[one.body.job])


def _case(world: World, wanted: Resource[HookBody], survey: Survey, job: JobItem) -> _Case:
    body, project = wanted.body, survey.by_path[wanted.body.project]
    secret = world.webhook_secret(body.gitlab)
    if project.id is None or project.hooks is None or secret is None:
        return _Case(wanted, job, project)
    hook = _hook_of(world, body, project)
    resolved = resolve_hook(wanted, project.id, hook, survey.describes_hooks, world.owner, secret)
    found = observed_hook(wanted.key, body.gitlab, body.project, body.job, hook) if hook else None
    return _Case(resolved, job, project, found)


def _hook_of(world: World, body: HookBody, project: ProjectFound) -> dict[str, Any] | None:
    """The hook that means the job: ours before others, at the present address before another, the oldest first."""
    roots = addresses(world, body.gitlab)

    def rank(hook: dict[str, Any]) -> tuple[bool, bool, int]:
        mark = hook_mark(hook)
        moved = job_of(str(hook["url"]), roots[:1]) != body.job
        return mark is None or mark.owner != world.owner, moved, int(hook["id"])

    same = [dict(hook) for hook in project.hooks or () if job_of(str(hook["url"]), roots) == body.job]
    return min(same, key=rank, default=None)


def _try_all(cases: Sequence[_Case], sender: Sender, wait: float) -> list[Done]:
    """The hooks of one project, one after the other."""
    return [_try(case, sender, wait) for case in cases]


def _try(case: _Case, sender: Sender, wait: float) -> Done:
    finding = _finding(case)
    if sender.stop.is_set():
        return Done(finding, ACTION, Ending.SKIPPED, STOPPED)
    world = sender.world
    job, of_the_job = _job(case, world)
    if case.project.id is None or case.project.hooks is None:
        verdict = FAIL if case.project.failed else UNKNOWN
        return _done(finding, [("project", verdict, case.project.problem, _BY_HAND), *of_the_job])
    of_the_hook = steps.hook_steps(case.wanted, case.found)
    at_jenkins = _at_jenkins(case, job, of_the_job, world)
    log = _log(case, world)
    sent = _deliver(finding.hook, job, case, sender, wait) if sender.deliver and case.found is not None else []
    explained = any(verdict == FAIL for _, verdict, _, _ in [*of_the_hook, *at_jenkins])
    return _done(finding, [*of_the_hook, *_delivery(finding.hook, case, log, sent, explained), *at_jenkins, *sent])


def _done(finding: Finding, seen: Sequence[Step]) -> Done:
    failed = [check for check, verdict, _, _ in seen if verdict == FAIL]
    unknown = [check for check, verdict, _, _ in seen if verdict == UNKNOWN]
    ending = Ending.FAILED if failed else Ending.INCOMPLETE if unknown else Ending.DONE
    parts = []
    if failed:
        parts.append(f"fails: {', '.join(failed)}")
    if unknown:
        parts.append(f"could not be looked at: {', '.join(unknown)}")
    event = next((words for flag, words in EVENTS.items() if flag in finding.hook.events), "delivery")
    return Done(finding, ACTION, ending, "; ".join(parts) or f"a {event} reaches the job", tuple(seen))


def _finding(case: _Case) -> Finding:
    body = case.wanted.body
    project_id = case.project.id or 0
    if case.found is None:
        absent = Hook(body.gitlab, body.project, project_id, {**body.attributes, "id": 0})
        return Finding(absent, HookClass.UNKNOWN, "not found in GitLab", body.job)
    hook = Hook(body.gitlab, body.project, project_id, case.found.body.attributes)
    if case.found.owner is None:
        return Finding(hook, HookClass.UNMANAGED, "it carries no mark", body.job)
    if hook.alert_status != HEALTHY:
        return Finding(hook, HookClass.FAILING, f"GitLab shows {hook.alert_status}", body.job)
    return Finding(hook, HookClass.LIVE, "it is there", body.job)


def _log(case: _Case, world: World) -> list[Delivery] | ConfiguratorError | None:
    """The hook's deliveries, the latest first; None without a log, and the error where it could not be read."""
    if case.found is None:
        return None
    body = case.found.body
    assert body.project_id is not None and body.hook_id is not None
    try:
        shown = world.gitlabs[body.gitlab].hook_events(body.project_id, body.hook_id)
    except ConfiguratorError as error:
        return error
    return None if shown is None else [delivery_of(event) for event in shown]


def _delivery(
    hook: Hook, case: _Case, log: list[Delivery] | ConfiguratorError | None, sent: Sequence[Step], explained: bool
) -> list[Step]:
    if case.found is None:
        return []
    if isinstance(log, ConfiguratorError):
        return [("delivery", UNKNOWN, in_words(log), _BY_HAND)]
    ours, overtaken = case.found.owner == case.wanted.owner, bool(sent) and sent[0][1] == OK
    return [steps.delivery_step(hook, log, ours=ours, explained=explained, overtaken=overtaken)]


def _at_jenkins(case: _Case, job: JobSeen | None, of_the_job: list[Step], world: World) -> list[Step]:
    """What the endpoint says, and then whether the job would build; only that there is none where that is proven."""
    try:
        if not steps.may_start(job):
            answer = world.jenkins.probe_endpoint(case.job.name, case.wanted.body.token)
            return [steps.token_step(answer), *of_the_job]
        answer = world.jenkins.probe_endpoint(case.job.name)
    except ConfiguratorError as error:
        return [("token", UNKNOWN, in_words(error), _BY_HAND), *of_the_job]
    if job is None and answer.exists is False:
        return [("job", FAIL, steps.no_job(answer), steps.APPLY)]
    return [steps.untried_token_step(answer), *of_the_job]


def _job(case: _Case, world: World) -> tuple[JobSeen | None, list[Step]]:
    """The job as it is, and whether it would build; None where it can't be read."""
    hook = case.found.body.attributes if case.found else case.wanted.body.attributes
    try:
        job = read_job(world.jenkins, case.job.name)
    except ConfiguratorError as error:
        return None, [("job", UNKNOWN, in_words(error), "configurator plan tells whether it is there")]
    events = [event for event in EVENTS if case.wanted.body.attributes.get(event) is True]
    return job, steps.build_steps(job, hook, events, _branches(case, world))


def _branches(case: _Case, world: World) -> list[str]:
    """Branches that the spec wants the job to build; empty = every one, or a pattern of them."""
    wanted = job_in(case.job.name, case.job.xml).trigger or {}
    if wanted.get("branchFilterType") == "NameBasedFilter":
        names = [name.strip() for name in wanted.get("includeBranchesSpec", "").split(",")]
        return [name for name in names if name and name != TAGS and not set("*?") & set(name)]
    named = case.wanted.origin.application
    for application in world.expanded.spec.applications:
        if application.name == named:
            return [name for name in present_branches(application.branches) if branch_passes(wanted, name).passes]
    return []


def _deliver(hook: Hook, job: JobSeen | None, case: _Case, sender: Sender, wait: float) -> list[Step]:
    """Send the event that the hook is for, and look for the build."""
    events = [event for event in EVENTS if hook.attributes.get(event) is True]
    try:
        before, _ = sender.world.jenkins.build_state(case.job.name)
        for event in events:
            try:
                answer = send_test(hook, event, sender)
            except AnswerLostError as error:
                return [("test delivery", UNKNOWN, in_words(error), _BY_HAND)]
            if answer is None:
                return [("test delivery", UNKNOWN, STOPPED, "run this again")]
            if answer.sent:
                what = f"GitLab sent a {EVENTS[event]}"
                if answer.problem:
                    return [("test delivery", FAIL, f"{what}, which was answered: {answer.problem}", steps.REPAIR)]
                sent: Step = ("test delivery", OK, f"{what}, which was answered 2xx", "")
                return [sent, _build(case.job.name, before, event, job, hook, sender, wait)]
    except ConfiguratorError as error:
        return [("test delivery", FAIL, in_words(error), _BY_HAND)]
    what = EVENTS[events[0]] if events else "event that Jenkins handles"
    return [("test delivery", UNKNOWN, f"the project has nothing to make a {what} of", f"make the first {what}")]


def _build(name: str, before: int, event: str, job: JobSeen | None, hook: Hook, sender: Sender, wait: float) -> Step:
    """The build that a delivery started, or why there is none."""
    client = sender.world.jenkins
    until = time.monotonic() + wait
    queued = False
    while True:
        number, waiting = client.build_state(name)
        if number > before:
            return "build", OK, f"build {number} was started", ""
        queued = queued or waiting
        left = until - time.monotonic()
        if left <= 0 or sender.stop.wait(min(_POLL, left)):
            break
    if queued:
        return "build", OK, "a build waits in the queue", ""
    return _no_build(event, job, hook, sender.world, wait)


def _no_build(event: str, job: JobSeen | None, hook: Hook, world: World, wait: float) -> Step:
    nothing = f"Jenkins answered 2xx, and no build came within {wait:g} s"
    if job is None or job.disabled or job.trigger is None:
        return "build", FAIL, f"{nothing}: see the steps before", _BY_HAND
    if event in (PUSH, TAG_PUSH):
        branch = str(world.gitlabs[hook.gitlab].project(hook.project_id).get("default_branch") or "")
        filtered = branch_passes(job.trigger, branch)
        if filtered.passes is False:
            told = f"{nothing}: a test push is of the project's default branch, and {filtered.reason}"
            return "build", WARN, told, "push to a branch that the job builds"
        return "build", FAIL, nothing, "look into the job's GitLab trigger and Jenkins' log"
    told = f"{nothing}: a test carries the project's first {EVENTS[event]}, which may be old, closed or filtered out"
    return "build", WARN, told, "try it with a new one"
