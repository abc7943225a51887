"""Files to a checked spec, or every problem at once.

Loading reads the files of the spec and nothing else: it resolves no secret, opens no other file, runs nothing
and asks no server, so a spec from a stranger's merge request is safe to load.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, TypeAdapter, ValidationError

from configurator.errors import InputError, Place, Problem
from configurator.spec import nodes
from configurator.spec.checks import check
from configurator.spec.findings import Parts
from configurator.spec.merge import merge_files, with_defaults
from configurator.spec.models import ApplicationDefaults, Jenkins, SecretRef, Spec
from configurator.spec.nodes import MappingNode, Node, along, find, plain
from configurator.spec.problems import describe, locations, problems_of
from configurator.spec.references import CommandSecret, EnvSecret, FileSecret, StoredSecret
from configurator.spec.source import read_source
from configurator.spec.yaml_source import parse

_DEFAULTS: nodes.Path = ("defaults", "application")
_REFERENCES = (EnvSecret, FileSecret, StoredSecret, CommandSecret)


@dataclass(frozen=True)
class LoadedSpec:
    """A spec that passed every check.

    Attributes:
        spec: the spec, defaults merged into its applications.
        files: the files it was read from.
        base: folder that relative paths in it start from.
        warnings: what is likely a mistake, for people; each begins with its place.
    """

    spec: Spec
    files: tuple[Path, ...]
    base: Path
    warnings: tuple[str, ...]
    _root: Node = field(repr=False)
    _references: Mapping[int, nodes.Path] = field(repr=False)

    def place(self, *path: str | int) -> Place | None:
        """Where something is written: ``place("applications", 0, "branches", 1)``.

        What is not written (a value by default) has the place of the nearest thing around it. None when no
        part of the path is written.
        """
        way = list(along(self._root, path))
        return way[-1].spot.place if len(way) > 1 or not path else None

    def reference_path(self, ref: SecretRef) -> str:
        """The dotted path of a secret reference of this spec, ``gitlab[0].token``; empty for any other."""
        return nodes.dotted(self._references.get(id(ref), ()))

    def reference_place(self, ref: SecretRef) -> Place | None:
        """Where a secret reference of this spec is written; None for any other."""
        path = self._references.get(id(ref))
        return self.place(*path) if path else None


def load(path: Path) -> LoadedSpec:
    """Read, merge and check a spec.

    Args:
        path: a file, or a folder, of which all ``*.yaml`` and ``*.yml`` are read (hidden ones aside), in the
            order of their names.

    Raises:
        InputError: with every problem of every file, in the order of their places.
    """
    files = _files(path)
    roots, problems, warnings = _read(files, folder=path.is_dir())
    if not roots:
        raise InputError(_sorted(problems))
    root, disagreements = merge_files(roots)
    spec, parts, complaints, root = _validate(root)
    contradictions, doubts = check(parts, root)
    follow_ups = _elsewhere(problems, [*disagreements, *complaints, *contradictions])
    if problems or follow_ups or spec is None:
        raise InputError(_sorted([*problems, *follow_ups]))
    base = path if path.is_dir() else path.parent
    references = dict(_find_references(spec, ()))
    return LoadedSpec(spec, tuple(files), base, (*warnings, *doubts), root, references)


def _files(path: Path) -> list[Path]:
    try:
        if not path.is_dir():
            return [path]
        found = sorted(entry for entry in path.iterdir() if entry.suffix in (".yaml", ".yml"))
    except (OSError, ValueError) as error:
        raise InputError([Problem(f"{path} can't be read: {getattr(error, 'strerror', None) or error}")]) from None
    # A pipe or a folder of that name is no file of the spec; a link to nowhere is one, and is reported when read.
    files = [entry for entry in found if not entry.name.startswith(".") and (entry.is_file() or not entry.exists())]
    if not files:
        hint = "put a *.yaml file into it, or name the file"
        raise InputError([Problem(f"the folder {path} holds no *.yaml or *.yml file", hint=hint)])
    return files


def _read(files: Sequence[Path], folder: bool) -> tuple[list[MappingNode], list[Problem], list[str]]:
    """The mappings of all files, the problems, the warnings.

    No mapping at all where a file can't be understood: what is missing then would be told as a second problem.
    """
    roots: list[MappingNode] = []
    problems: list[Problem] = []
    warnings: list[str] = []
    understood = True
    for path in files:
        source = read_source(path)
        if isinstance(source, Problem):
            problems.append(source)
            understood = False
            continue
        root, found = parse(source)
        problems += found
        if isinstance(root, MappingNode):
            roots.append(root)
        elif root is not None:
            message = f"a spec is a mapping (key: value), this is {describe(root)}"
            problems.append(Problem(message, root.spot.place, "it begins with apiVersion: configurator/v1"))
            understood = False
        elif found:
            understood = False
        elif folder:
            warnings.append(f"{path} is empty")
        else:
            problems.append(Problem(f"{path} is empty", hint="it begins with apiVersion: configurator/v1"))
    if not roots and not problems:
        problems.append(Problem("all files of the spec are empty", hint="one begins with apiVersion: configurator/v1"))
    return (roots if understood else []), problems, warnings


def _validate(root: MappingNode) -> tuple[Spec | None, Parts, list[Problem], MappingNode]:
    """The spec, its valid parts, the problems, and the nodes with defaults merged in.

    Also where the whole is wrong, its valid parts are handed to the checks, so that all errors come at once.
    """
    problems: list[Problem] = []
    usable: set[str] = set()
    defaults = find(root, _DEFAULTS)
    if isinstance(defaults, MappingNode):
        usable = set(defaults.entries)
        found = _errors(ApplicationDefaults, plain(defaults))
        if found is not None:
            problems += problems_of(found, root, ApplicationDefaults, _DEFAULTS)
            usable -= {str(location[0]) for location in locations(found)}
    root = with_defaults(root, frozenset(usable))
    data = plain(root)
    try:
        spec = Spec.model_validate(data)
    except ValidationError as error:
        problems += problems_of(error, root, Spec)
        return None, _valid_parts(data, locations(error)), problems, root
    return spec, Parts.of(spec), problems, root


def _errors(model: type[BaseModel], data: Any) -> ValidationError | None:
    try:
        model.model_validate(data)
    except ValidationError as error:
        return error
    return None


def _valid_parts(data: Mapping[str, Any], wrong: Iterable[nodes.Path]) -> Parts:
    """The parts of a wrong spec that are right by themselves."""
    heads = {location[:2] for location in wrong}
    broken = {str(head[0]) for head in heads}
    parts = Parts(broken=frozenset(broken))
    if "jenkins" not in broken:
        parts.jenkins = Jenkins.model_validate(data["jenkins"])
    for section, items in parts.sections().items():
        written = data.get(section)
        if not isinstance(written, list) or (section,) in heads:
            continue
        adapter: TypeAdapter[list[Any]] = TypeAdapter(cast(Any, Spec.model_fields[section].annotation))
        for index, item in enumerate(written):
            if (section, index) not in heads:
                items[index] = adapter.validate_python([item])[0]
    return parts


def _find_references(value: Any, path: nodes.Path) -> Iterable[tuple[int, nodes.Path]]:
    """Identity and path of every secret reference in a model."""
    if isinstance(value, _REFERENCES):
        yield id(value), path
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _find_references(getattr(value, name), (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _find_references(item, (*path, index))


def _elsewhere(first: Iterable[Problem], others: Iterable[Problem]) -> list[Problem]:
    """Those of the others that are about another spot: what is wrong as YAML is only told as that."""
    spots = {(problem.place.file, problem.place.line, problem.place.column) for problem in first if problem.place}
    return [
        problem
        for problem in others
        if problem.place is None or (problem.place.file, problem.place.line, problem.place.column) not in spots
    ]


def _sorted(problems: Iterable[Problem]) -> list[Problem]:
    """In the order of their places, those without one first; one problem for each place and message.

    A default that is wrong shows up in each application, and an alias at each use: always at the same place.
    """
    first: dict[tuple[Place | None, str], Problem] = {}
    for problem in problems:
        first.setdefault((problem.place, problem.message), problem)
    return sorted(first.values(), key=lambda problem: (problem.place is not None, problem.place or Place("", 0, 0)))
