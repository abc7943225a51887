"""What the documents and the examples tell people to type, the command line understands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from configurator.cli.app import group

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PIPELINES = sorted((ROOT / "examples").rglob(".gitlab-ci.yml"))
GLOBAL = {"-q", "-v", "-vv", "--quiet", "--verbose", "--no-color"}  # taken by the group, wherever they stand


def parsed(line: str) -> click.Context:
    """The context of ``configurator COMMAND …``. Raises UsageError for what the command line does not know."""
    words = [word for word in shlex.split(line, comments=True)[1:] if word not in GLOBAL]
    command: click.Command = group
    names: list[str] = []
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        names.append(words.pop(0))
        found = command.get_command(click.Context(command), names[-1])
        if found is None:
            raise click.UsageError(f"no command {' '.join(names)}")
        command = found
    if isinstance(command, click.Group) and not words:
        return click.Context(command)  # spoken of, not typed
    return command.make_context(" ".join(names), words)


def written(text: str) -> Iterator[str]:
    """The commands in a document: lines of code blocks, and what stands in backticks."""
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    for line in "\n".join(blocks).splitlines():
        if found := re.search(r"(?:^|^\$ |\| |\* )(configurator [a-z-](?!.*…).*)", line.strip()):
            yield found[1]
    for found in re.finditer(
        r"`(configurator [^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    ):
        yield found[1]


def typed(line: str) -> str:
    """The line with something in place of what it leaves to the reader."""
    line = re.sub(r"\[.*?\]", "", line).replace(" -o text|json", "").replace("-f /etc/configurator", "")
    return line.replace("COMMAND", "plan").replace(" N", " 7")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_in_a_document_is_understood(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("plan.json", "webhooks-backup-20260504T101500Z.jsonl", "BACKUP", "FILE"):
        (tmp_path / name).touch()
    for line in written(path.read_text(encoding="utf-8")):
        try:
            parsed(typed(line))
        except click.exceptions.Exit:
            continue  # --help
        except click.UsageError as error:
            pytest.fail(f"{path.name}: {line}: {error.format_message()}")


def script(job: dict[str, Any]) -> list[str]:
    """The commands of a job that are ours."""
    return [line for line in job["script"] if line.startswith("configurator ")]


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.parent.name)
def test_every_command_of_a_pipeline_is_understood(path: Path) -> None:
    jobs = yaml.safe_load(path.read_text(encoding="utf-8")).values()
    lines = [line for job in jobs if isinstance(job, dict) and "script" in job for line in script(job)]
    assert lines
    for line in lines:
        parsed(line)


def test_the_webhooks_pipeline_lists_then_removes_without_asking_and_keeps_the_backup() -> None:
    job = yaml.safe_load((ROOT / "examples" / "webhooks" / ".gitlab-ci.yml").read_text(encoding="utf-8"))["webhooks"]
    listing, cleanup = (parsed(line) for line in script(job))
    assert (listing.info_name, cleanup.info_name) == ("webhooks list", "webhooks cleanup")
    assert cleanup.params["yes"]
    assert cleanup.params["only_marked"]
    assert {str(listing.params["out"]), str(cleanup.params["backup"])} == set(job["artifacts"]["paths"])


def test_an_unknown_option_would_be_noticed() -> None:
    with pytest.raises(click.UsageError):
        parsed("configurator webhooks list --nonsense")
    assert list(written("`configurator token check`\n```\n$ configurator plan  # look\n```\n")) == [
        "configurator plan  # look",
        "configurator token check",
    ]


def leaves(command: click.Command, name: str = "") -> Iterator[str]:
    """The names of all commands that do something."""
    if not isinstance(command, click.Group):
        yield name
        return
    context = click.Context(command)
    for word in command.list_commands(context):
        found = command.get_command(context, word)
        assert found is not None
        yield from leaves(found, f"{name} {word}".strip())


def test_the_readme_lists_every_command_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z ]+)` \|", DOCUMENTS[0].read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(leaves(group))
    assert len(rows) == len(set(rows))


def test_links_lead_somewhere() -> None:
    for path in DOCUMENTS:
        for link in re.findall(r"\]\((?!https?://)([^)#]+)", path.read_text(encoding="utf-8")):
            assert (path.parent / link).exists(), f"{path.name}: {link}"
