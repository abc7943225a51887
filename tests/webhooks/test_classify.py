"""What a webhook is, row by row: every class, which of several wins, and what a person reads about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from worlds import (
    FORMER,
    GITLAB,
    JOB,
    MERGE,
    MULTIBRANCH,
    NOTE,
    ORGANISATION,
    OTHER_OWNER,
    OWNER,
    PASSWORD,
    PROJECT,
    PROJECT_ID,
    PUSH,
    ROOT,
    SALT,
    SECRET,
    TAG,
    catalogue,
    delivery,
    folder,
    hook,
    job,
    mark_of,
    terms,
    trigger,
    url_of,
    wanted,
)

from configurator.kinds.webhook import WebhookKind
from configurator.marks import Mark
from configurator.model import Key, Resource
from configurator.secret import Secret
from configurator.webhooks.classify import (
    PRECEDENCE,
    Terms,
    classify,
    integration_of,
    judge_integrations,
    terms_of,
)
from configurator.webhooks.failures import failure, when
from configurator.webhooks.model import Catalogue, Delivery, Finding, Hook, HookClass, Integration

ORPHANED, FAILING, MISMATCHED, STALE = HookClass.ORPHANED, HookClass.FAILING, HookClass.MISMATCHED, HookClass.STALE
MISROUTED, DUPLICATE, UNMANAGED = HookClass.MISROUTED, HookClass.DUPLICATE, HookClass.UNMANAGED
UNKNOWN, LIVE, FOREIGN = HookClass.UNKNOWN, HookClass.LIVE, HookClass.FOREIGN

ONE_JOB = catalogue(job())
SPEC = terms(wanted())
NO_SPEC = terms()


def all_of(
    hooks: Sequence[Hook],
    seen: Catalogue = ONE_JOB,
    entry: Terms | Mapping[str, Terms] = SPEC,
    deliveries: Mapping[tuple[str, int, int], tuple[Delivery, ...]] | None = None,
) -> dict[int, Finding]:
    """Findings by id of the hook."""
    by_name = {GITLAB: entry} if isinstance(entry, Terms) else entry
    return {one.hook.id: one for one in classify(hooks, seen, by_name, OWNER, SALT, deliveries)}


def only(one: Hook, seen: Catalogue = ONE_JOB, entry: Terms | Mapping[str, Terms] = SPEC) -> Finding:
    """The finding of one hook."""
    return all_of([one], seen, entry)[one.id]


def test_of_several_hooks_at_a_former_name_one_is_moved() -> None:
    spec = terms(wanted(former="old/build"))
    first, second = hook(1, "old/build"), hook(2, "old/build")
    assert {key: one.cls for key, one in all_of([second, first], entry=spec).items()} == {1: STALE, 2: ORPHANED}
    assert {key: one.cls for key, one in all_of([first, hook(3)], entry=spec).items()} == {1: ORPHANED, 3: LIVE}


def test_two_entries_of_one_gitlab() -> None:
    """Each has a token of its own, and may see the other's projects."""
    one, other = (replace(entry, server="https://gitlab") for entry in (SPEC, NO_SPEC))
    seen_by_the_other = hook(1, gitlab="other")
    assert only(seen_by_the_other, entry={GITLAB: one, "other": other}).cls is LIVE
    assert only(seen_by_the_other, entry={GITLAB: SPEC, "other": NO_SPEC}).cls is MISROUTED
    marked = catalogue(job())
    assert only(seen_by_the_other, marked, {GITLAB: other, "other": other}).cls is LIVE


