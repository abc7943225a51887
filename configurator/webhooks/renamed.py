"""Webhooks at the address that a job had before the spec renamed it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from configurator.kinds.webhook import hook_of_job
from configurator.webhooks.model import Hook
from configurator.webhooks.terms import Terms


def moving(hooks: Iterable[Hook], terms: Mapping[str, Terms], owner: str) -> dict[tuple[str, int, int], str]:
    """The hooks that `configurator apply` moves, with the present name of their job; by gitlab, project id, hook id.

    Args:
        hooks: every hook of each project that is looked at.
        terms: by name of the gitlab entry.
        owner: name of the spec.
    """
    renaming = {name: entry for name, entry in terms.items() if entry.former}
    projects: dict[tuple[str, str], dict[int, Hook]] = defaultdict(dict)
    for hook in hooks:
        if hook.gitlab in renaming:
            projects[hook.gitlab, hook.project.casefold()][hook.id] = hook
    moves: dict[tuple[str, int, int], str] = {}
    for name, entry in renaming.items():
        for job, former in entry.former.items():
            there = projects.get((name, entry.wanted[job].body.project.casefold()), {})
            shown = [one.attributes for one in there.values()]
            found, called = hook_of_job(shown, job, former, entry.roots, owner)
            if found is not None and called == former:
                moves[name, there[int(found["id"])].project_id, int(found["id"])] = job
    return moves
