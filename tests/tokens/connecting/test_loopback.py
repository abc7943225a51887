"""The server that takes the browser's answer, once."""

from __future__ import annotations

import socket
import struct
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from configurator.errors import ConfiguratorError, RefusedError
from configurator.tokens.connecting.loopback import Loopback


def ask(loopback: Loopback, query: str, path: str = "/callback") -> requests.Response:
    return requests.get(loopback.redirect_uri.replace("/callback", path) + query, timeout=5)


def test_one_answer_and_the_door_is_closed() -> None:
    with Loopback(0) as loopback, ThreadPoolExecutor() as pool:
        waiting = pool.submit(loopback.wait, "the-state", 5.0)
        idle = socket.create_connection(("127.0.0.1", int(loopback.redirect_uri.split(":")[2].split("/")[0])))
        assert ask(loopback, "", "/favicon.ico").status_code == 404
        page = ask(loopback, "?code=abc&state=the-state")
        assert page.status_code == 200 and "Back to the terminal" in page.text
        assert "abc" not in page.text and page.headers["Cache-Control"] == "no-store"
        assert waiting.result() == "abc"
    idle.close()
    with pytest.raises(requests.ConnectionError):
        ask(loopback, "?code=abc&state=the-state")


def test_only_the_first_answer_counts() -> None:
    with Loopback(0) as loopback:
        assert ask(loopback, "?code=first&state=s").status_code == 200
        assert ask(loopback, "?code=second&state=s").status_code == 410
        assert loopback.wait("s") == "first"


@pytest.mark.parametrize(
    ("query", "error", "message"),
    [
        ("?code=abc&state=other", ConfiguratorError, "answer to another question"),
        ("?code=abc", ConfiguratorError, "answer to another question"),
        ("?state=s", ConfiguratorError, "without a code"),
        ("?state=s&error=access_denied&error_description=The+owner+denied", RefusedError, "The owner denied"),
        ("?state=s&error=invalid_scope", ConfiguratorError, "invalid_scope"),
        ("?state=s&error=odd", ConfiguratorError, "odd"),
        ("?state=other&error=access_denied", ConfiguratorError, "another question"),
    ],
)
def test_answers_that_give_no_code(query: str, error: type[ConfiguratorError], message: str) -> None:
    with Loopback(0) as loopback:
        assert ask(loopback, query).status_code == 200
        with pytest.raises(error, match=message) as caught:
            loopback.wait("s")
        assert caught.value.hint


def test_nobody_comes() -> None:
    with Loopback(0) as loopback, pytest.raises(ConfiguratorError, match="nobody came back"):
        loopback.wait("s", 0.01)


def test_the_port_is_taken() -> None:
    with Loopback(0) as loopback:
        port = int(loopback.redirect_uri.split(":")[2].split("/")[0])
        with pytest.raises(ConfiguratorError, match=f"port {port} .* can't be used"):
            Loopback(port)


def test_the_port_is_free_again_at_once() -> None:
    with Loopback(0) as loopback:
        port = int(loopback.redirect_uri.split(":")[2].split("/")[0])
        ask(loopback, "?code=first&state=s")
    with Loopback(port) as loopback:
        ask(loopback, "?code=second&state=s")
        assert loopback.wait("s") == "second"


def test_a_browser_that_hangs_up_has_answered_all_the_same() -> None:
    with Loopback(0) as loopback:
        port = int(loopback.redirect_uri.split(":")[2].split("/")[0])
        with socket.create_connection(("127.0.0.1", port)) as browser:
            browser.sendall(b"GET /callback?code=abc&state=s HTTP/1.0\r\n\r\n")
        assert loopback.wait("s", 5.0) == "abc"


def test_nobody_else_can_reach_it() -> None:
    with Loopback(0) as loopback:
        assert loopback._server.server_address[0] == "127.0.0.1"


def test_connections_that_break_are_no_news(capfd: pytest.CaptureFixture[str]) -> None:
    """Anybody on this machine may connect and reset; the terminal is for the sign-in."""
    with Loopback(0) as loopback:
        port = int(loopback.redirect_uri.split(":")[2].split("/")[0])
        for sent in (b"", b"GET /callback?code=kurz17&sta", b"GET /favicon.ico HTTP/1.1\r\n\r\n" * 3):
            with socket.create_connection(("127.0.0.1", port)) as other:
                other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                other.sendall(sent)
        crowd = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
        assert ask(loopback, "?code=abc&state=s").status_code == 200
        assert loopback.wait("s", 5.0) == "abc"
    for one in crowd:
        one.close()
    said = capfd.readouterr()
    assert said.out + said.err == ""


@pytest.mark.parametrize("host", ["evil.example.com", "localhost.evil.example.com:{port}", "127.0.0.1:1"])
def test_a_page_elsewhere_that_points_its_name_here(host: str) -> None:
    """DNS rebinding: the browser then sends the other site's name, and its answer is none."""
    with Loopback(0) as loopback:
        port = loopback.redirect_uri.split(":")[2].split("/")[0]
        answer = requests.get(
            f"{loopback.redirect_uri}?code=forged&state=s", headers={"Host": host.format(port=port)}, timeout=5
        )
        assert answer.status_code == 404
        assert ask(loopback, "?code=abc&state=s").status_code == 200
        assert loopback.wait("s") == "abc"
