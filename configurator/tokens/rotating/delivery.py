"""Bringing a new token everywhere: to the sinks, to Jenkins; looking whether it works; then the old one may go."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from configurator.clients.gitlab import GitLabClient
from configurator.clients.redaction import Redactor
from configurator.engine.apply import Listener
from configurator.errors import ConfiguratorError, ServerError, UnauthorisedError
from configurator.secret import Secret
from configurator.tokens.rotating import overlap
from configurator.tokens.rotating.model import Ending, Mode, Rotated, Step, StepResult, failed
from configurator.tokens.rotating.recovery import Intent, Received, RecoveryFile
from configurator.tokens.rotating.sink import SinkTarget
from configurator.tokens.rotating.token_uses import JenkinsTarget

_STOPPED = "stopped before it was its turn"


@dataclass(frozen=True)
class Delivery:
    """Everything that has to get a new token. Every step may be repeated.

    Attributes:
        intent: what was asked for.
        recovery: holds the new token until all have it.
        redactor: knows it.
        targets: the sinks.
        jenkins: the credentials.
        client_of: a client that sends a token.
        admin: the client that ends an overlap.
        listener: hears what is being done.
        elsewhere: places that the spec takes the token from and that can't be written, for people.
    """

    intent: Intent
    recovery: RecoveryFile
    redactor: Redactor
    targets: Sequence[SinkTarget]
    jenkins: JenkinsTarget
    client_of: Callable[[Secret], GitLabClient]
    admin: Callable[[], GitLabClient]
    listener: Listener
    elsewhere: tuple[str, ...] = ()

    def deliver(self, new: Received, proven: Sequence[Step], stop: threading.Event) -> Rotated:
        """Write the new token everywhere and look whether it works; whatever fails, the others get it.

        Args:
            new: the new token; the recovery file holds it.
            proven: steps before these.
            stop: once set, the step under way is finished and the rest is skipped.
        """
        steps = [step for step in proven if step.result is StepResult.FAILED]  # the proofs were told already
        for target in self.targets:
            steps.append(Step(target.label, StepResult.SKIPPED, _STOPPED) if stop.is_set() else self._to(target, new))
        if stop.is_set():
            steps += [Step(f"Jenkins' {key}", StepResult.SKIPPED, _STOPPED) for key in self.jenkins.keys]
        else:
            steps += self._to_jenkins(new)
        steps.append(self._look(new))
        if self.intent.mode is Mode.OVERLAP and self.intent.resource is not None:
            if failed(steps):
                steps.append(
                    Step("old token", StepResult.SKIPPED, "still good; it is revoked when all have the new one")
                )
            else:
                steps.append(self._revoke())
        return self._ended(new, steps)

    def resume(self, new: Received, stop: threading.Event, *, give_up: bool) -> Rotated:
        """Deliver a token that an earlier run received, unless GitLab does not accept it any more.

        Args:
            new: the token in the recovery file.
            stop: as for :meth:`deliver`.
            give_up: remove the recovery file where the token in it is dead.
        """
        try:
            self.client_of(new.token).token_info()
        except UnauthorisedError as error:
            if give_up:
                self.recovery.remove()
            detail = f"{error}: that is the token in the recovery file, so nothing was written now"
            cure = "the recovery file was removed" if give_up else "--force removes the recovery file"
            return self._told(Ending.FAILED, f"{detail}; {cure}", (), new, None if give_up else self.recovery.path)
        except ServerError:
            pass  # GitLab is in trouble: what can be written is written, and the last step tells
        return self.deliver(new, (), stop)

    def _to(self, target: SinkTarget, new: Received) -> Step:
        self.listener.stage(f"writing the new token: {target.label}")
        try:
            return Step(target.label, StepResult.DONE, target.write(new.token))
        except ConfiguratorError as error:
            words = f"{error}. {error.hint}".rstrip(". ")
            return Step(target.label, StepResult.FAILED, self.redactor.clean(words))
        except Exception as error:  # nobody foresaw it, and the others have to get the token all the same
            return Step(target.label, StepResult.FAILED, f"a bug in configurator: {type(error).__name__}")

    def _to_jenkins(self, new: Received) -> list[Step]:
        self.listener.stage("writing the new token: Jenkins")
        steps = self.jenkins.write(new.token)
        return steps if failed(steps) else [*steps, *self.jenkins.test("after")]

    def _look(self, new: Received) -> Step:
        """Whether GitLab accepts the new token."""
        target = f"new token {new.id}" if new.id is not None else "new token"
        try:
            record = self.client_of(new.token).token_info()
        except ServerError as error:
            return Step(target, StepResult.FAILED, str(error))
        if record is not None and new.id is not None and record.get("id") != new.id:
            return Step(target, StepResult.FAILED, f"GitLab says that it is token {record.get('id')}")
        return Step(target, StepResult.DONE, f"GitLab accepts it, until {new.expires_at or 'it is revoked'}")

    def _revoke(self) -> Step:
        assert self.intent.resource is not None
        try:
            return overlap.revoke_old(self.admin(), self.intent.resource, self.intent.token_id)
        except ConfiguratorError as error:
            return Step("old token", StepResult.FAILED, f"it was not revoked: {error}")

    def _ended(self, new: Received, steps: Sequence[Step]) -> Rotated:
        bad = [step for step in failed(steps) if step.target != "recovery file"]
        if bad:
            kept = not any(step.target == "recovery file" for step in steps)
            where = f"It is kept in {self.recovery.path}" if kept else "It could not be kept in the recovery file"
            detail = (
                f"the {self.intent} was renewed, but the new one is not everywhere yet. {where}; when what failed is "
                f"mended, run: configurator token rotate {self.intent.gitlab} --resume"
            )
            return self._told(Ending.INCOMPLETE, detail, steps, new, self.recovery.path)
        try:
            self.recovery.remove()
        except ConfiguratorError as error:
            detail = f"the new token is everywhere, but its copy is left: {error}; delete the file"
            return self._told(Ending.INCOMPLETE, detail, steps, new, self.recovery.path)
        detail = "the new token is everywhere it belongs"
        if self.elsewhere:
            detail += f"; {' and '.join(self.elsewhere)} can't be written from here: set it anew from a sink"
        return self._told(Ending.ROTATED, detail, steps, new)

    def _told(
        self, ending: Ending, detail: str, steps: Sequence[Step], new: Received, recovery: Path | None = None
    ) -> Rotated:
        intent = self.intent
        return Rotated(
            intent.gitlab,
            ending,
            self.redactor.clean(detail),
            intent.token_name,
            intent.kind,
            intent.mode,
            new.expires_at or "",
            tuple(steps),
            recovery,
        )
