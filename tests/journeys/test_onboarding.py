"""A new chef on the way to the first order, and through trouble with Stripe after it."""

from collections.abc import Mapping

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import col

from domain.order_status import OrderStatus
from local.cast import Cast, cast
from local.people import Unanswered, until
from schema.tables import Notification

S = OrderStatus


async def browse(method: str, url: str, **form: str) -> httpx.Response:
    async with httpx.AsyncClient(follow_redirects=True) as http:
        return (await http.request(method, url, data=form or None)).raise_for_status()


async def becomes(everybody: Cast, path: str, *, payouts_enabled: bool) -> None:
    """Wait until Stripe's webhook has been heard and looked into."""

    async def has_become() -> bool:
        stands = await everybody.chef.get(path)
        return bool(stands["payoutsEnabled"] is payouts_enabled)

    await until(has_become)


async def cannot_sell(everybody: Cast) -> None:
    with pytest.raises(Unanswered) as refused:
        await everybody.place()
    assert (refused.value.status, refused.value.code) == (409, "chef_cannot_be_paid")


async def told(everybody: Cast) -> list[str]:
    """What the chef was told about the payouts."""
    async with everybody.database.read() as session:
        found = await session.scalars(
            select(col(Notification.message))
            .where(
                col(Notification.user_id) == everybody.world.chef.user_id,
                col(Notification.related_order_id).is_(None),
            )
            .order_by(col(Notification.id))
        )
        return list(found)


async def test_a_chef_onboards_sells_is_restricted_and_recovers(
    environment: Mapping[str, str],
) -> None:
    async with cast(environment, drivers=1, onboarded=False) as everybody:
        path = f"/chefs/{everybody.world.chef.id}/stripe/onboard"
        await cannot_sell(everybody)

        # Visits Stripe's page, leaves it, and is led on to a fresh one.
        link = await everybody.chef.post(path)
        await browse("GET", link["url"])
        fresh = await browse("GET", link["url"])
        assert str(fresh.url) != link["url"]
        await cannot_sell(everybody)
        landed = await browse("POST", str(fresh.url), outcome="finished")
        assert str(landed.url) == f"{environment['API_URL']}/api/v1/stripe/return"

        await becomes(everybody, path, payouts_enabled=True)
        await everybody.chef.put("/chef/availability", acceptingOrders=True)
        await everybody.bring(S.DELIVERED)
        under_way = await everybody.bring(S.ACCEPTED)

        account = f"accounts/{link['accountId']}"
        await everybody.stripe_control("POST", account, outcome="restricted")
        await becomes(everybody, path, payouts_enabled=False)
        await cannot_sell(everybody)
        # Who has ordered gets the food.
        await everybody.chef_says(under_way, "preparing")

        await everybody.stripe_control("POST", account, outcome="finished")
        await becomes(everybody, path, payouts_enabled=True)
        assert (await everybody.place())["status"] == S.PENDING

        assert await told(everybody) == [
            "Your payout details are complete: you can be paid.",
            "Stripe has stopped your payouts. Please look at what it needs from you.",
            "Your payouts are on again.",
        ]
