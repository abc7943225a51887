"""Webhooks of one project that reach the same job: which of them stays, and which it makes superfluous. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from configurator.webhooks.model import HEALTHY
from configurator.webhooks.reach import FORMER, NOT_ENDPOINT, Reached, faults

_DISABLED, _FAILING, _REFUSED = "disabled", "failing", "refused"
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """A hook with what speaks against keeping it.

    Attributes:
        one: the hook and its job.
        mismatched: it differs from what the spec wants, or from its job.
        refused: the job would not accept its token.
        failing: GitLab disabled it, or its latest delivery failed.
        proven: ours, and compared with spec and job without a difference, so that what it sends is known to be right.
    """

    one: Reached
    mismatched: bool = False
    refused: bool = False
    failing: bool = False
    proven: bool = False

    @property
    def defects(self) -> frozenset[str]:
        """What is wrong with it."""
        own = {
            _DISABLED: self.one.hook.alert_status != HEALTHY,
            _FAILING: self.failing,
            _REFUSED: self.refused,
        }
        return faults(self.one.address, self.one.target.reading) | {name for name, holds in own.items() if holds}


@dataclass(frozen=True, slots=True)
class Twin:
    """What was found out about one of several hooks to the same job.

    Attributes:
        keeper: id of the hook that stays and makes it superfluous, or None.
        text: for people.
    """

    keeper: int | None
    text: str


def find_twins(candidates: Iterable[Candidate]) -> Mapping[tuple[str, int, int], Twin]:
    """Every hook that has a twin worth telling of, by gitlab, project id, hook id.

    The hooks of a group are put into one order, the best first, and gone through once: a hook that one of those
    that stay stands in for is superfluous, else it stays itself. So what stays is never superfluous.
    """
    groups: dict[tuple[str, int, str], list[Candidate]] = {}
    for candidate in candidates:
        one = candidate.one
        groups.setdefault((one.hook.gitlab, one.hook.project_id, one.target.job), []).append(candidate)
    found: dict[tuple[str, int, int], Twin] = {}
    for group in groups.values():
        if len(group) > 1:
            found.update(_judge(sorted(group, key=_rank)))
    return found


def _judge(group: Sequence[Candidate]) -> dict[tuple[str, int, int], Twin]:
    staying: list[Candidate] = []
    found: dict[tuple[str, int, int], Twin] = {}
    for candidate in group:
        keeper = next((one for one in staying if stands_in(one, candidate)), None)
        if keeper is None:
            staying.append(candidate)
        else:
            found[candidate.one.key] = Twin(keeper.one.hook.id, _superfluous(keeper, candidate))
    for candidate in staying:
        others = [one for one in staying if one is not candidate and not candidate.one.elsewhere]
        texts = [f"webhook {one.one.hook.id} {why}" for one in others if (why := _shortcoming(one, candidate))]
        if texts:
            more = f" (and {len(texts) - _SHOWN} more)" if len(texts) > _SHOWN else ""
            found[candidate.one.key] = Twin(
                None, f"no duplicate, though others call the same job: {', '.join(texts[:_SHOWN])}{more}"
            )
    return found


def _rank(candidate: Candidate) -> tuple[int, int, bool, bool, int, bool, int]:
    """Ours first, then another owner's, then nobody's; what works before what does not; what does more; the oldest."""
    one = candidate.one
    whose = 0 if one.ours else 1 if one.elsewhere else 2
    return (
        whose,
        len(candidate.defects),
        FORMER in candidate.defects,
        candidate.mismatched,
        -len(one.hook.events),
        bool(_filter(candidate)),
        one.hook.id,
    )


def stands_in(keeper: Candidate, removed: Candidate) -> bool:
    """Whether nothing is lost when ``keeper`` stays and ``removed`` goes."""
    if removed.one.elsewhere or (removed.one.ours and not keeper.one.ours):
        return False
    if NOT_ENDPOINT in keeper.defects or not keeper.defects <= removed.defects:
        return False
    return not _shortcoming(keeper, removed) and (keeper.proven or _as_likely(keeper, removed))


def _shortcoming(keeper: Candidate, removed: Candidate) -> str:
    """What ``removed`` delivers and ``keeper`` does not."""
    missing = [event for event in removed.one.hook.events if event not in keeper.one.hook.events]
    if missing:
        return f"does not deliver {', '.join(name.removesuffix('_events').replace('_', ' ') for name in missing)}"
    if _filter(keeper) not in (None, _filter(removed)):
        return "filters branches otherwise"
    if (keeper.one.hook.attributes.get("custom_webhook_template") or "") != (
        removed.one.hook.attributes.get("custom_webhook_template") or ""
    ):
        return "sends another text"
    return ""


def _as_likely(keeper: Candidate, removed: Candidate) -> bool:
    """Whether a hook whose token nobody knows has all that may be why its twin is accepted."""
    mine, theirs = keeper.one.hook, removed.one.hook
    stricter = mine.attributes.get("enable_ssl_verification") and not theirs.attributes.get("enable_ssl_verification")
    lost_token = theirs.attributes.get("token_present") and not mine.attributes.get("token_present")
    return _user_info(mine.url) == _user_info(theirs.url) and not stricter and not lost_token


def _filter(candidate: Candidate) -> tuple[str, str] | None:
    """Strategy and pattern; None = every branch (behaviour.md, 7)."""
    attributes = candidate.one.hook.attributes
    strategy = str(attributes.get("branch_filter_strategy") or "wildcard")
    pattern = str(attributes.get("push_events_branch_filter") or "").strip()
    pushes = attributes.get("push_events") is True
    return (strategy, pattern) if pattern and strategy != "all_branches" and pushes else None


def _user_info(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[0]


def _superfluous(keeper: Candidate, removed: Candidate) -> str:
    whose = " of ours" if keeper.one.ours else f" of {keeper.one.mark.owner}" if keeper.one.mark else ""
    same = set(keeper.one.hook.events) == set(removed.one.hook.events)
    return (
        f"webhook {keeper.one.hook.id}{whose} in the same project calls the same job and delivers "
        f"{'the same events' if same else 'these events and more'}; it stays"
    )
