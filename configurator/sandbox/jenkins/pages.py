"""A page for people: what the sandbox holds and what happened to its webhooks. It shows no secret."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from html import escape

from configurator.sandbox.jenkins.controller import Controller
from configurator.sandbox.jenkins.credentials import type_name
from configurator.sandbox.jenkins.items import Item
from configurator.sandbox.jenkins.xml_store import children, text_of

_STYLE = """
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 20%, transparent); }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
h1 small, .dim { opacity: .65; font-weight: normal; }
h2 { margin-top: 2rem; border-bottom: 1px solid var(--line); }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); }
.scroll { overflow-x: auto; }
code { font-size: .92em; }
pre { white-space: pre-wrap; margin: 0; font: inherit; }
.note { border-left: 3px solid #c80; padding-left: .75rem; }
.bad { color: #c33; }
a { color: inherit; }
"""


class Pages:
    """Renders pages.

    Args:
        controller: whose state is shown.
        context_path: goes before links.
    """

    def __init__(self, controller: Controller, context_path: str) -> None:
        self._controller = controller
        self._context_path = context_path

    def page(self, item: Item) -> str:
        """The page of the root, a folder or a job."""
        sections = self._overview() if item.parent is None else self._of_item(item)
        title = item.full_name or "Sandbox Jenkins"
        return (
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
            f"<h1>{escape(title)} <small>Jenkins {escape(self._controller.version)}, sandbox</small></h1>"
            '<p class="note">An embedded server for trying things out. Anybody on this machine may read this page; '
            "the API asks for credentials.</p>" + "".join(sections) + "</body></html>"
        )

    def _overview(self) -> Iterator[str]:
        root = self._controller.items.root
        yield self._items(root)
        yield self._views(root)
        yield self._deliveries()
        yield self._builds("")
        yield self._credentials()
        yield self._connections()
        plugins = [(p["shortName"], p["version"]) for p in self._controller.plugins.listing()]
        yield _table("Plugins", ("Plugin", "Version"), plugins)

    def _of_item(self, item: Item) -> Iterator[str]:
        parent = item.parent
        if parent is not None:
            yield f'<p><a href="{self._link(parent)}">{escape(parent.full_name or "all items")}</a></p>'
        description = self._controller.items.description(item)
        if description:
            yield f"<pre>{escape(description)}</pre>"
        if item.is_folder:
            yield self._items(item)
            yield self._views(item)
            return
        trigger = self._controller.trigger(item)
        if trigger is not None:
            rows = [
                (str(field.tag), "(secret)" if field.tag == "secretToken" else field.text or "")
                for field in children(trigger)
            ]
            yield _table("GitLab trigger", ("Option", "Value"), rows)
        yield self._builds(item.full_name)

    def _items(self, group: Item) -> str:
        rows: list[tuple[str, ...]] = []
        for item in group.walk():
            name = f'<a href="{self._link(item)}">{escape(item.full_name)}</a>'
            description = f"<pre>{escape(self._controller.items.description(item) or '')}</pre>"
            rows.append((name, self._kind(item), description, str(item.next_build - 1) if not item.is_folder else ""))
        return _table("Folders and jobs", ("Name", "Kind", "Description", "Builds"), rows, escaped=True)

    def _kind(self, item: Item) -> str:
        if item.is_folder:
            return "folder"
        kind = self._controller.items.class_name(item).rpartition(".")[2]
        trigger = ", GitLab trigger" if self._controller.trigger(item) is not None else ""
        return escape(kind + trigger + (", disabled" if self._controller.items.disabled(item) else ""))

    def _views(self, group: Item) -> str:
        groups = [group, *(item for item in group.walk() if item.is_folder)]
        rows = [
            (one.full_name, text_of(view, "name"), text_of(view, "includeRegex"), text_of(view, "description"))
            for one in groups
            for view in self._controller.views.of(one)
        ]
        return _table("Views", ("Folder", "View", "Pattern", "Description"), rows)

    def _deliveries(self) -> str:
        rows = [
            (_clock(one.time), one.path, one.event, str(one.status), one.outcome, f"#{one.build}" if one.build else "")
            for one in reversed(self._controller.deliveries)
        ]
        return _table("Webhooks that came in", ("Time", "Job", "Event", "Answer", "What came of it", "Build"), rows)

    def _builds(self, job: str) -> str:
        found = [build for build in self._controller.queue.builds if not job or build.job == job]
        rows = [
            (
                _clock(build.time),
                f"{build.job} #{build.number}",
                build.cause,
                ", ".join(f"{name}={value}" for name, value in build.parameters.items() if value),
            )
            for build in reversed(found[-50:])
        ]
        return _table("Builds", ("Time", "Build", "Cause", "Parameters"), rows)

    def _credentials(self) -> str:
        rows = [
            (store.folder or "", domain.name or "", text_of(one, "id"), type_name(one), text_of(one, "description"))
            for store in self._controller.credentials.stores()
            for domain in store.domains()
            for one in domain.credentials()
        ]
        return _table("Credentials", ("Folder", "Domain", "Id", "Kind", "Description"), rows)

    def _connections(self) -> str:
        config = self._controller.connection_config
        rows = [(one.name, one.url, one.credential or "", one.client) for one in config.connections if one.name]
        return _table("GitLab connections", ("Name", "URL", "Credential", "Client"), rows)

    def _link(self, item: Item) -> str:
        return escape(f"{self._context_path}/{item.url_path}")


def _table(title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, escaped: bool = False) -> str:
    if not rows:
        return f'<h2>{escape(title)}</h2><p class="dim">none</p>'
    heads = "".join(f"<th>{escape(one)}</th>" for one in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{cell if escaped else escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f'<h2>{escape(title)}</h2><div class="scroll"><table><tr>{heads}</tr>{body}</table></div>'


def _clock(seconds: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(seconds))
