"""A Jenkins looked at: may we do what we are for, and does it reach its GitLabs."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from email.utils import parsedate_to_datetime

import requests

from configurator.clients.jenkins import JenkinsClient
from configurator.clients.jenkins.errors import error_for, not_jenkins
from configurator.errors import PermissionMissingError, ServerError
from configurator.spec.models import GitLab
from configurator.tokens.checking.judge_instance import judge_tls
from configurator.tokens.checking.judge_jenkins import (
    JENKINS,
    judge_clock,
    judge_connection,
    judge_crumb,
    judge_failed,
    judge_jenkins_reachable,
    judge_permissions,
    judge_plugins,
    judge_user,
    unanswered_connection,
    untested_connection,
)
from configurator.tokens.checks import Check, Verdict
from configurator.world.found import Inventory, Question
from configurator.world.inventory import take_inventory
from configurator.world.world import World


def inspect_jenkins(world: World, *, names: Collection[str] | None = None, now: float | None = None) -> list[Check]:
    """Look at the controller of a spec. Changes nothing, and never raises for what the server says.

    It takes three requests and one for each gitlab entry; two more without Administer.

    Args:
        world: the spec with its servers.
        names: gitlab entries whose connection is tested; None = all.
        now: seconds since the epoch; None = now.

    Returns:
        ``reachable``, ``tls``, ``user``, ``clock``, ``crumb`` (with a password only), ``permissions`` and ``plugins``
        of ``jenkins``, and ``connection`` of each ``connection:NAME``.
    """
    client, spec = world.jenkins, world.expanded.spec
    checks: list[Check] = []
    try:
        version, skew = _greeting(client, now)
        checks += [
            judge_jenkins_reachable(client.url, version),
            judge_tls(JENKINS, client.url, verified=client.http.verifies_tls),
        ]
        user = client.whoami()
        checks += [judge_user(user), judge_clock(skew)]
        if spec.jenkins.api_token is None:
            checks.append(_crumb(client))
        inventory = take_inventory(client, _question(world), world.salt, world.pool)
    except PermissionMissingError as error:
        cure = f"give {spec.jenkins.username} {error.permission}"
        return [*checks, Check(JENKINS, "permissions", Verdict.FAIL, error.reason, cure)]
    except ServerError as error:
        return [*checks, judge_failed(error, client.url)]
    hooked = any(job.trigger_project for job in world.expanded.jobs)
    checks.append(judge_permissions(user, inventory))
    checks += judge_plugins(spec.jenkins.plugins, inventory, client.url, hooked=hooked)
    entries = [entry for entry in spec.gitlab if names is None or entry.name in names]
    return [*checks, *world.pool.map(lambda entry: _connection(client, entry, inventory), entries)]


def _greeting(client: JenkinsClient, now: float | None) -> tuple[str, float | None]:
    """Version, and seconds that its clock is ahead of ours. Raises ServerError."""
    asked = time.time()
    response = client.http.send("GET", "/api/json", params={"tree": "_class"})
    moment = (asked + time.time()) / 2 if now is None else now
    version = response.headers.get("X-Jenkins")
    if response.status_code in (401, 403, 503):
        raise error_for(client.label, response, client.http.redactor, "GET /api/json", "Overall/Read")
    if not version:
        raise not_jenkins(client.label, response, client.http.redactor)
    return version, _skew(response.headers, moment)


def _skew(headers: Mapping[str, str], now: float) -> float | None:
    try:
        return parsedate_to_datetime(headers["Date"]).timestamp() - now
    except (KeyError, ValueError):
        return None


def _crumb(client: JenkinsClient) -> Check:
    response = client.http.send("GET", "/crumbIssuer/api/json")
    try:
        document = response.json()
    except requests.exceptions.JSONDecodeError:
        document = None
    return judge_crumb(response.status_code, has_crumb=isinstance(document, dict) and bool(document.get("crumb")))


def _question(world: World) -> Question:
    """The credentials of the connections, and nothing of what the spec wants: no mark has an owner without a name."""
    credentials = tuple((None, None, entry.credential.id) for entry in world.expanded.spec.gitlab)
    return Question(owner="", jobs=(), folders=(), views=(), credentials=credentials)


def _connection(client: JenkinsClient, entry: GitLab, inventory: Inventory) -> Check:
    untested = untested_connection(entry, inventory, client.url)
    if untested is not None:
        return untested
    try:
        works, said = client.test_connection(
            entry.url,
            entry.credential.id,
            client=entry.client,
            ignore_certificate_errors=entry.ignore_certificate_errors,
            connection_timeout=entry.connection_timeout,
            read_timeout=entry.read_timeout,
        )
    except ServerError as error:
        return unanswered_connection(entry, error)
    return judge_connection(entry, works, said)
