"""What is to be expected of an order when its chef takes it on, and when he begins."""

from typing import NamedTuple
from uuid import UUID

from api.dependencies import Services
from domain import prep_time
from schema.queries import prep_times


class Forecast(NamedTuple):
    """In how many of the city's minutes food will be ready, and the other orders in hand.

    Without minutes, what was expected before stays.
    """

    minutes: float | None = None
    load: int | None = None


async def at_acceptance(held: Services, order_id: UUID, said: int | None) -> Forecast:
    """A chef takes an order on, and perhaps `said` in how many minutes it will be ready."""
    async with held.database.read() as session:
        order = await prep_times.at_hand(session, order_id)
        if order is None:
            return Forecast()
        past = await prep_times.cooked(session, order.chef_id, held.settings.city)
    expected = prep_time.from_acceptance(past, order.menu_minutes, order.load, said)
    return Forecast(expected.minutes, order.load)


async def at_start(held: Services, order_id: UUID, said: int | None) -> Forecast:
    """A chef begins to cook. What he said when he took the order on holds, if he says no more."""
    async with held.database.read() as session:
        order = await prep_times.at_hand(session, order_id)
        if order is None or (said is None and order.said):
            return Forecast()
        past = await prep_times.cooked(session, order.chef_id, held.settings.city)
    expected = prep_time.from_start(past, order.menu_minutes, order.load, said)
    return Forecast(expected.minutes, order.load)
