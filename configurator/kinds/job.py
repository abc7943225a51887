"""Jobs. What the template speaks of is ours; what a save adds, what others add, what a Jenkinsfile claims is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from configurator.errors import PermissionMissingError, RefusedError, ServerError
from configurator.hook_url import job_of
from configurator.kinds.base import Aftermath, Kind, parent_of
from configurator.kinds.job_compare import JobBody, compare, shown, with_token
from configurator.kinds.plugin import GITLAB_PLUGIN, JOB_PLUGINS, plugin_keys, version_number
from configurator.kinds.webhook import addresses
from configurator.kinds.xml import claims, differences, lay_over, refuse_redacted, set_description
from configurator.marks import Mark, hook_token, read_mark, strip_mark, with_mark
from configurator.model import Action, Change, Field, Key, Observation, Resource, Unchecked
from configurator.spec.expanded import WEBHOOK_TOKEN, Expanded
from configurator.world.found import Hidden, Item
from configurator.world.world import World
from configurator.xml import Element, parse, root_class, to_text

TRIGGER = "com.dabsquared.gitlabjenkins.GitLabPushTrigger"
_LEFT_ALONE = (
    "{} carries our mark, but another job's token: a copy, or renamed by hand? It is left alone; "
    "put it into the spec, or delete it in Jenkins"
)
_CANCEL_RUNNING = "cancelRunningBuildsOnUpdate"
_CANCEL_RUNNING_SINCE = (1, 9, 16)


class JobKind(Kind[JobBody, Mapping[str, str]]):
    """Jobs of every type."""

    name = "job"

    def desired(self, expanded: Expanded) -> Iterator[Resource[JobBody]]:
        plugins = plugin_keys(expanded, *JOB_PLUGINS)
        for job in expanded.jobs:
            folder = parent_of(job.name)
            yield Resource(
                Key(self.name, job.name),
                JobBody(
                    job.xml, root_class(job.xml), job.hook, job.trigger_project, build_on_create=job.build_on_create
                ),
                owner=expanded.spec.name,
                origin=job.origin,
                after=(*((Key("folder", folder),) if folder else ()), *plugins),
                adopt=job.adopt,
            )

    def observe(self, wanted: Sequence[Resource[JobBody]], world: World) -> Observation[JobBody]:
        items = world.inventory.items
        existing = {Key(self.name, item.name): _found(item) for item in items.values() if not item.is_folder}
        copies = [key for key in existing if key not in world.desired and _is_copy(items[key.name], world)]
        for key in copies:
            existing[key] = replace(existing[key], owner=None)
        unchecked = []
        resolved: dict[Key, Resource[JobBody]] = {}
        for one in wanted:
            item = items.get(one.key.name)
            reason, failed = _obstructed(one, item, world)
            if reason:
                unchecked.append(Unchecked(self.name, one.key.name, reason, failed))
                continue
            resolved[one.key] = _resolve(one, item, world)
            if item is not None and item.is_folder:
                existing[one.key] = _found(item)
        unchecked += _hooks_out_of_sight(existing, world)
        compared = compare(
            [resolved[key] for key in resolved if key in existing and resolved[key].body.cls == existing[key].body.cls],
            existing,
            world,
        )
        resolved.update({one.key: one for one, _ in compared.pairs})
        existing.update({one.key: one for _, one in compared.pairs})
        return Observation(
            existing=existing,
            wanted=resolved,
            unchecked=(*unchecked, *compared.unchecked),
            warnings=(*compared.warnings, *(_LEFT_ALONE.format(key) for key in copies)),
        )

    def obstacle(self, wanted: Resource[JobBody], existing: Resource[JobBody]) -> str:
        if existing.body.cls == wanted.body.cls:
            return ""
        return (
            f"there is an item of another type of that name ({existing.body.cls}), and Jenkins can't change a type: "
            "rename or delete it"
        )

    def differences(self, wanted: Resource[JobBody], existing: Resource[JobBody]) -> Sequence[Field]:
        if wanted.body.seen is None or existing.body.seen is None:
            return []
        return [shown(one) for one in differences(wanted.body.seen, existing.body.seen)]

    def prepare(self, changes: Sequence[Change], world: World) -> Mapping[str, str]:
        """Have the controller encrypt all tokens at once, so that none touches its disk in clear (fact 2)."""
        tokens = {
            change.key.name: change.wanted.body.token
            for change in changes
            if change.wanted is not None and change.wanted.body.token is not None
        }
        if not tokens or not world.inventory.administer:
            return {}
        answer = world.jenkins.run("encrypt", {"values": list(tokens.values())})
        return dict(zip(tokens, answer["values"], strict=True))

    def create(self, wanted: Resource[JobBody], world: World, prepared: Mapping[str, str]) -> None:
        name, root = wanted.key.name, parse(wanted.body.xml)
        world.jenkins.create_item(name, _sealed(to_text(root), wanted, prepared))
        self._encrypt_by_save(wanted, root, world, prepared)

    def update(
        self, wanted: Resource[JobBody], existing: Resource[JobBody], world: World, prepared: Mapping[str, str]
    ) -> None:
        """Lay the wanted XML over what is there this very moment, not over what the plan saw."""
        name = wanted.key.name
        live = parse(world.jenkins.read_item(name))
        root = lay_over(parse(wanted.body.xml), live, claims(live))
        world.jenkins.write_item(name, _sealed(to_text(root), wanted, prepared))
        self._encrypt_by_save(wanted, root, world, prepared)

    def delete(self, existing: Resource[JobBody], world: World) -> None:
        """Look once more before it goes: since the plan somebody may have made it their own."""
        name = existing.key.name
        with suppress(PermissionMissingError):  # who may delete need not be able to read
            mark = read_mark(parse(world.jenkins.read_item(name)).findtext("description"))
            if mark is None or mark.owner != world.owner:
                raise RefusedError("the job is kept: since the plan was made it lost our mark")
        world.jenkins.delete_item(name)

    def finish(self, done: Sequence[Change], world: World, prepared: Mapping[str, str] | None) -> Aftermath:
        """Queue the first build of what was made new."""
        new = [
            change.wanted
            for change in done
            if change.action is Action.CREATE and change.wanted is not None and change.wanted.body.build_on_create
        ]
        if not new:
            return Aftermath()
        return _build_at_once(new, world) if world.inventory.administer else _build_each(new, world)

    @staticmethod
    def _encrypt_by_save(wanted: Resource[JobBody], root: Element, world: World, prepared: Mapping[str, str]) -> None:
        """Without Administer the token was sent in clear: have Jenkins save the job, which encrypts it (fact 2c)."""
        if wanted.body.token is not None and wanted.key.name not in prepared:
            world.jenkins.set_description(wanted.key.name, root.findtext("description") or "")


def _found(item: Item) -> Resource[JobBody]:
    mark = item.mark
    parent = parent_of(item.name)
    return Resource(
        Key(JobKind.name, item.name),
        JobBody(item.xml or "", root_class(item.xml) if item.xml else item.cls),
        owner=mark.owner if mark else None,
        after=(Key("folder", parent),) if parent else (),
    )


def _is_copy(item: Item, world: World) -> bool:
    """Whether a job that nobody wants carries our mark because somebody copied (or renamed) it inside Jenkins.

    The token of our jobs is derived from their name, and they have a webhook: a copy has the token of its model and
    no webhook. Without Administer the token is told by its ciphertext, which a copy keeps.
    """
    mark, token = item.mark, _trigger_token(item)
    if mark is None or mark.owner != world.owner or not token:
        return False
    if not token.startswith("{digest:"):
        return any(token == _trigger_token(one) for one in world.inventory.items.values() if one.name != item.name)
    if mark.gitlab is None or mark.project is None or mark.gitlab not in world.gitlabs:
        return False
    secret = world.webhook_secret(mark.gitlab)
    if secret is None:
        return False
    if token == f"{{digest:{hook_token(secret, mark.project, item.name).digest(bytes.fromhex(world.salt))}}}":
        return False
    project = world.survey(mark.gitlab).by_id.get(mark.project)
    hooks = (project.hooks if project else None) or ()
    return all(job_of(str(hook["url"]), addresses(world, mark.gitlab)) != item.name for hook in hooks)


def _trigger_token(item: Item) -> str:
    return (parse(item.xml).findtext(f".//{TRIGGER}/secretToken") or "").strip() if item.xml else ""


def _obstructed(wanted: Resource[JobBody], item: Item | None, world: World) -> tuple[str, bool]:
    """Why nothing can be planned for a job (and whether a server failed), or empty."""
    source = _token_source(wanted.body, world)
    if source is not None:
        project = world.survey(source[0]).by_path[source[1]]
        if project.id is None:
            return f"its webhook's token needs the project's id: {project.problem}", project.failed
    if item is not None and item.hidden:
        return f"needs {item.hidden}", False
    if item is not None and item.error:
        return item.error, True
    return "", False


def _hooks_out_of_sight(existing: Mapping[Key, Resource[JobBody]], world: World) -> Iterator[Unchecked]:
    """Jobs that left the spec, whose webhooks can't be looked at: their marks are the only trace of those."""
    for key, resource in existing.items():
        mark = world.inventory.items[key.name].mark
        if resource.owner != world.owner or key in world.desired or mark is None:
            continue
        if mark.gitlab is None or mark.project is None:
            continue
        if mark.gitlab not in world.gitlabs:
            yield Unchecked(key.kind, key.name, f"its webhook is in GitLab {mark.gitlab}, which the spec lacks")
            continue
        project = world.survey(mark.gitlab).by_id.get(mark.project)
        if project is None or project.hooks is None:
            reason = project.problem if project else world.survey(mark.gitlab).refused
            failed = project.failed if project else True
            yield Unchecked(key.kind, key.name, f"its webhook can't be looked at: {reason}", failed)


