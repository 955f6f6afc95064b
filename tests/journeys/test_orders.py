"""Whole orders through the public API, with everything running."""

import pytest
import stripe
from sqlalchemy import select
from sqlmodel import col

from domain.order_status import OrderStatus
from local.cast import Cast
from local.people import Unanswered, insisting, until
from schema.tables import Notification

S = OrderStatus


async def test_an_order_from_basket_to_door(play: Cast) -> None:
    order = await play.place(tipCents=300, instructions="second floor")
    assert order["status"] == S.PENDING
    assert order["orderNumber"].startswith("RND-")
    assert {name: value for name, value in order.items() if name.endswith("Cents")} == {
        "subtotalCents": 2000,
        "taxCents": 160,
        "deliveryFeeCents": 500,
        "serviceFeeCents": 0,
        "discountCents": 0,
        "tipCents": 300,
        "totalCents": 2960,
    }

    await play.pay(order)
    accepted = await play.chef_says(order, "accepted", readyInMinutes=25)
    assert accepted["status"] == S.ACCEPTED
    await play.chef_says(order, "preparing")
    await play.chef_says(order, "ready_for_pickup")
    offer = await play.offered(0, order)
    assert offer["earningCents"] == 800
    await play.drivers[0].post(f"/delivery/offers/{offer['id']}/decline", reason="too far")
    await play.take(1, order)
    await play.driver_says(1, order, "picked_up")
    await play.driver_says(1, order, "in_transit")
    door = play.world.door
    await play.drivers[1].post("/delivery/location", **insisting(door.latitude, door.longitude))
    delivered = await play.driver_says(1, order, "delivered", proof={"note": "at the door"})

    assert delivered["status"] == S.DELIVERED
    seen = await play.customer.get(f"/orders/{order['id']}")
    assert seen["proof"] == {"kind": "code", "note": "at the door"}
    assert seen["items"][0]["quantity"] == 2
    assert seen["driverName"] == "Driver"
    assert await play.history(order) == [
        "pending",
        "payment_confirmed",
        "accepted",
        "preparing",
        "ready_for_pickup",
        "assigned_to_driver",
        "picked_up",
        "in_transit",
        "delivered",
    ]
    assert play.charged(order) == [2960]
    assert play.refunded(order) == []


async def test_everybody_sees_the_order_among_his_own(play: Cast) -> None:
    order = await play.bring(S.PICKED_UP)

    for person, path in (
        (play.customer, "/orders"),
        (play.chef, "/chef/orders"),
        (play.drivers[0], "/delivery/orders"),
        (play.admin, "/admin/orders"),
    ):
        page = await person.get(path, status="picked_up")
        assert order["id"] in [listed["id"] for listed in page["data"]]
        assert page["total"] >= 1
    assert (await play.drivers[1].get("/delivery/orders"))["data"] == []


async def test_a_chef_does_not_see_what_is_not_paid_for(play: Cast) -> None:
    await play.place()

    assert (await play.chef.get("/chef/orders"))["data"] == []


async def test_a_rejected_order_is_given_back_in_full(play: Cast) -> None:
    order = await play.bring(S.PAYMENT_CONFIRMED)

    answer = await play.chef_says(order, "rejected", reason="out of rice")

    assert (answer["status"], answer["refundCents"]) == (S.CANCELLED, 2660)
    await play.is_refunded(order, 2660)
    seen = await play.customer.get(f"/orders/{order['id']}")
    assert (seen["cancelledBy"], seen["cancelReason"]) == ("chef", "out of rice")


@pytest.mark.parametrize(
    ("status", "refund"),
    [(S.PENDING, 0), (S.PAYMENT_CONFIRMED, 2660), (S.ACCEPTED, 2660), (S.PREPARING, 500)],
)
async def test_a_customer_cancels_and_gets_back_exactly_what_is_his(
    play: Cast, status: S, refund: int
) -> None:
    order = await play.bring(status)

    answer = await play.customer.put(f"/orders/{order['id']}/cancel", reason="changed my mind")

    assert (answer["status"], answer["refundCents"]) == (S.CANCELLED, refund)
    await play.is_refunded(order, refund)


@pytest.mark.parametrize(
    "status", [S.READY_FOR_PICKUP, S.ASSIGNED_TO_DRIVER, S.PICKED_UP, S.IN_TRANSIT, S.DELIVERED]
)
async def test_a_customer_cannot_cancel_any_more(play: Cast, status: S) -> None:
    order = await play.bring(status)

    with pytest.raises(Unanswered) as refused:
        await play.customer.put(f"/orders/{order['id']}/cancel")

    assert (refused.value.status, refused.value.code) == (409, "illegal_transition")
    assert refused.value.problem["currentStatus"] == status
    assert (await play.customer.get(f"/orders/{order['id']}"))["status"] == status
    assert play.refunded(order) == []


