"""Who comes when and does what follows from the seed, and from nothing else."""

import random
from dataclasses import replace

import pytest

from domain.geo import Point, distance_km
from local.city import CENTRE
from local.simulate import geography
from local.simulate.demand import City, Story, rate
from local.simulate.geography import Leg, Track
from local.simulate.scenario import HOUR, Kill, Scenario, chance, kills

EVENING = Scenario(orders_per_hour=300, hours=2, drivers=60, seed=7)


def test_a_seed_brings_the_same_orders_at_the_same_moments() -> None:
    first, again = City(EVENING).arrivals, City(EVENING).arrivals
    assert len(first) == 608
    assert first == again
    # Chance that somebody else has used changes nothing.
    random.random()
    assert City(EVENING).arrivals == first
    assert City(replace(EVENING, seed=8)).arrivals != first


def test_what_somebody_does_does_not_depend_on_how_many_others_there_are() -> None:
    few, many = City(replace(EVENING, drivers=10)), City(replace(EVENING, drivers=60))
    assert few.drivers == many.drivers[:10]
    assert few.arrivals == many.arrivals


def test_as_many_orders_come_as_were_asked_for_on_average() -> None:
    numbers = [len(City(replace(EVENING, seed=seed)).arrivals) for seed in range(40)]
    # 40 evenings of 600: within four standard errors of a Poisson process.
    assert sum(numbers) / 40 == pytest.approx(600, abs=4 * (600 / 40) ** 0.5)


def test_more_come_at_dinner_time() -> None:
    at = [rate(EVENING, share * EVENING.lasts) for share in (0.0, 0.55, 1.0)]
    assert at[1] > 2 * max(at[0], at[2])
    steps = 2000
    mean = sum(rate(EVENING, (n + 0.5) / steps * EVENING.lasts) for n in range(steps)) / steps
    assert mean == pytest.approx(300, rel=1e-3)
    middle = [a for a in City(EVENING).arrivals if 0.4 <= a.at / EVENING.lasts < 0.7]
    assert len(middle) > 0.4 * 608


def test_all_that_can_go_wrong_does_in_some_evening() -> None:
    city = City(EVENING)
    assert {arrival.story for arrival in city.arrivals} == set(Story)
    assert any(driver.silences for driver in city.drivers)
    assert all(0.70 <= driver.accepts <= 0.85 for driver in city.drivers)
    assert any(kitchen.forgets > 0.1 for kitchen in city.kitchens)
    assert {kitchen.says_minutes for kitchen in city.kitchens} == {True, False}


def test_doors_are_within_what_kitchens_deliver_to() -> None:
    city = City(EVENING)
    for arrival in city.arrivals:
        kitchen = city.kitchens[arrival.kitchen].place
        assert 0.3 < distance_km(kitchen, arrival.door) < 6.1
        assert distance_km(CENTRE, kitchen) < 4.2


def test_chance_is_the_same_for_the_same_matter() -> None:
    assert chance(7, "order", 1).random() == chance(7, "order", 1).random()
    assert chance(7, "order", 1).random() != chance(7, "order", 2).random()


def test_somebody_on_a_drive_is_between_its_ends() -> None:
    start, end = Point(30.0, -97.0), Point(30.1, -97.2)
    track = Track(start)
    assert track.at(5.0) == track.end == start
    track.drive(Leg(10.0, 30.0, start, end))
    assert [track.at(at) for at in (0.0, 10.0, 30.0, 99.0)] == [start, start, end, end]
    assert distance_km(track.at(20.0), Point(30.05, -97.1)) < 0.001
    track.drive(Leg(50.0, 60.0, end, start))
    assert track.at(40.0) == end
    assert track.at(60.0) == track.end == start


def test_a_drive_takes_as_long_as_the_road() -> None:
    here = CENTRE
    there = Point(here.latitude + 0.1, here.longitude)
    km = distance_km(here, there) * 1.3
    assert geography.seconds(here, there, kmh=30) == pytest.approx(km / 30 * HOUR)
    assert geography.heading(here, there) == pytest.approx(0)
    assert geography.heading(there, here) == pytest.approx(180)


def test_kills_are_read_the_first_first() -> None:
    assert kills("valkey@45.5, worker@30") == (Kill("worker", 30), Kill("valkey", 45.5))


@pytest.mark.parametrize("words", ["worker", "worker@", "stove@3", "worker@-1", ""])
def test_what_is_no_kill_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match=r"@|float"):
        kills(words)
