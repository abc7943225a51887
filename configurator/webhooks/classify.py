"""What every webhook is: does its job exist, is it the right one, does it work. Pure: asks no server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from configurator.hook_url import Address, read_address
from configurator.kinds.webhook import HookBody
from configurator.marks import Mark
from configurator.model import Resource
from configurator.webhooks.compare import Comparison, compare
from configurator.webhooks.failures import failure
from configurator.webhooks.integrations import integration_of, judge_integrations
from configurator.webhooks.model import Catalogue, Delivery, Finding, Hook, HookClass
from configurator.webhooks.reach import Reached, find_target, remarks, stale
from configurator.webhooks.renamed import moving
from configurator.webhooks.terms import Terms, terms_of
from configurator.webhooks.twins import Candidate, Twin, find_twins

__all__ = ["PRECEDENCE", "Terms", "classify", "integration_of", "judge_integrations", "terms_of"]

PRECEDENCE = (
    HookClass.FOREIGN,
    HookClass.UNKNOWN,
    HookClass.ORPHANED,
    HookClass.MISROUTED,
    HookClass.DUPLICATE,
    HookClass.STALE,
    HookClass.MISMATCHED,
    HookClass.FAILING,
    HookClass.UNMANAGED,
    HookClass.LIVE,
)
"""Where several classes hold, the first is the hook's; the others stand beside it."""

HookKey = tuple[str, int, int]
_SHOWN_ORDER = {cls: place for place, cls in enumerate(HookClass)}


def classify(
    hooks: Sequence[Hook],
    catalogue: Catalogue,
    terms: Mapping[str, Terms],
    owner: str,
    salt: str,
    deliveries: Mapping[HookKey, tuple[Delivery, ...]] | None = None,
) -> tuple[Finding, ...]:
    """One finding for each hook, in the order of :class:`~configurator.webhooks.model.Picture`.

    A hook is orphaned only where it is proven that its job does not exist (``Catalogue.lacks``). What could not be
    checked is unknown, and nothing else is said about it in ``also``, so that no selection by class meets it.

    Args:
        hooks: of any number of projects; one that stands here twice is one hook.
        catalogue: the jobs of the controller.
        terms: by name of the gitlab entry, one for each that ``hooks`` names.
        owner: name of the spec.
        salt: hex; keys the digests of tokens in ``catalogue``.
        deliveries: by gitlab, project id, hook id; the latest first. Left out where the log was not read.
    """
    judge = _Judge(hooks, catalogue, terms, owner, salt, deliveries or {})
    return tuple(sorted(judge.findings(), key=_place))


def _place(finding: Finding) -> tuple[int, str, str, int, int]:
    hook = finding.hook
    return _SHOWN_ORDER[finding.cls], hook.gitlab, hook.project, hook.project_id, hook.id


@dataclass(frozen=True, slots=True)
class _Judged:
    """A hook that reaches a job, before its twins are looked at.

    Attributes:
        one: the hook and its job.
        texts: evidence of the classes that hold.
        wanted: what the spec asks for, for this very project and job.
        candidate: the hook beside its twins.
    """

    one: Reached
    texts: Mapping[HookClass, str]
    wanted: Resource[HookBody] | None
    candidate: Candidate


