import pytest
from gitlab_client_parts import API, Mock, client, link

from configurator.clients.gitlab import ProjectPage
from configurator.errors import NotFoundError, PermissionMissingError


def test_a_project_by_path_or_id(requests_mock: Mock) -> None:
    requests_mock.get(f"{API}/projects/shop%2Fpay.ments", json={"id": 7})
    requests_mock.get(f"{API}/projects/7", json={"id": 7})
    assert client().project("shop/pay.ments") == client().project(7) == {"id": 7}
    sent = requests_mock.request_history[0]
    assert sent.url.endswith("/projects/shop%2Fpay.ments")


def test_a_page_of_projects(requests_mock: Mock) -> None:
    listing = requests_mock.get(
        f"{API}/projects", json=[{"id": 1}], headers={"X-Total-Pages": "3", **link(f"{API}/projects?page=3")}
    )
    assert client().list_projects(page=2) == ProjectPage([{"id": 1}], 3, 3)
    assert listing.last_request.qs == {
        "min_access_level": ["40"],
        "simple": ["true"],
        "order_by": ["id"],
        "sort": ["asc"],
        "per_page": ["100"],
        "page": ["2"],
    }
    requests_mock.get(f"{API}/projects", json=[])
    assert client().list_projects() == ProjectPage([], None, None)


def test_all_projects_by_keyset(requests_mock: Mock) -> None:
    requests_mock.get(f"{API}/projects", json=[{"id": 1}], headers=link(f"{API}/projects?id_after=1"))
    requests_mock.get(f"{API}/projects?id_after=1", json=[])
    assert list(client().all_projects(archived=False)) == [{"id": 1}]
    first = requests_mock.request_history[0].qs
    assert (first["pagination"], first["archived"]) == (["keyset"], ["false"])


def test_the_projects_of_a_group(requests_mock: Mock) -> None:
    url = f"{API}/groups/shop%2Fback.end/projects"
    requests_mock.get(url, json=[{"id": 1}], headers=link(f"{url}?page=2"))
    requests_mock.get(f"{url}?page=2", json=[{"id": 2}])
    assert list(client().group_projects("shop/back.end")) == [{"id": 1}, {"id": 2}]
    assert requests_mock.request_history[0].qs == {
        "min_access_level": ["40"],
        "simple": ["true"],
        "order_by": ["id"],
        "sort": ["asc"],
        "per_page": ["100"],
        "include_subgroups": ["true"],
        "with_shared": ["false"],
    }


def test_a_group_that_is_not_there_is_named(requests_mock: Mock) -> None:
    requests_mock.get(f"{API}/groups/shop/projects", status_code=404, json={"message": "404 Group Not Found"})
    with pytest.raises(NotFoundError, match="the token sees no group shop") as error:
        list(client().group_projects("shop"))
    assert "member" in error.value.hint


def test_a_jenkins_integration(requests_mock: Mock) -> None:
    url = f"{API}/projects/a%2Fb/integrations/jenkins"
    shown = {"id": 1, "active": True, "properties": {"jenkins_url": "https://j"}}
    requests_mock.get(url, json=shown)
    assert client().jenkins_integration("a/b") == shown
    requests_mock.get(url, json={**shown, "active": False})
    assert client().jenkins_integration("a/b") is None
    requests_mock.get(url, status_code=404, json={"message": "404 Integration Not Found"})
    assert client().jenkins_integration("a/b") is None
    requests_mock.get(url, status_code=403, json={"message": "403 Forbidden"})
    with pytest.raises(PermissionMissingError, match="Maintainer"):
        client().jenkins_integration("a/b")
