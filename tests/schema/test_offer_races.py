"""Two things that happen to an offer at once: one of them is first, neither waits for the other in
vain, and what they leave behind belongs together.

Each two are brought together in every way, each of them first: a row that both need is held until
both stand before it, or one behind the other, or are done; then it is let go. So the races do not
depend on who is fast today.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations_with_replacement
from uuid import UUID

import pytest
from sqlalchemy import Select, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.live import Happening
from domain.order_status import Actor, OrderStatus
from domain.verification import Verification
from local import world as worlds
from local.people import until
from local.world import World
from schema.database import Database
from schema.messages.dispatch import (
    Acceptance,
    Assignment,
    AssignmentStatus,
    Decline,
    Release,
)
from schema.messages.order import Changes, Transition, Who
from schema.queries import assignments, driver_profiles, drivers, offers, orders, searches
from schema.queries.offers import NewOffer, NewStop, NotOffered, OfferGone
from schema.queries.orders import OutOfStep
from schema.tables import Driver, DriverAssignment, Order
from tests.told import put_down

S, A = OrderStatus, AssignmentStatus
OFFER = timedelta(seconds=30)
# What the one driver can carry, who is offered as much, and the other one.
CAPACITY, MORE = 2, 3


@dataclass
class Scene:
    """Two orders offered to a driver together, the first one ready and the second one cooking; a
    third one that looks for a driver too, and another driver.
    """

    database: Database
    world: World
    ready: UUID
    cooking: UUID
    third: UUID
    offer_id: UUID
    at: datetime

    @property
    def driver(self) -> UUID:
        return self.world.drivers[0].id

    @property
    def other(self) -> UUID:
        return self.world.drivers[1].id

    @property
    def both(self) -> list[UUID]:
        return [self.ready, self.cooking]


@pytest.fixture
async def crowd(database_url: str) -> AsyncIterator[Database]:
    """Connections for the two, and for whoever holds them up."""
    opened = Database(database_url, pool_size=5)
    yield opened
    await opened.close()


async def scene(database: Database) -> Scene:
    world, at = await worlds.settle(database, drivers=2, onboarded=False), datetime.now(UTC)
    async with database.write() as session:
        made = [(await orders.begin(session, world.placing())).id for _ in range(3)]
        ready, cooking, third = made
        for order_id, status in zip(
            made, (S.READY_FOR_PICKUP, S.PREPARING, S.PREPARING), strict=True
        ):
            await session.execute(
                update(Order).where(col(Order.id) == order_id).values(status=status)
            )
            await searches.join(session, order_id, ["here", "there"], at)
        # He has let two pass already.
        for _ in range(2):
            passed = new_offer(world.drivers[0].id, made[2:], at - 2 * OFFER)
            await offers.offer(session, passed, CAPACITY)
            await offers.expire(session, made, at - OFFER)
        offer_id = await offers.offer(
            session, new_offer(world.drivers[0].id, made[:2], at), CAPACITY
        )
    return Scene(database, world, ready, cooking, third, offer_id, at)


def new_offer(driver_id: UUID, order_ids: list[UUID], at: datetime) -> NewOffer:
    stops = [NewStop(order_id, 1.0, at, at) for order_id in order_ids]
    return NewOffer(driver_id, stops, {}, at, at + OFFER)


Deed = Callable[[Scene, AsyncSession], Awaitable[object]]


def step(was: OrderStatus, to: OrderStatus, by: Actor, which: str, **values: object) -> Deed:
    """A step of one of the orders."""

    async def record(at: Scene, session: AsyncSession) -> None:
        user = {Actor.ADMIN: at.world.admin.user_id, Actor.CUSTOMER: at.world.customer.user_id}
        transition = Transition(
            order_id=getattr(at, which),
            sequence=2,
            was=was,
            to=to,
            by=Who(role=by, id=user.get(by)),
            at=at.at,
            reason="because",
            **{name: of(at) if callable(of) else of for name, of in values.items()},
        )
        await orders.record(session, transition)

    return record


async def accept_early(at: Scene, session: AsyncSession) -> None:
    """The driver says yes while the food is cooking, as far as the order's workflow knows."""
    yes = Acceptance(
        order_id=at.ready, offer_id=at.offer_id, driver_id=at.driver, capacity=CAPACITY, at=at.at
    )
    await assignments.accept(session, yes)


