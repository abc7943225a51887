"""Where a spec uses a token: every reference that leads to the same value, and the credentials made from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from configurator.engine.apply import Listener
from configurator.engine.order import narrowed
from configurator.errors import InputError, PermissionMissingError, ServerError
from configurator.kinds.credential import CredentialBody, CredentialKind, credential_key
from configurator.model import Action, Change, Key, Outcome, Plan, Resource
from configurator.run import Run
from configurator.secret import Secret
from configurator.spec.models import GitLab, SecretRef
from configurator.tokens.rotating.model import Step, StepResult

APPLY_FIRST = "run `configurator apply` first"


def same_token(run: Run, token: Secret) -> tuple[SecretRef, ...]:
    """Every reference of the spec that leads to ``token``: two of them may differ and mean one token."""
    found = []
    for reference in _references(run):
        with suppress(InputError):  # one that this run does not need, and can't be had
            if not run.secrets.is_oauth(reference) and run.secrets.get(reference).matches(token):
                found.append(reference)
    return tuple(found)


def by_text(run: Run, texts: Sequence[str]) -> tuple[SecretRef, ...]:
    """The references of the spec that read like these, wherever they stand by now.

    Args:
        run: the spec with its servers.
        texts: as :func:`text_of` gives them.
    """
    wanted = set(texts)
    return tuple(one for one in _references(run) if text_of(one) in wanted)


def text_of(reference: SecretRef) -> str:
    """What a reference says, such as ``{"file":"token"}``: unlike its place, it means the same when entries move."""
    return reference.model_dump_json()


def _references(run: Run) -> Iterator[SecretRef]:
    for entry in run.loaded.spec.gitlab:
        yield entry.token
        if entry.credential.token is not None:
            yield entry.credential.token
        if entry.rotation is not None and entry.rotation.admin_token is not None:
            yield entry.rotation.admin_token
    for one in run.loaded.spec.credentials:
        yield from _credential_references(run, credential_key(one.folder, one.id))


def _credential_references(run: Run, key: Key) -> Iterator[SecretRef]:
    resource: Resource[CredentialBody] | None = run.desired.get(key)
    if resource is not None:
        yield from resource.body.references.values()


class JenkinsTarget:
    """The credentials in Jenkins that hold a token, changed by plan and apply and nothing else.

    Args:
        run: the spec with its servers.
        references: all that lead to the token.
        listener: hears of the plan's stages.
    """

    def __init__(self, run: Run, references: Sequence[SecretRef], listener: Listener) -> None:
        self._run = run
        self._references = tuple(references)
        self._listener = listener
        using = [one for one in run.desired.values() if one.key.kind == CredentialKind.name and self._uses(one)]
        self.keys = tuple(one.key for one in using if one.manage)
        self._foreign = tuple(one.key.name for one in using if not one.manage)
        self._connections = tuple(
            entry
            for entry in run.loaded.spec.gitlab
            if entry.manage and credential_key(None, entry.credential.id) in self.keys
        )

    def prove(self) -> list[Step]:
        """Write the present token again: where a user lacks Administer, nothing else proves the right to."""
        steps = [*self._not_ours()]
        if not self.keys:
            return steps
        try:
            plan = self._run.plan(rewrite=self.keys, listener=self._listener)
        except ServerError as error:
            return [*steps, *self._all_failed(error)]
        refused = {key: reason for key in self.keys if (reason := _obstacle(plan, key, strict=True))}
        steps += [_step(key, StepResult.FAILED, reason) for key, reason in refused.items()]
        steps += self._apply(plan, refused, StepResult.PROVED, "its present token was written again")
        return [*steps, *self.test("before")]

    def write(self, token: Secret) -> list[Step]:
        """Write the new token. May be repeated."""
        for reference in self._references:
            self._run.overrule(reference, token)
        if not self.keys:
            return []
        try:
            plan = self._run.plan(rewrite=self.keys, listener=self._listener)
        except ServerError as error:
            return self._all_failed(error)
        refused = {key: reason for key in self.keys if (reason := _obstacle(plan, key, strict=False))}
        steps = [_step(key, StepResult.FAILED, reason) for key, reason in refused.items()]
        return [*steps, *self._apply(plan, refused, StepResult.DONE, "written")]

    def test(self, when: str) -> list[Step]:
        """Let Jenkins try its connections with the credential (contract, fact 19).

        Args:
            when: ``before`` or ``after`` the rotation.
        """
        return [self._test(entry, when) for entry in self._connections]

    def _test(self, entry: GitLab, when: str) -> Step:
        target = f"Jenkins' connection {entry.name}"
        try:
            works, said = self._run.world.jenkins.test_connection(
                entry.url,
                entry.credential.id,
                client=entry.client,
                ignore_certificate_errors=entry.ignore_certificate_errors,
                connection_timeout=entry.connection_timeout,
                read_timeout=entry.read_timeout,
            )
        except PermissionMissingError as error:
            return Step(target, StepResult.UNKNOWN, f"can't be tested: needs {error.permission}")
        except ServerError as error:
            return Step(target, StepResult.FAILED, f"can't be tested: {error}")
        if works:
            return Step(target, StepResult.PROVED if when == "before" else StepResult.DONE, f"works: {said}")
        cure = "mend that first, or nobody could tell whether the new token works" if when == "before" else ""
        return Step(target, StepResult.FAILED, f"Jenkins can't use it: {said}. {cure}".rstrip(". "))

    def _uses(self, resource: Resource[CredentialBody]) -> bool:
        return any(mine == other for mine in resource.body.references.values() for other in self._references)

    def _not_ours(self) -> Iterator[Step]:
        """Credentials that the spec leaves to others: they hold the old token until their owner writes the new."""
        foreign = list(self._foreign)
        for entry in self._run.loaded.spec.gitlab:
            mine = entry.credential.token or entry.token
            if not entry.manage and any(mine == reference for reference in self._references):
                foreign.append(entry.credential.id)
        for name in foreign:
            yield Step(
                f"credential {name}",
                StepResult.UNKNOWN,
                "not managed by this spec (manage: false): if it holds this token, its owner has to write the new one",
            )

    def _apply(self, plan: Plan, refused: dict[Key, str], good: StepResult, words: str) -> list[Step]:
        part = narrowed(plan, [key for key in self.keys if key not in refused])
        if not part.changes:
            return []
        results = self._run.apply(part).results
        return [
            _step(one.change.key, good, words)
            if one.outcome is Outcome.DONE
            else _step(one.change.key, StepResult.FAILED, one.error)
            for one in results
        ]

    def _all_failed(self, error: ServerError) -> list[Step]:
        words = f"{error}. {error.hint}".rstrip(". ")
        return [_step(key, StepResult.FAILED, words) for key in self.keys]


def _step(key: Key, result: StepResult, detail: str) -> Step:
    return Step(f"Jenkins' {key}", result, detail)


def _obstacle(plan: Plan, key: Key, *, strict: bool) -> str:
    """Why a credential can't be written, or empty.

    Args:
        strict: it must match the spec in everything, its token above all.
    """
    change: Change | None = next((one for one in plan.changes if one.key == key), None)
    if change is None:
        reasons = [one.reason for one in plan.unchecked if Key(one.kind, one.name) == key or one.name == "*"]
        return f"it can't be looked at: {reasons[0]}" if reasons else "it can't be looked at"
    if change.action is Action.CREATE:
        return f"it is not there yet: {APPLY_FIRST}"
    if change.action is not Action.UPDATE:
        return f"{change.reason}: `configurator plan` tells more"
    differs = [field.path for field in change.fields if field.path != "secret"]
    if strict and differs:
        return f"it differs from the spec ({', '.join(differs)}): {APPLY_FIRST}"
    return ""
