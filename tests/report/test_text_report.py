from __future__ import annotations

import re

from plan_builders import applied, change, create, example_plan, plan

from configurator.model import Action, Applied, Field, Outcome, Result, Unchecked
from configurator.report.text import applied_text, plan_text, warnings_text

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def test_a_plan_reads_like_this() -> None:
    assert (
        plan_text(example_plan())
        == """\
audit
  ~ job        audit/MAIN-Build-audit
      triggers/GitLabPushTrigger/triggerOnPush: false → true

payments
  + folder     payments
  ! job        payments/MAIN-Build-payments  (it exists and does not carry our mark)
  + webhook    gitlab:shop/payments -> payments/MAIN-Build-payments

Shared
  + plugin     gitlab-plugin

No longer in the spec
  - job        old/MAIN-Build-old

Conflicts
  1 object exists already without our mark and will be left alone. To take over what was made by hand, \
set `adopt: true` on the object or its application, or run with --adopt 'payments/*'

No longer in the spec (1); --prune deletes:
    view       gone/MAIN

Not checked or not done
  needs Credentials/View: credential gitlab-access-token
  needs Overall/Administer: every connection

Warning: plugin git is old

Plan: 3 to create, 1 to update, 1 to delete, 1 conflict, 41 unchanged, 2 not checked.
"""
    )


def test_colour_only_adds_escapes() -> None:
    coloured = plan_text(example_plan(), colour=True)
    assert coloured != plan_text(example_plan())
    assert ESCAPES.sub("", coloured) == plan_text(example_plan())
    done = applied(example_plan(), failed="payments")
    assert ESCAPES.sub("", applied_text(done, colour=True)) == applied_text(done)
    assert ESCAPES.search(applied_text(done, colour=True))


def test_nothing_to_do() -> None:
    assert plan_text(plan(unchanged=2)) == (
        "Nothing to do: the servers are as the spec wants them.\n"
        "Plan: 0 to create, 0 to update, 0 to delete, 0 conflicts, 2 unchanged.\n"
    )
    blind = plan(unchecked=(Unchecked("job", "*", "needs Job/Read"),))
    assert "Nothing to do but what is said above." in plan_text(blind)


def test_a_name_can_neither_paint_nor_forge_lines() -> None:
    evil = "x\x1b[2J\x1b]0;owned\x07\r\n  + job forged\x9b31m\u202egnp"
    shown = plan_text(
        plan(change(Action.UPDATE, "job", evil, fields=(Field(evil, evil, evil),), reason=evil), warnings=(evil,))
    )
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown)
    assert "\n  + job forged" not in shown
    assert r"x\x1b[2J\x1b]0;owned\x07\r\n  + job forged\x9b31m\u202egnp" in shown


def test_long_runs_are_summed_up_unless_verbose() -> None:
    many = plan(*(create("job", f"tools/J{number:03}") for number in range(50)))
    assert "    … and 38 more like this (-v shows all)" in plan_text(many)
    assert "J011" in plan_text(many)
    assert "J012" not in plan_text(many)
    assert plan_text(many, verbose=True).count("+ job") == 50


def test_a_run_that_is_barely_too_long_is_shown() -> None:
    barely = plan(*(create("job", f"tools/J{number:03}") for number in range(13)))
    assert plan_text(barely).count("+ job") == 13


def test_runs_with_different_fields_are_not_summed_up() -> None:
    many = plan(
        *(
            change(Action.UPDATE, "job", f"tools/J{number}", fields=(Field("disabled", "false", str(number)),))
            for number in range(30)
        )
    )
    assert plan_text(many).count("~ job") == 30


def test_applications_that_look_alike_are_summed_up_in_a_big_plan() -> None:
    names = [f"app{number:03}" for number in range(60)]
    big = plan(*(create(kind, f"{name}/{kind}", name) for name in names for kind in ("folder", "job")))
    text = plan_text(big)
    assert text.count("+ folder") == 3
    assert "… and 57 more like these (+1 folder, +1 job each): app003, app004" in text
    assert "and 51 more (-v shows all)" in text
    assert plan_text(big, verbose=True).count("+ folder") == 60


def test_a_single_alike_application_is_not_called_each() -> None:
    names = [f"app{number}" for number in range(4)]
    big = plan(*(create("job", f"{name}/J{at}", name) for name in names for at in range(30)))
    assert "… and 1 more like these (+30 job): app3 (-v shows all)" in plan_text(big)


