from __future__ import annotations

import io
import json
import re
import threading

from plan_builders import create

from configurator.model import Outcome, Result
from configurator.report.progress import Bar, JsonLines, Lines, Silent

DONE = Result(create("job", "a\x1b[2J"), Outcome.DONE, seconds=0.25)
FAILED = Result(create("job", "b"), Outcome.FAILED, "500\nmore")
SKIPPED = Result(create("job", "c"), Outcome.SKIPPED, "b failed")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_lines() -> None:
    written: list[str] = []
    with Lines(written.append) as listener:
        listener.stage("reading Jenkins …")
        listener.started(DONE.change)
        for result in (DONE, FAILED, SKIPPED):
            listener.finished(result)
    assert written == [
        "reading Jenkins …\n",
        "+ job a\\x1b[2J\n",
        "+ job b: failed: 500\\nmore\n",
        "+ job c: skipped: b failed\n",
    ]


def test_lines_of_many_threads_are_whole() -> None:
    written = io.StringIO()
    listener = Lines(written.write)
    threads = [threading.Thread(target=lambda: [listener.finished(FAILED) for _ in range(50)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(written.getvalue().splitlines()) == {"+ job b: failed: 500\\nmore"}
    assert len(written.getvalue().splitlines()) == 400


def test_json_lines() -> None:
    written: list[str] = []
    with JsonLines(written.append) as listener:
        listener.stage("reading")
        listener.finished(DONE)
        listener.finished(FAILED)
    events = [json.loads(line) for line in written]
    assert events[0] == {"level": "info", "event": "stage", "message": "reading"}
    assert events[1]["result"] == "done"
    assert events[1]["seconds"] == 0.25
    assert events[2]["level"] == "error"
    assert events[2]["error"] == "500\nmore"
    assert "\x1b" not in "".join(written)


def test_silence() -> None:
    with Silent() as listener:
        listener.stage("reading")
        listener.started(DONE.change)
        listener.finished(DONE)


def test_a_bar_counts_and_keeps_failures() -> None:
    terminal = Terminal()
    with Bar(terminal, 3) as listener:
        listener.stage("reading")
        listener.started(DONE.change)
        for result in (DONE, FAILED, SKIPPED):
            listener.finished(result)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue())
    assert "+ job b: failed: 500\\nmore\n" in shown
    assert "3/3" in shown
    assert "\x1b[2J" not in shown
    listener.stage("after the end")
    listener.finished(DONE)


def test_a_bar_without_a_total() -> None:
    terminal = Terminal()
    with Bar(terminal, None, colour=False) as listener:
        listener.stage("reading")
    assert terminal.getvalue()


def test_markup_in_a_name_is_text_beside_a_bar() -> None:
    terminal = Terminal()
    with Bar(terminal, 3) as listener:
        listener.stage("reading [bold]Jenkins[/bold] [/nonsense]")
    assert "reading [bold]Jenkins[/bold] [/nonsense]" in terminal.getvalue()
