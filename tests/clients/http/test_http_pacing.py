from email.utils import formatdate
from typing import Any

import pytest
import requests

from configurator.clients.http.pacing import Pacer, advised_wait


def answer(**headers: str) -> requests.Response:
    response = requests.Response()
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return response


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


def test_plenty_left_means_no_waiting(time_: Any) -> None:
    pacer = Pacer(8, time_.clock, time_.sleep)
    pacer.observe(answer())
    pacer.observe(answer(RateLimit_Remaining="many"))
    pacer.observe(answer(RateLimit_Remaining="500", RateLimit_Reset=str(time_.now + 60)))
    pacer.wait()
    assert time_.slept == []


def test_few_left_are_spread_until_the_reset(time_: Any) -> None:
    pacer = Pacer(8, time_.clock, time_.sleep)
    pacer.observe(answer(RateLimit_Remaining="3", RateLimit_Reset=str(time_.now + 40)))
    for _ in range(4):
        pacer.wait()
    assert time_.slept == [10, 10, 10, 10]
    pacer.wait()
    assert time_.slept == [10, 10, 10, 10], "the window is over, nothing to wait for"


def test_a_reset_in_the_past_or_none_is_no_reason_to_wait(time_: Any) -> None:
    pacer = Pacer(8, time_.clock, time_.sleep)
    pacer.observe(answer(RateLimit_Remaining="0", RateLimit_Reset=str(time_.now - 5)))
    pacer.observe(answer(RateLimit_Remaining="0"))
    pacer.wait()
    assert time_.slept == []


def test_hold_stops_everybody_and_has_a_limit(time_: Any) -> None:
    pacer = Pacer(8, time_.clock, time_.sleep)
    pacer.hold(5)
    pacer.hold(2)
    pacer.wait()
    assert time_.slept == [5]
    pacer.hold(9999)
    pacer.wait()
    assert time_.slept == [5, 60]
