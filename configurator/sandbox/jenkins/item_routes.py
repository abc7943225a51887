"""Routes of items: create, read, change, delete, build."""

from __future__ import annotations

from collections.abc import Callable

from configurator.sandbox.jenkins import classes
from configurator.sandbox.jenkins.answers import Refused
from configurator.sandbox.jenkins.call import Call
from configurator.sandbox.jenkins.controller import Controller
from configurator.sandbox.jenkins.items import BadNameError, DuplicateError, Item, XmlError
from configurator.sandbox.jenkins.permissions import (
    ITEM_BUILD,
    ITEM_CONFIGURE,
    ITEM_CREATE,
    ITEM_DELETE,
    VIEW_CONFIGURE,
)
from configurator.sandbox.server import Response

_ItemRoute = Callable[[Call, Item], Response]


class ItemRoutes:
    """Answers requests about items.

    Args:
        controller: whose items.
    """

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._routes: dict[tuple[str, ...], _ItemRoute] = {
            ("api", "json"): lambda call, item: call.json(call.exports.item(item)),
            ("config.xml",): self._config,
            ("doDelete",): self._delete_by_form,
            ("confirmRename",): self._rename,
            ("disable",): self._disable,
            ("enable",): self._disable,
            ("submitDescription",): self._describe,
            ("build",): self._build,
            ("buildWithParameters",): self._build,
        }

    def create(self, call: Call, parent: Item) -> Response:
        """``createItem`` below the root or a folder."""
        call.need_post()
        call.need(ITEM_CREATE)
        call.need_xml()
        name = call.request.query.get("name")
        if name is None:
            return call.answers.failure("Query parameter 'name' is required")
        try:
            self._controller.items.create(parent, name, call.request.body)
        except BadNameError as error:
            return call.answers.failure(str(error))
        except DuplicateError as error:
            return call.answers.failure(f"A job already exists with the name ‘{error}’")
        except XmlError:
            return call.answers.oops()
        return Response(200)

    def answer(self, call: Call, item: Item, rest: tuple[str, ...]) -> Response:
        """Any other request about one item."""
        if call.request.method == "DELETE" and not rest:
            call.need(ITEM_DELETE)
            self._controller.remove(item)
            return Response(204)
        route = self._routes.get(rest)
        if route is not None:
            return route(call, item)
        if len(rest) == 3 and rest[1:] == ("api", "json") and not item.is_folder:
            return self._build_json(call, item, rest[0])
        return call.answers.not_found()

    def _config(self, call: Call, item: Item) -> Response:
        call.need(ITEM_CONFIGURE)
        if call.is_get:
            return call.answers.xml(item.disk)
        call.need_post()
        try:
            self._controller.items.update(item, call.request.body)
        except XmlError:
            return call.answers.oops()
        return Response(200)

    def _delete_by_form(self, call: Call, item: Item) -> Response:
        call.need_post()
        call.need(ITEM_DELETE)
        self._controller.remove(item)
        return call.answers.redirect(item.parent.url_path if item.parent else "")

    def _rename(self, call: Call, item: Item) -> Response:
        call.need_post()
        if not (call.user.may(ITEM_CREATE) and call.user.may(ITEM_DELETE)):
            call.need(ITEM_CONFIGURE)
        try:
            self._controller.rename(item, call.request.form().get("newName", ""))
        except BadNameError as error:
            return call.answers.failure(str(error))
        return call.answers.redirect(item.url_path.rstrip("/"))

    def _disable(self, call: Call, item: Item) -> Response:
        if item.is_folder:
            return call.answers.not_found()
        call.need_post()
        call.need(ITEM_CONFIGURE)
        self._controller.items.set_disabled(item, call.request.path.rstrip("/").endswith("disable"))
        return call.answers.redirect(item.url_path)

    def _describe(self, call: Call, item: Item) -> Response:
        """On a folder this is the form of its primary view: another permission, and the view's description."""
        call.need_post()
        call.need(VIEW_CONFIGURE if item.is_folder else ITEM_CONFIGURE)
        text = call.request.form().get("description", "")
        if item.is_folder:
            self._controller.views.describe(item, self._controller.views.primary(item), text)
        else:
            self._controller.items.set_description(item, text)
        return call.answers.redirect(item.url_path)

    def _build(self, call: Call, item: Item) -> Response:
        if item.is_folder:
            return call.answers.not_found()
        call.need_post()
        call.need(ITEM_BUILD)
        items = self._controller.items
        if items.class_name(item) == classes.MULTIBRANCH:
            return call.answers.redirect(item.url_path)
        if items.disabled(item):
            raise Refused(call.answers.container(409, f"{item.full_name} is not buildable"))
        parameters = items.parameters(item)
        if call.request.path.rstrip("/").endswith("/build"):
            if parameters is not None:
                return call.answers.failure("This job has parameters: use buildWithParameters")
            parameters = {}
        elif parameters is None:
            return call.answers.oops()  # "This build is not parameterized!"
        sent = {**call.request.query, **call.request.form()}
        values = {name: sent.get(name, default) for name, default in parameters.items()}
        build = self._controller.queue.schedule(item, f"Started by user {call.user.name}", values)
        location = f"{call.answers.context_path}/queue/item/{build.queue_id}/"
        return Response(201, "", {"Location": location})

    def _build_json(self, call: Call, item: Item, which: str) -> Response:
        builds = self._controller.queue.of_job(item.full_name)
        for build in reversed(builds):
            if which in (str(build.number), "lastBuild"):
                return call.json(call.exports.build(item, build))
        return call.answers.not_found()
