"""What is told live of offers, of whoever has an order, of when it is expected, and of alerts: with
the transaction that makes it so, and once.
"""

from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from domain.live import Happening, OfferEnd
from domain.notifications import Alert
from domain.order_status import Actor
from schema.database import Database
from schema.messages.dispatch import Release
from schema.messages.live import ADMINS, LiveEvent
from schema.messages.order import Changes, Who
from schema.messages.overrides import OverrideAction, Overriding
from schema.queries import assignments, notifications, orders, overrides
from schema.queries.offers import OfferGone
from schema.queries.orders import OutOfStep
from schema.tables import Role, User
from tests.schema.test_offer_races import DEEDS, Scene, scene
from tests.told import put_down

H = Happening


async def of(at: Scene, happening: Happening) -> list[LiveEvent]:
    """What is told of the scene's orders since it was set."""
    told = await put_down(at.database, at.both)
    return [event for event in told if event.happening is happening and event.at >= at.at]


def driver(at: Scene, rank: int = 0) -> tuple[str, ...]:
    return (str(at.world.drivers[rank].user_id),)


async def hold(at: Scene, session: AsyncSession) -> None:
    """An operator keeps the second order back."""
    asked = Overriding(
        order_id=at.cooking,
        action=OverrideAction.HOLD,
        admin_id=at.world.admin.user_id,
        reason="the kitchen has called",
        key=f"hold:{at.cooking}",
        at=at.at,
        held_until=at.at + timedelta(hours=1),
    )
    assert await overrides.override(session, asked)


ENDS = {
    "decline": OfferEnd.DECLINED,
    "expire": OfferEnd.EXPIRED,
    "forget": OfferEnd.EXPIRED,
    "hold": OfferEnd.WITHDRAWN,
    "suspend": OfferEnd.OFF_DUTY,
    "cancel the ready one": OfferEnd.ORDER_CANCELLED,
    "cancel the cooking one": OfferEnd.ORDER_CANCELLED,
    "assign the ready one": OfferEnd.WITHDRAWN,
    "assign the cooking one": OfferEnd.WITHDRAWN,
}


@pytest.mark.parametrize(("name", "why"), ENDS.items(), ids=ENDS)
async def test_a_driver_is_told_once_that_an_offer_is_gone_and_why(
    database: Database, name: str, why: OfferEnd
) -> None:
    at = await scene(database)
    for _ in range(2):
        with suppress(OfferGone, OutOfStep):
            async with database.write() as session:
                await {**DEEDS, "hold": hold}[name](at, session)

    (told,) = await of(at, H.OFFER_WITHDRAWN)
    assert told.to == driver(at)
    assert told.order_id == at.ready
    assert told.data == {"offerId": str(at.offer_id), "reason": why}


async def test_a_driver_is_told_of_an_offer_with_all_its_orders(database: Database) -> None:
    at = await scene(database)

    (told,) = await of(at, H.OFFER)
    assert (told.to, told.order_id) == (driver(at), at.ready)
    assert told.data == {
        "offerId": str(at.offer_id),
        "orderIds": [str(order_id) for order_id in at.both],
        "kitchenName": "Test Kitchen",
        "distanceKm": 1.0,
        "bonusCents": 0,
        "expiresAt": (at.at + timedelta(seconds=30)).isoformat().replace("+00:00", "Z"),
    }


async def test_who_accepts_early_has_all_orders_and_everybody_hears_when(
    database: Database,
) -> None:
    at = await scene(database)
    for _ in range(2):
        async with database.write() as session:
            await DEEDS["accept early"](at, session)

    assert await of(at, H.OFFER_WITHDRAWN) == []
    given, expected = await of(at, H.ASSIGNED), await of(at, H.ETA)
    assert {event.order_id for event in given} == {event.order_id for event in expected}
    assert [event.order_id for event in given] == sorted(at.both)
    assert {event.to for event in given} == {driver(at)}
    customer, his = str(at.world.customer.user_id), driver(at)
    # They were never paid, in this scene.
    assert {event.to for event in expected} == {(customer, *his, ADMINS)}


async def test_the_step_that_takes_an_offer_tells_of_its_other_orders(database: Database) -> None:
    at = await scene(database)
    async with database.write() as session:
        await DEEDS["accept"](at, session)

    # Of its own it is announced with the step.
    assert [event.order_id for event in await of(at, H.ASSIGNED)] == [at.cooking]
    assert [event.order_id for event in await of(at, H.ETA)] == [at.cooking]


