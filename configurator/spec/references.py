"""Where secrets are found and where new ones are written, as models. They hold no secret."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, Tag
from typing_extensions import TypeAliasType

from configurator.spec.unions import by_key

PROJECT_PATTERN = r"^[^/\s]+(/[^/\s]+)+$"


class Model(BaseModel):
    """Base of all: unknown keys are errors, values are not coerced from one type to another."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class EnvSecret(Model):
    """A secret in an environment variable."""

    env: str = Field(
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="Name of the environment variable.",
        examples=["GITLAB_TOKEN"],
    )


class FileSecret(Model):
    """A secret in a file; one line break at its end is not part of it."""

    file: str = Field(
        min_length=1,
        description="Path of the file; relative to the spec; ~ is the home folder.",
        examples=["~/.ssh/id_ed25519", "/run/secrets/gitlab"],
    )


class StoredSecret(Model):
    """A secret kept by `configurator connect`."""

    stored: str = Field(
        min_length=1, description="Name under which `configurator connect` stored it.", examples=["gitlab"]
    )


class CommandSecret(Model):
    """A secret printed by a command. Runs only with --allow-commands."""

    command: list[str] = Field(
        min_length=1,
        description="Program and its arguments; no shell is involved.",
        examples=[["pass", "show", "gitlab/token"]],
    )


SecretRef = EnvSecret | FileSecret | StoredSecret | CommandSecret

# The same for pydantic: its key decides which of the four it is, so that an error speaks of one, not of four.
SecretReference = TypeAliasType(
    "SecretReference",
    Annotated[
        Annotated[EnvSecret, Tag("<env>")]
        | Annotated[FileSecret, Tag("<file>")]
        | Annotated[StoredSecret, Tag("<stored>")]
        | Annotated[CommandSecret, Tag("<command>")],
        by_key("secret_reference", "env", "file", "stored", "command"),
        Field(description="Where a secret is found. The secret itself is never written in a spec."),
    ],
)


class FileSink(Model):
    """Write the new token to a file, and nothing else into it. A new file has mode 0600; an old one keeps its own."""

    file: str = Field(
        min_length=1,
        description="Path of the file; relative to the spec; ~ is the home folder. Its folder must exist.",
        examples=["/run/secrets/gitlab"],
    )


class EnvFileSink(Model):
    """Write the new token into an environment file, as the value of one key. Every other line stays."""

    env_file: str = Field(
        pattern=r"^.+:[A-Za-z_][A-Za-z0-9_]*$",
        description="Path of the file, and the key in it: PATH:KEY.",
        examples=["/etc/default/jenkins:GITLAB_TOKEN"],
    )


class GitLabVariable(Model):
    """A CI/CD variable of a GitLab project."""

    project: str = Field(pattern=PROJECT_PATTERN, description="GitLab project path.", examples=["ops/ci"])
    key: str = Field(pattern=r"^[A-Za-z0-9_]{1,255}$", description="Name of the variable.", examples=["GITLAB_TOKEN"])


class GitLabVariableSink(Model):
    """Write the new token to a CI/CD variable of a project, masked and raw; it is made where it is missing."""

    gitlab_variable: GitLabVariable = Field(description="Which variable of which project.")


class CommandSink(Model):
    """Give the new token to a command, on standard input and without a line break. Runs only with --allow-commands."""

    command: list[str] = Field(
        min_length=1,
        description=(
            "Program and its arguments; no shell is involved, and the token is never among them. It runs in the "
            "folder of the spec, has a minute, and must end with exit code 0."
        ),
        examples=[["vault", "kv", "put", "secret/ci/gitlab", "token=-"]],
    )


class StoredSink(Model):
    """Keep the new token where `configurator connect` keeps tokens."""

    stored: str = Field(
        min_length=1,
        description="Name to keep it under. An OAuth access, or a token of another GitLab, is never overwritten.",
        examples=["gitlab"],
    )


Sink = FileSink | EnvFileSink | GitLabVariableSink | CommandSink | StoredSink

SinkEntry = Annotated[
    Annotated[FileSink, Tag("<file>")]
    | Annotated[EnvFileSink, Tag("<env_file>")]
    | Annotated[GitLabVariableSink, Tag("<gitlab_variable>")]
    | Annotated[CommandSink, Tag("<command>")]
    | Annotated[StoredSink, Tag("<stored>")],
    by_key("sink", "file", "env_file", "gitlab_variable", "command", "stored"),
]
