"""The command line: one file per command, which parses, calls, prints and gives the exit code. No logic."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command that the process was called with, and exit."""
    from configurator.cli.app import run

    sys.exit(run(sys.argv[1:]))
