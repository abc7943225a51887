"""Views, at the root and in folders, with Administer and without."""

from __future__ import annotations

import pytest

from configurator.model import Outcome
from tests.kinds.bench import LIMITED, VIEW, Bench, conflicts, ended, only, paths, prunable, steps

LIST = "<hudson.model.ListView><name>%s</name><description>by Ann</description></hudson.model.ListView>"
VIEWS = frozenset({*LIMITED, *(VIEW + name for name in ("Read", "Create", "Configure", "Delete"))})
USERS = pytest.mark.parametrize("rights", [frozenset(), VIEWS], ids=["admin", "limited"])


def act(bench: Bench, rights: frozenset[str]) -> None:
    if rights:
        bench.act_as("limited", *rights)


@USERS
@pytest.mark.parametrize("name", ["Nightly runs", "tools/Nightly runs"])
def test_made_changed_and_put_right(quiet: Bench, rights: frozenset[str], name: str) -> None:
    act(quiet, rights)
    quiet.spec["folders"] = [{"name": "tools"}]
    quiet.done()
    quiet.spec["views"] = [{"name": name, "regex": "nightly.*"}]
    assert steps(quiet.plan()) == [("create", f"view {name}")]
    quiet.settled()
    quiet.spec["views"][0]["regex"] = "other.*"
    assert paths(only(quiet.plan())) == ["includeRegex"]
    quiet.settled()
    with quiet.open() as run:
        text = run.world.jenkins.read_view(name)
        run.world.jenkins.write_view(name, text.replace("<recurse>false", "<recurse>true"))
    assert paths(only(quiet.plan())) == ["recurse"]
    quiet.settled()


@USERS
def test_by_hand_is_a_conflict_until_adopted_which_keeps_what_the_template_does_not_say(
    quiet: Bench, rights: frozenset[str]
) -> None:
    with quiet.open() as run:
        run.world.jenkins.create_view("Mine", LIST % "Mine")
    act(quiet, rights)
    quiet.spec["views"] = [{"name": "Mine", "regex": ".*"}]
    assert conflicts(quiet.plan()) == {"view Mine": "it exists and does not carry our mark"}
    quiet.spec["views"][0]["adopt"] = True
    quiet.settled()


@USERS
def test_a_view_of_another_type_is_a_conflict(quiet: Bench, rights: frozenset[str]) -> None:
    with quiet.open() as run:
        run.world.jenkins.create_view("Mine", "<hudson.model.AllView><name>Mine</name></hudson.model.AllView>")
    act(quiet, rights)
    quiet.spec["views"] = [{"name": "Mine", "regex": ".*"}]
    assert "another type" in conflicts(quiet.plan(adopt=("*",)))["view Mine"]


@pytest.mark.parametrize("name", ["Old", "tools/Old"])
def test_what_left_the_spec_is_prunable(quiet: Bench, name: str) -> None:
    quiet.spec["folders"] = [{"name": "tools"}]
    quiet.spec["views"] = [{"name": name, "regex": ".*"}]
    quiet.done()
    quiet.spec["views"] = []
    assert prunable(quiet.plan()) == [f"view {name}"]
    quiet.done(prune=True)
    assert not quiet.plan(prune=True).changes


def test_without_rights_on_views_a_new_one_is_told_with_the_right_it_takes(quiet: Bench) -> None:
    quiet.spec["folders"] = [{"name": "tools"}]
    quiet.done()
    quiet.act_as("limited", *LIMITED)
    quiet.spec["views"] = [{"name": "tools/New", "regex": ".*"}, {"name": "New", "regex": ".*"}]
    assert {one[0] for one in ended(quiet.apply()).values()} == {Outcome.SKIPPED}


def test_where_the_folder_can_not_be_read_its_views_are_unchecked(quiet: Bench) -> None:
    quiet.spec["folders"] = [{"name": "tools"}]
    quiet.spec["views"] = [{"name": "tools/Main", "regex": ".*"}]
    quiet.done()
    quiet.act_as("reader", "hudson.model.Hudson.Read", "hudson.model.Item.Read")
    plan = quiet.plan()
    assert not plan.changes
    assert [(one.kind, one.name) for one in plan.unchecked] == [("view", "tools/Main")]
