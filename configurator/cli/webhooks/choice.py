"""Which webhooks a command is about: the options that `list`, `cleanup` and `repair` share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from configurator.cli.options import Decorator, file_option, option, run_options
from configurator.webhooks.model import Finding, HookClass, Picture

if TYPE_CHECKING:
    from configurator.webhooks.scan import Scope

_GLOB = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked for on the command line; the names are those of the options' parameters."""

    file: Path | None
    everywhere: bool
    groups: tuple[str, ...]
    projects: tuple[str, ...]
    gitlabs: tuple[str, ...]
    classes: tuple[str, ...]
    older_than: int | None
    allow_commands: bool
    workers: int

    @property
    def wide(self) -> bool:
        """Whether more than the projects of the spec is looked at."""
        return self.everywhere or bool(self.groups)

    @property
    def hook_classes(self) -> tuple[HookClass, ...]:
        """The classes that were asked for."""
        return tuple(HookClass(one) for one in self.classes)

    def scope(self, *, deliveries: bool = False, integrations: bool = False) -> Scope:
        """Where to look. Projects that are named in full are asked for alone, with no need to see the others."""
        from configurator.webhooks.scan import Scope

        in_full = not self.wide and not any(_GLOB & set(project) for project in self.projects)
        return Scope(
            all=self.everywhere,
            groups=self.groups,
            projects=self.projects if in_full else (),
            gitlabs=self.gitlabs,
            deliveries=deliveries,
            integrations=integrations,
        )

    def narrow(self, picture: Picture, classes: Collection[HookClass] = ()) -> Picture:
        """The part of ``picture`` that was asked for: projects and age, and ``classes`` (empty: all)."""
        from configurator.webhooks.selection import narrow

        return narrow(picture, classes, self.projects, self.older_than)

    def listed(self, picture: Picture, *, everything: bool) -> tuple[Finding, ...]:
        """The findings of a list. Foreign hooks are left out unless ``everything`` or their class is asked for."""
        shown = self.narrow(picture, self.hook_classes)
        return shown.findings if everything or HookClass.FOREIGN in self.hook_classes else shown.ours


def choice_options(fitting: Iterable[HookClass]) -> Decorator:
    """The options; the command gets them as one argument, ``choice``.

    Args:
        fitting: the classes that the command is for. The others are taken, too, so that it can say why not.
    """

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def packed(*arguments: Any, **options: Any) -> Any:
            choice = Choice(**{field.name: options.pop(field.name) for field in fields(Choice)})
            return function(*arguments, choice=choice, **options)

        decorated: Callable[..., Any] = run_options(packed)
        for decorate in (_older_than, _classes(fitting), _gitlabs, _projects, _groups, _everywhere, file_option()):
            decorated = decorate(decorated)
        return decorated

    return add


def _classes(fitting: Iterable[HookClass]) -> Decorator:
    named = set(fitting)
    return option(
        "--class",
        "classes",
        multiple=True,
        type=click.Choice([one.value for one in HookClass]),
        metavar=f"[{'|'.join(one for one in HookClass if one in named)}]",
        help="Only webhooks of this class. May be repeated.",
    )


_everywhere = option(
    "--all", "everywhere", is_flag=True, help="Look at every project where the token is Maintainer, not at the spec's."
)
_groups = option(
    "--group",
    "groups",
    multiple=True,
    metavar="PATH",
    help="Look at the projects of this group and its subgroups, not at the spec's. May be repeated.",
)
_projects = option(
    "--project",
    "projects",
    multiple=True,
    metavar="GLOB",
    help="Only projects of these paths, such as 'shop/*'. May be repeated.",
)
_gitlabs = option(
    "--gitlab", "gitlabs", multiple=True, metavar="NAME", help="Only this gitlab entry of the spec. May be repeated."
)
_older_than = option(
    "--older-than",
    type=click.IntRange(min=0),
    metavar="DAYS",
    help="Only webhooks that were made longer ago.",
)
