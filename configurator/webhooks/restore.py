"""Put webhooks of a backup back: only those still missing, as they were, and with words for what GitLab never told."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from configurator.clients.gitlab import GitLabClient
from configurator.errors import (
    AnswerLostError,
    ConfiguratorError,
    InputError,
    MovedError,
    NotFoundError,
    PermissionMissingError,
    Problem,
    UnauthorisedError,
    UnreachableError,
    in_words,
)
from configurator.marks import fingerprint, hook_token
from configurator.secret import Secret
from configurator.webhooks.backup import Entry, read_backup
from configurator.webhooks.model import HEALTHY, Done, Ending, Hook
from configurator.webhooks.work import STOPPED, Fuse, Listener, bug_words, counted, work_off
from configurator.world.world import World

ACTION = "restore"

_NOT_SENT = frozenset(
    (
        "id",
        "project_id",
        "created_at",
        "alert_status",
        "disabled_until",
        "repository_update_events",
        "url_variables",
        "custom_headers",
        "token_present",
        "signing_token_present",
    )
)
"""What GitLab shows and does not take, or takes in another form (behaviour.md, 1, 2)."""

_VARIABLE = re.compile(r"\{[A-Za-z][A-Za-z0-9._-]*\}")


def restore(
    path: Path, world: World, watcher: Listener, stop: threading.Event, dry_run: bool = False
) -> tuple[Done, ...]:
    """Make the hooks of a backup again that are missing. Called twice, it makes nothing twice.

    A hook is there when its project has one with its id, or one with its URL and mark that the project did not have
    when the backup was written. Its token is derived again where its mark is ours and tells that this gives the
    same one.

    Args:
        path: the backup.
        world: the servers; projects are worked on by its pool, side by side.
        watcher: hears of every hook.
        stop: once set, what is under way is finished and the rest is skipped.
        dry_run: look, and say what would be made.

    Returns:
        One for each hook of the backup, projects together: done, planned, skipped (it is there, or was not tried),
        incomplete (there again, and something of it has to be set by hand: which), failed.

    Raises:
        InputError: the backup can't be read, or is of a GitLab that the spec does not have; with every problem.
    """
    stored = read_backup(path)
    for warning in stored.warnings:
        watcher.warning(warning)
    names = _gitlabs(path, stored.entries, world)
    if stored.owner != world.owner:
        watcher.warning(
            f"{path} was written by {stored.owner}, this is {world.owner}: tokens of its hooks can't be derived"
        )
    projects: dict[tuple[str, int], list[Entry]] = {}
    for entry in stored.entries:
        name = names[entry.finding.hook.gitlab, entry.gitlab_url]
        moved = replace(entry, finding=replace(entry.finding, hook=replace(entry.finding.hook, gitlab=name)))
        projects.setdefault((name, entry.finding.hook.project_id), []).append(moved)
    watcher.stage(f"looking for {counted(len(stored.entries), 'webhook')} in {counted(len(projects), 'project')}")
    ids: dict[str, set[int]] = {}
    for name, project_id in projects:
        ids.setdefault(name, set()).add(project_id)
    paths = {name: listed_paths(world.gitlabs[name], len(wanted), world.pool) for name, wanted in ids.items()}
    run = _Restore(world, stop, dry_run, {name: _webhook_secret(world, name) for name in ids}, paths)
    return work_off([partial(run.project, entries) for entries in projects.values()], world.pool, watcher)


def _gitlabs(path: Path, entries: Sequence[Entry], world: World) -> dict[tuple[str, str], str]:
    """The spec's gitlab entry for each one that the backup names: that of the same address, whatever its name.

    Raises:
        InputError: there is none; with every one that is missing.
    """
    by_url = {_plain(client.url): name for name, client in world.gitlabs.items()}
    named: dict[tuple[str, str], str] = {}
    problems = []
    for place in dict.fromkeys((one.finding.hook.gitlab, one.gitlab_url) for one in entries):
        name, url = place
        same_name = world.gitlabs.get(name)
        found = name if same_name and _plain(same_name.url) == _plain(url) else by_url.get(_plain(url))
        if found is not None:
            named[place] = found
            continue
        known = ", ".join(f"{one} {client.url}" for one, client in world.gitlabs.items()) or "none"
        problems.append(
            Problem(
                f"{path} holds webhooks of GitLab {name} {url}, and the spec has no such GitLab (it has {known})",
                hint="take the spec that the backup was made with; where that GitLab has a new address now, write it "
                "into the lines of the backup",
            )
        )
    if problems:
        raise InputError(problems)
    return named


def _plain(url: str) -> str:
    split = urlsplit(url.rstrip("/"))
    return f"{split.scheme.lower()}://{split.netloc.lower()}{split.path}"


def _webhook_secret(world: World, gitlab: str) -> Secret | None:
    """The key of that GitLab's tokens; None where the spec names none, or it is not set here."""
    try:
        return world.webhook_secret(gitlab)
    except InputError:
        return None


