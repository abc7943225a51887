"""Webhooks as one HTML file that stands alone: no network, opens from a mail, quick with 15,000 hooks.

All that servers contributed is escaped or travels as JSON and is shown as text. The page's own policy
(Content-Security-Policy) lets only the style and the script run that this program put there, and nothing be loaded.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2

from configurator.hook_url import mask_user_info
from configurator.report.safe import clean, clean_json
from configurator.report.webhooks_diagram import diagram_of
from configurator.report.webhooks_json import hook_json
from configurator.report.webhooks_outline import CURES, FINE, MEANINGS, event_names
from configurator.webhooks.model import Finding, HookClass, Picture

_PLAIN_ROWS = 1_000  # hooks in the table for browsers without scripts
_PROBLEMS = 100  # problems and warnings that are listed


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the servers are, for the page's head and its links.

    Attributes:
        jenkins: root URL.
        gitlabs: root URL by name of the gitlab entry.
    """

    jenkins: str
    gitlabs: Mapping[str, str]


def picture_html(picture: Picture, shown: Sequence[Finding], addresses: Addresses, created_at: str) -> str:
    """The page.

    Args:
        picture: the whole scan.
        shown: the findings to show.
        addresses: of the servers.
        created_at: ISO 8601, with its offset.
    """
    rank = {name: at for at, name in enumerate(MEANINGS)}
    ordered = sorted(shown, key=lambda one: rank[one.cls])  # stable: within a class as the picture has them
    style, script = _resource("webhooks.css"), _resource("webhooks.js")
    return _template().render(
        picture=picture,
        owner=clean(picture.owner),
        problems=[clean(one) for one in picture.problems[:_PROBLEMS]],
        more_problems=max(0, len(picture.problems) - _PROBLEMS),
        warnings=[clean(one) for one in picture.warnings[:_PROBLEMS]],
        tiles=_tiles(ordered),
        diagram=diagram_of(ordered),
        integrations=_integrations(picture),
        plain=_plain_rows(ordered),
        total=len(ordered),
        jenkins=mask_user_info(addresses.jenkins),
        gitlabs=[(name, mask_user_info(url)) for name, url in addresses.gitlabs.items()],
        created_at=created_at,
        created=datetime.fromisoformat(created_at).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        data=_script_json(_data(ordered, addresses)),
    )


def _tiles(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    numbers = {name: sum(one.cls is name for one in findings) for name in MEANINGS}
    return [
        {"cls": name.value, "number": number, "meaning": MEANINGS[name], "cure": _with_code(CURES.get(name, ""))}
        for name, number in numbers.items()
        if number or name in (HookClass.ORPHANED, HookClass.FAILING, HookClass.LIVE)
    ]


def _with_code(text: str) -> list[tuple[str, bool]]:
    """The parts of ``text``, and whether each stood between backticks."""
    return [(part, at % 2 == 1) for at, part in enumerate(text.split("`")) if part]


def _integrations(picture: Picture) -> list[dict[str, Any]]:
    """Jenkins integrations, those that start a build twice first."""
    return [
        {
            "project": clean(one.project),
            "target": clean(one.job or one.target),
            "events": ", ".join(event_names(one.events)),
            "twins": ", ".join(str(twin) for twin in one.twins),
        }
        for one in sorted(picture.integrations, key=lambda one: not one.twins)
    ]


def _plain_rows(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Rows of the table for browsers without scripts: what is wrong before what is fine, not more than it can show."""
    chosen = sorted(findings, key=lambda one: one.cls in FINE)[:_PLAIN_ROWS]
    return [
        {
            "cls": one.cls.value,
            "project": clean(one.hook.project),
            "id": one.hook.id,
            "job": clean(one.job or ""),
            "url": clean(one.shown),
            "events": ", ".join(event_names(one.hook.events)),
            "evidence": clean(one.evidence),
        }
        for one in chosen
    ]


def _data(findings: Sequence[Finding], addresses: Addresses) -> dict[str, Any]:
    """What the script shows: rows as lists, since 15,000 objects would repeat their keys 15,000 times."""
    classes = [name.value for name in MEANINGS]
    gitlabs = sorted({one.hook.gitlab for one in findings})
    return {
        "classes": classes,
        "gitlabs": [{"name": clean(name), "url": _link_base(addresses.gitlabs.get(name, ""))} for name in gitlabs],
        "jenkins": _link_base(addresses.jenkins),
        "rows": [_row(one, classes, gitlabs) for one in findings],
    }


def _row(finding: Finding, classes: Sequence[str], gitlabs: Sequence[str]) -> list[Any]:
    row = hook_json(finding)
    return [
        classes.index(row["class"]),
        gitlabs.index(row["gitlab"]),
        clean(row["project"]),
        row["hook_id"],
        clean(row["job"] or ""),
        clean(row["url"]),
        ", ".join(row["events"]),
        clean(row["evidence"]),
        clean(row["owner"] or ""),
        clean(row["created_at"] or ""),
        ", ".join(row["also"]),
        " ".join(clean(one["status"]) for one in row["deliveries"][:8]),
    ]


def _link_base(url: str) -> str:
    """``url`` without a final slash, or nothing where no link should be made of it."""
    fit = url.startswith(("http://", "https://")) and mask_user_info(url) == url
    return url.rstrip("/") if fit else ""


def _script_json(data: object) -> str:
    """JSON for a script element: no character in it can end the element or begin a comment."""
    text = clean_json(json.dumps(data, ensure_ascii=False, separators=(",", ":")))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def _resource(name: str) -> str:
    return files("configurator.report").joinpath("page", name).read_text("utf-8")


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["number"] = lambda number: f"{number:,}"
    return environment.from_string(_resource("webhooks.html.j2"))
