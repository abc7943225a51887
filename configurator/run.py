"""One run: a loaded spec with its servers, its plan, its apply. The one door that the command line calls."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from configurator.clients.gitlab import GitLabClient
from configurator.clients.jenkins import JenkinsClient
from configurator.clients.redaction import Redactor
from configurator.engine.apply import Listener, Silent, apply, guard_deletions
from configurator.engine.diff import Options, make_plan
from configurator.errors import EXIT_CHANGES, EXIT_DONE, EXIT_FAILED, EXIT_REFUSED, InputError
from configurator.kinds import KINDS
from configurator.kinds.credential import keyed_by
from configurator.model import Action, Applied, Key, Outcome, Plan, Resource
from configurator.secret import Secret
from configurator.spec.expand import expand
from configurator.spec.expanded import Expanded
from configurator.spec.loader import LoadedSpec, load
from configurator.spec.models import SecretRef, Spec
from configurator.spec.secrets import Secrets
from configurator.tokens.keeping.store import UserStore
from configurator.tokens.keeping.stored_rules import secrets_of, stored_token_problems
from configurator.world.world import World

DEFAULT_WORKERS = 8


class Run:
    """A loaded spec with open servers. Use it as a context manager, or close it.

    Attributes:
        loaded: the spec with its places.
        expanded: its applications turned into folders, jobs and views.
        warnings: of loading and expanding.
    """

    def __init__(self, loaded: LoadedSpec, expanded: Expanded, secrets: Secrets, workers: int) -> None:
        self.loaded = loaded
        self.expanded = expanded
        self.warnings = tuple(dict.fromkeys((*loaded.warnings, *expanded.warnings)))
        self.secrets = secrets
        self.workers = workers
        self.desired = _desired(expanded)
        self.redactor = Redactor()
        """Masks every secret of this run; put its filter on log handlers."""
        self.world = self._open_world()
        self._read = False

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        allow_commands: bool = False,
        environ: Mapping[str, str] = os.environ,
        workers: int = DEFAULT_WORKERS,
    ) -> Run:
        """Load the spec, resolve the secrets it needs, make the clients. Asks no server yet.

        Args:
            path: file or folder of the spec.
            allow_commands: secret references may run commands.
            environ: where ``{env: NAME}`` looks.
            workers: how many requests may be under way at once.

        Raises:
            InputError: the spec is wrong, or secrets are not set; with every problem.
        """
        loaded = load(path)
        expanded = expand(loaded)
        secrets = Secrets(loaded, allow_commands, environ, UserStore(environ))
        secrets.require(*_needed_secrets(loaded.spec, expanded))
        if problems := stored_token_problems(loaded, secrets):
            raise InputError(problems)
        return cls(loaded, expanded, secrets, workers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self.world.close()

    def plan(
        self,
        *,
        prune: bool = False,
        adopt: Sequence[str] = (),
        rewrite: Iterable[Key] = (),
        listener: Listener | None = None,
    ) -> Plan:
        """Read both servers and say what has to be done. Every call looks afresh.

        Args:
            prune: deletions belong to the changes.
            adopt: shell patterns on names of what may be taken over.
            rewrite: what is written again even where nothing differs.
            listener: hears of every step.

        Raises:
            ServerError: Jenkins can't be reached, or refuses the user.
        """
        listener = listener or Silent()
        if self._read:
            self.world.close()
            self.world = self._open_world()
        self._read = True
        listener.stage(f"reading {self.world.jenkins.label}")
        _ = self.world.inventory
        for name, client in self.world.gitlabs.items():
            listener.stage(f"reading {client.label}")
            identity = self.world.survey(name).identity
            if identity:
                listener.stage(f"{client.label}: {identity}")
        listener.stage("comparing")
        observed = [
            (
                kind,
                kind.observe([one for one in self.desired.values() if one.key.kind == kind.name], self.world),
            )
            for kind in KINDS
        ]
        now = datetime.now(UTC).isoformat(timespec="seconds")
        options = Options(prune, tuple(adopt), frozenset(rewrite))
        plan = make_plan(self.world.owner, self.desired, observed, options, now)
        return replace(plan, warnings=tuple(dict.fromkeys((*self.warnings, *plan.warnings))))

    def apply(
        self,
        plan: Plan,
        *,
        max_deletes: int | None = None,
        listener: Listener | None = None,
        stop: threading.Event | None = None,
    ) -> Applied:
        """Carry out ``plan``, which must be this run's latest.

        Args:
            plan: from :meth:`plan`, whole or narrowed to some keys.
            max_deletes: over the spec's ``max_deletes``.
            listener: hears of every step.
            stop: set it (from a signal handler, say) to finish what is under way and skip the rest.

        Raises:
            RefusedError: it deletes more than it may; nothing was changed.
        """
        self.guard(plan, max_deletes)
        return apply(plan, KINDS, self.world, self.workers, listener or Silent(), stop or threading.Event())

    def guard(self, plan: Plan, max_deletes: int | None = None) -> None:
        """Refuse a plan that deletes more than ``max_deletes``, or the spec's limit. Raises RefusedError."""
        guard_deletions(plan, self.loaded.spec.max_deletes if max_deletes is None else max_deletes)

    def overrule(self, reference: SecretRef, secret: Secret) -> None:
        """From the next plan on ``reference`` leads to ``secret``: a token that was just rotated."""
        self.secrets.overrule(reference, secret)
        self.redactor.learn(secret)
        self._read = True  # the clients that are open send the old one

    @property
    def requests_sent(self) -> tuple[int, int]:
        """Requests sent since the last plan began: to Jenkins, to GitLab."""
        return self.world.jenkins.requests_sent, sum(one.requests_sent for one in self.world.gitlabs.values())

    def _secret_of(self, reference: SecretRef) -> Secret:
        secret = self.secrets.get(reference)
        self.redactor.learn(secret)
        return secret

    def _renewed(self, reference: SecretRef, refused: Secret) -> Secret:
        """The OAuth token to send instead of one that another process has renewed, or that has ended."""
        secret = self.secrets.renew(reference, refused)
        self.redactor.learn(secret)
        return secret

    def _open_world(self) -> World:
        spec = self.loaded.spec
        entry = spec.jenkins
        jenkins = JenkinsClient(
            entry.url,
            entry.username,
            self._secret_of(entry.api_token) if entry.api_token else None,
            self._secret_of(entry.password) if entry.password else None,
            workers=self.workers,
            redactor=self.redactor,
            timeout=entry.timeout,
            verify=_verify(entry.ssl_verification, entry.ca_file, self.loaded.base),
        )
        gitlabs = {
            one.name: GitLabClient(
                one.name,
                one.url,
                self._secret_of(one.token),
                workers=self.workers,
                redactor=self.redactor,
                timeout=one.timeout,
                verify=_verify(one.ssl_verification, one.ca_file, self.loaded.base),
                bearer=self.secrets.is_oauth(one.token),
                renew=partial(self._renewed, one.token),
            )
            for one in spec.gitlab
        }
        return World(self.expanded, self._secret_of, jenkins, gitlabs, self.desired, self.redactor, self.workers)


