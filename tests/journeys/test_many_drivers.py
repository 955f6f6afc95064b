"""Two facades, two workers and 200 drivers who all want the same orders, at the border of two zones
that both look for drivers: no order has two of them, and nobody has more than he can carry.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select, update
from sqlmodel import col
from temporalio.client import Client

from domain.geo import Point
from domain.order_status import IN_HAND, WANTS_DRIVER, OrderStatus, check
from local import ports, processes
from local import world as worlds
from local.cast import token
from local.people import Person, Unanswered, Wallet, until
from local.processes import Running
from local.servers import OURS
from local.stack import PROJECT, Stack
from local.world import Somebody, World
from schema.database import Database
from schema.messages.dispatch import AssignmentStatus
from schema.messages.order import StatusView
from schema.queries import orders
from schema.tables import DispatchSearch, Driver, DriverAssignment, Order
from schema.tables.columns import now
from settings import Settings
from tests.stacks import apart
from worker import zoning
from workflows.connection import connect
from workflows.order import OrderWorkflow

S, A = OrderStatus, AssignmentStatus

DRIVERS, KITCHENS, ORDERS_EACH = 200, 3, 16
CAPACITY = 2
# The share of drivers who take nearly everything.
KEEN = 0.15
# The middle of the side that two cells have in common.
BORDER = Point(30.225063, -97.691956)
PATIENCE_SECONDS = 30.0
RUSH_SECONDS = 25.0
# All that a driver or an operator who comes too late may hear.
TOO_LATE = {"offer_gone", "illegal_transition", "not_the_driver"}

SETTINGS = {
    "DRIVER_CAPACITY": str(CAPACITY),
    "OFFER_SECONDS": "8",
    "DISPATCH_TICK_SECONDS": "1",
    "DISPATCH_REJOIN_SECONDS": "7",
    "DISPATCH_ASK_AGAIN_SECONDS": "5",
}


@dataclass
class Doubled:
    """A stack whose facade and worker there are two of each."""

    environment: Mapping[str, str]
    facades: list[str]


@pytest.fixture
def doubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doubled]:
    stack = apart(tmp_path_factory.mktemp("doubled"), **SETTINGS)
    environment = stack.up()
    try:
        with another(stack, "worker"), another(stack, "api") as facade:
            second = f"http://{ports.HOST}:{facade.ports['api']}"
            yield Doubled(environment, [environment["API_URL"], second])
    finally:
        stack.reset()


@contextmanager
def another(stack: Stack, name: str) -> Iterator[Running]:
    """A second one of a server of ours, on ports of its own."""
    server = next(server for server in OURS if server.name == name)
    free = {port: ports.any_free() for port in server.likes}
    running = processes.start(
        name,
        server.command(stack.home, free),
        stack.home / "log" / f"second-{name}.log",
        ports=free,
        environment={
            **stack.environment(),
            "WORKER_READY_FILE": str(stack.home / "second-worker.ready"),
        },
        directory=PROJECT,
    )
    try:
        yield running
    finally:
        processes.stop(running)


@dataclass
class Rush:
    """Everybody who wants an order, and what they were told."""

    facades: list[str]
    http: httpx.AsyncClient
    environment: Mapping[str, str]
    over: asyncio.Event = field(default_factory=asyncio.Event)
    refused: Counter[str] = field(default_factory=Counter)
    # Who was told that he has which orders, and has not given them back.
    promised: dict[UUID, set[str]] = field(default_factory=dict)
    # Which offers there were, and whose.
    seen: dict[str, UUID] = field(default_factory=dict)
    taken: int = 0
    given_back: int = 0
    by_hand: set[str] = field(default_factory=set)

    def at_each(self, somebody: Somebody) -> list[Person]:
        """Somebody, at each of the facades."""
        there = [
            Person(url, somebody.email, patience=PATIENCE_SECONDS, http=self.http)
            for url in self.facades
        ]
        for person in there:
            person.use_token(token(self.environment, somebody))
        return there

    async def drive(self, somebody: Somebody, chance: random.Random) -> None:
        """A driver who looks at his offers, now here and now there, and answers as he likes."""
        there = self.at_each(somebody)
        mine = self.promised.setdefault(somebody.id, set())
        # Most would rather not, so that offers go from hand to hand.
        yes = 0.9 if chance.random() < KEEN else 0.2
        while not self.over.is_set():
            for offer in await chance.choice(there).get("/delivery/offers"):
                self.seen[offer["id"]] = somebody.id
                await self._answer(there, offer, mine, yes, chance)
            others = sorted(offer for offer, whose in self.seen.items() if whose != somebody.id)
            if others and chance.random() < 0.05:
                path = f"/delivery/offers/{chance.choice(others)}/accept"
                with pytest.raises(Unanswered, match="not_found"):
                    await chance.choice(there).post(path)
            if mine and chance.random() < 0.05:
                await self._drop(chance.choice(there), mine)
            await self.pause(chance.uniform(1, 3))

    async def _answer(
        self,
        there: list[Person],
        offer: Mapping[str, Any],
        mine: set[str],
        yes: float,
        chance: random.Random,
    ) -> None:
        path = f"/delivery/offers/{offer['id']}"
        if chance.random() > yes:
            # Or he lets it pass.
            if chance.random() < 0.8:
                await self._told(chance.choice(there).post(f"{path}/decline", reason="no"))
            return
        answers = await asyncio.gather(
            *(self._told(person.post(f"{path}/accept")) for person in (*there, *there))
        )
        assert len(set(answers)) == 1, "the same answer, however often and wherever he says it"
        if answers[0]:
            self.taken += 1
            mine |= {order["orderId"] for order in offer["orders"]}

    async def _drop(self, person: Person, mine: set[str]) -> None:
        order_id = min(mine)
        path = f"/delivery/orders/{order_id}"
        if await self._told(person.put(path, status="ready_for_pickup", reason="flat tyre")):
            mine.discard(order_id)
            self.given_back += 1

    async def assign(
        self, operator: Somebody, database: Database, drivers: list[Somebody], chance: random.Random
    ) -> None:
        """An operator who gives orders away by hand in the middle of all this."""
        there = self.at_each(operator)
        while not self.over.is_set():
            async with database.read() as session:
                waiting = (
                    await session.scalars(
                        select(col(Order.id))
                        .where(col(Order.status).in_(WANTS_DRIVER))
                        .order_by(col(Order.id))
                    )
                ).all()
            if waiting:
                order_id, driver = chance.choice(waiting), chance.choice(drivers)
                path = f"/admin/orders/{order_id}/assign"
                asked = [
                    self._told(person.post(path, driverId=str(driver.id), reason="by phone"))
                    for person in there
                ]
                if any(await asyncio.gather(*asked)):
                    self.by_hand.add(str(order_id))
            await self.pause(chance.uniform(1, 2))

    async def _told(self, request: Any) -> bool:
        """Whether a request was granted, rather than refused as too late."""
        try:
            await request
        except Unanswered as refused:
            if refused.code not in TOO_LATE:
                raise
            self.refused[refused.code] += 1
            return False
        return True

    async def order(self, world: World, wallet: Wallet) -> str:
        """A customer orders, and the kitchen cooks at once."""
        customer, chef = self.at_each(world.customer)[0], self.at_each(world.chef)[1]
        order: dict[str, Any] = await customer.post("/orders", key=str(uuid4()), **world.basket())
        await wallet.pay(order["clientSecret"])

        async def is_paid() -> bool:
            seen = await customer.get(f"/orders/{order['id']}")
            return bool(seen["status"] == S.PAYMENT_CONFIRMED)

        await until(is_paid, pause=0.3)
        for status in (S.ACCEPTED, S.PREPARING, S.READY_FOR_PICKUP):
            await chef.put(f"/chef/orders/{order['id']}/status", status=status)
        return str(order["id"])

    async def pause(self, seconds: float) -> None:
        """Let so much time pass, unless all is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.over.wait()


