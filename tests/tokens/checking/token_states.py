"""Every state that a token, or the way to its GitLab, can be in, and how it is made.

What is said of each, word for word, stands in ``token_states.txt``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.gitlab.model import Token
from configurator.sandbox.server import Fault, Response
from configurator.tokens.checking.evidence import HOOKS, PLUGIN, READING, Need

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
TODAY = NOW.date()
PROJECTS = ("shop/payments", "shop/catalog", "zoo/ape")
HTML = {"Content-Type": "text/html; charset=utf-8"}
JSON = {"Content-Type": "application/json"}
READS = ["Personal Access Token: Read", "User: Read", "Metadata: Read", "Project: Read"]


@dataclass(frozen=True)
class State:
    """A state.

    Attributes:
        name: what it is.
        make: brings it about, and gives the token (or its value) to use.
        version: of the GitLab.
        projects: that the spec names.
        need: what the token is to be good for.
        min_days: as on the command line.
    """

    name: str
    make: Callable[[GitLabSandbox], Token | str]
    version: str = "18.5.0"
    projects: tuple[str, ...] = PROJECTS
    need: Need = HOOKS
    min_days: int = 0


def day(days: int) -> date:
    return TODAY + timedelta(days=days)


def answers(status: int, body: str, headers: dict[str, str] = HTML, part: str = "") -> Callable[[GitLabSandbox], Token]:
    """Something answers every request (whose path contains ``part``) in GitLab's place."""

    def make(gitlab: GitLabSandbox) -> Token:
        fault = Fault(lambda request: part in request.path, "answer", Response(status, body, headers), times=99)
        gitlab.inject(fault)
        return gitlab.add_token("ann")

    return make


def expiring(days: int) -> Callable[[GitLabSandbox], Token]:
    return lambda gitlab: gitlab.add_token("ann", expires_at=day(days))


def revoked(gitlab: GitLabSandbox) -> Token:
    token = gitlab.add_token("ann")
    token.revoked = True
    return token


def shut_out(attribute: str, value: object) -> Callable[[GitLabSandbox], Token]:
    def make(gitlab: GitLabSandbox) -> Token:
        setattr(gitlab.users["ann"], attribute, value)
        return gitlab.add_token("ann")

    return make


def setting(name: str, value: object, **options: object) -> Callable[[GitLabSandbox], Token]:
    def make(gitlab: GitLabSandbox) -> Token:
        setattr(gitlab.settings, name, value)
        return gitlab.add_token("ann", **options)  # type: ignore[arg-type]

    return make


def scoped(*scopes: str) -> Callable[[GitLabSandbox], Token]:
    return lambda gitlab: gitlab.add_token("ann", scopes)


def fine_grained(permissions: list[str], projects: list[int] | None = None) -> Callable[[GitLabSandbox], Token]:
    return lambda gitlab: gitlab.add_token("ann", kind="fine-grained", permissions=permissions, projects=projects)


def role(levels: dict[str, int]) -> Callable[[GitLabSandbox], Token]:
    def make(gitlab: GitLabSandbox) -> Token:
        for path, level in levels.items():
            project = gitlab.projects[path]
            project.members = {gitlab.users["ann"].id: level} if level else {}
        return gitlab.add_token("ann")

    return make


def moved(gitlab: GitLabSandbox) -> Token:
    gitlab.move_project("zoo/ape", "zoo/monkey")
    return gitlab.add_token("ann")


def group_bot(path: str, **options: object) -> Callable[[GitLabSandbox], Token]:
    return lambda gitlab: gitlab.add_resource_token(gitlab.add_group(path), "ci", **options)


def project_bot(gitlab: GitLabSandbox) -> Token:
    return gitlab.add_resource_token(gitlab.projects["shop/payments"], "ci")


def restricted(gitlab: GitLabSandbox) -> Token:
    gitlab.add_group("shop").ip_restricted = True
    return gitlab.add_token("ann")


def admin(scopes: list[str], admin_mode: bool) -> Callable[[GitLabSandbox], Token]:
    def make(gitlab: GitLabSandbox) -> Token:
        gitlab.add_user("root", admin=True)
        gitlab.settings.admin_mode = admin_mode
        return gitlab.add_token("root", scopes)

    return make