def _resolve(wanted: Resource[JobBody], item: Item | None, world: World) -> Resource[JobBody]:
    """The job with its mark, its token, and only the fields that the installed plugin knows."""
    body = wanted.body
    root = parse(body.xml)
    mark, token = Mark(world.owner), None
    source = _token_source(body, world)
    if source is not None:
        project, secret = world.project_id(*source), world.webhook_secret(source[0])
        assert project is not None and secret is not None, "checked before"
        if body.hook is not None:
            mark = Mark(world.owner, gitlab=source[0], project=project)
        token = hook_token(secret, project, wanted.key.name)
        world.redactor.learn(token)
    else:
        _drop_token(root)
    text = root.findtext("description") or ""
    if not text.strip() and item is not None:
        text = strip_mark(item.description)  # a spec that says nothing leaves what people wrote
    set_description(root, with_mark(text, mark))
    _fit_trigger(root, item, world)
    return wanted.with_body(replace(body, xml=to_text(root), token=token))


def _token_source(body: JobBody, world: World) -> tuple[str, str] | None:
    """Gitlab entry and project that the job's token is derived from; None where it has none.

    A trigger without a webhook of ours has a token too, unless the spec gives no key to derive it from.
    """
    if body.project is None or world.webhook_secret(body.project[0]) is None:
        return None
    return body.project


