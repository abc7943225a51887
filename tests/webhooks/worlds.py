"""Webhooks, jobs and whole worlds of them for tests: short builders, and random worlds for hypothesis.

What is built without further words fits together: the hook of :func:`hook` carries our mark, its job (:func:`job`)
holds the derived token, and :func:`wanted` asks for exactly that hook.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from configurator.clients.jenkins import hook_path
from configurator.kinds.hook_body import BASE_FLAGS, WEBHOOK, HookBody, webhook_key
from configurator.marks import Mark, fingerprint, hook_token, with_url_mark
from configurator.model import Key, Resource
from configurator.secret import Secret
from configurator.webhooks.model import Catalogue, Delivery, Hook, JobSeen
from configurator.webhooks.terms import Terms
from configurator.world.found import FOLDER_CLASS

assert WEBHOOK == "webhook"

ROOT = "https://jenkins.example.com"
FORMER = "http://old.example.com:8080/ci"
OWNER = "platform"
OTHER_OWNER = "audit-team"
SECRET = Secret("the webhook secret")
SALT = "5a" * 16
GITLAB = "gitlab"
PROJECT, PROJECT_ID = "shop/payments", 7
JOB = "payments/MAIN-Build-payments"
PASSWORD = "hunter2-in-a-url"

PIPELINE = "org.jenkinsci.plugins.workflow.job.WorkflowJob"
MULTIBRANCH = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"
ORGANISATION = "jenkins.branch.OrganizationFolder"

PUSH, TAG, MERGE, NOTE = "push_events", "tag_push_events", "merge_requests_events", "note_events"
DERIVED = "(the derived token)"

_TRIGGER = {
    "triggerOnPush": "false",
    "triggerOnMergeRequest": "false",
    "triggerOpenMergeRequestOnPush": "never",
    "triggerOnNoteRequest": "false",
    "noteRegex": "again",
    "triggerOnPipelineEvent": "false",
    "labelsThatForcesBuildIfAdded": "",
}
_SWITCHES = {
    PUSH: "triggerOnPush",
    TAG: "triggerOnPush",
    MERGE: "triggerOnMergeRequest",
    NOTE: "triggerOnNoteRequest",
}


def hook_attributes(url: str, events: Iterable[str] = (PUSH,), branch_filter: str = "") -> dict[str, Any]:
    """What the spec asks of a hook, as GitLab's API names it."""
    events = tuple(events)
    return {
        "url": url,
        **{flag: flag in events for flag in BASE_FLAGS},
        "push_events_branch_filter": branch_filter,
        "branch_filter_strategy": "wildcard" if branch_filter else "all_branches",
        "enable_ssl_verification": True,
    }


def url_of(job_name: str, root: str = ROOT) -> str:
    """The address at which the plugin takes the webhooks of a job."""
    return root + hook_path(job_name)


def mark_of(owner: str | None, job_name: str, project_id: int, secret: Secret = SECRET) -> Mark | None:
    """The mark of a hook for that job and project."""
    return None if owner is None else Mark(owner, key=fingerprint(secret, hook_token(secret, project_id, job_name)))


def hook(
    hook_id: int = 1,
    job_name: str = JOB,
    *,
    owner: str | None = OWNER,
    root: str = ROOT,
    url: str | None = None,
    events: Iterable[str] = (PUSH,),
    branch_filter: str = "",
    project: str = PROJECT,
    project_id: int = PROJECT_ID,
    gitlab: str = GITLAB,
    mark: Mark | None = None,
    mark_in_url: bool = False,
    **attributes: Any,
) -> Hook:
    """A webhook; by default ours, and exactly as :func:`wanted` asks for it. ``owner=None``: without a mark."""
    mark = mark or mark_of(owner, job_name, project_id)
    url = url or url_of(job_name, root)
    return Hook(
        gitlab,
        project,
        project_id,
        {
            "id": hook_id,
            "project_id": project_id,
            "created_at": f"2026-01-{1 + hook_id % 28:02}T10:00:00.000Z",
            "alert_status": "executable",
            "disabled_until": None,
            "repository_update_events": False,
            **hook_attributes(with_url_mark(url, mark) if mark_in_url and mark else url, events, branch_filter),
            "description": None if mark is None or mark_in_url else str(mark),
            **attributes,
        },
    )


