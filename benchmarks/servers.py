"""The servers to measure against: both embedded ones, each in a process of its own, or real ones.

Real servers are named by the environment variables of the end-to-end tests: ``CONFIGURATOR_TEST_JENKINS_URL``,
``_JENKINS_USER``, ``_JENKINS_TOKEN``, for the user without Administer ``_JENKINS_LIMITED_USER`` and
``_JENKINS_LIMITED_TOKEN``; ``CONFIGURATOR_TEST_GITLAB_URL``, ``_GITLAB_TOKEN`` and ``_GITLAB_PROJECTS``.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

PREFIX = "CONFIGURATOR_TEST_"
HOOKS_PER_PROJECT = 100
HOOKS_PER_APPLICATION = 4


@dataclass(frozen=True)
class User:
    """Who calls Jenkins."""

    name: str
    token: str


@dataclass(frozen=True)
class Servers:
    """A Jenkins and a GitLab.

    Attributes:
        limited: the user without Administer; None where there is none.
        projects: paths of GitLab projects, used in turn.
        counts: requests that the servers have answered so far, to Jenkins and to GitLab; None for real servers,
            which nobody can ask.
    """

    jenkins_url: str
    gitlab_url: str
    admin: User
    limited: User | None
    gitlab_token: str
    projects: tuple[str, ...]
    counts: Callable[[], tuple[int, int]] | None = None


class NotEnoughProjectsError(Exception):
    """The real GitLab's projects can't take so many webhooks."""


def given(environ: Mapping[str, str], applications: int) -> Servers | None:
    """The real servers that the environment names, or None.

    Raises:
        NotEnoughProjectsError: GitLab allows 100 webhooks a project.
        KeyError: a variable is missing.
    """
    if f"{PREFIX}JENKINS_URL" not in environ:
        return None
    real = {name.removeprefix(PREFIX): value for name, value in environ.items() if name.startswith(PREFIX)}
    projects = tuple(real["GITLAB_PROJECTS"].split(","))
    most = len(projects) * HOOKS_PER_PROJECT // HOOKS_PER_APPLICATION
    if applications > most:
        raise NotEnoughProjectsError(
            f"{len(projects)} projects take the webhooks of {most} applications, not of {applications}: "
            f"name more projects in {PREFIX}GITLAB_PROJECTS, or measure fewer jobs"
        )
    limited = None
    if "JENKINS_LIMITED_USER" in real:
        limited = User(real["JENKINS_LIMITED_USER"], real["JENKINS_LIMITED_TOKEN"])
    return Servers(
        jenkins_url=real["JENKINS_URL"],
        gitlab_url=real["GITLAB_URL"],
        admin=User(real["JENKINS_USER"], real["JENKINS_TOKEN"]),
        limited=limited,
        gitlab_token=real["GITLAB_TOKEN"],
        projects=projects,
    )


@contextmanager
def embedded(projects: int) -> Iterator[Servers]:
    """Both embedded servers, new and empty but for ``projects`` GitLab projects.

    Each is a process of its own, so that the client measured shares neither memory nor an interpreter with them.
    """
    paths = tuple(f"bench/project-{number:04}" for number in range(1, projects + 1))
    with ExitStack() as stack:
        jenkins = stack.enter_context(_process(_serve_jenkins))
        gitlab = stack.enter_context(_process(_serve_gitlab, paths))
        users = {name: User(name, token) for name, token in jenkins.facts["users"].items()}
        yield Servers(
            jenkins_url=jenkins.facts["url"],
            gitlab_url=gitlab.facts["url"],
            admin=users["admin"],
            limited=users["limited"],
            gitlab_token=gitlab.facts["token"],
            projects=paths,
            counts=lambda: (jenkins.count(), gitlab.count()),
        )


@dataclass
class _Process:
    """A server's process, and the pipe to ask it things."""

    pipe: Connection
    facts: dict[str, Any] = field(default_factory=dict)

    def count(self) -> int:
        self.pipe.send("count")
        return int(self.pipe.recv())


@contextmanager
def _process(serve: Callable[..., None], *arguments: object) -> Iterator[_Process]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        yield _Process(ours, ours.recv())
    finally:
        ours.close()
        process.join()


def _serve_jenkins(pipe: Connection) -> None:
    from configurator.sandbox.jenkins import JenkinsSandbox

    with JenkinsSandbox() as server:
        pipe.send({"url": server.url, "users": {user.name: user.api_token for user in server.users.values()}})
        _answer_counts(pipe, lambda: len(server.log))


def _serve_gitlab(pipe: Connection, projects: tuple[str, ...]) -> None:
    from configurator.sandbox.gitlab import GitLabSandbox

    with GitLabSandbox() as server:
        bot = server.add_user("bot")
        for path in projects:
            server.add_project(path, members={bot.username: 40})
        pipe.send({"url": server.url, "token": server.add_token(bot, ["api"]).value})
        _answer_counts(pipe, lambda: len(server.log))


def _answer_counts(pipe: Connection, count: Callable[[], int]) -> None:
    """Tell the number of requests whenever asked, until the other end is closed."""
    while True:
        try:
            pipe.recv()
        except EOFError:
            return
        pipe.send(count())
