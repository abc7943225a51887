from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from prometheus_format import Family, parse
from status_builders import TOKEN, down, example, gitlab, jenkins

from configurator.report.status_prometheus import status_prometheus
from configurator.tokens.watching.model import Status, TokenFacts


def value(families: dict[str, Family], name: str, **labels: str) -> float:
    """The one sample with these labels, and the spec's name."""
    key = tuple(sorted({"spec": "platform", **labels}.items()))
    return families[f"configurator_{name}"].samples[key]


@pytest.fixture
def families() -> dict[str, Family]:
    return parse(status_prometheus(example()))


def test_every_metric_is_a_gauge_of_ours_with_the_spec_on_it(families: dict[str, Family]) -> None:
    for name, family in families.items():
        assert name.startswith("configurator_")
        assert family.type == "gauge"
        assert all(dict(labels)["spec"] == "platform" for labels in family.samples)


def test_servers(families: dict[str, Family]) -> None:
    assert value(families, "up", server="gitlab:gitlab") == 1
    assert value(families, "up", server="jenkins") == 1
    both = parse(status_prometheus(example(down(), jenkins(up=False))))
    assert value(both, "up", server="gitlab:gitlab") == 0
    assert value(both, "up", server="jenkins") == 0


def test_tokens(families: dict[str, Family]) -> None:
    end = datetime(2026, 5, 24, tzinfo=UTC).timestamp()
    assert value(families, "token_expiry_timestamp_seconds", gitlab="gitlab", kind="project") == end
    assert value(families, "token_days_left", gitlab="gitlab", kind="project") == 20


def test_a_token_that_is_dead_has_no_days_left() -> None:
    dead = gitlab(token=replace(TOKEN, expires_at=datetime(2026, 5, 4, tzinfo=UTC).date()))
    assert value(parse(status_prometheus(example(dead))), "token_days_left", gitlab="gitlab", kind="project") == 0


@pytest.mark.parametrize("token", [None, TokenFacts("oauth"), TokenFacts("personal", known=True)])
def test_a_token_without_an_end_has_no_metric(token: TokenFacts | None) -> None:
    families = parse(status_prometheus(example(gitlab(token=token))))
    assert not [name for name in families if "token" in name]


def test_checks_and_integrations(families: dict[str, Family]) -> None:
    assert value(families, "checks", verdict="ok") == 3
    assert value(families, "checks", verdict="warn") == 3
    assert value(families, "checks", verdict="fail") == 0
    assert value(families, "integrations", kind="credential", verdict="warn") == 1
    assert value(families, "integrations", kind="credential", verdict="ok") == 0


def test_objects_and_webhooks(families: dict[str, Family]) -> None:
    assert value(families, "objects", kind="webhook", state="unchanged") == 8
    assert value(families, "objects", kind="webhook", state="create") == 1
    assert value(families, "objects", kind="webhook", state="conflict") == 0
    assert value(families, "objects", kind="credential", state="update") == 1
    assert value(families, "webhooks", gitlab="gitlab") == 9


def test_without_a_plan_there_are_no_objects() -> None:
    assert "configurator_objects" not in parse(status_prometheus(example(objects={})))


def test_the_run(families: dict[str, Family]) -> None:
    assert value(families, "last_run_timestamp_seconds") == datetime(2026, 5, 4, 10, tzinfo=UTC).timestamp()
    assert value(families, "run_duration_seconds") == 1.25
    assert value(families, "requests", server="jenkins") == 5
    assert value(families, "requests", server="gitlab:gitlab") == 12


def test_labels_are_escaped() -> None:
    nasty = 'a"b\\c\nd}e,f'
    families = parse(status_prometheus(example(replace(gitlab(), name=nasty), webhooks={nasty: 1})))
    assert value(families, "webhooks", gitlab=nasty) == 1
    assert value(families, "up", server=f"gitlab:{nasty}") == 1
    assert value(families, "token_days_left", gitlab=nasty, kind="project") == 20


def test_no_person_and_no_token_in_a_label() -> None:
    text = status_prometheus(example())
    assert "project_7_bot_1" not in text
    assert "'ci'" not in text
    assert 'user="' not in text


def test_a_big_spec_has_no_more_metrics() -> None:
    small, big = example(), example(objects={key: number * 10_000 for key, number in example().objects.items()})
    assert len(status_prometheus(big).split("\n")) == len(status_prometheus(small).split("\n"))


def test_two_specs_in_one_folder_do_not_collide() -> None:
    other: Status = example(owner="other")
    first, second = parse(status_prometheus(example())), parse(status_prometheus(other))
    for name in first:
        assert first[name].help == second[name].help
        assert not set(first[name].samples) & set(second[name].samples)
