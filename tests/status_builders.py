"""Short ways to build a status, for the tests of its reports and of its command."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from configurator.tokens.checks import Check, Verdict
from configurator.tokens.watching.model import Integration, Part, State, Status, TokenFacts, Users

AT = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
TOKEN = TokenFacts("project", "ci", date(2026, 5, 24), known=True, last_used_at="2026-05-03T08:00:00.000Z")
USERS = Users(("audit", "catalog", "payments", "search"), 9)


def check(subject: str, name: str, verdict: Verdict, evidence: str = "seen", cure: str = "") -> Check:
    """A check, with a cure where it needs one."""
    return Check(subject, name, verdict, evidence, cure or ("" if verdict is Verdict.OK else f"mend {name}"))


def gitlab(*checks: Check, **more: Any) -> Integration:
    """The line of a GitLab that answers."""
    fields: dict[str, Any] = {
        "users": USERS,
        "url": "https://gitlab.example.com",
        "user": "project_7_bot_1",
        "version": "18.5.0-ee",
        "token": TOKEN,
        "up": True,
        **more,
    }
    seen = checks or (check("gitlab:gitlab", "reachable", Verdict.OK),)
    return Integration(Part.GITLAB, "gitlab", "connected", seen, **fields)


def down(name: str = "gitlab") -> Integration:
    """The line of a GitLab that does not answer."""
    evidence = "GitLab gitlab https://gitlab.example.com: the connection is refused"
    bad = check(f"gitlab:{name}", "reachable", Verdict.FAIL, evidence, "start it")
    return Integration(Part.GITLAB, name, evidence, (bad,), url="https://gitlab.example.com", up=False)


def jenkins(**more: Any) -> Integration:
    """The line of Jenkins."""
    seen = (check("jenkins", "reachable", Verdict.OK, "answers in 12 ms"),)
    fields = {"url": "https://jenkins.example.com", "user": "configurator", "version": "2.524", "up": True, **more}
    return Integration(Part.JENKINS, "", "connected", seen, **fields)


def credential(verdict: Verdict, evidence: str, cure: str = "") -> Integration:
    """The line of a credential."""
    one = check("credential:gitlab-access-token", "present", verdict, evidence, cure)
    return Integration(Part.CREDENTIAL, "gitlab-access-token", evidence, (one,), Users(("payments",), 2, ("gitlab",)))


def counted(part: Part, verdict: Verdict, evidence: str) -> Integration:
    """The line of webhooks, or of drift."""
    return Integration(part, "", evidence, (check(str(part), "drift", verdict, evidence),))


def example(*lines: Integration, **more: Any) -> Status:
    """A status; by default everything is in order but a credential that differs, and a webhook to make."""
    usual = (
        gitlab(),
        jenkins(),
        Integration(Part.CONNECTION, "gitlab", "there", (check("connection:gitlab", "present", Verdict.OK),), USERS),
        credential(Verdict.WARN, "it differs from the spec: its secret", "run `configurator apply`"),
        counted(Part.WEBHOOKS, Verdict.WARN, "1 to create"),
        counted(Part.OBJECTS, Verdict.WARN, "1 credential to update"),
    )
    status = Status(
        owner="platform",
        at=AT,
        seconds=1.25,
        integrations=lines or usual,
        objects={("webhook", State.CREATE): 1, ("webhook", State.UNCHANGED): 8, ("credential", State.UPDATE): 1},
        webhooks={"gitlab": 9},
        requests={"jenkins": 5, "gitlab:gitlab": 12},
        warnings=("plugin git is old",),
    )
    return replace(status, **more)
