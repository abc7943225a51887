from jenkins_client_parts import URL, XML, Items, Mock, Serve, client


def test_views(serve: Serve) -> None:
    items = Items()
    server = serve(items)
    jenkins_ = client(server.url)
    jenkins_.create_view("V", XML)
    assert jenkins_.read_view("V") == XML
    assert server.requests[-1].path == "/view/V/config.xml"
    jenkins_.write_view("V", "<v/>")
    jenkins_.delete_view("V")
    assert items.items == {}


def test_views_of_a_folder(requests_mock: Mock) -> None:
    views = [{"name": "All", "_class": "hudson.model.AllView"}]
    requests_mock.get(f"{URL}/job/f/api/json", json={"views": views})
    requests_mock.get(f"{URL}/api/json", json={})
    assert client().list_views("f") == views
    assert client().list_views(None) == []
