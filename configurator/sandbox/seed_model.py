"""The shape of a seed: what may be written in the YAML file, with its defaults."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from configurator.sandbox.gitlab.model import ROLE_NAMES
from configurator.sandbox.gitlab.oauth_provider import check_application
from configurator.sandbox.gitlab.release import parse_release

Event = Literal["push", "tag_push", "merge_requests", "note", "issues", "pipeline", "job", "releases"]


def _named(value: Any) -> Any:
    """A bare name stands for a record with that name."""
    return {"name": value} if isinstance(value, str) else value


def _role(value: Any) -> Any:
    """A role by its name or its number."""
    role = ROLE_NAMES.get(value.lower()) if isinstance(value, str) else value
    if isinstance(role, bool) or role not in ROLE_NAMES.values():
        raise ValueError(f"is no role; roles are {', '.join(ROLE_NAMES)}")
    return role


def _version(value: Any) -> Any:
    """A GitLab version that can be embedded."""
    parse_release(str(value))
    return str(value)


def _day(value: Any) -> Any:
    """The end of a token as text: YAML reads a day that stands there without quotes as a date."""
    day = value.isoformat() if type(value) is date else value
    if isinstance(day, str) and day != "never":
        try:
            date.fromisoformat(day)
        except ValueError:
            raise ValueError("is no day such as 2027-01-31, and not never") from None
    return day


Role = Annotated[int, BeforeValidator(_role)]
Day = Annotated[str, BeforeValidator(_day)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SeedPlugin(_Model):
    """A plugin that is installed from the start."""

    id: str
    version: str


class SeedJenkinsUser(_Model):
    """A further user; ``like`` says whose rights it has. Password and token follow from the name."""

    name: str
    like: Literal["admin", "limited", "reader"] = "admin"


class SeedJob(_Model):
    """A job, by its XML, a file with it, or the script of a pipeline. Its folders are made on the way."""

    name: str
    xml: str | None = None
    file: str | None = None
    script: str = "echo 'built'"


class JenkinsSeed(_Model):
    """What Jenkins begins with."""

    version: str = "2.524"
    plugins: tuple[SeedPlugin, ...] | None = None
    users: tuple[Annotated[SeedJenkinsUser, BeforeValidator(_named)], ...] = ()
    folders: tuple[str, ...] = ()
    jobs: tuple[SeedJob, ...] = ()


class SeedUser(_Model):
    """A GitLab account. Its password, to sign in with a browser, follows from the name where it is left out."""

    name: str
    admin: bool = False
    password: str | None = None


class SeedToken(_Model):
    """A personal access token. ``value`` is made up where it is left out; ``expires_at`` may be ``never``."""

    user: str
    name: str = "token"
    scopes: tuple[str, ...] = ("api",)
    value: str | None = None
    expires_at: Day | None = None


class SeedApplication(_Model):
    """An OAuth application. ``id`` and ``secret`` are made up where they are left out."""

    name: str
    redirect_uris: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ("api",)
    confidential: bool = False
    owner: str | None = None
    id: str | None = None
    secret: str | None = None

    @model_validator(mode="after")
    def _can_be_registered(self) -> Self:
        check_application(self.redirect_uris, self.scopes)
        return self


class SeedHook(_Model):
    """A webhook made by hand; ``{jenkins}`` in its URL stands for Jenkins' root URL."""

    url: str
    token: str | None = None
    events: tuple[Event, ...] = ("push",)
    name: str | None = None
    description: str | None = None
    push_events_branch_filter: str | None = None
    enable_ssl_verification: bool = True


class SeedProject(_Model):
    """A GitLab project; ``role`` is that of the seed's first user."""

    path: str = Field(pattern=r"^[^/\s]+(/[^/\s]+)+$")
    role: Role = ROLE_NAMES["maintainer"]
    members: dict[str, Role] = Field(default_factory=dict)
    visibility: Literal["private", "internal", "public"] = "private"
    archived: bool = False
    default_branch: str = "main"
    branches: tuple[str, ...] = ()
    hooks: tuple[SeedHook, ...] = ()


class GitLabSeed(_Model):
    """What GitLab begins with."""

    version: Annotated[str, BeforeValidator(_version)] = "18.5.0"
    users: tuple[Annotated[SeedUser, BeforeValidator(_named)], ...] = ()
    tokens: tuple[SeedToken, ...] = ()
    oauth_applications: tuple[SeedApplication, ...] = ()
    projects: tuple[SeedProject, ...] = ()


class Seed(_Model):
    """A whole seed. ``base`` is the folder that files are named from."""

    jenkins: JenkinsSeed = JenkinsSeed()
    gitlab: GitLabSeed = GitLabSeed()
    base: Path = Field(default=Path(), exclude=True)