def trigger(*events: str, **fields: str) -> dict[str, str]:
    """A GitLab trigger that reacts to these events, given by GitLab's flags."""
    return {**_TRIGGER, **{_SWITCHES[event]: "true" for event in events}, **fields}


def job(
    name: str = JOB,
    *,
    owner: str | None = OWNER,
    project_id: int | None = PROJECT_ID,
    gitlab: str = GITLAB,
    cls: str = PIPELINE,
    token: str | None = DERIVED,
    reacts: Mapping[str, str] | tuple[()] | None = (),
    read: bool = True,
    disabled: bool | None = False,
) -> JobSeen:
    """A job with our mark, a trigger on pushes, and the token that is derived for its project."""
    if token == DERIVED:
        derived = hook_token(SECRET, project_id or PROJECT_ID, name)
        token = derived.digest(bytes.fromhex(SALT))
    mark = None if owner is None else Mark(owner, gitlab if project_id else None, project_id)
    fields = trigger(PUSH) if reacts == () else reacts
    known = read and cls == PIPELINE
    return JobSeen(
        name,
        cls,
        mark,
        disabled,
        read,
        dict(fields) if known and fields is not None else None,  # type: ignore[arg-type]
        token if known else None,
    )


def folder(name: str) -> JobSeen:
    """A plain folder."""
    return JobSeen(name, FOLDER_CLASS, read=True)


def catalogue(*jobs: JobSeen, complete: bool = True, problem: str = "", **more: Any) -> Catalogue:
    """A controller that holds these jobs, and the folders that they are in."""
    seen: dict[str, JobSeen] = {}
    for one in jobs:
        parts = one.name.split("/")
        for end in range(1, len(parts)):
            above = "/".join(parts[:end])
            seen.setdefault(above.casefold(), folder(above))
    seen.update({one.name.casefold(): one for one in jobs})
    return Catalogue(seen, complete, problem, **more)


def wanted(
    job_name: str = JOB,
    *,
    project: str = PROJECT,
    gitlab: str = GITLAB,
    events: Iterable[str] = (PUSH,),
    branch_filter: str = "",
    former: str | None = None,
    root: str = ROOT,
    **more: Any,
) -> Resource[HookBody]:
    """The webhook that the spec asks for, as :meth:`WebhookKind.desired` gives it; ``more``: further attributes."""
    attributes = {**hook_attributes(url_of(job_name, root), events, branch_filter), **more}
    pair = Key("job", job_name)
    body = HookBody(gitlab, project, job_name, attributes, former=former)
    return Resource(webhook_key(gitlab, project, job_name), body, owner=OWNER, after=(pair,), pair=pair)


def terms(
    *hooks: Resource[HookBody],
    roots: Sequence[str] = (ROOT, FORMER),
    describes_hooks: bool = True,
    secret: Secret | None = SECRET,
) -> Terms:
    """What the spec says about one GitLab."""
    former = {one.body.job: one.body.former for one in hooks if one.body.former}
    return Terms(tuple(roots), {one.body.job: one for one in hooks}, describes_hooks, secret, former)


def delivery(status: str = "200", at: str = "2026-11-20T21:14:00.000Z", event: str = "push_hooks") -> Delivery:
    """One line of the log."""
    return Delivery(status, at, event)


