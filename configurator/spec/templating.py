"""Jinja2 as the templates see it: sandboxed, strict, found by name, the user's own folders first.

What a template gets beside Jinja2's own filters and functions:

``x | tojson``
    ``x`` as JSON text. Booleans come out as ``true`` and ``false``, which is how XML wants them, too.
``x | yaml``
    ``x`` as a YAML value on one line, quoted so that nothing in it can end the value: for provisioners.
``branch | branch_name``
    A branch as it appears in the names of jobs and views: ``release/2.x`` becomes ``RELEASE-2.X``.
``x | groovy``
    ``x`` as a Groovy string in single quotes: for inline Pipeline scripts.
``fail("reason")``
    Stops with an error that names the template and what it was rendered for.

The names that are set depend on what is rendered; see ``spec/items.py`` (jobs, views) and
``spec/provisioner.py``. A name that is not set is an error unless the template gives it a default.
In ``.xml.j2`` templates every value is XML-escaped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import (
    ChoiceLoader,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    Undefined,
    meta,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from configurator.errors import Place
from configurator.spec.names import branch_name
from configurator.spec.template_errors import TemplateFailedError, explain, missing

SUFFIXES = {"jobs": ".xml.j2", "views": ".xml.j2", "provisioners": ".yaml"}

# Legal in JSON, but YAML folds or refuses them: controls, DEL, C1 with NEL, the separators, BOM, surrogates.
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def builtin_folder() -> Path:
    """The folder of the built-in templates: inside the installed package, else the repository's."""
    package = Path(__file__).resolve().parents[1]
    shipped = package / "_templates"
    return shipped if shipped.is_dir() else package.parent / "templates"


def to_json(value: object) -> str:
    """``value`` as one line of JSON that is also a YAML flow value. Dates become ISO 8601 text.

    Raises:
        TypeError: ``value`` holds something that JSON has no word for.
    """
    text = json.dumps(value, ensure_ascii=False, default=_json_default)
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _json_default(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Undefined):
        return str(value)  # raises jinja2's own error, which says what is not set
    raise TypeError(f"{type(value).__name__} can't be written as JSON")


def to_groovy(value: object) -> str:
    """``value`` as a Groovy string literal in single quotes, which Groovy does not interpolate."""
    text = str(value).replace("\\", "\\\\").replace("'", "\\'").replace("\r", "\\r").replace("\n", "\\n")
    return f"'{text}'"


def _fail(message: object) -> NoReturn:
    raise TemplateError(str(message))


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox, with arithmetic that can't be made to eat all memory."""

    intercepted_binops = frozenset({"*", "**"})
    longest = 1_000_000

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" and isinstance(right, int) and right > 64:
            raise OverflowError("exponents over 64 are refused")
        sized = [value for value in (left, right) if isinstance(value, str | list | tuple)]
        times = [value for value in (left, right) if isinstance(value, int)]
        if operator == "*" and sized and times and len(sized[0]) * times[0] > self.longest:
            raise OverflowError(f"a value longer than {self.longest:,} is refused")
        return super().call_binop(context, operator, left, right)