ROWS: dict[str, tuple[Hook, Catalogue, Terms, HookClass, tuple[HookClass, ...], str]] = {
    # live
    "as the spec wants it": (hook(), ONE_JOB, SPEC, LIVE, (), "the hook is as the spec wants it"),
    "before GitLab 17.1, the mark in the URL": (
        hook(mark_in_url=True),
        ONE_JOB,
        terms(wanted(), describes_hooks=False),
        LIVE,
        (),
        "as the spec wants it",
    ),
    "a person's words above the mark": (
        hook(description=f"do not touch\n{mark_of(OWNER, JOB, PROJECT_ID)}"),
        ONE_JOB,
        SPEC,
        LIVE,
        (),
        "",
    ),
    "without Administer": (
        hook(),
        catalogue(job(read=False), complete=False),
        SPEC,
        LIVE,
        (),
        "token and trigger can't be read without Overall/Administer",
    ),
    "a job that left the spec": (hook(), ONE_JOB, NO_SPEC, LIVE, (), "`configurator apply --prune` removes it"),
    "a job that is disabled": (hook(), catalogue(job(disabled=True)), SPEC, LIVE, (), "answers 200 and builds nothing"),
    "another owner's": (
        hook(owner=OTHER_OWNER),
        catalogue(job(owner=OTHER_OWNER)),
        NO_SPEC,
        LIVE,
        (),
        f"managed by {OTHER_OWNER}",
    ),
    "another owner's, and not as we would have it": (
        hook(owner=OTHER_OWNER, events=(MERGE,)),
        ONE_JOB,
        SPEC,
        LIVE,
        (),
        f"managed by {OTHER_OWNER}",
    ),
    "on the disk, and not loaded": (
        hook(job_name="payments/Lost"),
        catalogue(folder("payments"), job(), unloaded={"payments/lost": "payments/lost"}),
        SPEC,
        UNKNOWN,
        (),
        "payments/lost is on Jenkins' disk and could not be loaded: a plugin is missing",
    ),
    "the root's, where the folder has none": (
        hook(job_name="payments/MAIN-Build-payments", owner=None),
        catalogue(folder("payments"), job("MAIN-Build-payments")),
        NO_SPEC,
        UNMANAGED,
        (),
        "there is no payments/MAIN-Build-payments, so the GitLab plugin takes MAIN-Build-payments, at Jenkins' root",
    ),
    "the root's, where there is no such folder either": (
        hook(job_name="gone/MAIN-Build-payments", owner=None),
        catalogue(job("MAIN-Build-payments")),
        NO_SPEC,
        ORPHANED,
        (),
        "Jenkins has no item gone/MAIN-Build-payments",
    ),
    "renamed in the spec": (
        hook(job_name="old/build"),
        catalogue(job("old/build"), job()),
        terms(wanted(former="old/build")),
        LIVE,
        (),
        f"the spec renamed its job to {JOB}: `configurator apply` moves the hook",
    ),
    "ours on a multibranch project": (
        hook(job_name="mb"),
        catalogue(job("mb", cls=MULTIBRANCH)),
        NO_SPEC,
        LIVE,
        (),
        "its token is ignored",
    ),
    "a branch of a multibranch project that is listed": (
        hook(job_name="mb/main"),
        catalogue(job("mb", cls=MULTIBRANCH), job("mb/main")),
        NO_SPEC,
        LIVE,
        (),
        "its URL goes on below the job, mb/main",
    ),
    # foreign
    "another host": (hook(url="https://else.where/project/x", owner=None), ONE_JOB, SPEC, FOREIGN, (), "no address of"),
    "no URL at all": (hook(url="http://[broken", owner=None), ONE_JOB, SPEC, FOREIGN, (), "no address of"),
    "our mark, another host": (
        hook(url="https://else.where/project/x", alert_status="disabled"),
        ONE_JOB,
        SPEC,
        FOREIGN,
        (),
        "put it under webhooks.former_jenkins_urls",
    ),
    "foreign, though Jenkins can't be asked": (
        hook(url="https://else.where/project/x"),
        catalogue(problem="down"),
        SPEC,
        FOREIGN,
        (),
        "",
    ),
    # unknown
    "Jenkins can't be asked": (
        hook(),
        catalogue(problem="Jenkins: 503"),
        SPEC,
        UNKNOWN,
        (),
        "not be checked: Jenkins: 503",
    ),
    "Jenkins can't be asked, stale and failing": (
        hook(root=FORMER, alert_status="disabled"),
        catalogue(problem="Jenkins: 503"),
        SPEC,
        UNKNOWN,
        (),
        "",
    ),
    "not seen, maybe hidden": (hook(), catalogue(complete=False), SPEC, UNKNOWN, (), "which may be there all the same"),
    "hidden": (
        hook(),
        catalogue(complete=False, hidden=frozenset({JOB})),
        SPEC,
        UNKNOWN,
        (),
        f"{JOB} exists, but this user can't see it",
    ),
    # orphaned
    "no such job": (hook(), catalogue(), NO_SPEC, ORPHANED, (), f"Jenkins has no item {JOB}"),
    "no such job, wanted by the spec": (hook(), catalogue(), SPEC, ORPHANED, (), f"Jenkins has no item {JOB}"),
    "no such job, and the hook is nobody's": (hook(owner=None), catalogue(), SPEC, ORPHANED, (), "has no item"),
    "no such job, another owner's": (hook(owner=OTHER_OWNER), catalogue(), SPEC, ORPHANED, (), f"by {OTHER_OWNER}"),
    "no such job, proven by the endpoint": (
        hook(),
        catalogue(complete=False, absent=frozenset({JOB})),
        SPEC,
        ORPHANED,
        (),
        "has no item",
    ),
    "no such job at a former address": (hook(root=FORMER), catalogue(), SPEC, ORPHANED, (STALE,), "former address"),
    "no such job, disabled by GitLab": (
        hook(alert_status="disabled"),
        catalogue(),
        SPEC,
        ORPHANED,
        (FAILING,),
        "GitLab disabled it for good",
    ),
    "a plain folder": (hook(job_name="payments"), ONE_JOB, SPEC, ORPHANED, (), "payments is a folder, not a job"),
    "no such job, renamed in the spec": (
        hook(job_name="old/build"),
        ONE_JOB,
        terms(wanted(former="old/build")),
        STALE,
        (),
        f"Jenkins has no item old/build, the spec renamed its job to {JOB}: `configurator apply` moves the hook",
    ),
    "no such job, renamed in the spec, and somebody else's": (
        hook(job_name="old/build", owner=OTHER_OWNER),
        ONE_JOB,
        terms(wanted(former="old/build")),
        ORPHANED,
        (),
        "Jenkins has no item old/build",
    ),
    "no such job, renamed in the spec, and another project's": (
        hook(job_name="old/build", project="shop/audit", project_id=9),
        ONE_JOB,
        terms(wanted(former="old/build")),
        ORPHANED,
        (),
        "Jenkins has no item old/build",
    ),
    # misrouted
    "the job's mark names another project": (
        hook(project="shop/audit", project_id=9, owner=None),
        ONE_JOB,
        NO_SPEC,
        MISROUTED,
        (UNMANAGED,),
        f"the mark of {JOB} names project 7, this hook is in gitlab:shop/audit (9)",
    ),
    "the spec names another project": (
        hook(project="shop/audit", project_id=9),
        catalogue(job(owner=None)),
        SPEC,
        MISROUTED,
        (),
        f"the spec has gitlab:{PROJECT} start {JOB}, this hook is in gitlab:shop/audit",
    ),
    "the spec wins over the mark, and the token waits for an apply": (
        hook(project="Shop/Payments"),
        catalogue(job(project_id=9)),
        SPEC,
        MISMATCHED,
        (),
        "the job holds another token",
    ),
    "the project was moved since the spec was written": (
        hook(project="store/payments"),
        ONE_JOB,
        SPEC,
        LIVE,
        (),
        "as the spec wants it",
    ),
    "misrouted and stale": (
        hook(project="shop/audit", project_id=9, root=FORMER, owner=None, alert_status="disabled"),
        ONE_JOB,
        NO_SPEC,
        MISROUTED,
        (STALE, FAILING, UNMANAGED),
        "former address",
    ),
    "a mark of a connection that we don't know": (
        hook(owner=OTHER_OWNER),
        catalogue(job(owner=OTHER_OWNER, gitlab="theirs", project_id=70)),
        NO_SPEC,
        LIVE,
        (),
        "",
    ),
    # stale
    "a former address": (
        hook(root=FORMER),
        ONE_JOB,
        SPEC,
        STALE,
        (),
        f"a former address of Jenkins, {FORMER}; it should be {url_of(JOB)}",
    ),
    "the form of an item's page": (
        hook(url=f"{ROOT}/job/payments/job/MAIN-Build-payments"),
        ONE_JOB,
        SPEC,
        STALE,
        (),
        "to which Jenkins answers 404",
    ),
    "the same below /project": (
        hook(url=f"{ROOT}/project/job/payments/job/MAIN-Build-payments", owner=None),
        ONE_JOB,
        SPEC,
        STALE,
        (UNMANAGED,),
        "to which Jenkins answers 404",
    ),
    "http where it is https now": (
        hook(root=ROOT.replace("https", "http")),
        ONE_JOB,
        SPEC,
        STALE,
        (),
        "http where Jenkins is at https now",
    ),
    "stale and failing, nobody's": (
        hook(root=FORMER, owner=None, alert_status="disabled"),
        ONE_JOB,
        SPEC,
        STALE,
        (FAILING, UNMANAGED),
        "GitLab disabled it for good after failed deliveries",
    ),
    "stale and mismatched": (hook(root=FORMER, events=()), ONE_JOB, SPEC, STALE, (MISMATCHED,), "push events are off"),
    "stale, another owner's": (hook(root=FORMER, owner=OTHER_OWNER), ONE_JOB, SPEC, STALE, (), f"by {OTHER_OWNER}"),
    # mismatched
    "an event is off": (
        hook(events=()),
        ONE_JOB,
        SPEC,
        MISMATCHED,
        (),
        "push events are off in GitLab, the job wants them",
    ),
    "an event is on": (
        hook(events=(PUSH, MERGE)),
        ONE_JOB,
        SPEC,
        MISMATCHED,
        (),
        "merge request events are on in GitLab, nothing asks for them",
    ),
    "an event of a newer GitLab is on": (
        hook(emoji_events=True),
        ONE_JOB,
        SPEC,
        MISMATCHED,
        (),
        "emoji events are on in GitLab",
    ),
    "the branch filter": (
        hook(branch_filter="main"),
        ONE_JOB,
        terms(wanted(branch_filter="release/*")),
        MISMATCHED,
        (),
        "its branch filter is main, the spec wants release/*",
    ),
    "no branch filter is wanted": (
        hook(branch_filter="main"),
        ONE_JOB,
        SPEC,
        MISMATCHED,
        (),
        "its branch filter is main, the spec wants none",
    ),
    "the strategy of the filter": (
        hook(branch_filter="main", branch_filter_strategy="regex"),
        ONE_JOB,
        terms(wanted(branch_filter="main")),
        MISMATCHED,
        (),
        "its branch filter is read as regex, the spec wants wildcard",
    ),
    "GitLab does not verify": (
        hook(enable_ssl_verification=False),
        ONE_JOB,
        SPEC,
        MISMATCHED,
        (),
        "GitLab does not verify Jenkins' certificate, the spec wants it to",
    ),
    "GitLab verifies": (
        hook(),
        ONE_JOB,
        terms(wanted(enable_ssl_verification=False)),
        MISMATCHED,
        (),
        "GitLab verifies Jenkins' certificate, the spec wants it not to",
    ),
    "another fingerprint": (
        hook(mark=Mark(OWNER, key="01234567")),
        ONE_JOB,
        SPEC,
        MISMATCHED,
        (),
        "its token is not the one that the spec wants (fingerprints (secret) 01234567",
    ),
    "another fingerprint, not in the spec": (
        hook(mark=Mark(OWNER, key="01234567")),
        ONE_JOB,
        NO_SPEC,
        MISMATCHED,
        (),
        "fingerprint in its mark is that of another token",
    ),
    "the mark is in the URL still": (
        hook(mark_in_url=True),
        ONE_JOB,
        SPEC,
        MISMATCHED,
        (),
        f"the spec wants {url_of(JOB)}",
    ),
    "the job holds another token": (
        hook(),
        catalogue(job(token="00" * 32)),
        SPEC,
        MISMATCHED,
        (),
        "the job holds another token, so Jenkins answers 401",
    ),
    "the job holds no token": (hook(), catalogue(job(token=None)), SPEC, MISMATCHED, (), "holds no secret token"),
    "the job has no trigger": (
        hook(),
        catalogue(job(reacts=None, token=None)),
        SPEC,
        MISMATCHED,
        (),
        "the job has no GitLab trigger, so nothing is built",
    ),
    "its trigger reacts to nothing of it": (
        hook(),
        catalogue(job(reacts=trigger(NOTE))),
        NO_SPEC,
        MISMATCHED,
        (),
        "reacts to nothing that it delivers",
    ),
    "its trigger reacts to a label": (
        hook(events=(MERGE,)),
        catalogue(job(reacts=trigger(labelsThatForcesBuildIfAdded="build"))),
        NO_SPEC,
        LIVE,
        (),
        "",
    ),
    "its trigger reacts to something of it": (
        hook(events=(MERGE, NOTE)),
        catalogue(job(reacts=trigger(NOTE))),
        NO_SPEC,
        LIVE,
        (),
        "",
    ),
    "what a limited user read of a job counts for nothing": (
        hook(),
        catalogue(job(token=None, reacts=None), complete=False),
        SPEC,
        LIVE,
        (),
        "",
    ),
    "no webhook secret": (hook(), ONE_JOB, terms(secret=None), LIVE, (), ""),
    "other letter case": (
        hook(url=f"{ROOT}/project/PAYMENTS/main-build-payments"),
        ONE_JOB,
        SPEC,
        MISMATCHED,
        (),
        "in other letter case, PAYMENTS/main-build-payments",
    ),
    "mismatched and failing": (
        hook(events=(), alert_status="disabled"),
        ONE_JOB,
        SPEC,
        MISMATCHED,
        (FAILING,),
        "",
    ),
    # failing
    "disabled for good": (
        hook(alert_status="disabled"),
        ONE_JOB,
        SPEC,
        FAILING,
        (),
        "GitLab disabled it for good after failed deliveries",
    ),
    "disabled for now": (
        hook(alert_status="temporarily_disabled", disabled_until="2026-11-20T22:14:09.000+01:00"),
        ONE_JOB,
        SPEC,
        FAILING,
        (),
        "GitLab disabled it until 2026-11-20 21:14 UTC",
    ),
    "disabled until nobody knows when": (
        hook(alert_status="temporarily_disabled"),
        ONE_JOB,
        SPEC,
        FAILING,
        (),
        "GitLab disabled it for now",
    ),
    "another owner's fails": (
        hook(owner=OTHER_OWNER, alert_status="disabled"),
        ONE_JOB,
        SPEC,
        FAILING,
        (),
        f"managed by {OTHER_OWNER}",
    ),
    # unmanaged
    "nobody's": (hook(owner=None), ONE_JOB, NO_SPEC, UNMANAGED, (), "it carries no mark: it was made by hand"),
    "nobody's, and the spec wants one": (hook(owner=None), ONE_JOB, SPEC, UNMANAGED, (), "`adopt: true` takes it over"),
    "nobody's and failing": (
        hook(owner=None, alert_status="disabled"),
        ONE_JOB,
        NO_SPEC,
        FAILING,
        (UNMANAGED,),
        "GitLab disabled it for good after failed deliveries",
    ),
    "nobody's on a multibranch project": (
        hook(job_name="mb", owner=None),
        catalogue(job("mb", cls=MULTIBRANCH)),
        NO_SPEC,
        UNMANAGED,
        (),
        "a multibranch project",
    ),
    "another endpoint": (
        hook(url=f"{ROOT}/github-webhook/"),
        catalogue(),
        SPEC,
        UNMANAGED,
        (),
        "it calls /github-webhook, which is not where",
    ),
    "the root": (hook(url=ROOT, owner=None), catalogue(), SPEC, UNMANAGED, (), "it calls /, which is not where"),
    "a build with a token": (
        hook(url=f"{ROOT}/job/gone/build?token={PASSWORD}", owner=None, alert_status="disabled"),
        catalogue(),
        SPEC,
        UNMANAGED,
        (FAILING,),
        "it calls /job/gone/build",
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_a_hook_is(row: tuple[Hook, Catalogue, Terms, HookClass, tuple[HookClass, ...], str]) -> None:
    one, seen, entry, cls, also, evidence = row
    finding = only(one, seen, entry)
    assert (finding.cls, finding.also) == (cls, also), finding.evidence
    assert evidence in finding.evidence
    assert PASSWORD not in finding.evidence


def test_the_job_of_a_finding_has_jenkins_letter_case() -> None:
    assert only(hook(url=f"{ROOT}/project/PAYMENTS/main-build-payments")).job == JOB
    assert only(hook(), catalogue()).job == JOB
    assert only(hook(job_name="mb/main"), catalogue(job("mb", cls=MULTIBRANCH)), NO_SPEC).job == "mb"
    assert only(hook(url=f"{ROOT}/github-webhook/")).job is None
    assert only(hook(url="https://else.where/project/x")).job is None


def test_a_project_of_another_gitlab_is_named_with_it() -> None:
    entries = {GITLAB: NO_SPEC, "second": NO_SPEC}
    finding = only(hook(gitlab="second"), ONE_JOB, entries)
    assert finding.cls is MISROUTED
    assert f"names project gitlab:7, this hook is in second:{PROJECT} (7)" in finding.evidence


def test_the_spec_names_a_project_of_another_gitlab() -> None:
    finding = only(hook(gitlab="second"), catalogue(job(owner=None)), {GITLAB: SPEC, "second": NO_SPEC})
    assert finding.cls is MISROUTED
    assert f"the spec has gitlab:{PROJECT} start" in finding.evidence


def test_a_project_that_is_known_under_the_specs_path_is_not_the_one_that_the_mark_names() -> None:
    old, new = hook(1, project="shop/old"), hook(2, project_id=9)
    found = all_of([old, new])
    assert found[1].cls is MISROUTED
    assert found[2].cls is not MISROUTED


def test_user_info_in_a_url_never_shows() -> None:
    with_password = hook(url=url_of(JOB).replace("://", f"://ann:{PASSWORD}@"))
    finding = only(with_password)
    assert finding.cls is MISMATCHED
    assert "***@" in finding.evidence
    assert PASSWORD not in finding.evidence


# twins


def kept(*hooks: Hook, seen: Catalogue = ONE_JOB, entry: Terms = SPEC) -> dict[int, int | None]:
    """Which of the hooks are duplicates, and of which."""
    found = all_of(hooks, seen, entry)
    assert all((one.keeper is not None) == one.is_any(DUPLICATE) for one in found.values())
    return {hook_id: one.keeper for hook_id, one in found.items()}


TWINS: dict[str, tuple[tuple[Hook, ...], dict[int, int | None]]] = {
    "the older of two": ((hook(1), hook(2)), {1: None, 2: 1}),
    "three, one keeper": ((hook(3), hook(2), hook(1)), {1: None, 2: 1, 3: 1}),
    "ours before nobody's": ((hook(1, owner=None), hook(2)), {1: 2, 2: None}),
    "nobody's twice": ((hook(1, owner=None), hook(2, owner=None)), {1: None, 2: 1}),
    "the one that works before the one that is disabled": (
        (hook(1, alert_status="disabled"), hook(2)),
        {1: 2, 2: None},
    ),
    "the present address before a former one": ((hook(1, root=FORMER), hook(2)), {1: 2, 2: None}),
    "the one that matches": ((hook(1, enable_ssl_verification=False), hook(2)), {1: 2, 2: None}),
    "the one whose token is right": ((hook(1, mark=Mark(OWNER, key="01234567")), hook(2)), {1: 2, 2: None}),
    "an item's page keeps nothing": (
        (hook(1, url=f"{ROOT}/job/payments/job/MAIN-Build-payments"), hook(2, owner=None)),
        {1: None, 2: None},
    ),
    "two that do not work": (
        (hook(1, owner=None, alert_status="disabled"), hook(2, owner=None, alert_status="disabled")),
        {1: None, 2: 1},
    ),
    "ours is disabled, nobody's works": ((hook(1, alert_status="disabled"), hook(2, owner=None)), {1: None, 2: None}),
    "ours is never another's duplicate": ((hook(1, owner=OTHER_OWNER), hook(2)), {1: None, 2: None}),
    "another owner's is never judged": ((hook(1), hook(2, owner=OTHER_OWNER)), {1: None, 2: None}),
    "ours stays before another owner's": (
        (hook(1, owner=None), hook(2, owner=OTHER_OWNER), hook(3)),
        {1: 3, 2: None, 3: None},
    ),
    "nobody's beside another owner's": ((hook(1, owner=None), hook(2, owner=OTHER_OWNER)), {1: 2, 2: None}),
    "different events": ((hook(1), hook(2, owner=None, events=(TAG,))), {1: None, 2: None}),
    "fewer events": (
        (hook(1, owner=None, events=(PUSH,)), hook(2, owner=None, events=(PUSH, TAG))),
        {1: 2, 2: None},
    ),
    "a stricter filter keeps nothing": (
        (hook(1, owner=None, branch_filter="main"), hook(2, owner=None)),
        {1: 2, 2: None},
    ),
    "different filters": (
        (hook(1, owner=None, branch_filter="main"), hook(2, owner=None, branch_filter="rel/*")),
        {1: None, 2: None},
    ),
    "a filter without pushes filters nothing": (
        (hook(1, owner=None, events=(TAG,), branch_filter="main"), hook(2, owner=None, events=(TAG,))),
        {1: None, 2: 1},
    ),
    "no filter, though one is written": (
        (hook(1, owner=None, push_events_branch_filter="main"), hook(2, owner=None)),
        {1: None, 2: 1},
    ),
    "another text": ((hook(1), hook(2, owner=None, custom_webhook_template="{}")), {1: None, 2: None}),
    "another user, token unknown": (
        (hook(1, owner=None), hook(2, owner=None, url=url_of(JOB).replace("://", "://ann:x@"))),
        {1: None, 2: None},
    ),
    "another user, token known": (
        (hook(1), hook(2, owner=None, url=url_of(JOB).replace("://", "://ann:x@"))),
        {1: None, 2: 1},
    ),
    "verifies the certificate, token unknown": (
        (hook(1, owner=None), hook(2, owner=None, enable_ssl_verification=False)),
        {1: None, 2: None},
    ),
    "sends no token": (
        (hook(1, owner=None, token_present=False), hook(2, owner=None, token_present=True)),
        {1: None, 2: None},
    ),
    "other projects, though they call the same job": (
        (hook(1, owner=None), hook(2, owner=None, project="shop/audit", project_id=9)),
        {1: None, 2: None},
    ),
    "written otherwise": (
        (hook(1), hook(2, url=f"{ROOT}/project/PAYMENTS/main-build-payments/?x=1", owner=None)),
        {1: None, 2: 1},
    ),
}


@pytest.mark.parametrize(("hooks", "expected"), TWINS.values(), ids=TWINS.keys())
def test_of_twins_the_better_one_stays(hooks: tuple[Hook, ...], expected: dict[int, int | None]) -> None:
    assert kept(*hooks) == expected
    assert kept(*reversed(hooks)) == expected


def test_what_is_said_of_a_duplicate() -> None:
    found = all_of([hook(1), hook(2), hook(3, owner=None, events=())])
    assert found[2].evidence == (
        "webhook 1 of ours in the same project calls the same job and delivers the same events; it stays"
    )
    assert "these events and more" in found[3].evidence
    assert found[3].also == (UNMANAGED,)


def test_a_duplicate_of_another_owners_hook_names_the_owner() -> None:
    found = all_of([hook(1, owner=OTHER_OWNER), hook(2, owner=None)])
    assert f"webhook 1 of {OTHER_OWNER} in the same project" in found[2].evidence


def test_hooks_that_deliver_different_events_are_no_duplicates_and_say_so() -> None:
    found = all_of([hook(1, owner=None), hook(2, owner=None, events=(TAG, NOTE))])
    assert "no duplicate, though others call the same job: webhook 2 does not deliver push" in found[1].evidence
    assert "webhook 1 does not deliver tag push, note" in found[2].evidence
    assert {one.cls for one in found.values()} == {UNMANAGED}


def test_of_many_only_some_are_named() -> None:
    flags = ("issues_events", "job_events", "wiki_page_events", "releases_events", "pipeline_events")
    found = all_of([hook(number, owner=None, events=(flag,)) for number, flag in enumerate(flags, 1)])
    assert "(and 1 more)" in found[1].evidence


def test_a_misrouted_duplicate_is_misrouted_first() -> None:
    hooks = [hook(number, project="shop/audit", project_id=9, owner=None) for number in (1, 2)]
    found = all_of(hooks, entry=NO_SPEC)
    assert found[2].cls is MISROUTED
    assert found[2].also == (DUPLICATE, UNMANAGED)
    assert found[2].keeper == 1


def test_our_hook_does_not_stand_in_for_another_while_its_token_is_not_known_to_be_right() -> None:
    user = url_of(JOB).replace("://", "://ann:x@")
    misrouted = [hook(1, project_id=9), hook(2, project_id=9, owner=None, url=user)]
    assert kept(*misrouted) == {1: None, 2: None}
    unread = catalogue(job(read=False), complete=False)
    assert kept(hook(1), hook(2, owner=None, url=user), seen=unread) == {1: None, 2: None}


def test_the_latest_delivery_decides_which_twin_works() -> None:
    deliveries = {(GITLAB, PROJECT_ID, 1): (delivery("401"),), (GITLAB, PROJECT_ID, 2): (delivery("200"),)}
    found = all_of([hook(1, owner=None), hook(2, owner=None)], ONE_JOB, NO_SPEC, deliveries)
    assert (found[1].cls, found[1].keeper) == (DUPLICATE, 2)
    assert found[1].also == (FAILING, UNMANAGED)


def test_repositories_of_an_organisation_are_not_twins() -> None:
    seen = catalogue(job("org", cls=ORGANISATION))
    found = all_of([hook(1, "org/a", owner=None), hook(2, "org/b", owner=None)], seen, NO_SPEC)
    assert [one.cls for one in found.values()] == [UNMANAGED, UNMANAGED]
    assert {one.job for one in found.values()} == {"org/a", "org/b"}


def test_branches_of_a_multibranch_project_are_twins() -> None:
    seen = catalogue(job("mb", cls=MULTIBRANCH), job("mb/a"))
    assert kept(hook(1, "mb/a", owner=None), hook(2, "mb/b", owner=None), seen=seen) == {1: None, 2: 1}


def test_a_hook_that_was_seen_twice_is_no_twin_of_itself() -> None:
    findings = classify([hook(1), hook(1)], ONE_JOB, {GITLAB: SPEC}, OWNER, SALT)
    assert [one.cls for one in findings] == [LIVE]


# failures


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        ("401", "Jenkins refuses the token"),
        ("403", "Jenkins demands a user with Job/Build"),
        ("404", "Jenkins knows no such job"),
        ("409", "a multibranch project takes pushes only"),
        ("418", "says 418"),
        ("500", "the plugin failed on the event"),
        ("503", "was not available (503)"),
        ("internal error", "whether its name resolves and its certificate is trusted"),
    ],
)
def test_a_failed_delivery_tells_its_likely_cause(status: str, cause: str) -> None:
    text = failure(hook(), (delivery(status), delivery("200")))
    assert text.startswith(f"1 of the last 2 deliveries failed: {status} (2026-11-20 21:14 UTC): ")
    assert cause in text