async def test_who_gives_an_order_back_early_hears_that_and_no_more_of_it(
    database: Database,
) -> None:
    at = await scene(database)
    async with database.write() as session:
        await DEEDS["accept early"](at, session)
    later = at.at + timedelta(hours=1)
    back = Release(
        order_id=at.cooking,
        driver_id=at.driver,
        by=Who(role=Actor.DRIVER, id=at.world.drivers[0].user_id),
        reason="flat tyre",
        at=at.at,
        changes=Changes(estimated_pickup_at=at.at, estimated_delivery_at=later),
    )
    for _ in range(2):
        async with database.write() as session:
            await assignments.release_early(session, back)

    *_, last = [event for event in await of(at, H.ETA) if event.order_id == at.cooking]
    assert last.data["estimatedDeliveryAt"] == later.isoformat().replace("+00:00", "Z")
    assert len(await of(at, H.ETA)) == 3
    assert last.to == (str(at.world.customer.user_id), ADMINS)
    (lost,) = await of(at, H.STATUS)
    assert (lost.order_id, lost.to) == (at.cooking, driver(at))
    assert lost.data == {"status": "preparing", "reason": "taken_back"}


async def test_whoever_is_given_an_order_by_hand_hears_of_it(database: Database) -> None:
    at = await scene(database)
    async with database.write() as session:
        await DEEDS["assign the cooking one"](at, session)

    (told,) = await of(at, H.ASSIGNED)
    assert (told.order_id, told.to) == (at.cooking, driver(at, 1))


async def test_whose_order_is_given_to_another_by_hand_hears_of_it(database: Database) -> None:
    at = await scene(database)
    async with database.write() as session:
        await DEEDS["accept early"](at, session)
    async with database.write() as session:
        await DEEDS["assign the cooking one"](at, session)

    (lost,) = await of(at, H.STATUS)
    assert (lost.order_id, lost.to) == (at.cooking, driver(at))


async def test_what_is_not_committed_is_not_told(database: Database) -> None:
    at = await scene(database)
    async with database.write() as session:
        await DEEDS["decline"](at, session)
        await session.rollback()

    assert await of(at, H.OFFER_WITHDRAWN) == []


async def test_near_the_door_everybody_hears_when_it_is_expected(database: Database) -> None:
    at = await scene(database)
    soon = at.at + timedelta(minutes=3)
    for _ in range(2):
        async with database.write() as session:
            await orders.mark_near_door(session, at.ready, at.at, soon)

    (told,) = await of(at, H.ETA)
    assert told.data["isNearDoor"] is True
    assert told.data["estimatedDeliveryAt"] == soon.isoformat().replace("+00:00", "Z")


async def test_operators_hear_once_of_what_they_are_told(database: Database) -> None:
    at = await scene(database)

    async def alarm(alert: Alert, key: str) -> None:
        async with database.write() as session:
            parties = await orders.parties(session, at.ready)
            await notifications.tell(session, alert, parties, key=key)

    await alarm(Alert.DISPATCH_SLOW, "1")
    async with database.write() as session:
        session.add(
            User(
                email=f"late-{at.ready}@example.com",
                password_hash="none",
                role=Role.ADMIN,
                is_verified=True,
            )
        )
    # To the one who has come since, it is a notification; to all of them it is no news.
    await alarm(Alert.DISPATCH_SLOW, "1")
    await alarm(Alert.DISPATCH_SLOW, "2")
    await alarm(Alert.DRIVER_NEAR, "1")

    first, second = await of(at, H.ALERT)
    assert first.key != second.key
    assert first.to == (ADMINS,)
    assert first.data["occasion"] == "dispatch_slow"
    assert first.data["orderNumber"] in first.data["title"]
    assert first.data["message"]


async def test_operators_hear_of_what_is_of_no_order(database: Database) -> None:
    key = f"books:{(await scene(database)).ready}"
    for _ in range(2):
        async with database.write() as session:
            words = {"found": [{"kind": "amount_differs", "count": 1}]}
            await notifications.tell_ops(session, Alert.RECONCILIATION, key=key, words=words)

    told = [event for event in await put_down(database, [None]) if key in event.key]
    assert [event.data["occasion"] for event in told] == ["reconciliation"]
    assert "orderNumber" not in told[0].data


def test_every_end_of_an_offer_is_tried() -> None:
    assert set(ENDS.values()) == set(OfferEnd)
