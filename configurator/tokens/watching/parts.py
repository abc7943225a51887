"""What a plan says of each connection and credential, of the webhooks and of everything: lines of a status. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from configurator.hook_url import shown_url
from configurator.kinds.credential import credential_key
from configurator.model import DIFFERS, UNMARKED, Action, Change, Key, Plan, Resource, Unchecked
from configurator.spec.models import GitLab
from configurator.tokens.checks import Check, Verdict
from configurator.tokens.watching.model import Integration, Part, State, Users
from configurator.tokens.watching.usage import Usage
from configurator.world.found import Hidden, Inventory

APPLY = "run `configurator apply`"
_LOOK = "look at `configurator plan`"
_RED = "a server it depends on is red"
_MEND = "mend that server first"
_REASONS = 3  # different reasons that one line gives
_STATES = {Action.CREATE: State.CREATE, Action.UPDATE: State.UPDATE, Action.CONFLICT: State.CONFLICT}
_DRIFT = {
    State.CREATE: "to create",
    State.UPDATE: "to update",
    State.CONFLICT: "in conflict",
    State.PRUNABLE: "no longer in the spec",
    State.UNCHECKED: "not checked",
}
_CURES = {
    State.CREATE: APPLY,
    State.UPDATE: APPLY,
    State.CONFLICT: f"{_LOOK}: it says of each what helps",
    State.PRUNABLE: "run `configurator apply --prune`",
    State.UNCHECKED: f"{_LOOK}: it says of each what is missing",
}


class Standing:
    """How everything that the spec speaks of stands, by a plan.

    Args:
        plan: made without prune.
        desired: what the spec wants.
        servers_failed: a server has a red line already, so that what hangs on it is unknown, not red a second time.
    """

    def __init__(self, plan: Plan, desired: Mapping[Key, Resource[Any]], *, servers_failed: bool) -> None:
        self._changes = {change.key: change for change in plan.changes}
        self._unchecked = {Key(one.kind, one.name): one for one in plan.unchecked}
        self._prunable = plan.prunable
        self._desired = desired
        self._servers_failed = servers_failed

    def state(self, key: Key) -> State:
        """State of something that the spec wants."""
        if key in self._unchecked:
            return State.UNCHECKED
        change = self._changes.get(key)
        return _STATES[change.action] if change else State.UNCHANGED

    def counts(self) -> dict[tuple[str, State], int]:
        """How many objects of each kind are in which state; the spec's, and those that left it."""
        states = Counter((key.kind, self.state(key)) for key in self._desired)
        states.update((change.key.kind, State.PRUNABLE) for change in self._prunable)
        return dict(states)

    def check(self, key: Key) -> Check:
        """How one object stands."""
        subject, state = f"{key.kind}:{key.name}", self.state(key)
        if state is State.UNCHECKED:
            one = self._unchecked[key]
            if self._told(one):
                return Check(subject, "present", Verdict.UNKNOWN, f"not checked: {_RED}", _MEND)
            cure = _CURES[State.UNCHECKED] if one.failed else "give the Jenkins user that right, or look for yourself"
            return Check(subject, "present", self.unseen([one]), one.reason, cure)
        if state is State.UNCHANGED:
            wanted = self._desired[key]
            words = "there, ours, as the spec says" if wanted.manage else "there, managed by somebody else"
            return Check(subject, "present", Verdict.OK, words)
        return _drifted(subject, self._changes[key])

    def unseen(self, unchecked: Iterable[Unchecked]) -> Verdict:
        """What it means that something could not be looked at."""
        failed = any(one.failed and not self._told(one) for one in unchecked)
        return Verdict.FAIL if failed else Verdict.UNKNOWN

    def drift(self, subject: str, kinds: Sequence[str] | None = None) -> list[Check]:
        """A check for each state other than unchanged that objects of ``kinds`` (None: of every kind) are in."""
        numbers = {pair: number for pair, number in self.counts().items() if kinds is None or pair[0] in kinds}
        checks = []
        for state, words in _DRIFT.items():
            by_kind = {kind: number for (kind, its), number in sorted(numbers.items()) if its is state}
            if not by_kind:
                continue
            seen = [one for key, one in self._unchecked.items() if kinds is None or key.kind in kinds]
            verdict = self.unseen(seen) if state is State.UNCHECKED else Verdict.WARN
            evidence = f"{_listed(by_kind)} {words}" if kinds is None else f"{sum(by_kind.values())} {words}"
            if state is State.UNCHECKED:
                reasons = dict.fromkeys(_RED if self._told(one) else one.reason for one in seen)
                evidence += f": {'; '.join(list(reasons)[:_REASONS])}"
            checks.append(Check(subject, str(state), verdict, evidence, _CURES[state]))
        whole = sum(number for (_, state), number in numbers.items() if state is State.UNCHANGED)
        return checks or [Check(subject, "drift", Verdict.OK, f"nothing differs, {whole} as the spec says")]

    def _told(self, one: Unchecked) -> bool:
        """Whether a red line of a server says already why this could not be looked at."""
        return one.failed and self._servers_failed


