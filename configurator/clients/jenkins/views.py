"""Views, of the root and of folders."""

from __future__ import annotations

from typing import Any

from configurator.clients.http.lost_answers import create_once, delete_once
from configurator.clients.jenkins.names import folder_path, parent_of, view_path
from configurator.clients.jenkins.read_back import look_back
from configurator.clients.jenkins.transport import XML_HEADERS, Transport


class Views:
    """Reading and writing views. A view's full name is ``VIEW`` or ``FOLDER/…/VIEW``."""

    _transport: Transport

    def list_views(self, folder: str | None) -> list[dict[str, Any]]:
        """``name``, ``_class`` and ``description`` of the views of a folder, None = the root."""
        path = f"{folder_path(folder)}/api/json"
        answer = self._transport.read_json(path, {"tree": "views[name,_class,description]"}, "View/Read")
        return list(answer.get("views", []))

    def read_view(self, full_name: str) -> str:
        """``config.xml`` of a view. Raises NotFoundError, PermissionMissingError."""
        return str(self._transport.get_view_config(full_name))

    def create_view(self, full_name: str, xml: str) -> None:
        """Create a view; errors as with :meth:`.Items.create_item`."""
        folder, name = parent_of(full_name)

        def create() -> None:
            self._transport.call(
                "POST",
                f"{folder_path(folder)}/createView",
                params={"name": name},
                data=xml,
                headers=XML_HEADERS,
                needs="View/Create",
            )

        create_once(create, lambda: look_back(lambda: self.read_view(full_name), xml))

    def write_view(self, full_name: str, xml: str) -> None:
        """Replace the configuration of a view; errors as with :meth:`.Items.write_item`."""
        self._transport.reconfig_view(full_name, xml)

    def delete_view(self, full_name: str) -> None:
        """Delete a view. Raises NotFoundError, PermissionMissingError (View/Delete)."""
        path = f"{view_path(full_name)}/doDelete"
        delete_once(lambda: self._transport.call("POST", path, needs="View/Delete"))
