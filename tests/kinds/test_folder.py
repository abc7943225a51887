"""Folders: described, never rewritten; deleted only when nothing in them is somebody else's."""

from __future__ import annotations

import pytest

from configurator.kinds.folder import FolderBody, FolderKind
from configurator.model import Key, Outcome, Resource
from tests.kinds.bench import CREDENTIALS, ITEM, LIMITED, VIEW, Bench, conflicts, ended, job, only, prunable, steps

FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"
MULTIBRANCH = "<org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject/>"
SECRET_TEXT = (
    "<org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl><scope>GLOBAL</scope><id>theirs</id>"
    "<description/><secret>s</secret></org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl>"
)
DOMAIN = "<com.cloudbees.plugins.credentials.domains.Domain>"
LIST_VIEW = "<hudson.model.ListView><name>By hand</name></hudson.model.ListView>"
CLEANER = (*LIMITED, ITEM + "Delete")


def make(bench: Bench, name: str, xml: str = f"<{FOLDER}><description>by Ann</description></{FOLDER}>") -> None:
    with bench.open() as run:
        run.world.jenkins.create_item(name, xml)


def emptied(bench: Bench) -> None:
    """A folder of ours that left the spec."""
    bench.spec["folders"] = [{"name": "f"}]
    bench.done()
    bench.spec["folders"] = []


def test_made_with_its_views_in_one_request_quiet_and_pruned(quiet: Bench) -> None:
    quiet.spec["folders"] = [{"name": "shop"}, {"name": "shop/payments", "description": "Payments"}]
    quiet.spec["views"] = [
        {"name": "shop/payments/Main", "regex": "MAIN-.*"},
        {"name": "shop/All of them", "regex": ".*"},
    ]
    quiet.settled()
    assert quiet.jenkins.count("POST", "createView") == 0
    quiet.spec["folders"], quiet.spec["views"] = [], []
    assert prunable(quiet.plan()) == [
        "folder shop",
        "folder shop/payments",
        "view shop/All of them",
        "view shop/payments/Main",
    ]
    quiet.done(prune=True)
    assert quiet.plan(prune=True).changes == ()


def test_a_description_that_the_spec_does_not_give_is_kept_and_one_it_gives_is_set(quiet: Bench) -> None:
    make(quiet, "f")
    quiet.spec["folders"] = [{"name": "f", "adopt": True}]
    quiet.settled()
    assert "by Ann\nManaged by configurator (platform)" in quiet.jenkins.config("f")
    quiet.spec["folders"] = [{"name": "f", "description": "ours"}]
    [field] = only(quiet.plan()).fields
    assert (field.path, field.after) == ("description", "ours\nManaged by configurator (platform)")
    quiet.settled()
    with quiet.open() as run:
        [view] = run.world.jenkins.list_views("f")
    assert (view["name"], view["description"]) == ("All", None), "its primary view is not described"


def test_what_it_holds_survives_every_change(quiet: Bench) -> None:
    emptied(quiet)
    with quiet.open() as run:
        run.world.jenkins.create_credential("f", None, SECRET_TEXT)
        run.world.jenkins.create_view("f/By hand", LIST_VIEW)
    quiet.spec["folders"] = [{"name": "f", "description": "changed"}]
    quiet.settled()
    assert quiet.jenkins.secret("theirs", "f") == "s"
    with quiet.open() as run:
        assert run.world.jenkins.read_view("f/By hand")


@pytest.mark.parametrize("xml", ["<project/>", MULTIBRANCH])
def test_something_else_of_that_name_is_a_conflict_that_holds_up_what_belongs_inside(quiet: Bench, xml: str) -> None:
    make(quiet, "f", xml)
    quiet.spec["folders"] = [{"name": "f", "adopt": True}]
    quiet.spec["jobs"] = [job("f/a"), job("b")]
    assert "something else" in conflicts(quiet.plan(adopt=("*",)))["folder f"]


