"""A status as text for a terminal or a log: a line for each integration, below it what is wrong and what helps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date

from configurator.report.columns import display_width, fold, pad
from configurator.report.outline import some
from configurator.report.paint import Paint
from configurator.report.safe import clean
from configurator.report.webhooks_outline import counted
from configurator.report.webhooks_text import Look
from configurator.tokens.checks import Check, Verdict
from configurator.tokens.watching.model import Integration, Part, Status, TokenFacts, Users

_MARKS = {Verdict.OK: "✓ ok", Verdict.WARN: "! warn", Verdict.FAIL: "✗ fail", Verdict.UNKNOWN: "? unknown"}
_TITLES = {Part.OBJECTS: "drift"}
_WIDEST = 40  # columns up to which a name sets the width of its column
_NAMES = 3
_KINDS = {
    "personal": "personal access token",
    "project": "project access token",
    "group": "group access token",
    "fine-grained": "fine-grained token",
    "oauth": "OAuth token",
    "unknown": "token",
}
_SUMS = {Verdict.FAIL: "failed", Verdict.UNKNOWN: "unknown", Verdict.WARN: "to look at", Verdict.OK: "ok"}


def status_text(status: Status, look: Look) -> str:
    """The whole status; counts last. Ends with a line break.

    Args:
        status: what was seen.
        look: colour, width; verbose = also the checks that are in order.
    """
    paint = Paint(look.colour)
    today = status.at.date()
    width = max(map(_name_width, status.integrations), default=0)
    lines: list[str] = []
    cures: set[str] = set()
    for one in status.integrations:
        lines += _lines(one, width, today, cures, paint, look)
    if look.verbose:
        lines += [line for warning in status.warnings for line in _hung(f"Warning: {clean(warning)}", look, 0)]
    lines += ["", paint.bold(summary_line(status))]
    return "\n".join(lines) + "\n"


def changes_text(before: Status | None, after: Status, look: Look) -> str:
    """What changed between two looks, a line each with the time; empty where nothing did.

    Args:
        before: the earlier one; None = there is none, so that everything is new.
        after: the later one.
        look: colour, width, verbosity.
    """
    paint, time = Paint(look.colour), after.at.isoformat(timespec="seconds")
    known = {one.subject: one for one in before.integrations} if before else {}
    lines = []
    for one in after.integrations:
        old = known.pop(one.subject, None)
        if old is not None and _essence(old) == _essence(one):
            continue
        was = f"{old.verdict} → " if old is not None and old.verdict is not one.verdict else ""
        lines.append(
            f"{time} {clean(one.subject)}: {was}{_coloured(one.verdict, str(one.verdict), paint)}: {_why(one)}"
        )
    lines += [f"{time} {clean(subject)}: no longer there" for subject in known]
    return "".join(f"{line}\n" for line in lines)


def summary_line(status: Status) -> str:
    """``Status: 1 failed, 5 ok. 1.2 s, 12 requests to Jenkins, 14 to GitLab.``"""
    numbers = Counter(one.verdict for one in status.integrations)
    parts = [f"{numbers[verdict]} {word}" for verdict, word in _SUMS.items() if numbers[verdict]]
    to_jenkins = status.requests.get("jenkins", 0)
    to_gitlab = sum(status.requests.values()) - to_jenkins
    return (
        f"Status: {', '.join(parts) or 'nothing to look at'}. {status.seconds:.1f} s, "
        f"{counted(to_jenkins, 'request')} to Jenkins, {to_gitlab:,} to GitLab."
    )


def integration_words(one: Integration, today: date) -> str:
    """How an integration stands, on one line, without its name and mark."""
    as_whom = f" as {one.user}" if one.up and one.user else ""
    where = f"{one.url}: " if one.url and one.url not in one.summary else ""
    parts = [f"{where}{one.summary}{as_whom}"]
    if one.token is not None:
        parts.append(_token_words(one.token, today))
    if one.version and one.part in (Part.GITLAB, Part.JENKINS):
        parts.append(f"{'GitLab' if one.part is Part.GITLAB else 'Jenkins'} {one.version}")
    parts += _users_words(one.users)
    return clean(", ".join(parts))


def _lines(one: Integration, width: int, today: date, cures: set[str], paint: Paint, look: Look) -> Iterator[str]:
    """The line of an integration, and below it what is wrong.

    Args:
        cures: those that were said already, which are not said again.
    """
    mark = pad(_MARKS[one.verdict], 9)
    start = f"{mark}  {pad(_TITLES.get(one.part, one.part), 10)}  {pad(clean(one.name), width)}  "
    room = None if look.width is None else look.width - display_width(start)
    first, *more = fold(integration_words(one, today), room)
    yield f"{_coloured(one.verdict, mark, paint)}{start[len(mark) :]}{first}".rstrip()
    margin = " " * display_width(start)
    yield from (f"{margin}{line}" for line in more)
    for check in one.checks:
        if look.verbose or check.verdict is not Verdict.OK:
            yield from _check_lines(one, check, paint, look, new_cure=check.cure not in cures)
            cures.add(check.cure)


def _check_lines(one: Integration, check: Check, paint: Paint, look: Look, *, new_cure: bool) -> Iterator[str]:
    """The check itself, unless the line above says it already; then its cure, unless that was said, too."""
    if clean(check.evidence) not in clean(one.summary) or look.verbose:
        words = f"{check.check}: {clean(check.evidence)}"
        first, *more = _hung(words, look, 15)
        mark = pad(_MARKS[check.verdict], 9)
        yield f"    {_coloured(check.verdict, mark, paint)}  {first}"
        yield from (f"{' ' * 15}{line}" for line in more)
    if check.cure and new_cure:
        first, *more = _hung(clean(check.cure), look, 17)
        yield f"{' ' * 15}→ {first}"
        yield from (f"{' ' * 17}{line}" for line in more)


def _hung(text: str, look: Look, margin: int) -> list[str]:
    return fold(text, None if look.width is None else look.width - margin)


def _token_words(token: TokenFacts, today: date) -> str:
    name = f" '{token.name}'" if token.name else ""
    words = f"{_KINDS.get(token.kind, token.kind)}{name}"
    left = token.days_left(today)
    if left is not None:
        words += f", expires {token.expires_at} ({_days(left)})"
    elif token.known:
        words += ", never expires"
    elif token.kind == "oauth":
        words += ", renews itself"
    used = token.last_used_at[:10]
    return f"{words}, last used {used}" if used else words


def _days(left: int) -> str:
    if left <= 0:
        return "over"
    return "1 day left" if left == 1 else f"{left:,} days left"


def _users_words(users: Users) -> list[str]:
    parts = []
    if len(users.gitlabs) > 1:
        parts.append(f"for {', '.join(users.gitlabs)}")
    if users.applications:
        parts.append(f"{counted(len(users.applications), 'application')} ({some(users.applications, _NAMES)})")
    if users.jobs:
        parts.append(counted(users.jobs, "job"))
    return parts


def _name_width(one: Integration) -> int:
    return min(_WIDEST, display_width(clean(one.name)))


def _coloured(verdict: Verdict, text: str, paint: Paint) -> str:
    if verdict is Verdict.OK:
        return paint.good(text)
    return paint.bad(text) if verdict is Verdict.FAIL else paint.warning(text)


def _essence(one: Integration) -> tuple[object, ...]:
    """What makes a change worth a line: not the day of the last use, not a count of days."""
    return one.verdict, one.summary, one.user, one.version, frozenset(_bad(one.checks))


def _bad(checks: Iterable[Check]) -> Iterator[tuple[str, Verdict]]:
    return ((check.check, check.verdict) for check in checks if check.verdict is not Verdict.OK)


def _why(one: Integration) -> str:
    bad = [check.evidence for check in one.checks if check.verdict is one.verdict and one.verdict is not Verdict.OK]
    return clean("; ".join(dict.fromkeys(bad)) or one.summary)