class Templates:
    """All templates that a spec can name, the user's folders before the built-in ones.

    Args:
        folders: the user's template folders in the order of search, each with ``jobs``, ``views`` and
            ``provisioners`` inside.
    """

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self.folders = tuple(folders)
        self._builtin = builtin_folder()
        loader = ChoiceLoader([FileSystemLoader(folder) for folder in (*self.folders, self._builtin)])
        self._environment = _Environment(
            loader=loader,
            undefined=StrictUndefined,
            autoescape=lambda name: name is not None and name.endswith(".xml.j2"),
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(tojson=to_json, yaml=to_json, branch_name=branch_name, groovy=to_groovy)
        self._environment.globals["fail"] = _fail
        self._variables: dict[str, frozenset[str] | None] = {}

    def names(self, kind: str) -> list[str]:
        """Names of all templates of a kind (``jobs``, ``views``, ``provisioners``); _parts of them left out."""
        suffix = SUFFIXES[kind]
        found = self._environment.list_templates(filter_func=lambda name: name.startswith(f"{kind}/"))
        names = (name.removeprefix(f"{kind}/").removesuffix(suffix) for name in found if name.endswith(suffix))
        return sorted(name for name in names if not name.startswith("_"))

    def render(
        self, kind: str, name: str, context: Mapping[str, Any], chain: tuple[str, ...], place: Place | None
    ) -> str:
        """The text of a template filled in.

        Args:
            kind: ``jobs``, ``views`` or ``provisioners``.
            name: the template's name as a spec gives it, such as ``pipeline-scm``.
            context: names that the template can use.
            chain: what it is rendered for, for error messages.
            place: where the spec asks for it, for error messages.

        Raises:
            TemplateFailedError: it does not exist, does not compile or fails; holds the problem.
        """
        file = f"{kind}/{name}{SUFFIXES[kind]}"
        try:
            return self._environment.get_template(file).render(context)
        except TemplateNotFound as error:
            if error.name == file:
                raise TemplateFailedError(missing(kind, name, self, chain, place)) from None
            raise TemplateFailedError(explain(error, file, context, self, chain, place)) from None
        except Exception as error:  # a template can raise anything: whatever it is belongs to its author
            raise TemplateFailedError(explain(error, file, context, self, chain, place)) from None

    def link(self, kind: str, name: str) -> str:
        """The template as the last link of a problem's chain."""
        file = f"{kind}/{name}{SUFFIXES[kind]}"
        return f"template {file} ({self.where(file)})"

    def path(self, file: str) -> Path | None:
        """The file behind a template name such as ``jobs/pipeline.xml.j2``; None where there is none."""
        for folder in (*self.folders, self._builtin):
            if (folder / file).is_file():
                return folder / file
        return None

    def is_builtin(self, file: str) -> bool:
        """Whether ``jobs/pipeline.xml.j2`` comes with the program, rather than from a folder of the user's."""
        path = self.path(file)
        return path is not None and path.is_relative_to(self._builtin)

    def where(self, file: str) -> str:
        """Where a template was found, for people: its path, or ``built in``."""
        return "built in" if self.is_builtin(file) else str(self.path(file))

    def file_of(self, filename: str) -> str | None:
        """The template name (``jobs/pipeline.xml.j2``) that a path in a traceback belongs to."""
        path = Path(filename)
        for folder in (*self.folders, self._builtin):
            if path.is_relative_to(folder):
                return path.relative_to(folder).as_posix()
        return None

    def variables(self, kind: str, name: str) -> frozenset[str] | None:
        """Every name that a template or a part of it reads; None where it picks its parts while rendering.

        The template must have rendered before: this raises whatever compiling it raises.
        """
        file = f"{kind}/{name}{SUFFIXES[kind]}"
        if file not in self._variables:
            self._variables[file] = self._find_variables(file)
        return self._variables[file]

    def _find_variables(self, file: str) -> frozenset[str] | None:
        seen: set[str] = set()
        names: set[str] = set()
        queue = [file]
        while queue:
            current = queue.pop()
            if current in seen:
                continue
            seen.add(current)
            source, _, _ = self._loader_source(current)
            tree = self._environment.parse(source, current)
            names |= meta.find_undeclared_variables(tree)
            for part in meta.find_referenced_templates(tree):
                if part is None:
                    return None
                queue.append(part)
        return frozenset(names)

    def _loader_source(self, file: str) -> tuple[str, str | None, Any]:
        loader = self._environment.loader
        if loader is None:  # pragma: no cover - it is set in __init__
            raise TemplateNotFound(file)
        return loader.get_source(self._environment, file)


__all__ = ["SUFFIXES", "TemplateFailedError", "Templates", "builtin_folder", "to_groovy", "to_json"]
