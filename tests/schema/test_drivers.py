"""What is counted and looked up about drivers, in the statements that dispatch relies on."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain.driver_performance import LAST_OFFERS, performance
from domain.drivers import DocumentType
from domain.order_status import Actor, OrderStatus
from domain.shifts import Shift
from domain.verification import Verification
from local import world as worlds
from local.world import World
from schema.database import Database
from schema.messages.dispatch import AssignmentStatus
from schema.messages.order import Changes, Transition, Who
from schema.queries import assignments, driver_profiles, driver_records, drivers, orders, shifts
from schema.queries.offers import OfferGone
from schema.tables import Driver, DriverAssignment, DriverDocument

A, S = AssignmentStatus, OrderStatus
NOW = datetime(2026, 1, 31, 18, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def plan(database: Database, driver_id: UUID, *hours: tuple[float, float]) -> None:
    """Shifts from so many to so many hours from now."""
    async with database.write() as session:
        planned = [Shift(NOW + begins * HOUR, NOW + ends * HOUR) for begins, ends in hours]
        await shifts.replan(session, driver_id, planned, NOW - 24 * HOUR)


async def test_the_ends_of_shifts_are_those_of_whoever_is_in_one(database: Database) -> None:
    world = await worlds.settle(database, drivers=4)
    here, chained, later, never = [driver.id for driver in world.drivers]
    await plan(database, here, (-2, 1), (3, 5))
    await plan(database, chained, (-1, 2), (2, 4), (5, 6))
    await plan(database, later, (1, 2))

    async with database.read() as session:
        ends = await shifts.shift_ends(session, [here, chained, later, never], NOW)
        of_one = await shifts.shift_ends(session, [here], NOW)

    assert ends == {here: NOW + HOUR, chained: NOW + 4 * HOUR}
    assert of_one == {here: NOW + HOUR}


async def test_a_new_plan_leaves_what_has_begun(database: Database) -> None:
    world = await worlds.settle(database, drivers=1)
    driver_id = world.drivers[0].id
    await plan(database, driver_id, (-3, -2), (-1, 1), (2, 3))

    async with database.write() as session:
        await shifts.replan(session, driver_id, [Shift(NOW + 4 * HOUR, NOW + 5 * HOUR)], NOW)

    async with database.read() as session:
        assert await shifts.to_come(session, driver_id, NOW) == [
            Shift(NOW - HOUR, NOW + HOUR),
            Shift(NOW + 4 * HOUR, NOW + 5 * HOUR),
        ]
        assert len(await shifts.to_come(session, driver_id, NOW - 24 * HOUR)) == 3


async def test_of_each_type_one_document_waits_at_most(database: Database) -> None:
    world = await worlds.settle(database, drivers=1)

    with pytest.raises(IntegrityError, match="one_pending_document_per_type"):
        async with database.write() as session:
            session.add_all(
                DriverDocument(
                    driver_id=world.drivers[0].id,
                    document_type=DocumentType.IDENTITY,
                    file_url="https://files.example.com/1.jpg",
                )
                for _ in range(2)
            )


@pytest.mark.parametrize(
    ("is_in", "expires_on", "may"),
    [
        (Verification.APPROVED, None, True),
        (Verification.APPROVED, NOW.date(), True),
        (Verification.APPROVED, NOW.date() - timedelta(days=1), False),
        (Verification.PENDING, None, False),
        (Verification.SUSPENDED, None, False),
        (Verification.REJECTED, None, False),
    ],
)
async def test_on_duty_goes_who_may_deliver(
    database: Database, is_in: Verification, expires_on: date | None, may: bool
) -> None:
    world = await worlds.settle(database, drivers=1)
    driver_id = world.drivers[0].id
    async with database.write() as session:
        await driver_profiles.change(
            session,
            driver_id,
            {
                "verification_status": is_in,
                "documents_expire_on": expires_on,
                **driver_profiles.off_duty(),
            },
        )
        assert await drivers.go_on_duty(session, driver_id, NOW) == may
        assert await drivers.may_deliver(session, driver_id, NOW.date()) == may

    async with database.read() as session:
        found = await driver_profiles.profile(session, driver_id)
    assert found is not None
    assert (found.driver.is_available, found.driver.on_duty_since) == (may, NOW if may else None)


async def test_on_duty_since_begins_anew_after_being_switched_off(database: Database) -> None:
    world = await worlds.settle(database, drivers=1)
    driver_id = world.drivers[0].id

    async def since(at: datetime) -> datetime | None:
        async with database.write() as session:
            assert await drivers.go_on_duty(session, driver_id, at)
        async with database.read() as session:
            return await session.scalar(
                select(col(Driver.on_duty_since)).where(col(Driver.id) == driver_id)
            )

    async with database.write() as session:
        await drivers.go_off_duty(session, driver_id)
    assert await since(NOW) == NOW
    assert await since(NOW + HOUR) == NOW
    async with database.write() as session:
        # As dispatch does with who is silent: it need not know of the rest.
        await session.execute(
            update(Driver).where(col(Driver.id) == driver_id).values(is_available=False)
        )
    assert await since(NOW + 2 * HOUR) == NOW + 2 * HOUR


async def begun(database: Database, world: World) -> UUID:
    placing = world.placing()
    async with database.write() as session:
        await orders.begin(session, placing)
    return placing.order.id


async def asked(
    database: Database, driver_id: UUID, order_id: UUID, status: A, **what: object
) -> UUID:
    """An offer that went so, an hour ago unless `what` says otherwise."""
    row_id = uuid7()
    row = DriverAssignment(
        **{
            "id": row_id,
            "offer_id": row_id,
            "order_id": order_id,
            "driver_id": driver_id,
            "status": status,
            "distance_km": 1.0,
            "offered_at": NOW - HOUR,
            "expires_at": NOW - HOUR + timedelta(seconds=30),
            "responded_at": NOW - HOUR + timedelta(seconds=10),
            **what,
        }
    )
    async with database.write() as session:
        session.add(row)
    return row.id


async def test_what_was_withdrawn_or_cancelled_by_others_is_not_in_the_record(
    database: Database,
) -> None:
    world = await worlds.settle(database, drivers=2)
    driver_id, other = [driver.id for driver in world.drivers]
    order_id = await begun(database, world)
    for status in (A.DECLINED, A.EXPIRED, A.CANCELLED):
        await asked(database, driver_id, order_id, status)
    await asked(database, other, order_id, A.OFFERED)

    async with database.read() as session:
        records = await driver_records.asked(session, [driver_id, other])

    assert [one.accepted for one in records[driver_id]] == [False, False]
    assert other not in records


async def test_what_he_gave_back_is_in_the_record_as_such(database: Database) -> None:
    world = await worlds.settle(database, drivers=1)
    driver, order_id = world.drivers[0], await begun(database, world)
    await asked(database, driver.id, order_id, A.CANCELLED, ended_by=Actor.DRIVER)
    await asked(database, driver.id, order_id, A.CANCELLED, ended_by=Actor.ADMIN)

    async with database.read() as session:
        records = await driver_records.asked(session, [driver.id])

    assert [(one.accepted, one.given_back) for one in records[driver.id]] == [(True, True)]


async def test_a_record_is_read_no_further_back_than_it_is_counted(database: Database) -> None:
    world = await worlds.settle(database, drivers=1)
    driver_id, order_id = world.drivers[0].id, await begun(database, world)
    for count in range(4 * LAST_OFFERS):
        status = A.DECLINED if count < LAST_OFFERS else A.EXPIRED
        await asked(database, driver_id, order_id, status, offered_at=NOW - count * HOUR)

    async with database.read() as session:
        record = (await driver_records.asked(session, [driver_id]))[driver_id]

    assert len(record) == driver_records.MOST_ROWS
    assert performance(record).offers == LAST_OFFERS


async def test_offers_of_a_driver_who_may_not_deliver_any_more_cannot_be_taken(
    database: Database,
) -> None:
    world = await worlds.settle(database, drivers=1)
    driver_id, order_id = world.drivers[0].id, await begun(database, world)
    offer_id = await asked(
        database, driver_id, order_id, A.OFFERED, responded_at=None, expires_at=NOW + HOUR
    )
    step = Transition(
        order_id=order_id,
        sequence=2,
        was=S.READY_FOR_PICKUP,
        to=S.ASSIGNED_TO_DRIVER,
        by=Who(role=Actor.DISPATCH),
        at=NOW,
        offer_id=offer_id,
        changes=Changes(driver_id=driver_id),
    )
    async with database.write() as session:
        await driver_profiles.change(
            session, driver_id, {"verification_status": Verification.SUSPENDED}
        )

    with pytest.raises(OfferGone):
        async with database.write() as session:
            await assignments.take(session, step)

    async with database.write() as session:
        await driver_profiles.change(
            session, driver_id, {"verification_status": Verification.APPROVED}
        )
        await assignments.take(session, step)
