"""Webhooks in GitLab: one per job that GitLab shall start, found again by its URL and its mark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from configurator.clients.jenkins import hook_path
from configurator.errors import NotFoundError, ServerError
from configurator.hook_url import job_of, mask_user_info
from configurator.kinds.base import Aftermath, Kind
from configurator.marks import (
    Mark,
    fingerprint,
    hook_token,
    read_mark,
    read_url_mark,
    with_mark,
    with_url_mark,
)
from configurator.model import Action, Change, Field, Key, Observation, Resource, Unchecked
from configurator.secret import MASK, Secret
from configurator.spec.expanded import Expanded
from configurator.spec.models import GitLab
from configurator.world.survey import ProjectFound
from configurator.world.world import World

# What every GitLab since 15.0 knows. Newer flags are set to false only where a hook shows them to be true.
BASE_FLAGS = (
    "push_events",
    "tag_push_events",
    "merge_requests_events",
    "issues_events",
    "confidential_issues_events",
    "note_events",
    "confidential_note_events",
    "job_events",
    "pipeline_events",
    "wiki_page_events",
    "deployment_events",
    "releases_events",
)
_NOT_SETTABLE = "repository_update_events"


@dataclass(frozen=True, slots=True)
class HookBody:
    """A webhook.

    Attributes:
        gitlab: name of the gitlab entry.
        project: path of the project, as the spec names it.
        job: full name of the job it starts.
        project_id: numeric id, None until it is known.
        hook_id: id of the hook, None for one to be made.
        attributes: as GitLab's API names them: url, description, flags, filter, SSL setting; never the token.
        mark: the mark it carries, or shall carry.
        token: wanted: the secret it sends.
    """

    gitlab: str
    project: str
    job: str
    attributes: Mapping[str, Any]
    project_id: int | None = None
    hook_id: int | None = None
    mark: Mark | None = None
    token: Secret | None = None


def webhook_key(gitlab: str, project: str, job: str) -> Key:
    """Key of a webhook: ``<gitlab>:<project path> -> <job full name>``."""
    return Key(WebhookKind.name, f"{gitlab}:{project} -> {job}")


class WebhookKind(Kind[HookBody, None]):
    """GitLab project webhooks."""

    name = "webhook"

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
                HookBody(job.hook.gitlab, job.hook.project, job.name, attributes),
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
        for name in world.gitlabs:
            survey = world.survey(name)
            warnings += survey.warnings
            warnings += [survey.refused] if survey.refused and not survey.by_path else []
            mine = [one for one in wanted if one.body.gitlab == name]
            matched: set[int] = set()
            for one in mine:
                project = survey.by_path[one.body.project]
                if project.hooks is None or project.id is None:
                    unchecked.append(Unchecked(self.name, one.key.name, project.problem, project.failed))
                    continue
                found = _find(one, project, addresses(world, name), world.owner)
                if found is not None:
                    matched.add(int(found["id"]))
                    existing[one.key] = _found(one.key, one.body.job, name, project, found)
                    warnings += _beside(one.key, name, one.body.job, project, found, world)
                resolved[one.key] = _resolve(one, project, found, survey.describes_hooks, world)
            for resource in _left_over(name, survey.by_id.values(), matched, world):
                existing[resource.key] = resource
                warnings += _on_its_last_trace(resource, world)
            warnings += _elsewhere(name, survey.by_id.values(), world)
            unchecked += _unseen(name, survey.by_id.values(), survey.by_path.values())
        return Observation(existing, resolved, tuple(unchecked), tuple(warnings))

    def differences(self, wanted: Resource[HookBody], existing: Resource[HookBody]) -> Sequence[Field]:
        mine, theirs = wanted.body, existing.body
        there, wished = _plain(theirs.attributes), _plain(mine.attributes)
        fields = [
            Field(name, _show(name, theirs.attributes[name]), _show(name, mine.attributes[name]))
            for name in mine.attributes
            if name in there and there[name] != wished[name]
        ]
        before, after = (body.mark.key if body.mark else None for body in (theirs, mine))
        if before != after:
            fields.append(Field("token", _shown_token(before), _shown_token(after), secret=True))
        return fields

    def create(self, wanted: Resource[HookBody], world: World, prepared: None) -> None:
        body = wanted.body
        assert body.project_id is not None
        client = world.gitlabs[body.gitlab]
        known = [int(hook["id"]) for hook in world.survey(body.gitlab).by_id[body.project_id].hooks or ()]
        made = client.create_hook(body.project_id, _payload(body), known=known)
        if "description" in body.attributes and "description" not in made:
            # An older GitLab accepts the field and forgets it (behaviour.md, 1): the mark goes into the URL.
            client.update_hook(body.project_id, int(made["id"]), _payload(_marked_by_url(body)))

    def update(self, wanted: Resource[HookBody], existing: Resource[HookBody], world: World, prepared: None) -> None:
        body = wanted.body
        there = existing.body
        assert there.project_id is not None and there.hook_id is not None
        world.gitlabs[body.gitlab].update_hook(there.project_id, there.hook_id, _payload(body))

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
        ours = [hook for hook in client.hooks(project_id) if (mark := _mark_of(hook)) and mark.owner == world.owner]
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


def addresses(world: World, gitlab: str) -> tuple[str, ...]:
    """Every root URL under which hooks of that GitLab may know this Jenkins, the present one first."""
    entry = world.gitlab_entry(gitlab)
    return (jenkins_root(entry, world.expanded), *entry.webhooks.former_jenkins_urls)


def _mark_of(hook: Mapping[str, Any]) -> Mark | None:
    return read_mark(hook.get("description")) or read_url_mark(str(hook["url"]))


def _find(
    wanted: Resource[HookBody], project: ProjectFound, roots: Iterable[str], owner: str
) -> Mapping[str, Any] | None:
    """The hook of the job: ours before others, at the present address before a former one, the oldest first."""
    job = wanted.body.job
    present, *_ = roots = tuple(roots)
    same = [hook for hook in project.hooks or () if job_of(str(hook["url"]), roots) == job]

    def rank(hook: Mapping[str, Any]) -> tuple[bool, bool, int]:
        mark = _mark_of(hook)
        moved = job_of(str(hook["url"]), (present,)) != job
        return (mark is None or mark.owner != owner, moved, int(hook["id"]))

    return min(same, key=rank, default=None)


def _found(key: Key, job: str, gitlab: str, project: ProjectFound, hook: Mapping[str, Any]) -> Resource[HookBody]:
    mark = _mark_of(hook)
    body = HookBody(gitlab, project.path, job, dict(hook), int(hook["project_id"]), int(hook["id"]), mark)
    return Resource(key, body, owner=mark.owner if mark else None, after=(Key("job", job),))


def _resolve(
    wanted: Resource[HookBody], project: ProjectFound, found: Mapping[str, Any] | None, describes: bool, world: World
) -> Resource[HookBody]:
    """The hook with token, mark, and every flag that this GitLab knows set one way or the other."""
    body = wanted.body
    secret = world.webhook_secret(body.gitlab)
    assert secret is not None and project.id is not None, "checked before"
    token = hook_token(secret, project.id, body.job)
    mark = Mark(world.owner, key=fingerprint(secret, token))
    attributes = dict(body.attributes)
    for flag in found or ():
        if flag.endswith("_events") and flag not in attributes and flag != _NOT_SETTABLE:
            attributes[flag] = False
    resolved = replace(body, attributes=attributes, project_id=project.id, mark=mark, token=token)
    if not describes:
        return wanted.with_body(_marked_by_url(resolved))
    attributes["description"] = with_mark((found or {}).get("description"), mark)
    return wanted.with_body(resolved)


def _marked_by_url(body: HookBody) -> HookBody:
    attributes = {name: value for name, value in body.attributes.items() if name != "description"}
    assert body.mark is not None
    return replace(body, attributes={**attributes, "url": with_url_mark(attributes["url"], body.mark)})


def _left_over(
    gitlab: str, projects: Iterable[ProjectFound], matched: set[int], world: World
) -> Iterator[Resource[HookBody]]:
    """Hooks to this Jenkins that carry our mark and that nothing in the spec asks for."""
    roots = addresses(world, gitlab)
    seen: set[Key] = set()
    for project, hook in _ours(projects, world.owner):
        job = job_of(str(hook["url"]), roots)
        if job is None or int(hook["id"]) in matched:
            continue
        key = webhook_key(gitlab, project.path, job)
        if key in world.desired or key in seen:
            key = Key(key.kind, f"{key.name} (hook {hook['id']})")
        seen.add(key)
        yield _found(key, job, gitlab, project, hook)


def _beside(
    key: Key, gitlab: str, job: str, project: ProjectFound, ours: Mapping[str, Any], world: World
) -> Iterator[str]:
    """Other people's hooks to the same job: GitLab delivers to both, and Jenkins may build twice."""
    roots = addresses(world, gitlab)
    for hook in project.hooks or ():
        mark = _mark_of(hook)
        foreign = mark is None or mark.owner != world.owner
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
        if job_of(str(hook["url"]), roots) is None:
            yield (
                f"{gitlab}:{project.path}: webhook {hook['id']} carries our mark and calls another address, "
                f"{mask_user_info(str(hook['url']))}: left alone; if that is where this Jenkins was, "
                "put it under webhooks.former_jenkins_urls"
            )


