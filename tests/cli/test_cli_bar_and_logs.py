"""What is logged while a bar is shown stands above it: the bar is not torn, and no line is lost."""

from __future__ import annotations

import io
import logging
import re
import threading
import time

import pytest

from configurator.cli.console import Console, Settings

LINES = [f"GitLab gitlab: request {number} waits until 12:00:{number:02d}" for number in range(40)]
_TOKENS = re.compile(r"\x1b\[(?P<count>\d*)(?P<code>[A-Za-z])|\x1b\[\?25[lh]|(?P<text>[^\x1b])")


class Terminal(io.StringIO):
    """A terminal of 80 columns that is tall enough never to scroll."""

    def isatty(self) -> bool:
        return True

    def screen(self) -> list[str]:
        """What a person sees of it."""
        rows, row, column = [""], 0, 0
        for found in _TOKENS.finditer(self.getvalue()):
            text, code = found["text"], found["code"]
            if text == "\n":
                row, column = row + 1, 0
                rows += [""] * (row + 1 - len(rows))
            elif text == "\r":
                column = 0
            elif text:
                rows[row] = rows[row][:column].ljust(column) + text + rows[row][column + 1 :]
                column += 1
            elif code == "A":
                row -= int(found["count"] or 1)
            elif code == "K":
                rows[row] = ""
        return [line.rstrip() for line in rows if line.strip()]


@pytest.mark.parametrize("kind", ["progress", "scan_progress"])
@pytest.mark.parametrize("total", [None, 40])
def test_logs_of_workers_stand_above_the_bar(monkeypatch: pytest.MonkeyPatch, kind: str, total: int | None) -> None:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stderr", terminal)  # here, since pytest sets its own after the fixtures
    settings = Settings()
    settings.start_logs()
    log = logging.getLogger("configurator.clients")

    def work(lines: list[str]) -> None:
        for line in lines:
            log.warning(line)
            time.sleep(0.01)  # so that the bar is drawn in between

    try:
        with getattr(Console(settings), kind)(total) as watcher:
            watcher.stage("reading GitLab")
            workers = [threading.Thread(target=work, args=(LINES[at::4],)) for at in range(4)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        log.warning("after the bar")
    finally:
        settings.stop_logs()
    shown = terminal.screen()
    assert sorted(shown[:-1]) == sorted(f"warning: {line}" for line in LINES)
    assert shown[-1] == "warning: after the bar"
