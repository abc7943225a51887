import logging
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
import requests
from http_parts import CANARY, Serve, client, ok
from requests.auth import AuthBase

from configurator import __version__
from configurator.clients.http import Http, hide_query
from configurator.errors import AnswerLostError, InputError, ServerError, UnreachableError
from configurator.sandbox.server import Fault, Request, Response


def fault(action: Any, times: int = 1, **arguments: Any) -> Fault:
    return Fault(lambda request: True, action, times=times, **arguments)


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_request_carries_what_it_should(serve: Serve, time_: Any) -> None:
    server = serve(ok, "/ctx")
    http = client(server.url + "/", time_)
    response = http.send("POST", "/a%20b/c?x=1", params={"y": "ü"}, json={"k": 1}, headers={"X-More": "m"})
    request = server.requests[0]
    assert response.text == "fine"
    assert (request.method, request.path, dict(request.query)) == ("POST", "/a%20b/c", {"x": "1", "y": "ü"})
    assert request.headers["user-agent"] == f"configurator/{__version__}"
    assert request.headers["private-token"] == CANARY
    assert request.headers["x-more"] == "m"
    assert request.body == b'{"k": 1}'
    assert http.label == f"Server {server.url}"
    assert http.requests_sent == 1
    http.close()


@pytest.mark.parametrize("url", ["", "jenkins.example.com", "ftp://host", "http://", "http://h:port", "http://[::1"])
def test_what_is_no_url_is_bad_input(url: str, time_: Any) -> None:
    with pytest.raises(InputError, match="not the URL of a server"):
        client(url, time_)


def test_user_info_in_the_url_is_dropped(time_: Any) -> None:
    assert client("http://me:pw@host:8080/ctx/", time_).label == "Server http://host:8080/ctx"


def test_a_path_can_not_reach_another_host(time_: Any) -> None:
    for path in ("https://evil.example", "@evil.example/", ".evil.example"):
        with pytest.raises(ValueError, match="slash"):
            client("http://127.0.0.1", time_).send("GET", path)


def test_a_netrc_adds_nothing(serve: Serve, time_: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server = serve(ok)
    Http("Server", server.url).send("GET", "/")
    assert "authorization" not in server.requests[0].headers


def test_cookies_are_not_carried_on(serve: Serve, time_: Any) -> None:
    server = serve(lambda request: Response(200, "", {"Set-Cookie": "a=b"}))
    http = client(server.url, time_)
    http.send("GET", "/")
    http.send("GET", "/")
    assert "cookie" not in server.requests[1].headers


@pytest.mark.parametrize("status", [502, 503, 504])
def test_reads_are_repeated_with_back_off(status: int, serve: Serve, time_: Any) -> None:
    server = serve(ok)
    server.inject(fault("answer", 2, response=Response(status, "<html><title>Bad</title></html>")))
    assert client(server.url, time_).send("GET", "/").text == "fine"
    assert time_.slept == [0.5, 1.0]


def test_a_read_that_keeps_failing_ends_with_its_last_answer(serve: Serve, time_: Any) -> None:
    server = serve(lambda request: Response(503, "busy", {"Retry-After": "900"}))
    http = client(server.url, time_)
    assert http.send("GET", "/").status_code == 503
    assert len(server.requests) == http.requests_sent == 4
    assert time_.slept == [10, 10, 10], "Retry-After is obeyed, within reason"


@pytest.mark.parametrize("action", ["cut-before", "cut-after"])
def test_a_cut_read_is_repeated(action: Any, serve: Serve, time_: Any) -> None:
    server = serve(ok)
    server.inject(fault(action, 3))
    assert client(server.url, time_).send("GET", "/").status_code == 200
    assert len(server.requests) == 4


def test_a_read_that_is_always_cut_is_unreachable(serve: Serve, time_: Any) -> None:
    server = serve(ok)
    server.inject(fault("cut-before", 9))
    with pytest.raises(UnreachableError, match="closed before the answer") as error:
        client(server.url, time_).send("GET", "/")
    assert len(server.requests) == 4
    assert error.value.__cause__ is None


@pytest.mark.parametrize("action", ["cut-before", "cut-after"])
def test_a_cut_write_is_not_repeated(action: Any, serve: Serve, time_: Any) -> None:
    server = serve(ok)
    server.inject(fault(action))
    with pytest.raises(AnswerLostError, match="POST /x was sent; it may have been carried out"):
        client(server.url, time_).send("POST", "/x?token=abc", data=CANARY)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [502, 504])
def test_a_proxy_error_to_a_write_is_a_lost_answer(status: int, serve: Serve, time_: Any) -> None:
    page = f"<html><head><title>{status} Bad {CANARY}</title></head><body>secret body</body></html>"
    server = serve(lambda request: Response(status, page))
    with pytest.raises(AnswerLostError) as error:
        client(server.url, time_).send("POST", "/x")
    assert error.value.status == status
    assert f"{status} {status} Bad (secret) to POST /x" in str(error.value)
    assert "body" not in str(error.value)
    assert len(server.requests) == 1


