"""When food will be ready and when it will be at the door: the first, plain estimates.

Travel is the road's length at city speed; a handover at kitchen and door takes some minutes each.
"""

from datetime import datetime, timedelta

CITY_KMH = 30.0
HANDOVER = timedelta(minutes=3)


def ready_at(begun: datetime, prep_minutes: int) -> datetime:
    """When dishes that take `prep_minutes` are ready."""
    return begun + timedelta(minutes=prep_minutes)


def travel_time(road_km: float) -> timedelta:
    """How long a driver needs for `road_km` of city road."""
    return timedelta(hours=road_km / CITY_KMH)


def pickup_time(asked: datetime, ready: datetime, approach_km: float) -> datetime:
    """When a driver asked at `asked`, `approach_km` of road away, can have the food in hand."""
    return max(asked + travel_time(approach_km), ready)


def delivery_time(ready: datetime, road_km: float) -> datetime:
    """When an order that is ready at `ready` is at the door, `road_km` away."""
    return at_the_door(ready + HANDOVER, road_km)


def at_the_door(departure: datetime, road_km: float) -> datetime:
    """When a driver who leaves the kitchen at `departure` has handed over, `road_km` away."""
    return departure + travel_time(road_km) + HANDOVER


def ready_for(scheduled: datetime, road_km: float) -> datetime:
    """When food must be ready to be at the door, `road_km` away, at `scheduled`."""
    return scheduled - (delivery_time(scheduled, road_km) - scheduled)
