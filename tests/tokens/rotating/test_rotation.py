"""A token is renewed everywhere, or nothing is done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from configurator.errors import RefusedError
from configurator.sandbox.server import Fault, Request, Response
from tests.kinds.bench import ALL_CREDENTIALS, LIMITED
from tests.tokens.rotating.rotation_bench import HTML, Ending, RotationBench, StepResult, bad, in_days, step_of


@pytest.fixture
def make_bench(tmp_path: Path) -> Iterator[Callable[..., RotationBench]]:
    with ExitStack() as stack:

        def make(version: str = "18.5.0", applied: bool = True) -> RotationBench:
            bench = stack.enter_context(RotationBench.at(tmp_path, version))
            if applied:
                bench.done()
            return bench

        yield make


@pytest.fixture
def bench(make_bench: Callable[..., RotationBench]) -> RotationBench:
    return make_bench()


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("configurator.tokens.rotating.request.LOOKS", (0.0, 0.05))


def test_a_token_is_renewed_everywhere(bench: RotationBench) -> None:
    result = bench.rotate()
    assert (result.ending, result.kind, result.mode, result.expires_at) == (
        Ending.ROTATED,
        "personal",
        "rotate",
        in_days(90),
    )
    new = bench.assert_everywhere()
    assert new.expires_at == in_days(90)
    assert bench.asked == 1
    assert [one.result for one in result.steps] == [StepResult.DONE] * 5
    assert [one.target.split()[0] for one in result.steps] == ["file", "file", "Jenkins'", "Jenkins'", "new"]
    bench.settled()
    assert bench.rotate().ending is Ending.NOT_DUE


def test_a_dry_run_proves_and_rotates_nothing(bench: RotationBench) -> None:
    result = bench.dry()
    assert result.ending is Ending.PROVED
    assert {one.result for one in result.steps} == {StepResult.PROVED}
    assert bench.alive == [bench.old]
    assert bench.asked == 0
    assert not (bench.folder / "sink").exists()
    assert [path.name for path in bench.folder.iterdir() if "recovery" in path.name] == ["recovery.json.lock"]


@pytest.mark.parametrize(
    ("days", "wish", "ending"),
    [
        (29, {}, Ending.PROVED),
        (30, {}, Ending.NOT_DUE),
        (30, {"days": 31}, Ending.PROVED),
        (5, {"days": 5}, Ending.NOT_DUE),
        (90, {"force": True}, Ending.PROVED),
        (None, {}, Ending.NOT_DUE),
        (None, {"force": True}, Ending.PROVED),
    ],
)
def test_only_what_is_due(make_bench, days: int | None, wish: dict[str, object], ending: Ending) -> None:
    bench = make_bench(applied=False)
    bench.use(bench.gitlab.add_token("bot", ["api"], expires_at="never" if days is None else in_days(days)))
    bench.done()
    assert bench.dry(**wish).ending is ending


@pytest.mark.parametrize(
    ("version", "owner", "wish", "days"),
    [
        ("16.0.0", "personal", {"force": True}, 7),
        ("16.5.0", "personal", {"force": True}, 7),
        ("16.6.0", "personal", {}, 90),
        ("16.9.0", "personal", {}, 90),
        ("16.10.0", "personal", {}, 90),
        ("16.10.0", "project", {}, 90),
        ("17.0.0", "project", {}, 90),
        ("17.0.0", "group", {}, 90),
        ("18.0.0", "personal", {}, 90),
        ("18.0.0", "group", {}, 90),
    ],
)
def test_every_version_by_its_own_route(make_bench, version: str, owner: str, wish: dict[str, bool], days: int) -> None:
    bench = make_bench(version, applied=False)
    if owner != "personal":
        bench.old.revoked = True
        getattr(bench, f"{owner}_token")()
    bench.done()
    result = bench.rotate(**wish)
    assert (result.ending, result.kind) == (Ending.ROTATED, owner), result
    assert bench.assert_everywhere().expires_at == in_days(days)
    route = {"personal": "/personal_access_tokens/", "project": "/projects/1/access_tokens/"}.get(owner, "/groups/")
    (path,) = [entry.path for entry in bench.gitlab.log if entry.path.endswith("/rotate")]
    assert route in path
    assert ("/self/" in path) is (not version.startswith(("16.0", "16.5", "16.6", "16.9")))


@pytest.mark.parametrize(
    ("version", "owner", "words", "cure"),
    [
        ("15.0.0", "personal", "does not tell what the token is", "by hand"),
        ("15.11.0", "personal", "GitLab 15.11 can't rotate tokens", "by hand"),
        ("15.11.0", "project", "GitLab 15.11 can't rotate tokens", "rotation.admin_token a personal token"),
        ("16.5.0", "personal", "one week", "--force"),
        ("16.9.0", "project", "before GitLab 16.10 a project token can't rotate itself", "rotation.admin_token"),
        ("16.9.0", "group", "before GitLab 16.10 a group token can't rotate itself", "tokens of group"),
    ],
)
def test_versions_that_can_not(make_bench, version: str, owner: str, words: str, cure: str) -> None:
    bench = make_bench(version, applied=False)
    if owner != "personal":
        getattr(bench, f"{owner}_token")()
    result = bench.rotate()
    assert result.ending in (Ending.FAILED, Ending.REFUSED)
    assert words in result.detail
    assert cure in result.detail
    assert bench.asked == 0


def test_a_dead_token_is_not_rotated(make_bench) -> None:
    bench = make_bench(applied=False)
    bench.old.revoked = True
    assert "the token was revoked" in bench.rotate().detail
    bench.old.revoked, bench.old.expires_at = False, in_days(0)
    assert "the token has expired" in bench.rotate().detail
    assert bench.asked == 0


def test_a_scope_that_is_missing(make_bench) -> None:
    bench = make_bench(applied=False)
    bench.use(bench.gitlab.add_token("bot", ["read_api"], expires_at=in_days(5)))
    assert "needs the scope api (or self_rotate); it has read_api" in bench.rotate().detail


def test_a_token_that_may_do_nothing_but_rotate_itself(make_bench) -> None:
    bench = make_bench(applied=False)
    bench.entry["credential"] = {"token": {"env": "GITLAB"}}
    bench.use(bench.gitlab.add_token("bot", ["self_rotate"], name="ci", expires_at=in_days(5)))
    result = bench.rotate()
    assert result.ending is Ending.ROTATED, result
    assert bench.read("sink").strip() == bench.alive[-1].value


def test_a_fine_grained_token_that_may_not_read_itself(make_bench) -> None:
    bench = make_bench("19.0.0", applied=False)
    bench.use(bench.gitlab.add_token("bot", kind="fine-grained", expires_at=in_days(5)))
    result = bench.rotate()
    assert result.ending is Ending.FAILED
    assert "a token that may not read itself can't be rotated" in result.detail


def test_a_lifetime_that_gitlab_refuses(bench: RotationBench) -> None:
    bench.gitlab.settings.token_days = 60
    result = bench.rotate()
    assert result.ending is Ending.FAILED
    assert "must be before" in result.detail
    assert "rotation.expires_in" in result.detail
    assert bench.alive == [bench.old]
    assert not bench.recovery.exists()
    bench.entry["rotation"]["expires_in"] = 50
    assert bench.rotate().ending is Ending.ROTATED


def test_a_token_without_a_place_to_write_it(make_bench) -> None:
    bench = make_bench(applied=False)
    bench.environ["TOKEN"] = bench.old.value
    bench.entry.update({"token": {"env": "TOKEN"}, "rotation": {}})
    result = bench.rotate()
    assert result.ending is Ending.REFUSED
    assert "nothing would hold the new token" in result.detail
    assert "the environment variable TOKEN" in result.detail
    assert bench.asked == 0


def test_an_environment_variable_has_to_be_set_anew(make_bench) -> None:
    bench = make_bench(applied=False)
    bench.environ["TOKEN"] = bench.old.value
    bench.entry["token"] = {"env": "TOKEN"}
    bench.done()
    result = bench.rotate()
    assert result.ending is Ending.ROTATED
    assert "the environment variable TOKEN can't be written from here" in result.detail
    assert bench.in_jenkins() == bench.read("sink").strip() == bench.alive[0].value


def test_an_entry_that_does_not_say_how(bench: RotationBench) -> None:
    del bench.entry["rotation"]
    assert "add to it: rotation:" in bench.rotate("gitlab").detail
    with pytest.raises(RefusedError, match="no gitlab entry"):
        bench.rotate()


def test_what_is_not_in_jenkins_yet(make_bench) -> None:
    bench = make_bench(applied=False)
    result = bench.rotate()
    assert result.ending is Ending.FAILED
    assert "run `configurator apply` first" in step_of(result, "credential").detail
    assert bench.asked == 0


def test_a_credential_that_is_not_ours(make_bench) -> None:
    bench = make_bench(applied=False)
    cls = "com.dabsquared.gitlabjenkins.connection.GitLabApiTokenImpl"
    fields = "<scope>GLOBAL</scope><id>gitlab-access-token</id><description>by hand</description><apiToken>x</apiToken>"
    with bench.open() as run:
        run.world.jenkins.create_credential(None, None, f"<{cls}>{fields}</{cls}>")
    result = bench.rotate()
    assert result.ending is Ending.FAILED
    assert "does not carry our mark" in step_of(result, "credential").detail
    assert bench.in_jenkins() == "x"
    assert bench.asked == 0


def test_a_connection_of_somebody_else(make_bench) -> None:
    bench = make_bench(applied=False)
    bench.alone()
    result = bench.rotate()
    assert result.ending is Ending.ROTATED
    assert bench.read("sink").strip() == bench.alive[0].value
    assert step_of(bench.dry(force=True), "credential").result is StepResult.UNKNOWN


def test_a_jenkins_that_does_not_hold_what_the_spec_says(bench: RotationBench) -> None:
    bench.entry["credential"] = {"description": "another"}
    result = bench.rotate()
    assert result.ending is Ending.FAILED
    assert "it differs from the spec (description)" in step_of(result, "credential").detail
    assert bench.asked == 0


@pytest.mark.parametrize("right", [True, False])
def test_without_administer(bench: RotationBench, right: bool) -> None:
    bench.act_as(
        "limited", *LIMITED, *(ALL_CREDENTIALS if right else [one for one in ALL_CREDENTIALS if "View" in one])
    )
    result = bench.rotate()
    if right:
        assert result.ending is Ending.ROTATED, result
        assert step_of(result, "connection").result is StepResult.UNKNOWN
        bench.assert_everywhere()
    else:
        assert result.ending is Ending.FAILED
        assert "Credentials/Update" in step_of(result, "credential").detail
        assert bench.asked == 0


def test_without_any_right_on_credentials(bench: RotationBench) -> None:
    bench.act_as("limited", *LIMITED)
    result = bench.rotate()
    assert "needs Credentials/View" in step_of(result, "credential").detail
    assert bench.asked == 0


def test_one_token_in_several_places_of_the_spec(make_bench) -> None:
    bench = make_bench(applied=False)
    (bench.folder / "copy").write_text(bench.old.value)
    second = {**bench.entry, "name": "second", "token": {"file": "copy"}, "credential": {"id": "second"}}
    bench.spec["gitlab"].append(second)
    bench.spec["credentials"] = [
        {"id": "text", "kind": "secret-text", "secret": {"file": "token"}},
        {"id": "other", "kind": "secret-text", "secret": {"env": "KEY"}},
    ]
    bench.done()
    first, twin = bench.rotate_all(force=True, recovery=None)
    assert (first.ending, twin.ending) == (Ending.ROTATED, Ending.NOT_DUE), first
    assert "its token is that of gitlab" in twin.detail
    new = bench.assert_everywhere("sink", "copy")
    assert bench.read("copy") == new.value
    assert [bench.in_jenkins(id) for id in ("second", "text")] == [new.value] * 2
    assert bench.in_jenkins("other") != new.value
    bench.settled()


def test_two_processes_do_not_meet(bench: RotationBench) -> None:
    with bench.rotations() as first:
        first.prepare()
        assert "another process rotates this token" in bench.rotate().detail
        (result,) = first.carry_out(threading.Event())
    assert result.ending is Ending.ROTATED
    assert bench.asked == 1


def test_a_token_replaced_while_a_person_thinks(bench: RotationBench) -> None:
    with bench.rotations() as rotations:
        rotations.prepare()
        bench.old.revoked = True
        (result,) = rotations.carry_out(threading.Event())
    assert result.ending is Ending.FAILED
    assert "revoked" in result.detail
    assert bench.asked == 0
    assert not bench.recovery.exists()


def test_stopped_before_gitlab_is_asked(bench: RotationBench) -> None:
    stop = threading.Event()
    stop.set()
    assert bench.rotate_all(stop=stop)[0].ending is Ending.REFUSED
    assert bench.asked == 0


# -- faults around the one request ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "more"),
    [
        ("cut-before", {}),
        ("answer", {"response": HTML}),
        ("answer", {"response": Response(504, "")}),
        ("answer", {"response": Response(500, "<html>")}),
        ("answer", {"response": Response(503, "down")}),
        ("answer", {"response": Response(200, "<html>login</html>")}),
        ("answer", {"response": Response(200, '{"token": null}')}),
        ("answer", {"response": Response(302, "", {"Location": "/login"})}),
    ],
)
def test_a_request_that_was_not_carried_out(bench: RotationBench, action, more) -> None:
    bench.fault(action, **more)
    result = bench.rotate()
    assert result.ending is Ending.FAILED
    assert "is still good: GitLab did not renew it. Run `token rotate` again" in result.detail
    assert bench.asked == 1
    assert bench.alive == [bench.old]
    assert not bench.recovery.exists()
    assert bench.rotate().ending is Ending.ROTATED
    bench.assert_everywhere()


def test_an_answer_that_was_lost(bench: RotationBench) -> None:
    bench.fault("cut-after")
    result = bench.rotate()
    assert result.ending is Ending.LOST
    assert bench.asked == 1
    assert result.recovery == bench.recovery
    for words in (
        "the new value was lost on the way",
        "no second rotation was sent",
        "/-/user_settings/personal_access_tokens",
        "gitlab[0].token",
        "Until then these hold a dead token: file",
        "credential gitlab-access-token",
    ):
        assert words in result.detail, words
    again = bench.rotate()
    assert again.ending is Ending.REFUSED
    assert "--resume" in again.detail
    assert bench.resume().ending is Ending.LOST
    assert bench.asked == 1
    assert len(bench.alive) == 1, "the family lives"
    bench.use(bench.gitlab.add_token("bot", ["api"], name="ci", expires_at=in_days(9)))
    settled = bench.resume()
    assert settled.ending is Ending.SETTLED
    assert "leads to another token by now" in settled.detail
    assert not bench.recovery.exists()


def test_a_lost_token_is_given_up(bench: RotationBench) -> None:
    bench.fault("cut-after")
    assert bench.rotate(force=True).ending is Ending.LOST
    assert bench.recovery.exists()
    assert bench.resume(force=True).ending is Ending.LOST
    assert not bench.recovery.exists()


def test_an_answer_that_was_lost_and_a_gitlab_that_is_gone(bench: RotationBench) -> None:
    bench.fault("cut-after")
    asked = threading.Event()

    def afterwards(request: Request) -> bool:
        if request.path.endswith("/rotate"):
            asked.set()
        return asked.is_set() and request.method == "GET"

    bench.gitlab.faults.insert(0, Fault(afterwards, "answer", Response(500, "down"), times=99))
    result = bench.rotate()
    assert result.ending is Ending.UNKNOWN
    assert "--resume" in result.detail
    assert bench.recovery.exists()
    bench.gitlab.faults.clear()
    assert bench.resume().ending is Ending.LOST
    assert bench.asked == 1


def test_too_many_requests_are_waited_for(bench: RotationBench) -> None:
    bench.fault("answer", response=Response(429, "Retry later", {"Retry-After": "1"}))
    assert bench.rotate().ending is Ending.ROTATED
    bench.assert_everywhere()


def test_a_slow_answer_is_waited_for(bench: RotationBench) -> None:
    bench.entry["timeout"] = 0.4
    bench.fault("delay", seconds=0.8)
    assert bench.rotate().ending is Ending.ROTATED
    bench.assert_everywhere()


def test_gitlab_refuses(bench: RotationBench) -> None:
    bench.fault("answer", response=Response(400, '{"message": "400 Bad request - no"}'))
    result = bench.rotate()
    assert result.ending is Ending.FAILED
    assert "no. GitLab made no new token" in result.detail
    assert not bench.recovery.exists()


# -- faults behind it --------------------------------------------------------------------------------------------


def break_file(bench: RotationBench, name: str) -> None:
    """From now on the file can't be replaced."""
    (bench.folder / name).unlink(missing_ok=True)
    (bench.folder / name).mkdir()


