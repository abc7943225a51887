"""Webhooks in GitLab: one per job that GitLab shall start, found again by its URL and its mark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from configurator.clients.jenkins import hook_path
from configurator.errors import NotFoundError, ServerError
from configurator.hook_url import job_of, read_address, shown_url
from configurator.kinds.base import Aftermath, Kind
from configurator.kinds.hook_body import (
    BASE_FLAGS,
    WEBHOOK,
    HookBody,
    hook_differences,
    hook_mark,
    hook_payload,
    marked_by_url,
    observed_hook,
    resolve_hook,
    webhook_key,
)
from configurator.model import Action, Change, Field, Key, Observation, Resource, Unchecked
from configurator.spec.expanded import Expanded
from configurator.spec.models import GitLab
from configurator.spec.urls import same_server
from configurator.world.survey import ProjectFound
from configurator.world.world import World

__all__ = ["HookBody", "WebhookKind", "addresses", "jenkins_root", "webhook_key"]


class WebhookKind(Kind[HookBody, None]):
    """GitLab project webhooks."""

    name = WEBHOOK

    def desired(self, expanded: Expanded) -> Iterator[Resource[HookBody]]:
        entries = {entry.name: entry for entry in expanded.spec.gitlab}
        for job in expanded.jobs:
            if job.hook is None:
                continue
            root = jenkins_root(entries[job.hook.gitlab], expanded)
            attributes = {
                "url": root + hook_path(job.name),
                **{flag: flag in job.hook.events for flag in BASE_FLAGS},
                "push_events_branch_filter": job.hook.branch_filter,
                "branch_filter_strategy": "wildcard" if job.hook.branch_filter else "all_branches",
                "enable_ssl_verification": job.hook.ssl_verification,
            }
            parent = Key("job", job.name)
            yield Resource(
                webhook_key(job.hook.gitlab, job.hook.project, job.name),
                HookBody(job.hook.gitlab, job.hook.project, job.name, attributes, former=job.former),
                owner=expanded.spec.name,
                origin=job.origin,
                after=(parent,),
                pair=parent,
                adopt=job.adopt,
            )

    def observe(self, wanted: Sequence[Resource[HookBody]], world: World) -> Observation[HookBody]:
        existing: dict[Key, Resource[HookBody]] = {}
        resolved: dict[Key, Resource[HookBody]] = {}
        unchecked: list[Unchecked] = []
        warnings: list[str] = []
        taken: set[tuple[str, int]] = set()  # hooks that are accounted for, whichever entry of their server saw them
        unsure: set[tuple[str, str]] = set()  # jobs whose hook is wanted by an entry that can't see it
        for name in world.gitlabs:
            survey = world.survey(name)
            warnings += survey.warnings
            warnings += [survey.refused] if survey.refused and not survey.by_path else []
            mine = [one for one in wanted if one.body.gitlab == name]
            for one in mine:
                project = survey.by_path[one.body.project]
                if project.hooks is None or project.id is None:
                    unchecked.append(Unchecked(self.name, one.key.name, project.problem, project.failed))
                    unsure.add((server_of(world, name), one.body.job))
                    continue
                found, job = _find(one, project, addresses(world, name), world)
                if found is not None:
                    taken.add((server_of(world, name), int(found["id"])))
                    existing[one.key] = observed_hook(one.key, name, project.path, job, found)
                    warnings += _beside(one.key, name, one.body.job, project, found, world)
                secret = world.webhook_secret(name)
                assert secret is not None, "checked before"
                resolved[one.key] = resolve_hook(one, project.id, found, survey.describes_hooks, world.owner, secret)
        for name in world.gitlabs:
            survey = world.survey(name)
            for resource in _left_over(name, survey.by_id.values(), taken, world):
                if (server_of(world, name), resource.body.job) in unsure:
                    continue
                existing[resource.key] = resource
                warnings += _on_its_last_trace(resource, world)
            warnings += _elsewhere(name, survey.by_id.values(), world)
            unchecked += _unseen(name, survey.by_id.values(), survey.by_path.values())
        return Observation(existing, resolved, tuple(unchecked), tuple(warnings))

    def differences(self, wanted: Resource[HookBody], existing: Resource[HookBody]) -> Sequence[Field]:
        return hook_differences(wanted.body, existing.body)

    def create(self, wanted: Resource[HookBody], world: World, prepared: None) -> None:
        body = wanted.body
        assert body.project_id is not None
        client = world.gitlabs[body.gitlab]
        known = [int(hook["id"]) for hook in world.survey(body.gitlab).by_id[body.project_id].hooks or ()]
        made = client.create_hook(body.project_id, hook_payload(body), known=known)
        if "description" in body.attributes and "description" not in made:
            # An older GitLab accepts the field and forgets it (behaviour.md, 1): the mark goes into the URL.
            client.update_hook(body.project_id, int(made["id"]), hook_payload(marked_by_url(body)))

    def update(self, wanted: Resource[HookBody], existing: Resource[HookBody], world: World, prepared: None) -> None:
        body = wanted.body
        there = existing.body
        assert there.project_id is not None and there.hook_id is not None
        world.gitlabs[body.gitlab].update_hook(there.project_id, there.hook_id, hook_payload(body))

    def delete(self, existing: Resource[HookBody], world: World) -> None:
        body = existing.body
        assert body.project_id is not None and body.hook_id is not None
        world.gitlabs[body.gitlab].delete_hook(body.project_id, body.hook_id)

    def finish(self, done: Sequence[Change], world: World, prepared: None) -> Aftermath:
        """Remove twins: GitLab takes the same hook twice, and another run may have made it at the same time."""
        made: dict[tuple[str, int], list[HookBody]] = {}
        for change in done:
            body = change.wanted.body if change.wanted else None
            if change.action is Action.CREATE and body is not None and body.project_id is not None:
                made.setdefault((body.gitlab, body.project_id), []).append(body)
        problems = world.pool.map(lambda place: _remove_twins(place, made[place], world), made)
        return Aftermath(warnings=tuple(problem for problem in problems if problem))


def _remove_twins(place: tuple[str, int], made: Sequence[HookBody], world: World) -> str:
    """Of the hooks of ours for one job, those that came later than the plan go, but for the oldest of all.

    Whichever run looks last sees both, and all keep the same one. Returns what went wrong, or nothing.
    """
    gitlab, project_id = place
    client, roots = world.gitlabs[gitlab], addresses(world, gitlab)[:1]
    planned = {int(hook["id"]) for hook in world.survey(gitlab).by_id[project_id].hooks or ()}
    try:
        ours = [hook for hook in client.hooks(project_id) if _is_ours(hook, world.owner)]
        for body in made:
            ids = sorted(int(hook["id"]) for hook in ours if job_of(str(hook["url"]), roots) == body.job)
            for hook_id in ids[1:]:
                if hook_id not in planned:
                    with suppress(NotFoundError):  # the other run did it
                        client.delete_hook(project_id, hook_id)
    except ServerError as error:
        return f"whether another run made the same webhooks can't be told, plan again: {error}"
    return ""


def jenkins_root(entry: GitLab, expanded: Expanded) -> str:
    """Jenkins' root URL as that GitLab reaches it, no trailing slash."""
    return (entry.webhooks.jenkins_url or expanded.spec.jenkins.url).rstrip("/")


