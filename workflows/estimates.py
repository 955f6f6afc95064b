"""What each event in an order's life says about when it will be ready, met by its driver, and at
the door.
"""

from datetime import datetime, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain import eta
    from domain.eta import City
    from schema.messages.order import Changes, Order

WORTH_TELLING = timedelta(minutes=1)


def cooking(order: Order, now: datetime, city: City, minutes: float) -> Changes:
    """The kitchen needs so many minutes from now; never so few that it gets cold."""
    drive = order.drive(city)
    cooked = eta.ready_at(now, minutes, city)
    if order.scheduled_for is not None:
        cooked = max(cooked, eta.ready_for(order.scheduled_for, drive, city))
    met = _met(order, cooked)
    return Changes(
        estimated_ready_at=cooked,
        estimated_pickup_at=met,
        estimated_delivery_at=_at_the_door(order, met, city),
    )


def if_otherwise(order: Order, promised: Changes, city: City) -> Changes:
    """What is promised anew, without its moments where that is what was expected before."""
    expected, ready_at = order.estimated_ready_at, promised.estimated_ready_at
    if ready_at is None or abs(ready_at - expected) >= city.lasting(WORTH_TELLING):
        return promised
    moments = ("estimated_ready_at", "estimated_pickup_at", "estimated_delivery_at")
    return promised.model_copy(update=dict.fromkeys(moments))


def ready(order: Order, now: datetime, city: City) -> Changes:
    """The food is ready; a driver who has the order already comes when he was expected."""
    met = _met(order, now)
    return Changes(
        estimated_ready_at=now,
        estimated_pickup_at=met,
        estimated_delivery_at=_at_the_door(order, met, city),
    )


def assigned(
    order: Order,
    now: datetime,
    city: City,
    *,
    pickup_at: datetime | None = None,
    delivery_at: datetime | None = None,
) -> Changes:
    """A driver has the order; what was expected of him when he was asked, where it is known."""
    met = max(pickup_at or now, order.estimated_ready_at, now)
    direct = eta.delivery_time(met, order.drive(city), city)
    return Changes(
        estimated_pickup_at=met, estimated_delivery_at=max(delivery_at or direct, direct)
    )


def given_back(order: Order, now: datetime, city: City) -> Changes:
    """The driver has given the order back: what was expected of him is worth nothing any more."""
    met = max(order.estimated_ready_at, now)
    return Changes(
        estimated_pickup_at=met,
        estimated_delivery_at=eta.delivery_time(met, order.drive(city), city),
    )


def picked_up(order: Order, now: datetime, city: City) -> Changes:
    """The driver has the food and leaves; the doors before this one on his way remain."""
    at_door = eta.at_the_door(now, order.drive(city), city)
    return Changes(estimated_pickup_at=now, estimated_delivery_at=at_door + _detour(order, city))


def left(order: Order, now: datetime, city: City) -> Changes:
    """The driver is on the way: no sooner there than it takes from here."""
    at_door = eta.at_the_door(now, order.drive(city), city)
    return Changes(estimated_delivery_at=max(order.estimated_delivery_at, at_door))


def near_door(now: datetime, city: City) -> datetime:
    """When a driver who is at the door has handed over."""
    return now + city.lasting(city.handover)


def _met(order: Order, ready: datetime) -> datetime:
    """When food that is ready at `ready` and its driver have met, if it has one."""
    if order.driver_id is None or order.estimated_pickup_at is None:
        return ready
    return max(ready, order.estimated_pickup_at)


def _at_the_door(order: Order, met: datetime, city: City) -> datetime:
    return eta.delivery_time(met, order.drive(city), city) + _detour(order, city)


def _detour(order: Order, city: City) -> timedelta:
    """What a driver's other doors add to this order's way, as was expected when he took it."""
    met = order.estimated_pickup_at
    if order.driver_id is None or met is None:
        return timedelta()
    direct = eta.delivery_time(met, order.drive(city), city)
    return max(order.estimated_delivery_at - direct, timedelta())
