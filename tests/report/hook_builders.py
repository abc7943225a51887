"""Short ways to build findings, for the tests of the reports on webhooks."""

from __future__ import annotations

from typing import Any

from configurator.webhooks.model import Delivery, Done, Ending, Finding, Hook, HookClass, Picture

JENKINS = "https://jenkins.example.com"
GITLAB = "https://gitlab.example.com"


def finding(
    cls: HookClass = HookClass.LIVE,
    project: str = "shop/payments",
    job: str | None = "payments/MAIN-Build-payments",
    *,
    id_: int = 31,
    evidence: str = "because",
    owner: str | None = "platform",
    events: tuple[str, ...] = ("push_events",),
    gitlab: str = "gitlab",
    url: str = "",
    also: tuple[HookClass, ...] = (),
    keeper: int | None = None,
    deliveries: tuple[Delivery, ...] = (),
    **attributes: Any,
) -> Finding:
    """A hook with just enough of everything."""
    shown: dict[str, Any] = {
        "id": id_,
        "url": url or f"{JENKINS}/project/{job}",
        "description": f"Managed by configurator ({owner}) key=0123abcd" if owner else None,
        "created_at": "2026-05-04T10:00:00.000Z",
        "enable_ssl_verification": True,
        **dict.fromkeys(events, True),
        "note_events": "note_events" in events,
        **attributes,
    }
    return Finding(Hook(gitlab, project, 7, shown), cls, evidence, job, also, deliveries, keeper)


def picture(*findings: Finding, **more: Any) -> Picture:
    """A scan that saw these, in this order."""
    return Picture("platform", findings, projects=more.pop("projects", 12), **more)


def done(one: Finding, ending: Ending = Ending.DONE, action: str = "delete", detail: str = "", **more: Any) -> Done:
    """How the work on a hook ended."""
    return Done(one, action, ending, detail, **more)
