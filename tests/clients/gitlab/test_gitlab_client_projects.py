from gitlab_client_parts import API, Mock, client, link

from configurator.clients.gitlab import ProjectPage


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
