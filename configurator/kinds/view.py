"""Views, at the root and in folders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from configurator.kinds.base import Kind, parent_of
from configurator.kinds.xml import differences, lay_over, set_description
from configurator.marks import Mark, read_mark, with_mark
from configurator.model import Field, Key, Observation, Resource, Unchecked
from configurator.spec.expanded import Expanded, ViewItem
from configurator.world.world import World
from configurator.xml import parse, root_class, to_text


@dataclass(frozen=True, slots=True)
class ViewBody:
    """A view: its config.xml, wanted or found."""

    xml: str


class ViewKind(Kind[ViewBody, None]):
    """List views (contract, facts 8 and 11)."""

    name = "view"

    def desired(self, expanded: Expanded) -> Iterator[Resource[ViewBody]]:
        for view in expanded.views:
            folder = parent_of(view.name)
            yield Resource(
                Key(self.name, view.name),
                ViewBody(_marked(view, expanded.spec.name)),
                owner=expanded.spec.name,
                origin=view.origin,
                after=(Key("folder", folder),) if folder else (),
                adopt=view.adopt,
            )

    def observe(self, wanted: Sequence[Resource[ViewBody]], world: World) -> Observation[ViewBody]:
        inventory = world.inventory
        existing = {}
        for found in inventory.views.values():
            mark = read_mark(found.description)
            key, folder = Key(self.name, found.name), parent_of(found.name)
            existing[key] = Resource(
                key,
                ViewBody(found.xml or ""),
                owner=mark.owner if mark else None,
                after=(Key("folder", folder),) if folder else (),
            )
        unchecked = []
        for one in wanted:
            folder = parent_of(one.key.name)
            if folder is None and inventory.root_views is not None:
                unchecked.append(Unchecked(self.name, one.key.name, f"needs {inventory.root_views.permission}"))
            elif folder is not None and folder in inventory.items and inventory.items[folder].hidden:
                unchecked.append(Unchecked(self.name, one.key.name, f"needs {inventory.items[folder].hidden}"))
        return Observation(existing=existing, unchecked=tuple(unchecked))

    def obstacle(self, wanted: Resource[ViewBody], existing: Resource[ViewBody]) -> str:
        there, mine = root_class(existing.body.xml), root_class(wanted.body.xml)
        return "" if there == mine else f"there is a view of another type of that name: {there}"

    def differences(self, wanted: Resource[ViewBody], existing: Resource[ViewBody]) -> Sequence[Field]:
        return differences(parse(wanted.body.xml), parse(existing.body.xml))

    def create(self, wanted: Resource[ViewBody], world: World, prepared: None) -> None:
        if not _comes_with_its_folder(wanted.key, world):
            world.jenkins.create_view(wanted.key.name, wanted.body.xml)

    def update(self, wanted: Resource[ViewBody], existing: Resource[ViewBody], world: World, prepared: None) -> None:
        """Lay the wanted XML over what is there this very moment, not over what the plan saw."""
        merged = lay_over(parse(wanted.body.xml), parse(world.jenkins.read_view(wanted.key.name)))
        world.jenkins.write_view(wanted.key.name, to_text(merged))

    def delete(self, existing: Resource[ViewBody], world: World) -> None:
        world.jenkins.delete_view(existing.key.name)


def _comes_with_its_folder(view: Key, world: World) -> bool:
    """Whether the folder of a view is new, and so was made with the view in it already (contract, fact 8)."""
    folder = parent_of(view.name)
    return folder is not None and Key("folder", folder) in world.desired and folder not in world.inventory.items


def _marked(view: ViewItem, owner: str) -> str:
    root = parse(view.xml)
    set_description(root, with_mark(root.findtext("description"), Mark(owner)))
    return to_text(root)