class _Restore:
    def __init__(
        self,
        world: World,
        stop: threading.Event,
        dry_run: bool,
        secrets: Mapping[str, Secret | None],
        paths: Mapping[str, Mapping[int, str]],
    ) -> None:
        self._world = world
        self._stop = stop
        self._dry_run = dry_run
        self._secrets = secrets
        self._paths = paths
        self._fuses = {name: Fuse() for name in world.gitlabs}

    def project(self, entries: Sequence[Entry]) -> list[Done]:
        """All hooks of one project, one after the other, so that each sees the ones made before it."""
        first = entries[0].finding.hook
        reason = self._halted(first.gitlab)
        if reason:
            return [Done(one.finding, ACTION, Ending.SKIPPED, reason) for one in entries]
        client = self._world.gitlabs[first.gitlab]
        try:
            listed = self._paths[first.gitlab].get(first.project_id, "")
            other = "" if listed.casefold() == first.project.casefold() else _another_project(first, client)
            if other:
                return [Done(one.finding, ACTION, Ending.FAILED, other) for one in entries]
            there = [Hook(first.gitlab, first.project, first.project_id, one) for one in client.hooks(first.project_id)]
            back = _pair(entries, there)
        except ConfiguratorError as error:
            reason = self._failure(first.gitlab, error)
        except Exception as error:  # must not take the other projects, nor the report of them, with it
            reason = bug_words(error, self._world.redactor)
        if reason:
            return [Done(one.finding, ACTION, Ending.FAILED, reason) for one in entries]
        self._fuses[first.gitlab].answered()
        known = {one.id for one in there}
        return [self._one(entry, back.get(number), known, client) for number, entry in enumerate(entries)]

    def _halted(self, gitlab: str) -> str:
        if self._stop.is_set():
            return STOPPED
        reason = self._fuses[gitlab].reason
        return f"not tried: {reason}" if reason else ""

    def _one(self, entry: Entry, there: Hook | None, known: set[int], client: GitLabClient) -> Done:
        finding, gitlab = entry.finding, entry.finding.hook.gitlab
        if there is not None:
            as_hook = "" if there.id == finding.hook.id else f", as hook {there.id}"
            return Done(finding, ACTION, Ending.SKIPPED, f"it is there{as_hook}")
        variables = _VARIABLE.findall(finding.hook.url)
        if variables:
            detail = (
                f"its URL uses {', '.join(variables)}, and GitLab never tells the values: make it by hand in the "
                "project's settings, under Webhooks, with the URL from the backup"
            )
            return Done(finding, ACTION, Ending.FAILED, detail)
        token, missing = self._missing(finding.hook, finding.job)
        if self._dry_run:
            return Done(finding, ACTION, Ending.PLANNED, "; ".join(["it would be made again", *missing]))
        reason = self._halted(gitlab)
        if reason:
            return Done(finding, ACTION, Ending.SKIPPED, reason)
        sent = _sendable(finding.hook.attributes)
        try:
            made = client.create_hook(finding.hook.project_id, {**sent, **({"token": token} if token else {})}, known)
        except ConfiguratorError as error:
            return Done(finding, ACTION, Ending.FAILED, self._failure(gitlab, error))
        except Exception as error:  # must not take the other hooks, nor the report of them, with it
            return Done(finding, ACTION, Ending.FAILED, bug_words(error, self._world.redactor))
        self._fuses[gitlab].answered()
        known.add(int(made["id"]))
        return _report(entry, made, [*missing, *_not_taken(sent, made)])

    def _missing(self, hook: Hook, job: str | None) -> tuple[Secret | None, list[str]]:
        """The token that can be derived again, and what has to be set by hand, for people."""
        token, missing = None, []
        shown = hook.attributes
        if shown.get("token_present") is not False:
            token = self._token(hook, job)
            if token is None:
                missing.append(_without_token(hook, self._world.owner, self._secrets[hook.gitlab] is not None))
        if shown.get("signing_token_present"):
            missing.append("its signing token is not known: set it by hand")
        for field, what in (("custom_headers", "custom headers"), ("url_variables", "URL variables")):
            names = [str(one.get("key")) for one in shown.get(field) or () if isinstance(one, dict)]
            if names:
                missing.append(f"the values of its {what} are not known: set {', '.join(names)} by hand")
        return token, missing

    def _token(self, hook: Hook, job: str | None) -> Secret | None:
        """The token as it was, None where it can't be derived, or would be another one."""
        secret, mark = self._secrets[hook.gitlab], hook.mark
        if secret is None or job is None or mark is None or mark.owner != self._world.owner:
            return None
        token = hook_token(secret, hook.project_id, job)
        return token if fingerprint(secret, token) == mark.key else None

    def _failure(self, gitlab: str, error: ConfiguratorError) -> str:
        """Words for a failure; keep the others from running into the same wall."""
        if isinstance(error, UnauthorisedError):
            self._fuses[gitlab].blow(in_words(error))
        elif isinstance(error, UnreachableError):
            self._fuses[gitlab].failed(in_words(error))
        elif isinstance(error, NotFoundError):
            return f"its project is not there, or can't be seen: {in_words(error)}"
        elif isinstance(error, AnswerLostError):
            return f"it may have been made: {in_words(error)}; run again to see"
        return in_words(error)