def offer(*which: str, to: str, capacity: int) -> Deed:
    """A zone offers orders to a driver."""

    async def make(at: Scene, session: AsyncSession) -> None:
        new = new_offer(getattr(at, to), [getattr(at, name) for name in which], at.at)
        await offers.offer(session, new, capacity)

    return make


async def expire(at: Scene, session: AsyncSession) -> None:
    """A zone looks when the offer is over, and takes the driver off duty."""
    for expired in await offers.expire(session, [at.cooking, at.ready], at.at + OFFER):
        if await offers.has_fallen_silent(session, expired.driver_id, 3):
            await drivers.go_off_duty(session, expired.driver_id)


async def forget(at: Scene, session: AsyncSession) -> None:
    """A zone tidies up after another that is gone."""
    await offers.forget(session, at.at + 2 * OFFER)


async def decline(at: Scene, session: AsyncSession) -> None:
    no = Decline(offer_id=at.offer_id, driver_id=at.driver, reason=None, at=at.at)
    await offers.decline(session, no)


async def suspend(at: Scene, session: AsyncSession) -> None:
    """An admin decides that the driver may not deliver any more."""
    await driver_profiles.locked(session, at.driver)
    off = {**driver_profiles.off_duty(), "verification_status": Verification.SUSPENDED}
    await driver_profiles.change(session, at.driver, off)
    await offers.withdraw_all(session, at.driver, reason="suspended", at=at.at)


async def assign_early(at: Scene, session: AsyncSession) -> None:
    given = Assignment(
        order_id=at.cooking,
        driver_id=at.other,
        by=Who(role=Actor.ADMIN, id=at.world.admin.user_id),
        reason="by phone",
        at=at.at,
    )
    await assignments.assign_early(session, given)


async def release_early(at: Scene, session: AsyncSession) -> None:
    """The driver, if he has the order, gives it back."""
    back = Release(
        order_id=at.cooking,
        driver_id=at.driver,
        by=Who(role=Actor.DRIVER, id=at.world.drivers[0].user_id),
        reason="flat tyre",
        at=at.at,
    )
    await assignments.release_early(session, back)


_ASSIGNED = (S.READY_FOR_PICKUP, S.ASSIGNED_TO_DRIVER)

DEEDS: dict[str, Deed] = {
    "accept": step(
        *_ASSIGNED,
        Actor.DISPATCH,
        "ready",
        changes=lambda at: Changes(driver_id=at.driver),
        offer_id=lambda at: at.offer_id,
        capacity=CAPACITY,
    ),
    "accept early": accept_early,
    "decline": decline,
    "expire": expire,
    "forget": forget,
    "suspend": suspend,
    "cancel the ready one": step(S.READY_FOR_PICKUP, S.CANCELLED, Actor.ADMIN, "ready"),
    "cancel the cooking one": step(S.PREPARING, S.CANCELLED, Actor.CUSTOMER, "cooking"),
    "assign the ready one": step(
        *_ASSIGNED, Actor.ADMIN, "ready", changes=lambda at: Changes(driver_id=at.other)
    ),
    "assign the cooking one": assign_early,
    "give the cooking one back": release_early,
    "offer him a third one": offer("third", to="driver", capacity=CAPACITY),
    "offer all to another": offer("third", "cooking", "ready", to="other", capacity=MORE),
    "offer all to another the other way": offer(
        "ready", "cooking", "third", to="other", capacity=MORE
    ),
}


Gate = Callable[[Scene], Select[UUID]]


def _gates(which: str) -> list[Gate]:
    """Rows about one of the orders."""
    return [
        lambda at: select(col(Order.id)).where(col(Order.id) == getattr(at, which)),
        lambda at: select(col(DriverAssignment.id)).where(
            col(DriverAssignment.offer_id) == at.offer_id,
            col(DriverAssignment.order_id) == getattr(at, which),
        ),
    ]