def test_not_managed_is_verified(quiet: Bench) -> None:
    quiet.spec["folders"] = [{"name": "f", "manage": False}]
    quiet.spec["jobs"] = [job("f/a")]
    assert "manage: false" in conflicts(quiet.plan())["folder f"]
    assert ended(quiet.apply())["job f/a"][0] == Outcome.SKIPPED
    make(quiet, "f")
    quiet.settled()
    assert "by Ann</description>" in quiet.jenkins.config("f")


def test_not_managed_may_be_anything_that_holds_items_and_nothing_else() -> None:
    wanted = Resource(Key("folder", "f"), FolderBody(""), manage=False)

    def there(children: tuple[str, ...] | None) -> Resource:
        return Resource(wanted.key, FolderBody("", "some.OrganizationFolder", children))

    assert FolderKind().obstacle(wanted, there(())) == ""
    assert "something else" in FolderKind().obstacle(wanted, there(None))


def test_folders_that_hold_what_stays_are_spared_from_the_inside_out() -> None:
    def folder(name: str, *children: str) -> Resource:
        return Resource(Key("folder", name), FolderBody("", children=children))

    going = [
        folder("a", "a/b", "a/x"),
        folder("a/b", "a/b/theirs"),
        folder("c", "c/x"),
        folder("d", "d/1", "d/2", "d/3", "d/4"),
        Resource(Key("job", "a/x"), None),
        Resource(Key("job", "c/x"), None),
    ]
    spared = FolderKind().spared(going)
    assert set(spared) == {Key("folder", "a"), Key("folder", "a/b"), Key("folder", "d")}
    assert spared[Key("folder", "a")] == "it still holds a/b"
    assert spared[Key("folder", "d")].endswith("d/3 and more")


@pytest.mark.parametrize("rights", [(), CLEANER], ids=["admin", "without rights on views and credentials"])
@pytest.mark.parametrize("what", ["credential", "credential in a domain", "view", "job"])
def test_a_folder_goes_only_when_nothing_of_others_is_left_in_it(
    quiet: Bench, what: str, rights: tuple[str, ...]
) -> None:
    emptied(quiet)
    with quiet.open() as run:
        client = run.world.jenkins
        if what == "view":
            client.create_view("f/By hand", LIST_VIEW)
        elif what == "job":
            client.create_item("f/theirs", "<project/>")
        elif what == "credential":
            client.create_credential("f", None, SECRET_TEXT)
        else:
            client.create_domain("f", "d")
            client.create_credential("f", "d", SECRET_TEXT)
    if rights:
        quiet.act_as("cleaner", *rights)
    plan = quiet.plan(prune=True)
    with quiet.open() as run:
        results = ended(run.apply(run.plan(prune=True)))
    if what == "job":
        assert steps(plan) == [] and "f/theirs" in plan.warnings[0]
    elif what.startswith("credential") and not rights:
        assert steps(plan) == [] and "it still holds credential f/" in plan.warnings[0]
    else:
        outcome, error = results["folder f"]
        assert outcome == Outcome.SKIPPED
        assert "the folder is kept" in error
    assert quiet.jenkins.config("f")


@pytest.mark.parametrize("rights", [(), CLEANER, (*CLEANER, CREDENTIALS + "View", VIEW + "Read")])
def test_an_empty_folder_goes(quiet: Bench, rights: tuple[str, ...]) -> None:
    emptied(quiet)
    if rights:
        quiet.act_as("cleaner", *rights)
    quiet.done(prune=True)
    with pytest.raises(KeyError):
        quiet.jenkins.config("f")


def test_a_folder_that_somebody_deleted_meanwhile_is_gone_all_the_same(quiet: Bench) -> None:
    emptied(quiet)
    with quiet.open() as run:
        plan = run.plan(prune=True)
        run.world.jenkins.delete_item("f")
        [(outcome, error)] = ended(run.apply(plan)).values()
    assert outcome == Outcome.DONE and not error
