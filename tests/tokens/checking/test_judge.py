"""Every state of a token, end to end on the embedded GitLab: what is said of it and its cure, word for word."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from token_states import NOW, PROJECTS, STATES, TODAY, State

from configurator.clients.gitlab import GitLabClient
from configurator.sandbox.gitlab import MAINTAINER, GitLabSandbox
from configurator.secret import Secret
from configurator.tokens.checking.inspect_gitlab import inspect_gitlab
from configurator.tokens.checks import Check, Verdict

SAID = Path(__file__).with_name("token_states.txt")
_BOT = re.compile(r"(?<=_bot_)[0-9a-f]{16}")


def said(state: State) -> list[Check]:
    """What is said of a state."""
    with GitLabSandbox(state.version, clock=lambda: NOW) as gitlab:
        gitlab.add_user("ann")
        for path in PROJECTS:
            gitlab.add_project(path).members[gitlab.users["ann"].id] = MAINTAINER
        token = state.make(gitlab)
        value = token if isinstance(token, str) else token.value
        bearer = not isinstance(token, str) and token.kind == "oauth"
        client = GitLabClient("gitlab", gitlab.url, Secret(value), sleep=lambda _: None, bearer=bearer)
        try:
            checks = inspect_gitlab(
                client, "gitlab:gitlab", state.projects, min_days=state.min_days, today=TODAY, need=state.need
            )
        finally:
            client.close()
        assert value not in str(checks), "a check never shows the token"
        return [_steady(check, gitlab) for check in checks]


def _steady(check: Check, gitlab: GitLabSandbox) -> Check:
    """The same check on another port, with another random name."""

    def steady(words: str) -> str:
        for url in (gitlab.url, f"https{gitlab.url.removeprefix('http')}"):
            words = words.replace(url, f"{url.partition(':')[0]}://gitlab.example.com")
        return _BOT.sub("0", words)

    return Check(check.subject, check.check, check.verdict, steady(check.evidence), steady(check.cure))


def written(name: str, checks: Iterable[Check]) -> str:
    """A section of the file."""
    lines = [f"== {name}"]
    for check in checks:
        lines.append(f"{check.verdict} {check.check}: {check.evidence}")
        lines += [f"    -> {check.cure}"] if check.cure else []
    return "\n".join(lines)


def sections() -> dict[str, str]:
    """The sections of the file by name."""
    found = [part.rstrip() for part in re.split(r"(?m)^(?=== )", SAID.read_text(encoding="utf-8")) if part]
    return {part.partition("\n")[0].removeprefix("== "): part for part in found}


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_what_is_said_of_a_token(state: State) -> None:
    checks = said(state)
    assert written(state.name, checks) == sections()[state.name]
    for check in checks:
        assert bool(check.cure) == (check.verdict is not Verdict.OK), "whatever is wrong has a cure"


def test_nothing_is_left_in_the_file() -> None:
    assert list(sections()) == [state.name for state in STATES]