def _ours(projects: Iterable[ProjectFound], owner: str) -> Iterator[tuple[ProjectFound, Mapping[str, Any]]]:
    for project in projects:
        for hook in project.hooks or ():
            mark = _mark_of(hook)
            if mark is not None and mark.owner == owner:
                yield project, hook


def _unseen(gitlab: str, projects: Iterable[ProjectFound], of_the_spec: Iterable[ProjectFound]) -> Iterator[Unchecked]:
    """Projects that only marks on jobs name, whose hooks can't be seen: nothing of them may be pruned."""
    known = {project.id for project in of_the_spec}
    for project in projects:
        if project.hooks is None and project.id not in known:
            yield Unchecked("webhook", f"{gitlab}:{project.path}", project.problem, project.failed)


def _payload(body: HookBody) -> dict[str, Any]:
    """What is sent: always the URL and always the token, since a new URL wipes it (behaviour.md, 3)."""
    assert body.token is not None
    return {**body.attributes, "token": body.token.reveal()}


def _plain(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """One form for what GitLab shows in several: null and empty, null and false, no filter in three ways."""
    plain = dict(attributes)
    for name, value in attributes.items():
        if name.endswith("_events"):
            plain[name] = bool(value)
        elif name in ("push_events_branch_filter", "description"):
            plain[name] = (value or "").strip()
    if not plain.get("push_events_branch_filter") and "branch_filter_strategy" in plain:
        plain["branch_filter_strategy"] = "all_branches"
    return plain


def _shown_token(key: str | None) -> str:
    """A token for people: by the fingerprint in its mark."""
    return f"{MASK} {key}" if key else MASK


def _show(name: str, value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return None
    return mask_user_info(str(value)) if name == "url" else str(value)
