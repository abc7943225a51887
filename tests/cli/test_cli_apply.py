from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from plan_builders import create, example_plan, plan

from configurator.cli.signals import stop_on_signal, terminate_as_interrupt
from configurator.errors import RefusedError
from configurator.report.progress import Lines
from configurator.report.text import plan_text


def test_without_a_terminal_and_without_yes_it_refuses(command, fake) -> None:
    ended = command("apply")
    assert ended.code == 4
    assert ended.out == plan_text(example_plan())
    assert "no terminal to ask on" in ended.err
    assert "--yes" in ended.err
    assert not fake.was_called("apply")


def test_yes_applies_and_reports(command, fake) -> None:
    ended = command("apply", "--yes")
    assert ended.code == 0
    assert ended.out.startswith(plan_text(example_plan()))
    assert ended.out.endswith(
        "Applied: 3 created, 1 updated, 1 deleted, 0 failed, 0 skipped, 1 conflict left, in 1.0 s.\n"
    )
    assert "+ folder payments\n" in ended.err


def test_quiet_leaves_results_alone(command, fake) -> None:
    ended = command("apply", "--yes", "-q")
    assert ended.err == ""
    assert "Applied:" in ended.out


def test_the_exit_code_is_that_of_the_apply(command, fake) -> None:
    fake.apply_code, fake.failed = 1, "payments"
    ended = command("apply", "--yes")
    assert ended.code == 1
    assert "Jenkins answered 500" in ended.out


@pytest.mark.parametrize(("answer", "code", "applied"), [("y", 0, True), ("n", 4, False), ("", 4, False)])
def test_a_person_is_asked(command, fake, terminal, answer: str, code: int, applied: bool) -> None:
    terminal(answer)
    ended = command("apply")
    assert ended.code == code
    assert fake.was_called("apply") is applied
    assert ("you did not agree" in ended.err) is not applied


def test_nothing_to_do_asks_nobody(command, fake) -> None:
    fake.plans = [plan(unchanged=4)]
    ended = command("apply")
    assert ended.code == 0
    assert ended.out == plan_text(plan(unchanged=4))
    assert "Nothing to do" in ended.out


def test_json_has_the_results_on_stdout_and_the_plan_on_stderr(command, fake) -> None:
    ended = command("apply", "--yes", "-o", "json")
    assert {change["result"] for change in json.loads(ended.out)["changes"]} == {"done", "skipped"}
    assert plan_text(example_plan()) in ended.err
    assert plan_text(example_plan()) not in command("apply", "--yes", "-o", "json", "-q").err


def test_json_logs_stay_json(command, fake) -> None:
    ended = command("apply", "--yes", "-o", "json", "--log-format", "json")
    assert [json.loads(line) for line in ended.err.splitlines()]


def test_every_option_arrives(command, fake, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").touch()
    arguments = ["-f", "x.yaml", "--prune", "--adopt", "a", "--max-deletes", "0", "--yes", "--workers", "2"]
    assert command("apply", *arguments, "--allow-commands").code == 0
    assert fake.called("open") == {"path": Path("x.yaml"), "allow_commands": True, "workers": 2}
    assert fake.called("plan") == {"prune": True, "adopt": ("a",)}
    assert fake.called("apply") == {"max_deletes": 0}


def test_a_guard_of_the_engine(command, fake) -> None:
    fake.guarding = RefusedError("30 deletions are more than 20", "Allow them with --max-deletes 30.")
    ended = command("apply", "--yes")
    assert ended.code == 4
    assert "--max-deletes 30" in ended.err
    assert "apply" not in [call for call, _ in fake.calls]


def test_a_plan_file_is_carried_out_with_its_options(command, fake, monkeypatch: pytest.MonkeyPatch) -> None:
    command("plan", "--prune", "--adopt", "a/*", "--out", "plan.json")
    fake.calls.clear()
    monkeypatch.setenv("CONFIGURATOR_FILE", "configurator.yaml")  # the plan file wins over the environment
    assert command("apply", "plan.json", "--yes").code == 0
    assert fake.called("plan") == {"prune": True, "adopt": ("a/*",)}
    assert fake.called("open")["path"] == Path("configurator.yaml")
    assert fake.called("open")["allow_commands"] is False


def test_a_plan_file_still_asks(command, fake) -> None:
    command("plan", "--out", "plan.json")
    assert command("apply", "plan.json").code == 4


def test_a_stale_plan_file_is_refused(command, fake) -> None:
    fake.plans = [example_plan(), plan(create("folder", "payments", "payments"))]
    command("plan", "--out", "plan.json")
    ended = command("apply", "plan.json", "--yes")
    assert ended.code == 4
    assert "is stale" in ended.err
    assert "plugin gitlab-plugin: create is no longer planned" in ended.err
    assert not fake.was_called("apply")


@pytest.mark.parametrize("option", [["--prune"], ["--adopt", "x"], ["-f", "configurator.yaml"]])
def test_what_a_plan_file_decides_can_not_be_given_beside_it(command, fake, option: list[str]) -> None:
    command("plan", "--out", "plan.json")
    ended = command("apply", "plan.json", *option)
    assert ended.code == 3
    assert "the plan says it already" in ended.err


def test_a_spec_in_place_of_a_plan_file(command, fake) -> None:
    ended = command("apply", "configurator.yaml")
    assert ended.code == 3
    assert "is not a plan file" in ended.err
    assert "-f configurator.yaml" in ended.err


def test_sigterm_is_like_ctrl_c() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), terminate_as_interrupt():
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
    assert signal.getsignal(signal.SIGTERM) is before


def test_sigterm_is_left_alone_outside_of_the_main_thread() -> None:
    import threading

    entered: list[object] = []

    def work() -> None:
        with terminate_as_interrupt():
            entered.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert entered == [before]


def test_the_first_signal_is_only_noted_and_the_second_interrupts() -> None:
    with stop_on_signal() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(5)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()


def test_a_signal_in_the_middle_of_printing_a_line_of_progress_waits_for_nothing() -> None:
    """The handler runs in the printing thread: would it print, it would wait for itself."""

    def write(line: str) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(5)

    with stop_on_signal() as stop:
        Lines(write).stage("reading")
    assert stop.is_set()
