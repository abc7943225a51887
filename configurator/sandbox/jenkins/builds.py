"""The build queue and the builds. A build does nothing: it is recorded with its cause and parameters."""

from __future__ import annotations

import time

from configurator.sandbox.jenkins.items import Build, Item, ItemTree


class BuildQueue:
    """Queue and history of one controller.

    Args:
        items: the tree, for build numbers.
        quiet_period: seconds that a build waits in the queue; equal requests meanwhile become one.
    """

    def __init__(self, items: ItemTree, quiet_period: float = 0.0) -> None:
        self.quiet_period = quiet_period
        self._items = items
        self._waiting: list[Build] = []
        self._started: list[Build] = []
        self._next_id = 1

    @property
    def waiting(self) -> list[Build]:
        """What is in the queue now."""
        self._start_due()
        return list(self._waiting)

    @property
    def builds(self) -> list[Build]:
        """Every build that was started, oldest first."""
        self._start_due()
        return list(self._started)

    def restore(self, builds: list[Build]) -> None:
        """Take over the builds of an earlier life."""
        self._started = list(builds)
        self._next_id = max((build.queue_id for build in builds), default=0) + 1

    def schedule(self, item: Item, cause: str, parameters: dict[str, str]) -> Build:
        """Queue a build; one that waits already for the same thing takes it in."""
        self._start_due()
        for waiting in self._waiting:
            if waiting.job == item.full_name and waiting.parameters == parameters:
                return waiting
        build = Build(item.full_name, 0, cause, parameters, time.time() + self.quiet_period, self._next_id)
        self._next_id += 1
        self._waiting.append(build)
        self._start_due()
        return build

    def cancel(self, job: str, source_branch: str, project: str) -> None:
        """Take waiting builds of a merge request's branch out of the queue."""
        self._waiting = [
            build
            for build in self._waiting
            if build.job != job
            or build.parameters.get("gitlabSourceBranch") != source_branch
            or build.parameters.get("gitlabMergeRequestTargetProjectId") != project
        ]

    def of_job(self, full_name: str) -> list[Build]:
        """The builds of one job, oldest first."""
        return [build for build in self.builds if build.job == full_name]

    def forget(self, full_name: str) -> None:
        """A deleted item takes its builds, and those of all below it, with it."""

        def gone(build: Build) -> bool:
            return build.job == full_name or build.job.startswith(full_name + "/")

        self._waiting = [build for build in self._waiting if not gone(build)]
        self._started = [build for build in self._started if not gone(build)]

    def renamed(self, before: str, after: str) -> None:
        """Builds follow their item."""
        for build in (*self._waiting, *self._started):
            if build.job == before or build.job.startswith(before + "/"):
                build.job = after + build.job[len(before) :]

    def _start_due(self) -> None:
        now = time.time()
        for build in [build for build in self._waiting if build.time <= now]:
            self._waiting.remove(build)
            item = self._items.find(build.job)
            if item is None or item.is_folder:
                continue
            build.number = item.next_build
            item.next_build += 1
            self._items.ran(item)
            self._started.append(build)
