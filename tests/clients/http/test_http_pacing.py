import re
from email.utils import formatdate
from typing import Any

import pytest
import requests

from configurator.clients.http.advice import advised_wait
from configurator.clients.http.pacing import Announcer, Pacer


def answer(**headers: str) -> requests.Response:
    response = requests.Response()
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return response


class Paced:
    """A pacer on a fake clock, and what it told."""

    def __init__(self, time_: Any, workers: int = 8) -> None:
        self.time = time_
        self.told: list[str] = []
        self.pacer = Pacer(workers, time_.clock, time_.sleep, Announcer(self.told.append, time_.clock))

    def send(self, remaining: float | None = None, reset: float | None = None, **more: str) -> None:
        """One request from its turn to its answer; ``reset`` in seconds from now."""
        if reset is not None:
            more["RateLimit_Reset"] = str(self.time.now + reset)
        self.pacer.take()
        self.learn(remaining, None, **more)

    def learn(self, remaining: float | None = None, reset: float | None = None, **more: str) -> None:
        headers = dict(more)
        if remaining is not None:
            headers["RateLimit_Remaining"] = str(remaining)
        if reset is not None:
            headers["RateLimit_Reset"] = str(self.time.now + reset)
        self.pacer.done(answer(**headers))


@pytest.fixture
def paced(time_: Any) -> Paced:
    return Paced(time_)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "7"}, 7.0),
        ({"Retry_After": "0"}, 1.0),
        ({"Retry_After": formatdate(1030, usegmt=True)}, 30.0),
        ({"Retry_After": "Thu, 01 Jan 1970 00:17:10 -0000"}, 30.0),
        ({"Retry_After": formatdate(1030), "Date": formatdate(1010)}, 20.0),
        ({"Retry_After": "soon", "RateLimit_Reset": "1012"}, 12.0),
        ({"RateLimit_Reset": "1012", "Date": formatdate(1010)}, 2.0),
        ({"RateLimit_Reset": "900"}, 1.0),
        ({}, 60.0),
    ],
)
def test_advised_wait(headers: dict[str, str], seconds: float) -> None:
    assert advised_wait(answer(**headers), 1000.0) == seconds


def test_plenty_left_means_no_waiting(paced: Paced) -> None:
    paced.send()
    paced.send(RateLimit_Remaining="many", RateLimit_Reset="soon")
    paced.send(500, 60)
    paced.send()
    assert paced.time.slept == paced.told == []


def test_few_left_are_spread_until_the_reset(paced: Paced) -> None:
    end = paced.time.now + 40
    paced.send(3, 40, RateLimit_Limit="100")
    for left in (2, 1, 0):
        paced.send(left, end - paced.time.now)
    assert paced.time.slept == pytest.approx([10, 10, 10])
    paced.send()
    assert paced.time.slept == pytest.approx([10, 10, 10, 10]), "the last waits for the reset"
    paced.send()
    assert len(paced.time.slept) == 4, "a new window, all of its requests are left"
    assert len(paced.told) == 1
    assert re.fullmatch(r"3 requests are left until \d\d:\d\d:\d\d, slowing down", paced.told[0])


def test_requests_on_their_way_count_as_sent(paced: Paced) -> None:
    """The server has not counted them yet when it says what is left."""
    for _ in range(8):
        paced.pacer.take()
    paced.learn(8, 30)
    paced.pacer.take()
    assert paced.time.slept == [15], "of 8 that are left, 7 are on their way"
    paced.pacer.take()
    assert paced.time.slept == [15, 15], "none is left: wait for the reset"


def test_answers_that_overtake_each_other(paced: Paced) -> None:
    for _ in range(4):
        paced.pacer.take()
    paced.learn(20, 30)
    paced.learn(2, 30)
    paced.learn(19, 30)
    paced.pacer.take()
    assert paced.time.slept == [15], "one of two that are left is on its way"
    paced.learn(500, 15 - 60)
    paced.pacer.take()
    assert paced.time.slept == [15, 7.5], "an answer of the minute before tells nothing new"


def test_a_new_window_begins_full(paced: Paced) -> None:
    paced.send(0, 5, RateLimit_Limit="9")
    paced.send()
    assert paced.time.slept == [5]
    stamp = str(paced.time.now)
    paced.pacer.take()
    paced.learn(0, None, RateLimit_Reset=stamp)
    paced.send(8, 60, RateLimit_Limit="9")
    assert paced.time.slept == [5], "a late answer of the window before is not believed"


def test_a_new_window_of_which_nothing_is_known_yet_is_not_run_into_either(paced: Paced) -> None:
    paced.send(0, 5, RateLimit_Limit="2")
    for _ in range(3):
        paced.pacer.take()
    assert paced.time.slept == [5, 30, 30]


def test_two_limits_at_once(paced: Paced) -> None:
    paced.send(1, 20, RateLimit_Name="api")
    paced.send(1, 300, RateLimit_Name="web")
    paced.send(900, 60, RateLimit_Name="api")
    assert paced.time.slept == [10, 147.5]


def test_the_server_s_clock_counts(paced: Paced) -> None:
    wrong = 5_000.0
    there = paced.time.now + wrong
    paced.send(1, None, RateLimit_Reset=str(there + 20), Date=formatdate(there, usegmt=True))
    paced.send()
    assert paced.time.slept == [10]


def test_a_reset_in_the_past_far_away_or_none_is_no_reason_to_wait(paced: Paced) -> None:
    paced.send(0, -5)
    paced.send(0)
    paced.send(0, 100_000)
    paced.send()
    assert paced.time.slept == []


def test_hold_stops_everybody_and_is_told_once(paced: Paced) -> None:
    for seconds in (30, 28, 31):
        paced.pacer.hold(seconds)
    paced.send()
    assert paced.time.slept == [31]
    paced.pacer.hold(1)
    paced.pacer.hold(90)
    paced.send()
    assert paced.time.slept == [31, 90]
    assert [text.partition(", until")[0] for text in paced.told] == ["asks to wait 30 s", "asks to wait 90 s"]


def test_who_waits_already_goes_on_waiting_when_a_hold_comes(time_: Any) -> None:
    paced = Paced(time_)
    naps: list[float] = []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        time_.now += seconds
        if len(naps) == 1:
            paced.pacer.hold(7)

    paced.pacer = Pacer(8, time_.clock, sleep, Announcer(paced.told.append, time_.clock))
    paced.pacer.hold(3)
    paced.send()
    assert naps == [3, 7]


def test_a_wait_that_is_broken_off_gives_its_place_back(time_: Any) -> None:
    def sleep(seconds: float) -> None:
        raise InterruptedError

    pacer = Pacer(1, time_.clock, sleep, Announcer(lambda words: None, time_.clock))
    pacer.take()
    pacer.done(answer(RateLimit_Remaining="5", RateLimit_Reset=str(time_.now + 10)))
    pacer.hold(5)
    for _ in range(9):
        with pytest.raises(InterruptedError):
            pacer.take()
    time_.now += 5
    pacer.take()
