"""A zone's activities under the test's control, and the orders of one world."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from redis.asyncio import Redis
from sqlalchemy import select, update
from sqlmodel import col
from temporalio.client import Client

from activities.dispatch import DispatchActivities
from activities.forecasts import Forecasts
from activities.market_terms import MarketTerms
from activities.messenger import Messenger
from activities.roads import Roads
from activities.snapshot import Snapshots
from domain.dispatch.plan import Policy
from domain.dispatch.rules import Rules
from domain.dispatch.widening import Widening
from domain.eta import City
from domain.order_status import OrderStatus
from local.world import Somebody, World
from providers.maps import TravelTimes
from providers.positions import Positions
from schema.database import Database
from schema.messages.dispatch import AssignmentStatus, Decline, Offer, Tick, Ticked
from schema.messages.order import Order
from schema.queries import offers, orders, searches
from schema.tables import Driver, DriverAssignment
from schema.tables import Order as OrderRow
from settings import Settings
from workflows.order import OrderWorkflow

S = OrderStatus

RULES = Rules(
    widening=Widening((5.0, 15.0), ring=timedelta(seconds=30), lead=timedelta(minutes=10)),
    tick=timedelta(seconds=10),
    watch=timedelta(minutes=1),
    retry=timedelta(seconds=1),
    offer=timedelta(seconds=30),
    ask_again=timedelta(minutes=2),
    dark=timedelta(minutes=5),
    fix_max_age=timedelta(minutes=5),
    patience=timedelta(minutes=5),
    give_up=timedelta(minutes=30),
    bonus_cents=200,
    capacity=2,
    handover=180.0,
)


@dataclass
class House:
    """Where a zone's looks take place."""

    database: Database
    world: World
    dispatch: DispatchActivities

    async def order(self, status: OrderStatus = S.READY_FOR_PICKUP, **values: object) -> Order:
        """An order as its zone finds it."""
        async with self.database.write() as session:
            order = await orders.begin(session, self.world.placing())
            at = datetime.now(UTC)
            values = {"status": status, "prepared_at": at, "estimated_ready_at": at, **values}
            await session.execute(
                update(OrderRow).where(col(OrderRow.id) == order.id).values(**values)
            )
            await searches.join(session, order.id, ["here"], at)
        return order

    async def look(self, *looked_at: Order, after: timedelta = timedelta(0)) -> Ticked:
        """A look at orders, as if so much time had passed."""
        return await self.dispatch.plan_tick(
            Tick(
                zone="here",
                order_ids=[order.id for order in looked_at],
                at=datetime.now(UTC) + after,
            )
        )

    async def offer(self, order: Order) -> Offer | None:
        """The live offer of an order."""
        async with self.database.read() as session:
            return await offers.live_offer(session, order.id)

    async def offered(self, order: Order) -> Offer:
        """The live offer of an order, which must be there."""
        offer = await self.offer(order)
        assert offer is not None
        return offer

    async def decline(self, offer: Offer) -> list[UUID]:
        """The driver leaves an offer to others."""
        declined = await self.dispatch.decline_offer(
            Decline(
                offer_id=offer.id,
                driver_id=offer.driver_id,
                reason="no",
                at=datetime.now(UTC),
            )
        )
        return declined.order_ids

    async def change(self, drivers: Iterable[Somebody], **values: object) -> None:
        """Let drivers be otherwise."""
        async with self.database.write() as session:
            await session.execute(
                update(Driver)
                .where(col(Driver.id).in_([driver.id for driver in drivers]))
                .values(**values)
            )

    async def give(self, order: Order, driver: Somebody) -> None:
        """A driver has an order in hand."""
        async with self.database.write() as session:
            await session.execute(
                update(OrderRow)
                .where(col(OrderRow.id) == order.id)
                .values(driver_id=driver.id, status=S.PICKED_UP)
            )

    async def rows(self, *of: Order) -> list[DriverAssignment]:
        """What orders were offered and to whom, the first first."""
        async with self.database.read() as session:
            found = await session.scalars(
                select(DriverAssignment)
                .where(col(DriverAssignment.order_id).in_([order.id for order in of]))
                .order_by(col(DriverAssignment.offered_at), col(DriverAssignment.id))
            )
            return list(found)

    async def statuses(self, order: Order) -> list[AssignmentStatus]:
        """How the offers of an order ended, the first first."""
        return [row.status for row in await self.rows(order)]


@asynccontextmanager
async def house(
    database: Database,
    world: World,
    redis: Redis,
    policy: Policy,
    client: Client,
    settings: Settings,
    rules: Rules = RULES,
) -> AsyncIterator[House]:
    """A house; orders are told at `client`, and no map is asked."""
    travel = TravelTimes(redis, None, city=City(), keep_for=timedelta(days=1))
    roads = Roads(travel, City().pace)
    positions = Positions(redis)
    forecasts = Forecasts(
        database, evening=timedelta(hours=3), fresh_for=rules.watch, pace=rules.pace
    )
    dispatch = DispatchActivities(
        database,
        positions,
        messenger=Messenger(
            client, OrderWorkflow.run, "nobody-works-here", MarketTerms(settings, database)
        ),
        snapshots=Snapshots(database, positions, roads, forecasts, rules),
        roads=roads,
        policy=policy,
        rules=rules,
        found=OrderWorkflow.driver_found,
        dark=OrderWorkflow.driver_dark,
    )
    yield House(database, world, dispatch)
    await roads.aclose()
