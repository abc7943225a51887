"""Renewing the token of one gitlab entry: prove everything, ask once, keep the answer, deliver it, look.

The order is what keeps a token from being lost. Nothing is asked of GitLab before every place has proven that it
takes the new value; the answer is on the disk before anything else has it; and it stays there until all have it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from configurator.clients.gitlab import GitLabClient
from configurator.engine.apply import Listener, Silent
from configurator.errors import ConfiguratorError, RefusedError
from configurator.run import Run
from configurator.secret import Secret
from configurator.spec.models import GitLab, SecretRef
from configurator.spec.references import CommandSecret, EnvSecret, FileSecret, StoredSecret
from configurator.tokens.keeping.store import TokenStore
from configurator.tokens.rotating import overlap
from configurator.tokens.rotating.access import Access
from configurator.tokens.rotating.delivery import Delivery
from configurator.tokens.rotating.model import Ending, Mode, Rotated, Step, StepResult, Subject, Wish, failed
from configurator.tokens.rotating.recovery import (
    Intent,
    RecoveryFile,
    Unfinished,
    default_path,
    intent_of,
    one_asks,
    received,
)
from configurator.tokens.rotating.request import Asked, ask, find_out, what_to_do
from configurator.tokens.rotating.rules import Way, not_due, way_of
from configurator.tokens.rotating.sink import SinkTarget
from configurator.tokens.rotating.sinks import Surroundings
from configurator.tokens.rotating.token_uses import JenkinsTarget, by_text, same_token, text_of

PATIENCE = 180.0
"""Seconds that the answer to a rotation is waited for: to give up early is to lose a token."""


@dataclass(frozen=True)
class Ready:
    """A rotation of which everything was proven.

    Attributes:
        subject: the token.
        present: its value.
        way: how it will be renewed.
        references: every place of the spec that leads to it.
        steps: what was proven.
        role: with overlap: the role of the new token.
    """

    subject: Subject
    present: Secret
    way: Way
    references: tuple[SecretRef, ...]
    steps: tuple[Step, ...]
    role: int = 0


class EntryRotation:
    """The rotation of one entry's token. Use it in a ``with`` block: it keeps other processes away.

    Args:
        run: the spec with its servers.
        entry: the gitlab entry.
        wish: what the user asked for.
        store: of ``{stored: …}``.
        environ: environment of commands.

    Attributes:
        entry: as given.
        listener: hears what is being done; nobody, to begin with.
    """

    def __init__(
        self,
        run: Run,
        entry: GitLab,
        wish: Wish,
        store: Callable[[], TokenStore],
        environ: Mapping[str, str],
    ) -> None:
        self.entry = entry
        self._run = run
        self._wish = wish
        self._store = store
        self._environ = environ
        self.listener: Listener = Silent()
        self._recovery = RecoveryFile(wish.recovery or default_path(run.loaded.spec.name, entry.name))
        self._open = contextlib.ExitStack()
        self._access = Access(run, entry, self._open)

    def __enter__(self) -> Self:
        """Take the lock. Raises RefusedError where another process has it."""
        self._open.enter_context(self._recovery.lock())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def prepare(self) -> Ready | Rotated:
        """Look at the token, decide, and prove that everything would succeed. Renews nothing.

        Raises:
            ConfiguratorError: it can't be rotated, with the cure; nothing was done.
        """
        rotation = self._access.rotation()
        if self._recovery.read() is not None:
            raise RefusedError(
                f"an earlier rotation of the token of {self.entry.name} was not finished: {self._recovery.path}",
                f"run `configurator token rotate {self.entry.name} --resume` first",
            )
        present = self._run.secrets.get(self._access.reference())
        client = self._access.client(present)
        subject = self._access.subject(client)
        today = datetime.now(UTC).date()
        rest = not_due(subject, rotation, self._wish, today)
        if rest:
            return self._ended(Ending.NOT_DUE, rest, subject, expires_at=subject.expires_at or "")
        way = way_of(subject, rotation, self._wish, today, client.label)
        references = same_token(self._run, present)
        steps, role = self._prove(subject, present, way, references)
        if failed(steps):
            detail = "not everything would take the new token, so GitLab was not asked for one"
            return self._ended(Ending.FAILED, detail, subject, way.mode, steps, expires_at=subject.expires_at or "")
        return Ready(subject, present, way, references, tuple(steps), role)

    def proved(self, ready: Ready) -> Rotated:
        """The result of a dry run."""
        detail = f"everything is ready to {'replace' if ready.way.mode is Mode.OVERLAP else 'rotate'} it"
        return self._ended(
            Ending.PROVED, detail, ready.subject, ready.way.mode, ready.steps, expires_at=ready.subject.expires_at or ""
        )

    def carry_out(self, ready: Ready, stop: threading.Event) -> Rotated:
        """Renew the token and deliver the new one.

        Args:
            ready: from :meth:`prepare`.
            stop: once set, the step under way is finished and the rest is left to ``--resume``.

        Raises:
            ConfiguratorError: GitLab was not asked.
        """
        if stop.is_set():
            raise RefusedError("stopped before GitLab was asked; nothing was changed", "run it again")
        subject, way = ready.subject, ready.way
        client = self._access.client(ready.present, PATIENCE)
        request = self._request(ready, client)
        texts = tuple(dict.fromkeys(text_of(one) for one in ready.references))
        intent = intent_of(subject, self._run.world.owner, self.entry.name, self.entry.url, way.mode, way.expires_at)
        intent = replace(intent, references=texts)
        self.listener.stage(f"asking {client.label} for a new token")
        with one_asks():
            if self._access.subject(client) != subject:  # also makes sure that the token was not revoked meanwhile
                raise RefusedError("the token changed while everything was proven; nothing was changed", "run it again")
            self._recovery.begin(intent)
            asked = ask(request, self._recovery, self._run.redactor)
        return self._go_on(asked, intent, self._access.client(ready.present), ready.steps, stop)

    def _request(self, ready: Ready, client: GitLabClient) -> Callable[[], str]:
        """What asks GitLab for the new token. Raises ConfiguratorError where that can't even be asked."""
        subject, way = ready.subject, ready.way
        if way.mode is Mode.OVERLAP:
            admin = self._access.admin(PATIENCE)
            return lambda: overlap.create(admin, subject, ready.role, way.expires_at)
        token_id = subject.id if way.by_id else None
        return lambda: client.rotate_token(subject.owner, token_id, way.expires_at)

    def resume(self, stop: threading.Event) -> Rotated:
        """Finish an interrupted rotation, or find out what became of it.

        Raises:
            ConfiguratorError: the recovery file can't be read, or is of another spec.
        """
        self._access.rotation()
        left = self._recovery.read()
        if left is None:
            return self._ended(Ending.NOTHING, "no rotation was left unfinished")
        intent = left.intent
        if (intent.owner, intent.gitlab, intent.url) != (self._run.world.owner, self.entry.name, self.entry.url):
            raise RefusedError(
                f"{self._recovery.path} is of the entry {intent.gitlab} ({intent.url}) of the spec {intent.owner}",
                "give the spec that it belongs to",
            )
        new = received(left.answer) if left.answer else None
        if new is None:
            client = self._access.client(self._run.secrets.get(self._access.reference()))
            return self._go_on(Asked(unclear=_what_is_left(left)), intent, client, (), stop)
        self._run.redactor.learn(new.token)
        return self._delivery(intent, client=None).resume(new, stop, give_up=self._wish.force)

    def left_over(self) -> Path | None:
        """The recovery file, where there is one."""
        return self._recovery.path if self._recovery.path.exists() else None

    def _go_on(
        self, asked: Asked, intent: Intent, client: GitLabClient, proven: Sequence[Step], stop: threading.Event
    ) -> Rotated:
        """What follows from GitLab's answer, or from its absence."""
        if asked.new is not None:
            return self._delivery(intent, client).deliver(asked.new, [*proven, *asked.steps], stop)
        if intent.mode is Mode.OVERLAP:
            self._recovery.remove()
            detail = asked.refused or overlap.leftover(str(intent), asked.unclear, str(intent.resource))
            return self._of_intent(Ending.FAILED, detail, intent, proven)
        if asked.refused:
            self._recovery.remove()
            return self._of_intent(Ending.FAILED, asked.refused, intent, proven)
        self.listener.stage(f"finding out what {client.label} did")
        ending, found = find_out(client, intent)
        detail = f"{asked.unclear}. {found}"
        if ending is Ending.LOST:
            detail += what_to_do(
                intent, self._run.loaded.reference_path(self._access.reference()), self._holders(intent)
            )
        ending = Ending.FAILED if ending is Ending.SETTLED and asked.sent else ending
        gone = ending in (Ending.SETTLED, Ending.FAILED) or (
            ending is Ending.LOST and self._wish.force and not asked.sent
        )
        if gone:
            self._recovery.remove()
        return self._of_intent(ending, detail, intent, proven, None if gone else self._recovery.path)

    # -- proving and delivering ---------------------------------------------------------------------------

    def _prove(
        self, subject: Subject, present: Secret, way: Way, references: tuple[SecretRef, ...]
    ) -> tuple[list[Step], int]:
        """Every proof there is, whatever the others say; and the role that an overlap needs."""
        self.listener.stage("proving that the new token can be written everywhere")
        self._recovery.prove()
        targets = self._targets(references, self._access.client(present))
        if not targets:
            raise RefusedError(
                f"nothing would hold the new token of {self.entry.name}: its place can't be written "
                f"({_place(self._access.reference())}), and rotation.sinks is empty",
                "name at least one sink, such as rotation: {sinks: [{file: PATH}]}",
            )
        steps = []
        for target in targets:
            try:
                steps.append(Step(target.label, StepResult.PROVED, target.prove(present)))
            except ConfiguratorError as error:
                steps.append(Step(target.label, StepResult.FAILED, _words(error)))
        role = 0
        if way.mode is Mode.OVERLAP:
            try:
                steps.append(overlap.prove_admin(self._access.admin(), subject))
                role = overlap.role_of(self._access.client(present), subject)
            except ConfiguratorError as error:
                steps.append(Step(overlap.TARGET, StepResult.FAILED, _words(error)))
        return [*steps, *JenkinsTarget(self._run, references, self.listener).prove()], role

    def _places(self, intent: Intent) -> tuple[SecretRef, ...]:
        """What leads to the token: all that did when it was renewed, and where the spec takes it from by now."""
        return by_text(self._run, [*intent.references, text_of(self._access.reference())])

    def _delivery(self, intent: Intent, client: GitLabClient | None) -> Delivery:
        references = self._places(intent)
        return Delivery(
            intent=intent,
            recovery=self._recovery,
            redactor=self._run.redactor,
            targets=self._targets(references, client),
            jenkins=JenkinsTarget(self._run, references, self.listener),
            client_of=self._access.client,
            admin=self._access.admin,
            listener=self.listener,
            elsewhere=tuple(_place(one) for one in references if isinstance(one, (EnvSecret, CommandSecret))),
        )

    def _targets(self, references: Sequence[SecretRef], client: GitLabClient | None) -> list[SinkTarget]:
        """The spec's sinks, and every place that the token is read from, if it can be written; each once."""
        own = self._run.secrets.is_oauth(self.entry.token)

        def after(token: Secret) -> GitLabClient:
            return self._run.world.gitlabs[self.entry.name] if own else self._access.client(token)

        def present() -> GitLabClient:
            return self._run.world.gitlabs[self.entry.name] if own or client is None else client

        around = Surroundings(
            base=self._run.loaded.base,
            url=self.entry.url,
            allow_commands=self._wish.allow_commands,
            environ=self._environ,
            redactor=self._run.redactor,
            store=self._store,
            present=present,
            after=after,
        )
        targets = [around.target(sink) for sink in self._access.rotation().sinks]
        for reference in references:
            if isinstance(reference, FileSecret):
                targets.append(around.file(reference.file))
            elif isinstance(reference, StoredSecret):
                targets.append(around.stored(reference.stored))
        return list({target.label: target for target in targets}.values())

    def _holders(self, intent: Intent) -> list[str]:
        """What stands still while a token is lost, and has to get the new one."""
        references = self._places(intent)
        labels = [target.label for target in self._targets(references, None)]
        return [*labels, *(f"Jenkins' {key}" for key in JenkinsTarget(self._run, references, self.listener).keys)]

    # -- telling ------------------------------------------------------------------------------------------

    def _ended(
        self,
        ending: Ending,
        detail: str,
        subject: Subject | None = None,
        mode: Mode | None = None,
        steps: Sequence[Step] = (),
        expires_at: str = "",
    ) -> Rotated:
        return Rotated(
            self.entry.name,
            ending,
            detail,
            subject.name if subject else "",
            subject.kind if subject else "",
            mode,
            expires_at,
            tuple(steps),
        )

    def _of_intent(
        self, ending: Ending, detail: str, intent: Intent, steps: Sequence[Step], recovery: Path | None = None
    ) -> Rotated:
        return Rotated(
            self.entry.name, ending, detail, intent.token_name, intent.kind, intent.mode, "", tuple(steps), recovery
        )


def _what_is_left(left: Unfinished) -> str:
    if left.answer is not None:
        return f"GitLab's answer is in the recovery file, but there is no token in it (asked at {left.intent.asked_at})"
    return f"the rotation asked for at {left.intent.asked_at} was cut short before its answer was kept"


def _place(reference: SecretRef) -> str:
    """Where a reference leads that can't be written, for people."""
    if isinstance(reference, EnvSecret):
        return f"the environment variable {reference.env}"
    assert isinstance(reference, CommandSecret)
    return f"the output of the command {reference.command[0]}"


def _words(error: ConfiguratorError) -> str:
    return f"{error}. {error.hint}".rstrip(". ") if error.hint else str(error)