def _desired(expanded: Expanded) -> dict[Key, Resource[Any]]:
    return {resource.key: resource for kind in KINDS for resource in kind.desired(expanded)}


def _verify(on: bool, ca_file: str | None, base: Path) -> bool | str:
    return str(base / Path(ca_file).expanduser()) if on and ca_file else on


def _needed_secrets(spec: Spec, expanded: Expanded) -> list[SecretRef]:
    """What a plan can't do without, in the spec's order."""
    keys = {job.trigger_project[0] for job in expanded.jobs if job.trigger_project}
    keys |= {keyed_by(spec) or ""} if any(one.manage for one in spec.credentials) else set()
    references = [spec.jenkins.api_token, spec.jenkins.password]
    for entry in spec.gitlab:
        references += [entry.token, entry.credential.token if entry.manage else None]
        references.append(entry.webhooks.secret if entry.manage or entry.name in keys else None)
    for one in spec.credentials:
        if one.manage:
            references += secrets_of(one)
    return [reference for reference in references if reference is not None]


def exit_code_of_plan(plan: Plan, detailed: bool) -> int:
    """Exit code of ``plan``. Where several hold: failed, then conflict, then changes pending."""
    if any(one.failed for one in plan.unchecked):
        return EXIT_FAILED
    if detailed and plan.count(Action.CONFLICT):
        return EXIT_REFUSED
    if detailed and plan.pending:
        return EXIT_CHANGES
    return EXIT_DONE


def exit_code_of_apply(applied: Applied) -> int:
    """Exit code of ``apply``. Not all done: failed. A conflict is left: refused."""
    unchecked = [*applied.plan.unchecked, *applied.unchecked, *(one.unchecked for one in applied.results)]
    if applied.interrupted or applied.count(Outcome.FAILED) or any(unchecked):
        return EXIT_FAILED
    refused = any(one.outcome is Outcome.SKIPPED for one in applied.results)
    return EXIT_REFUSED if refused or applied.plan.count(Action.CONFLICT) else EXIT_DONE