def test_a_disabled_hook_tells_its_last_failures() -> None:
    log = (delivery("503"), delivery("503", at="2026-11-20T20:01:00Z"), delivery("internal error", at=""))
    one = hook(alert_status="temporarily_disabled", disabled_until="2026-11-20T21:14:00Z")
    assert failure(one, log).startswith(
        "GitLab disabled it until 2026-11-20 21:14 UTC after failed deliveries: "
        "2 × 503 (from 2026-11-20 20:01 UTC to 2026-11-20 21:14 UTC), internal error (GitLab does not tell when): "
        "Jenkins, or the proxy before it, was not available"
    )


def test_many_failures_are_cut_short() -> None:
    text = failure(hook(), (delivery("404"),) * 20)
    told = "20 × 404 (2026-11-20 21:14 UTC): Jenkins knows no such job"
    assert text.startswith(f"20 of the last 20 deliveries failed: {told}")
    turns = (delivery("404", at=""), delivery("502", at="")) * 10
    assert failure(hook(), turns).count("(GitLab does not tell when)") == 5
    assert "502 (GitLab does not tell when), 404 (GitLab does not tell when), …: Jenkins knows" in failure(
        hook(), turns
    )


def test_failures_with_a_success_in_between_are_told_apart() -> None:
    log = (delivery("401"), delivery("200", at="2026-11-20T20:30:00Z"), delivery("401", at="2026-11-20T20:00:00Z"))
    told = "2 of the last 3 deliveries failed: 401 (2026-11-20 21:14 UTC), 401 (2026-11-20 20:00 UTC): "
    assert failure(hook(), log).startswith(told)


