"""Narrowing, selecting, guarding: which hooks may go at all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from configurator.errors import InputError, RefusedError
from configurator.webhooks.model import HookClass, Integration, Picture
from configurator.webhooks.selection import REMOVABLE, guard, left_to_apply, narrow, select
from tests.webhooks.cleanup_parts import found, hook_of, picture_of

NOW = datetime(2026, 2, 1, tzinfo=UTC)
OURS = "Managed by configurator (platform) key=01234567"
THEIRS = "Managed by configurator (other)"


def _everything(description: str | None = None) -> Picture:
    findings = [found(hook_of(number, description=description), cls) for number, cls in enumerate(HookClass)]
    return picture_of(findings)


# ---- narrow


@pytest.mark.parametrize(
    ("globs", "ids"),
    [
        ((), [1, 2, 3]),
        (("shop/*",), [1, 2]),
        (("SHOP/Payments",), [1]),
        (("*/payments", "ops/*"), [1, 3]),
        (("shop",), []),
    ],
)
def test_narrow_by_project(globs: tuple[str, ...], ids: list[int]) -> None:
    hooks = [hook_of(1), hook_of(2, project="shop/sub/catalog"), hook_of(3, project="ops/ci")]
    integrations = (Integration("gitlab", "ops/ci", 9, "Jenkins", "a", ("push",)),)
    picture = picture_of([found(one) for one in hooks], integrations=integrations, problems=("a page was cut",))
    narrowed = narrow(picture, projects=globs)
    assert [one.hook.id for one in narrowed.findings] == ids
    assert bool(narrowed.integrations) is (3 in ids)
    assert narrowed.problems == picture.problems and not narrowed.complete


@pytest.mark.parametrize(
    ("created", "days", "stays"),
    [
        ("2026-01-02T00:00:00.000Z", 30, True),
        ("2026-01-02T00:00:00.001Z", 30, False),
        ("2026-01-02T00:00:00", 30, True),
        ("2026-01-01T23:00:00-02:00", 30, False),
        ("", 30, False),
        (None, 30, False),
        ("yesterday", 0, False),
        ("2026-01-31T12:00:00Z", 0.5, True),
        ("", None, True),
    ],
)
def test_narrow_by_age(created: str | None, days: float | None, stays: bool) -> None:
    picture = picture_of([found(hook_of(created_at=created))])
    assert bool(narrow(picture, older_than_days=days, now=NOW).findings) is stays


def test_narrow_by_age_counts_from_now() -> None:
    picture = picture_of([found(hook_of(created_at="2020-01-01T00:00:00Z"))])
    assert narrow(picture, older_than_days=1).findings
    for days in (100_000, 1_000_000, 1e300):
        assert not narrow(picture, older_than_days=days).findings


def test_narrow_by_class() -> None:
    picture = _everything()
    kept = narrow(picture, classes=[HookClass.STALE, HookClass.FOREIGN])
    assert [one.cls for one in kept.findings] == [HookClass.STALE, HookClass.FOREIGN]


# ---- select


def test_orphaned_and_duplicate_unless_told_otherwise() -> None:
    picture = _everything()
    assert {one.cls for one in select(picture)} == {HookClass.ORPHANED, HookClass.DUPLICATE}


@pytest.mark.parametrize("cls", list(HookClass))
def test_what_may_be_asked_for(cls: HookClass) -> None:
    picture = _everything()
    if cls in REMOVABLE:
        assert [one.cls for one in select(picture, [cls])] == [cls]
    else:
        with pytest.raises(InputError, match=f"{cls} webhooks are never removed"):
            select(picture, [HookClass.ORPHANED, cls])


def test_every_refused_class_is_named_once() -> None:
    with pytest.raises(InputError) as caught:
        select(picture_of([]), [HookClass.LIVE, HookClass.UNKNOWN, HookClass.LIVE, HookClass.FOREIGN])
    assert [str(one).split()[0] for one in caught.value.problems] == ["live", "unknown", "foreign"]
    assert "orphaned" in caught.value.problems[0].hint


def test_never_another_owners() -> None:
    picture = _everything(THEIRS)
    assert select(picture, REMOVABLE) == ()


def test_marks_in_urls_count() -> None:
    hooks = [hook_of(1, job="a?configurator=other"), hook_of(2, job="a?configurator=platform&key=01234567")]
    assert [one.hook.id for one in select(picture_of(found(one) for one in hooks))] == [2]


def test_only_marked() -> None:
    picture = picture_of(
        [found(hook_of(1)), found(hook_of(2, description=OURS)), found(hook_of(3, description=THEIRS))]
    )
    assert [one.hook.id for one in select(picture)] == [1, 2]
    assert [one.hook.id for one in select(picture, only_marked=True)] == [2]


def test_the_first_word_counts() -> None:
    both = found(hook_of(1), HookClass.MISROUTED, also=(HookClass.STALE, HookClass.DUPLICATE))
    assert select(picture_of([both]), [HookClass.STALE, HookClass.DUPLICATE]) == ()


def test_what_apply_moves_is_never_removed_and_the_reason_is_told() -> None:
    moving = [found(hook_of(number, job="old"), cls, moves_to="new") for number, cls in enumerate(REMOVABLE)]
    picture = picture_of([*moving, found(hook_of(99), HookClass.STALE)])
    assert [one.hook.id for one in select(picture, REMOVABLE)] == [99]
    reasons = left_to_apply(picture, [HookClass.STALE])
    [number] = [one.hook.id for one in moving if one.cls is HookClass.STALE]
    why = "the spec renamed old to new, and `configurator apply` moves it there"
    assert reasons == (f"webhook {number} of shop/payments stays: {why}",)
    assert left_to_apply(picture, [HookClass.LIVE]) == ()


# ---- guard


def _many(orphaned: int, live: int, foreign: int = 0, problems: tuple[str, ...] = ()) -> Picture:
    classes = [HookClass.ORPHANED] * orphaned + [HookClass.LIVE] * live + [HookClass.FOREIGN] * foreign
    return picture_of([found(hook_of(number), cls) for number, cls in enumerate(classes)], problems=problems)


@pytest.mark.parametrize(
    ("orphaned", "live", "deletes", "percent", "allowed"),
    [
        (20, 80, 20, 30, True),
        (21, 80, 20, 30, False),
        (3, 7, 20, 30, True),
        (3, 6, 20, 30, False),
        (1, 0, 1, 100, True),
        (0, 0, 0, 0, True),
        (1, 9, 0, 100, False),
    ],
)
def test_limits(orphaned: int, live: int, deletes: int, percent: int, allowed: bool) -> None:
    picture = _many(orphaned, live, foreign=1000)
    selected = select(picture)
    if allowed:
        guard(selected, picture, deletes, percent)
        return
    with pytest.raises(RefusedError, match="nothing was changed"):
        guard(selected, picture, deletes, percent)


def test_a_refusal_tells_the_numbers_and_the_options() -> None:
    picture = _many(25, 25)
    with pytest.raises(RefusedError) as caught:
        guard(select(picture), picture, 20, 30)
    assert "25 webhooks" in caught.value.message and "the 20" in caught.value.message
    assert "50 % of the 50" in caught.value.message and "30 %" in caught.value.message
    assert "--max-deletes 25 --max-percent 50" in caught.value.hint
    guard(select(picture), picture, 25, 50)


@pytest.mark.parametrize(("orphaned", "live"), [(1, 2), (2, 1), (5, 7), (1, 999)])
def test_what_a_refusal_advises_is_enough(orphaned: int, live: int) -> None:
    picture = _many(orphaned, live)
    with pytest.raises(RefusedError) as caught:
        guard(select(picture), picture, 100, 0)
    percent = float(caught.value.hint.rsplit(maxsplit=1)[-1])
    guard(select(picture), picture, 100, percent)


@pytest.mark.parametrize(
    ("orphaned", "live", "percent", "message", "hint"),
    [
        (1, 2, 30, "1 webhook would be removed, 33.3 % of the 3 under", "--max-percent 34"),
        (2, 1, 30, "2 webhooks would be removed, 66.7 % of the 3 under", "--max-percent 67"),
        (1, 0, 99.9, "1 webhook would be removed, 100 % of the 1 under", "--max-percent 100"),
        (3001, 6999, 30, "30.01 % of the 10000 under this Jenkins' addresses, more than the 30 %", "--max-percent 31"),
    ],
)
def test_a_refusal_says_precisely_what_to_give(
    orphaned: int, live: int, percent: float, message: str, hint: str
) -> None:
    picture = _many(orphaned, live)
    with pytest.raises(RefusedError) as caught:
        guard(select(picture), picture, 5000, percent)
    assert message in caught.value.message
    assert caught.value.hint.endswith(f"run again with {hint}")


def test_more_than_there_is() -> None:
    picture = _many(1, 0)
    with pytest.raises(RefusedError, match="100 % of the 0"):
        guard(select(picture), picture_of([]), 1, 100)


@pytest.mark.parametrize("count", [1, 5, 9])
def test_an_incomplete_picture_is_refused_whatever_is_selected(count: int) -> None:
    problems = tuple(f"project {number} can't be read" for number in range(count))
    with pytest.raises(RefusedError) as caught:
        guard((), _many(0, 5, problems=problems), 1000, 100)
    assert "project 0 can't be read" in caught.value.message
    assert ("and 4 more" in caught.value.message) is (count == 9)
