"""Jenkins Job Builder on the same jobs, where it is installed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from benchmarks.process import run
from benchmarks.servers import Servers
from benchmarks.table import Row
from benchmarks.workload import Workload

NAME = "jenkins-job-builder"
_WORKERS = "8"  # configurator's own default


def find(given: Path | None) -> str | None:
    """The executable: the given one, else what is on the PATH."""
    return shutil.which(str(given)) if given else shutil.which("jenkins-jobs")


def measure(program: str, workload: Workload, servers: Servers, folder: Path) -> Iterator[Row]:
    """Update the jobs and views thrice: new, with its cache, and without it.

    The folders are made first and not counted.

    Raises:
        StepFailedError: jenkins-jobs failed.
    """
    config = folder / "jjb.ini"
    config.write_text(
        "[job_builder]\nkeep_descriptions=False\n"
        f"[jenkins]\nurl={servers.jenkins_url}\nuser={servers.admin.name}\npassword={servers.admin.token}\n",
        encoding="utf-8",
    )
    folders, jobs = workload.write_jjb(folder, servers)
    environ = {"XDG_CACHE_HOME": str(folder / "cache")}
    base = [program, "--conf", str(config), "--log_level", "error"]
    update = ["update", "--workers", _WORKERS, str(jobs)]
    run([*base, "update", str(folders)], environ)
    steps = {
        "first update": [*base, *update],
        "second update, warm cache": [*base, *update],
        "second update, --ignore-cache": [*base, "--ignore-cache", *update],
    }
    for step, command in steps.items():
        before = servers.counts() if servers.counts else None
        ran = run(command, environ)
        sent = servers.counts()[0] - before[0] if servers.counts and before else None
        yield Row(workload.jobs, NAME, step, sent, 0, ran.seconds, ran.cpu_seconds, ran.peak_mb)