@pytest.mark.parametrize(
    ("path", "flaw"),
    [
        ("/job/a b/job/c", "is that of an item's page"),
        ("/project/job/a b/job/c", "is that of an item's page"),
        ("/project/a%2520b/c", "is percent-encoded twice"),
        ("/job/a%2520b/job/c", "is that of an item's page and is percent-encoded twice"),
        ("/project/a+b/c", "writes blanks as +"),
        ("/project/a%20b/c%3Ftoken=1", "has its query encoded into the path"),
    ],
)
def test_an_address_that_does_not_work_says_what_is_wrong_with_it(path: str, flaw: str) -> None:
    found = only(hook(url=ROOT + path, owner=None), catalogue(job("a b/c")), NO_SPEC)
    assert found.cls is STALE
    assert f"its URL {flaw}, to which Jenkins answers 404" in found.evidence
    assert found.evidence.count("its URL") == 1


def test_letters_in_another_form_are_called_so() -> None:
    found = only(hook(url=f"{ROOT}/project/gro%CC%88%C3%9Fe", owner=None), catalogue(job("größe")), NO_SPEC)
    assert "its URL writes letters in another Unicode form than the job's name, to which" in found.evidence


def test_the_cure_is_said_once_for_all_and_not_in_the_evidence() -> None:
    broken = [hook(1, push_events=False), hook(2, "b", alert_status="disabled"), hook(3, "c", root=FORMER)]
    seen = catalogue(job(), job("b"), job("c"))
    for one in all_of(broken, seen, terms(wanted(), wanted("b"), wanted("c"))).values():
        assert one.cls in (MISMATCHED, FAILING, STALE)
        assert "configurator" not in one.evidence


