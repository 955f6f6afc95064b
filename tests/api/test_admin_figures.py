"""Operators see how the platform does, and what waits for them: figures that a recount confirms."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, update
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain.order_status import Actor, OrderStatus
from domain.reviews import Reviewee
from domain.verification import Verification
from local.cast import Cast
from local.people import Unanswered
from schema.messages.money import RefundStatus
from schema.tables import Chef, Driver, Order, Refund
from settings import Settings
from tests.api.delivered import rated
from tests.api.facade import facade
from tests.stories import MINUTE, NOON, Story

S = OrderStatus
DAY = {"begin": "2026-01-31", "end": "2026-01-31"}


async def town(play: Cast) -> str:
    """A market that is this test's own: its kitchen is there."""
    name = f"town-{uuid7()}"
    async with play.database.write() as session:
        await session.execute(
            update(Chef).where(col(Chef.id) == play.world.chef.id).values(market=name)
        )
    return name


async def story(play: Cast, market: str, minute: float = 0) -> Story:
    promised = {
        "estimated_ready_at": NOON + 30 * MINUTE,
        "estimated_delivery_at": NOON + 60 * MINUTE,
        "market": market,
    }
    return await Story(play.database, play.world).begin(minute, **promised)


async def delivered(play: Cast, market: str, ready: float, came: float) -> Story:
    made = await story(play, market)
    await made.cook(1, 2, ready, estimated_ready_at=NOON + 30 * MINUTE)
    await made.step(S.IN_TRANSIT, ready + 1, driver_id=play.world.drivers[0].id)
    await made.step(S.DELIVERED, came)
    return made


async def a_day(play: Cast) -> str:
    """Three deliveries: in time, late by the food, late at the door; an answer that did not come,
    a refusal, an order that is still cooked, one that nobody paid for.
    """
    market = await town(play)
    await delivered(play, market, 20, 50)
    late = await delivered(play, market, 31, 59)
    await delivered(play, market, 25, 61)
    unanswered, refused = await story(play, market, 61), await story(play, market)
    for one in (unanswered, refused):
        await one.step(S.PAYMENT_CONFIRMED, 62)
        await one.step(S.CANCELLED, 70)
    cooked = await story(play, market)
    await cooked.step(S.PAYMENT_CONFIRMED, 1)
    await cooked.step(S.ACCEPTED, 2)
    await story(play, market)
    async with play.database.write() as session:
        for one, by, why in (
            (unanswered, Actor.DEADLINE, "chef_did_not_answer"),
            (refused, Actor.CHEF, "rejected_by_chef"),
        ):
            await session.execute(
                update(Order)
                .where(col(Order.id) == one.id)
                .values(cancelled_by=by, cancel_reason=why)
            )
        for cents, status in ((500, RefundStatus.SUCCEEDED), (100, RefundStatus.FAILED)):
            session.add(
                Refund(
                    order_id=late.id,
                    stripe_refund_id=f"re_{uuid7()}",
                    amount_cents=cents,
                    status=status,
                    created_at=NOON,
                )
            )
    return market


async def test_the_dashboard_counts_what_happened(play: Cast, environment: Any) -> None:
    market = await a_day(play)

    seen = await play.admin.get("/admin/dashboard", market=market, **DAY)

    assert (seen["begin"], seen["end"]) == (DAY["begin"], DAY["end"])
    assert seen["ordersByStatus"] == {"delivered": 3, "cancelled": 2, "accepted": 1, "pending": 1}
    assert seen["money"] == [
        {
            "currency": "usd",
            "orders": 3,
            "revenueCents": 3 * 2660,
            "platformRevenueCents": 3 * 399,
            "averageOrderCents": 2660,
        }
    ]
    assert seen["chefAcceptance"] == {"asked": 6, "accepted": 4, "rate": 0.6667}
    assert seen["refunds"] == [{"currency": "usd", "refunds": 1, "cents": 500}]
    nothing = {"chefTooLate": 0, "foodLate": 0, "deliveryLate": 0}
    assert seen["breachesByHour"] == [
        {"hour": "2026-01-31T12:00:00Z", **nothing, "foodLate": 1, "deliveryLate": 1},
        {"hour": "2026-01-31T13:00:00Z", **nothing, "chefTooLate": 1},
    ]
    zone = Settings.of(environment).zoning.zone_of(play.world.kitchen)
    all_of_it = {"chefTooLate": 1, "foodLate": 1, "deliveryLate": 1}
    assert seen["breachesByZone"] == [{"zone": zone, **all_of_it}]
    assert await play.admin.get("/admin/dashboard", zone=zone, **DAY) == seen
    elsewhere = await play.admin.get("/admin/dashboard", zone="85489e37fffffff", **DAY)
    assert (elsewhere["ordersByStatus"], elsewhere["breachesByHour"]) == ({}, [])
    assert elsewhere["chefAcceptance"]["rate"] is None


async def test_the_drivers_on_duty_are_those_who_may_be_asked_now(play: Cast) -> None:
    async def seen() -> dict[str, int]:
        drivers: dict[str, int] = (await play.admin.get("/admin/dashboard"))["drivers"]
        assert drivers["idle"] == drivers["onDuty"] - drivers["busy"]
        return drivers

    # Others share the database, and come and go: a recount tells as of the same moment.
    before = await seen()
    async with play.database.write() as session:
        await session.execute(
            update(Driver)
            .where(col(Driver.id) == play.world.drivers[0].id)
            .values(verification_status=Verification.SUSPENDED)
        )
    assert (await seen())["onDuty"] == before["onDuty"] - 1