@pytest.mark.timeout(300)
async def test_no_order_has_two_drivers_and_no_driver_more_than_he_can_carry(
    doubled: Doubled,
) -> None:
    environment, chance = doubled.environment, random.Random(7)
    assert len(zoning(Settings.of(environment)).zones_of(BORDER)) == 2
    database = Database(environment["DATABASE_URL"], pool_size=5)
    wallet = Wallet("pk_test_rush", environment["STRIPE_API_BASE"])
    temporal = await connect(environment)
    places = [near(BORDER, chance) for _ in range(KITCHENS)]
    cities = [
        await worlds.settle(database, drivers=0 if number else DRIVERS, kitchen=place)
        for number, place in enumerate(places)
    ]
    drivers = cities[0].drivers
    await gather_around(database, drivers, chance)
    limits = httpx.Limits(max_connections=60)
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS, limits=limits) as http:
        rush = Rush(doubled.facades, http, environment)
        async with asyncio.TaskGroup() as tasks:
            for driver in drivers:
                tasks.create_task(rush.drive(driver, random.Random(chance.random())))
            hand = random.Random(chance.random())
            tasks.create_task(rush.assign(cities[0].admin, database, drivers, hand))
            tasks.create_task(watch(rush, database))
            placing = [rush.order(city, wallet) for city in cities for _ in range(ORDERS_EACH)]
            placed = await asyncio.gather(*placing)
            with suppress(TimeoutError):
                await until(lambda: all_taken(database), within=RUSH_SECONDS, pause=0.5)
            rush.over.set()
    await wallet.close()

    assert rush.taken > 0
    assert rush.by_hand
    for order_id in placed:
        await until(partial(agree, database, temporal, UUID(order_id)), pause=0.2)
    await nothing_is_wrong(database)
    await has_what_he_was_promised(database, rush)
    await database.close()


