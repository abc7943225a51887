"""Which change waits for which."""

from __future__ import annotations

from graphlib import TopologicalSorter

from hypothesis import given
from hypothesis import strategies as st

from configurator.engine.order import obstacle, waits_for
from configurator.model import Action, Change, Key, Outcome, Result
from tests.engine.fakes import there, wanted

FOLDER, JOB, HOOK = Key("thing", "folder"), Key("thing", "job"), Key("thing", "hook")


def change(action: Action, name: str, *, existing: bool = False, **more: object) -> Change:
    resource = wanted(name, **more)  # type: ignore[arg-type]
    kept = there(name, after=more.get("after", ())) if existing or action is Action.DELETE else None  # type: ignore[arg-type]
    return Change(action, resource.key, "because", wanted=None if action is Action.DELETE else resource, existing=kept)


def test_making_goes_from_the_folder_inwards_and_deleting_outwards() -> None:
    made = [
        change(Action.CREATE, "hook", after=(JOB,)),
        change(Action.CREATE, "job", after=(FOLDER,)),
        change(Action.CREATE, "folder"),
    ]
    assert list(TopologicalSorter(waits_for(made)).static_order()) == [FOLDER, JOB, HOOK]
    gone = [change(Action.DELETE, one.key.name, after=one.wanted.after if one.wanted else ()) for one in made]
    assert list(TopologicalSorter(waits_for(gone)).static_order()) == [HOOK, JOB, FOLDER]


def test_what_is_moved_away_from_something_goes_before_its_deletion() -> None:
    old = Key("thing", "old")
    moved = Change(Action.UPDATE, Key("thing", "user"), wanted=wanted("user"), existing=there("user", after=(old,)))
    graph = waits_for([moved, change(Action.DELETE, "old")])
    assert graph[old] == {Key("thing", "user")}


def test_conflicts_are_not_carried_out() -> None:
    assert waits_for([change(Action.CONFLICT, "job", existing=True)]) == {}


def _results(*ended: tuple[Change, Outcome]) -> dict[Key, Result]:
    return {one.key: Result(one, outcome) for one, outcome in ended}


def test_a_failure_stops_what_depends_on_it() -> None:
    folder, job = change(Action.CREATE, "folder"), change(Action.CREATE, "job", after=(FOLDER,))
    changes = {FOLDER: folder, JOB: job}
    assert obstacle(job, changes, _results((folder, Outcome.DONE))) == ""
    assert obstacle(job, changes, _results((folder, Outcome.FAILED))) == "thing folder was not made"
    assert obstacle(job, changes, _results((folder, Outcome.SKIPPED))) == "thing folder was not made"


def test_what_is_there_is_enough_even_if_it_could_not_be_changed() -> None:
    folder = change(Action.UPDATE, "folder", existing=True)
    job = change(Action.CREATE, "job", after=(FOLDER,))
    assert obstacle(job, {FOLDER: folder, JOB: job}, _results((folder, Outcome.FAILED))) == ""
    conflict = change(Action.CONFLICT, "folder", existing=True)
    assert obstacle(job, {FOLDER: conflict, JOB: job}, {}) == ""
    missing = change(Action.CONFLICT, "folder")
    assert obstacle(job, {FOLDER: missing, JOB: job}, {}) == "thing folder is in conflict: because"


def test_what_shares_a_secret_needs_the_other_side_as_wanted() -> None:
    job = change(Action.UPDATE, "job", existing=True)
    hook = change(Action.UPDATE, "hook", existing=True, after=(JOB,), pair=JOB)
    changes = {JOB: job, HOOK: hook}
    assert obstacle(hook, changes, _results((job, Outcome.FAILED))) == "thing job was not updated"
    conflict = change(Action.CONFLICT, "job", existing=True)
    assert obstacle(hook, {JOB: conflict, HOOK: hook}, {}) == "thing job is in conflict: because"


def test_a_deletion_waits_for_the_deletion_of_what_uses_it_to_succeed() -> None:
    hook, job = change(Action.DELETE, "hook", after=(JOB,)), change(Action.DELETE, "job", after=(FOLDER,))
    changes = {HOOK: hook, JOB: job}
    assert obstacle(job, changes, _results((hook, Outcome.FAILED))) == "thing hook was not deleted"
    assert obstacle(job, changes, _results((hook, Outcome.DONE))) == ""


@given(st.lists(st.tuples(st.sampled_from(list(Action)), st.integers(0, 3)), max_size=12))
def test_never_a_circle(steps: list[tuple[Action, int]]) -> None:
    """Resources depend on earlier ones only, whatever is done with each: an order can always be found."""
    changes = [
        change(
            action, f"n{place}", existing=True, after=tuple(Key("thing", f"n{back}") for back in range(place)[-deps:])
        )
        for place, (action, deps) in enumerate(steps)
    ]
    carried_out = [one for one in changes if one.action is not Action.CONFLICT]
    assert len(list(TopologicalSorter(waits_for(changes)).static_order())) == len(carried_out)