async def test_analytics_tell_a_period_day_by_day(play: Cast) -> None:
    market = await a_day(play)
    for stars, status in ((5, "visible"), (4, "visible"), (1, "hidden"), (1, "pending")):
        # Whenever it was placed: the day is that of the rating.
        one = await story(play, market, -3 * 24 * 60)
        await rated(play, one.id, Reviewee.CHEF, stars, status, NOON)
        await rated(play, one.id, Reviewee.DRIVER, 1, "visible", NOON)
    period = {"begin": "2026-01-30", "end": "2026-02-01"}

    seen = await play.admin.get("/admin/analytics", market=market, **period)

    assert [day["day"] for day in seen["days"]] == ["2026-01-30", "2026-01-31", "2026-02-01"]
    quiet, busy, _ = seen["days"]
    assert (quiet["orders"], quiet["revenueCents"]) == (0, 0)
    assert busy == {
        "day": "2026-01-31",
        "orders": 7,
        "delivered": 3,
        "cancelled": 2,
        "revenueCents": 3 * 2660,
        "newCustomers": busy["newCustomers"],
        "ratings": 2,
        "averageRating": 4.5,
    }
    assert (quiet["ratings"], quiet["averageRating"]) == (0, None)
    assert (seen["customers"], seen["repeatRate"]) == (1, 1.0)
    assert seen["topChefs"] == [
        {
            "chefId": str(play.world.chef.id),
            "businessName": "Test Kitchen",
            "currency": "usd",
            "orders": 3,
            "revenueCents": 3 * 2660,
        }
    ]
    assert {(c["by"], c["reason"], c["orders"]) for c in seen["cancellations"]} == {
        ("deadline", "chef_did_not_answer", 1),
        ("chef", "rejected_by_chef", 1),
    }


async def test_who_came_again_is_told_from_who_came_once(play: Cast) -> None:
    market = await town(play)
    await delivered(play, market, 20, 50)

    once = await play.admin.get("/admin/analytics", market=market, **DAY)
    none = await play.admin.get("/admin/analytics", market=market, begin="2026-02-01")

    assert (once["customers"], once["repeatRate"]) == (1, 0.0)
    assert (none["customers"], none["repeatRate"]) == (0, None)


@pytest.mark.parametrize("path", ["/admin/dashboard", "/admin/analytics"])
async def test_a_period_has_a_length_and_an_end(play: Cast, path: str) -> None:
    seen = await play.admin.get(path)
    assert seen["begin"] < seen["end"]
    longest = {"begin": "2026-01-01", "end": "2026-04-02"}
    assert (await play.admin.get(path, **longest))["end"] == "2026-04-02"
    for odd, code in (
        ({**longest, "end": "2026-04-03"}, "period_too_long"),
        ({"begin": "2026-02-01", "end": "2026-01-01"}, "ends_before_it_begins"),
        ({"end": "0001-01-02"}, "out_of_range"),
        ({"begin": "9999-12-31", "end": "9999-12-31"}, "too_late"),
        ({"begin": "9999-12-31"}, "out_of_range"),
        ({"market": "\x00"}, "invalid_request"),
    ):
        with pytest.raises(Unanswered) as refused:
            await play.admin.get(path, **odd)
        assert (refused.value.status, refused.value.code) == (422, code), odd
    assert (await play.admin.get(path, begin="9999-01-01"))["end"] == "9999-01-01"


def _counted(engine: Any) -> list[str]:
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *seen: statements.append(seen[2]))
    return statements


LISTS = (
    "/admin/dashboard?begin=2026-01-31&end=2026-01-31&market=",
    "/admin/analytics?begin=2026-01-01&end=2026-01-31&market=",
    "/admin/orders?limit=100&market=",
    "/admin/users?limit=100&search=",
    "/admin/audit?limit=100&search=",
    "/admin/verification?search=",
    "/admin/markets?search=",
    "/admin/markets/austin/settings?search=",
)


@pytest.mark.parametrize("path", LISTS)
async def test_as_many_statements_for_much_as_for_nothing(
    play: Cast, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    market = await a_day(play)
    async with facade(play.environment, monkeypatch) as (app, http):
        statements = _counted(app.state.services.database.engine.sync_engine)
        ask: Callable[[str], Any] = lambda what: http.get(  # noqa: E731
            f"/api/v1{path}{what}", headers={"Authorization": play.admin.authorization}
        )
        assert (await ask("nowhere")).status_code == 200
        for_nothing = len(statements)
        assert (await ask("" if "search" in path else market)).status_code == 200

    assert len(statements) - for_nothing == for_nothing <= 8


async def test_the_queues_tell_how_many_wait_and_since_when(play: Cast) -> None:
    before = await play.admin.get("/admin/verification")
    long_ago = NOON - timedelta(days=3650)
    async with play.database.write() as session:
        await session.execute(
            update(Chef)
            .where(col(Chef.id) == play.world.chef.id)
            .values(verification_status=Verification.PENDING, created_at=long_ago)
        )
    await play.drivers[0].post(
        "/delivery/documents", type="identity", fileUrl="https://files.example.com/me.jpg"
    )

    seen = await play.admin.get("/admin/verification")

    assert set(seen) == {"chefs", "chefDocuments", "drivers", "driverDocuments"}
    assert seen["chefs"] == {
        "waiting": before["chefs"]["waiting"] + 1,
        "oldestAt": long_ago.isoformat().replace("+00:00", "Z"),
    }
    assert seen["driverDocuments"]["waiting"] == before["driverDocuments"]["waiting"] + 1