def mend_file(bench: RotationBench, name: str) -> None:
    (bench.folder / name).rmdir()


@pytest.mark.parametrize("broken", [["sink"], ["env"], ["sink", "env"], ["jenkins"], ["sink", "env", "jenkins"]])
def test_places_that_fail_do_not_stop_the_others(bench: RotationBench, broken: list[str]) -> None:
    bench.entry["rotation"]["sinks"].append({"env_file": "env:GITLAB_TOKEN"})
    with bench.rotations() as rotations:
        rotations.prepare()
        for name in broken:
            if name == "jenkins":
                bench.jenkins_fault("answer", path="/credential/", response=Response(500, "broken"), times=9)
            else:
                break_file(bench, name)
        (result,) = rotations.carry_out(threading.Event())
    assert result.ending is Ending.INCOMPLETE
    assert len(bad(result)) == len(broken)
    assert result.recovery == bench.recovery
    assert "--resume" in result.detail
    bench.assert_not_lost()
    new = bench.alive[0]
    for name in {"token", "sink", "env"} - set(broken):
        assert new.value in bench.read(name)
    assert (bench.in_jenkins() == new.value) is ("jenkins" not in broken)
    again = bench.resume()
    assert again.ending is Ending.INCOMPLETE, "still broken"
    bench.assert_not_lost()
    bench.jenkins.faults.clear()
    for name in broken:
        if name != "jenkins":
            mend_file(bench, name)
    assert bench.resume().ending is Ending.ROTATED
    bench.assert_everywhere("sink", "env")
    assert bench.asked == 1
    assert bench.resume().ending is Ending.NOTHING


