"""What was done with webhooks, or is about to be, as text: cleanup, restore, repair and test."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from configurator.report.paint import Paint
from configurator.report.safe import clean
from configurator.report.webhooks_outline import (
    PAST,
    UNFINISHED,
    counted,
    ending_counts,
    future_of,
    number_of,
    place_of,
    target_of,
)
from configurator.report.webhooks_text import Columns, Look, columns_of, heading, hook_lines, notes
from configurator.webhooks.model import Done, Ending, Finding, HookClass, Picture

_VERDICT_WIDTH = 7
_MOST_ALIKE = 10  # hooks that ended in the same way for the same reason, before the rest is a number


def selection_text(selected: Sequence[Finding], picture: Picture, look: Look, verb: str) -> str:
    """What is about to be done, all of it: by class, and hooks without a mark apart. Ends with a line break.

    Args:
        selected: the hooks.
        picture: the scan they were selected from.
        look: colour and width; nothing is ever summed up here.
        verb: what is about to be done with them, such as ``remove``.
    """
    paint = Paint(look.colour)
    marked = [one for one in selected if one.hook.owner is not None]
    unmarked = [one for one in selected if one.hook.owner is None]
    columns = columns_of(selected, look)
    lines = notes(picture, paint, look)
    if marked:
        lines += [paint.bold(f"To {verb}, with our mark"), *_by_class(marked, columns, look), ""]
    if unmarked:
        lines += [
            paint.bold(f"To {verb}, without a mark: somebody made them by hand"),
            *_by_class(unmarked, columns, look),
            "",
        ]
    share = f"{counted(len(selected), 'hook')} to {verb}, of {len(picture.ours):,} under this Jenkins' addresses."
    return "\n".join([*lines, paint.bold(share)]) + "\n"


def nothing_text(picture: Picture, look: Look, verb: str) -> str:
    """There is nothing to do. Ends with a line break."""
    paint = Paint(look.colour)
    seen = f"{counted(len(picture.ours), 'webhook')} of this Jenkins in {counted(picture.projects, 'project')}"
    found = f"Nothing to {verb}" if picture.complete else f"Nothing to {verb} in what could be read"
    return "\n".join([*notes(picture, paint, look), paint.bold(f"{found}: looked at {seen}.")]) + "\n"


def results_text(
    results: Sequence[Done],
    look: Look,
    backup: Path | None = None,
    spec: Path | None = None,
    *,
    interrupted: bool = False,
) -> str:
    """How the work ended: what did not succeed, with the reason; totals last. Ends with a line break.

    Args:
        results: one for each hook.
        look: colour, width; ``verbose`` names what succeeded, too.
        backup: the file that what was removed can be restored from, if one was written.
        spec: the spec's file where the user named one, for the command that restores.
        interrupted: a signal stopped the work.
    """
    paint = Paint(look.colour)
    lines = [line for ending in _shown(look) for line in _lines(results, ending, look)]
    if lines:
        lines.append("")
    if interrupted:
        lines.append(paint.bad("Interrupted: what was under way was finished, the rest was left alone."))
    lines.append(paint.bold(f"Webhooks: {ending_counts(results)}."))
    if backup is not None:
        path = clean(shlex.quote(str(backup)))
        restore = f"restore {path}" if spec is None else f"restore -f {clean(shlex.quote(str(spec)))} {path}"
        lines.append(f"The backup is {path}; `configurator webhooks {restore}` puts the hooks back.")
    return "\n".join(lines) + "\n"


def trials_text(results: Sequence[Done], look: Look) -> str:
    """What `webhooks test` found. Ends with a line break.

    Hooks that something is wrong with come first, with their checks and a cure below what is not well. Those that
    passed every check have a line each, and are shown in full with ``look.verbose`` or where there is only one.
    Totals last.
    """
    paint = Paint(look.colour)
    several = len({one.finding.hook.gitlab for one in results}) > 1
    in_full = look.verbose or len(results) == 1
    lines: list[str] = []
    well: list[str] = []
    for one in results:
        if in_full or not _all_is_well(one):
            lines += [*_trial(one, several, paint), ""]
        else:
            well.append(result_line(one, paint))
    if well:
        lines += [*well, paint.faint("(-v shows every check)"), ""]
    return "\n".join([*lines, paint.bold(f"Webhooks: {ending_counts(results)}.")]) + "\n"


def result_line(done: Done, paint: Paint) -> str:
    """How the work on one hook ended, on one line."""
    hook = done.finding.hook
    detail = f": {clean(done.detail)}" if done.detail else ""
    return f"{_ending_word(done, paint)}  {clean(hook.project)} {number_of(hook)} → {target_of(done.finding)}{detail}"


def _all_is_well(done: Done) -> bool:
    return done.ending is Ending.DONE and all(verdict == "ok" for _, verdict, _, _ in done.steps)


def _trial(done: Done, several: bool, paint: Paint) -> list[str]:
    hook = done.finding.hook
    title = f"{place_of(hook, several)}  {number_of(hook)}  → {target_of(done.finding)}"
    lines = [paint.bold(title), *(line for step in done.steps for line in _step(step, paint))]
    return [*lines, f"  {_ending_word(done, paint)}  {clean(done.detail)}"] if done.detail else lines


def _by_class(findings: Sequence[Finding], columns: Columns, look: Look) -> list[str]:
    paint = Paint(look.colour)
    lines: list[str] = []
    for name in HookClass:
        of_class = [one for one in findings if one.cls is name]
        if of_class:
            lines.append(heading(name, len(of_class), paint))
            lines += [f"  {line}" for line in hook_lines(of_class, columns, look)]
    return lines


def _shown(look: Look) -> tuple[Ending, ...]:
    return (Ending.DONE, Ending.PLANNED, *UNFINISHED) if look.verbose else (Ending.PLANNED, *UNFINISHED)


def _lines(results: Sequence[Done], ending: Ending, look: Look) -> list[str]:
    """A line for each hook that ended so. Of many that ended so for the same reason, the first ones and a number."""
    paint = Paint(look.colour)
    reasons: dict[str, list[Done]] = {}
    for one in results:
        if one.ending is ending:
            reasons.setdefault(one.detail, []).append(one)
    lines: list[str] = []
    for same in reasons.values():
        whole = look.verbose or ending is Ending.PLANNED or len(same) <= _MOST_ALIKE + 1
        listed = same if whole else same[:_MOST_ALIKE]
        lines += [f"  {result_line(one, paint)}" for one in listed]
        if len(same) > len(listed):
            more = f"  … and {len(same) - len(listed):,} more for the same reason (-v, or -o json, shows all)"
            lines.append(paint.faint(more))
    return lines


def _ending_word(done: Done, paint: Paint) -> str:
    if done.ending is Ending.DONE:
        return paint.good(PAST.get(done.action, done.action))
    if done.ending is Ending.PLANNED:
        return future_of(done.action)
    return paint.bad(done.ending) if done.ending is Ending.FAILED else paint.warning(done.ending)


def _step(step: tuple[str, str, str, str], paint: Paint) -> list[str]:
    check, verdict, evidence, cure = step
    padded = f"{verdict:<{_VERDICT_WIDTH}}"
    colours = {"ok": paint.good, "fail": paint.bad}
    lines = [f"  {colours.get(verdict, paint.warning)(padded)}  {clean(check)}: {clean(evidence)}"]
    if cure:
        lines.append(f"  {' ' * _VERDICT_WIDTH}  → {clean(cure)}")
    return lines
