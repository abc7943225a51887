"""What is known of a Jenkins, judged. Pure: no server, no clock."""

from __future__ import annotations

from collections.abc import Iterable

from configurator.clients.http.failures import TlsError
from configurator.errors import ServerError, UnauthorisedError
from configurator.kinds.plugin import GITLAB_PLUGIN, version_number
from configurator.spec.models import GitLab, Plugin
from configurator.tokens.checks import Check, Verdict
from configurator.world.found import Hidden, Inventory

JENKINS = "jenkins"
MOST_SKEW = 60.0
"""Seconds that two clocks may differ: an answer takes its time, and a header knows whole seconds only."""
_LEAST_RIGHTS = (
    "Overall/Read, Job/Read, Create, Configure, Delete and Build, View/Read, Create, Configure and Delete, "
    "Credentials/View, Create, Update and Delete"
)


def judge_failed(error: ServerError, url: str) -> Check:
    """Why a Jenkins can't be asked."""
    if isinstance(error, TlsError):
        return Check(JENKINS, "tls", Verdict.FAIL, f"{url}: {error.reason}", error.hint)
    if isinstance(error, UnauthorisedError):
        cure = f"make a new API token ({url}/me/security), and see that jenkins.username is the user's id"
        return Check(JENKINS, "user", Verdict.FAIL, error.reason, error.hint if "anonymous" in error.reason else cure)
    return Check(JENKINS, "reachable", Verdict.FAIL, f"{url}: {error.reason}", error.hint or f"look at {url}")


def judge_jenkins_reachable(url: str, version: str) -> Check:
    """A Jenkins that answers."""
    return Check(JENKINS, "reachable", Verdict.OK, f"Jenkins {version} answers at {url}")


def judge_user(user: str) -> Check:
    """Whom Jenkins takes us for."""
    return Check(JENKINS, "user", Verdict.OK, f"logged in as {user}")


def judge_clock(skew: float | None) -> Check:
    """How far Jenkins' clock is from ours.

    Args:
        skew: seconds that it is ahead; None = it does not tell the time.
    """
    if skew is None:
        cure = "compare `date` on both machines"
        return Check(JENKINS, "clock", Verdict.UNKNOWN, "Jenkins does not tell its time", cure)
    if abs(skew) <= MOST_SKEW:
        return Check(JENKINS, "clock", Verdict.OK, "its clock and ours agree")
    seconds = round(abs(skew))
    evidence = f"its clock is {_span(seconds)} {'ahead of' if skew > 0 else 'behind'} ours"
    cure = "set both by NTP: tokens end at a moment, and logs are compared by time"
    return Check(JENKINS, "clock", Verdict.WARN, evidence, cure)


def judge_crumb(status: int, *, has_crumb: bool) -> Check:
    """Whether writes with a password can be proven to be meant (contract, fact 12).

    Args:
        status: what the crumb issuer answered.
        has_crumb: there was a crumb in it.
    """
    if status == 200 and has_crumb:
        return Check(JENKINS, "crumb", Verdict.OK, "Jenkins gives out crumbs, which a password needs")
    if status == 404:
        cure = "let an administrator switch it on in Manage Jenkins > Security; use jenkins.api_token meanwhile"
        return Check(JENKINS, "crumb", Verdict.WARN, "the protection against forged requests is switched off", cure)
    cure = "use jenkins.api_token instead of jenkins.password, or let the proxy pass /crumbIssuer and cookies on"
    return Check(JENKINS, "crumb", Verdict.FAIL, f"Jenkins gives out no crumb ({status})", cure)


def judge_permissions(user: str, inventory: Inventory) -> Check:
    """What we may do. Without Administer Jenkins does not tell, but for what it refused to show."""
    if inventory.administer:
        return Check(JENKINS, "permissions", Verdict.OK, "Overall/Administer")
    hidden = ["the GitLab connection"]
    if isinstance(inventory.plugins, Hidden):
        hidden.append("plugins")
    if isinstance(inventory.credentials, Hidden):
        hidden.append(f"credentials ({inventory.credentials.permission})")
    evidence = f"{user} has no Overall/Administer; unchecked remain {', '.join(hidden)}"
    cure = f"give {user} Overall/Administer; or at least {_LEAST_RIGHTS}, and leave the rest to an administrator"
    return Check(JENKINS, "permissions", Verdict.UNKNOWN, evidence, cure)


