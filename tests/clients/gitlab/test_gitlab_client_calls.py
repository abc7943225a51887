from typing import Any

import pytest
from gitlab_client_parts import API, Mock, client, link

from configurator.errors import (
    ServerError,
)


@pytest.mark.parametrize("answer", [{"text": "<html>Sign in</html>"}, {"json": ["x"]}])
def test_what_is_no_gitlab(answer: dict[str, Any], requests_mock: Mock) -> None:
    requests_mock.get(f"{API}/projects/7", **answer)
    requests_mock.get(f"{API}/projects/7/hooks", json={"a": 1})
    with pytest.raises(ServerError, match="does not look like GitLab"):
        client().project(7)
    with pytest.raises(ServerError, match="does not look like GitLab"):
        client().hooks(7)


def test_hooks_of_all_pages(requests_mock: Mock) -> None:
    path = f"{API}/projects/shop%2Fpayments/hooks"
    # A proxy that forgets about TLS makes the link http.
    following = path.replace("https:", "http:") + "?page=2&per_page=100"
    first = requests_mock.get(f"{path}?per_page=100", json=[{"id": 1}], headers=link(following))
    requests_mock.get(f"{path}?page=2&per_page=100", json=[{"id": 2}])
    gitlab = client()
    assert gitlab.hooks("shop/payments") == [{"id": 1}, {"id": 2}]
    assert first.call_count == 1
    assert gitlab.requests_sent == 2
    assert all(sent.scheme == "https" for sent in requests_mock.request_history)


@pytest.mark.parametrize(
    "target", ["https://evil.example.com/sub/api/v4/x?page=2", "https://gitlab.example.com/api/v4/x"]
)
def test_a_next_page_elsewhere_is_refused(target: str, requests_mock: Mock) -> None:
    requests_mock.get(f"{API}/projects/7/hooks", json=[], headers=link(target))
    with pytest.raises(ServerError, match="next page would be elsewhere"):
        client().hooks(7)
    assert len(requests_mock.request_history) == 1


def test_pages_in_a_circle_end(requests_mock: Mock) -> None:
    path = f"{API}/projects/7/hooks"
    requests_mock.get(path, json=[{"id": 1}], headers=link(f"{path}?page=2"))
    with pytest.raises(ServerError, match="never end"):
        client().hooks(7)
    assert len(requests_mock.request_history) == 2
