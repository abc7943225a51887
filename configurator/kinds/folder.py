"""Folders. Made whole, changed by their description only: a POST of a folder's XML replaces all that it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lxml import etree

from configurator.errors import RefusedError
from configurator.kinds.base import Kind, parent_of
from configurator.kinds.credential import credential_key
from configurator.kinds.plugin import FOLDER_PLUGIN, plugin_keys
from configurator.kinds.view import ViewBody, ViewKind
from configurator.kinds.xml import refuse_redacted, set_description
from configurator.marks import Mark, strip_mark, with_mark
from configurator.model import Field, Key, Observation, Resource
from configurator.spec.expanded import Expanded
from configurator.world.found import FOLDER_CLASS, Hidden, Item
from configurator.world.world import World
from configurator.xml import parse, to_text


@dataclass(frozen=True, slots=True)
class FolderBody:
    """A folder: its description with the mark; found: its class, and what it holds (credentials where visible)."""

    description: str
    cls: str = FOLDER_CLASS
    children: tuple[str, ...] | None = ()
    credentials: tuple[Key, ...] = ()


class FolderKind(Kind[FolderBody, None]):
    """Folders of the plugin cloudbees-folder (contract, facts 5, 8, 9)."""

    name = "folder"

    def desired(self, expanded: Expanded) -> Iterator[Resource[FolderBody]]:
        plugins = plugin_keys(expanded, FOLDER_PLUGIN)
        for folder in expanded.folders:
            parent = parent_of(folder.name)
            yield Resource(
                Key(self.name, folder.name),
                FolderBody(with_mark(folder.description, Mark(expanded.spec.name))),
                owner=expanded.spec.name,
                origin=folder.origin,
                after=(*((Key(self.name, parent),) if parent else ()), *plugins),
                manage=folder.manage,
                adopt=folder.adopt,
            )

    def observe(self, wanted: Sequence[Resource[FolderBody]], world: World) -> Observation[FolderBody]:
        names = {one.key.name for one in wanted}
        existing = {
            Key(self.name, item.name): _found(item, world)
            for item in world.inventory.items.values()
            if item.name in names or item.is_folder
        }
        adopted = {}
        for one in wanted:
            there = existing.get(one.key)
            if there is not None and not strip_mark(one.body.description):
                # A spec that says nothing of the description leaves what people wrote there.
                text = with_mark(there.body.description, Mark(world.owner))
                adopted[one.key] = one.with_body(replace(one.body, description=text))
        return Observation(existing=existing, wanted=adopted)

    def obstacle(self, wanted: Resource[FolderBody], existing: Resource[FolderBody]) -> str:
        if existing.body.cls == FOLDER_CLASS or (not wanted.manage and existing.body.children is not None):
            return ""
        return f"there is something else of that name: {existing.body.cls}"

    def differences(self, wanted: Resource[FolderBody], existing: Resource[FolderBody]) -> Sequence[Field]:
        before, after = existing.body.description.strip(), wanted.body.description.strip()
        return [Field("description", before, after)] if before != after else []

    def spared(self, deletions: Sequence[Resource[Any]]) -> dict[Key, str]:
        """Folders that hold anything that does not go with them."""
        going = {one.key.name for one in deletions if one.key.kind in (self.name, "job")}
        keys = {one.key for one in deletions}
        folders: list[Resource[FolderBody]] = [one for one in deletions if one.key.kind == self.name]
        spared: dict[Key, str] = {}
        for one in sorted(folders, key=lambda one: one.key.name, reverse=True):
            kept = [child for child in one.body.children or () if child not in going or Key(self.name, child) in spared]
            kept += [str(key) for key in one.body.credentials if key not in keys]
            if kept:
                more = " and more" if len(kept) > 3 else ""
                spared[one.key] = f"it still holds {', '.join(kept[:3])}{more}"
        return spared

    def create(self, wanted: Resource[FolderBody], world: World, prepared: None) -> None:
        """Make it together with its views, which takes no right on views (contract, fact 8)."""
        views: list[ViewBody] = [
            resource.body
            for key, resource in world.desired.items()
            if key.kind == ViewKind.name and parent_of(key.name) == wanted.key.name
        ]
        world.jenkins.create_item(wanted.key.name, folder_xml(wanted.body.description, views))

    def update(
        self, wanted: Resource[FolderBody], existing: Resource[FolderBody], world: World, prepared: None
    ) -> None:
        """Write back what is there this very moment with another description, secrets as the ciphertext they are.

        The form ``submitDescription`` of a folder is that of its primary view: it describes the view, not the folder.
        """
        name = wanted.key.name
        root = parse(world.jenkins.read_item(name))
        set_description(root, wanted.body.description)
        world.jenkins.write_item(name, refuse_redacted(to_text(root)))

    def delete(self, existing: Resource[FolderBody], world: World) -> None:
        left = _content(existing.key.name, world)
        if left:
            raise RefusedError(f"the folder is kept: it still holds {', '.join(left)}")
        world.jenkins.delete_item(existing.key.name)


def _content(folder: str, world: World) -> list[str]:
    """What is in a folder this very moment and would go with it: items, views, credentials.

    Views and credentials are looked for in its config.xml, which shows them to those too who have no right on them
    and to whom their lists look empty (contract, facts 8 and 12).
    """
    left = [f"item {name}" for name in world.jenkins.list_children(folder)]
    root = parse(world.jenkins.read_item(folder))
    views = [view for view in root.iterfind("folderViews/views/*") if view.tag != _ALL_VIEW_CLASS]
    left += [f"view {view.findtext('name')}" for view in views]
    return left + [f"credential {one.findtext('id')}" for one in root.iterfind(f"properties/{_CREDENTIALS}//*[id]")]


def _found(item: Item, world: World) -> Resource[FolderBody]:
    mark = item.mark
    listed = world.inventory.credentials
    credentials = () if isinstance(listed, Hidden) else [one for one in listed if one.folder == item.name]
    parent = parent_of(item.name)
    return Resource(
        Key(FolderKind.name, item.name),
        FolderBody(
            item.description, item.cls, item.children, tuple(credential_key(one.folder, one.id) for one in credentials)
        ),
        owner=mark.owner if mark else None,
        after=(Key(FolderKind.name, parent),) if parent else (),
    )


def folder_xml(description: str, views: Sequence[ViewBody]) -> str:
    """The XML of a new folder, its views in it as Jenkins saves them (recorded: *folder config.xml now holds …*)."""
    root = etree.Element(FOLDER_CLASS)
    etree.SubElement(root, "description").text = description
    etree.SubElement(root, "properties")
    if views:
        holder = etree.SubElement(
            root,
            "folderViews",
            {"class": "com.cloudbees.hudson.plugins.folder.views.DefaultFolderViewHolder"},
        )
        listed = etree.SubElement(holder, "views")
        listed.append(parse(_ALL_VIEW))
        for view in views:
            listed.append(parse(view.xml))
        for element in listed:
            owner = etree.Element("owner", {"class": FOLDER_CLASS, "reference": "../../../.."})
            element.insert(0, owner)
        etree.SubElement(holder, "tabBar", {"class": "hudson.views.DefaultViewsTabBar"})
    return etree.tostring(root, encoding="unicode")


_CREDENTIALS = "com.cloudbees.hudson.plugins.folder.properties.FolderCredentialsProvider_-FolderCredentialsProperty"
_ALL_VIEW_CLASS = "hudson.model.AllView"
_ALL_VIEW = (
    "<hudson.model.AllView><name>All</name><filterExecutors>false</filterExecutors><filterQueue>false</filterQueue>"
    '<properties class="hudson.model.View$PropertyList"/></hudson.model.AllView>'
)
