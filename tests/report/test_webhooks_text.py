from __future__ import annotations

import re

import pytest
from hook_builders import done, finding, picture

from configurator.report.columns import display_width, fold, pad
from configurator.report.webhooks_outline import CURES, FINE, MEANINGS, class_counts
from configurator.report.webhooks_results_text import nothing_text, results_text, selection_text, trials_text
from configurator.report.webhooks_text import Look, picture_text
from configurator.webhooks.model import Ending, HookClass, Integration

C = HookClass
ORPHAN = finding(C.ORPHANED, evidence="Jenkins has no item payments/MAIN-Build-payments")
FAILING = finding(C.FAILING, "shop/catalog", "catalog/MAIN-Build-catalog", id_=4, evidence="500 at 2026-05-04")
LIVE = finding(C.LIVE, id_=5)
FOREIGN = finding(C.FOREIGN, job=None, id_=6, owner=None, url="https://bob:pw@elsewhere.example.com/x")
PLAIN = Look()
NARROW = Look(width=60)


def text(*findings, look: Look = PLAIN, named=(), everything: bool = False, **more) -> str:
    seen = picture(*findings, **more)
    shown = seen.findings if everything else seen.ours
    return picture_text(seen, shown, look, named, everything=everything)


def test_every_class_has_a_meaning_and_what_is_wrong_has_a_cure() -> None:
    assert set(MEANINGS) == set(HookClass)
    assert set(CURES) == set(HookClass) - FINE
    assert list(MEANINGS) == list(HookClass)


def test_the_worst_come_first_and_what_works_is_a_number() -> None:
    shown = text(LIVE, FAILING, ORPHAN)
    assert shown == (
        "orphaned (1): the job they call does not exist\n"
        "  shop/payments  hook 31  payments/MAIN-Build-payments  push  "
        "Jenkins has no item payments/MAIN-Build-payments\n"
        "  · `configurator webhooks cleanup` removes them\n"
        "\n"
        "failing (1): GitLab disabled them, or their last deliveries failed\n"
        "  shop/catalog   hook 4   catalog/MAIN-Build-catalog    push  500 at 2026-05-04\n"
        "  · `configurator webhooks repair` mends those with our mark and has GitLab test them, `test` says what is "
        "wrong; a failure stands until the next delivery\n"
        "\n"
        "Webhooks: 1 orphaned, 1 failing, 1 live. 12 projects and 3 hooks looked at.\n"
    )


def test_colour_is_the_same_text() -> None:
    coloured = text(LIVE, FAILING, ORPHAN, FOREIGN, look=Look(colour=True, verbose=True), everything=True)
    plain = text(LIVE, FAILING, ORPHAN, FOREIGN, look=Look(verbose=True), everything=True)
    assert "\x1b[31morphaned" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain


@pytest.mark.parametrize(("look", "named"), [(Look(verbose=True), ()), (Look(), (C.LIVE,))])
def test_what_works_is_listed_on_demand(look: Look, named) -> None:
    assert "live (1): nothing is wrong with them\n  shop/payments  hook 5" in text(LIVE, look=look, named=named)


def test_foreign_hooks_are_listed_with_everything_and_masked() -> None:
    assert "1 hook looked at, 1 of them not of this Jenkins (--everything lists them)." in text(FOREIGN)
    assert "elsewhere" not in text(FOREIGN)
    shown = text(FOREIGN, everything=True)
    assert "https://***@elsewhere.example.com/…" in shown, "its path may be a key"
    assert "pw" not in shown
    assert shown.endswith("1 of them not of this Jenkins.\n")


def test_a_filter_that_nothing_passes_is_no_clean_bill() -> None:
    seen = picture(LIVE, FOREIGN)
    assert picture_text(seen, (), PLAIN).startswith("Webhooks: none of those that were asked for. 12 projects and 2")


def test_hints_and_totals_fit_a_narrow_terminal() -> None:
    stale = finding(C.STALE, "a/b", "c", evidence="old")
    shown = text(ORPHAN, stale, FOREIGN, look=Look(width=50))
    cure = shown[shown.index("  · `configurator webhooks repair`") :].split("\n\n")[0].splitlines()
    assert len(cure) > 1
    assert all(line.startswith("    ") for line in cure[1:])
    assert all(len(line) <= 50 for line in (*cure, *shown.split("\n\n")[-1].splitlines()))


def test_many_of_one_class_are_cut_until_asked_for() -> None:
    many = [finding(C.UNMANAGED, id_=at) for at in range(1, 121)]
    shown = text(*many)
    assert shown.count("  hook ") == 50
    assert "… and 70 more like these (--class unmanaged, or -v, shows all)" in shown
    assert text(*many, named=(C.UNMANAGED,)).count("  hook ") == 120
    assert text(*many[:51]).count("  hook ") == 51