def test_a_write_that_may_be_repeated_is(serve: Serve, time_: Any) -> None:
    server = serve(ok)
    server.inject(fault("cut-after"))
    server.inject(fault("answer", response=Response(502)))
    assert client(server.url, time_).send("PUT", "/x", retry=True).status_code == 200
    assert len(server.requests) == 3


def test_a_503_to_a_write_is_given_back(serve: Serve, time_: Any) -> None:
    server = serve(lambda request: Response(503, "maintenance"))
    assert client(server.url, time_).send("POST", "/x").status_code == 503
    assert len(server.requests) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_429_is_waited_for(method: str, serve: Serve, time_: Any) -> None:
    server = serve(ok)
    server.inject(fault("answer", response=Response(429, "Retry later", {"Retry-After": "17"})))
    server.inject(fault("answer", response=Response(429, '{"message":{"error":"too many"}}')))
    assert client(server.url, time_).send(method, "/x").status_code == 200
    assert time_.slept == [17, 60]


def test_a_429_without_end_is_given_back(serve: Serve, time_: Any) -> None:
    server = serve(lambda request: Response(429, "", {"Retry-After": "200"}))
    assert client(server.url, time_).send("GET", "/").status_code == 429
    assert time_.slept == [200] * 3


def test_a_window_of_ten_minutes_that_nobody_tells_of_is_sat_out(serve: Serve, time_: Any) -> None:
    """GET /projects: no Retry-After, 2,000 requests in ten minutes (contract, behaviour 12)."""
    end = time_.now + 600
    server = serve(lambda request: Response(429) if time_.now < end else Response(200, "fine"))
    assert client(server.url, time_).send("GET", "/").text == "fine"
    assert time_.slept == [60] * 10


def test_a_wait_beyond_all_patience_is_not_begun(serve: Serve, time_: Any) -> None:
    server = serve(lambda request: Response(429, "", {"Retry-After": "3600"}))
    assert client(server.url, time_).send("GET", "/").status_code == 429
    assert time_.slept == []


def waits(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_a_long_wait_is_told_of(serve: Serve, time_: Any, caplog: pytest.LogCaptureFixture) -> None:
    server = serve(ok)
    server.inject(fault("answer", response=Response(429, "", {"Retry-After": "30"})))
    client(server.url, time_).send("GET", "/")
    assert len(waits(caplog)) == 1
    assert re.fullmatch(rf"Server {server.url}: asks to wait 30 s, until \d\d:\d\d:\d\d", waits(caplog)[0])


def test_a_short_wait_is_not_worth_a_word(serve: Serve, time_: Any, caplog: pytest.LogCaptureFixture) -> None:
    server = serve(ok)
    server.inject(fault("answer", response=Response(429, "", {"Retry-After": "1"})))
    server.inject(fault("answer", response=Response(503)))
    client(server.url, time_).send("GET", "/")
    assert time_.slept == [1, 0.5]
    assert waits(caplog) == []


def test_a_server_that_starts_is_told_of(serve: Serve, time_: Any, caplog: pytest.LogCaptureFixture) -> None:
    server = serve(ok)
    server.inject(fault("answer", response=Response(503, "", {"Retry-After": "5"})))
    client(server.url, time_).send("GET", "/")
    assert len(waits(caplog)) == 1
    assert "answers 503 and asks to wait, trying again at " in waits(caplog)[0]


@pytest.mark.parametrize(
    "refusal",
    [Response(429, "", {"Retry-After": "300"}), Response(503, "", {"Retry-After": "300"})],
    ids=["in the queue for the limit", "between two tries"],
)
def test_an_interruption_wakes_all_who_wait(refusal: Response, serve: Serve) -> None:
    server = serve(lambda request: refusal)
    http = Http("Server", server.url)
    began = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(http.send, "GET", "/") for _ in range(4)]
        while server.count() < 1:
            time.sleep(0.01)
        http.interrupt()
        errors = [future.exception(timeout=10) for future in waiting]
    assert time.monotonic() - began < 10
    assert [str(error) for error in errors] == [
        f"Server {server.url}: not asked any more, since the run was stopped"
    ] * 4
    assert all(isinstance(error, UnreachableError) for error in errors)
    sent = http.requests_sent
    http.close()
    with pytest.raises(UnreachableError, match="not asked any more"):
        http.send("GET", "/")
    assert http.requests_sent == sent, "nothing is sent after it"


def test_a_write_that_is_interrupted_between_two_tries_keeps_its_truth(serve: Serve, time_: Any) -> None:
    server = serve(ok)
    server.inject(fault("cut-after"))

    def sleep(seconds: float) -> None:
        http.interrupt()

    http = client(server.url, time_, sleep=sleep)
    with pytest.raises(AnswerLostError, match="it may have been carried out"):
        http.send("PUT", "/x", retry=True)


def test_busy_means_later(serve: Serve, time_: Any) -> None:
    server = serve(ok)
    server.inject(fault("answer", response=Response(409)))
    http = client(server.url, time_, busy=lambda response: response.status_code == 409)
    assert http.send("POST", "/").status_code == 200
    assert time_.slept == [0.5]