# Rows that may be held.
GATES: list[Gate] = [
    lambda at: select(col(Driver.id)).where(col(Driver.id) == at.driver),
    *_gates("ready"),
    *_gates("cooking"),
]


@pytest.mark.parametrize(
    ("one", "other"), list(combinations_with_replacement(DEEDS, 2)), ids=lambda name: name
)
async def test_any_two_things_at_once_leave_an_offer_whole(
    crowd: Database, one: str, other: str
) -> None:
    for gate in GATES:
        for first, second in dict.fromkeys([(one, other), (other, one)]):
            at = await scene(crowd)
            await together(at, gate(at), DEEDS[first], DEEDS[second])
            await is_whole(at)


async def together(at: Scene, gate: Select[UUID], *deeds: Deed) -> None:
    """Do all at once: each begins when those before it are done or cannot go on, for the row behind
    the gate or for one another; then the gate is opened.
    """

    async def do(deed: Deed) -> None:
        # Whoever comes too late is told so; anything else is a fault.
        with suppress(OfferGone, NotOffered, OutOfStep):
            async with at.database.write() as session:
                await deed(at, session)

    async with asyncio.TaskGroup() as tasks, at.database.write() as session:
        await session.execute(gate.with_for_update())
        doing: list[asyncio.Task[None]] = []

        async def nobody_moves() -> bool:
            # Not in the gate's transaction: what it once saw of others, it would see for ever.
            async with at.database.read() as looking:
                waiting = (await looking.execute(_WAITING)).scalar_one()
            return bool(waiting == sum(not task.done() for task in doing))

        for deed in deeds:
            doing.append(tasks.create_task(do(deed)))
            await until(nobody_moves, pause=0.001)


_WAITING = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


async def is_whole(at: Scene) -> None:
    """Orders, drivers and assignments say the same of each other."""
    async with at.database.read() as session:
        rows = list(
            await session.scalars(
                select(DriverAssignment).where(
                    col(DriverAssignment.order_id).in_([*at.both, at.third])
                )
            )
        )
        those = await session.scalars(select(Order).where(col(Order.id).in_([*at.both, at.third])))
        by_id = {order.id: order for order in those}
        driver = await session.get_one(Driver, at.driver)
    for order in by_id.values():
        live = [r for r in rows if r.order_id == order.id and r.status in {A.OFFERED, A.ACCEPTED}]
        assert len(live) <= 1
        has = live[0].driver_id if live and live[0].status is A.ACCEPTED else None
        assert order.driver_id == has or order.status is S.CANCELLED
        assert not live or order.status is not S.CANCELLED
        assert order.status is not S.ASSIGNED_TO_DRIVER or has
    offered = {r.offer_id for r in rows if r.status is A.OFFERED}
    for offer_id in offered:
        assert {r.status for r in rows if r.offer_id == offer_id} == {A.OFFERED}
    for driver_id in (at.driver, at.other):
        assert (
            sum(r.driver_id == driver_id and r.stop == 1 for r in rows if r.offer_id in offered)
            <= 1
        )
    await is_told(at, rows)
    his = [r for r in rows if r.driver_id == at.driver and r.status in {A.OFFERED, A.ACCEPTED}]
    assert len(his) <= CAPACITY
    if driver.verification_status is Verification.SUSPENDED:
        assert not any(r.driver_id == at.driver for r in rows if r.offer_id in offered)


async def is_told(at: Scene, rows: list[DriverAssignment]) -> None:
    """Whoever was asked is told once when he is not any more, and not before."""
    told = Counter(
        event.data["offerId"]
        for event in await put_down(at.database, [*at.both, at.third])
        if event.happening is Happening.OFFER_WITHDRAWN
    )
    assert set(told.values()) <= {1}
    for offer_id in {r.offer_id for r in rows}:
        ends = {r.status for r in rows if r.offer_id == offer_id}
        if ends & {A.OFFERED, A.ACCEPTED}:
            assert str(offer_id) not in told
        elif ends & {A.DECLINED, A.EXPIRED, A.WITHDRAWN}:
            assert str(offer_id) in told
