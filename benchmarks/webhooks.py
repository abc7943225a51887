"""Measure `configurator webhooks` on an instance with thousands of projects, and hold it to its promises.

Usage: ``python -m benchmarks.webhooks [--projects N]``. The embedded servers run in this process, every step is a
fresh one. Exits with 1 when a step finds or changes anything but what was seeded, or sends too many requests.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.large import Large, large_instance
from benchmarks.process import StepFailedError, run
from benchmarks.table import markdown

PROJECTS = 5000
HEADINGS = ("projects", "hooks", "step", "to Jenkins", "to GitLab", "seconds", "CPU s", "peak MB")
_SPARE_TO_GITLAB = 60
_MOST_TO_JENKINS = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every step and print the table; 0, or 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.webhooks", description=__doc__)
    parser.add_argument("--projects", type=int, default=PROJECTS, help=f"size of the instance; default {PROJECTS}")
    projects = parser.parse_args(arguments).projects
    with tempfile.TemporaryDirectory(prefix="configurator-bench-") as name:
        folder = Path(name)
        with large_instance(folder / "configurator.yaml") as large:
            large.seed(projects)
            steps = _Steps(large, folder, projects)
            try:
                steps.all()
            except StepFailedError as error:
                print(error, file=sys.stderr)
                return 1
    print(markdown(HEADINGS, steps.rows))
    return 0


class _Steps:
    def __init__(self, large: Large, folder: Path, projects: int) -> None:
        self._large = large
        self._folder = folder
        self._projects = projects
        self.rows: list[list[str]] = []

    def all(self) -> None:
        """List, remove the orphans, find none, put them back.

        Raises:
            StepFailedError: something else happened than was seeded.
        """
        large = self._large
        scan = ("--all", "-o", "json")
        listed = self._step("list --all", "list", *scan, "--everything")
        found = {(one["project_id"], one["hook_id"]): one["class"] for one in listed["hooks"]}
        self._require(found == large.seeded, "every hook is found as what it was seeded")
        limit = (_MOST_TO_JENKINS, self._projects + _SPARE_TO_GITLAB)
        sent = (int(self.rows[-1][3]), int(self.rows[-1][4]))
        self._require(sent[0] <= limit[0] and sent[1] <= limit[1], f"at most {limit} requests, not {sent}")
        orphans = large.of("orphaned")
        clean = ("cleanup", *scan, "--class", "orphaned", "--yes", "--max-deletes", str(len(orphans)))
        self._step("cleanup of the orphans", *clean, "--backup", str(self._folder / "backup.jsonl"))
        self._require(large.there() == set(large.seeded) - orphans, "exactly the orphans are deleted")
        again = self._step("cleanup again", *clean, "--backup", str(self._folder / "second.jsonl"))
        self._require(again["hooks"] == [], "a second cleanup finds nothing")
        self._step("restore", "restore", str(self._folder / "backup.jsonl"), "--yes", "-o", "json")
        back = Counter(project for project, _ in large.there() - (set(large.seeded) - orphans))
        self._require(back == Counter(project for project, _ in orphans), "exactly the orphans are back")

    def _step(self, step: str, *arguments: str) -> dict[str, Any]:
        before = (self._large.jenkins.count(), self._large.gitlab.count())
        out = self._folder / "out.json"
        spec = str(self._folder / "configurator.yaml")
        # Results go through a file: the process' two outputs are read as one.
        command = ["sh", "-c", 'exec "$@" > "$OUT"', "sh", sys.executable, "-m", "configurator", "-q", "webhooks"]
        ran = run([*command, *arguments, "-f", spec], {**self._large.environ, "OUT": str(out)})
        sent = (self._large.jenkins.count() - before[0], self._large.gitlab.count() - before[1])
        row = (self._projects, len(self._large.seeded), step, *sent, f"{ran.seconds:.1f}", f"{ran.cpu_seconds:.1f}")
        self.rows.append([*map(str, row), f"{ran.peak_mb:.0f}"])
        return dict(json.loads(out.read_text(encoding="utf-8")))

    @staticmethod
    def _require(kept: bool, promise: str) -> None:
        if not kept:
            raise StepFailedError(f"not kept: {promise}")


if __name__ == "__main__":
    sys.exit(main())
