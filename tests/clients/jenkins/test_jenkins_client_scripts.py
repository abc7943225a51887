import json
from collections.abc import Callable
from typing import Any

import pytest
from jenkins_client_parts import URL, Mock, Serve, client, cut

from configurator.errors import (
    AnswerLostError,
    PermissionMissingError,
    ScriptError,
    ServerError,
    UnreachableError,
)
from configurator.sandbox.server import Response
from configurator.secret import Secret


def answer_script(function: Callable[[dict[str, Any]], str]) -> Callable[[Any, Any], str]:
    def answer(request: Any, context: Any) -> str:
        form = dict(pair.split("=", 1) for pair in request.text.split("&"))
        from urllib.parse import unquote_plus

        assert unquote_plus(form["script"]).startswith("// configurator: encrypt\n")
        return function(json.loads(unquote_plus(form["payload"])))

    return answer


def test_a_script_gets_its_payload_and_answers(requests_mock: Mock) -> None:
    requests_mock.post(
        f"{URL}/scriptText",
        text=answer_script(lambda sent: f"configurator:{sent['nonce']}\n" + json.dumps({"got": sent["values"]})),
    )
    assert client().run("encrypt", {"values": [Secret("clear"), "ü"]}) == {"got": ["clear", "ü"]}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (
            "java.lang.RuntimeException: boom canary-value\n\tat java.base/x\n\tat y\nCaused by: z",
            "RuntimeException: boom",
        ),
        ("configurator:0000\n{}", "failed"),
        ("", "it printed nothing"),
        ('configurator:NONCE\n{"a":', "did not finish"),
    ],
)
def test_anything_else_is_a_failed_script(answer: str, says: str, requests_mock: Mock) -> None:
    requests_mock.post(f"{URL}/scriptText", text=answer_script(lambda sent: answer.replace("NONCE", sent["nonce"])))
    with pytest.raises(ScriptError, match=says) as error:
        client().run("encrypt", {"values": [Secret("canary-value")]})
    assert "canary" not in str(error.value)
    assert "java.base" not in str(error.value)


def test_scripts_take_administer(requests_mock: Mock) -> None:
    requests_mock.post(f"{URL}/scriptText", status_code=403)
    with pytest.raises(PermissionMissingError) as error:
        client().run("encrypt", {})
    assert error.value.permission == "Overall/Administer"


def test_an_unknown_script_is_not_sent(requests_mock: Mock) -> None:
    with pytest.raises(ScriptError, match="no script nosuch"):
        client().run("nosuch", {})


def test_a_payload_of_another_type_is_a_fault_of_ours() -> None:
    with pytest.raises(TypeError, match="set can't be sent"):
        client().run("encrypt", {"values": {1}})


def test_a_script_is_repeated_unless_it_must_not(serve: Serve, time_: Any) -> None:
    server = serve(lambda request: Response(200, "x"))
    server.inject(cut("POST", "scriptText", times=2))
    jenkins_ = client(server.url, time_)
    with pytest.raises(AnswerLostError):
        jenkins_.run("encrypt", {}, repeat=False)
    with pytest.raises(ScriptError):
        jenkins_.run("encrypt", {})
    assert server.count("POST") == 3


def test_a_script_that_only_asks_has_nothing_carried_out(serve: Serve, time_: Any) -> None:
    server = serve(lambda request: Response(502, "<html><title>Bad Gateway</title></html>"))
    with pytest.raises(ServerError, match="502 Bad Gateway") as gateway:
        client(server.url, time_).run("inventory", {})
    assert "try later" in gateway.value.hint
    server.inject(cut("POST", "scriptText", times=10))
    with pytest.raises(UnreachableError, match=r"closed before the answer$"):
        client(server.url, time_).run("compare", {})
    with pytest.raises(AnswerLostError, match="may have been carried out"):
        client(server.url, time_).run("connection", {})
