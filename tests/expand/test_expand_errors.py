"""What is wrong with a spec once its applications and templates are looked into: exact words, places, chains."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from configurator.errors import InputError, Problem
from configurator.spec.expand import expand
from configurator.spec.expanded import Expanded
from configurator.spec.loader import load

HEAD = """\
apiVersion: configurator/v1
name: platform
jenkins: {url: https://jenkins.example.com, username: c, api_token: {env: T}}
gitlab: [{url: https://gitlab.example.com, token: {env: T}, webhooks: {secret: {env: S}}}]
"""
APPLICATION = "applications: [{name: app, project: g/p, provisioner: own}]\ntemplates: [mine]\n"
CHAIN = "application app (spec.yaml:5:16)"
OWN = "template provisioners/own.yaml"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), "utf-8")


def expanded(folder: Path, spec: str) -> Expanded:
    (folder / "spec.yaml").write_text(HEAD + textwrap.dedent(spec), "utf-8")
    return expand(load(Path("spec.yaml")))


def problems(folder: Path, spec: str) -> list[Problem]:
    with pytest.raises(InputError) as caught:
        expanded(folder, spec)
    return list(caught.value.problems)


def only(folder: Path, spec: str) -> Problem:
    (problem,) = problems(folder, spec)
    return problem


def at(problem: Problem) -> str:
    return ":".join(str(problem.place).split(":")[:2])


def job(folder: Path, template: str, extra: str = "") -> Problem:
    """The only problem of a job ``j`` with the given template text."""
    write(folder, {"jobs/t.xml.j2": template})
    return only(folder, f"templates: [mine]\njobs: [{{name: j, template: t{extra}}}]\n")


def test_a_template_that_is_nowhere(folder: Path) -> None:
    problem = only(folder, "jobs: [{name: j, template: pipline}]\n")
    assert str(problem) == "spec.yaml:5:8: there is no template 'pipline' (looked in the built-in jobs)"
    assert problem.hint == "did you mean pipeline?"
    assert problem.chain == ("job j (spec.yaml:5:8)",)


def test_a_provisioner_that_is_nowhere(folder: Path) -> None:
    (folder / "mine").mkdir()
    problem = only(folder, APPLICATION)
    assert problem.message == (
        "there is no provisioner 'own' (looked in mine/provisioners and the built-in provisioners)"
    )
    assert problem.hint == "valid here: gitlab"


def test_a_part_is_no_template(folder: Path) -> None:
    assert only(folder, "jobs: [{name: j, template: ../jobs/pipeline}]\n").message.startswith("there is no template")


def test_a_template_folder_that_is_not_there(folder: Path) -> None:
    (folder / "mine").mkdir()
    assert [str(problem) for problem in problems(folder, "templates: [mine, other, ~nobody-is-called-so/x]\n")] == [
        "spec.yaml:5:19: there is no folder other for templates",
        "spec.yaml:5:26: there is no folder ~nobody-is-called-so/x for templates",
    ]


def test_a_name_that_is_not_set(folder: Path) -> None:
    problem = job(folder, "<project>\n  <a>{{ taget }}</a>\n</project>\n", ", variables: {target: x}")
    assert problem.message == "'taget' is not set"
    assert problem.hint == "did you mean target? Else set it under variables, or give it a default in the template"
    assert str(problem.place) == "mine/jobs/t.xml.j2:2:3"
    assert problem.place is not None
    assert problem.place.text == "  <a>{{ taget }}</a>"
    assert problem.chain == ("job j (spec.yaml:6:8)", "template jobs/t.xml.j2, line 2 (mine/jobs/t.xml.j2)")


def test_a_built_in_template_blames_the_spec(folder: Path) -> None:
    problem = only(folder, "jobs: [{name: j, template: pipeline}]\n")
    assert str(problem) == "spec.yaml:5:8: 'script' is not set"
    assert problem.chain[-1].startswith("template jobs/pipeline.xml.j2, line ")
    assert problem.chain[-1].endswith(" (built in)")


@pytest.mark.parametrize(
    ("template", "message", "line"),
    [
        ("<a>\n{{ job.nam }}</a>", "'dict object' has no attribute 'nam'", 2),
        ("<a>\n\n{% if %}</a>", "not valid Jinja2: Expected an expression, got 'end of statement block'", 3),
        ("<a>{{ 1 / 0 }}</a>", "ZeroDivisionError: division by zero", 1),
        ("<a>\n{{ job.__class__.__mro__ }}</a>", "not allowed in a template: access to attribute '__class__' of", 2),
        ("<a>\n{{ [].append(1) }}</a>", "not allowed in a template: ", 2),
        ("<a>{{ 'x' * 10000000 }}</a>", "OverflowError: a value longer than 1,000,000 is refused", 1),
        ("<a>{{ 9 ** 999999 }}</a>", "OverflowError: exponents over 64 are refused", 1),
        ("<a>{{ range(999999999) }}</a>", "OverflowError: Range too big", 1),
        ("<a>{{ job | nofilter }}</a>", "not valid Jinja2: No filter named 'nofilter'.", 1),
        ("<a>{{ fail('no luck') }}</a>", "no luck", 1),
        ("<a>{% include 'jobs/gone.xml.j2' %}</a>", "there is no template 'jobs/gone.xml.j2'", 1),
        ("<a>{% include 'jobs/t.xml.j2' %}</a>", "the template includes or calls itself without end", 1),
        ("<a>{{ job.name.nothing() }}</a>", "'str object' has no attribute 'nothing'", 1),
        ("<a>{{ namespace | tojson }}</a>", "TypeError: type can't be written as JSON", 1),
    ],
)
def test_what_fails_in_a_template_is_told_with_its_line(folder: Path, template: str, message: str, line: int) -> None:
    problem = job(folder, template)
    assert problem.message.startswith(message)
    assert at(problem) == f"mine/jobs/t.xml.j2:{line}"
    assert problem.chain[0] == "job j (spec.yaml:6:8)"
    assert f"template jobs/t.xml.j2, line {line} (mine/jobs/t.xml.j2)" in problem.chain


def test_a_fault_in_a_part_is_told_with_the_way_to_it(folder: Path) -> None:
    write(folder, {"jobs/_part.xml.j2": "{% macro m() %}\n{{ gone }}\n{% endmacro %}\n"})
    problem = job(folder, "\n{% from 'jobs/_part.xml.j2' import m %}<a>{{ m() }}</a>")
    assert str(problem) == "mine/jobs/_part.xml.j2:2:1: 'gone' is not set"
    assert problem.chain[1:] == (
        "template jobs/t.xml.j2, line 2 (mine/jobs/t.xml.j2)",
        "template jobs/_part.xml.j2, line 2 (mine/jobs/_part.xml.j2)",
    )


def test_a_template_that_is_no_text(folder: Path) -> None:
    (folder / "mine" / "jobs").mkdir(parents=True)
    (folder / "mine" / "jobs" / "t.xml.j2").write_bytes(b"<a>\xff</a>")
    problem = only(folder, "templates: [mine]\njobs: [{name: j, template: t}]\n")
    assert str(problem) == "spec.yaml:6:8: the template is not UTF-8 text"
    assert problem.chain[-1] == "template jobs/t.xml.j2 (mine/jobs/t.xml.j2)"


def test_a_result_that_is_no_xml(folder: Path) -> None:
    problem = job(folder, "<a>\n<b>\n</a>")
    assert problem.message.startswith("the result is not well-formed XML: Opening and ending tag mismatch")
    assert problem.message.endswith("line 3 of it is: </a>")
    assert problem.chain[-1] == "template jobs/t.xml.j2 (mine/jobs/t.xml.j2)"


def test_a_view_is_no_job_and_a_job_no_view(folder: Path) -> None:
    write(folder, {"jobs/t.xml.j2": "<hudson.model.ListView/>", "views/t.xml.j2": "<project/>"})
    spec = "templates: [mine]\njobs: [{name: j, template: t}]\nviews: [{name: v, template: t, regex: x}]\n"
    assert [str(problem) for problem in problems(folder, spec)] == [
        "spec.yaml:6:8: <hudson.model.ListView> is not a job",
        "spec.yaml:7:9: <project> is not a view",
    ]


def test_a_script_can_not_get_at_the_token(folder: Path) -> None:
    job = "{name: j, template: pipeline, variables: {script: '@@configurator:webhook-token@@'}, gitlab: {project: a/b}}"
    spec = f"jobs: [{job}]\n"
    assert only(folder, spec).message == (
        "webhook_token may stand in <secretToken> only: elsewhere the secret could be read"
    )


def test_a_template_without_the_trigger_that_its_job_asks_for(folder: Path) -> None:
    problem = job(folder, "<project/>", ", gitlab: {project: a/b}")
    assert problem.message == "the job has a GitLab trigger, but the template writes none with a <secretToken>"


def test_variables_can_not_take_the_place_of_what_configurator_sets(folder: Path) -> None:
    problem = only(folder, "jobs: [{name: j, variables: {trigger: 1, job: 2}}]\n")
    assert str(problem) == "spec.yaml:5:8: variables must not be called job or trigger"
    assert problem.hint == "these names are set by configurator: git, gitlab, job, trigger, webhook_token"


def test_a_pipeline_needs_a_project(folder: Path) -> None:
    wanted = "the job needs a project to clone: set gitlab.project, or git.clone_url"
    found = problems(folder, "jobs: [{name: a}, {name: b, template: multibranch}]\n")
    assert [problem.message for problem in found] == [wanted, wanted]


def test_a_multibranch_job_has_no_trigger(folder: Path) -> None:
    write(folder, {"jobs/many.xml.j2": "{% extends 'jobs/multibranch.xml.j2' %}"})
    spec = (
        "templates: [mine]\njobs: [{name: j, template: many, gitlab: {project: a/b, webhook: false, events: [push]}}]\n"
    )
    problem = only(folder, spec)
    assert problem.message == (
        "gitlab.events and gitlab.webhook can't be set on a multibranch job: the GitLab plugin ignores its token"
    )


@pytest.mark.parametrize("minutes", ["0", "-5", "soon"])
def test_scan_minutes_must_be_positive(folder: Path, minutes: str) -> None:
    job = f"{{name: j, template: multibranch, gitlab: {{project: a/b}}, variables: {{scan_minutes: {minutes}}}}}"
    spec = f"jobs: [{job}]\n"
    assert only(folder, spec).message == "scan_minutes must be 1 or more"


def test_a_parameter_of_a_type_that_does_not_exist(folder: Path) -> None:
    spec = "jobs: [{name: j, template: freestyle, variables: {parameters: [{name: P, type: strnig}]}}]\n"
    assert only(folder, spec).message == "parameter P: there is no type 'strnig', only string, text, boolean and choice"


def test_a_trigger_that_turns_off_its_events(folder: Path) -> None:
    problem = only(folder, "jobs: [{name: j, gitlab: {project: a/b, trigger: {triggerOnPush: false}}}]\n")
    assert str(problem) == "spec.yaml:5:8: gitlab.trigger turns off everything that gitlab.events asks for"
    assert problem.hint == "leave one of them on, or set gitlab.webhook to false"


def test_a_branch_with_a_comma_can_not_be_filtered_by_name(folder: Path) -> None:
    problem = only(folder, "jobs: [{name: j, gitlab: {project: a/b, branches: ['x,y']}}]\n")
    assert problem.message == "the GitLab trigger can't filter by the branch x,y: it separates names by commas"
    expanded(
        folder,
        "jobs: [{name: j, gitlab: {project: a/b, branches: ['x,y'], trigger: {branchFilterType: RegexBasedFilter}}}]\n",
    )


PROVISIONED = [
    ("jobs: [", "bracket", 1),
    ("folders:\n  - {name: a, descripton: b}\n", "folders[0].descripton is not a key that exists here", 2),
    ("jobs:\n  - {name: app/x, gitlab: {evens: []}}\n", "jobs[0].gitlab.evens is not a key that exists here", 2),
    ("jbs: []\n", "jbs is not a key that exists here", 1),
    ("\nviews:\n  - {name: a}\n", "views[0].regex is missing", 3),
    ("jobs:\n  - name: a\n    disabled: maybe\n", "jobs[0].disabled: input should be a valid boolean", 3),
    ("- a\n", "a provisioner: input should be a valid dictionary or instance of Provisioned", 1),
    ("jobs: []\njobs: []\n", "stands in this mapping twice", 2),
]


@pytest.mark.parametrize(("text", "message", "line"), PROVISIONED)
def test_a_provisioner_that_makes_nonsense(folder: Path, text: str, message: str, line: int) -> None:
    write(folder, {"provisioners/own.yaml": text})
    problem = next(one for one in problems(folder, APPLICATION) if message in one.message)
    assert at(problem) == f"provisioners/own.yaml as rendered:{line}"
    assert problem.chain == (CHAIN, f"{OWN} (mine/provisioners/own.yaml)")


def test_a_mistyped_key_of_a_provisioner_gets_the_nearest(folder: Path) -> None:
    write(folder, {"provisioners/own.yaml": "jobs:\n  - {name: a, gitlab: {project: g/p, trigger: {ciskip: true}}}\n"})
    assert only(folder, APPLICATION).hint == "did you mean ciSkip?"
    write(folder, {"provisioners/own.yaml": "jobs:\n  - {name: a, git: {credental: x}}\n"})
    assert only(folder, APPLICATION).hint == "did you mean credential?"
    write(folder, {"provisioners/own.yaml": "jobs:\n  - {nme: a}\n"})
    assert [problem.hint for problem in problems(folder, APPLICATION)] == ["", "did you mean name?"]


def test_a_provisioner_that_does_not_render(folder: Path) -> None:
    write(folder, {"provisioners/own.yaml": "folders:\n  - name: {{ aplication.name }}\n"})
    problem = only(folder, APPLICATION)
    assert str(problem) == "mine/provisioners/own.yaml:2:3: 'aplication' is not set"
    assert problem.chain == (CHAIN, f"{OWN}, line 2 (mine/provisioners/own.yaml)")


def test_a_provisioner_may_make_nothing(folder: Path) -> None:
    write(folder, {"provisioners/own.yaml": "# nothing\n"})
    result = expanded(folder, APPLICATION)
    assert (result.folders, result.jobs, result.views) == ((), (), ())


def test_a_provisioner_that_names_what_jenkins_refuses(folder: Path) -> None:
    write(folder, {"provisioners/own.yaml": "folders: [{name: app}]\nviews: [{name: 'app/a:b', regex: x}]\n"})
    problem = only(folder, APPLICATION)
    assert problem.message == "the name of view app/a:b has a part that holds :"
    assert problem.chain == (CHAIN,)


def test_a_provisioner_that_makes_one_thing_twice(folder: Path) -> None:
    write(folder, {"provisioners/own.yaml": "folders: [{name: app}, {name: app}]\n"})
    assert only(folder, APPLICATION).message == "folder app is made twice by the provisioner"


def test_a_provisioner_without_the_folder_of_its_jobs(folder: Path) -> None:
    text = "jobs: [{name: app/a, template: freestyle}, {name: app/b, template: freestyle}]\n"
    write(folder, {"provisioners/own.yaml": text})
    problem = only(folder, APPLICATION)
    assert problem.message == "job app/a is in a folder that nobody makes: app"
    assert problem.hint == "add {name: app} to folders, with manage: false where it exists already"


def test_a_job_is_no_folder(folder: Path) -> None:
    write(
        folder, {"provisioners/own.yaml": "jobs: [{name: a, template: freestyle}, {name: a/b, template: freestyle}]\n"}
    )
    assert only(folder, APPLICATION).message == "job a/b can't be inside a: that is a job, not a folder"


def test_missing_folders_are_not_told_when_something_failed(folder: Path) -> None:
    write(
        folder, {"provisioners/own.yaml": "jobs: [{name: app/a, template: gone}, {name: app/b, template: freestyle}]\n"}
    )
    assert only(folder, APPLICATION).message.startswith("there is no template 'gone'")


def test_two_objects_with_one_name(folder: Path) -> None:
    spec = """\
        applications: [{name: app, project: g/p}]
        jobs: [{name: app/MAIN-Build-app, template: freestyle}]
        views: [{name: app/MAIN, regex: x}]
        """
    assert [str(problem) for problem in problems(folder, spec)] == [
        "spec.yaml:6:8: job app/MAIN-Build-app is asked for twice, first at spec.yaml:5:16",
        "spec.yaml:7:9: view app/MAIN is asked for twice, first at spec.yaml:5:16",
    ]


def test_a_folder_and_a_job_with_one_name(folder: Path) -> None:
    write(folder, {"provisioners/own.yaml": "jobs: [{name: x, template: freestyle}]\n"})
    problem = only(folder, f"{APPLICATION}folders: [{{name: x}}]\n")
    assert str(problem) == "spec.yaml:7:11: folder x has the name of a job, first at spec.yaml:5:16"


def test_names_that_differ_in_case_only(folder: Path) -> None:
    problem = only(folder, "jobs: [{name: J, template: freestyle}, {name: j, template: freestyle}]\n")
    assert str(problem) == "spec.yaml:5:40: job j and job J differ only in case, first at spec.yaml:5:8"
    expanded(folder, "views: [{name: V, regex: x}, {name: v, regex: x}]\n")


def test_more_hooks_than_gitlab_allows(folder: Path) -> None:
    text = """\
        folders: [{name: app}]
        jobs:
        {% for number in range(application.variables.number) %}
          - {name: app/j{{ number }}, template: freestyle, gitlab: {project: g/p, events: [push]}}
        {% endfor %}
        """
    write(folder, {"provisioners/own.yaml": text})
    spec = "applications: [{name: app, project: g/p, provisioner: own, variables: {number: %d}}]\ntemplates: [mine]\n"
    assert len(expanded(folder, spec % 100).jobs) == 100
    problem = only(folder, spec % 101)
    assert problem.message == "project g/p in gitlab would get 101 webhooks, GitLab allows 100"


def test_a_gitlab_that_is_not_there(folder: Path) -> None:
    write(folder, {"provisioners/own.yaml": "jobs: [{name: a, gitlab: {project: g/p, gitlab: gitlub}}]\n"})
    problem = only(folder, APPLICATION)
    assert (problem.message, problem.hint) == ("there is no gitlab entry 'gitlub'", "did you mean gitlab?")
    assert problem.chain == (CHAIN, "job a")


def test_all_problems_come_together(folder: Path) -> None:
    write(folder, {"provisioners/own.yaml": "{{ 1 / 0 }}", "jobs/t.xml.j2": "<a>"})
    more = "jobs: [{name: a, template: t}, {name: b, template: u}]\nviews: [{name: v, regex: x, template: w}]\n"
    spec = APPLICATION + more
    assert len(problems(folder, spec)) == 4


def test_a_variable_that_nobody_uses_is_warned_of(folder: Path) -> None:
    result = expanded(
        folder,
        """\
        jobs: [{name: j, template: freestyle, variables: {keep_bulds: 3}}]
        applications:
          - {name: app, project: g/p, variables: {cron: '@daily', keep_dys: 3}}
          - {name: lib, project: g/q, variables: {lightweight: false}, library: [a]}
        """,
    )
    assert result.warnings == (
        "application app (spec.yaml:7:5): no template of this application uses the variable keep_dys "
        "(did you mean keep_days?)",
        "application lib (spec.yaml:8:5): no template of this application uses the variable lightweight",
        "job j (spec.yaml:5:8): template freestyle does not use the variable keep_bulds (did you mean keep_builds?)",
    )


def test_variables_are_not_judged_where_a_template_picks_its_parts_while_rendering(folder: Path) -> None:
    write(folder, {"jobs/pipeline-scm.xml.j2": "{% include part %}", "jobs/part.xml.j2": "<project/>"})
    spec = """\
        templates: [mine]
        jobs: [{name: j, variables: {part: jobs/part.xml.j2, other: 1}}]
        """
    assert expanded(folder, spec).warnings == ()
    token = "<project><secretToken>{{ webhook_token if trigger }}</secretToken></project>"
    write(folder, {"jobs/part.xml.j2": token})
    spec = """\
        templates: [mine]
        applications: [{name: app, project: g/p, variables: {part: jobs/part.xml.j2, other: 1}}]
        """
    assert expanded(folder, spec).warnings == ()


def test_variables_are_not_judged_where_a_template_fails(folder: Path) -> None:
    write(folder, {"jobs/pipeline-scm.xml.j2": "{% if %}"})
    spec = "templates: [mine]\napplications: [{name: app, project: g/p, variables: {other: 1}}]\n"
    assert {problem.message[:16] for problem in problems(folder, spec)} == {"not valid Jinja2"}


def test_options_that_bite_are_warned_of_with_their_job(folder: Path) -> None:
    spec = "applications: [{name: app, project: g/p, triggers: {code_review: {cancelPendingBuildsOnUpdate: true}}}]\n"
    (warning,) = expanded(folder, spec).warnings
    assert warning.startswith("job app/MAIN-Code-review-app: cancelPendingBuildsOnUpdate: true makes Jenkins answer")


def test_warnings_of_loading_are_kept(folder: Path) -> None:
    (warning,) = expanded(folder, "applications: [{name: app, project: g/p, build_tool: mavn}]\n").warnings
    assert "mavn" in warning


def test_an_unset_variable_is_named_behind_a_filter_too(folder: Path) -> None:
    write(folder, {"provisioners/own.yaml": "folders:\n  - name: {{ application.variables.team | yaml }}\n"})
    assert "has no attribute 'team'" in str(only(folder, APPLICATION))
    write(folder, {"provisioners/own.yaml": "folders:\n  - name: {{ [nosuch] | tojson }}\n"})
    assert "'nosuch' is not set" in str(only(folder, APPLICATION))


def test_a_provisioner_that_makes_other_jobs_of_the_former_names(folder: Path) -> None:
    text = """\
        folders: [{name: {{ application.full_name | yaml }}}]
        jobs:
          - name: {{ (application.full_name ~ "/a") | yaml }}
            template: freestyle
            gitlab: {project: g/p, events: [push]}
        {% if application.name == "app" %}
          - {name: app/b, template: freestyle}
        {% endif %}
        """
    write(folder, {"provisioners/own.yaml": text})
    renamed = APPLICATION.replace("name: app", "name: app, renamed_from: old")
    problem = only(folder, renamed)
    assert problem.message == "the provisioner makes 1 jobs of the former names and 2 of the new"
    assert problem.hint.startswith("have it give its jobs renamed_from one by one")
    assert problem.chain == (CHAIN, "under its former names")
    told = text.replace("template: freestyle\n", "template: freestyle\n            renamed_from: was\n")
    write(folder, {"provisioners/own.yaml": told})
    assert [(one.name, one.former) for one in expanded(folder, renamed).jobs] == [("app/a", "was"), ("app/b", None)]


def test_a_provisioner_that_fails_with_the_former_names(folder: Path) -> None:
    text = "{% if application.name == 'old' %}{{ fail('no old names') }}{% endif %}\n"
    text += "jobs: [{name: a, template: freestyle, gitlab: {project: g/p, events: [push]}}]\n"
    write(folder, {"provisioners/own.yaml": text})
    problem = only(folder, APPLICATION.replace("name: app", "name: app, renamed_from: old"))
    assert "no old names" in problem.message
    assert problem.chain[:2] == (CHAIN, "under its former names")


def test_a_provisioner_may_say_itself_what_its_jobs_were_called(folder: Path) -> None:
    text = """\
        folders: [{name: {{ application.full_name | yaml }}}]
        jobs:
          - {name: {{ (application.full_name ~ "/a") | yaml }}, template: freestyle, renamed_from: elsewhere}
          - name: {{ (application.full_name ~ "/b") | yaml }}
            template: freestyle
            gitlab: {project: g/p, events: [push]}
        """
    write(folder, {"provisioners/own.yaml": text})
    renamed = expanded(folder, APPLICATION.replace("name: app", "name: app, renamed_from: old"))
    assert [(one.name, one.former) for one in renamed.jobs] == [("app/a", "elsewhere"), ("app/b", "old/b")]


def test_templates_see_the_names_of_branches_and_nothing_of_their_past(folder: Path) -> None:
    text = "folders: [{name: {{ (application.branches | join('-') ~ application.get('renamed_from', '')) | yaml }}}]\n"
    write(folder, {"provisioners/own.yaml": text})
    branches = "branches: [{name: main, renamed_from: master}, {name: next}, last]"
    made = expanded(folder, APPLICATION.replace("name: app", f"name: app, renamed_from: old, {branches}"))
    assert [one.name for one in made.folders] == ["main-next-last"]


def test_a_job_that_would_take_over_another_jobs_webhook(folder: Path) -> None:
    problem = only(
        folder,
        """\
        applications: [{name: app, project: g/p}]
        jobs: [{name: j, template: freestyle, renamed_from: app/Main-Build-app}]
        """,
    )
    where = "spec.yaml:5:16"
    assert str(problem) == (
        f"spec.yaml:6:8: job j is renamed from app/Main-Build-app, which is still in the spec, at {where}"
    )
    assert "remove renamed_from" in problem.hint


def test_two_jobs_that_were_one(folder: Path) -> None:
    problem = only(
        folder,
        """\
        applications: [{name: app, project: g/p, renamed_from: old}]
        jobs: [{name: j, template: freestyle, renamed_from: old/MAIN-Build-old}]
        """,
    )
    assert problem.message == "job j and job app/MAIN-Build-app are both renamed from old/MAIN-Build-old"