@pytest.mark.parametrize(
    ("status", "fault", "refund"),
    [
        (S.ACCEPTED, "platform", 2660),
        (S.READY_FOR_PICKUP, "platform", 2660),
        (S.ASSIGNED_TO_DRIVER, "driver", 2660),
        (S.IN_TRANSIT, "customer", 0),
    ],
)
async def test_an_operator_cancels(play: Cast, status: S, fault: str, refund: int) -> None:
    order = await play.bring(status)

    await play.admin.post(f"/admin/orders/{order['id']}/cancel", reason="asked to", fault=fault)

    await play.becomes(order, S.CANCELLED)
    await play.is_refunded(order, refund)


async def test_a_driver_who_drops_out_is_replaced(play: Cast) -> None:
    order = await play.bring(S.ASSIGNED_TO_DRIVER)

    back = await play.driver_says(0, order, "ready_for_pickup", reason="flat tyre")

    assert (back["status"], back["driverId"]) == (S.READY_FOR_PICKUP, None)
    await play.take(1, order)
    for status in ("picked_up", "in_transit", "delivered"):
        await play.driver_says(1, order, status)
    assert (await play.history(order)).count("assigned_to_driver") == 2


async def test_an_operator_assigns_by_hand(play: Cast) -> None:
    order = await play.bring(S.READY_FOR_PICKUP)
    offer = await play.offered(0, order)

    await play.admin.post(
        f"/admin/orders/{order['id']}/assign",
        driverId=str(play.world.drivers[1].id),
        reason="by phone",
    )

    with pytest.raises(Unanswered) as gone:
        await play.drivers[0].post(f"/delivery/offers/{offer['id']}/accept")
    assert (gone.value.status, gone.value.code) == (409, "offer_gone")
    assert (await play.driver_says(1, order, "picked_up"))["status"] == S.PICKED_UP


async def test_a_refused_card_may_be_followed_by_a_good_one(play: Cast) -> None:
    order = await play.place()
    with pytest.raises(stripe.CardError):
        await play.wallet.pay(order["clientSecret"], "pm_card_visa_chargeDeclined")

    await play.pay(order)

    assert play.charged(order) == [2660]


async def test_three_refused_cards_cancel_the_order(play: Cast) -> None:
    order = await play.place()
    for _ in range(3):
        with pytest.raises(stripe.CardError):
            await play.wallet.pay(order["clientSecret"], "pm_card_chargeDeclinedInsufficientFunds")

    cancelled = await play.becomes(order, S.CANCELLED)

    assert cancelled["cancelReason"] == "payment_failed: insufficient_funds"
    assert play.charged(order) == []
    await until(lambda: _is_given_up(play, order))


async def test_a_card_that_wants_authentication_is_paid_once_it_has_it(play: Cast) -> None:
    order = await play.place()
    intent = await play.wallet.pay(order["clientSecret"], "pm_card_threeDSecure2Required")
    assert intent.status == "requires_action"
    assert (await play.customer.get(f"/orders/{order['id']}"))["status"] == S.PENDING

    await play.stripe_control(
        "POST", f"payment_intents/{intent.id}/authenticate", outcome="succeed"
    )

    await play.becomes(order, S.PAYMENT_CONFIRMED)


async def test_a_tip_may_be_changed_until_it_is_paid(play: Cast) -> None:
    order = await play.place(tipCents=100)

    changed = await play.customer.put(f"/orders/{order['id']}/tip", tipCents=500)
    assert (changed["tipCents"], changed["totalCents"]) == (500, 3160)
    lowered = await play.customer.put(f"/orders/{order['id']}/tip", tipCents=200)
    assert lowered["totalCents"] == 2860
    await play.pay(order)
    assert play.charged(order) == [2860]

    with pytest.raises(Unanswered) as locked:
        await play.customer.put(f"/orders/{order['id']}/tip", tipCents=100)
    assert (locked.value.status, locked.value.code) == (409, "tip_not_lowered")
    assert (await play.customer.get(f"/orders/{order['id']}"))["totalCents"] == 2860


async def test_people_are_told_what_concerns_them(play: Cast) -> None:
    order = await play.bring(S.DELIVERED)

    async with play.database.read() as session:
        rows = await session.execute(
            select(col(Notification.user_id), col(Notification.message)).where(
                col(Notification.related_order_id) == order["id"]
            )
        )
    told = {(user_id, message.split(",")[0].split(".")[0]) for user_id, message in rows}
    world = play.world
    assert (world.chef.user_id, "You have a new order") in told
    assert (world.customer.user_id, "Your order has been delivered") in told
    assert any(user == world.drivers[0].user_id for user, _ in told)
    assert not any(user == world.drivers[1].user_id for user, _ in told)


async def _is_given_up(play: Cast, order: dict[str, object]) -> bool:
    intent = play.stripe.v1.payment_intents.retrieve(play.intent_id(order))
    return intent.status == "canceled"