def test_a_hook_that_apply_moves_names_its_new_job_whatever_its_class() -> None:
    spec = terms(wanted(former="old/build"))
    for seen in (ONE_JOB, catalogue(job(), job("old/build"))):
        assert only(hook(job_name="old/build"), seen, spec).moves_to == JOB
    assert only(hook(), ONE_JOB, spec).moves_to is None


def test_a_hook_whose_latest_delivery_came_through_does_not_fail() -> None:
    assert failure(hook(), (delivery("200"), delivery("503"))) == ""
    assert failure(hook(), (delivery("302"), delivery("503"))) == ""
    assert failure(hook(), ()) == ""
    assert failure(hook(), (delivery("500"),)).startswith("1 of the last 1 delivery failed")


def test_the_log_stands_in_the_finding() -> None:
    log = (delivery("503"),)
    found = all_of([hook()], deliveries={(GITLAB, PROJECT_ID, 1): log})
    assert (found[1].cls, found[1].deliveries) == (FAILING, log)


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        ("2026-11-20T21:14:59.123Z", "2026-11-20 21:14 UTC"),
        ("2026-11-20T21:14:59", "2026-11-20 21:14 UTC"),
        ("2026-11-21T01:14:59+04:00", "2026-11-20 21:14 UTC"),
        ("tomorrow", "tomorrow"),
    ],
)
def test_times_are_shown_in_utc(moment: str, shown: str) -> None:
    assert when(moment) == shown


