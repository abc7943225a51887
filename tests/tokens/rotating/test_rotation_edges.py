"""What a rotation meets seldom: OAuth, several kinds of places, a Jenkins that can't use the new token, odd answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from configurator.clients.gitlab import GitLabClient
from configurator.clients.gitlab.tokens import TokenOwner
from configurator.errors import ConfiguratorError, NotFoundError, ServerError, UnauthorisedError
from configurator.run import Run
from configurator.sandbox.server import Request, Response
from configurator.secret import Secret
from configurator.tokens.keeping.store import Entry, TokenStore
from configurator.tokens.rotating.rules import pages_of
from tests.tokens.rotating.rotation_bench import Ending, RotationBench, StepResult, in_days, step_of


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RotationBench]:
    monkeypatch.setattr("configurator.tokens.rotating.request.LOOKS", (0.0,))
    with RotationBench.at(tmp_path) as made:
        made.environ["CONFIGURATOR_STORE"] = str(tmp_path / "store")
        yield made


def store_of(bench: RotationBench) -> TokenStore:
    return TokenStore.open(bench.environ)


def use_oauth(bench: RotationBench) -> None:
    access = bench.gitlab.add_token("bot", ["api"], kind="oauth")
    store_of(bench).put("signed-in", Entry("oauth", bench.gitlab.url, Secret(access.value)))
    bench.entry["token"] = {"stored": "signed-in"}
    bench.entry["credential"] = {"token": {"file": "token"}}


def test_beside_an_oauth_access_the_token_for_jenkins_is_rotated(bench: RotationBench) -> None:
    use_oauth(bench)
    bench.gitlab.add_project("ops/ci", members={"bot": 40})
    bench.entry["rotation"]["sinks"] = [{"gitlab_variable": {"project": "ops/ci", "key": "TOKEN"}}]
    bench.done()
    result = bench.rotate()
    assert result.ending is Ending.ROTATED, result.steps
    new = bench.assert_everywhere("token")
    assert bench.gitlab.projects["ops/ci"].variables[0].value == new.value


def test_a_stored_token_and_a_secret_command(bench: RotationBench) -> None:
    store_of(bench).put("main", Entry("token", bench.gitlab.url, Secret(bench.old.value), user="bot"))
    bench.entry["token"] = {"stored": "main"}
    bench.entry["rotation"]["sinks"] = []
    bench.done()
    assert bench.rotate().ending is Ending.ROTATED
    entry = store_of(bench).entry("main")
    assert entry is not None
    assert entry.token.reveal() == bench.in_jenkins() == bench.alive[0].value


def test_jenkins_can_not_use_gitlab_to_begin_with(bench: RotationBench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.done()
    monkeypatch.setattr(
        "configurator.clients.jenkins.JenkinsClient.test_connection", lambda *_, **__: (False, "no way")
    )
    result = bench.rotate()
    assert result.ending is Ending.FAILED
    assert "Jenkins can't use it: no way. mend that first" in step_of(result, "connection").detail
    assert bench.asked == 0


def test_jenkins_can_not_use_the_new_token(bench: RotationBench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.done()
    with bench.rotations() as rotations:
        rotations.prepare()

        def broken(*_: object, **__: object) -> None:
            raise ServerError("Jenkins", "broken")

        with monkeypatch.context() as patched:
            patched.setattr("configurator.clients.jenkins.JenkinsClient.test_connection", broken)
            (result,) = rotations.carry_out(threading.Event())
    assert result.ending is Ending.INCOMPLETE
    assert step_of(result, "connection").result is StepResult.FAILED
    assert bench.resume().ending is Ending.ROTATED
    bench.assert_everywhere()


def test_gitlab_says_that_the_new_token_is_another(bench: RotationBench) -> None:
    bench.done()
    handle = bench.gitlab.handle

    def confused(request: Request) -> Response:
        answer = handle(request)
        if bench.old.revoked and request.path.endswith("/self") and request.method == "GET":
            return Response(200, '{"id": 77, "name": "x"}', {"Content-Type": "application/json"})
        return answer

    bench.gitlab.handle = confused  # type: ignore[method-assign]
    result = bench.rotate()
    assert result.ending is Ending.INCOMPLETE
    assert step_of(result, "new token").detail == "GitLab says that it is token 77"


def test_the_token_is_another_one_when_a_person_agrees(bench: RotationBench) -> None:
    bench.done()
    with bench.rotations() as rotations:
        rotations.prepare()
        bench.old.name = "renamed"
        (result,) = rotations.carry_out(threading.Event())
    assert result.ending is Ending.REFUSED
    assert "the token changed" in result.detail
    assert bench.asked == 0


@pytest.mark.parametrize(
    ("answer", "ending", "words"),
    [
        (NotFoundError("GitLab", "x"), Ending.UNKNOWN, "look at its page"),
        (UnauthorisedError("GitLab", "the token is not accepted"), Ending.UNKNOWN, "can't be told"),
        (UnauthorisedError("GitLab", "the token has expired"), Ending.LOST, "has expired meanwhile"),
        (ServerError("GitLab", "down", status=500), Ending.UNKNOWN, "do not rotate it otherwise"),
    ],
)
def test_what_became_of_it_is_always_said(
    bench: RotationBench, monkeypatch: pytest.MonkeyPatch, answer: ServerError, ending: Ending, words: str
) -> None:
    bench.done()
    bench.fault("cut-after")
    bench.rotate()

    def ask(self: GitLabClient) -> None:
        if isinstance(answer, NotFoundError):
            return
        raise answer

    with monkeypatch.context() as patched:
        patched.setattr(GitLabClient, "token_info", ask)
        result = bench.resume()
    assert result.ending is ending
    assert words in result.detail
    assert bench.recovery.exists()
    assert bench.asked == 1


def test_an_answer_without_a_token_is_kept_for_a_person(bench: RotationBench) -> None:
    bench.done()
    handle = bench.gitlab.handle

    def mute(request: Request) -> Response:
        answer = handle(request)
        if request.path.endswith("/rotate"):
            return Response(200, '{"id": 3}', {"Content-Type": "application/json"})
        return answer

    bench.gitlab.handle = mute  # type: ignore[method-assign]
    assert bench.rotate().ending is Ending.LOST
    resumed = bench.resume()
    assert resumed.ending is Ending.LOST
    assert "there is no token in it" in resumed.detail


def test_gitlab_is_gone_when_it_is_asked(bench: RotationBench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.done()
    from configurator.errors import UnreachableError

    def gone(*_: object) -> str:
        raise UnreachableError("GitLab", "connection refused", "is it running?")

    monkeypatch.setattr(GitLabClient, "rotate_token", gone)
    result = bench.rotate()
    assert result.ending is Ending.FAILED
    assert "GitLab was not asked, nothing was changed" in result.detail
    assert not bench.recovery.exists()


def test_gitlab_is_in_trouble_when_it_is_resumed(bench: RotationBench) -> None:
    bench.done()
    with bench.rotations() as rotations:
        rotations.prepare()
        (bench.folder / "sink").mkdir()
        rotations.carry_out(threading.Event())
    (bench.folder / "sink").rmdir()
    bench.fault("answer", path="/self", method="GET", response=Response(500, "down"), times=99)
    result = bench.resume()
    assert result.ending is Ending.INCOMPLETE
    assert bench.read("sink").strip() == bench.alive[0].value, "what can be written is written"
    bench.gitlab.faults.clear()
    assert bench.resume().ending is Ending.ROTATED


def test_a_certificate_authority_of_the_spec(bench: RotationBench) -> None:
    bench.entry["ca_file"] = "ca.pem"
    (bench.folder / "ca.pem").write_text("")
    bench.entry["manage"] = False
    assert bench.rotate().ending is Ending.ROTATED


def test_a_credential_that_is_verified_only(bench: RotationBench) -> None:
    bench.done()
    bench.spec["credentials"] = [{"id": "theirs", "kind": "secret-text", "secret": {"file": "token"}, "manage": False}]
    result = bench.dry()
    assert step_of(result, "theirs").result is StepResult.UNKNOWN
    assert "its owner has to write the new one" in step_of(result, "theirs").detail


def test_where_a_person_makes_a_new_token() -> None:
    assert (
        pages_of("project", "https://g", TokenOwner("project", 7))
        == "Settings > Access tokens of project 7 in https://g"
    )


def test_a_lost_project_token_names_its_project(bench: RotationBench) -> None:
    bench.old.revoked = True
    bench.project_token()
    bench.done()
    bench.fault("cut-after")
    result = bench.rotate()
    assert result.ending is Ending.LOST
    assert "Access tokens of project 1" in result.detail


def test_from_the_next_plan_on_the_new_token_is_sent(bench: RotationBench) -> None:
    bench.done()
    new = bench.gitlab.add_token("bot", ["api"], expires_at=in_days(50))
    with bench.open() as run:
        assert isinstance(run, Run)
        bench.old.revoked = True
        run.overrule(run.loaded.spec.gitlab[0].token, Secret(new.value))
        plan = run.plan()
    assert not [one for one in plan.unchecked if one.failed]


def test_a_bug_in_one_sink_does_not_stop_the_others(bench: RotationBench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.done()
    bench.entry["rotation"]["sinks"].append({"env_file": "env:TOKEN"})

    def bug(*_: object) -> str:
        raise TypeError(bench.old.value)

    with monkeypatch.context() as patched:
        patched.setattr("configurator.tokens.rotating.file_sinks.EnvFileTarget.write", bug)
        result = bench.rotate()
    assert result.ending is Ending.INCOMPLETE
    assert step_of(result, "env_file").detail == "a bug in configurator: TypeError"
    assert bench.in_jenkins() == bench.alive[0].value
    assert bench.resume().ending is Ending.ROTATED
    bench.assert_everywhere("sink", "env")


def test_a_second_ctrl_c_says_how_to_go_on(bench: RotationBench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.done()

    def stopped(*_: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("configurator.tokens.rotating.file_sinks.FileTarget.write", stopped)
        with pytest.raises(ConfiguratorError, match="what is left to do is in") as raised:
            bench.rotate()
    assert "--resume" in raised.value.hint
    bench.assert_not_lost()
    assert bench.resume().ending is Ending.ROTATED
    bench.assert_everywhere()


def test_a_second_ctrl_c_before_anything_was_asked(bench: RotationBench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.done()

    def stopped(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("configurator.tokens.rotating.file_sinks.FileTarget.prove", stopped)
    with pytest.raises(KeyboardInterrupt):
        bench.rotate()
