"""Parameters of a request, from its query and its body, with the type checks GitLab's API layer makes.

Every problem of one request is collected and told in one 400, as the real one does.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any
from urllib.parse import parse_qsl

from configurator.sandbox.gitlab.answers import error
from configurator.sandbox.server import Request

_TRUE = {"1", "on", "t", "true", "y", "yes"}
_FALSE = {"0", "off", "f", "false", "n", "no"}


class Params:
    """Typed access to a request's parameters.

    A reader of an absent parameter returns None (or the default). Wrong ones are noted; :meth:`check` then
    refuses the request. JSON values are not converted; text from a query or a form is.
    """

    def __init__(self, query: dict[str, Any], body: dict[str, Any], body_is_json: bool) -> None:
        self._values: dict[str, Any] = {**query, **body}
        self._text_names = set(query) - set(body) if body_is_json else set(self._values)
        self.problems: list[str] = []

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def raw(self, name: str) -> Any:
        """The value as it came in."""
        return self._values.get(name)

    def check(self) -> None:
        """Refuse the request if anything was wrong with it."""
        if self.problems:
            raise error(400, ", ".join(dict.fromkeys(self.problems)))

    def text(self, name: str, *, required: bool = False, nullable: bool = True) -> str | None:
        """A text."""
        value = self._values.get(name)
        if value is None:
            if name not in self._values and required:
                self.problems.append(f"{name} is missing")
            elif name in self._values and not nullable:
                self._invalid(name)
            return None
        if not isinstance(value, str):
            self._invalid(name)
            return None
        return value

    def boolean(self, name: str, default: bool | None = None) -> bool | None:
        """true or false; null is neither."""
        if name not in self._values:
            return default
        value = self._values[name]
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and name in self._text_names:
            word = value.lower()
            if word in _TRUE or word in _FALSE:
                return word in _TRUE
        self._invalid(name)
        return default

    def integer(self, name: str, default: int | None = None, minimum: int | None = None) -> int | None:
        """A whole number."""
        if self._values.get(name) is None:
            return default
        value = self._values[name]
        if isinstance(value, str) and name in self._text_names and value.lstrip("-").isdigit():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            self._invalid(name)
            return default
        if minimum is not None and value < minimum:
            self.problems.append(f"{name} does not have a valid value")
            return default
        return value

    def choice(self, name: str, values: Sequence[Any], default: Any = None) -> Any:
        """One of ``values``; numbers may come as text."""
        if self._values.get(name) is None:
            return default
        value = self._values[name]
        for known in values:
            if value == known or (name in self._text_names and value == str(known)):
                return known
        self.problems.append(f"{name} does not have a valid value")
        return default

    def day(self, name: str) -> date | None:
        """A date, ``2026-01-31``."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return date.fromisoformat(value)
        except ValueError:
            self._invalid(name)
            return None

    def texts(self, name: str, *, required: bool = False) -> list[str] | None:
        """A list of texts."""
        value = self._values.get(name)
        if value is None:
            if required:
                self.problems.append(f"{name} is missing")
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self._invalid(name)
            return None
        return list(value)

    def pairs(self, name: str) -> dict[str, str] | None:
        """A list of ``{"key": …, "value": …}`` as a mapping."""
        value = self._values.get(name)
        if name not in self._values:
            return None
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self._invalid(name)
            return None
        found: dict[str, str] = {}
        for item in value:
            for part in ("key", "value"):
                if part not in item:
                    self.problems.append(f"{name}[{part}] is missing")
                elif not isinstance(item[part], str):
                    self.problems.append(f"{name}[{part}] is invalid")
            if isinstance(item.get("key"), str) and isinstance(item.get("value"), str):
                found[item["key"]] = item["value"]
        return found

    def _invalid(self, name: str) -> None:
        self.problems.append(f"{name} is invalid")


def content_type(request: Request) -> str:
    """The media type of a request, lower case, without parameters."""
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


def read_params(request: Request) -> Params:
    """The parameters of ``request``. A body of another type than JSON or form counts as none."""
    query = _nested(parse_qsl(request.raw_query, keep_blank_values=True))
    kind = content_type(request)
    if request.body and kind == "application/json":
        try:
            body = json.loads(request.body)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise error(400, "message body does not match declared format")
        return Params(query, body, body_is_json=True)
    if request.body and kind == "application/x-www-form-urlencoded":
        text = request.body.decode("utf-8", errors="replace")
        return Params(query, _nested(parse_qsl(text, keep_blank_values=True)), body_is_json=False)
    return Params(query, {}, body_is_json=False)


def _nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """``a[b]=1`` and ``a[]=1`` as the mapping and the list they mean."""
    values: dict[str, Any] = {}
    for name, value in pairs:
        base, bracket, rest = name.partition("[")
        inner = rest.removesuffix("]")
        if not bracket:
            values[name] = value
        elif inner:
            holder = values.setdefault(base, {})
            if isinstance(holder, dict):
                holder[inner] = value
        else:
            holder = values.setdefault(base, [])
            if isinstance(holder, list):
                holder.append(value)
    return values