def test_a_jenkins_that_goes_down(bench: RotationBench) -> None:
    with bench.rotations() as rotations:
        rotations.prepare()
        bench.jenkins_fault("answer", path="/", response=Response(503, "down"), times=99)
        bench.jenkins_fault("answer", path="/", method="GET", response=Response(503, "down"), times=99)
        (result,) = rotations.carry_out(threading.Event())
    assert result.ending is Ending.INCOMPLETE
    assert bad(result) == ["Jenkins' credential gitlab-access-token"]
    bench.jenkins.faults.clear()
    assert bench.resume().ending is Ending.ROTATED
    bench.assert_everywhere()


def test_a_jenkins_that_is_down_from_the_start(bench: RotationBench) -> None:
    bench.jenkins_fault("answer", path="/", response=Response(503, "down"), times=99)
    bench.jenkins_fault("answer", path="/", method="GET", response=Response(503, "down"), times=99)
    assert bench.rotate().ending is Ending.FAILED
    assert bench.asked == 0


def test_stopped_after_gitlab_answered(bench: RotationBench) -> None:
    stop = threading.Event()
    handle = bench.gitlab.handle

    def stopping(request):
        answer = handle(request)
        if request.path.endswith("/rotate"):
            stop.set()
        return answer

    bench.gitlab.handle = stopping  # type: ignore[method-assign]
    (result,) = bench.rotate_all(stop=stop)
    assert result.ending is Ending.INCOMPLETE
    assert [one.result for one in result.steps[:3]] == [StepResult.SKIPPED] * 3
    bench.assert_not_lost()
    resumed = bench.resume()
    assert resumed.ending is Ending.ROTATED, resumed.steps
    bench.assert_everywhere()


