"""Which projects feed which jobs, as two columns of names with lines between them. Stays readable for any number.

Up to :data:`MOST_LINES` lines every hook has its own. Beyond that hooks are taken together by group and folder,
those that are fine first, so that what is wrong keeps its name as long as possible.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from configurator.report.safe import clean
from configurator.report.webhooks_outline import FINE, MEANINGS, place_of
from configurator.webhooks.model import Finding, HookClass

MOST_LINES = 60
ROW_HEIGHT = 34
"""Pixels that a name takes at least; the style sheet has the same number."""

_MOST_PROBLEM_LINES = 40  # so that a third is left for what works
_LEVELS = (None, 2, 1)  # parts of a name that are kept, from all of it to its first
_OTHERS = ("(other groups)", "(other folders)")
_NO_JOB = "(no job)"
_RANK = {name: at for at, name in enumerate(MEANINGS)}
_PORTS = 20  # pixels over which the lines of a name are spread
_WIDEST_LINE = 9.0  # pixels

Stream = tuple[str, str, HookClass]


@dataclass(frozen=True, slots=True)
class Node:
    """A project, group, job or folder: its name, the worst class among its lines, how many hooks."""

    name: str
    cls: HookClass
    number: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line between two nodes: its SVG path (0 to 100 across), class, width in pixels, and what it says."""

    path: str
    cls: HookClass
    width: float
    title: str


@dataclass(frozen=True, slots=True)
class Diagram:
    """Both columns and the lines between them.

    Attributes:
        left: projects or groups, the worst first.
        right: jobs or folders.
        lines: what is fine first, so that what is wrong is drawn over it.
        height: pixels.
        summed: hooks are taken together, so that a line may stand for many.
    """

    left: tuple[Node, ...]
    right: tuple[Node, ...]
    lines: tuple[Line, ...]
    height: int
    summed: bool


def diagram_of(findings: Sequence[Finding]) -> Diagram:
    """The diagram of all hooks under this Jenkins' addresses."""
    ours = [one for one in findings if one.cls is not HookClass.FOREIGN]
    several = len({one.hook.gitlab for one in ours}) > 1
    wrong = _streams([one for one in ours if one.cls not in FINE], several, _MOST_PROBLEM_LINES)
    fine = _streams([one for one in ours if one.cls in FINE], several, MOST_LINES - len(wrong))
    streams = wrong + fine
    left = _left_order(streams)
    right = _right_order(streams, left)
    height = ROW_HEIGHT * max(len(left), len(right), 1)
    return Diagram(
        tuple(_node(name, 0, streams) for name in left),
        tuple(_node(name, 1, streams) for name in right),
        tuple(_lines(streams, left, right, height)),
        height,
        summed=len(streams) < len(ours),
    )


def _streams(findings: Sequence[Finding], several: bool, most: int) -> Counter[Stream]:
    """Hooks by (left, right, class): as much of the names as leaves no more than ``most`` of them."""
    for parts in _LEVELS:
        streams = Counter(
            (
                _shortened(place_of(one.hook, several), parts),
                _shortened(clean(one.job), parts) if one.job else _NO_JOB,
                one.cls,
            )
            for one in findings
        )
        if len(streams) <= most:
            return streams
    streams = _folders_merged(streams)
    of_group: Counter[str] = Counter()
    for stream, number in streams.items():
        of_group[stream[0]] += number
    ranked = sorted(streams, key=lambda stream: (-of_group[stream[0]], stream[0], _RANK[stream[2]], stream[1]))
    kept = max(0, most - len({stream[2] for stream in streams}))
    merged = Counter({stream: streams[stream] for stream in ranked[:kept]})
    for stream in ranked[kept:]:
        merged[*_OTHERS, stream[2]] += streams[stream]
    return merged


def _folders_merged(streams: Counter[Stream]) -> Counter[Stream]:
    """The same with the folders that one group feeds as one: where every application has a folder, they are many."""
    folders: dict[str, set[str]] = {}
    for left, right, _ in streams:
        folders.setdefault(left, set()).add(right)
    merged: Counter[Stream] = Counter()
    for (left, right, cls), number in streams.items():
        merged[left, f"(folders fed by {left})" if len(folders[left]) > 1 else right, cls] += number
    return merged


def _shortened(name: str, parts: int | None) -> str:
    """The first ``parts`` of a name; what was cut off is an ellipsis."""
    words = name.split("/")
    return name if parts is None or len(words) <= parts else "/".join(words[:parts]) + "/…"


def _left_order(streams: Counter[Stream]) -> list[str]:
    """Names with the worst lines first; what stands for the rest last."""
    worst: dict[str, int] = {}
    for left, _, cls in streams:
        worst[left] = min(worst.get(left, len(_RANK)), _RANK[cls])
    return sorted(worst, key=lambda name: (name in _OTHERS, worst[name], name))


def _right_order(streams: Counter[Stream], left: Sequence[str]) -> list[str]:
    """Names as high as the middle of what leads to them, so that few lines cross."""
    at = {name: place for place, name in enumerate(left)}
    places: dict[str, list[int]] = {}
    for source, target, _ in streams:
        places.setdefault(target, []).append(at[source])
    return sorted(places, key=lambda name: (sum(places[name]) / len(places[name]), name))


def _node(name: str, side: int, streams: Counter[Stream]) -> Node:
    own = [stream for stream in streams if stream[side] == name]
    worst = min((stream[2] for stream in own), key=_RANK.__getitem__)
    return Node(name, worst, sum(streams[stream] for stream in own))


def _lines(streams: Counter[Stream], left: Sequence[str], right: Sequence[str], height: int) -> list[Line]:
    left_place = {name: place for place, name in enumerate(left)}
    right_place = {name: place for place, name in enumerate(right)}
    starts = _ports(streams, 0, left_place, right_place, height)
    ends = _ports(streams, 1, right_place, left_place, height)
    drawn = sorted(streams, key=lambda stream: -_RANK[stream[2]])
    return [
        Line(
            f"M0 {starts[stream]:.1f}C45 {starts[stream]:.1f} 55 {ends[stream]:.1f} 100 {ends[stream]:.1f}",
            stream[2],
            round(min(_WIDEST_LINE, 1.6 + math.log2(streams[stream])), 1),
            f"{stream[0]} → {stream[1]}: {streams[stream]:,} {stream[2]}",
        )
        for stream in drawn
    ]


def _ports(
    streams: Counter[Stream], side: int, places: dict[str, int], others: dict[str, int], height: int
) -> dict[Stream, float]:
    """Where each line meets its name, in pixels from the top: spread over the name, in the order of the other side.

    The names of a column share the height, so the shorter column has its names further apart.
    """
    share = height / max(1, len(places))
    ports: dict[Stream, float] = {}
    for name, place in places.items():
        own = sorted(
            (stream for stream in streams if stream[side] == name), key=lambda stream: others[stream[1 - side]]
        )
        step = _PORTS / len(own)
        for at, stream in enumerate(own):
            ports[stream] = share * (place + 0.5) + step * (at + 0.5) - _PORTS / 2
    return ports