@dataclass(frozen=True)
class RandomWorld:
    """All that a classification is made from.

    Attributes:
        hooks: of every project, in no order.
        catalogue: what the run sees of the controller.
        terms: by name of the gitlab entry.
        deliveries: by gitlab, project id, hook id.
        exists: full names of the jobs that the controller really holds, seen or not.
    """

    hooks: tuple[Hook, ...]
    catalogue: Catalogue
    terms: Mapping[str, Terms]
    deliveries: Mapping[tuple[str, int, int], tuple[Delivery, ...]] = field(default_factory=dict)
    exists: frozenset[str] = frozenset()


PROJECTS = {("gitlab", 7): "shop/payments", ("gitlab", 9): "shop/audit", ("second", 7): "tools/lib"}
NAMES = (
    "payments",
    "payments/build",
    "payments/Build B",
    "payments/a%2Fb",
    "payments/größe",
    "payments/build/deep",
    "tools",
    "tools/job",
    "tools/job/nightly",
    "mb",
    "mb/main",
)
_EVENTS = (PUSH, TAG, MERGE, NOTE)
_STATUSES = ("200", "201", "401", "403", "404", "409", "418", "500", "503", "internal error")


@st.composite
def jobs(draw: st.DrawFn) -> dict[str, JobSeen]:
    """What a controller holds: items whose parents can hold something, by full name."""
    held: dict[str, JobSeen] = {}
    for name in NAMES:
        above = held.get(name.rpartition("/")[0])
        if "/" in name and (above is None or above.cls == PIPELINE):
            continue
        shape = draw(st.sampled_from(("no", "pipeline", "pipeline", "folder", "folder", "multibranch")))
        if shape == "no":
            continue
        if shape == "folder":
            held[name] = folder(name)
            continue
        gitlab, project_id = draw(st.sampled_from(sorted(PROJECTS)))
        held[name] = job(
            name,
            owner=draw(st.sampled_from((OWNER, OTHER_OWNER, None))),
            gitlab=gitlab,
            project_id=draw(st.sampled_from((project_id, None))),
            cls=PIPELINE if shape == "pipeline" else MULTIBRANCH,
            token=draw(st.sampled_from((DERIVED, DERIVED, DERIVED, None, "another digest"))),
            reacts=draw(st.sampled_from((trigger(PUSH), trigger(PUSH, TAG), trigger(MERGE, NOTE), trigger(), None))),
            disabled=draw(st.booleans()),
        )
    return held


@st.composite
def urls(draw: st.DrawFn) -> str:
    """Addresses as they stand in GitLab: right, old, odd, and elsewhere."""
    name = draw(st.sampled_from(NAMES))
    path = hook_path(name)
    kind = draw(st.integers(0, 11))
    if kind == 0:
        path = "".join(f"/job/{part}" for part in path.removeprefix("/project/").split("/"))
    elif kind == 1:
        path = draw(st.sampled_from(("/github-webhook/", "/job/payments/build?token=abc", "/", "/project/")))
    elif kind == 2:
        path = path.upper().replace("/PROJECT/", "/project/")
    elif kind == 3:
        path += draw(st.sampled_from(("/", "?x=1", "/more", "#end")))
    root = draw(st.sampled_from((*(ROOT,) * 6, FORMER, FORMER, "http://jenkins.example.com", "https://else.where/ci")))
    user = draw(st.sampled_from(("", "", "", f"ann:{PASSWORD}@")))
    return root.replace("://", f"://{user}") + path


@st.composite
def hooks_of(draw: st.DrawFn, hook_id: int) -> Hook:
    """One webhook with that id."""
    gitlab, project_id = draw(st.sampled_from(sorted(PROJECTS)))
    url = draw(urls())
    return hook(
        hook_id,
        draw(st.sampled_from(NAMES)),
        url=url,
        owner=draw(st.sampled_from((OWNER, OWNER, None, None, OTHER_OWNER))),
        events=draw(st.sets(st.sampled_from(_EVENTS), max_size=3)),
        branch_filter=draw(st.sampled_from(("", "", "main", "release/*"))),
        project=PROJECTS[gitlab, project_id],
        project_id=project_id,
        gitlab=gitlab,
        alert_status=draw(st.sampled_from(("executable",) * 4 + ("temporarily_disabled", "disabled"))),
        disabled_until=draw(st.sampled_from((None, "2026-11-20T21:14:00.000Z"))),
        enable_ssl_verification=draw(st.sampled_from((True, True, False))),
        mark_in_url=draw(st.booleans()),
    )


