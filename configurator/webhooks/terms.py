"""What the spec says about the webhooks of one GitLab, put together for a classification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from configurator.kinds.webhook import HookBody, WebhookKind, addresses, former_job
from configurator.model import Resource
from configurator.secret import Secret
from configurator.spec.urls import same_server
from configurator.world.world import World


@dataclass(frozen=True, slots=True)
class Terms:
    """One gitlab entry of the spec, as far as webhooks are concerned.

    Attributes:
        roots: every root URL under which its hooks may know this Jenkins, the present one first.
        wanted: the hooks that the spec asks for, by full name of the job.
        describes_hooks: hooks have a description that can carry the mark (from GitLab 17.1 on).
        secret: the key that tokens are derived from; None = the spec has none.
        former: the names that jobs had before the spec renamed them, by their present names.
        server: the GitLab that the entry means: several may mean one. Empty = one that no other entry means.
    """

    roots: tuple[str, ...]
    wanted: Mapping[str, Resource[HookBody]] = field(default_factory=dict)
    describes_hooks: bool = True
    secret: Secret | None = None
    former: Mapping[str, str] = field(default_factory=dict)
    server: str = ""


def terms_of(world: World, gitlab: str, describes_hooks: bool) -> Terms:
    """The terms of a gitlab entry; asks no server.

    Args:
        world: of this run.
        gitlab: name of the entry.
        describes_hooks: as that GitLab's version says.
    """
    bodies = [one for key, one in world.desired.items() if key.kind == WebhookKind.name and one.body.gitlab == gitlab]
    former = {one.body.job: former_job(one.body, world) for one in bodies}
    return Terms(
        addresses(world, gitlab),
        {one.body.job: one for one in bodies},
        describes_hooks,
        world.webhook_secret(gitlab),
        {job: name for job, name in former.items() if name is not None},
        same_server(world.gitlab_entry(gitlab).url),
    )