# integrations

PROPERTIES = {"jenkins_url": f"{ROOT}/", "project_name": JOB, "username": "ann"}


def integration(properties: Mapping[str, Any] | None = None, seen: Catalogue = ONE_JOB, **flags: bool) -> Integration:
    """An integration of the usual project."""
    attributes = {"active": True, "push_events": True, **flags, "properties": {**PROPERTIES, **(properties or {})}}
    return integration_of(GITLAB, PROJECT, PROJECT_ID, attributes, seen, (ROOT, FORMER))


def test_an_integration_names_its_target_and_job() -> None:
    found = integration(merge_requests_events=True, issues_events=True)
    assert (found.target, found.job) == (f"{ROOT}/project/{JOB}", JOB)
    assert found.events == (PUSH, MERGE)
    assert integration(seen=catalogue()).job == JOB
    assert integration({"project_name": JOB.upper()}).job == JOB
    assert integration({"jenkins_url": FORMER}).job == JOB


def test_an_integration_with_another_jenkins_has_no_job() -> None:
    found = integration({"jenkins_url": f"https://ann:{PASSWORD}@else.where"})
    assert found.job is None
    assert PASSWORD not in found.target
    assert integration_of(GITLAB, PROJECT, PROJECT_ID, {}, ONE_JOB, (ROOT,)).job is None
    findings = classify([hook()], ONE_JOB, {GITLAB: SPEC}, OWNER, SALT)
    assert judge_integrations([found], findings) == (found,)


