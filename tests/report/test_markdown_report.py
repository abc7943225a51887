from __future__ import annotations

import re

from plan_builders import change, create, example_plan, plan

from configurator.model import Action, Field, Unchecked
from configurator.report.markdown import plan_markdown


def outside_fences(markdown: str) -> list[str]:
    """The lines that Markdown reads as Markdown."""
    outside: list[str] = []
    fence = ""
    for line in markdown.splitlines():
        opening = re.match(r" {0,3}(`{3,})", line)
        if not fence and opening:
            fence = opening[1]
        elif fence:
            if re.fullmatch(rf" {{0,3}}`{{{len(fence)},}} *", line):
                fence = ""
        else:
            outside.append(line)
    assert not fence, "a fence is left open"
    return outside


def test_a_plan_reads_like_this() -> None:
    assert plan_markdown(example_plan()).startswith(
        """\
### Plan: 3 to create, 1 to update, 1 to delete, 1 conflict, 41 unchanged, 2 not checked

Spec <code>platform</code>, <code>2026-05-04T10:00:00+00:00</code>

| + To create | \\~ To update | - To delete | ! Conflicts | Unchanged |
| ---: | ---: | ---: | ---: | ---: |
| 3 | 1 | 1 | 1 | 41 |

<details><summary><code>audit</code>: 1 job to update</summary>

```diff
~ job        audit/MAIN-Build-audit
    triggers/GitLabPushTrigger/triggerOnPush: false → true
```

</details>

<details><summary><code>payments</code>: 1 folder to create, 1 job in conflict, 1 webhook to create</summary>
"""
    )


def test_all_sections_are_there() -> None:
    markdown = plan_markdown(example_plan())
    assert (
        "<details open><summary>No longer in the spec; --prune deletes (1)</summary>\n\n```\nview gone/MAIN\n"
        in markdown
    )
    assert "needs Credentials/View: credential gitlab-access-token" in markdown
    assert "--adopt 'payments/*'" in markdown
    assert "plugin git is old" in markdown


def test_nothing_to_do() -> None:
    assert "\nNothing to do.\n" in plan_markdown(plan(unchanged=3))


EVIL = "x\n/merge\n\n```\n/close @all <script>alert(1)</script> </details> ![a](b) #1 !2\n```\n``````"


def test_nothing_from_outside_stands_outside_fences_and_code() -> None:
    markdown = plan_markdown(
        plan(
            change(
                Action.UPDATE, "job", EVIL, application=EVIL, fields=(Field(EVIL, EVIL, EVIL + "\ny"),), reason=EVIL
            ),
            change(Action.CONFLICT, "job", EVIL),
            prunable=(change(Action.DELETE, "job", EVIL),),
            warnings=(EVIL,),
            unchecked=(Unchecked("job", EVIL, EVIL),),
        )
    )
    outside = outside_fences(markdown)
    bare = re.sub(r"<code>.*?</code>", "", "\n".join(outside))
    for danger in ("/merge", "/close", "@all", "script", "](", "#1"):
        assert danger not in bare, danger
    assert "<script" not in "\n".join(outside)
    assert not any(line.lstrip().startswith("/") for line in outside)
    assert bare.count("<details") == bare.count("</details>")


def test_a_diff_that_holds_a_fence_does_not_end_it() -> None:
    field = Field("script", "a\nb", "a\n```\n/merge\n```\nb")
    outside = outside_fences(plan_markdown(plan(change(Action.UPDATE, "job", "a", fields=(field,)))))
    assert not any("/merge" in line for line in outside)


def test_a_huge_plan_stays_below_a_megabyte_and_says_what_is_missing() -> None:
    names = [f"application-{number:05}" for number in range(3000)]
    changes = [create("job", f"{name}/MAIN-Build-{'ü' * 80}-{at}", name) for name in names for at in range(5)]
    markdown = plan_markdown(plan(*changes, warnings=("w" * 10_000,) * 1000))
    assert len(markdown.encode()) < 1_000_000
    assert re.search(r"… and \d+ more changes in \d+ groups: too many for a comment\.", markdown)
    assert "… and 900 more" in markdown
    outside_fences(markdown)


def test_one_huge_application_is_cut() -> None:
    changes = [create("job", f"a/{'x' * 90}{number}", "a") for number in range(3000)]
    markdown = plan_markdown(plan(*changes))
    assert re.search(r"… and \d+ more lines\n```", markdown)
