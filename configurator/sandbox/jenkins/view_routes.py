"""Routes of views, of the root and of folders."""

from __future__ import annotations

from configurator.sandbox.jenkins.call import Call
from configurator.sandbox.jenkins.controller import Controller
from configurator.sandbox.jenkins.items import BadNameError, Item, XmlError
from configurator.sandbox.jenkins.permissions import VIEW_CONFIGURE, VIEW_CREATE, VIEW_DELETE, VIEW_READ
from configurator.sandbox.jenkins.views import LastViewError
from configurator.sandbox.jenkins.xml_store import VIEW_SAVED, Element
from configurator.sandbox.server import Response


class ViewRoutes:
    """Answers requests about views.

    Args:
        controller: whose views.
    """

    def __init__(self, controller: Controller) -> None:
        self._controller = controller

    def create(self, call: Call, group: Item) -> Response:
        """``createView``."""
        call.need_post()
        call.need(VIEW_CREATE)
        call.need_xml()
        try:
            self._controller.views.create(group, call.request.query.get("name", ""), call.request.body)
        except BadNameError as error:
            return call.answers.failure(str(error))
        except XmlError:
            return call.answers.oops()
        return Response(200)

    def answer(self, call: Call, group: Item, name: str, rest: tuple[str, ...]) -> Response:
        """Any request about one view."""
        view = self._controller.views.find(group, name)
        if view is None:
            return call.answers.not_found()
        if rest == ("config.xml",):
            return self._config(call, group, view)
        if rest == ("doDelete",) or (not rest and call.request.method == "DELETE"):
            return self._delete(call, group, view)
        if rest == ("api", "json"):
            call.need(VIEW_READ)
            return call.json(call.exports.view(group, view))
        if rest == ("submitDescription",):
            call.need_post()
            call.need(VIEW_CONFIGURE)
            self._controller.views.describe(group, view, call.request.form().get("description", ""))
            return call.answers.redirect(call.request.path.removesuffix("submitDescription"))
        return call.answers.not_found()

    def _config(self, call: Call, group: Item, view: Element) -> Response:
        if call.is_get:
            call.need(VIEW_READ)
            return call.answers.xml(self._controller.xml.saved(view, VIEW_SAVED))
        call.need_post()
        call.need(VIEW_CONFIGURE)
        try:
            self._controller.views.update(group, view, call.request.body)
        except XmlError:
            return call.answers.oops()
        return Response(200)

    def _delete(self, call: Call, group: Item, view: Element) -> Response:
        by_form = call.request.method != "DELETE"
        if by_form:
            call.need_post()
        call.need(VIEW_DELETE)
        try:
            self._controller.views.remove(group, view)
        except LastViewError:
            return call.answers.oops()
        return call.answers.redirect(group.url_path) if by_form else Response(204)
