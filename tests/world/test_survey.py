"""What is in GitLab: ids and hooks in few requests, and the true reason where something is missing."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from configurator.clients.gitlab import GitLabClient
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.server import Fault, Request, Response
from configurator.secret import Secret
from configurator.world.survey import Survey, take_survey

JSON = {"Content-Type": "application/json"}


class Bench:
    """A GitLab with a bot, and a client that does not wait between tries."""

    def __init__(self, gitlab: GitLabSandbox) -> None:
        self.gitlab = gitlab
        self.bot = gitlab.add_user("bot")
        self.token = gitlab.add_token(self.bot, ["api"]).value

    def project(self, path: str, hooks: int = 0, role: int = 40) -> int:
        made = self.gitlab.add_project(path, members={"bot": role})
        for number in range(hooks):
            self.gitlab.add_hook(made, f"https://j.example.com/project/{number}")
        return made.id

    def survey(self, *paths: str, ids: tuple[int, ...] = ()) -> Survey:
        client = GitLabClient("gitlab", self.gitlab.url, Secret(self.token), sleep=lambda _: None)
        with ThreadPoolExecutor(4) as pool:
            try:
                return take_survey(client, paths, ids, pool)
            finally:
                client.close()

    def answer(self, part: str, status: int, body: str = "{}", times: int = 99) -> None:
        self.gitlab.inject(Fault(lambda one: part in one.path, "answer", Response(status, body, JSON), times=times))

    def requests(self) -> list[str]:
        return [entry.path.removeprefix("/api/v4") for entry in self.gitlab.log]


@contextmanager
def gitlab(version: str = "18.5.0") -> Iterator[Bench]:
    with GitLabSandbox(version) as server:
        yield Bench(server)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with gitlab() as made:
        yield made


def test_a_hook_tells_the_id_so_that_nothing_more_is_asked(bench: Bench) -> None:
    ids = [bench.project(f"shop/p{number}", hooks=1) for number in range(3)]
    survey = bench.survey("shop/p0", "shop/p1", "shop/p2")
    assert [survey.by_path[f"shop/p{number}"].id for number in range(3)] == ids
    assert sorted(bench.requests()) == [
        "/personal_access_tokens/self",
        *(f"/projects/shop%2Fp{number}/hooks" for number in range(3)),
        "/version",
    ]


def test_ids_of_projects_without_hooks_come_from_one_listing(bench: Bench) -> None:
    ids = {f"shop/p{number}": bench.project(f"shop/p{number}") for number in range(5)}
    survey = bench.survey(*ids)
    assert {path: one.id for path, one in survey.by_path.items()} == ids
    assert bench.requests().count("/projects") == 1
    assert not [path for path in bench.requests() if path.startswith("/projects/") and not path.endswith("/hooks")]


def test_where_the_listing_is_longer_than_what_is_missing_each_is_looked_up(bench: Bench) -> None:
    for number in range(201):
        bench.project(f"many/p{number:03}")
    last = bench.project("zoo/last")
    survey = bench.survey("zoo/last")
    assert survey.by_path["zoo/last"].id == last
    assert bench.requests().count("/projects") == 1
    assert "/projects/zoo%2Flast" in bench.requests()


def test_letter_case_makes_no_difference_in_paths(bench: Bench) -> None:
    known = bench.project("shop/payments")
    survey = bench.survey("Shop/Payments", "shop/payments")
    assert [one.id for one in survey.by_path.values()] == [known, known]


def test_behind_a_proxy_that_decodes_slashes_projects_are_found_by_their_ids(bench: Bench) -> None:
    known = bench.project("shop/payments", hooks=2)
    for number in range(150):
        bench.project(f"zoo/p{number:03}")
    far = bench.project("zoo/far", hooks=1)

    def decoded(request: Request) -> bool:
        return "%2f" in request.path.lower()

    bench.gitlab.inject(Fault(decoded, "answer", Response(404, '{"error":"404 Not Found"}', JSON), times=99))
    survey = bench.survey("shop/payments", "zoo/far")
    one, other = survey.by_path["shop/payments"], survey.by_path["zoo/far"]
    assert (one.id, len(one.hooks or ()), one.problem) == (known, 2, "")
    assert (other.id, len(other.hooks or ()), other.problem) == (far, 1, ""), "on the second page of the listing"


def test_a_moved_project_is_used_and_its_new_path_is_told(bench: Bench) -> None:
    known = bench.project("shop/old", hooks=1)
    bench.gitlab.move_project("shop/old", "shop/new")
    survey = bench.survey("shop/old")
    assert survey.by_path["shop/old"].id == known
    assert survey.by_path["shop/old"].hooks
    assert ["shop/new" in warning for warning in survey.warnings] == [True]


def test_a_moved_project_whose_hooks_can_not_be_read(bench: Bench) -> None:
    known = bench.project("shop/old", hooks=1)
    bench.gitlab.move_project("shop/old", "shop/new")
    bench.answer(f"/projects/{known}", 500)
    one = bench.survey("shop/old").by_path["shop/old"]
    assert (one.id, one.hooks, one.failed) == (known, None, True)


def test_a_move_that_does_not_say_where_to(bench: Bench) -> None:
    bench.gitlab.inject(Fault(lambda one: one.path.endswith("/hooks"), "answer", Response(301, "moved"), times=9))
    one = bench.survey("shop/old").by_path["shop/old"]
    assert (one.id, one.hooks) == (None, None)
    assert one.problem


def test_a_role_that_is_too_low_names_the_role_and_still_tells_the_id(bench: Bench) -> None:
    known = bench.project("shop/payments", role=30)
    one = bench.survey("shop/payments").by_path["shop/payments"]
    assert (one.id, one.hooks, one.failed) == (known, None, False)
    assert "Maintainer" in one.problem


def test_what_is_not_there_is_told_with_what_to_do(bench: Bench) -> None:
    one = bench.survey("shop/none").by_path["shop/none"]
    assert (one.id, one.hooks, one.gone, one.failed) == (None, None, True, False)
    assert "check the path" in one.problem


def test_a_server_that_fails_is_told_as_such(bench: Bench) -> None:
    bench.project("shop/payments")
    bench.answer("/hooks", 500)
    one = bench.survey("shop/payments").by_path["shop/payments"]
    assert one.failed and one.hooks is None


@pytest.mark.parametrize("part", ["/api/v4/projects", "/api/v4/projects/zoo%2Flast"])
def test_a_listing_or_look_up_that_fails_is_told_as_such(bench: Bench, part: str) -> None:
    for number in range(201):
        bench.project(f"a/p{number:03}")
    bench.project("zoo/last")
    bench.gitlab.inject(Fault(lambda one: one.path == part, "answer", Response(500, "{}", JSON), times=99))
    one = bench.survey("zoo/last").by_path["zoo/last"]
    assert (one.id, one.failed) == (None, True)


def test_marked_projects_are_found_by_their_ids(bench: Bench) -> None:
    named, marked = bench.project("shop/payments", hooks=1), bench.project("shop/gone", hooks=1)
    empty = bench.project("shop/empty")
    survey = bench.survey("shop/payments", ids=(named, marked, empty, 999))
    assert set(survey.by_id) == {named, marked, empty, 999}
    assert survey.by_id[marked].path == "shop/gone", "a plan names a hook by its project's path"
    assert survey.by_id[empty].hooks == ()
    assert survey.by_id[999].hooks == ()
    assert ["no project 999" in warning for warning in survey.warnings] == [True]


def test_a_marked_project_whose_path_can_not_be_had_is_named_by_its_id(bench: Bench) -> None:
    marked = bench.project("shop/gone", hooks=1)
    bench.gitlab.inject(
        Fault(lambda one: one.path == f"/api/v4/projects/{marked}", "answer", Response(500, "{}", JSON), times=9)
    )
    survey = bench.survey(ids=(marked,))
    assert survey.by_id[marked].path == str(marked)


@pytest.mark.parametrize(
    ("version", "describes"), [("16.11.3", False), ("17.0.8", False), ("17.1.0", True), ("18.5.0-ee", True)]
)
@pytest.mark.parametrize("hooks", [0, 1])
def test_whether_hooks_carry_a_description(version: str, describes: bool, hooks: int) -> None:
    with gitlab(version) as bench:
        bench.project("shop/payments", hooks=hooks)
        assert bench.survey("shop/payments").describes_hooks is describes


def test_a_version_that_is_hidden_counts_as_new(bench: Bench) -> None:
    bench.answer("/version", 403)
    assert bench.survey().describes_hooks


def test_a_refused_token_is_told_once_for_everything(bench: Bench) -> None:
    bench.project("shop/payments", hooks=1)
    bench.token = "glpat-00000000000000000000"
    survey = bench.survey("shop/payments")
    assert survey.refused
    assert survey.by_path["shop/payments"].failed
    assert not [path for path in bench.requests() if "/hooks" in path]


def test_the_token_in_words(bench: Bench) -> None:
    bench.token = bench.gitlab.add_token(bench.bot, ["api"], name="ci", expires_at="2100-01-01").value
    assert bench.survey().identity == "token 'ci', scope api, expires 2100-01-01"
    bench.token = bench.gitlab.add_token(bench.bot, ["api"], name="ci", expires_at="never").value
    survey = bench.survey()
    assert survey.identity.endswith("expires never")
    assert survey.warnings == ()


def test_a_token_that_can_only_read_or_soon_dies_is_a_warning(bench: Bench) -> None:
    soon = datetime.now(UTC).date() + timedelta(days=5)
    bench.token = bench.gitlab.add_token(bench.bot, ["read_api"], expires_at=soon).value
    scope, expiry = bench.survey().warnings
    assert "scope api" in scope
    assert "expires in 5 days" in expiry


def test_a_fine_grained_token_that_may_not_look_at_itself_is_used_all_the_same(bench: Bench) -> None:
    bench.answer("/personal_access_tokens/self", 403, '{"error":"insufficient_granular_scope"}')
    survey = bench.survey()
    assert (survey.identity, survey.warnings, survey.refused) == ("", (), "")


@pytest.mark.parametrize("status", [400, 404, 405])
def test_tokens_that_have_no_record_are_used_all_the_same(bench: Bench, status: int) -> None:
    bench.answer("/personal_access_tokens/self", status)
    assert bench.survey().refused == ""


def test_the_words_of_a_look_up_that_finds_nothing(bench: Bench) -> None:
    """Listed hooks but no hook, not listed, and then gone: a project that is being deleted."""
    for number in range(201):
        bench.project(f"a/p{number:03}")
    bench.project("zoo/last")
    bench.gitlab.inject(
        Fault(lambda one: one.path == "/api/v4/projects/zoo%2Flast", "answer", Response(404, "{}", JSON), times=9)
    )
    one = bench.survey("zoo/last").by_path["zoo/last"]
    assert one.id is None and "check the path" in one.problem and not one.failed
