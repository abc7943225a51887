"""Webhooks as text for a terminal or a log: what is wrong first, what works as a number."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from configurator.report.columns import display_width, fold, pad
from configurator.report.paint import Paint
from configurator.report.safe import clean
from configurator.report.webhooks_outline import (
    CURES,
    FINE,
    MEANINGS,
    class_counts,
    counted,
    event_names,
    place_of,
    target_of,
)
from configurator.webhooks.model import Finding, HookClass, Integration, Picture

_MOST = 50  # hooks of one class that are shown before the rest is a number
_WIDEST = 56  # columns up to which a cell sets the width of its column
_EVIDENCE = 44  # columns that the evidence needs beside the other cells; with fewer it goes below them
_BAD = frozenset((HookClass.ORPHANED, HookClass.FAILING))
_DASH = "·"


@dataclass(frozen=True, slots=True)
class Look:
    """How a text is to look.

    Attributes:
        colour: with escape sequences.
        width: columns of the terminal; None = no terminal, so that each hook has one line, however long.
        verbose: nothing is summed up.
    """

    colour: bool = False
    width: int | None = None
    verbose: bool = False


def picture_text(
    picture: Picture, shown: Sequence[Finding], look: Look, named: Iterable[HookClass] = (), *, everything: bool = False
) -> str:
    """What a scan saw, by class, the worst first; counts last. Ends with a line break.

    Args:
        picture: the whole scan.
        shown: the findings to list, which may be fewer.
        look: colour, width, verbosity.
        named: classes that were asked for by name: they are listed in full.
        everything: foreign hooks are listed, too.
    """
    paint = Paint(look.colour)
    lines: list[str] = []
    sections = _sections(shown, look, {*named, HookClass.FOREIGN} if everything else {*named})
    columns = columns_of([one for listed, _ in sections.values() for one in listed], look)
    for name, (listed, hidden) in sections.items():
        lines += [*_section(name, listed, hidden, columns, look), ""]
    lines += _integrations(picture.integrations, paint, look)
    lines += notes(picture, paint, look)
    lines += [paint.bold(line) for line in fold(_total(picture, shown, everything=everything), look.width)]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the cells of all hooks of a report stand.

    Attributes:
        widths: of the cells before the evidence; empty = too narrow: the evidence stands below them.
        room: columns left for the evidence; None = as many as it needs.
        several: there are hooks of more than one GitLab, so that each names its own.
    """

    widths: tuple[int, ...]
    room: int | None
    several: bool


def columns_of(findings: Sequence[Finding], look: Look) -> Columns:
    """Columns that fit all ``findings``."""
    several = len({one.hook.gitlab for one in findings}) > 1
    rows = [_cells(one, several)[:-1] for one in findings]
    widths = tuple(min(_WIDEST, max(map(display_width, column))) for column in zip(*rows, strict=True))
    room = None if look.width is None else look.width - sum(widths) - 2 * len(widths) - 3
    return Columns(() if room is not None and room < _EVIDENCE else widths, room, several)


def hook_lines(findings: Sequence[Finding], columns: Columns, look: Look) -> list[str]:
    """A line for each hook: project, id, job, events, evidence. On a narrow terminal the last ones stand below."""
    paint = Paint(look.colour)
    rows = [_cells(one, columns.several) for one in findings]
    if not columns.widths:
        return [line for row in rows for line in _stacked(row, paint, look)]
    return [line for row in rows for line in _in_columns(row, columns)]


def notes(picture: Picture, paint: Paint, look: Look) -> list[str]:
    """What could not be read, and the warnings; a blank line after them. Empty without any."""
    lines: list[str] = []
    if not picture.complete:
        lines.append(paint.bad("Not complete: something could not be read, so that hooks may be missing here."))
        for problem in picture.problems:
            lines += _hanging(clean(problem), look, "  ")
    for warning in picture.warnings:
        first, *more = fold(clean(warning), None if look.width is None else look.width - 9)
        lines += [f"{paint.warning('Warning:')} {first}", *(f"         {line}" for line in more)]
    return [*lines, ""] if lines else []