@dataclass(frozen=True, slots=True)
class Context:
    """What the lines of connections and credentials are made from.

    Attributes:
        gitlabs: the spec's gitlab entries.
        credentials: keys of the credentials that the spec manages or verifies.
        usage: who uses what.
        found: what else is known, by subject: Jenkins' own test of a connection, the state of a credential's token.
    """

    gitlabs: Sequence[GitLab]
    credentials: Sequence[Key]
    usage: Usage
    found: Mapping[str, Sequence[Check]]

    def line(self, key: Key, own: Check, state: State | None) -> Integration:
        """The line of a connection or credential."""
        users = self.usage.credentials.get(key, Users())
        if key.kind == Part.CONNECTION:
            users = self.usage.gitlabs[key.name]
        checks = (own, *self.found.get(own.subject, ()))
        return Integration(Part(key.kind), key.name, own.evidence, checks, users, state=state)

    def connections(self) -> list[tuple[Key, GitLab]]:
        """Every connection, with its entry."""
        return [(Key(Part.CONNECTION, entry.name), entry) for entry in self.gitlabs]

    def others(self) -> list[Key]:
        """Credentials that somebody else manages for a gitlab entry."""
        keys = [credential_key(None, entry.credential.id) for entry in self.gitlabs if not entry.manage]
        return [key for key in dict.fromkeys(keys) if key not in self.credentials]


def compared_lines(context: Context, standing: Standing, inventory: Inventory) -> Iterator[Integration]:
    """A line for each connection in Jenkins, then for each credential of the spec."""
    for key, entry in context.connections():
        if entry.manage:
            yield context.line(key, standing.check(key), standing.state(key))
        else:
            yield context.line(key, _others_connection(entry, inventory), None)
    for key in context.credentials:
        yield context.line(key, standing.check(key), standing.state(key))
    for key in context.others():
        yield context.line(key, _others_credential(key, inventory), None)


def unread_lines(context: Context) -> Iterator[Integration]:
    """The same lines, then those of webhooks and drift, while Jenkins can't be read."""
    evidence, cure = "not known: Jenkins can't be read", "mend Jenkins first"
    for key in [*(key for key, _ in context.connections()), *context.credentials, *context.others()]:
        own = Check(f"{key.kind}:{key.name}", "present", Verdict.UNKNOWN, evidence, cure)
        yield context.line(key, own, None)
    for part in (Part.WEBHOOKS, Part.OBJECTS):
        yield _counted(part, [Check(str(part), "drift", Verdict.UNKNOWN, evidence, cure)])


def webhooks_line(standing: Standing) -> Integration:
    """The line of all webhooks."""
    return _counted(Part.WEBHOOKS, standing.drift(str(Part.WEBHOOKS), ("webhook",)))


def objects_line(standing: Standing) -> Integration:
    """The line of everything that the spec describes: the drift."""
    return _counted(Part.OBJECTS, standing.drift(str(Part.OBJECTS)))


def _counted(part: Part, checks: Sequence[Check]) -> Integration:
    return Integration(part, "", ", ".join(check.evidence for check in checks), tuple(checks))


def _drifted(subject: str, change: Change) -> Check:
    wanted = change.wanted
    if wanted is not None and not wanted.manage:
        cure = "ask who looks after it, or take `manage: false` out of the spec"
        return Check(subject, "present", Verdict.FAIL, change.reason, cure)
    if change.action is Action.CREATE:
        return Check(subject, "present", Verdict.WARN, "not in Jenkins yet", APPLY)
    if change.action is Action.UPDATE:
        names = ", ".join(dict.fromkeys("its secret" if one.secret else one.path for one in change.fields))
        evidence = f"{DIFFERS}: {names}" if names else change.reason
        return Check(subject, "present", Verdict.WARN, evidence, APPLY)
    if change.reason == UNMARKED:
        cure = "set `adopt: true` to take it over, or `manage: false` where somebody else looks after it"
    else:
        cure = "set `manage: false` where this spec only uses it, or remove it from one of the specs"
    return Check(subject, "present", Verdict.WARN, change.reason, cure)


def _others_connection(entry: GitLab, inventory: Inventory) -> Check:
    subject = f"connection:{entry.name}"
    found = inventory.connections
    if isinstance(found, Hidden):
        return _hidden(subject, found)
    there = (found or {}).get(entry.name)
    if there is None:
        return _missing(subject)
    if there.url.rstrip("/") != entry.url.rstrip("/"):
        evidence = f"there, managed by somebody else, and leads to {shown_url(there.url)}"
        return Check(subject, "present", Verdict.WARN, evidence, "compare gitlab.url with the connection in Jenkins")
    return Check(subject, "present", Verdict.OK, "there, managed by somebody else")


def _others_credential(key: Key, inventory: Inventory) -> Check:
    subject = f"credential:{key.name}"
    found = inventory.credentials
    if isinstance(found, Hidden):
        return _hidden(subject, found)
    if any(credential_key(one.folder, one.id) == key for one in found):
        return Check(subject, "present", Verdict.OK, "there, managed by somebody else")
    return _missing(subject) if inventory.administer else _hidden(subject, Hidden("Overall/Administer"))


def _hidden(subject: str, hidden: Hidden) -> Check:
    evidence, cure = f"needs {hidden.permission}", f"give the Jenkins user {hidden.permission}, or look for yourself"
    return Check(subject, "present", Verdict.UNKNOWN, evidence, cure)


def _missing(subject: str) -> Check:
    evidence = "not in Jenkins, though the spec says it is (manage: false)"
    cure = "ask who looks after it, or take `manage: false` out of the spec"
    return Check(subject, "present", Verdict.FAIL, evidence, cure)


def _listed(by_kind: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {kind}{'' if number == 1 else 's'}" for kind, number in by_kind.items())
