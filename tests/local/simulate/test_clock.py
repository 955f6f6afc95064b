"""The city's clock beside ours."""

from datetime import timedelta

import pytest

from local.simulate.clock import CityClock, hands


def test_moments_of_the_citys_and_of_ours_are_the_same_both_ways() -> None:
    clock = CityClock(speed=20)
    assert clock.moment(1200.0) - clock.began_at == timedelta(minutes=1)
    assert clock.at(clock.moment(1234.5)) == pytest.approx(1234.5)
    assert clock.at(clock.began_at - timedelta(seconds=3)) == pytest.approx(-60)


async def test_nobody_wakes_up_early_and_lateness_is_noted() -> None:
    clock = CityClock(speed=1000)
    clock.begin()
    await clock.until(20.0)
    assert clock.now >= 20.0
    assert len(clock.lateness) == 1
    assert clock.lateness[0] >= 0


async def test_what_is_past_is_not_waited_for_and_is_no_lateness() -> None:
    clock = CityClock(speed=1000)
    clock.begin()
    await clock.until(-5.0)
    assert list(clock.lateness) == []


def test_hands_show_hours_and_minutes() -> None:
    assert [hands(seconds) for seconds in (0, 59, 61, 3600 * 2 + 60 * 7)] == [
        "0:00",
        "0:00",
        "0:01",
        "2:07",
    ]
