"""Short ways to build plans and results, for the tests of reports and commands."""

from __future__ import annotations

from configurator.model import (
    UNMARKED,
    Action,
    Applied,
    Change,
    Field,
    Key,
    Origin,
    Outcome,
    Plan,
    Resource,
    Result,
    Unchecked,
)

CREATED_AT = "2026-05-04T10:00:00+00:00"


def change(
    action: Action,
    kind: str,
    name: str,
    *,
    application: str | None = None,
    fields: tuple[Field, ...] = (),
    reason: str = "",
    owner: str | None = None,
) -> Change:
    """A change with just enough of a resource behind it."""
    key = Key(kind, name)
    wanted = None
    if action is not Action.DELETE:
        wanted = Resource(key, None, origin=Origin(application=application))
    if action is Action.CONFLICT and not reason and owner is None:
        reason = UNMARKED
    existing = Resource(key, None, owner=owner) if action is not Action.CREATE else None
    return Change(action, key, reason, fields, wanted, existing)


def create(kind: str, name: str, application: str | None = None) -> Change:
    """A creation."""
    return change(Action.CREATE, kind, name, application=application)


def plan(*changes: Change, **attributes: object) -> Plan:
    """A plan of the spec ``platform``."""
    return Plan("platform", CREATED_AT, changes, **attributes)  # type: ignore[arg-type]


TRIGGER = Field("triggers/GitLabPushTrigger/triggerOnPush", "false", "true")


def example_plan() -> Plan:
    """One of everything."""
    return plan(
        create("plugin", "gitlab-plugin"),
        create("webhook", "gitlab:shop/payments -> payments/MAIN-Build-payments", "payments"),
        create("folder", "payments", "payments"),
        change(Action.UPDATE, "job", "audit/MAIN-Build-audit", application="audit", fields=(TRIGGER,)),
        change(Action.CONFLICT, "job", "payments/MAIN-Build-payments", application="payments", reason=UNMARKED),
        change(Action.DELETE, "job", "old/MAIN-Build-old", owner="platform"),
        prunable=(change(Action.DELETE, "view", "gone/MAIN", owner="platform"),),
        warnings=("plugin git is old",),
        unchecked=(
            Unchecked("credential", "gitlab-access-token", "needs Credentials/View"),
            Unchecked("connection", "*", "needs Overall/Administer"),
        ),
        unchanged=41,
    )


def applied(of: Plan, *, failed: str = "", skipped: str = "", **attributes: object) -> Applied:
    """The plan carried out; the changes with these names failed or were skipped."""
    return Applied(of, tuple(_result(item, failed, skipped) for item in of.changes), **attributes)  # type: ignore[arg-type]


def _result(item: Change, failed: str, skipped: str) -> Result:
    if item.key.name == failed:
        return Result(item, Outcome.FAILED, "Jenkins: 500\nLook at its log.", 1.25)
    if item.key.name == skipped or item.action is Action.CONFLICT:
        return Result(item, Outcome.SKIPPED, "its folder failed")
    return Result(item, Outcome.DONE, seconds=0.5)