def service_account(gitlab: GitLabSandbox) -> Token:
    user = gitlab.add_user("service_account_group_1_abc", bot=True)
    for path in PROJECTS:
        gitlab.projects[path].members[user.id] = 40
    return gitlab.add_token(user)


def oauth(gitlab: GitLabSandbox) -> Token:
    return gitlab.add_token("ann", kind="oauth")


def old_oauth(gitlab: GitLabSandbox) -> Token:
    token = gitlab.add_token("ann", kind="oauth")
    token.lifetime = -1
    return token


def archived(gitlab: GitLabSandbox) -> Token:
    gitlab.projects["zoo/ape"].archived = True
    return gitlab.add_token("ann")


def to_https(gitlab: GitLabSandbox) -> Token:
    there = f"https{gitlab.url.removeprefix('http')}/api/v4/personal_access_tokens/self"
    return answers(301, "", {"Location": there})(gitlab)


def text(value: str) -> Callable[[GitLabSandbox], str]:
    return lambda gitlab: value


STATES: list[State] = [
    State("good", scoped("api")),
    State("good without an end", lambda gitlab: gitlab.add_token("ann", expires_at="never")),
    State("expired long ago", expiring(-30)),
    State("expires today", expiring(0)),
    State("expires tomorrow", expiring(1)),
    State("expires in 5 days", expiring(5)),
    State("expires in 29 days", expiring(29)),
    State("expires in 30 days", expiring(30)),
    State("expires in 31 days", expiring(31)),
    State("more days are asked for", expiring(31), min_days=60),
    State("revoked", revoked),
    State("unknown", text("glpat-00000000000000000000")),
    State("cut off while copying", text("glpat-0000000000")),
    State("CI/CD job token", text("glcbt-64_abcdefghij0123456789")),
    State("deploy token", text("gldt-abcdefghij0123456789")),
    State("runner token", text("glrt-abcdefghij0123456789")),
    State("trigger token", text("glptt-" + "ab" * 20)),
    State("GitHub token", text("ghp_" + "ab" * 18)),
    State("Jenkins API token", text("11" + "0a" * 16)),
    State("OAuth token in the wrong header", text("ab" * 32)),
    State("impersonation switched off", setting("impersonation", False, kind="impersonation")),
    State("no scope", scoped()),
    State("read_user", scoped("read_user")),
    State("read_api", scoped("read_api")),
    State("read_api where that is enough", scoped("read_api"), need=READING),
    State("api where read_api is enough", scoped("api"), need=READING),
    State("more than needed", scoped("api", "sudo", "write_repository")),
    State("api with self_rotate", scoped("api", "self_rotate")),
    State("admin_mode without need", scoped("api", "admin_mode")),
    State("administrator", admin(["api"], admin_mode=False)),
    State("administrator kept out by admin mode", admin(["api"], admin_mode=True)),
    State("administrator in admin mode", admin(["api", "admin_mode"], admin_mode=True)),
    State("service account", service_account),
    State("fine-grained, with all rights", fine_grained([*READS, "Webhook: Read"]), version="19.1.0"),
    State("fine-grained, may not look at itself", fine_grained(["User: Read", "Project: Read", "Webhook: Read"])),
    State("fine-grained, without webhooks", fine_grained(READS), version="19.1.0"),
    State("fine-grained, one project", fine_grained([*READS, "Webhook: Read"], [1]), version="19.1.0"),
    State("fine-grained, webhooks and nothing else", fine_grained(["Webhook: Read"], [1]), version="19.1.0"),
    State("only fine-grained tokens are let in", setting("enforce_fine_grained", True), version="19.1.0"),
    State("project bot with its project", project_bot, projects=("shop/payments",)),
    State("project bot beyond its project", project_bot),
    State("group bot with its projects", group_bot("shop"), projects=("shop/payments", "Shop/Catalog")),
    State("group bot beyond its group", group_bot("shop")),
    State("group bot of another group", group_bot("tools")),
    State("group bot with too low a role", group_bot("shop", access_level=30), projects=("shop/payments",)),
    State("group bot that expires", group_bot("shop", expires_at=day(5)), projects=("shop/payments",)),
    State("blocked", shut_out("state", "blocked")),
    State("deactivated", shut_out("state", "deactivated")),
    State("terms not accepted", shut_out("terms_accepted", False)),
    State("password expired", shut_out("refusal", "Your password expired.")),
    State("second factor required", shut_out("refusal", "You must set up two-factor authentication.")),
    State("mail not confirmed", shut_out("refusal", "Your primary email address is not confirmed.")),
    State("account locked", shut_out("refusal", "Your account is locked.")),
    State("approval pending", shut_out("refusal", "Your account is pending approval.")),
    State("another reason", shut_out("refusal", "Not on Sundays.")),
    State("address not allowed", setting("ip_refusal", "Too many logins from different IPs.")),
    State("address not on the group's list", restricted),
    State("OAuth, where self answers 400", oauth),
    State("OAuth, ended", old_oauth),
    State("15.0, without self", scoped("api"), version="15.0.0"),
    State("15.4, without self, unknown", text("glpat-00000000000000000000"), version="15.4.0"),
    State("16.2, where a token can be rotated", expiring(9), version="16.2.0"),
    State("17.0, without descriptions", scoped("api"), version="17.0.0"),
    State("role too low in one project", role({"zoo/ape": 30})),
    State("Reporter only", role(dict.fromkeys(PROJECTS, 20))),
    State("Guest in one project", role({"zoo/ape": 10})),
    State("Developer, which is enough for Jenkins", role(dict.fromkeys(PROJECTS, 30)), need=PLUGIN),
    State("Reporter, which is too low for Jenkins", role({"zoo/ape": 20}), need=PLUGIN),
    State("no project visible", role(dict.fromkeys(PROJECTS, 0))),
    State("one project not there", scoped("api"), projects=("shop/payments", "shop/none")),
    State("letter case makes no difference", scoped("api"), projects=("Shop/PAYMENTS",)),
    State("project moved", moved),
    State("project archived", archived),
    State("maintenance mode", setting("maintenance", True)),
    State("read-only", setting("read_only", True)),
    State("rate limit", answers(429, "Retry later", {"Retry-After": "3600"})),
    State("bad gateway", answers(502, "<html><title>502 Bad Gateway</title></html>")),
    State("GitLab fails", answers(500, '{"message":"500 Internal Server Error"}', JSON)),
    State("a user that is not shown", answers(404, '{"message":"404 User Not Found"}', JSON, "/api/v4/user")),
    State("listing fails", answers(500, '{"message":"500 Internal Server Error"}', JSON, "/api/v4/projects")),
    State("login page of a proxy", answers(302, "", {"Location": "https://sso.example.com/login?next=/"})),
    State("login page in place", answers(200, "<html><title>Sign in · SSO</title></html>")),
    State("firewall", answers(403, "<html><title>Request blocked</title></html>", HTML)),
    State("firewall of a cloud", answers(403, "<html><title>Sorry</title></html>", {**HTML, "CF-RAY": "1"})),
    State("http moved to https", to_https),
    State("another address", answers(301, "", {"Location": "https://gitlab.example.org/"})),
    State("wrong path", answers(404, "<html><title>404 Not Found</title></html>")),
    State("Jenkins in place of GitLab", answers(404, "<html><title>Error</title></html>", {**HTML, "X-Jenkins": "2"})),
    State("GitHub in place of GitLab", answers(404, "<html>", {**HTML, "X-GitHub-Request-Id": "1"})),
    State("Artifactory in place of GitLab", answers(404, "<html>", {**HTML, "X-Artifactory-Id": "1"})),
    State("an API of something else", answers(404, '{"error":"404 Not Found"}', JSON)),
    State("a page in place of GitLab", answers(200, "<html><title>Welcome</title></html>")),
    State("JSON of something else", answers(200, '["no"]', JSON)),
    State("http on a port for https", answers(400, "The plain HTTP request was sent to HTTPS port")),
]