def heading(name: HookClass, number: int, paint: Paint) -> str:
    """Class, number, and what the class means."""
    if name in _BAD:
        word = paint.bad(name)
    elif name in FINE:
        word = paint.good(name) if name is HookClass.LIVE else paint.faint(name)
    else:
        word = paint.warning(name)
    return f"{word} {paint.bold(f'({number:,})')}: {MEANINGS[name]}"


def _sections(
    shown: Sequence[Finding], look: Look, in_full: Collection[HookClass]
) -> dict[HookClass, tuple[Sequence[Finding], int]]:
    """The classes that have something to show: the hooks that are listed, and how many more there are."""
    sections: dict[HookClass, tuple[Sequence[Finding], int]] = {}
    for name in MEANINGS:
        of_class = [one for one in shown if one.cls is name]
        whole = look.verbose or name in in_full
        if of_class and (whole or name not in FINE):
            most = len(of_class) if whole or len(of_class) <= _MOST + 1 else _MOST
            sections[name] = of_class[:most], len(of_class) - most
    return sections


def _section(name: HookClass, listed: Sequence[Finding], hidden: int, columns: Columns, look: Look) -> list[str]:
    paint = Paint(look.colour)
    lines = [heading(name, len(listed) + hidden, paint)]
    lines += [f"  {line}" for line in hook_lines(listed, columns, look)]
    if hidden:
        lines.append(paint.faint(f"  … and {hidden:,} more like these (--class {name}, or -v, shows all)"))
    if name in CURES:
        first, *more = fold(CURES[name], None if look.width is None else look.width - 4)
        lines += [paint.faint(line) for line in (f"  {_DASH} {first}", *(f"    {line}" for line in more))]
    return lines


def _cells(finding: Finding, several: bool) -> tuple[str, str, str, str, str]:
    hook = finding.hook
    events = ",".join(event_names(hook.events)) or "no events"
    return place_of(hook, several), f"hook {hook.id}", target_of(finding), events, clean(finding.evidence)


def _in_columns(row: Sequence[str], columns: Columns) -> list[str]:
    *cells, evidence = row
    start = "  ".join(pad(cell, width) for cell, width in zip(cells, columns.widths, strict=True))
    first, *more = fold(evidence, columns.room)
    margin = " " * (sum(columns.widths) + 2 * len(columns.widths))
    return [f"{start}  {first}".rstrip(), *(f"{margin}{line}" for line in more)]


def _stacked(row: Sequence[str], paint: Paint, look: Look) -> list[str]:
    project, hook, job, events, evidence = row
    return [
        f"{project}  {hook}",
        *_hanging(f"→ {job}  ({events})", look, "  "),
        *(paint.faint(line) for line in _hanging(evidence, look, "    ")),
    ]


def _hanging(text: str, look: Look, margin: str) -> list[str]:
    room = None if look.width is None else look.width - len(margin) - 2
    return [margin + line for line in fold(text, room)]


def _integrations(found: Sequence[Integration], paint: Paint, look: Look) -> list[str]:
    """GitLab's own Jenkins integrations: those that start a build twice, the others as a number."""
    if not found:
        return []
    twice = [one for one in found if one.twins]
    shown = found if look.verbose else twice
    lines = [
        f"{paint.warning('Jenkins integrations') if twice else 'Jenkins integrations'} "
        f"{paint.bold(f'({len(found):,})')}: GitLab's own, beside the webhooks; {len(twice):,} start a build twice"
    ]
    for one in shown:
        lines.append(f"  {clean(one.project)}  → {clean(one.job or one.target)}  ({','.join(event_names(one.events))})")
        if one.twins:
            hooks = ", ".join(str(twin) for twin in one.twins)
            lines += _hanging(f"starts the same build as hook {hooks}: switch one of them off", look, "    ")
    return [*lines, ""]


def _total(picture: Picture, shown: Sequence[Finding], *, everything: bool) -> str:
    listed = class_counts(shown) if shown or not picture.ours else "none of those that were asked for"
    seen = f"{counted(picture.projects, 'project')} and {counted(len(picture.findings), 'hook')} looked at"
    foreign = picture.counts()[HookClass.FOREIGN]
    hint = "" if everything else " (--everything lists them)"
    left = f", {foreign:,} of them not of this Jenkins{hint}" if foreign else ""
    return f"Webhooks: {listed}. {seen}{left}."
