"""What is on the controller, read in bulk once for all kinds.

Two ways to the same :class:`~configurator.world.found.Inventory`: one script request where the caller has Administer
(here), REST requests in parallel where it has not (``inventory_rest.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from typing import Any

from configurator.clients.jenkins import JenkinsClient
from configurator.errors import NotFoundError, PermissionMissingError
from configurator.world.found import ConnectionFound, CredentialFound, Inventory, Item, Question, ViewFound
from configurator.world.inventory_rest import inventory_by_rest


def take_inventory(client: JenkinsClient, question: Question, salt: str, pool: Executor) -> Inventory:
    """Read the controller by the shortest way that the caller's rights allow.

    Args:
        client: the controller.
        question: what the run wants to know.
        salt: hex, for the digests of credentials.
        pool: workers for the way without Administer.

    Raises:
        ServerError: the controller can't be reached, refuses the user, or a script failed.
    """
    payload = {
        "owner": question.owner,
        "salt": salt,
        "items": [*question.folders, *question.jobs],
        "views": list(question.views),
        "credentials": sorted({id for _, _, id in question.credentials}),
    }
    try:
        answer = client.run("inventory", payload)
    except (PermissionMissingError, NotFoundError):  # 404: a proxy in front hides the script console
        return inventory_by_rest(client, question, pool)
    return _from_answer(answer)


def _from_answer(answer: Mapping[str, Any]) -> Inventory:
    items = [
        Item(
            name=item["name"],
            cls=item["class"],
            description=item["description"] or "",
            xml=item.get("xml"),
            children=tuple(item["children"]) if item.get("children") is not None else None,
            error=item.get("error") or "",
        )
        for item in answer["items"]
    ]
    views = [ViewFound(view["name"], view["description"] or "", view["xml"]) for view in answer["views"]]
    credentials = [
        CredentialFound(
            one["folder"],
            one["domain"],
            one["id"],
            one["class"],
            one["description"] or "",
            one.get("username"),
            one.get("digest"),
            one.get("passphrase"),
        )
        for one in answer["credentials"]
    ]
    connections = answer["connections"]
    return Inventory(
        administer=True,
        items={item.name: item for item in items},
        views={view.name: view for view in views},
        credentials=credentials,
        connections=None if connections is None else read_connections(connections),
        plugins={plugin["id"]: plugin["version"] for plugin in answer["plugins"]},
        inactive=frozenset(plugin["id"] for plugin in answer["plugins"] if not plugin["active"]),
        authenticated_endpoint=answer.get("authenticated_endpoint"),
    )


def read_connections(answer: Iterable[Mapping[str, Any]]) -> dict[str, ConnectionFound]:
    """Connections as our scripts print them, by name; the stock controller's empty one left out."""
    return {
        one["name"]: ConnectionFound(
            one["name"],
            one["url"] or "",
            one["credential"] or "",
            one["client"] or "autodetect",
            bool(one["ignore_certificate_errors"]),
            int(one["connection_timeout"]),
            int(one["read_timeout"]),
        )
        for one in answer
        if one["name"]
    }
