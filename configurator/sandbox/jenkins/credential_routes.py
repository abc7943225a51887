"""Routes of the credentials API. Without a right on credentials all of it is absent (contract, fact 12)."""

from __future__ import annotations

from configurator.sandbox.jenkins import permissions as rights
from configurator.sandbox.jenkins.call import Call
from configurator.sandbox.jenkins.controller import Controller
from configurator.sandbox.jenkins.credentials import CredentialExistsError, CredentialStore, Domain
from configurator.sandbox.jenkins.items import Item
from configurator.sandbox.jenkins.xml_store import XmlError, parse
from configurator.sandbox.server import Response


class CredentialRoutes:
    """Answers requests below ``credentials/store/…``.

    Args:
        controller: whose credentials.
    """

    def __init__(self, controller: Controller) -> None:
        self._controller = controller

    def answer(self, call: Call, owner: Item, rest: tuple[str, ...]) -> Response:
        """Any request about a store; ``rest`` begins with the store's name."""
        name = "system" if owner.parent is None else "folder"
        readable = call.user.may(rights.CREDENTIALS_VIEW)
        writable = any(
            call.user.may(right)
            for right in (rights.CREDENTIALS_CREATE, rights.CREDENTIALS_UPDATE, rights.CREDENTIALS_DELETE)
        )
        if rest[:1] != (name,) or not (readable or writable):
            return self._absent(call)
        credentials = self._controller.credentials
        store = credentials.system if owner.parent is None else credentials.of_folder(owner)
        rest = rest[1:]
        if rest == ("api", "json"):
            return call.json(call.exports.store(store)) if readable else self._absent(call)
        if rest == ("createDomain",):
            return self._create_domain(call, store)
        domain = store.domain(rest[1]) if len(rest) > 1 and rest[0] == "domain" else None
        if domain is None:
            return self._absent(call)
        return self._of_domain(call, store, domain, rest[2:])

    def _of_domain(self, call: Call, store: CredentialStore, domain: Domain, rest: tuple[str, ...]) -> Response:
        if rest in (("config.xml",), ("doDelete",)) and domain.name is not None:
            return self._domain(call, store, domain, rest[0])
        if self._controller.credentials.lookup_broken():
            return call.answers.oops()  # NullPointerException, contract, fact 14
        if rest == ("api", "json"):
            readable = call.user.may(rights.CREDENTIALS_VIEW)
            return call.json(call.exports.domain(store, domain)) if readable else self._absent(call)
        if rest == ("createCredentials",):
            return self._create(call, store, domain)
        if len(rest) == 3 and rest[0] == "credential" and rest[2] in ("config.xml", "doDelete"):
            return self._credential(call, store, domain, rest[1], rest[2])
        return self._absent(call)

    def _create(self, call: Call, store: CredentialStore, domain: Domain) -> Response:
        call.need_post()
        if not call.user.may(rights.CREDENTIALS_CREATE):
            return self._absent(call)
        try:
            store.add(domain, call.request.body)
        except CredentialExistsError:
            return Response(409)
        except XmlError:
            return call.answers.oops()
        return Response(200)

    def _credential(
        self, call: Call, store: CredentialStore, domain: Domain, credential_id: str, action: str
    ) -> Response:
        found = domain.find(credential_id)
        if found is None:
            return self._absent(call)
        deleting = call.request.method == "DELETE" or action == "doDelete"
        writing = rights.CREDENTIALS_DELETE if deleting else rights.CREDENTIALS_UPDATE
        reading = call.is_get and not deleting
        if not call.user.may(rights.CREDENTIALS_VIEW if reading else writing):
            return self._absent(call)
        if action == "doDelete":
            call.need_post()
            store.remove(domain, found)
            return call.answers.redirect(call.request.path.split("/credential/")[0])
        if call.is_get:
            return call.answers.xml(self._controller.xml.redacted(found))
        if deleting:
            store.remove(domain, found)
            return Response(200)
        call.need_post()
        try:
            store.update(domain, found, call.request.body)
        except XmlError:
            return call.answers.oops()
        return Response(200)

    def _create_domain(self, call: Call, store: CredentialStore) -> Response:
        call.need_post()
        if not call.user.may(rights.CREDENTIALS_DOMAINS):
            return self._absent(call)
        try:
            store.add_domain(call.request.body)
        except CredentialExistsError:
            return Response(409)
        except XmlError:
            return call.answers.oops()
        return Response(200)

    def _domain(self, call: Call, store: CredentialStore, domain: Domain, action: str) -> Response:
        if not call.user.may(rights.CREDENTIALS_DOMAINS):
            return self._absent(call)
        if call.request.method == "DELETE" or action == "doDelete":
            if action == "doDelete":
                call.need_post()
            store.remove_domain(domain)
            shown = call.request.path.split("/domain/")[0]
            return call.answers.redirect(shown) if action == "doDelete" else Response(200)
        if call.is_get:
            return call.answers.xml(self._controller.xml.redacted(domain.entry[0]))
        call.need_post()
        try:
            parse(call.request.body)
            store.update_domain(domain, call.request.body)
        except XmlError:
            return call.answers.oops()
        return Response(200)

    @staticmethod
    def _absent(call: Call) -> Response:
        return Response(404) if call.request.method == "DELETE" else call.answers.not_found()