def _drop_token(root: Element) -> None:
    """No key, so no token of ours: then the spec does not speak of it, and one that is there stays."""
    for element in list(root.iter("secretToken")):
        parent = element.getparent()
        if parent is not None and element.text == WEBHOOK_TOKEN:
            parent.remove(element)


def _fit_trigger(root: Element, item: Item | None, world: World) -> None:
    """Drop what an older GitLab plugin would drop at its next save (contract, fact 15)."""
    plugins = world.inventory.plugins
    for trigger in root.iter(TRIGGER):
        field = trigger.find(_CANCEL_RUNNING)
        if field is None:
            continue
        if isinstance(plugins, Hidden):
            known = field.text == "true" or (item is not None and _CANCEL_RUNNING in (item.xml or ""))
        else:
            version = plugins.get(GITLAB_PLUGIN)  # None: installed by this very apply, so the newest
            known = version is None or version_number(version) >= _CANCEL_RUNNING_SINCE
        if not known:
            trigger.remove(field)


def _sealed(text: str, wanted: Resource[JobBody], prepared: Mapping[str, str]) -> str:
    """The XML to write: the token encrypted by the controller where that could be had."""
    sealed = prepared.get(wanted.key.name)
    written = text.replace(WEBHOOK_TOKEN, sealed) if sealed else with_token(text, wanted)
    return refuse_redacted(written)


def _build_at_once(new: Sequence[Resource[JobBody]], world: World) -> Aftermath:
    names = [one.key.name for one in new]
    try:
        answer = world.jenkins.run("build", {"jobs": names})
    except ServerError as error:
        return Aftermath(unchecked=(_perhaps_not_built(", ".join(names), error),))
    errors = [
        f"job {one['name']}: first build not queued: {one['error']}" for one in answer["results"] if "error" in one
    ]
    return Aftermath(warnings=tuple(errors))


def _build_each(new: Sequence[Resource[JobBody]], world: World) -> Aftermath:
    refused: dict[str, list[str]] = {}
    failed = []

    def build(one: Resource[JobBody]) -> tuple[str, ServerError | None]:
        try:
            world.jenkins.build_item(one.key.name, one.body.has_parameters)
        except ServerError as error:
            return one.key.name, error
        return one.key.name, None

    for name, error in world.pool.map(build, new):
        if isinstance(error, PermissionMissingError):
            refused.setdefault(error.permission, []).append(name)
        elif error is not None:
            failed.append(_perhaps_not_built(name, error))
    unchecked = [
        Unchecked(JobKind.name, ", ".join(names), f"needs {permission}: made, but not built once")
        for permission, names in refused.items()
    ]
    return Aftermath(unchecked=(*unchecked, *failed))


def _perhaps_not_built(names: str, error: ServerError) -> Unchecked:
    """No later run makes up for it, since the job is there then: so it has to be told, and count as a failure."""
    return Unchecked(
        JobKind.name, names, f"made; its first build may not be queued, so start it by hand: {error}", True
    )