def near(place: Point, chance: random.Random) -> Point:
    """Somewhere within a kilometre or so."""
    return Point(
        place.latitude + chance.uniform(-0.01, 0.01), place.longitude + chance.uniform(-0.01, 0.01)
    )


async def gather_around(database: Database, drivers: list[Somebody], chance: random.Random) -> None:
    """All drivers wait at the border."""
    async with database.write() as session:
        for driver in drivers:
            place = near(BORDER, chance)
            await session.execute(
                update(Driver)
                .where(col(Driver.id) == driver.id)
                .values(
                    current_latitude=place.latitude,
                    current_longitude=place.longitude,
                    located_at=now(),
                )
            )


async def all_taken(database: Database) -> bool:
    """Whether no order looks for a driver any more."""
    async with database.read() as session:
        open_orders = await session.scalar(
            select(func.count()).select_from(Order).where(col(Order.status) == S.READY_FOR_PICKUP)
        )
    return open_orders == 0


# What must not be, at any moment: orders with two drivers, or promised to two; drivers with two
# offers to answer, or with more than they can carry of what they have taken themselves (whom an
# operator calls, he may load with more).
_LIVE = col(DriverAssignment.status).in_((A.OFFERED, A.ACCEPTED))
_WRONG = (
    select(col(DriverAssignment.order_id))
    .where(_LIVE)
    .group_by(col(DriverAssignment.order_id))
    .having(func.count() > 1),
    select(col(DriverAssignment.driver_id))
    .where(col(DriverAssignment.status) == A.OFFERED)
    .group_by(col(DriverAssignment.driver_id))
    .having(func.count(col(DriverAssignment.offer_id).distinct()) > 1),
    select(col(DriverAssignment.driver_id))
    .where(_LIVE, col(DriverAssignment.expires_at) > col(DriverAssignment.offered_at))
    .group_by(col(DriverAssignment.driver_id))
    .having(func.count() > CAPACITY),
)


async def nothing_is_wrong(database: Database) -> None:
    """Count in the database."""
    async with database.read() as session:
        for wrong in _WRONG:
            assert (await session.scalars(wrong)).all() == []


async def watch(rush: Rush, database: Database) -> None:
    """Count all the while."""
    while not rush.over.is_set():
        await nothing_is_wrong(database)
        await rush.pause(0.1)


async def agree(database: Database, temporal: Client, order_id: UUID) -> bool:
    """Whether an order's row, its workflow, its history and its assignments say the same."""
    handle = temporal.get_workflow_handle(f"order-{order_id}")
    async with database.read() as session:
        order = await session.get_one(Order, order_id)
        accepted = await session.scalars(
            select(col(DriverAssignment.driver_id)).where(
                col(DriverAssignment.order_id) == order_id,
                col(DriverAssignment.status) == A.ACCEPTED,
            )
        )
        steps = await orders.steps_after(session, order_id, 0)
        search = await session.get(DispatchSearch, order_id)
    for step in steps:
        if step.was is not None:
            check(step.was, step.to, step.by.role)
    has_it = list(accepted)
    assert len(has_it) <= 1
    assert (order.sequence, order.status) == (len(steps), steps[-1].to)
    assert search is not None
    view: StatusView = await handle.query(OrderWorkflow.status)
    is_open = order.status is S.READY_FOR_PICKUP and not has_it
    is_taken = order.status is S.ASSIGNED_TO_DRIVER and has_it == [order.driver_id]
    return (is_open or is_taken) and (view.status, view.driver_id) == (
        order.status,
        order.driver_id,
    )


async def has_what_he_was_promised(database: Database, rush: Rush) -> None:
    """Who was told that he has an order, has it, unless an operator has given it to another."""
    async with database.read() as session:
        found = await session.execute(
            select(col(Order.id), col(Order.driver_id)).where(col(Order.status).in_(IN_HAND))
        )
        in_hand = {str(order_id): driver_id for order_id, driver_id in found}
    for driver_id, theirs in rush.promised.items():
        assert {in_hand[order_id] for order_id in theirs - rush.by_hand} <= {driver_id}
