"""The state of every integration of a spec: servers, tokens, connections, credentials, webhooks, drift.

One plan, and beside it what is known of tokens and servers. A server that does not answer is a red line, never the end.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from configurator.engine.apply import Listener, Silent
from configurator.errors import ServerError
from configurator.kinds.credential import CredentialKind
from configurator.model import Plan
from configurator.run import Run
from configurator.spec.models import GitLab
from configurator.tokens.checking.inspect_spec import inspect_spec
from configurator.tokens.checks import Check, Verdict, worst
from configurator.tokens.watching.facts import Facts, jenkins_facts, token_facts
from configurator.tokens.watching.model import Integration, Part, State, Status
from configurator.tokens.watching.parts import (
    Context,
    Standing,
    compared_lines,
    objects_line,
    unread_lines,
    webhooks_line,
)
from configurator.tokens.watching.usage import Usage, read_usage


@dataclass(frozen=True, slots=True)
class Seen:
    """What a server said of itself, of us and of our token.

    Attributes:
        facts: as data.
        checks: what that means.
    """

    facts: Facts
    checks: tuple[Check, ...]


def take_status(
    run: Run,
    *,
    min_days: int,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    listener: Listener | None = None,
) -> Status:
    """Look at every integration. Changes nothing.

    Args:
        run: a run that has not planned yet.
        min_days: a token with fewer days left is a failure.
        now: the time, with its zone.
        listener: hears of every step.

    Returns:
        The status; what could not be asked is in it as a failed check.
    """
    listener = listener or Silent()
    at, started = now(), time.monotonic()
    usage = read_usage(run.expanded)
    listener.stage("looking at servers and tokens")
    jenkins, gitlabs, others = _ask(run, min_days)
    plan, problem = _plan(run, jenkins, listener)
    lines = [
        *(_gitlab_line(entry, gitlabs[entry.name], usage) for entry in run.loaded.spec.gitlab),
        _jenkins_line(run, jenkins, problem),
    ]
    context = _context(run, usage, others)
    counts: Mapping[tuple[str, State], int] = {}
    if plan is None:
        lines += unread_lines(context)
    else:
        red = any(line.verdict is Verdict.FAIL for line in lines)
        standing = Standing(plan, run.desired, servers_failed=red)
        lines += [
            *compared_lines(context, standing, run.world.inventory),
            webhooks_line(standing),
            objects_line(standing),
        ]
        counts = standing.counts()
    return Status(
        owner=run.world.owner,
        at=at,
        seconds=time.monotonic() - started,
        integrations=tuple(lines),
        objects=counts,
        webhooks=_webhooks(run),
        requests=_requests(run),
        warnings=plan.warnings if plan else run.warnings,
    )


def _ask(run: Run, min_days: int) -> tuple[Seen, dict[str, Seen], list[Check]]:
    """Look at all servers at the same time, so that one that does not answer delays no other.

    Returns:
        What was seen of Jenkins, and of each GitLab by name; and the checks that are about neither.
    """
    world = run.world
    with ThreadPoolExecutor(len(world.gitlabs) + 2, thread_name_prefix="status") as pool:
        try:
            gitlabs = {entry.name: pool.submit(_facts_of, run, entry) for entry in run.loaded.spec.gitlab}
            jenkins = pool.submit(jenkins_facts, world.jenkins)
            checks: dict[str, list[Check]] = {}
            for check in inspect_spec(run, min_days=min_days):
                checks.setdefault(check.subject, []).append(check)
            seen = Seen(jenkins.result(), tuple(checks.pop("jenkins", ())))
            named = {name: Seen(one.result(), tuple(checks.pop(f"gitlab:{name}", ()))) for name, one in gitlabs.items()}
            return seen, named, [check for left in checks.values() for check in left]
        except BaseException:
            world.interrupt()  # nobody waits for what is still under way
            raise


def _facts_of(run: Run, entry: GitLab) -> Facts:
    return token_facts(run.world.gitlabs[entry.name], oauth=run.secrets.is_oauth(entry.token))


def _plan(run: Run, jenkins: Seen, listener: Listener) -> tuple[Plan | None, Check | None]:
    """The plan; None and why where Jenkins can't be read."""
    if not jenkins.facts.up and worst(jenkins.checks) is Verdict.FAIL:
        return None, None  # another try would only wait for the same
    try:
        return run.plan(listener=listener), None
    except ServerError as error:
        cure = error.hint or "look at the log of Jenkins"
        return None, Check("jenkins", "readable", Verdict.FAIL, str(error), cure)


def _gitlab_line(entry: GitLab, seen: Seen, usage: Usage) -> Integration:
    facts = seen.facts
    return Integration(
        Part.GITLAB,
        entry.name,
        _summary(seen),
        seen.checks,
        usage.gitlabs[entry.name],
        url=entry.url,
        user=facts.user,
        version=facts.version,
        token=facts.token,
        up=facts.up,
    )


def _jenkins_line(run: Run, seen: Seen, problem: Check | None) -> Integration:
    own = seen.checks
    if problem is not None and worst(own) is not Verdict.FAIL:
        own = (*own, problem)
    return Integration(
        Part.JENKINS,
        "",
        _summary(Seen(seen.facts, own)),
        own,
        url=run.loaded.spec.jenkins.url,
        user=seen.facts.user,
        version=seen.facts.version,
        up=seen.facts.up and problem is None,
    )


def _summary(seen: Seen) -> str:
    if seen.facts.up:
        return "connected"
    failed = next((check.evidence for check in seen.checks if check.verdict is Verdict.FAIL), "")
    return failed or "not connected"


def _context(run: Run, usage: Usage, checks: Sequence[Check]) -> Context:
    found: dict[str, list[Check]] = {}
    for check in checks:
        found.setdefault(check.subject, []).append(check)
    credentials = [key for key in run.desired if key.kind == CredentialKind.name]
    return Context(run.loaded.spec.gitlab, credentials, usage, found)


def _webhooks(run: Run) -> dict[str, int]:
    wanted = Counter(job.hook.gitlab for job in run.expanded.jobs if job.hook is not None)
    return {entry.name: wanted[entry.name] for entry in run.loaded.spec.gitlab}


def _requests(run: Run) -> dict[str, int]:
    world = run.world
    gitlabs = {f"gitlab:{name}": client.requests_sent for name, client in world.gitlabs.items()}
    return {"jenkins": world.jenkins.requests_sent, **gitlabs}
