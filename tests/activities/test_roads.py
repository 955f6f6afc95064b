"""Drives on a plane, as dispatch asks for them."""

from datetime import timedelta

import numpy as np
import pytest
from redis.asyncio import Redis

from activities.roads import Roads
from domain.dispatch.plane import Plane
from domain.eta import City
from domain.geo import Point
from providers.maps import TravelTimes


@pytest.mark.parametrize("pace", [1.0, 20.0])
async def test_a_drive_is_longer_than_straight_and_takes_the_citys_time_at_any_pace(
    redis: Redis, pace: float
) -> None:
    city = City(kmh=30.0, pace=pace)
    roads = Roads(TravelTimes(redis, None, city=city, keep_for=timedelta(days=1)), pace)
    travel = roads.on(Plane(Point(30.2672, -97.7431)))

    seconds = travel(np.array([[0.0, 0.0]]), np.array([[0.0, 10_000.0]]))

    assert seconds == pytest.approx([10 * 1.3 / 30 * 3600], rel=1e-3)
    await roads.aclose()
