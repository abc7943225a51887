"""Credentials, their stores and domains, over the REST interface of the credentials plugin."""

from __future__ import annotations

from typing import Any, NoReturn
from urllib.parse import quote

from lxml import etree

from configurator.clients.http.lost_answers import Found, create_once, delete_once
from configurator.clients.jenkins.names import folder_path, item_path
from configurator.clients.jenkins.transport import XML_HEADERS, Transport
from configurator.errors import NotFoundError, PermissionMissingError, ServerError

_FIELDS = "id,typeName,description,displayName,fullName"
GLOBAL_DOMAIN = "_"


class CredentialStores:
    """Credentials of the system store (folder None) and of folders' stores; domain None is the global one.

    Without the right, the plugin answers 404, not 403 (contract, fact 12). Every 404 is looked into, so that
    a missing credential is :class:`NotFoundError`, a missing right :class:`PermissionMissingError`.
    """

    _transport: Transport

    def list_credentials(self, folder: str | None, domain: str | None = None) -> list[dict[str, Any]]:
        """``id``, ``typeName``, ``description``, ``displayName`` and ``fullName`` of a domain's credentials.

        Raises:
            NotFoundError: no such folder or domain.
            PermissionMissingError: Credentials/View is missing.
        """
        try:
            return self._listed(folder, domain)
        except NotFoundError:
            self._explain(folder, domain, "Credentials/View")

    def list_domains(self, folder: str | None) -> list[str]:
        """Names of a store's domains, the global one left out.

        Raises:
            NotFoundError: no such folder.
            PermissionMissingError: Credentials/View is missing.
        """
        try:
            return self._domains(folder)
        except NotFoundError:
            self._explain(folder, None, "Credentials/View")

    def read_credential(self, folder: str | None, domain: str | None, credential_id: str) -> str:
        """XML of a credential, secrets redacted. Never write it back: that blanks them (contract, fact 3).

        Raises:
            NotFoundError: no such credential.
            PermissionMissingError: Credentials/View is missing.
        """
        path = _credential_path(folder, domain, credential_id)
        try:
            return self._transport.call("GET", path, needs="Credentials/View").text
        except NotFoundError as error:
            self._explain_credential(folder, domain, credential_id, "Credentials/View", error)

    def create_credential(self, folder: str | None, domain: str | None, xml: str) -> None:
        """Create a credential from its XML, which holds its id and its secrets.

        Raises:
            AlreadyExistsError: the id is in use.
            NotFoundError: no such folder or domain.
            PermissionMissingError: Credentials/Create is missing.
            ServerError: an XML that Jenkins can't load.
        """
        path = f"{_domain_path(folder, domain)}/createCredentials"
        credential_id = _id_in(xml)

        def create() -> None:
            try:
                self._transport.call("POST", path, data=xml, headers=XML_HEADERS, needs="Credentials/Create")
            except NotFoundError:
                self._explain(folder, domain, "Credentials/Create")

        def look() -> Found:
            listed = self.list_credentials(folder, domain)
            return Found.SAME if any(found["id"] == credential_id for found in listed) else Found.ABSENT

        create_once(create, look)

    def write_credential(self, folder: str | None, domain: str | None, credential_id: str, xml: str) -> None:
        """Replace a credential; ``xml`` must hold its real secrets.

        Raises:
            NotFoundError: no such credential.
            PermissionMissingError: Credentials/Update is missing.
        """
        path = _credential_path(folder, domain, credential_id)
        try:
            self._transport.call("POST", path, data=xml, headers=XML_HEADERS, needs="Credentials/Update")
        except NotFoundError as error:
            self._explain_credential(folder, domain, credential_id, "Credentials/Update", error)

    def delete_credential(self, folder: str | None, domain: str | None, credential_id: str) -> None:
        """Delete a credential.

        Raises:
            NotFoundError: it was not there to begin with.
            PermissionMissingError: Credentials/Delete is missing.
        """
        path = _credential_path(folder, domain, credential_id)
        try:
            delete_once(lambda: self._transport.call("DELETE", path, needs="Credentials/Delete"))
        except NotFoundError as error:
            self._explain_credential(folder, domain, credential_id, "Credentials/Delete", error)

    def create_domain(self, folder: str | None, name: str, description: str = "") -> None:
        """Create a credentials domain.

        It is always sent with ``<specifications/>``: without, Jenkins takes it, and from then on every
        look-up of a credential on the controller fails (contract, fact 14).

        Raises:
            AlreadyExistsError: there is one of that name.
            PermissionMissingError: Credentials/ManageDomains is missing.
        """
        root = etree.Element("com.cloudbees.plugins.credentials.domains.Domain")
        etree.SubElement(root, "name").text = name
        etree.SubElement(root, "description").text = description
        etree.SubElement(root, "specifications")
        xml = etree.tostring(root, encoding="unicode")
        needs = "Credentials/ManageDomains"

        def create() -> None:
            try:
                path = f"{_store_path(folder)}/createDomain"
                self._transport.call("POST", path, data=xml, headers=XML_HEADERS, needs=needs)
            except NotFoundError:
                self._explain(folder, None, needs)

        create_once(create, lambda: Found.SAME if name in self.list_domains(folder) else Found.ABSENT)

    def _listed(self, folder: str | None, domain: str | None) -> list[dict[str, Any]]:
        path = f"{_domain_path(folder, domain)}/api/json"
        answer = self._transport.read_json(path, {"tree": f"credentials[{_FIELDS}]"}, "Credentials/View")
        return list(answer.get("credentials", []))

    def _domains(self, folder: str | None) -> list[str]:
        path = f"{_store_path(folder)}/api/json"
        answer = self._transport.read_json(path, {"tree": "domains[urlName]"}, "Credentials/View")
        return [name for name in answer.get("domains", {}) if name != GLOBAL_DOMAIN]

    def _explain(self, folder: str | None, domain: str | None, needs: str) -> NoReturn:
        """Say what a 404 on a store or domain means: the folder, the domain or the right is missing."""
        label = self._transport.label
        if folder is not None:
            try:
                self._transport.read_json(f"{item_path(folder)}/api/json", {"tree": "fullName"})
            except NotFoundError:
                raise NotFoundError(label, f"there is no folder {folder}", "", 404) from None
        try:
            domains = self._domains(folder)
        except NotFoundError:
            domains = None
        if domains is not None and domain is not None and domain not in domains:
            raise NotFoundError(label, f"there is no credentials domain {domain}", "", 404) from None
        where = f"folder {folder}" if folder else "the global store"
        raise PermissionMissingError(
            label,
            f"credentials of {where}: needs {needs}",
            needs,
            "without it the credentials plugin answers 404; it also does where the plugin is not installed",
            404,
        ) from None

    def _explain_credential(
        self, folder: str | None, domain: str | None, credential_id: str, needs: str, error: ServerError
    ) -> NoReturn:
        """Say what a 404 on a credential means: it is missing, its domain or folder is, or the right."""
        try:
            listed = self._listed(folder, domain)
        except NotFoundError:
            self._explain(folder, domain, needs)
        if any(found["id"] == credential_id for found in listed):
            message = f"credential {credential_id}: needs {needs}"
            raise PermissionMissingError(self._transport.label, message, needs, status=404) from None
        message = f"there is no credential {credential_id}"
        raise NotFoundError(self._transport.label, message, "", error.status) from None


def _store_path(folder: str | None) -> str:
    store = "folder" if folder else "system"
    return f"{folder_path(folder)}/credentials/store/{store}"


def _domain_path(folder: str | None, domain: str | None) -> str:
    return f"{_store_path(folder)}/domain/{quote(domain or GLOBAL_DOMAIN, safe='')}"


def _credential_path(folder: str | None, domain: str | None, credential_id: str) -> str:
    return f"{_domain_path(folder, domain)}/credential/{quote(credential_id, safe='')}/config.xml"


def _id_in(xml: str) -> str | None:
    """The id in a credential's XML; None where the XML is broken, which Jenkins will say better."""
    try:
        return etree.fromstring(xml.encode(), etree.XMLParser(resolve_entities=False)).findtext("id")
    except etree.XMLSyntaxError:
        return None
