"""The one request that matters: sent once, its answer kept at once; and what to make of an answer that never came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from configurator.clients.gitlab import GitLabClient
from configurator.clients.redaction import Redactor
from configurator.errors import (
    AnswerLostError,
    ConfiguratorError,
    ServerError,
    UnauthorisedError,
    UnreachableError,
)
from configurator.secret import Secret
from configurator.tokens.rotating.model import Ending, Step, StepResult
from configurator.tokens.rotating.recovery import Intent, Received, RecoveryFile, received
from configurator.tokens.rotating.rules import pages_of

LOOKS = (0.0, 1.0, 2.0, 4.0)
"""Seconds before each look at the old token: a request that a proxy gave up may still be under way."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What GitLab answered.

    Attributes:
        new: the new token.
        refused: why GitLab did not make one, with the cure; nothing was changed then.
        unclear: what happened instead of an answer: whether there is a new token is not known.
        steps: what went wrong on the way although there is a new token.
        sent: a request was sent in this run.
    """

    new: Received | None = None
    refused: str = ""
    unclear: str = ""
    steps: tuple[Step, ...] = ()
    sent: bool = False


def ask(request: Callable[[], str], recovery: RecoveryFile, redactor: Redactor) -> Asked:
    """Send the request, once, and keep the answer before anything else looks at it.

    Args:
        request: sends it and gives the answer's text.
        recovery: begun already.
        redactor: learns the new token.
    """
    try:
        answer, steps = _undisturbed(request, recovery)
    except UnauthorisedError as error:  # a proxy that repeats requests gives the answer to the second one
        return Asked(unclear=str(error), sent=True)
    except UnreachableError as error:
        return Asked(refused=f"{_words(error)}. GitLab was not asked, nothing was changed")
    except AnswerLostError as error:
        return Asked(unclear=str(error), sent=True)
    except ServerError as error:
        if error.status is None or error.status >= 500 or error.status < 400:
            return Asked(unclear=str(error), sent=True)
        if "must be before" in error.reason:
            error.hint = "that is the longest life this GitLab allows: lower rotation.expires_in in the spec"
        return Asked(refused=f"{_words(error)}. GitLab made no new token, nothing was changed", sent=True)
    except KeyboardInterrupt:
        raise ConfiguratorError(
            "stopped while GitLab was asked; its answer, if one came, is in the recovery file",
            "run `configurator token rotate --resume`, which goes on or finds out",
        ) from None
    new = received(answer)
    if new is None:
        return Asked(unclear="GitLab's answer holds no token", sent=True)
    redactor.learn(new.token)
    return Asked(new, steps=steps, sent=True)


def _undisturbed(request: Callable[[], str], recovery: RecoveryFile) -> tuple[Secret, tuple[Step, ...]]:
    """The answer, kept. An impatient second Ctrl-C only reaches the main thread: it is heard when all this is done."""

    def ask_and_keep() -> tuple[Secret, tuple[Step, ...]]:
        answer = Secret(request())
        try:
            recovery.receive(answer)
        except ConfiguratorError as error:  # all the more reason to bring it everywhere else
            return answer, (Step("recovery file", StepResult.FAILED, _words(error)),)
        return answer, ()

    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(ask_and_keep).result()


def find_out(client: GitLabClient, intent: Intent) -> tuple[Ending, str]:
    """Whether the token was renewed, by a read with the old one: a second rotation would kill the new one, too.

    Args:
        client: sends what the spec leads to: the old token, or another one that somebody has put there since.
        intent: what was asked for.

    Returns:
        ``LOST``, ``SETTLED`` (it was not renewed, or that does not matter any more) or ``UNKNOWN``; and a sentence.
    """
    for seconds in LOOKS:
        try:
            client.http.pause(seconds)
            record = client.token_info()
        except UnauthorisedError as error:
            return _refused(error, intent)
        except ServerError as error:
            return Ending.UNKNOWN, (
                f"Whether the {intent} was renewed can't be found out now: {_words(error)}. "
                "Run `configurator token rotate --resume` when GitLab answers again; do not rotate it otherwise"
            )
        if record is None:
            return Ending.UNKNOWN, f"GitLab does not tell whether the {intent} still works: look at its page"
        if record.get("id") != intent.token_id:
            return Ending.SETTLED, (
                f"The spec leads to another token by now ({record.get('name')!r}, id {record.get('id')}), and GitLab "
                "accepts it: nothing is left to do"
            )
    return Ending.SETTLED, f"The {intent} is still good: GitLab did not renew it. Run `token rotate` again"


def _refused(error: UnauthorisedError, intent: Intent) -> tuple[Ending, str]:
    if "revoked" in error.reason:
        return Ending.LOST, (
            f"The {intent} is revoked: GitLab renewed it, and the new value was lost on the way. Nobody can read it "
            "again, and no second rotation was sent."
        )
    if "expired" in error.reason:
        return Ending.LOST, f"The {intent} has expired meanwhile. If GitLab renewed it, the new value is lost."
    return Ending.UNKNOWN, (
        f"Whether the {intent} was renewed can't be told: {_words(error)}. "
        "Run `configurator token rotate --resume` when that is mended"
    )


def what_to_do(intent: Intent, place: str, holders: Sequence[str]) -> str:
    """The way out of a lost token, behind the sentence that says so."""
    still = f" Until then these hold a dead token: {', '.join(holders)}." if holders else ""
    return (
        f" Make a new token by hand ({pages_of(intent.kind, intent.url, intent.resource)}) and put it where the spec "
        f"takes {place} from, and into the sinks; then `configurator apply` brings it to Jenkins, and "
        f"`configurator token rotate {intent.gitlab} --resume` clears the recovery file.{still}"
    )


def _words(error: ConfiguratorError) -> str:
    return f"{error}. {error.hint}".rstrip(". ") if error.hint else str(error)
