"""Which projects of the spec a token reaches, and in which role. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from configurator.errors import PermissionMissingError, ServerError
from configurator.tokens.checking.evidence import TokenEvidence
from configurator.tokens.checks import Check, Verdict

ROLES = {10: "Guest", 20: "Reporter", 30: "Developer", 40: "Maintainer", 50: "Owner"}
_MOST = 5  # projects that a sentence names


class Standing(StrEnum):
    """How a token's user stands to a project."""

    ENOUGH = "the role, or more"
    READER = "Reporter or more, and less than it takes"
    STRANGER = "the project can be seen, and the role is lower than Reporter"
    HIDDEN = "the project can't be seen"
    MOVED = "the project has another path now"
    UNGRANTED = "a fine-grained right is missing"
    UNKNOWN = "GitLab did not say"


@dataclass(frozen=True)
class Standings:
    """What was found out about the projects of a spec.

    Attributes:
        projects: by path, as the spec writes it.
        moved: present path by the spec's.
        lacks: the fine-grained right that was missing, in GitLab's words.
        problem: why the projects could not be listed.
        owner_path: path of the project or group that the token belongs to, where it was among them.
    """

    projects: Mapping[str, Standing] = field(default_factory=dict)
    moved: Mapping[str, str] = field(default_factory=dict)
    lacks: str = ""
    problem: ServerError | None = None
    owner_path: str = ""

    def of(self, *standings: Standing) -> list[str]:
        """Paths of the projects with one of ``standings``, sorted."""
        return sorted(path for path, standing in self.projects.items() if standing in standings)


def judge_access(facts: TokenEvidence, standings: Standings) -> list[Check]:
    """The checks ``role`` and, for tokens of a project or group, ``reach``. Empty without projects."""
    if standings.problem is not None:
        return [_unlisted(facts, standings.problem)]
    if not standings.projects:
        return []
    checks = []
    outside = _outside(facts, standings)
    if facts.owner is not None:
        checks.append(_reach(facts, standings, outside))
    inside = len(standings.projects) - len(outside)
    return [*_roles(facts, standings, set(outside)), *checks] if inside else checks


def _roles(facts: TokenEvidence, standings: Standings, outside: set[str]) -> list[Check]:
    role, total = ROLES[facts.need.role], len(standings.projects)
    checks = []
    for number, standing in enumerate((Standing.READER, Standing.STRANGER)):
        low = [path for path in standings.of(standing) if path not in outside]
        if low:
            reads = "" if number else " (enough to read)"
            evidence = f"the role is lower than {role} in {_count(low, total)}: {_names(low)}{reads}"
            cure = _raise_role(facts, role, low[0])
            checks.append(Check(facts.subject, "role", Verdict.FAIL, evidence, cure))
    hidden = [path for path in standings.of(Standing.HIDDEN) if path not in outside]
    if hidden:
        checks.append(_hidden(facts, hidden, total))
    for path in standings.of(Standing.MOVED):
        there = standings.moved.get(path, "")
        evidence = f"{path} has moved{f' to {there}' if there else ''}"
        checks.append(Check(facts.subject, "role", Verdict.WARN, evidence, "write the new path into the spec"))
    unsaid = standings.of(Standing.UNKNOWN, Standing.UNGRANTED)
    if unsaid:
        evidence = f"the role is not known in {_count(unsaid, total)}: {_names(unsaid)}"
        cure = "mend what the other checks tell, then run this again"
        checks.append(Check(facts.subject, "role", Verdict.UNKNOWN, evidence, cure))
    if not checks:
        where = "the project" if total == 1 else f"all {total} projects"
        if outside:
            where = f"{total - len(outside)} of {total} projects"
        checks.append(Check(facts.subject, "role", Verdict.OK, f"{role} or more in {where} of the spec"))
    return checks


def _hidden(facts: TokenEvidence, hidden: Sequence[str], total: int) -> Check:
    seen = "no project of the spec can be seen" if len(hidden) == total else f"{_count(hidden, total)} can't be seen"
    cure = (
        f"check the path, and make {_user(facts)} {ROLES[facts.need.role]} ({facts.pages.members(hidden[0])}); "
        "a group's IP allow list that lacks this machine hides its projects, too"
    )
    if facts.granular:
        cure = f"check the path, and make another token that is granted on these projects, too: {facts.page}"
    if facts.administrator:
        cure = f"check the path; where Admin Mode is on, use a token that has the scope admin_mode, too: {facts.page}"
    return Check(facts.subject, "role", Verdict.FAIL, f"{seen}: {_names(hidden)}", cure)


def _raise_role(facts: TokenEvidence, role: str, path: str) -> str:
    if facts.owner is not None:
        return f"the role of such a token can't be changed: make another one as {role}: {facts.page}"
    return f"make {_user(facts)} {role}: {facts.pages.members(path)}"


def _outside(facts: TokenEvidence, standings: Standings) -> list[str]:
    """Projects beyond what the token belongs to; a bot can be member of nothing else."""
    if facts.owner is None:
        return []
    home = standings.owner_path.lower()
    short = standings.of(Standing.HIDDEN, Standing.STRANGER, Standing.READER)
    if facts.owner.kind == "project":
        return [path for path in short if path.lower() != home]
    return [path for path in short if not (home and path.lower().startswith(f"{home}/"))]


def _reach(facts: TokenEvidence, standings: Standings, outside: Sequence[str]) -> Check:
    owner, total = facts.owner, len(standings.projects)
    name = f"{owner}{f' ({standings.owner_path})' if standings.owner_path else ''}"
    if not outside:
        return Check(facts.subject, "reach", Verdict.OK, f"{name} holds every project of the spec")
    evidence = f"the token reaches nothing but {name}, and not {_count(outside, total)}: {_names(outside)}"
    wider = "of a group that holds them all" if len(standings.projects) > 1 else "of that project or its group"
    cure = f"use a token {wider}, or a personal one: {facts.pages.personal_tokens}"
    return Check(facts.subject, "reach", Verdict.FAIL, evidence, cure)


def _unlisted(facts: TokenEvidence, problem: ServerError) -> Check:
    if isinstance(problem, PermissionMissingError):
        evidence = f"the projects can't be listed without {problem.permission}"
        return Check(facts.subject, "role", Verdict.UNKNOWN, evidence, f"make another token: {facts.page}")
    cure = problem.hint or "run this again later"
    return Check(facts.subject, "role", Verdict.UNKNOWN, f"the projects can't be listed: {problem.reason}", cure)


def _user(facts: TokenEvidence) -> str:
    return facts.username or "the token's user"


def _count(paths: Sequence[str], total: int) -> str:
    return "the project of the spec" if total == 1 else f"{len(paths)} of {total} projects of the spec"


def _names(paths: Iterable[str]) -> str:
    listed = list(paths)
    more = len(listed) - _MOST
    return ", ".join(listed if more <= 1 else [*listed[:_MOST], f"and {more} more"])