def test_a_narrow_terminal_has_the_evidence_below() -> None:
    shown = text(ORPHAN, look=NARROW)
    assert "  shop/payments  hook 31\n    → payments/MAIN-Build-payments  (push)\n      Jenkins has no item" in shown
    assert max(map(len, shown.splitlines()[:4])) <= 60


def test_a_wide_terminal_folds_the_evidence_under_itself() -> None:
    one = finding(C.STALE, evidence="word " * 30)
    lines = [line for line in text(one, look=Look(width=120)).splitlines() if "word" in line]
    assert len(lines) > 2
    assert all(len(line) <= 120 for line in lines)
    assert {line.index("word") for line in lines} == {lines[0].index("word")}


def test_several_gitlabs_are_told_apart() -> None:
    shown = text(ORPHAN, finding(C.ORPHANED, gitlab="other"))
    assert "gitlab:shop/payments" in shown
    assert "other:shop/payments" in shown


def test_a_hook_without_events_or_job() -> None:
    shown = text(finding(C.UNMANAGED, job=None, events=(), url="https://jenkins.example.com/github-webhook/"))
    assert "https://jenkins.example.com/github-webhook/  no events  because" in shown


def test_what_servers_say_is_harmless() -> None:
    shown = text(finding(C.ORPHANED, "a\x1b[2J", "b\nc", evidence="d\u202ee"), problems=("x\x07",), warnings=("y\r",))
    assert "\x1b" not in shown
    assert "a\\x1b[2J" in shown
    assert "b\\nc" in shown
    assert "d\\u202ee" in shown
    assert "  x\\x07\n" in shown
    assert "Warning: y\\r\n" in shown


def test_holes_and_warnings_are_told() -> None:
    shown = text(
        LIVE, problems=("GitLab: legal/contracts is not visible " * 3,), warnings=("careful " * 20,), look=NARROW
    )
    assert "Not complete: something could not be read" in shown
    assert shown.count("legal/contracts") == 3
    assert all(len(line) <= 80 for line in shown.splitlines())


def test_integrations_that_start_a_build_twice() -> None:
    twice = Integration("gitlab", "shop/payments", 7, "https://j/x", "payments/MAIN", ("push_events",), (31, 32))
    once = Integration("gitlab", "shop/search", 8, "https://other/x", None, ("push_events",))
    shown = text(LIVE, integrations=(once, twice))
    assert "Jenkins integrations (2): GitLab's own, beside the webhooks; 1 start a build twice" in shown
    assert "starts the same build as hook 31, 32: switch one of them off" in shown
    assert "shop/search" not in shown
    assert "https://other/x" in text(LIVE, integrations=(once, twice), look=Look(verbose=True))
    assert "0 start a build twice" in text(LIVE, integrations=(once,))


def test_nothing_at_all() -> None:
    assert text() == "Webhooks: none. 12 projects and 0 hooks looked at.\n"
    assert class_counts(()) == "none"


def test_the_selection_shows_all_with_the_unmarked_apart() -> None:
    many = [finding(C.ORPHANED, id_=at) for at in range(1, 81)]
    unmarked = finding(C.DUPLICATE, id_=900, owner=None)
    shown = selection_text([*many, unmarked], picture(*many, unmarked, LIVE, FOREIGN), Look(), "remove")
    assert shown.count("  hook ") == 81
    first, _, second = shown.partition("To remove, without a mark: somebody made them by hand\n")
    assert first.startswith("To remove, with our mark\norphaned (80)")
    assert "hook 900" in second
    assert shown.endswith("81 hooks to remove, of 82 under this Jenkins' addresses.\n")


def test_a_selection_of_marked_hooks_speaks_of_no_others() -> None:
    shown = selection_text([ORPHAN], picture(ORPHAN, problems=("x",)), NARROW, "repair")
    assert "without a mark" not in shown
    assert shown.startswith("Not complete")
    assert shown.endswith("1 hook to repair, of 1 under this Jenkins' addresses.\n")


def test_nothing_to_do() -> None:
    assert nothing_text(picture(LIVE, FOREIGN), Look(), "remove") == (
        "Nothing to remove: looked at 1 webhook of this Jenkins in 12 projects.\n"
    )
    holes = nothing_text(picture(LIVE, problems=("x",)), Look(), "remove")
    assert "Not complete" in holes
    assert "Nothing to remove in what could be read: looked at 1 webhook" in holes