def judge_plugins(wanted: Iterable[str | Plugin], inventory: Inventory, url: str, *, hooked: bool) -> list[Check]:
    """The plugins of the spec, and the GitLab plugin.

    Args:
        wanted: ``jenkins.plugins`` of the spec.
        inventory: what is there.
        url: Jenkins' root URL.
        hooked: jobs of the spec have a GitLab trigger.
    """
    plugins = inventory.plugins
    if isinstance(plugins, Hidden):
        evidence, cure = (
            f"the plugins can't be seen without {plugins.permission}",
            f"look at {url}/manage/pluginManager",
        )
        return [Check(JENKINS, "plugins", Verdict.UNKNOWN, evidence, cure)]
    minimums = {
        one if isinstance(one, str) else one.id: None if isinstance(one, str) else one.minimum for one in wanted
    }
    failed = []  # what an apply mends is a warning, as everything else that is not made yet
    if hooked and GITLAB_PLUGIN not in plugins and GITLAB_PLUGIN not in minimums:
        cure = f"put {GITLAB_PLUGIN} under jenkins.plugins, then run `configurator apply`"
        failed.append(Check(JENKINS, "plugins", Verdict.FAIL, f"{GITLAB_PLUGIN} is not installed", cure))
    missing = [id for id in minimums if id not in plugins]
    if missing:
        evidence = f"not installed: {', '.join(missing)}"
        failed.append(Check(JENKINS, "plugins", Verdict.WARN, evidence, "run `configurator apply`"))
    old = [
        f"{id} {plugins[id]} (at least {minimum})"
        for id, minimum in minimums.items()
        if minimum and id in plugins and version_number(plugins[id]) < version_number(minimum)
    ]
    if old:
        cure = "run `configurator apply`, then restart Jenkins where it asks for it"
        failed.append(Check(JENKINS, "plugins", Verdict.WARN, f"too old: {', '.join(old)}", cure))
    asleep = sorted({*minimums, GITLAB_PLUGIN} & inventory.inactive)
    if asleep:
        cure = f"enable them ({url}/manage/pluginManager/installed) and restart Jenkins"
        failed.append(Check(JENKINS, "plugins", Verdict.FAIL, f"installed and not active: {', '.join(asleep)}", cure))
    if failed:
        return failed
    gitlab = f"{GITLAB_PLUGIN} {plugins[GITLAB_PLUGIN]}" if GITLAB_PLUGIN in plugins else f"no {GITLAB_PLUGIN}"
    return [Check(JENKINS, "plugins", Verdict.OK, gitlab)]


def untested_connection(entry: GitLab, inventory: Inventory, url: str) -> Check | None:
    """Why Jenkins can't try its way to a GitLab; None = it can."""
    if not inventory.administer:
        cure = f"give the user Overall/Administer, or press Test Connection at {url}/manage/configure"
        return _connection(entry, Verdict.UNKNOWN, "only Overall/Administer may let Jenkins test a connection", cure)
    if inventory.connections is None:
        cure = "run `configurator apply` with gitlab-plugin under jenkins.plugins"
        return _connection(entry, Verdict.UNKNOWN, "the GitLab plugin is not installed, or not active", cure)
    listed = inventory.credentials
    here = not isinstance(listed, Hidden) and any(
        one.id == entry.credential.id and one.folder is None for one in listed
    )
    if not here:
        evidence = f"Jenkins has no credential {entry.credential.id} yet"
        cure = "run `configurator apply`" if entry.manage else "have the one who manages the connection make it"
        return _connection(entry, Verdict.UNKNOWN, evidence, cure)
    return None


def judge_connection(entry: GitLab, works: bool, said: str) -> Check:
    """What Jenkins' own Test Connection came to (contract, fact 19)."""
    who = f"with the credential {entry.credential.id}"
    if works:
        return _connection(entry, Verdict.OK, f"Jenkins reaches {entry.url} {who}")
    return _connection(
        entry, Verdict.FAIL, f"Jenkins can't use {entry.url} {who}: {said}", _connection_cure(entry, said)
    )


def unanswered_connection(entry: GitLab, error: ServerError) -> Check:
    """Jenkins could not be asked to try its connection."""
    cure = error.hint or "run this again later"
    return _connection(entry, Verdict.UNKNOWN, f"Jenkins could not be asked: {error.reason}", cure)


def _connection_cure(entry: GitLab, said: str) -> str:
    lowered = said.lower()
    if "401" in lowered or "403" in lowered:
        return f"GitLab refuses the token in it: run `configurator apply`, and see the token of {entry.name} above"
    if any(word in lowered for word in ("pkix", "certificate", "ssl", "tls")):
        return "let Jenkins' Java trust the authority, or set `ignore_certificate_errors: true` for a test"
    if any(word in lowered for word in ("refused", "timed out", "unknown host", "unknownhost", "unreachable", "route")):
        return "let Jenkins' machine through to GitLab: name, port, firewall, and Jenkins' own proxy settings"
    if "client-builder" in lowered or "404" in lowered:
        return "check gitlab.url, as Jenkins' machine sees it; and `client`, which should be autodetect"
    if "no credentials" in lowered:
        return "run `configurator apply`"
    return "see the log of Jenkins"


def _connection(entry: GitLab, verdict: Verdict, evidence: str, cure: str = "") -> Check:
    return Check(f"connection:{entry.name}", "connection", verdict, evidence, cure)


def _span(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
