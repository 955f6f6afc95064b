"""When food will be ready, in a driver's hand, and at the door.

How long a kitchen needs is `domain.prep_time`'s, how long a drive takes the map's or, without one,
the road's length at city speed. A handover at kitchen and door takes some minutes each. Prep times,
drives and handovers are the city's own; moments are ours, and in a simulated city `pace` of its
minutes pass in one of ours.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class City:
    """How fast a city drives, hands over, and lives: `handover` is by its own clock."""

    kmh: float = 30.0
    handover: timedelta = timedelta(minutes=3)
    pace: float = 1.0

    def lasting(self, city_time: timedelta) -> timedelta:
        """How long what takes `city_time` in the city takes by our clock."""
        return city_time / self.pace

    def minutes(self, ours: timedelta) -> float:
        """How many of the city's minutes pass while `ours` passes."""
        return ours / timedelta(minutes=1) * self.pace

    def drive(self, road_km: float) -> timedelta:
        """How long a driver needs for `road_km` of city road, by our clock."""
        return self.lasting(timedelta(hours=road_km / self.kmh))


def ready_at(begun: datetime, prep_minutes: float, city: City) -> datetime:
    """When dishes that take `prep_minutes` of the city are ready."""
    return begun + city.lasting(timedelta(minutes=prep_minutes))


def pickup_time(asked: datetime, ready: datetime, approach: timedelta) -> datetime:
    """When a driver asked at `asked`, an `approach` away, and the food have met."""
    return max(asked + approach, ready)


def delivery_time(met: datetime, drive: timedelta, city: City) -> datetime:
    """When food that has met its driver at `met` is handed over, a `drive` away."""
    return at_the_door(met + city.lasting(city.handover), drive, city)


def at_the_door(departure: datetime, drive: timedelta, city: City) -> datetime:
    """When a driver who leaves the kitchen at `departure` has handed over, a `drive` away."""
    return departure + drive + city.lasting(city.handover)


def ready_for(scheduled: datetime, drive: timedelta, city: City) -> datetime:
    """When food must be ready to be at the door, a `drive` away, at `scheduled`."""
    return scheduled - (delivery_time(scheduled, drive, city) - scheduled)


def asked_from(ready: datetime, prep: timedelta, ahead: timedelta, now: datetime) -> datetime:
    """When the time begins in which a chef has to answer for an order that is to be `ready` then:
    not before cooking, which takes `prep`, has to be thought of, which is so long `ahead` of it.
    """
    return max(ready - prep - ahead, now)
