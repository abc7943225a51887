"""Offset and keyset paging with their headers (contract, behaviour 11)."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from configurator.sandbox.gitlab.answers import error, json_response
from configurator.sandbox.gitlab.call import Call
from configurator.sandbox.gitlab.release import Release
from configurator.sandbox.server import Response

DEFAULT_PER_PAGE, MAX_PER_PAGE = 20, 100
_COUNTED_UP_TO = 10_000
CURSOR_SINCE: Release = (17, 0)

T = TypeVar("T")


def page_of(call: Call) -> tuple[int, int]:
    """``page`` and ``per_page`` of a request; more than 100 are cut to 100.

    Raises:
        ApiError: 400 for numbers below 1 and for what is no number.
    """
    page = call.params.integer("page", 1, minimum=1)
    per_page = call.params.integer("per_page", DEFAULT_PER_PAGE, minimum=1)
    call.params.check()
    return page or 1, min(per_page or DEFAULT_PER_PAGE, MAX_PER_PAGE)


def offset_page(call: Call, rows: Sequence[T], show: Callable[[T], Any], *, has_keyset: bool = False) -> Response:
    """One page of ``rows``.

    Args:
        show: a row as JSON.
        has_keyset: the resource knows keyset paging too, so that offsets are limited.

    Raises:
        ApiError: 405, the page lies beyond the offset limit.
    """
    page, per_page = page_of(call)
    limit = call.world.settings.offset_limit
    if has_keyset and limit and (page - 1) * per_page > limit:
        raise error(
            405,
            f"Offset pagination has a maximum allowed offset of {limit} for requests that return objects of "
            "type Project. Remaining records can be retrieved using keyset pagination.",
        )
    first = (page - 1) * per_page
    last_page = max(1, math.ceil(len(rows) / per_page))
    headers = {
        "X-Next-Page": str(page + 1) if page < last_page else "",
        "X-Page": str(page),
        "X-Per-Page": str(per_page),
        "X-Prev-Page": str(page - 1) if 1 < page <= last_page + 1 else "",
    }
    links = {"prev": page - 1 if headers["X-Prev-Page"] else None, "next": page + 1 if page < last_page else None}
    links |= {"first": 1}
    if len(rows) <= _COUNTED_UP_TO:
        headers |= {"X-Total": str(len(rows)), "X-Total-Pages": str(last_page)}
        links |= {"last": last_page}
    headers["Link"] = ", ".join(
        f'<{_address(call, {"page": number, "per_page": per_page})}>; rel="{name}"'
        for name, number in links.items()
        if number is not None
    )
    return json_response([show(row) for row in rows[first : first + per_page]], headers=headers)


def keyset_page(call: Call, rows: Sequence[T], show: Callable[[T], Any], descending: bool) -> Response:
    """One page of ``rows`` (sorted by id), continued by the ``Link`` header only.

    A full page always names a next one, so the last may be empty.
    """
    _, per_page = page_of(call)
    start = read_cursor(call)
    if start is not None:
        rows = [row for row in rows if (_id(row) < start if descending else _id(row) > start)]
    shown = rows[:per_page]
    headers: dict[str, str] = {}
    if len(shown) == per_page:
        headers["Link"] = f'<{_address(call, _continuation(call, _id(shown[-1]), descending))}>; rel="next"'
    return json_response([show(row) for row in shown], headers=headers)


def read_cursor(call: Call) -> int | None:
    """The id that a ``cursor`` points behind.

    Raises:
        ApiError: 400, it is none of ours.
    """
    cursor = call.params.text("cursor")
    if not cursor:
        return None
    try:
        return int(json.loads(base64.urlsafe_b64decode(cursor))["id"])
    except (binascii.Error, ValueError, KeyError, TypeError) as reason:
        raise error(400, "cursor is invalid") from reason


def _id(row: Any) -> int:
    return int(row.id)


def _continuation(call: Call, last: int, descending: bool) -> dict[str, Any]:
    if call.release >= CURSOR_SINCE:
        text = json.dumps({"id": str(last), "_kd": "n"})
        return {"cursor": base64.urlsafe_b64encode(text.encode()).decode()}
    return {"id_before" if descending else "id_after": last}


def _address(call: Call, changes: dict[str, Any]) -> str:
    query = dict(parse_qsl(call.request.raw_query, keep_blank_values=True))
    query |= {name: str(value) for name, value in changes.items()}
    return f"{call.instance.base_url}{call.request.path}?{urlencode(query)}"
