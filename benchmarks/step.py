"""One step of the benchmark, in a process of its own: a plan, an apply, or an edit by hand.

Prints one JSON object: ``changes``, ``failed``, ``unchecked``, and ``requests`` as the client counted them.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

REPLACED = ("<triggerOnPush>true", "<triggerOnPush>false")


def main() -> None:
    """Run the step that the arguments name."""
    parser = argparse.ArgumentParser(prog="benchmarks.step", description=__doc__)
    steps = parser.add_subparsers(required=True)
    for name in ("plan", "apply"):
        step = steps.add_parser(name)
        step.add_argument("spec", type=Path)
        step.add_argument("--prune", action="store_true")
        step.set_defaults(run=_plan_or_apply, apply=name == "apply")
    step = steps.add_parser("drift", help="change jobs by hand")
    step.add_argument("url")
    step.add_argument("user")
    step.add_argument("jobs", nargs="+")
    step.set_defaults(run=_drift)
    arguments = parser.parse_args()
    print(json.dumps(arguments.run(arguments)))


def _plan_or_apply(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the commands do, with the text that they would print."""
    from configurator.model import Outcome
    from configurator.report.text import applied_text, plan_text
    from configurator.run import Run

    with Run.open(arguments.spec) as run:
        plan = run.plan(prune=arguments.prune)
        text = plan_text(plan, colour=False, verbose=False)
        unchecked, failed = len(plan.unchecked), 0
        if arguments.apply:
            applied = run.apply(plan, max_deletes=len(plan.changes))
            text += applied_text(applied, colour=False, verbose=False)
            unchecked += len(applied.unchecked)
            failed = sum(result.outcome is not Outcome.DONE for result in applied.results)
        return {
            "changes": len(plan.changes),
            "failed": failed,
            "unchecked": unchecked,
            "requests": run.requests_sent,
            "printed": len(text),
        }


def _drift(arguments: argparse.Namespace) -> dict[str, Any]:
    """Change Build jobs as somebody would in the browser."""
    from configurator.clients.jenkins import JenkinsClient
    from configurator.secret import Secret

    client = JenkinsClient(arguments.url, arguments.user, Secret(os.environ["JENKINS_API_TOKEN"]), None)
    for name in arguments.jobs:
        client.write_item(name, client.read_item(name).replace(*REPLACED))
    client.close()
    return {"changes": len(arguments.jobs), "failed": 0, "unchecked": 0, "requests": (client.requests_sent, 0)}


if __name__ == "__main__":
    main()
