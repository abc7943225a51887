"""Plans and results as text for a terminal or a log.

Without colour the text is the coloured one minus its escape sequences. Whatever a server or a spec
contributed to it has been made harmless by :mod:`configurator.report.safe`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from configurator.model import ORDINARY_REASONS, Action, Applied, Change, Outcome, Plan, Unchecked
from configurator.report import outline
from configurator.report.fields import field_lines
from configurator.report.paint import Paint
from configurator.report.safe import clean, clean_lines

_RUN = 12  # alike changes in a row that are shown before the rest is summed up
_ALIKE_GROUPS = 3  # groups of one shape shown in full in a big plan
_BIG = 100  # changes that make a plan big
_NAMES = 6
_DONE_WORDS = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.DELETE: "deleted",
    Action.CONFLICT: "left",
}


def plan_text(plan: Plan, *, colour: bool = False, verbose: bool = False) -> str:
    """The plan, grouped by application, counts last. Ends with a line break.

    Args:
        colour: with escape sequences.
        verbose: nothing is summed up as "… and 280 more like this".
    """
    paint = Paint(colour)
    lines: list[str] = []
    for section in (
        _changes(plan.changes, paint, verbose),
        _conflicts(plan.changes, paint),
        _prunable(plan.prunable, paint, verbose),
        _unchecked(plan.unchecked, paint, verbose),
        _warnings(plan.warnings, paint),
    ):
        if section:
            lines += [*section, ""]
    if not plan.pending:
        lines.append(_nothing_to_do(plan))
    lines.append(paint.bold(f"Plan: {outline.counts(plan)}."))
    return "\n".join(lines) + "\n"


def applied_text(applied: Applied, *, colour: bool = False, verbose: bool = False) -> str:
    """What an apply did: what failed, with its error; what was skipped, with the reason; totals last.

    What was done as planned is counted; the plan was shown before, and the progress on the way.

    Args:
        colour: with escape sequences.
        verbose: also what was done, one line each, and nothing summed up as "… and 280 more".
    """
    paint = Paint(colour)
    lines: list[str] = []
    for section in (
        _done(applied, paint) if verbose else (),
        _failed(applied, paint),
        _skipped(applied, paint, verbose),
        _conflicts(applied.plan.changes, paint),
        _unchecked(outline.all_unchecked(applied), paint, verbose),
        _warnings(outline.all_warnings(applied), paint),
    ):
        if section:
            lines += [*section, ""]
    if applied.interrupted:
        lines.append(paint.bad("Interrupted: what was under way was finished. Run apply again to do the rest."))
    lines.append(paint.bold(f"Applied: {outline.applied_counts(applied)}, in {applied.seconds:.1f} s."))
    return "\n".join(lines) + "\n"


def warnings_text(warnings: Sequence[str], *, colour: bool = False) -> str:
    """Warnings alone, a line each; empty without any."""
    lines = _warnings(warnings, Paint(colour))
    return "\n".join(lines) + "\n" if lines else ""


def change_lines(change: Change, paint: Paint) -> list[str]:
    """One change: symbol, kind and name, reason; its fields below it."""
    name = paint.action(change.action, clean(change.key.name))
    telling = change.reason and change.reason not in ORDINARY_REASONS
    reason = paint.faint(f"  ({clean(change.reason)})") if telling else ""
    return [
        f"  {paint.symbol(change.action)} {change.key.kind:<10} {name}{reason}",
        *(f"      {line}" for field in change.fields for line in field_lines(field)),
    ]


def _changes(changes: Sequence[Change], paint: Paint, verbose: bool) -> list[str]:
    """All groups. In a big plan, groups that look like earlier ones are named and not shown."""
    lines: list[str] = []
    shown: Counter[object] = Counter()
    alike: dict[object, list[outline.Group]] = {}
    for group in outline.groups(changes):
        shown[group.shape] += 1
        if not verbose and len(changes) > _BIG and shown[group.shape] > _ALIKE_GROUPS:
            alike.setdefault(group.shape, []).append(group)
            continue
        lines += ["", paint.bold(clean(group.title))]
        for run in outline.runs(group.changes):
            lines += _collapsed(run, lambda change: change_lines(change, paint), paint, verbose)
    for hidden in alike.values():
        lines += ["", _alike(hidden, paint)]
    return lines[1:]


def _collapsed(run: Sequence[Change], show: Callable[[Change], list[str]], paint: Paint, verbose: bool) -> list[str]:
    """A run of changes as ``show`` shows them; of a long one only the first, and how many are like them."""
    shown = run if verbose or len(run) <= _RUN + 1 else run[:_RUN]
    lines = [line for change in shown for line in show(change)]
    if len(run) > len(shown):
        lines.append(paint.faint(f"    … and {len(run) - len(shown)} more like this (-v shows all)"))
    return lines


def _alike(hidden: Sequence[outline.Group], paint: Paint) -> str:
    what = ", ".join(f"{paint.symbol(action)}{number} {kind}" for action, kind, number in hidden[0].shape)
    names = outline.some([clean(group.title) for group in hidden], _NAMES)
    what += " each" if len(hidden) > 1 else ""
    return f"… and {len(hidden)} more like these ({what}): {names} (-v shows all)"


def _conflicts(changes: Sequence[Change], paint: Paint) -> list[str]:
    advice = outline.conflict_advice(changes)
    return [paint.bold("Conflicts"), *(f"  {sentence}" for sentence in advice)] if advice else []


def _prunable(prunable: Sequence[Change], paint: Paint, verbose: bool) -> list[str]:
    if not prunable:
        return []
    lines = [paint.bold(f"{outline.REMOVED} ({len(prunable)}); --prune deletes:")]
    for run in outline.runs(prunable):
        lines += _collapsed(run, lambda change: [f"    {_named(change)}"], paint, verbose)
    return lines


def _unchecked(unchecked: Sequence[Unchecked], paint: Paint, verbose: bool) -> list[str]:
    if not unchecked:
        return []
    lines = [paint.bold("Not checked or not done")]
    for reason, names in outline.by_reason(unchecked).items():
        lines.append(f"  {paint.warning(reason)}: {outline.some(names, len(names) if verbose else _NAMES)}")
    return lines


def _warnings(warnings: Sequence[str], paint: Paint) -> list[str]:
    return [f"{paint.warning('Warning:')} {clean(warning)}" for warning in warnings]


def _nothing_to_do(plan: Plan) -> str:
    if plan.count(Action.CONFLICT) or plan.unchecked or plan.prunable:
        return "Nothing to do but what is said above."
    return "Nothing to do: the servers are as the spec wants them."


def _done(applied: Applied, paint: Paint) -> list[str]:
    return [
        f"  {paint.good(_DONE_WORDS[result.change.action])}  {_named(result.change)}"
        for result in applied.results
        if result.outcome is Outcome.DONE
    ]


def _failed(applied: Applied, paint: Paint) -> list[str]:
    """Every failure with its error, also in a big apply: each is work for a person."""
    lines: list[str] = []
    for result in applied.results:
        if result.outcome is Outcome.FAILED:
            to_do = result.change.action.value
            lines.append(f"  {paint.bad('failed')}   {_named(result.change)} (to {to_do})")
            lines += [f"      {line}" for line in clean_lines(result.error.strip())]
    return lines


def _skipped(applied: Applied, paint: Paint, verbose: bool) -> list[str]:
    """What was skipped, each reason once. Conflicts and missing rights have sections of their own."""
    by_reason: dict[str, list[str]] = {}
    for result in outline.skipped(applied):
        if not outline.is_conflict(result) and result.unchecked is None:
            names = by_reason.setdefault(clean(result.error.strip()), [])
            names.append(clean(str(result.change.key)))
    return [
        f"  {paint.warning('skipped')}  {outline.some(names, len(names) if verbose else _NAMES)}: {reason}"
        for reason, names in by_reason.items()
    ]


def _named(change: Change) -> str:
    return f"{change.key.kind:<10} {clean(change.key.name)}"