def listed_paths(client: GitLabClient, projects: int, pool: Executor) -> Mapping[int, str]:
    """Paths of projects by their ids, from one listing, where it takes fewer requests than a look-up for each.

    Looking a project up is limited to 400 a minute, listing hardly (behaviour.md, 12).

    Args:
        client: the GitLab.
        projects: how many are of interest.
        pool: reads the pages side by side.

    Returns:
        What was listed; nothing where it is too long, or can't be had.
    """
    try:
        first = client.list_projects()
        if first.total_pages is None or first.total_pages > projects:
            return {}
        more = pool.map(lambda number: client.list_projects(page=number).items, range(2, first.total_pages + 1))
        items = [*first.items, *(item for page in more for item in page)]
    except ConfiguratorError:
        return {}
    return {int(item["id"]): str(item["path_with_namespace"]) for item in items}


def _another_project(hook: Hook, client: GitLabClient) -> str:
    """Why the project with the hook's project id is not the one that the hook was in, or empty where it is.

    A GitLab that was set up anew, or that the projects were moved to, counts from 1 again: the hook of one project
    would start builds for pushes to another.
    """
    try:
        now = str(client.project(hook.project_id).get("path_with_namespace") or "")
    except PermissionMissingError:  # a fine-grained token that may see hooks and no more: it can't be told
        return ""
    if now.casefold() == hook.project.casefold():
        return ""
    try:
        found = int(client.project(hook.project)["id"])
    except MovedError as error:
        found = error.project_id or 0
    except NotFoundError:
        found = 0
    if found == hook.project_id:
        return ""
    return (
        f"project {hook.project_id} is {now} here, in the backup it is {hook.project}, and GitLab knows of no move: "
        "where it is the same project all the same, write its present path into the lines of the backup"
    )


def _pair(entries: Sequence[Entry], there: Sequence[Hook]) -> dict[int, Hook]:
    """Which hook of the project is which one of the backup, by place in ``entries``.

    Each counts once: of two alike that were removed, and one that is back, the other one is still missing.
    """
    by_id = {one.id: one for one in there}
    back = {number: by_id[one.finding.hook.id] for number, one in enumerate(entries) if one.finding.hook.id in by_id}
    taken = {one.id for one in back.values()}
    for number, entry in enumerate(entries):
        if number in back:
            continue
        same = [one for one in there if one.id not in taken | entry.others and _alike(entry.finding.hook, one)]
        if same:
            back[number] = min(same, key=lambda one: one.id)
            taken.add(back[number].id)
    return back


def _alike(gone: Hook, there: Hook) -> bool:
    """Same URL and mark; where this GitLab knows no descriptions, the same URL must do."""
    return there.url == gone.url and (there.mark == gone.mark or "description" not in there.attributes)


def _sendable(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What is sent to make it as it was.

    GitLab takes null for no value, and fills in null itself for what is left out, but for ``push_events``, which it
    would switch on (behaviour.md, 1).
    """
    sent = {name: value for name, value in attributes.items() if name not in _NOT_SENT and value is not None}
    return {"push_events": False, **sent}


def _not_taken(sent: Mapping[str, Any], made: Mapping[str, Any]) -> list[str]:
    """What GitLab dropped without an error (behaviour.md, 1), for people."""
    other = [name for name, value in sent.items() if (made.get(name) or None) != (value or None)]
    return [f"GitLab did not take {', '.join(other)}: set it by hand"] if other else []


def _without_token(hook: Hook, owner: str, keyed: bool) -> str:
    if "token_present" not in hook.attributes and hook.mark is None:
        return "whether it had a secret token is not known: set it by hand if Jenkins asks for one"
    reason = "is not known"
    if hook.owner == owner:
        reason = "can't be derived from this webhook secret" if keyed else "needs the webhook secret of the spec"
    return f"its secret token {reason}: set it by hand, the same as in the job's trigger"


def _report(entry: Entry, made: Mapping[str, Any], missing: Sequence[str]) -> Done:
    detail = [f"made again as hook {int(made['id'])}", *missing]
    if entry.finding.hook.alert_status != HEALTHY:
        detail.append(f"GitLab had it {entry.finding.hook.alert_status.replace('_', ' ')}, now it delivers again")
    return Done(entry.finding, ACTION, Ending.INCOMPLETE if missing else Ending.DONE, "; ".join(detail))