def test_results_name_what_is_left_and_the_backup(tmp_path) -> None:
    results = [
        done(ORPHAN, Ending.DONE),
        done(FAILING, Ending.SKIPPED, detail="Jenkins has it again"),
        done(LIVE, Ending.FAILED, detail="403\x1b"),
        done(LIVE, Ending.INCOMPLETE, action="restore", detail="no token"),
    ]
    shown = results_text(results, Look(), tmp_path / "a b.jsonl")
    assert "failed  shop/payments hook 5 → payments/MAIN-Build-payments: 403\\x1b" in shown
    assert shown.index("failed ") < shown.index("incomplete ") < shown.index("skipped ")
    assert "Webhooks: 1 removed, 1 failed, 1 restored incompletely, 1 skipped." in shown
    assert f"`configurator webhooks restore '{tmp_path}/a b.jsonl'`" in shown
    assert "hook 31" not in shown
    assert "removed  shop/payments hook 31" in results_text(results, Look(verbose=True))


def test_many_results_with_the_same_reason_are_cut_until_asked_for() -> None:
    alike = [done(finding(id_=at), Ending.SKIPPED, detail="Jenkins is restarting") for at in range(1, 121)]
    results = [*alike, done(finding(id_=900), Ending.SKIPPED, detail="its job is back")]
    shown = results_text(results, Look())
    assert shown.count("Jenkins is restarting") == 10
    assert "… and 110 more for the same reason (-v, or -o json, shows all)\n" in shown
    assert "hook 900" in shown
    assert "Webhooks: 121 skipped." in shown
    assert results_text(results, Look(verbose=True)).count("Jenkins is restarting") == 120
    assert results_text(alike[:11], Look()).count("Jenkins is restarting") == 11


def test_results_of_a_dry_run_and_of_an_interruption() -> None:
    shown = results_text([done(ORPHAN, Ending.PLANNED)], Look(), interrupted=True)
    assert "to remove  shop/payments hook 31" in shown
    assert "Interrupted" in shown
    assert "Webhooks: 1 to remove." in shown
    assert results_text([], Look()) == "Webhooks: nothing done.\n"


def test_trials_show_each_step_and_its_cure() -> None:
    steps = (
        ("address", "ok", "https://jenkins.example.com/project/x", ""),
        ("token", "fail", "Jenkins refuses it", "run configurator apply"),
        ("branch", "unknown", "no right to look", ""),
    )
    warned = (("delivery", "warn", "the latest was answered 401", ""),)
    results = [
        done(LIVE, Ending.DONE, "test", "a push reaches the job", steps=steps[:1]),
        done(LIVE, Ending.FAILED, "test", "does not build", steps=steps),
        done(ORPHAN, Ending.DONE, "test", steps=warned),
    ]
    shown = trials_text(results, Look())
    assert shown == (
        "shop/payments  hook 5  → payments/MAIN-Build-payments\n"
        "  ok       address: https://jenkins.example.com/project/x\n"
        "  fail     token: Jenkins refuses it\n"
        "           → run configurator apply\n"
        "  unknown  branch: no right to look\n"
        "  failed  does not build\n"
        "\n"
        "shop/payments  hook 31  → payments/MAIN-Build-payments\n"
        "  warn     delivery: the latest was answered 401\n"
        "\n"
        "passed  shop/payments hook 5 → payments/MAIN-Build-payments: a push reaches the job\n"
        "(-v shows every check)\n"
        "\n"
        "Webhooks: 2 passed, 1 failed.\n"
    )
    in_full = "  ok       address: https://jenkins.example.com/project/x\n  passed  a push reaches the job\n"
    assert in_full in trials_text(results, Look(verbose=True))
    assert in_full in trials_text(results[:1], Look())
    assert "\x1b[31mfail   " in trials_text([done(LIVE, steps=steps)], Look(colour=True))


def test_a_hook_that_is_not_there_has_no_number() -> None:
    missing = done(finding(id_=0), Ending.FAILED, "test", "there is none")
    assert trials_text([missing], Look()).startswith("shop/payments  no hook  → ")
    assert "failed  shop/payments no hook → payments" in results_text([missing], Look())


def test_columns() -> None:
    assert display_width("日本e\u0301") == 5
    assert pad("日", 4) == "日  "
    assert pad("7", 3, right=True) == "  7"
    assert pad("longer", 3) == "longer"
    assert fold("", 10) == [""]
    assert fold("a" * 50, 10) == ["a" * 50]
    assert fold("one two three four five six seven", 20) == ["one two three four", "five six seven"]
    assert fold(" " * 30, 20) == [" " * 30]
