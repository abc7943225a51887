"""The inventory without Administer: the same data, as far as the rights go."""

from __future__ import annotations

import pytest

from configurator.sandbox.server import Fault, Response
from configurator.world.found import Hidden, Inventory
from tests.kinds.bench import ALL_CREDENTIALS, LIMITED, VIEW, Bench, hooked, job

TEXT = "org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl"
FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"
READ = ("hudson.model.Hudson.Read", "hudson.model.Item.Read")


def inventory(bench: Bench, *rights: str) -> Inventory:
    bench.act_as("somebody", *rights)
    with bench.open() as run:
        return run.world.inventory


@pytest.fixture
def filled(quiet: Bench) -> Bench:
    """A folder with a job and views; a root view; things of others."""
    quiet.spec["folders"] = [{"name": "f"}]
    quiet.spec["jobs"] = [hooked("f/a"), job("b")]
    quiet.spec["views"] = [{"name": "f/V", "regex": "a.*"}, {"name": "Root", "regex": ".*"}]
    quiet.done()
    with quiet.open() as run:
        run.world.jenkins.create_item("theirs", "<project/>")
    return quiet


def test_it_is_the_same_as_by_script_as_far_as_it_goes(filled: Bench) -> None:
    with filled.open() as run:
        script = run.world.inventory
    rest = inventory(filled, *LIMITED, VIEW + "Read", VIEW + "Configure")
    assert not rest.administer
    assert set(rest.items) == set(script.items) == {"f", "f/a", "b"}
    for name, item in rest.items.items():
        assert (item.cls, item.description, item.children) == (
            script.items[name].cls,
            script.items[name].description,
            script.items[name].children,
        )
    assert set(script.views) == {"f/V", "Root"}
    assert set(rest.views) == {"f/V", "Root", "f/All"}, "the folder's own is there too, and nobody's"
    assert rest.views["f/V"].description == script.views["f/V"].description
    assert "<owner" not in str(rest.views["f/V"].xml)
    assert rest.connections == Hidden("Overall/Administer")


def test_what_left_the_spec_is_found_by_its_mark(filled: Bench) -> None:
    filled.spec["jobs"] = []
    assert set(inventory(filled, *LIMITED).items) == {"f", "f/a", "b"}


def test_a_config_that_may_not_be_read_names_the_right(filled: Bench) -> None:
    found = inventory(filled, *READ)
    assert {item.hidden for item in found.items.values()} <= {"Job/ExtendedRead", "Job/Configure"}
    assert all(item.xml is None for item in found.items.values())
    assert not [name for name in found.views if name.startswith("f/")]


def test_an_item_that_goes_while_it_is_read_is_hidden(filled: Bench) -> None:
    filled.jenkins.inject(Fault(lambda one: one.path == "/job/b/config.xml", "answer", Response(404), times=9))
    assert inventory(filled, *LIMITED).items["b"].hidden == "Job/Read"


def test_root_views_that_may_not_be_read_name_the_right(filled: Bench) -> None:
    filled.jenkins.inject(Fault(lambda one: one.path == "/view/Root/config.xml", "answer", Response(403), times=9))
    hidden = inventory(filled, *LIMITED).root_views
    assert isinstance(hidden, Hidden) and hidden.permission


def test_a_root_view_that_is_not_there_is_not_there(filled: Bench) -> None:
    filled.spec["views"].append({"name": "New", "regex": ".*"})
    found = inventory(filled, *LIMITED, VIEW + "Read", VIEW + "Configure")
    assert "New" not in found.views and found.root_views is None


def test_credentials_of_the_stores_that_are_named(filled: Bench) -> None:
    filled.environ["VALUE"] = "value"
    filled.spec["credentials"] = [
        {"id": "one", "kind": "secret-text", "secret": {"env": "VALUE"}},
        {"id": "two", "kind": "secret-text", "secret": {"env": "VALUE"}, "folder": "f", "domain": "d"},
    ]
    filled.done()
    filled.spec["folders"].append({"name": "new"})
    filled.spec["credentials"].append(
        {"id": "three", "kind": "secret-text", "secret": {"env": "VALUE"}, "folder": "new"}
    )
    found = inventory(filled, *LIMITED, *ALL_CREDENTIALS).credentials
    assert not isinstance(found, Hidden)
    assert [(one.folder, one.domain, one.id, one.cls, one.digest) for one in found] == [
        (None, None, "one", TEXT, None),
        ("f", "d", "two", TEXT, None),
    ]
    assert inventory(filled, *LIMITED).credentials == Hidden("Credentials/View")


def test_plugins_with_the_right_to_see_them(quiet: Bench) -> None:
    found = inventory(quiet, *LIMITED, "hudson.model.Hudson.SystemRead")
    assert not isinstance(found.plugins, Hidden)
    assert found.plugins["git"] == "5.8.1"
    assert found.inactive == frozenset()
    assert inventory(quiet, *LIMITED).plugins == Hidden("Overall/Administer")
