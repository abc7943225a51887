"""Project and group tokens replaced with the help of another token: at no moment is there none that works."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from configurator.sandbox.gitlab import MAINTAINER
from configurator.sandbox.server import Request, Response
from tests.tokens.rotating.rotation_bench import HTML, Ending, RotationBench, StepResult, in_days, step_of

CREATE = "/access_tokens"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[RotationBench]:
    with RotationBench.at(tmp_path) as made:
        made.gitlab.tokens[1].revoked = True  # the personal one is not used here
        made.admin_token()
        made.project_token()
        made.done()
        yield made


def watch_for_gaps(bench: RotationBench) -> list[str]:
    """Requests after which a token was dead that Jenkins still held."""
    gaps: list[str] = []
    handle = bench.gitlab.handle

    def watching(request: Request) -> Response:
        answer = handle(request)
        good = {token.value for token in bench.gitlab.tokens if not token.revoked}
        if bench.in_jenkins() not in good or bench.read("token").strip() not in good:
            gaps.append(f"{request.method} {request.path}")
        return answer

    bench.gitlab.handle = watching  # type: ignore[method-assign]
    return gaps


@pytest.mark.parametrize("owner", ["project", "group"])
@pytest.mark.parametrize("version", ["15.11.0", "16.5.0", "18.5.0"])
def test_without_a_gap(tmp_path: Path, version: str, owner: str) -> None:
    with RotationBench.at(tmp_path, version) as bench:
        bench.gitlab.tokens[1].revoked = True
        bench.admin_token()
        getattr(bench, f"{owner}_token")(access_level=MAINTAINER)
        bench.done()
        gaps = watch_for_gaps(bench)
        result = bench.rotate()
        assert (result.ending, result.kind, result.mode) == (Ending.ROTATED, owner, "overlap"), result
        assert not gaps
        new = bench.assert_everywhere()
        assert (new.scopes, new.access_level, new.expires_at, new.kind) == (["api"], MAINTAINER, in_days(90), owner)
        assert bench.old.revoked
        assert bench.asked == 0
        assert step_of(result, "old token").detail == "revoked"


def test_a_personal_token_rotates_itself_all_the_same(bench: RotationBench) -> None:
    bench.use(bench.gitlab.add_token("bot", ["api"], name="ci", expires_at=in_days(5)))
    bench.done()
    assert bench.rotate().mode == "rotate"


def test_a_refused_creation_changes_nothing(bench: RotationBench) -> None:
    bench.gitlab.settings.resource_token_limit = 1
    result = bench.rotate()
    assert result.ending is Ending.FAILED
    assert "Access token limit reached" in result.detail
    assert not bench.old.revoked
    assert not bench.recovery.exists()


@pytest.mark.parametrize("action", ["cut-after", "answer"])
def test_a_lost_answer_breaks_nothing(bench: RotationBench, action) -> None:
    bench.fault(action, path=CREATE, response=HTML)
    result = bench.rotate()
    assert result.ending is Ending.FAILED
    assert "The old token works on" in result.detail
    assert "may have been made whose value nobody knows" in result.detail
    assert bench.gitlab.count("POST", CREATE) == 1
    assert not bench.old.revoked
    assert not bench.recovery.exists()


def test_the_old_one_stays_until_all_have_the_new(bench: RotationBench) -> None:
    with bench.rotations() as rotations:
        rotations.prepare()
        (bench.folder / "sink").mkdir()
        (result,) = rotations.carry_out(threading.Event())
    assert result.ending is Ending.INCOMPLETE
    assert step_of(result, "old token").result is StepResult.SKIPPED
    assert not bench.old.revoked
    (bench.folder / "sink").rmdir()
    assert bench.resume().ending is Ending.ROTATED
    bench.assert_everywhere()
    assert bench.old.revoked


def test_a_revocation_that_fails_is_repeated(bench: RotationBench) -> None:
    bench.fault("answer", path=CREATE, method="DELETE", response=Response(500, "x"))
    result = bench.rotate()
    assert result.ending is Ending.INCOMPLETE
    assert step_of(result, "old token").result is StepResult.FAILED
    assert bench.resume().ending is Ending.ROTATED
    assert bench.old.revoked
    bench.assert_everywhere()


def test_the_spec_lost_its_admin_token(bench: RotationBench) -> None:
    bench.fault("answer", path=CREATE, method="DELETE", response=Response(500, "x"))
    bench.rotate()
    del bench.entry["rotation"]["admin_token"]
    result = bench.resume()
    assert result.ending is Ending.INCOMPLETE
    assert "not in the spec any more" in step_of(result, "old token").detail


@pytest.mark.parametrize("kind", ["scope", "bot", "dead"])
def test_an_admin_token_that_will_not_do(bench: RotationBench, kind: str) -> None:
    if kind == "bot":
        bench.environ["ADMIN"] = bench.old.value
    elif kind == "scope":
        bench.environ["ADMIN"] = bench.gitlab.add_token("owner", ["read_api"]).value
    else:
        bench.environ["ADMIN"] = bench.gitlab.add_token("owner", ["api"], expires_at=in_days(0)).value
    result = bench.rotate()
    assert result.ending is Ending.FAILED
    words = {"bot": "those can't make tokens", "scope": "needs the scope api", "dead": "has expired"}
    assert words[kind] in step_of(result, "admin_token").detail
    assert bench.gitlab.count("POST", CREATE) == 0


def test_a_role_that_can_not_be_told(bench: RotationBench) -> None:
    group = bench.gitlab.add_group("empty", members={"owner": 50})
    bench.use(bench.gitlab.add_resource_token(group, "ci", ["api"], expires_at=in_days(5)))
    bench.done()
    result = bench.rotate()
    assert "sees no project" in step_of(result, "admin_token").detail


def test_cut_short_before_the_answer_was_kept(bench: RotationBench, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("configurator.clients.gitlab.GitLabClient.create_token", stopped)
    result = bench.rotate()
    assert result.ending is Ending.FAILED
    assert "--resume" in result.detail
    assert result.recovery == bench.recovery
    assert "The old token works on" in bench.resume().detail
    assert not bench.recovery.exists()
