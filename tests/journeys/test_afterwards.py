"""What comes after the meal: a tip, a complaint, money back, and every cent in the books."""

from uuid import UUID

from domain.ledger import Account
from domain.order_status import OrderStatus
from local.cast import Cast
from local.people import until
from tests.books import booked_events, books

S = OrderStatus


async def test_a_tip_a_small_complaint_and_the_rest_given_back(play: Cast) -> None:
    order = await play.bring(S.DELIVERED)
    path, order_id = f"/orders/{order['id']}", UUID(order["id"])

    tipped = await play.customer.put(f"{path}/tip", tipCents=300)
    assert (tipped["tipCents"], tipped["totalCents"]) == (300, 2960)

    item = tipped["items"][0]["id"]
    complaint = await play.customer.post(
        f"{path}/complaint",
        reason="missing_item",
        words="There was only one dosa.",
        items=[{"orderItemId": item, "quantity": 1}],
    )
    assert complaint["grantedCents"] == 1080
    await play.is_refunded(order, 1080)
    assert await books(play.database, order_id) == {
        Account.STRIPE_CLEARING: 1880,
        Account.TAX_PAYABLE: -80,
        Account.PLATFORM_REVENUE: -399,
        f"chef:{play.world.chef.id}": -601,
        f"driver:{play.world.drivers[0].id}": -800,
    }

    rest = await play.admin.post(
        f"/admin/orders/{order['id']}/refund", bearer="chef", reason="it was all bad"
    )
    assert rest["grantedCents"] == 1580
    await play.is_refunded(order, 2660)
    await play.becomes(order, S.REFUNDED)
    booked = await books(play.database, order_id)
    # The chef bears what he has earned by the order, and not a cent more.
    assert f"chef:{play.world.chef.id}" not in booked
    assert booked[Account.REFUND_LOSSES] == 899
    assert sum(booked.values()) == 0
    assert play.refunded(order) == [1580, 1080]


async def test_webhooks_of_a_tip_and_of_a_refund_book_nothing_twice(play: Cast) -> None:
    await play.stripe_control("POST", "webhooks", duplicates=3, reorder=True, seed=7)
    order = await play.bring(S.DELIVERED)
    order_id = UUID(order["id"])
    await play.customer.put(f"/orders/{order['id']}/tip", tipCents=300)
    await play.admin.post(
        f"/admin/orders/{order['id']}/refund",
        amountCents=500,
        bearer="driver",
        reason="it came late",
    )
    await play.is_refunded(order, 500)

    async def has_both() -> bool:
        return {"tip", "refund"} <= set(await booked_events(play.database, order_id))

    await until(has_both)
    events = await booked_events(play.database, order_id)
    assert sorted(events) == ["capture", "earned", "refund", "tip"]
    seen = await play.customer.get(f"/orders/{order['id']}")
    assert (seen["status"], seen["totalCents"], seen["refundedCents"]) == (S.DELIVERED, 2960, 500)
