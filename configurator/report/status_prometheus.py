"""A status in Prometheus' text format (version 0.0.4), for the node exporter's folder of text files.

Every metric carries the spec's name, so that several specs may have their files in one folder. No label holds a
secret, a user's name or anything that grows with the number of jobs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time

from configurator.tokens.checks import Verdict
from configurator.tokens.watching.model import Integration, State, Status

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Metric:
    """A metric with its samples; all of them are gauges, since each file stands for one look."""

    name: str
    help: str
    samples: tuple[tuple[Labels, float], ...]


def status_prometheus(status: Status) -> str:
    """The status as metrics. Ends with a line break. Metrics without a sample are left out."""
    spec = (("spec", status.owner),)
    lines: list[str] = []
    for metric in _metrics(status):
        if not metric.samples:
            continue
        name = f"configurator_{metric.name}"
        lines += [f"# HELP {name} {_escape_help(metric.help)}", f"# TYPE {name} gauge"]
        lines += [f"{name}{_labels((*spec, *labels))} {_number(value)}" for labels, value in metric.samples]
    return "\n".join(lines) + "\n"


def _metrics(status: Status) -> Iterable[_Metric]:
    servers = [one for one in status.integrations if one.up is not None]
    yield _Metric(
        "up",
        "Whether the server answered and accepted configurator (1) or not (0).",
        tuple(((("server", one.subject),), float(bool(one.up))) for one in servers),
    )
    yield from _token_metrics(status)
    checks = Counter(check.verdict for check in status.checks)
    yield _Metric(
        "checks",
        "Checks of the last run by verdict.",
        tuple(((("verdict", verdict.value),), float(checks[verdict])) for verdict in Verdict),
    )
    lines = Counter((one.part, one.verdict) for one in status.integrations)
    yield _Metric(
        "integrations",
        "Integrations by kind and by the worst verdict of their checks.",
        tuple(
            ((("kind", part.value), ("verdict", verdict.value)), float(lines[part, verdict]))
            for part in dict.fromkeys(one.part for one in status.integrations)
            for verdict in Verdict
        ),
    )
    yield from _object_metrics(status)
    yield from _run_metrics(status)


def _token_metrics(status: Status) -> Iterable[_Metric]:
    today = status.at.astimezone(UTC).date()
    dated = [
        (_token_labels(one), datetime.combine(one.token.expires_at, time(), UTC), one.token.days_left(today) or 0)
        for one in status.integrations
        if one.token is not None and one.token.expires_at is not None
    ]
    yield _Metric(
        "token_expiry_timestamp_seconds",
        "When the token dies; absent for one that never does, or does not tell.",
        tuple((labels, end.timestamp()) for labels, end, _ in dated),
    )
    yield _Metric(
        "token_days_left",
        "Whole days until the token dies, at the time of the last run.",
        tuple((labels, float(left)) for labels, _, left in dated),
    )


def _object_metrics(status: Status) -> Iterable[_Metric]:
    kinds = sorted({kind for kind, _ in status.objects})
    yield _Metric(
        "objects",
        "Objects of the spec by kind and state; absent while Jenkins can't be read.",
        tuple(
            ((("kind", kind), ("state", state.value)), float(status.objects.get((kind, state), 0)))
            for kind in kinds
            for state in State
        ),
    )
    yield _Metric(
        "webhooks",
        "Webhooks that the spec wants.",
        tuple(((("gitlab", name),), float(number)) for name, number in sorted(status.webhooks.items())),
    )


def _run_metrics(status: Status) -> Iterable[_Metric]:
    yield _Metric("last_run_timestamp_seconds", "When the last run began.", (((), status.at.timestamp()),))
    yield _Metric("run_duration_seconds", "How long the last run took.", (((), status.seconds),))
    yield _Metric("requests", "Requests that the last run sent.", _by_server(status.requests))


def _token_labels(one: Integration) -> Labels:
    kind = one.token.kind if one.token else ""
    return (("gitlab", one.name), ("kind", kind))


def _by_server(numbers: Mapping[str, int]) -> tuple[tuple[Labels, float], ...]:
    return tuple(((("server", server),), float(number)) for server, number in numbers.items())


def _labels(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in labels) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _escape_help(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(round(value, 3))