def test_a_recovery_file_that_fails_does_not_cost_the_token(
    bench: RotationBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = bench.gitlab.handle

    def losing(request):
        answer = handle(request)
        if request.path.endswith("/rotate"):
            bench.recovery.unlink()
            bench.recovery.mkdir()
        return answer

    bench.gitlab.handle = losing  # type: ignore[method-assign]
    result = bench.rotate()
    assert step_of(result, "recovery file").result is StepResult.FAILED
    new = bench.alive[0].value
    assert bench.in_jenkins() == bench.read("sink").strip() == bench.read("token").strip() == new


def test_the_token_in_the_recovery_file_is_dead(bench: RotationBench) -> None:
    with bench.rotations() as rotations:
        rotations.prepare()
        break_file(bench, "sink")
        rotations.carry_out(threading.Event())
    mend_file(bench, "sink")
    bench.alive[0].revoked = True
    bench.use(bench.gitlab.add_token("bot", ["api"], name="ci", expires_at=in_days(9)))
    result = bench.resume()
    assert result.ending is Ending.FAILED
    assert "nothing was written now" in result.detail
    assert bench.read("token").strip() == bench.old.value
    assert bench.recovery.exists()
    assert bench.resume(force=True).ending is Ending.FAILED
    assert not bench.recovery.exists()


def test_a_recovery_file_of_another_spec(bench: RotationBench) -> None:
    bench.fault("cut-after")
    bench.rotate()
    bench.spec["name"] = "another"
    assert "of the spec platform" in bench.resume().detail


def test_no_value_is_ever_told(bench: RotationBench) -> None:
    from configurator.report.paint import Paint
    from configurator.report.rotation_json import rotations_json
    from configurator.report.rotation_text import proven_text, results_text

    with bench.rotations() as rotations:
        rotations.prepare()
        told = proven_text(rotations.ready, Paint())
        results = rotations.carry_out(threading.Event())
    told += results_text(results, Paint()) + str(rotations_json(results)) + repr(results) + repr(rotations.ready)
    assert "glpat-" not in told
    assert "rotated in place" in told
