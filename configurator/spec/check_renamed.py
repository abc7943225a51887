"""Checks of ``renamed_from``: a name that Jenkins or git could have had, and that nothing in the spec has now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from configurator.spec.check_items import application_folder
from configurator.spec.findings import Findings, Parts
from configurator.spec.names import branch_problem, full_name_problem
from configurator.spec.nodes import Path
from configurator.spec.renamed import Branch, former_folder, present_branches

_STILL_THERE = "what is in the spec keeps its webhooks: remove renamed_from once the rename was applied"


@dataclass(frozen=True, slots=True)
class _Renaming:
    """Something that had another name.

    Attributes:
        path: where ``renamed_from`` is written.
        present: its name now.
        former: its name before.
    """

    path: Path
    present: str
    former: str


def check_renamed(parts: Parts, findings: Findings) -> None:
    """Every ``renamed_from`` that can't be right."""
    folders = {application_folder(one).casefold(): ("applications", i) for i, one in parts.applications.items()}
    _check("application", _applications(parts), folders, full_name_problem, findings)
    jobs = {job.name.casefold(): ("jobs", index) for index, job in parts.jobs.items()}
    _check("job", _jobs(parts), jobs, full_name_problem, findings)
    for index, application in parts.applications.items():
        path: Path = ("applications", index, "branches")
        renamed = [
            _Renaming((*path, number, "renamed_from"), entry.name, entry.renamed_from)
            for number, entry in enumerate(application.branches)
            if isinstance(entry, Branch) and entry.renamed_from is not None
        ]
        present = {name: (*path, number) for number, name in enumerate(present_branches(application.branches))}
        _check("branch", renamed, present, branch_problem, findings)


def _applications(parts: Parts) -> Iterator[_Renaming]:
    for index, one in parts.applications.items():
        if one.renamed_from is not None:
            former = former_folder(one.renamed_from, one.folder)
            yield _Renaming(("applications", index, "renamed_from"), application_folder(one), former)


def _jobs(parts: Parts) -> Iterator[_Renaming]:
    for index, job in parts.jobs.items():
        if job.renamed_from is not None:
            yield _Renaming(("jobs", index, "renamed_from"), job.name, job.renamed_from)


def _check(
    word: str,
    renamed: Iterable[_Renaming],
    present: Mapping[str, Path],
    problem_of: Callable[[str], str | None],
    findings: Findings,
) -> None:
    """Check those of one word.

    Args:
        word: what they are.
        renamed: what had another name.
        present: the names that are taken, branches as they are and others in lower case, with their places.
        problem_of: says what is wrong with a name.
        findings: where problems go.
    """
    first: dict[str, Path] = {}
    for one in renamed:
        # To Jenkins names that differ only in case are one, to git they are not.
        former, own = (name if word == "branch" else name.casefold() for name in (one.former, one.present))
        problem = problem_of(one.former)
        earlier = first.setdefault(former, one.path)
        if problem:
            findings.error(one.path, f"the former name of the {word} {problem}", "write the name that it had before")
        elif former == own:
            overlooked = "" if one.former == one.present else ", for Jenkins overlooks case"
            message = f"'{one.former}' is the name that the {word} has now{overlooked}"
            findings.error(one.path, message, "write the name that it had before, or remove renamed_from")
        elif former in present:
            place = findings.place(present[former])
            findings.error(one.path, f"the {word} '{one.former}' is still in the spec, at {place}", _STILL_THERE)
        elif earlier != one.path:
            message = f"two were renamed from the {word} '{one.former}', the first at {findings.place(earlier)}"
            findings.error(one.path, message, "only one can take its webhooks over: remove the other")
