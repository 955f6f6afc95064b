"""A batch of orders that live through whatever happens, and the sums that must be right after."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sqlalchemy import func, select
from sqlmodel import col

from domain.order_status import OrderStatus
from local.cast import Cast, cast
from local.cast import Order as Placed
from local.people import Unanswered, until
from schema.database import Database
from schema.tables import Order, OrderStatusHistory

S = OrderStatus
PATIENCE_SECONDS = 60.0


class Fate(Enum):
    """What is to become of an order: its end, what is charged and what goes back, in cents."""

    DELIVERED = (S.DELIVERED, [2660], 0)
    REJECTED = (S.CANCELLED, [2660], 2660)
    CANCELLED_WHILE_COOKING = (S.CANCELLED, [2660], 500)
    CANCELLED_UNPAID = (S.CANCELLED, [], 0)

    def __init__(self, end: OrderStatus, charged: list[int], refunded: int) -> None:
        self.end, self.charged, self.refunded = end, charged, refunded


# Most are delivered; the others are what a day brings.
FATES = [
    Fate.DELIVERED,
    Fate.DELIVERED,
    Fate.DELIVERED,
    Fate.REJECTED,
    Fate.CANCELLED_WHILE_COOKING,
    Fate.DELIVERED,
    Fate.CANCELLED_UNPAID,
    Fate.DELIVERED,
    Fate.DELIVERED,
    Fate.DELIVERED,
]


@dataclass
class Batch:
    """Orders, each with a world of its own; `progress` counts the steps that have been taken."""

    environment: Mapping[str, str]
    size: int
    progress: int = 0
    moved: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def live(self) -> None:
        """Let all orders come to their ends, and check every cent."""
        async with AsyncExitStack() as casts:
            plays = [
                await casts.enter_async_context(
                    cast(self.environment, drivers=1, patience=PATIENCE_SECONDS)
                )
                for _ in range(self.size)
            ]
            fates = [FATES[number % len(FATES)] for number in range(self.size)]
            orders = await asyncio.gather(
                *(self._live(play, fate) for play, fate in zip(plays, fates, strict=True))
            )
            for play, fate, order in zip(plays, fates, orders, strict=True):
                await ends_well(play, fate, order)

    async def reaches(self, steps: int) -> None:
        """Wait until so many steps have been taken by all orders together."""
        async with self.moved:
            await self.moved.wait_for(lambda: self.progress >= steps)

    async def _live(self, play: Cast, fate: Fate) -> Placed:
        order = await self._step(play.place)
        if fate is Fate.CANCELLED_UNPAID:
            await self._step(lambda: play.customer.put(f"/orders/{order['id']}/cancel"))
            return order
        # A webhook that comes while servers are away comes again, later each time.
        await self._step(lambda: play.pay(order, within=480))
        if fate is Fate.REJECTED:
            await self._step(lambda: play.chef_says(order, "rejected"))
            return order
        await self._step(lambda: play.chef_says(order, "accepted"))
        await self._step(lambda: play.chef_says(order, "preparing"))
        if fate is Fate.CANCELLED_WHILE_COOKING:
            await self._step(lambda: play.customer.put(f"/orders/{order['id']}/cancel"))
            return order
        await self._step(lambda: play.chef_says(order, "ready_for_pickup"))
        # An offer that expired while a server was away is made again after two minutes.
        await self._step(lambda: until(lambda: has_taken(play, order), within=480))
        for status in ("picked_up", "in_transit", "delivered"):
            await self._step(lambda status=status: play.driver_says(0, order, status))
        return order

    async def _step(self, step: Callable[[], Awaitable[Any]]) -> Any:
        answer = await step()
        async with self.moved:
            self.progress += 1
            self.moved.notify_all()
        return answer


async def has_taken(play: Cast, order: Placed) -> bool:
    """The driver accepts an offer of the order, if there is one that he may still accept."""
    seen = await play.customer.get(f"/orders/{order['id']}")
    if seen["status"] == S.ASSIGNED_TO_DRIVER:
        return True
    for offer in await play.drivers[0].get("/delivery/offers"):
        try:
            await play.drivers[0].post(f"/delivery/offers/{offer['id']}/accept")
        except Unanswered as refused:
            # Expired while a server was away: there will be another one.
            if refused.code not in {"offer_gone", "illegal_transition"}:
                raise
            return False
        return True
    return False


async def ends_well(play: Cast, fate: Fate, order: Placed) -> None:
    """The order is where it was to go, and its money too: at Stripe and in our books."""
    await play.becomes(order, fate.end, within=PATIENCE_SECONDS)
    await play.is_refunded(order, fate.refunded)
    assert play.charged(order) == fate.charged
    assert len(play.refunded(order)) == (1 if fate.refunded else 0)
    # A connection of its own: the cast's may have died with its server.
    database = Database(play.environment["DATABASE_URL"], pool_size=1)
    async with database.read() as session:
        orders = await session.scalar(
            select(func.count())
            .select_from(Order)
            .where(col(Order.customer_id) == play.world.customer.user_id)
        )
        steps = await session.scalars(
            select(col(OrderStatusHistory.status))
            .where(col(OrderStatusHistory.order_id) == order["id"])
            .order_by(col(OrderStatusHistory.sequence))
        )
        row = await session.get(Order, order["id"])
    await database.close()
    assert orders == 1, "the same basket was ordered twice"
    trace = list(steps)
    assert row is not None
    assert (trace[-1], len(trace)) == (row.status, row.sequence)
