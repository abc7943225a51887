"""The `gitlab:` part of a spec that uses a token which was just obtained."""

from __future__ import annotations

import json
from pathlib import Path

from configurator.errors import InputError, Problem
from configurator.tokens.keeping.store import Entry


def spec_part(name: str, entry: Entry, token: str) -> str:
    """YAML for the spec.

    Args:
        name: of the gitlab entry.
        entry: what was obtained.
        token: reference to it, such as ``{stored: gitlab}``.
    """
    lines = ["gitlab:", f"  - name: {json.dumps(name)}", f"    url: {json.dumps(entry.gitlab_url)}"]
    if entry.ca_file:
        lines.append(f"    ca_file: {json.dumps(entry.ca_file)}")
    lines.append(f"    token: {token}")
    if entry.kind == "oauth":
        lines += [
            "    credential:",
            "      # Jenkins needs a token of its own: its plugin can't use an OAuth token, which lives two hours.",
            "      token: {env: JENKINS_GITLAB_TOKEN}",
        ]
    lines += [
        "    webhooks:",
        "      # A long random text of your choice, such as openssl rand -hex 32 prints.",
        "      secret: {env: WEBHOOK_SECRET}",
    ]
    return "\n".join(lines) + "\n"


def require_new(path: Path) -> None:
    """Raise InputError where ``path`` exists, or can't be made."""
    if path.exists() or path.is_symlink():
        raise _not_written(path, "it exists already, and is not overwritten", "name another file, or - to print it")
    if not path.parent.is_dir():
        raise _not_written(path, "there is no such folder", "make the folder, or name another file")


def write_new(path: Path, text: str) -> None:
    """Write a file that must not exist yet. Raises InputError."""
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        require_new(path)
        raise
    except OSError as error:
        raise _not_written(path, error.strerror or str(error), "name another file, or - to print it") from None


def _not_written(path: Path, why: str, hint: str) -> InputError:
    return InputError([Problem(f"the part of a spec can't be written to {path}: {why}", hint=hint)])
