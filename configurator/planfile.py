"""A plan on disk: what was shown, so that exactly this is carried out later, or nothing.

The file holds no body of any resource and no secret, only names and differing fields: ``apply`` plans anew
with the same options, and compares. It is readable for its owner alone all the same, because it tells a lot.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from configurator.errors import InputError, Problem, RefusedError
from configurator.model import Change, Field, Key, Plan
from configurator.private_file import replace_private
from configurator.report.safe import clean, clean_json
from configurator.secret import MASK

FORMAT = "configurator-plan"
VERSION = 1
_TOLD = 10  # differences told when a plan is stale

Fields = tuple[tuple[str, str | None, str | None], ...]


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """What identifies a change: two plans are the same when they hold the same of these.

    Attributes:
        action: such as ``create``.
        key: of which resource.
        fields: path, before, after. Of a secret only the path counts: its fingerprint may be salted.
    """

    action: str
    key: Key
    fields: Fields = ()

    @classmethod
    def of(cls, change: Change) -> PlannedChange:
        """The change, without what does not identify it."""
        return cls(
            change.action.value,
            change.key,
            tuple(sorted((_field(field) for field in change.fields), key=str)),
        )


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A stored plan.

    Attributes:
        spec: path of the spec as it was given, relative to the folder that ``plan`` was called in.
        owner: name of the spec.
        created_at: ISO 8601.
        prune, adopt: the options it was made with. Whether commands may run is never stored: a file
            that somebody else wrote must not be able to allow it.
        changes: what it does.
    """

    spec: str
    owner: str
    created_at: str
    prune: bool
    adopt: tuple[str, ...]
    changes: tuple[PlannedChange, ...]

    @classmethod
    def of(cls, plan: Plan, *, spec: Path, prune: bool, adopt: Sequence[str]) -> PlanFile:
        """The plan, with the options it was made with."""
        changes = tuple(PlannedChange.of(change) for change in plan.changes)
        return cls(str(spec), plan.owner, plan.created_at, prune, tuple(adopt), changes)

    def require_same(self, plan: Plan) -> None:
        """Check that ``plan``, made just now, does what this one says.

        Raises:
            RefusedError: it does not; the message tells what differs.
        """
        differences = self._differences(plan)
        if not differences:
            return
        told = differences[:_TOLD]
        if len(differences) > len(told):
            told.append(f"and {len(differences) - len(told)} more")
        raise RefusedError(
            f"Nothing was changed: the plan of {clean(self.created_at)} is stale.\n" + "\n".join(told),
            "Make a new plan, look at it, and apply that one.",
        )

    def _differences(self, plan: Plan) -> list[str]:
        if plan.owner != self.owner:
            return [f"it was made for {self.owner}, the spec is now {plan.owner}"]
        then = {change.key: change for change in self.changes}
        now = {change.key: PlannedChange.of(change) for change in plan.changes}
        differences = []
        for key in sorted(then.keys() | now.keys()):
            if key not in now:
                differences.append(f"{key}: {then[key].action} is no longer planned")
            elif key not in then:
                differences.append(f"{key}: {now[key].action} was not planned then")
            elif then[key].action != now[key].action:
                differences.append(f"{key}: {then[key].action} was planned, now it is {now[key].action}")
            elif then[key].fields != now[key].fields:
                changed = {path for path, *_ in set(then[key].fields) ^ set(now[key].fields)}
                differences.append(f"{key}: other differences than then in {', '.join(sorted(changed))}")
        return differences


def write(path: Path, stored: PlanFile) -> None:
    """Write the plan to ``path``, readable for its owner alone, whole or not at all.

    Raises:
        InputError: the file can't be written.
    """
    data = {
        "format": FORMAT,
        "version": VERSION,
        "spec": stored.spec,
        "owner": stored.owner,
        "created_at": stored.created_at,
        "options": {"prune": stored.prune, "adopt": list(stored.adopt)},
        "changes": [
            {
                "action": change.action,
                "kind": change.key.kind,
                "name": change.key.name,
                "fields": [list(field) for field in change.fields],
            }
            for change in stored.changes
        ],
    }
    text = clean_json(json.dumps(data, indent=1, ensure_ascii=False)) + "\n"
    try:
        replace_private(path, text)
    except OSError as error:
        raise InputError([Problem(f"can't write the plan to {path}: {error.strerror}")]) from error


def read(path: Path) -> PlanFile:
    """The plan in ``path``.

    Raises:
        InputError: it can't be read, or is no plan file of this version.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError([Problem(f"can't read the plan {path}: {error.strerror}")]) from error
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, or nested without end
        raise InputError([_foreign(path)]) from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise InputError([_foreign(path)])
    if data.get("version") != VERSION:
        raise InputError([Problem(f"{path} was written by another version of configurator", hint="make a new plan")])
    return _Reader(path).plan(data)


def _foreign(path: Path) -> Problem:
    return Problem(
        f"{path} is not a plan file",
        hint=f"a plan file is written by `configurator plan --out FILE`; a spec is named with -f {path}",
    )


def _field(field: Field) -> tuple[str, str | None, str | None]:
    secret = field.secret or any((value or "").startswith(MASK) for value in (field.before, field.after))
    return (field.path, MASK, MASK) if secret else (field.path, field.before, field.after)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Checks every value on its way in: the file may have been damaged, or made by somebody."""

    path: Path

    def plan(self, data: Mapping[str, Any]) -> PlanFile:
        options = self._mapping(data, "options")
        return PlanFile(
            spec=self._text(data, "spec"),
            owner=self._text(data, "owner"),
            created_at=self._text(data, "created_at"),
            prune=self._flag(options, "prune"),
            adopt=tuple(self._text({"adopt": glob}, "adopt") for glob in self._list(options, "adopt")),
            changes=tuple(self._change(change) for change in self._list(data, "changes")),
        )

    def _change(self, data: object) -> PlannedChange:
        if not isinstance(data, dict):
            self._fail("changes")
        fields = tuple(self._field(field) for field in self._list(data, "fields"))
        return PlannedChange(
            self._text(data, "action"), Key(self._text(data, "kind"), self._text(data, "name")), fields
        )

    def _field(self, data: object) -> tuple[str, str | None, str | None]:
        match data:
            case [str(path), str() | None as before, str() | None as after]:
                return path, before, after
            case _:
                return self._fail("fields")

    def _text(self, data: Mapping[str, Any], name: str) -> str:
        value = data.get(name)
        return value if isinstance(value, str) else self._fail(name)

    def _flag(self, data: Mapping[str, Any], name: str) -> bool:
        value = data.get(name)
        return value if isinstance(value, bool) else self._fail(name)

    def _list(self, data: Mapping[str, Any], name: str) -> list[Any]:
        value = data.get(name)
        return value if isinstance(value, list) else self._fail(name)

    def _mapping(self, data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        value = data.get(name)
        return value if isinstance(value, dict) else self._fail(name)

    def _fail(self, name: str) -> NoReturn:
        raise InputError([Problem(f"the plan file {self.path} is damaged at `{name}`", hint="make a new plan")])
