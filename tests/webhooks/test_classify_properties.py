"""What holds for every classification, in random worlds of projects, hooks and jobs."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import (
    JOB,
    OTHER_OWNER,
    OWNER,
    PASSWORD,
    SALT,
    RandomWorld,
    catalogue,
    hook,
    job,
    terms,
    wanted,
    worlds,
)

from configurator.hook_url import read_address
from configurator.webhooks.classify import PRECEDENCE, classify
from configurator.webhooks.model import HEALTHY, Finding, HookClass
from configurator.webhooks.reach import find_target

pytestmark = pytest.mark.no_cover  # many examples of what other tests reach, too slow to be traced

HOOKS = 15_000
LIMIT = 12.0
"""Seconds for all of them, about ten times what it takes: with coverage, on a core that others use, too."""


def findings_of(world: RandomWorld) -> tuple[Finding, ...]:
    return classify(world.hooks, world.catalogue, world.terms, OWNER, SALT, world.deliveries)


@given(worlds())
@settings(max_examples=100)
def test_no_hook_whose_job_exists_is_orphaned(world: RandomWorld) -> None:
    there = {name.casefold() for name in world.exists}
    for finding in findings_of(world):
        if finding.is_any(HookClass.ORPHANED):
            address = read_address(finding.hook.url, world.terms[finding.hook.gitlab].roots)
            assert address is not None
            for reading in address.readings:
                parts = reading.job.casefold().split("/")
                assert there.isdisjoint("/".join(parts[:end]) for end in range(1, len(parts) + 1))


@given(worlds(problem=True))
def test_nothing_is_known_while_jenkins_can_not_be_asked(world: RandomWorld) -> None:
    for finding in findings_of(world):
        assert finding.cls in (HookClass.UNKNOWN, HookClass.FOREIGN)
        assert finding.also == ()
        assert finding.keeper is None


@given(worlds(problem=False))
@settings(max_examples=100)
def test_what_makes_a_duplicate_superfluous_stays_and_does_the_same(world: RandomWorld) -> None:
    findings = {(one.hook.gitlab, one.hook.project_id, one.hook.id): one for one in findings_of(world)}
    for finding in findings.values():
        assert (finding.keeper is not None) == finding.is_any(HookClass.DUPLICATE)
        if finding.keeper is None:
            continue
        removed = finding.hook
        keeper = findings[removed.gitlab, removed.project_id, finding.keeper]
        address = read_address(keeper.hook.url, world.terms[removed.gitlab].roots)
        assert address is not None
        target = find_target(world.catalogue, address)
        assert keeper.hook.id != removed.id
        assert not keeper.is_any(HookClass.DUPLICATE, HookClass.ORPHANED, HookClass.UNKNOWN, HookClass.FOREIGN)
        assert keeper.job == finding.job
        assert target is not None
        assert target.reading.works
        assert set(removed.events) <= set(keeper.hook.events)
        assert removed.owner != OTHER_OWNER
        assert removed.owner is None or keeper.hook.owner == OWNER
        assert keeper.hook.alert_status == HEALTHY or removed.alert_status != HEALTHY
        assert not keeper.is_any(HookClass.FAILING) or finding.is_any(HookClass.FAILING)
        assert not keeper.is_any(HookClass.STALE) or finding.is_any(HookClass.STALE)
        pattern = keeper.hook.attributes["push_events_branch_filter"]
        if pattern and keeper.hook.attributes["push_events"]:
            assert pattern == removed.attributes["push_events_branch_filter"]


@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_the_hooks_does_not_matter(world: RandomWorld, random: object) -> None:
    shuffled = list(world.hooks)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    again = classify(shuffled, world.catalogue, world.terms, OWNER, SALT, world.deliveries)
    assert again == findings_of(world)


@given(worlds())
def test_every_hook_has_one_finding_and_every_finding_a_sentence(world: RandomWorld) -> None:
    findings = findings_of(world)
    assert sorted(one.hook.id for one in findings) == sorted(one.id for one in world.hooks)
    for finding in findings:
        assert finding.evidence
        assert PASSWORD not in finding.evidence
        assert "token=abc" not in finding.evidence
        classes = (finding.cls, *finding.also)
        assert HookClass.LIVE not in finding.also
        if HookClass.FAILING in classes and not read_is_job(finding, world):
            continue  # somebody's own endpoint is unmanaged first, whatever else holds
        assert list(classes) == [cls for cls in PRECEDENCE if cls in classes]


def read_is_job(finding: Finding, world: RandomWorld) -> bool:
    address = read_address(finding.hook.url, world.terms[finding.hook.gitlab].roots)
    return address is None or not (address.other or not address.readings)


@given(worlds(problem=False))
def test_only_what_carries_our_mark_is_compared(world: RandomWorld) -> None:
    for finding in findings_of(world):
        if finding.is_any(HookClass.MISMATCHED):
            assert finding.hook.owner == OWNER
        if finding.is_any(HookClass.UNMANAGED) and finding.job is not None and read_is_job(finding, world):
            assert finding.hook.owner is None


def test_many_hooks_are_classified_in_no_time(record_property: Callable[[str, object], None]) -> None:
    projects = HOOKS // 3
    names = [f"app{number}/{JOB}" for number in range(projects)]
    hooks, jobs, asked = [], [], []
    for number, name in enumerate(names):
        place = {"project": f"group/app{number}", "project_id": number + 1}
        hooks += [
            hook(3 * number, name, **place),  # type: ignore[arg-type]
            hook(3 * number + 1, name, owner=None, **place),  # type: ignore[arg-type]
            hook(3 * number + 2, f"{name}-gone", **place),  # type: ignore[arg-type]
        ]
        jobs.append(job(name, project_id=number + 1))
        asked.append(wanted(name, project=f"group/app{number}"))
    seen, entry = catalogue(*jobs), {"gitlab": terms(*asked)}
    start = time.process_time()
    findings = classify(hooks, seen, entry, OWNER, SALT)
    seconds = time.process_time() - start
    record_property("seconds", seconds)
    print(f"{HOOKS} hooks: {seconds:.2f} s")
    counts = {cls: sum(one.cls is cls for one in findings) for cls in HookClass}
    assert counts[HookClass.ORPHANED] == counts[HookClass.DUPLICATE] == counts[HookClass.LIVE] == projects
    assert seconds < LIMIT


def test_random_worlds_hold_every_class() -> None:
    met: set[HookClass] = set()

    @given(worlds())
    @settings(max_examples=100)
    def look(world: RandomWorld) -> None:
        met.update(one.cls for one in findings_of(world))

    look()
    assert met == set(HookClass)
