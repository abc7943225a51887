"""A command in a fresh process: how long it took and how much memory it had."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
_KILOBYTES = 1 if sys.platform != "darwin" else 1024


class StepFailedError(Exception):
    """A measured command failed, so there is nothing to measure."""


@dataclass(frozen=True)
class Ran:
    """A process that ended well.

    Attributes:
        out: what it wrote on standard output.
        seconds: wall clock, start of the interpreter included.
        cpu_seconds: of all its threads, user and system.
        peak_mb: the most memory it held at once (resident set).
    """

    out: str
    seconds: float
    cpu_seconds: float
    peak_mb: float


def run(command: Sequence[str], environ: Mapping[str, str] | None = None) -> Ran:
    """Run ``command`` in the repository's folder, its messages kept from the terminal unless it fails.

    Args:
        command: program and arguments.
        environ: variables to add.

    Raises:
        StepFailedError: it exits with anything but 0; with what it wrote on standard error.
    """
    began = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env={**os.environ, **(environ or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        out = process.stdout.read()
        # Not Popen.wait: only this tells what the process used.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise StepFailedError(f"{' '.join(command[:4])} … exited with {process.returncode}:\n{out[-2000:]}")
    return Ran(
        out=out,
        seconds=seconds,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_mb=usage.ru_maxrss / _KILOBYTES / 1024,
    )
