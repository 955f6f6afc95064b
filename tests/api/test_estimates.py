"""A kitchen's habits reach its customers, and operators see how good the estimates are."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from domain import geo
from domain.eta import City
from domain.live import Happening
from domain.order_status import OrderStatus
from local.cast import Cast
from local.people import Unanswered
from tests.api.test_process import facade
from tests.stories import Story
from tests.told import told_of

S = OrderStatus
MINUTE = timedelta(minutes=1)
SOON = timedelta(seconds=30)
MENU_MINUTES = 20


async def always_late(play: Cast, minutes: float, *, said: int | None = None) -> None:
    """A chef's last week: every order that much later than the menu says."""
    for number in range(20):
        story = await Story(play.database, play.world).begin(100 * number)
        begun = 100 * number + 2
        ready = begun + MENU_MINUTES + minutes
        await story.cook(begun, begun, ready, said_minutes=said, kitchen_load=0)


def at(told: str) -> datetime:
    return datetime.fromisoformat(told)


async def paid(play: Cast) -> dict[str, Any]:
    return await play.bring(S.PAYMENT_CONFIRMED)


async def test_what_a_kitchen_usually_needs_is_promised_before_an_order(play: Cast) -> None:
    before = at(
        (await play.customer.post("/orders/quote", **play.world.basket()))["estimatedDeliveryAt"]
    )

    await always_late(play, 12)
    after = at(
        (await play.customer.post("/orders/quote", **play.world.basket()))["estimatedDeliveryAt"]
    )
    placed = await play.place()
    order = await play.customer.get(f"/orders/{placed['id']}")

    # Two minutes until the chef answers, and twelve that he is late.
    assert abs(after - before - 14 * MINUTE) < SOON
    assert abs(at(order["estimatedReadyAt"]) - at(order["createdAt"]) - 34 * MINUTE) < SOON
    assert order["estimatedPickupAt"] == order["estimatedReadyAt"]


async def test_in_a_city_of_twenty_times_our_pace_it_is_all_a_twentieth(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def promised_in(**changes: str) -> timedelta:
        async with facade(play.environment, monkeypatch, **changes) as (_, http):
            answer = await http.post(
                "/api/v1/orders/quote",
                json=play.world.basket(),
                headers={"Authorization": play.customer.authorization},
            )
        return at(answer.json()["estimatedDeliveryAt"]) - datetime.now(UTC)

    real, fast = await promised_in(), await promised_in(PACE="20")
    slow = await promised_in(CITY_KMH="3", HANDOVER_SECONDS="600")

    assert abs(real / 20 - fast) < timedelta(seconds=5)
    road_km = geo.road_km(play.world.kitchen, play.world.door)
    longer = City(kmh=3).drive(road_km) - City(kmh=30).drive(road_km)
    assert abs(slow - real - longer - 2 * 7 * MINUTE) < timedelta(seconds=5)


async def test_a_chef_who_says_nothing_is_expected_when_he_usually_is_ready(play: Cast) -> None:
    await always_late(play, 12)
    order = await paid(play)

    accepted = await play.chef_says(order, "accepted")
    begun = await play.chef_says(order, "preparing")

    assert abs(at(accepted["estimatedReadyAt"]) - datetime.now(UTC) - 32 * MINUTE) < SOON
    # He began at once: nothing is to be expected that was not before.
    assert begun["estimatedReadyAt"] == accepted["estimatedReadyAt"]


async def test_a_chefs_word_holds_and_is_not_taken_back_when_he_begins(play: Cast) -> None:
    await always_late(play, 12)
    order = await paid(play)

    accepted = await play.chef_says(order, "accepted", readyInMinutes=45)
    begun = await play.chef_says(order, "preparing")

    assert abs(at(accepted["estimatedReadyAt"]) - datetime.now(UTC) - 45 * MINUTE) < SOON
    assert begun["estimatedReadyAt"] == accepted["estimatedReadyAt"]


async def test_the_word_of_a_chef_who_is_always_late_with_it_is_corrected(play: Cast) -> None:
    await always_late(play, 15, said=25)
    order = await paid(play)

    accepted = await play.chef_says(order, "accepted", readyInMinutes=40)

    assert abs(at(accepted["estimatedReadyAt"]) - datetime.now(UTC) - 50 * MINUTE) < SOON
    (step,) = [
        step
        for step in await play.customer.get(f"/orders/{order['id']}/history")
        if step["status"] == "accepted"
    ]
    assert step["estimatedReadyAt"] == accepted["estimatedReadyAt"]
    assert step["estimatedDeliveryAt"] == accepted["estimatedDeliveryAt"]


async def test_a_change_is_announced_with_its_step(
    play: Cast, environment: Mapping[str, str]
) -> None:
    order = await paid(play)
    accepted = await play.chef_says(order, "accepted", readyInMinutes=45)

    async with Redis.from_url(environment["REDIS_URL"], decode_responses=True) as redis:
        paid_for, *_, moved, expected = [told.event for told in await told_of(redis, order["id"])]

    assert (moved.happening, moved.data["status"]) == (Happening.STATUS, "accepted")
    assert expected.happening is Happening.ETA
    for name in ("estimatedReadyAt", "estimatedPickupAt", "estimatedDeliveryAt"):
        assert at(moved.data[name]) == at(expected.data[name]) == at(accepted[name])
    assert "estimatedReadyAt" not in paid_for.data


async def test_an_admin_sees_how_late_a_kitchen_is_and_how_sure_that_is(play: Cast) -> None:
    await always_late(play, 15, said=25)
    await play.bring(S.ACCEPTED)

    seen = await play.admin.get(f"/admin/chefs/{play.world.chef.id}/prep-times")

    assert (seen["chefId"], seen["ordersInHand"]) == (str(play.world.chef.id), 1)
    idle, *busy = seen["byMenu"]
    assert idle == {
        "loadFrom": 0,
        "loadTo": 0,
        "observations": 20,
        "lateMinutes": 15,
        "lowMinutes": 15,
        "highMinutes": 15,
        "errorMinutes": 0,
        "unlearnedErrorMinutes": 15,
    }
    assert [(row["loadFrom"], row["loadTo"]) for row in busy] == [(1, 2), (3, 5), (6, None)]
    assert {row["observations"] for row in busy} == {0}
    assert seen["byWord"][0]["lateMinutes"] == 10


async def test_a_chef_who_does_not_exist_has_no_prep_times(play: Cast) -> None:
    with pytest.raises(Unanswered) as refused:
        await play.admin.get(f"/admin/chefs/{uuid4()}/prep-times")

    assert (refused.value.status, refused.value.problem["code"]) == (404, "not_found")


async def test_an_admin_sees_how_good_the_estimates_of_deliveries_were(play: Cast) -> None:
    await play.bring(S.DELIVERED)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date()

    seen = await play.admin.get("/admin/eta-quality", market="austin")
    none = await play.admin.get("/admin/eta-quality", begin=str(tomorrow))

    assert all(seen[step]["count"] >= 1 for step in ("placed", "accepted", "pickedUp"))
    # Everybody here is far quicker than cooks and roads.
    assert seen["placed"]["lowMinutes"] < -20
    assert none == {"placed": None, "accepted": None, "pickedUp": None}


@pytest.mark.parametrize("query", [{"begin": "soon"}, {"begin": "2026-02-01", "end": "2026-01-01"}])
async def test_a_period_that_cannot_be_is_refused(play: Cast, query: dict[str, str]) -> None:
    with pytest.raises(Unanswered) as refused:
        await play.admin.get("/admin/eta-quality", **query)

    assert refused.value.status == 422
