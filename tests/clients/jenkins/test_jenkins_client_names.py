import pytest
from jenkins_client_parts import client

from configurator.clients.jenkins import hook_path, item_path, view_path
from configurator.clients.jenkins.names import readable_permission
from configurator.errors import (
    InputError,
)


def test_names_become_paths() -> None:
    assert item_path("a/b c+d#e/ü") == "/job/a/job/b%20c%2Bd%23e/job/%C3%BC"
    assert hook_path("a/b c") == "/project/a/b%20c"
    assert view_path("V 1") == "/view/V%201"
    assert view_path("a/b/V") == "/job/a/job/b/view/V"


@pytest.mark.parametrize("name", ["", "a//b", "a/", "a/..", ".", "../a"])
def test_names_that_would_hit_something_else_are_refused(name: str) -> None:
    for path in (item_path, hook_path, view_path, client().read_item, client().delete_item, client().read_view):
        with pytest.raises(InputError, match="not a full name"):
            path(name)


@pytest.mark.parametrize(
    ("permission", "words"),
    [
        ("hudson.model.Item.Create", "Job/Create"),
        ("hudson.model.Hudson.Administer", "Overall/Administer"),
        ("hudson.model.View.Create", "View/Create"),
        ("com.cloudbees.plugins.credentials.CredentialsProvider.Update", "Credentials/Update"),
        ("org.example.Other.Thing", "org.example.Other.Thing"),
    ],
)
def test_permissions_are_words(permission: str, words: str) -> None:
    assert readable_permission(permission) == words
