"""Remove webhooks, each one only after both servers said once more, right before, that it can be spared."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from configurator.clients.gitlab import GitLabClient
from configurator.errors import (
    AnswerLostError,
    ConfiguratorError,
    NotFoundError,
    UnauthorisedError,
    UnreachableError,
    in_words,
)
from configurator.hook_url import Address, read_address, shown_url
from configurator.kinds.webhook import addresses
from configurator.webhooks.backup import Backup, BackupError
from configurator.webhooks.catalogue import Presence, SecondLook, take_catalogue
from configurator.webhooks.model import HEALTHY, Delivery, Done, Ending, Finding, Hook, HookClass, Picture
from configurator.webhooks.selection import REMOVABLE
from configurator.webhooks.work import STOPPED, Fuse, Listener, bug_words, counted, work_off
from configurator.world.world import World

ACTION = "delete"

_DOUBTS = 5
"""How many second looks in a row may end without an answer before Jenkins is taken to be past asking."""

_MAY_DIFFER = frozenset(("alert_status", "disabled_until", "url_variables", "custom_headers"))
"""Not part of what a hook is set to: its health changes by itself, and lists leave the names out (behaviour.md, 2)."""

_GONE = "it was gone already: somebody else deleted it"

Look = Callable[[Address], tuple[Presence, str]]


def remove(
    selected: Sequence[Finding],
    picture: Picture,
    world: World,
    backup: Backup,
    watcher: Listener,
    stop: threading.Event,
) -> tuple[Done, ...]:
    """Remove hooks. For each, in this order, and the first doubt spares it:

    1. it is read again: it must be what it was when it was looked at;
    2. orphaned: Jenkins is asked for the job again, and at a former address the latest delivery must not have been
       taken well; a duplicate: the one that stays is read again, and must be there, as it was, not disabled, send
       the same custom headers, and not have failed at its latest delivery while this one did not;
    3. its line in the backup is on the disk;
    4. it is deleted. A lost answer is looked into before it is called done or failed.

    Where a server can't be reached or takes the token no more, or the backup can't be written, the rest is skipped.

    Args:
        selected: from :func:`configurator.webhooks.selection.select`, and past its guard.
        picture: the whole picture, not a narrowed one: the hooks that stay are looked up in it.
        world: the servers; the work runs on its pool.
        backup: open.
        watcher: hears of every hook.
        stop: once set, what is under way is finished and the rest is skipped.

    Returns:
        One for each of ``selected``, in their order: done, skipped (why it was spared), failed.
    """
    look: Look | None = None
    if any(one.cls is HookClass.ORPHANED for one in selected):
        watcher.stage(f"asking {world.jenkins.label} once more for the jobs that are missing")
        catalogue = take_catalogue(world.jenkins, world.salt)
        look = SecondLook(world.jenkins, catalogue).look
        if catalogue.problem:
            look = partial(_can_not_look, catalogue.problem)
    watcher.stage(f"removing {counted(len(selected), 'webhook')}")
    run = _Cleanup(selected, picture, world, backup, stop, look)
    return work_off([partial(run.one, finding) for finding in selected], world.pool, watcher)


def _can_not_look(problem: str, address: Address) -> tuple[Presence, str]:
    return Presence.UNKNOWN, problem


class _Cleanup:
    def __init__(
        self,
        selected: Sequence[Finding],
        picture: Picture,
        world: World,
        backup: Backup,
        stop: threading.Event,
        look: Look | None,
    ) -> None:
        self._world = world
        self._backup = backup
        self._stop = stop
        self._look = look
        self._roots = {name: addresses(world, name) for name in world.gitlabs}
        self._selected = {_place(one.hook) for one in selected}
        self._project: dict[tuple[str, int], list[Hook]] = defaultdict(list)
        for finding in picture.findings:
            self._project[finding.hook.gitlab, finding.hook.project_id].append(finding.hook)
        self._gitlabs = {name: Fuse() for name in world.gitlabs}
        self._jenkins = Fuse(_DOUBTS)
        self._disk = Fuse(1)

    def one(self, finding: Finding) -> list[Done]:
        """Work on one hook."""
        gitlab = self._gitlabs[finding.hook.gitlab]
        reason = self._halted(finding)
        if reason:
            return [Done(finding, ACTION, Ending.SKIPPED, reason)]
        try:
            return [self._remove(finding, self._world.gitlabs[finding.hook.gitlab])]
        except BackupError as error:
            self._disk.blow(in_words(error))
            detail = f"not deleted: {in_words(error)}"
        except UnauthorisedError as error:
            gitlab.blow(in_words(error))
            detail = in_words(error)
        except UnreachableError as error:
            gitlab.failed(in_words(error))
            detail = in_words(error)
        except ConfiguratorError as error:
            detail = in_words(error)
        except Exception as error:  # must not take the other hooks, nor the report of them, with it
            detail = bug_words(error, self._world.redactor)
        return [Done(finding, ACTION, Ending.FAILED, detail)]

    def _halted(self, finding: Finding) -> str:
        if self._stop.is_set():
            return STOPPED
        reason = self._disk.reason or self._gitlabs[finding.hook.gitlab].reason
        if finding.cls is HookClass.ORPHANED:
            reason = reason or self._jenkins.reason
        return f"not tried: {reason}" if reason else ""

    def _remove(self, finding: Finding, client: GitLabClient) -> Done:
        hook = finding.hook
        now = self._read(client, hook, hook.id)
        if now is None:
            return Done(finding, ACTION, Ending.DONE, _GONE)
        changed = _changed(hook, now)
        doubt = f"it was changed since it was looked at ({changed})" if changed else self._doubt(finding, now, client)
        if doubt:
            return Done(finding, ACTION, Ending.SKIPPED, doubt)
        same_url = [one.id for one in self._beside(hook) if one.url == hook.url]
        self._backup.write(finding, now.attributes, client.url, same_url)
        return self._delete(finding, client)

    def _beside(self, hook: Hook) -> list[Hook]:
        return [one for one in self._project[hook.gitlab, hook.project_id] if one.id != hook.id]

    def _read(self, client: GitLabClient, hook: Hook, hook_id: int) -> Hook | None:
        """A hook of the project as it is now, None where it is gone for sure.

        Raises:
            NotFoundError: the project itself is gone, or invisible now: then so is the hook, and nobody knows.
        """
        try:
            attributes = client.hook(hook.project_id, hook_id)
        except NotFoundError:
            if any(one["id"] == hook_id for one in client.hooks(hook.project_id)):
                raise
            return None
        self._gitlabs[hook.gitlab].answered()
        return Hook(hook.gitlab, hook.project, hook.project_id, attributes)

    def _doubt(self, finding: Finding, now: Hook, client: GitLabClient) -> str:
        """Why the hook had better stay, empty where nothing speaks for it."""
        if finding.cls not in REMOVABLE or now.owner not in (None, self._world.owner):
            return "such a hook is never removed"
        if finding.moves_to is not None:
            return f"the spec renamed its job to {finding.moves_to}: `configurator apply` moves the hook"
        if finding.cls is HookClass.ORPHANED:
            return self._doubt_of_orphan(now, client)
        if finding.cls is HookClass.DUPLICATE:
            return self._doubt_of_duplicate(finding, now, client)
        return ""

    def _doubt_of_orphan(self, now: Hook, client: GitLabClient) -> str:
        address = read_address(now.url, self._roots[now.gitlab])
        if address is None or not address.readings or self._look is None:
            return "its URL names no job of this Jenkins"
        presence, evidence = self._look(address)
        if presence is Presence.UNKNOWN:
            self._jenkins.failed(evidence)
            return f"whether its job is gone could not be made sure: {evidence}"
        self._jenkins.answered()
        if presence is Presence.EXISTS:
            return f"its job is there: {evidence}"
        latest = "" if address.current else _latest_status(now, client)
        if not latest.startswith("2"):
            return ""
        # Half moved: the former Jenkins is still there, with jobs that this one never had.
        return f"its job is gone, yet what is at the former address {shown_url(address.root)} took it well: {latest}"

    def _doubt_of_duplicate(self, finding: Finding, now: Hook, client: GitLabClient) -> str:
        keeper = next((one for one in self._beside(now) if one.id == finding.keeper), None)
        if keeper is None:
            return "which hook stays in its place is not known"
        if _place(keeper) in self._selected:
            return f"hook {keeper.id}, which would stay in its place, is to be removed as well"
        stays = self._read(client, keeper, keeper.id)
        if stays is None:
            return f"hook {keeper.id}, which would stay in its place, is gone"
        changed = _changed(keeper, stays)
        if changed:
            return f"hook {keeper.id}, which would stay in its place, was changed since ({changed})"
        if stays.alert_status != HEALTHY and now.alert_status == HEALTHY:
            return f"hook {keeper.id}, which would stay in its place, is {stays.alert_status.replace('_', ' ')}"
        headers = _header_names(now) - _header_names(stays)
        if headers:  # something before Jenkins may ask for them, and a list does not show them
            return f"hook {keeper.id}, which would stay in its place, does not send {', '.join(sorted(headers))}"
        if _is_failure(_latest_status(stays, client)) and not _is_failure(_latest_status(now, client)):
            return f"the latest delivery of hook {keeper.id}, which would stay in its place, failed"
        return ""

    def _delete(self, finding: Finding, client: GitLabClient) -> Done:
        hook = finding.hook
        try:
            client.delete_hook(hook.project_id, hook.id)
        except NotFoundError:
            if self._read(client, hook, hook.id) is None:
                return Done(finding, ACTION, Ending.DONE, _GONE)
            raise
        except AnswerLostError as error:
            return self._look_after(finding, client, error)
        return Done(finding, ACTION, Ending.DONE, "deleted")

    def _look_after(self, finding: Finding, client: GitLabClient, lost: AnswerLostError) -> Done:
        """What became of a deletion whose answer was lost more than once."""
        try:
            there = self._read(client, finding.hook, finding.hook.id)
        except ConfiguratorError:
            detail = f"it may have been deleted, and can't be looked at: {in_words(lost)}"
            return Done(finding, ACTION, Ending.FAILED, detail)
        if there is not None:
            return Done(finding, ACTION, Ending.FAILED, f"not deleted: {in_words(lost)}")
        return Done(finding, ACTION, Ending.DONE, "deleted; GitLab's answer was lost, and it is gone")


def _place(hook: Hook) -> tuple[str, int, int]:
    return hook.gitlab, hook.project_id, hook.id


def _header_names(hook: Hook) -> set[str]:
    shown = hook.attributes.get("custom_headers") or ()
    return {str(one.get("key")) for one in shown if isinstance(one, dict)}


def _latest_status(hook: Hook, client: GitLabClient) -> str:
    """How the latest delivery of the last days was answered; empty where there was none, or no log is shown."""
    log = client.hook_events(hook.project_id, hook.id, 1)
    return str(log[0].get("response_status") or "") if log else ""


def _is_failure(status: str) -> bool:
    return bool(status) and Delivery(status, "", "").failed


def _changed(then: Hook, now: Hook) -> str:
    """Names of the settings that are not what they were, for people; empty where none is."""
    before: Mapping[str, Any] = then.attributes
    names = [name for name in before.keys() & now.attributes.keys() if before[name] != now.attributes[name]]
    return ", ".join(sorted(set(names) - _MAY_DIFFER))