def test_twins_of_an_integration_start_the_same_job_for_the_same_event() -> None:
    hooks = [
        hook(5),
        hook(2, owner=None, url=f"{ROOT}/project/{JOB.upper()}"),
        hook(3, owner=None, events=(MERGE,)),
        hook(4, project="shop/audit", project_id=9),
        hook(6, "payments/other", owner=None),
        hook(7, url="https://else.where/project/x"),
    ]
    seen = catalogue(job(), job("payments/other"))
    findings = classify(hooks, seen, {GITLAB: SPEC}, OWNER, SALT)
    push, merge = judge_integrations(
        [integration(), integration(push_events=False, merge_requests_events=True)], findings
    )
    assert push.twins == (2, 5)
    assert merge.twins == (3,)
    gone = classify(hooks, catalogue(), {GITLAB: SPEC}, OWNER, SALT)
    assert judge_integrations([integration()], gone)[0].twins == ()


# the rest


def test_every_class_has_its_place() -> None:
    assert set(PRECEDENCE) == set(HookClass)


def test_findings_are_sorted_as_a_picture_says() -> None:
    hooks = [
        hook(9, "a"),
        hook(1, "gone", project="z/z", project_id=1),
        hook(3, "gone", project="a/a", project_id=2),
        hook(2, "gone", project="a/a", project_id=2),
        hook(4, "gone", gitlab="a-gitlab"),
    ]
    entries = {GITLAB: NO_SPEC, "a-gitlab": NO_SPEC}
    findings = classify(hooks, catalogue(job("a")), entries, OWNER, SALT)
    assert [one.hook.id for one in findings] == [4, 2, 3, 1, 9]


