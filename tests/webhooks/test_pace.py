"""Test deliveries never run into GitLab's limit."""

from __future__ import annotations

import threading

from configurator.webhooks.pace import DeliveryPace


class Time:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def wait(self, stop: threading.Event, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def test_five_go_at_once_the_sixth_a_minute_after_the_first() -> None:
    time, stop = Time(), threading.Event()
    pace = DeliveryPace(time, time.wait)
    sent = []
    for _ in range(12):
        assert pace.take("gitlab", 7, stop)
        sent.append(time.now)
        time.now += 1.0
    assert time.waits[0] == 55.0
    for late, early in zip(sent[5:], sent, strict=False):
        assert late - early >= 60.0


def test_projects_and_instances_have_allowances_of_their_own() -> None:
    time, stop = Time(), threading.Event()
    pace = DeliveryPace(time, time.wait)
    for _ in range(5):
        assert pace.take("gitlab", 7, stop) and pace.take("gitlab", 8, stop) and pace.take("other", 7, stop)
    assert time.waits == []


def test_stopping_ends_the_waiting() -> None:
    time, stop = Time(), threading.Event()

    def interrupted(event: threading.Event, seconds: float) -> None:
        event.set()

    pace = DeliveryPace(time, interrupted)
    assert all(pace.take("gitlab", 7, stop) for _ in range(5))
    assert not pace.take("gitlab", 7, stop)
    assert not DeliveryPace().take("gitlab", 7, stop)


def test_the_real_wait_ends_when_stopped() -> None:
    stop = threading.Event()
    pace = DeliveryPace()
    assert all(pace.take("gitlab", 7, stop) for _ in range(5))
    timer = threading.Timer(0.05, stop.set)
    timer.start()
    assert not pace.take("gitlab", 7, stop)
    timer.join()