class _Judge:
    """The rules, with all that they look at."""

    def __init__(
        self,
        hooks: Iterable[Hook],
        catalogue: Catalogue,
        terms: Mapping[str, Terms],
        owner: str,
        salt: str,
        deliveries: Mapping[HookKey, tuple[Delivery, ...]],
    ) -> None:
        self._hooks = {(hook.gitlab, hook.project_id, hook.id): hook for hook in hooks}
        self._catalogue = catalogue
        self._terms = terms
        self._owner = owner
        self._salt = salt
        self._deliveries = deliveries
        self._wanted = {job: one for entry in terms.values() for job, one in entry.wanted.items()}
        self._moves = moving(self._hooks.values(), terms, owner)
        self._ids = {
            (self._server(hook.gitlab), hook.project.casefold()): hook.project_id for hook in self._hooks.values()
        }

    def findings(self) -> list[Finding]:
        """One for each hook, in no order."""
        found: list[Finding] = []
        reached: list[_Judged] = []
        for hook in self._hooks.values():
            address = read_address(hook.url, self._terms[hook.gitlab].roots)
            judged = self._judge(hook, address)
            if isinstance(judged, Finding):
                found.append(judged)
            else:
                reached.append(judged)
        twins = find_twins(judged.candidate for judged in reached)
        return found + [self._of_reached(judged, twins.get(judged.one.key)) for judged in reached]

    def _judge(self, hook: Hook, address: Address | None) -> Finding | _Judged:
        mark = hook.mark
        ours = mark is not None and mark.owner == self._owner
        if address is None:
            return self._finding(hook, {HookClass.FOREIGN: _foreign(ours)}, None)
        if self._catalogue.problem:
            text = f"whether its job exists could not be checked: {self._catalogue.problem}"
            return self._unchecked(hook, text, address.job)
        if address.other or not address.readings:
            return self._elsewhere_on_jenkins(hook, address)
        target = find_target(self._catalogue, address)
        if target is not None:
            return self._reached(Reached(hook, address, target, mark, ours))
        if self._catalogue.lacks(address):
            return self._orphaned(hook, address, mark, ours)
        return self._unchecked(hook, self._out_of_sight(address), address.job)

    def _unchecked(self, hook: Hook, text: str, job: str | None) -> Finding:
        """Nothing is said beside it, so that no selection by another class meets it."""
        return Finding(hook, HookClass.UNKNOWN, text, job, deliveries=self._log(hook))

    def _out_of_sight(self, address: Address) -> str:
        unloaded = self._catalogue.not_loaded(address)
        if unloaded is not None:
            return (
                f"{unloaded} is on Jenkins' disk and could not be loaded: a plugin is missing, or its config.xml is "
                "damaged (Jenkins' log tells)"
            )
        hidden = next((one.job for one in address.readings if one.job in self._catalogue.hidden), None)
        if hidden is not None:
            return f"{hidden} exists, but this user can't see it: Job/Read there is missing"
        return (
            f"Jenkins shows this user no {address.job}, which may be there all the same: "
            "a user with Overall/Administer sees everything"
        )

    def _elsewhere_on_jenkins(self, hook: Hook, address: Address) -> Finding:
        """It is somebody's, and calls no job's endpoint that it could be judged by: unmanaged, whatever else holds."""
        text = f"it calls {address.other or '/'}, which is not where the GitLab plugin takes a job's webhooks"
        failing = failure(hook, self._log(hook))
        if not failing:
            return self._finding(hook, {HookClass.UNMANAGED: text}, address.job)
        both = f"{text}; {failing}"
        return Finding(hook, HookClass.UNMANAGED, both, address.job, (HookClass.FAILING,), self._log(hook))

    def _orphaned(self, hook: Hook, address: Address, mark: Mark | None, ours: bool) -> Finding:
        items = (self._catalogue.jobs.get(reading.job.casefold()) for reading in address.readings)
        folder = next((item for item in items if item is not None), None)
        gone = f"{folder.name} is a folder, not a job" if folder is not None else f"Jenkins has no item {address.job}"
        moved = self._moved(hook)
        texts = {
            HookClass.ORPHANED: "" if moved else gone,
            HookClass.STALE: f"{gone}, {moved}" if moved else stale(address, address.readings[0]),
            HookClass.FAILING: failure(hook, self._log(hook)),
        }
        return self._finding(hook, texts, address.job, self._whose(mark, ours))

    def _reached(self, one: Reached) -> _Judged:
        hook, terms, target = one.hook, self._terms[one.hook.gitlab], one.target
        misrouted = self._misrouted(one)
        outdated = stale(one.address, target.reading, terms.roots[0] if one.ours else None, target.job)
        failing = failure(hook, self._log(hook))
        wanted = None if misrouted else self._wanted_here(one)
        compared = Comparison()
        judged_by_token = one.ours and not misrouted and not target.is_multibranch
        known = self._catalogue.complete and target.seen.read
        if judged_by_token:
            compared = compare(one, wanted, terms, self._owner, self._salt, known=known, stale=bool(outdated))
        texts = {
            HookClass.MISROUTED: misrouted,
            HookClass.STALE: outdated,
            HookClass.MISMATCHED: compared.evidence,
            HookClass.FAILING: failing,
            HookClass.UNMANAGED: _unmanaged(wanted) if one.mark is None else "",
        }
        candidate = Candidate(
            one,
            mismatched=bool(compared.texts),
            refused=compared.refused,
            failing=bool(failing),
            proven=judged_by_token and known and terms.secret is not None and not compared.texts,
        )
        return _Judged(one, texts, wanted, candidate)

    def _wanted_here(self, one: Reached) -> Resource[HookBody] | None:
        """What the spec asks for, for this job and this GitLab; the project is known to be no other."""
        found = self._wanted.get(one.target.job)
        here = self._server(one.hook.gitlab)
        return found if found is not None and self._server(found.body.gitlab) == here else None

    def _server(self, gitlab: str) -> str:
        """Which GitLab an entry means, as far as the terms tell."""
        return self._terms[gitlab].server or gitlab

    def _misrouted(self, one: Reached) -> str:
        """Whether the job belongs to another project: the spec says so, or else the job's own mark."""
        hook, job, marked = one.hook, one.target.job, one.target.seen.mark
        server = self._server(hook.gitlab)
        place = (server, hook.project_id)
        here = f"this hook is in {hook.gitlab}:{hook.project}"
        # A mark may name a connection of another spec, of which nothing is known here.
        named = None
        if marked and marked.project and marked.gitlab and marked.gitlab in self._terms:
            named = (self._server(marked.gitlab), marked.project)
        wanted = self._wanted.get(job)
        if wanted is not None:
            gitlab, project = wanted.body.gitlab, wanted.body.project
            wanted_at = self._server(gitlab)
            known = self._ids.get((wanted_at, project.casefold()))
            # A project that was moved is no longer known by the spec's path: then the mark tells that it is this one.
            if (wanted_at, known) == place or (known is None and wanted_at == server and named == place):
                return ""
            return f"the spec has {gitlab}:{project} start {job}, {here}"
        if marked is None or named is None or named == place:
            return ""
        whose = "" if named[0] == server else f"{marked.gitlab}:"
        return f"the mark of {job} names project {whose}{named[1]}, {here} ({hook.project_id})"

    def _of_reached(self, judged: _Judged, twin: Twin | None) -> Finding:
        one, texts = judged.one, dict(judged.texts)
        moved = self._moved(one.hook)
        more = [*self._whose(one.mark, one.ours), *([moved] if moved else []), *remarks(one)]
        if twin is not None and twin.keeper is not None:
            texts[HookClass.DUPLICATE] = twin.text
        elif twin is not None:
            more.append(twin.text)
        if one.ours and not any(texts.values()):
            more.insert(0, self._as_it_should_be(judged))
        return self._finding(one.hook, texts, one.target.job, more, twin.keeper if twin else None)

    def _whose(self, mark: Mark | None, ours: bool) -> list[str]:
        return [f"managed by {mark.owner}"] if mark is not None and not ours else []

    def _new_job(self, hook: Hook) -> str | None:
        return self._moves.get((hook.gitlab, hook.project_id, hook.id))

    def _moved(self, hook: Hook) -> str:
        job = self._new_job(hook)
        return f"the spec renamed its job to {job}: `configurator apply` moves the hook" if job else ""

    def _as_it_should_be(self, judged: _Judged) -> str:
        target = judged.one.target
        if judged.wanted is None:
            return f"{target.job} exists; the spec does not ask for this hook: `configurator apply --prune` removes it"
        known = target.is_multibranch or (self._catalogue.complete and target.seen.read)
        return f"{target.job} exists, and the hook is as the spec wants it" + ("" if known else _NOT_READ)

    def _finding(
        self,
        hook: Hook,
        texts: Mapping[HookClass, str],
        job: str | None,
        more: Sequence[str] = (),
        keeper: int | None = None,
    ) -> Finding:
        """A finding of the first class that holds, with the others beside it.

        Args:
            hook: the hook.
            texts: evidence by class, empty where the class does not hold.
            job: full name of the job that its URL means.
            more: further sentences for people.
            keeper: for a duplicate, the id of the hook that stays.
        """
        held = [cls for cls in PRECEDENCE if texts.get(cls)] or [HookClass.LIVE]
        evidence = "; ".join([*(texts[cls] for cls in held if cls in texts), *more])
        also, log = tuple(held[1:]), self._log(hook)
        return Finding(hook, held[0], evidence, job, also, log, keeper, self._new_job(hook))

    def _log(self, hook: Hook) -> tuple[Delivery, ...]:
        return self._deliveries.get((hook.gitlab, hook.project_id, hook.id), ())


_NOT_READ = " (the job's own token and trigger can't be read without Overall/Administer)"


def _foreign(ours: bool) -> str:
    if not ours:
        return "it calls no address of this Jenkins"
    return (
        "it carries our mark and calls no address of this Jenkins; if that is where this Jenkins was, "
        "put it under webhooks.former_jenkins_urls"
    )


def _unmanaged(wanted: Resource[HookBody] | None) -> str:
    if wanted is None:
        return "its job exists, and it carries no mark: it was made by hand"
    return "it carries no mark, and the spec asks for the same hook: `adopt: true` takes it over"