def test_retry_false_means_one_request(serve: Serve, time_: Any) -> None:
    server = serve(lambda request: Response(429))
    assert client(server.url, time_).send("GET", "/", retry=False).status_code == 429
    assert len(server.requests) == 1


def test_requests_slow_down_before_the_limit(serve: Serve, time_: Any) -> None:
    headers = {"RateLimit-Remaining": "1", "RateLimit-Reset": str(time_.now + 20), "Date": formatdate(time_.now)}
    server = serve(lambda request: Response(200, "", headers))
    http = client(server.url, time_)
    http.send("GET", "/")
    http.send("GET", "/")
    assert time_.slept == [10]


def test_a_refused_connection_is_tried_once_more_and_explained(time_: Any) -> None:
    http = client(f"http://127.0.0.1:{closed_port()}", time_)
    with pytest.raises(UnreachableError, match="connection refused") as error:
        http.send("POST", "/", data=CANARY)
    assert "port" in error.value.hint
    assert time_.slept == [0.5]


def test_a_server_that_comes_back_is_waited_for_longer(serve: Serve, time_: Any) -> None:
    server = serve(ok)
    http = client(server.url, time_)
    http.send("GET", "/")
    server.stop()
    with pytest.raises(UnreachableError):
        http.send("POST", "/")
    assert time_.slept == [0.5, 1.0, 2.0]


def test_no_answer_in_time(serve: Serve, time_: Any) -> None:
    server = serve(ok)
    server.inject(fault("delay", 9, seconds=0.6))
    http = client(server.url, time_, timeout=0.1)
    with pytest.raises(UnreachableError, match=r"no answer within 0\.1 s") as error:
        http.send("GET", "/")
    assert "`timeout`" in error.value.hint
    with pytest.raises(AnswerLostError, match=r"no answer within 0\.1 s after POST"):
        http.send("POST", "/")


def test_redirects_of_reads_are_followed_on_the_same_origin(serve: Serve, time_: Any) -> None:
    def answer(request: Request) -> Response:
        return Response(302, "", {"Location": "/b?z=1"}) if request.path == "/a" else Response(200, request.path)

    server = serve(answer)
    http = client(server.url, time_)
    assert http.send("GET", "/a", params={"y": "1"}).text == "/b"
    assert dict(server.requests[1].query) == {"z": "1"}
    assert http.send("GET", "/a", follow=False).status_code == 302
    assert http.send("POST", "/a").status_code == 302


def test_a_redirect_to_another_host_gets_no_token(serve: Serve, time_: Any) -> None:
    other = serve(ok)
    server = serve(lambda request: Response(302, "", {"Location": f"{other.url}/x"}))
    assert client(server.url, time_).send("GET", "/a").status_code == 302
    assert other.requests == []


def test_a_circle_of_redirects_ends(serve: Serve, time_: Any) -> None:
    server = serve(lambda request: Response(302, "", {"Location": "/a"}))
    with pytest.raises(ServerError, match="in a circle"):
        client(server.url, time_).send("GET", "/a")


def test_eight_threads_share_eight_connections(serve: Serve, time_: Any) -> None:
    server = serve(ok)
    http = client(server.url, time_, workers=8)
    barrier = threading.Barrier(8)

    def work() -> None:
        barrier.wait()
        for _ in range(10):
            http.send("GET", "/")

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(work) for _ in range(8)]:
            future.result()
    assert http.requests_sent == len(server.requests) == 80
    assert server.connections <= 8


def test_the_log_has_no_secret(serve: Serve, time_: Any, caplog: pytest.LogCaptureFixture) -> None:
    server = serve(ok)
    server.inject(fault("cut-before", 2))
    server.inject(fault("answer", response=Response(429, CANARY, {"Retry-After": "1"})))
    http = client(server.url, time_)
    with caplog.at_level(logging.DEBUG):
        http.send("GET", f"/{CANARY}", params={"private_token": "other", "page": "2"}, data=CANARY)
        with pytest.raises(AnswerLostError):
            server.inject(fault("cut-before"))
            http.send("POST", "/x", data=CANARY)
    ours = [record.getMessage() for record in caplog.records if record.name == "configurator.http"]
    assert not any(CANARY in message or "other" in message for message in ours)
    assert any("GET /(secret)?private_token=(secret)&page=2 200" in message for message in ours)
    assert any("POST /x failed" in message for message in ours)


def test_hide_query() -> None:
    assert hide_query("/a?page=1&crumb=abc&x=2") == "/a?page=1&crumb=(secret)&x=2"


def test_a_header_with_a_line_break_is_not_quoted(serve: Serve, time_: Any) -> None:
    class Broken(AuthBase):
        def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
            r.headers["PRIVATE-TOKEN"] = f"{CANARY}\n"
            return r

    server = serve(ok)
    with pytest.raises(UnreachableError, match="line break") as error:
        client(server.url, time_, auth=Broken()).send("GET", "/")
    assert CANARY not in str(error.value)