def server_of(world: World, gitlab: str) -> str:
    """Which GitLab an entry means: several entries may mean one, each with a token of its own."""
    return same_server(world.gitlab_entry(gitlab).url)


def addresses(world: World, gitlab: str) -> tuple[str, ...]:
    """Every root URL under which hooks of that GitLab may know this Jenkins.

    The present one as that GitLab reaches it, then ``jenkins.url`` where it differs, then the former ones.
    """
    entry = world.gitlab_entry(gitlab)
    present, own = jenkins_root(entry, world.expanded), world.expanded.spec.jenkins.url.rstrip("/")
    return (present, *((own,) if own != present else ()), *entry.webhooks.former_jenkins_urls)


def _find(
    wanted: Resource[HookBody], project: ProjectFound, roots: Iterable[str], world: World
) -> tuple[Mapping[str, Any] | None, str]:
    """The hook of the job, and the job that it calls: the former one where the spec renamed it.

    A hook of ours at the former job's address is taken over where there is none for the present job, and nothing in
    the spec wants it: so it keeps its id and its log of deliveries.
    """
    former = former_job(wanted.body, world)
    return hook_of_job(project.hooks or (), wanted.body.job, former, tuple(roots), world.owner)


def former_job(body: HookBody, world: World) -> str | None:
    """The job's name before the spec renamed it; None where it was not, or where that job is in the spec again."""
    return None if body.former is None or Key("job", body.former) in world.desired else body.former


def hook_of_job(
    hooks: Sequence[Mapping[str, Any]], job: str, former: str | None, roots: Sequence[str], owner: str
) -> tuple[Mapping[str, Any] | None, str]:
    """The hook among those of a project that a job's hook is, or becomes; and the job that it calls now.

    Args:
        hooks: as GitLab shows them.
        job: full name.
        former: the name that it had before, from which a hook of ours is taken over; None = it had no other.
        roots: every root URL of this Jenkins, the present one first.
        owner: name of the spec.
    """
    found = _best(hooks, job, roots, owner)
    if found is not None or former is None:
        return found, job
    return _best([hook for hook in hooks if _is_ours(hook, owner)], former, roots, owner), former


