from __future__ import annotations

import io
import json
import re

from hook_builders import done, finding

from configurator.report.webhooks_progress import Pace, ScanBar, ScanJsonLines, ScanLines, ScanSilent
from configurator.webhooks.model import Ending

DONE = done(finding(job="a\x1b[2J"))
FAILED = done(finding(), Ending.FAILED, detail="403")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_short_scan_needs_no_words() -> None:
    clock, written = Clock(), []
    with ScanLines(written.append, clock=clock) as watcher:
        for at in range(15):
            watcher.scanned(at, 15, at * 3)
            clock.now += 0.1
    assert written == []


def test_a_long_scan_says_how_far_it_is_ever_less_often() -> None:
    clock, written = Clock(), []
    watcher = ScanLines(written.append, clock=clock)
    for at in range(0, 5_001, 10):
        watcher.scanned(at, 5_000, at * 3)
        clock.now += 0.5
    assert 5 <= len(written) <= 15
    assert written[0] == "40 of 5,000 projects, 120 hooks, 20 projects/s, 4 min 8 s left\n"
    assert "5 s left" not in written[0]


def test_a_scan_of_unknown_length_promises_no_end() -> None:
    clock = Clock()
    pace = Pace(clock, 0.0)
    first = pace.look(0, None, 0)
    assert str(first) == "0 projects, 0 hooks, 0 projects/s"
    clock.now += 1
    assert pace.look(3, None, 9) is not None
    clock.now += 0.1
    assert Pace(clock, 1.0).look(3, None, 9) is None


def test_lines() -> None:
    written: list[str] = []
    with ScanLines(written.append) as watcher:
        watcher.stage("reading\x07")
        watcher.warning("builds may start\n")
        watcher.done(DONE)
        watcher.done(FAILED)
        watcher.done(done(finding(), Ending.PLANNED))  # the result says it
    assert written == [
        "reading\\x07\n",
        "Warning: builds may start\\n\n",
        "removed  shop/payments hook 31 → a\\x1b[2J\n",
        "failed  shop/payments hook 31 → payments/MAIN-Build-payments: 403\n",
    ]


def test_json_lines() -> None:
    clock, written = Clock(), []
    with ScanJsonLines(written.append, clock=clock) as watcher:
        watcher.stage("reading")
        watcher.scanned(0, 10, 0)
        clock.now += 4
        watcher.scanned(10, 10, 30)
        watcher.warning("builds may start")
        watcher.done(DONE)
        watcher.done(FAILED)
    events = [json.loads(line) for line in written]
    assert [one["event"] for one in events] == ["stage", "scan", "warning", "webhook", "webhook"]
    assert events[1] == {"level": "info", "event": "scan", "projects": 10, "of": 10, "hooks": 30, "rate": 2.5}
    assert events[3]["result"] == "done"
    assert events[3]["job"] == "a\x1b[2J"
    assert (events[4]["level"], events[4]["hook_id"], events[4]["detail"]) == ("error", 31, "403")
    assert "\x1b" not in "".join(written)


def test_silence() -> None:
    with ScanSilent() as watcher:
        watcher.stage("reading")
        watcher.scanned(1, 2, 3)
        watcher.warning("w")
        watcher.done(DONE)


def test_a_bar_of_a_scan_shows_numbers() -> None:
    terminal, clock = Terminal(), Clock()
    with ScanBar(terminal, colour=False, clock=clock) as watcher:
        watcher.stage("reading GitLab")
        watcher.scanned(0, None, 0)
        clock.now += 1
        watcher.scanned(20, 40, 60)
        watcher.scanned(21, 40, 60)
        assert watcher._progress is not None
        watcher._progress.refresh()
    assert "20 of 40 projects, 60 hooks, 20 projects/s, 1 s left" in terminal.getvalue()
    assert "21 of" not in terminal.getvalue()


def test_a_bar_of_work_counts_and_keeps_failures_and_warnings() -> None:
    terminal = Terminal()
    with ScanBar(terminal, 2) as watcher:
        watcher.warning("builds may start")
        watcher.done(DONE)
        watcher.done(FAILED)
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.getvalue())
    assert "Warning: builds may start\n" in shown
    assert "failed  shop/payments hook 31" in shown
    assert "hook 31 → a" not in shown
    assert "2/2" in shown


def test_a_bar_that_is_over_is_silent() -> None:
    terminal = Terminal()
    watcher = ScanBar(terminal, 2)
    watcher.warning("w")
    watcher.done(DONE)
    watcher.scanned(1, 2, 3)
    assert terminal.getvalue() == ""