def test_many_prunable_are_summed_up() -> None:
    gone = tuple(change(Action.DELETE, "job", f"old/J{number}", owner="platform") for number in range(20))
    assert "… and 8 more like this" in plan_text(plan(prunable=gone))


def test_many_unchecked_with_one_reason_are_told_once() -> None:
    unchecked = tuple(Unchecked("job", f"J{number}", "needs Job/Read") for number in range(9))
    text = plan_text(plan(unchecked=unchecked))
    assert text.count("needs Job/Read") == 1
    assert "job J5 and 3 more" in text
    assert "job J8" in plan_text(plan(unchecked=unchecked), verbose=True)


def test_conflicts_with_another_owner_can_not_be_adopted() -> None:
    text = plan_text(plan(change(Action.CONFLICT, "job", "a/b", owner="rivals")))
    assert "1 belong to another spec (rivals)" in text
    assert "--adopt" not in text


def test_adopt_globs_cover_each_conflict_and_are_quoted_for_a_shell() -> None:
    text = plan_text(
        plan(
            change(Action.CONFLICT, "credential", "gitlab-access-token"),
            change(Action.CONFLICT, "job", "a/b"),
            change(Action.CONFLICT, "job", "a/c"),
            change(Action.CONFLICT, "webhook", "gitlab:shop/a -> a/b"),
        )
    )
    assert "4 objects exist" in text
    assert "--adopt gitlab-access-token --adopt 'a/*' --adopt 'gitlab:shop/a -> *'\n" in text


def test_only_some_adopt_globs_are_told() -> None:
    text = plan_text(plan(*(change(Action.CONFLICT, "job", f"f{number}/J") for number in range(9))))
    assert text.count("--adopt ") == 4
    assert "'f3/*' …" in text


def test_an_apply_reads_like_this() -> None:
    done = applied(
        example_plan(),
        failed="payments",
        skipped="gitlab:shop/payments -> payments/MAIN-Build-payments",
        warnings=("a restart is needed",),
        unchecked=(Unchecked("job", "audit/MAIN-Build-audit", "needs Job/Build"),),
        seconds=3.21,
    )
    assert (
        applied_text(done)
        == """\
  failed   folder     payments (to create)
      Jenkins: 500
      Look at its log.

  skipped  webhook gitlab:shop/payments -> payments/MAIN-Build-payments: its folder failed

Conflicts
  1 object exists already without our mark and will be left alone. To take over what was made by hand, \
set `adopt: true` on the object or its application, or run with --adopt 'payments/*'

Not checked or not done
  needs Credentials/View: credential gitlab-access-token
  needs Overall/Administer: every connection
  needs Job/Build: job audit/MAIN-Build-audit

Warning: plugin git is old
Warning: a restart is needed

Applied: 1 created, 1 updated, 1 deleted, 1 failed, 1 skipped, 1 conflict left, in 3.2 s.
"""
    )


def test_an_interrupted_apply_says_so() -> None:
    text = applied_text(Applied(plan(), (), interrupted=True))
    assert "Interrupted: what was under way was finished." in text
    assert text.endswith("Applied: 0 created, 0 updated, 0 deleted, 0 failed, 0 skipped, in 0.0 s.\n")


def test_a_missing_right_of_a_result_is_told_once_under_not_done() -> None:
    missing = Unchecked("job", "a", "needs Job/Create")
    change_ = create("job", "a")
    text = applied_text(Applied(plan(change_), (Result(change_, Outcome.SKIPPED, "no right", unchecked=missing),)))
    assert "needs Job/Create: job a" in text
    assert "no right" not in text
    assert "1 skipped" in text


def test_what_was_done_as_planned_is_counted_and_listed_on_demand() -> None:
    done = applied(plan(*(create("job", f"a/J{number}") for number in range(30))))
    assert applied_text(done) == "Applied: 30 created, 0 updated, 0 deleted, 0 failed, 0 skipped, in 0.0 s.\n"
    assert applied_text(done, verbose=True).startswith("  created  job        a/J0\n")
    assert "  created  job        a/J29\n" in applied_text(done, verbose=True)


def test_warnings_alone() -> None:
    assert warnings_text(()) == ""
    assert warnings_text(("a", "b")) == "Warning: a\nWarning: b\n"
    assert "\x1b[33mWarning:\x1b[0m a" in warnings_text(("a",), colour=True)