@st.composite
def twins_of(draw: st.DrawFn, one: Hook, hook_id: int) -> Hook:
    """The same hook once more under another id, with some of it changed."""
    owner = draw(st.sampled_from((OWNER, None, OTHER_OWNER, "same")))
    mark = one.mark if owner == "same" else mark_of(owner, JOB, one.project_id)
    change = draw(
        st.sampled_from(({}, {}, {PUSH: False}, {PUSH: True}, {MERGE: True}, {"alert_status": "disabled"})),
    )
    attributes = {**one.attributes, "id": hook_id, "description": str(mark) if mark else None, **change}
    return Hook(one.gitlab, one.project, one.project_id, attributes)


@st.composite
def worlds(draw: st.DrawFn, *, problem: bool | None = None, twins: bool = True) -> RandomWorld:
    """A random world.

    Args:
        draw: hypothesis' own.
        problem: True = the controller could not be read, False = it could; None = either.
        twins: some hooks stand there twice, or nearly.
    """
    held = draw(jobs())
    states = {None: ("all",) * 4 + ("some", "none"), True: ("none",), False: ("all", "all", "all", "some")}[problem]
    state = draw(st.sampled_from(states))
    seen = {name: one for name, one in held.items() if state == "all" or draw(st.booleans())}
    found: list[Hook] = [draw(hooks_of(hook_id)) for hook_id in range(1, draw(st.integers(2, 9)))]
    if twins:
        for hook_id in range(20, 20 + draw(st.integers(0, 6))):
            found.append(draw(twins_of(draw(st.sampled_from(found)), hook_id)))
    by_gitlab: dict[str, list[Resource[HookBody]]] = {"gitlab": [], "second": []}
    for number, name in enumerate(sorted(draw(st.sets(st.sampled_from(NAMES), max_size=4)))):
        gitlab, project_id = draw(st.sampled_from(sorted(PROJECTS)))
        mark = held[name].mark if name in held else None
        if mark and mark.gitlab and mark.project and draw(st.integers(0, 3)):
            gitlab, project_id = mark.gitlab, mark.project
        project = PROJECTS[gitlab, project_id]
        by_gitlab[gitlab].append(wanted(name, project=project, gitlab=gitlab))
        if draw(st.booleans()):
            found.append(hook(40 + number, name, project=project, project_id=project_id, gitlab=gitlab))
    logs = st.lists(st.builds(delivery, st.sampled_from(_STATUSES)), max_size=4).map(tuple)
    return RandomWorld(
        hooks=tuple(draw(st.permutations(found))),
        catalogue=Catalogue(
            {name.casefold(): one for name, one in seen.items()} if state != "none" else {},
            complete=state == "all",
            problem="Jenkins does not answer" if state == "none" else "",
            absent=frozenset(name for name in NAMES if state == "some" and not _reaches(name, held)),
            hidden=frozenset(set(held) - set(seen)) if state == "some" else frozenset(),
        ),
        terms={name: terms(*some) for name, some in by_gitlab.items()},
        deliveries={(one.gitlab, one.project_id, one.id): draw(logs) for one in found if draw(st.booleans())},
        exists=frozenset(name for name, one in held.items() if not one.is_folder),
    )


def _reaches(name: str, held: Mapping[str, JobSeen]) -> bool:
    """Whether an address with that name ends at a job, if only at one on the way."""
    parts = name.split("/")
    above = (held.get("/".join(parts[:end])) for end in range(1, len(parts) + 1))
    return any(one is not None and not one.is_folder for one in above)
