"""What went wrong in a template, told to its author: which template, which line, rendered for what."""

from __future__ import annotations

import linecache
import re
from collections.abc import Mapping
from traceback import extract_tb
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateNotFound, TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError

from configurator.errors import Place, Problem
from configurator.spec.suggest import nearest, suggestion

if TYPE_CHECKING:
    from configurator.spec.templating import Templates

_UNDEFINED_NAME = re.compile(r"'([^']+)' is undefined")


class TemplateFailedError(Exception):
    """A template could not be rendered. Never leaves ``spec``: it becomes part of an ``InputError``.

    Attributes:
        problem: what to tell.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def missing(kind: str, name: str, templates: Templates, chain: tuple[str, ...], place: Place | None) -> Problem:
    """The problem of a template that is nowhere."""
    searched = ", ".join(f"{folder}/{kind}" for folder in templates.folders)
    word = "provisioner" if kind == "provisioners" else "template"
    looked = f"{searched} and the built-in {kind}" if searched else f"the built-in {kind}"
    hint = suggestion(name, templates.names(kind))
    return Problem(f"there is no {word} '{name}' (looked in {looked})", place, hint, chain)


def explain(
    error: Exception,
    file: str,
    context: Mapping[str, Any],
    templates: Templates,
    chain: tuple[str, ...],
    place: Place | None,
) -> Problem:
    """The problem behind an exception that rendering a template raised.

    Args:
        error: the exception.
        file: template that was asked for, such as ``jobs/pipeline.xml.j2``.
        context: names that it could use.
        templates: where it came from.
        chain: what it was rendered for.
        place: where the spec asks for it; the problem's place unless the fault is in a file of the user's.
    """
    steps = _steps(error, file, templates)
    message, hint = _words(error, context)
    links = tuple(
        f"template {name}{f', line {line}' if line else ''} ({templates.where(name)})" for name, line in steps
    )
    name, line = steps[-1]
    if line and not templates.is_builtin(name):
        place = _place(templates, name, line)
    return Problem(message, place, hint, (*chain, *links))


def _steps(error: Exception, file: str, templates: Templates) -> list[tuple[str, int]]:
    """Templates on the way to the fault, from the one asked for inwards, each with its line (0 = unknown)."""
    steps: list[tuple[str, int]] = []
    for frame in extract_tb(error.__traceback__):
        name = templates.file_of(frame.filename)
        if name is not None and (not steps or steps[-1] != (name, frame.lineno)):
            steps.append((name, frame.lineno or 0))
    if isinstance(error, TemplateSyntaxError):
        at = (error.name or file, error.lineno)
        steps = [*(step for step in steps if step != at), at]
    return steps or [(file, 0)]


def _words(error: Exception, context: Mapping[str, Any]) -> tuple[str, str]:
    """What is wrong, and what to do about it."""
    if isinstance(error, UndefinedError):
        found = _UNDEFINED_NAME.search(str(error))
        if found is None:
            return str(error), ""
        near = nearest(found[1], context)
        cure = "set it under variables, or give it a default in the template"
        return f"'{found[1]}' is not set", f"did you mean {near}? Else {cure}" if near else cure
    if isinstance(error, TemplateNotFound):
        return f"there is no template '{error.name}'", "included templates are named with their folder, such as jobs/x"
    if isinstance(error, TemplateSyntaxError):
        return f"not valid Jinja2: {error.message}", ""
    if isinstance(error, SecurityError):
        return f"not allowed in a template: {error}", "templates run in a sandbox"
    if isinstance(error, UnicodeDecodeError):
        return "the template is not UTF-8 text", ""
    if isinstance(error, RecursionError):
        return "the template includes or calls itself without end", ""
    if type(error).__module__.startswith("jinja2"):
        return str(error), ""
    return f"{type(error).__name__}: {error}", ""


def _place(templates: Templates, name: str, line: int) -> Place:
    file = templates.where(name)
    linecache.checkcache(file)
    text = linecache.getline(file, line).rstrip("\r\n")
    return Place(file, line, len(text) - len(text.lstrip()) + 1, text)