def test_terms_come_from_the_spec_alone() -> None:
    class World:
        """As much of a world as is asked for."""

        def __init__(self) -> None:
            here, there = wanted(), wanted("tools/x", gitlab="second")
            other: Resource[None] = Resource(Key("job", JOB), None)
            self.desired = {one.key: one for one in (here, there, other)}

            former, again = wanted("new", former="old"), wanted("newer", former="left")
            left: Resource[None] = Resource(Key("job", "left"), None)
            self.desired |= {one.key: one for one in (former, again, left)}

        def webhook_secret(self, gitlab: str) -> Secret:
            return SECRET

        def gitlab_entry(self, gitlab: str) -> Any:
            return SimpleNamespace(url="https://GitLab.example.com:443/")

    found = _terms_of(World())
    assert set(found.wanted) == {JOB, "new", "newer"}
    assert replace(found, wanted=SPEC.wanted) == replace(
        SPEC, describes_hooks=False, former={"new": "old"}, server="https://gitlab.example.com:443"
    )
    assert WebhookKind.name == next(iter(found.wanted.values())).key.kind


def _terms_of(world: Any) -> Terms:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("configurator.webhooks.terms.addresses", lambda world, gitlab: (ROOT, FORMER))
        return terms_of(world, GITLAB, False)


def test_a_plain_folder_that_is_listed_beside_its_jobs_is_still_none() -> None:
    finding = only(hook(job_name="empty"), catalogue(folder("empty")))
    assert finding.evidence == "empty is a folder, not a job"