def _best(hooks: Iterable[Mapping[str, Any]], job: str, roots: Sequence[str], owner: str) -> Mapping[str, Any] | None:
    """The hook of a job: ours before others, at the present address before another one, the oldest first."""

    def rank(hook: Mapping[str, Any]) -> tuple[bool, bool, int]:
        moved = job_of(str(hook["url"]), roots[:1]) != job
        return (not _is_ours(hook, owner), moved, int(hook["id"]))

    return min((hook for hook in hooks if _job(hook, roots, owner) == job), key=rank, default=None)


def _is_ours(hook: Mapping[str, Any], owner: str) -> bool:
    mark = hook_mark(hook)
    return mark is not None and mark.owner == owner


def _job(hook: Mapping[str, Any], roots: Sequence[str], owner: str) -> str | None:
    """The job that a hook means. Of others only those count that reach it: what is wrong with ours can be mended."""
    if not _is_ours(hook, owner):
        return job_of(str(hook["url"]), roots)
    address = read_address(str(hook["url"]), roots)
    return address.job if address else None


def _left_over(
    gitlab: str, projects: Iterable[ProjectFound], taken: set[tuple[str, int]], world: World
) -> Iterator[Resource[HookBody]]:
    """Hooks to this Jenkins that carry our mark and that nothing in the spec asks for; they are ``taken`` then."""
    roots, server = addresses(world, gitlab), server_of(world, gitlab)
    seen: set[Key] = set()
    for project, hook in _ours(projects, world.owner):
        job = _job(hook, roots, world.owner)
        if job is None or (server, int(hook["id"])) in taken:
            continue
        taken.add((server, int(hook["id"])))
        key = webhook_key(gitlab, project.path, job)
        if key in world.desired or key in seen:
            key = Key(key.kind, f"{key.name} (hook {hook['id']})")
        seen.add(key)
        yield observed_hook(key, gitlab, project.path, job, hook)


def _beside(
    key: Key, gitlab: str, job: str, project: ProjectFound, ours: Mapping[str, Any], world: World
) -> Iterator[str]:
    """Other people's hooks to the same job: GitLab delivers to both, and Jenkins may build twice."""
    roots = addresses(world, gitlab)
    for hook in project.hooks or ():
        foreign = not _is_ours(hook, world.owner)
        if foreign and hook["id"] != ours["id"] and job_of(str(hook["url"]), roots) == job:
            yield f"webhook {key.name}: webhook {hook['id']} of the project calls the same job, which may build twice"


def _on_its_last_trace(left_over: Resource[HookBody], world: World) -> Iterator[str]:
    """A job's mark names one project: once it is rewritten, nothing leads to the hook in the project before."""
    body = left_over.body
    if webhook_key(body.gitlab, body.project, body.job) in world.desired:
        return  # a twin of the hook that the spec wants: its project is looked at every time
    if any(job in world.desired for job in left_over.after):
        yield (
            f"webhook {left_over.key.name}: its job has another project (or no webhook) now; "
            "apply with --prune this time, for the job's old mark is what leads to it"
        )


def _elsewhere(gitlab: str, projects: Iterable[ProjectFound], world: World) -> Iterator[str]:
    """Hooks with our mark that call another address: maybe those of a second Jenkins with this spec, so not ours."""
    roots = addresses(world, gitlab)
    for project, hook in _ours(projects, world.owner):
        url = str(hook["url"])
        start = f"{gitlab}:{project.path}: webhook {hook['id']} carries our mark and calls"
        address = read_address(url, roots)
        if address is None:
            yield (
                f"{start} another address, {shown_url(url)}: left alone; if that is where this Jenkins was, "
                "put it under webhooks.former_jenkins_urls"
            )
        elif address.job is None:
            yield f"{start} no job of this Jenkins, {shown_url(url)}: left alone; delete it, or remove our mark"


def _ours(projects: Iterable[ProjectFound], owner: str) -> Iterator[tuple[ProjectFound, Mapping[str, Any]]]:
    for project in projects:
        for hook in project.hooks or ():
            if _is_ours(hook, owner):
                yield project, hook


def _unseen(gitlab: str, projects: Iterable[ProjectFound], of_the_spec: Iterable[ProjectFound]) -> Iterator[Unchecked]:
    """Projects that only marks on jobs name, whose hooks can't be seen: nothing of them may be pruned."""
    known = {project.id for project in of_the_spec}
    for project in projects:
        if project.hooks is None and project.id not in known:
            yield Unchecked("webhook", f"{gitlab}:{project.path}", project.problem, project.failed)
