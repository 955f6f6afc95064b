"""An order is delivered by what its customer asked for: his code, a photo, or the driver's word."""

import asyncio
import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlmodel import col
from temporalio.client import Client, WorkflowHandle

from domain.evidence import compose
from domain.order_status import OrderStatus
from domain.proof import MOST_WRONG_CODES
from local.cast import Cast, Order
from local.stack import Stack
from schema.queries import evidence
from schema.tables import Dispute, Notification
from schema.tables.columns import now
from tests.api.handover import delivers, photographs, refusal
from tests.api.test_process import facade

S = OrderStatus


def wrong_codes(order: Order) -> list[str]:
    """Codes that are not the order's, all different."""
    return [f"{number:04d}" for number in range(100) if f"{number:04d}" != order["deliveryCode"]]


async def tries(play: Cast, order: Order, code: str) -> int:
    """A driver tries a wrong code; how many attempts he has left."""
    refused = await refusal(delivers(play, order, code=code))
    assert (refused.status, refused.code) == (409, "wrong_code")
    return int(refused.problem["attemptsLeft"])


async def uses_up(play: Cast, order: Order) -> None:
    left = [await tries(play, order, code) for code in wrong_codes(order)[:MOST_WRONG_CODES]]
    assert left == [4, 3, 2, 1, 0]


async def status(play: Cast, order: Order) -> str:
    return str((await play.customer.get(f"/orders/{order['id']}"))["status"])


async def workflow_of(play: Cast, order: Order) -> WorkflowHandle[Any, Any]:
    client = await Client.connect(play.environment["TEMPORAL_ADDRESS"])
    return client.get_workflow_handle(f"order-{order['id']}")


async def told_ops(play: Cast, order: Order) -> list[str]:
    async with play.database.read() as session:
        found = await session.scalars(
            select(col(Notification.message)).where(
                col(Notification.related_order_id) == UUID(order["id"]),
                col(Notification.user_id) == play.world.admin.user_id,
            )
        )
        return list(found)


async def test_an_order_is_delivered_by_the_code_that_its_customer_tells(play: Cast) -> None:
    order = await play.bring(S.IN_TRANSIT)
    assert (order["deliveryProof"], len(order["deliveryCode"])) == ("code", 4)

    await delivers(play, order, code=order["deliveryCode"], note="she smiled")

    seen = await play.customer.get(f"/orders/{order['id']}")
    assert seen["proof"] == {"kind": "code", "note": "she smiled"}
    assert seen["deliveryCode"] == order["deliveryCode"]


async def test_only_the_customer_is_ever_shown_the_code(play: Cast, stack: Stack) -> None:
    order = await play.bring(S.IN_TRANSIT)
    path = f"/orders/{order['id']}"
    for person in (play.chef, play.admin, play.drivers[0]):
        assert (await person.get(path))["deliveryCode"] is None
        assert (await person.get(path))["deliveryProof"] == "code"
    lists = ((play.chef, "/chef/orders"), (play.drivers[0], "/delivery/orders"))
    for person, listed in (*lists, (play.admin, "/admin/orders")):
        assert all(row["deliveryCode"] is None for row in (await person.get(listed))["data"])
    await play.customer.put(f"{path}/tip", tipCents=500)
    await delivers(play, order, code=order["deliveryCode"])

    code = order["deliveryCode"]
    async with play.database.read() as session:
        kept = await session.execute(
            text(
                "SELECT changes::text || coalesce(notes, '') FROM order_status_history"
                " WHERE order_id = :id UNION ALL"
                " SELECT title || message FROM notifications WHERE related_order_id = :id"
            ),
            {"id": order["id"]},
        )
        # What it is like in a date, where 2026 is a year, says nothing.
        alone = re.compile(rf"(?<![\w-]){code}(?![\w-])")
        assert not [words for words in kept.scalars() if alone.search(words)]
    # Four digits are found in any id: as a value of their own they are looked for.
    history = str((await (await workflow_of(play, order)).fetch_history()).events)
    assert '\\"proof\\":{\\"kind\\":\\"code\\"' in history
    assert f'\\"{code}\\"' not in history
    assert f'"{code}"' not in (stack.home / "log/api.log").read_text()


async def test_the_same_order_keeps_its_code_and_others_have_others(play: Cast) -> None:
    basket, key = play.world.basket(), str(uuid4())
    first = await play.customer.post("/orders", key=key, **basket)

    assert await play.customer.post("/orders", key=key, **basket) == first
    others = {(await play.place())["deliveryCode"] for _ in range(5)}
    assert len(others) > 1


async def test_without_a_code_the_order_is_not_delivered(play: Cast) -> None:
    order = await play.bring(S.IN_TRANSIT)
    await photographs(play, order)

    for proof in ({}, {"note": "at the door"}):
        refused = await refusal(delivers(play, order, **proof))
        assert (refused.status, refused.code) == (409, "proof_required")
        assert refused.problem["required"] == "code"
    assert await status(play, order) == S.IN_TRANSIT
    assert (await delivers(play, order, code=order["deliveryCode"]))["status"] == S.DELIVERED


@pytest.mark.parametrize("code", ["471", "47111", "47a1", "٤٧١١", "", " 4711", 4711])
async def test_what_cannot_be_a_code_is_no_attempt(play: Cast, code: Any) -> None:
    order = await play.bring(S.IN_TRANSIT)

    refused = await refusal(delivers(play, order, code=code))

    assert (refused.status, refused.problem["errors"][0]["field"]) == (422, "proof.code")
    assert await tries(play, order, wrong_codes(order)[0]) == MOST_WRONG_CODES - 1


async def test_a_wrong_code_that_comes_twice_is_one_attempt(play: Cast) -> None:
    order = await play.bring(S.IN_TRANSIT)
    code = wrong_codes(order)[0]

    assert await asyncio.gather(*(tries(play, order, code) for _ in range(5))) == [4] * 5
    assert await tries(play, order, wrong_codes(order)[1]) == 3


async def test_after_five_wrong_codes_ops_are_told_and_only_a_photo_will_do(play: Cast) -> None:
    order = await play.bring(S.IN_TRANSIT)
    await uses_up(play, order)

    for code in (order["deliveryCode"], wrong_codes(order)[0], wrong_codes(order)[7]):
        refused = await refusal(delivers(play, order, code=code))
        assert (refused.code, refused.problem["required"]) == ("proof_required", "photo")
    alarms = [words for words in await told_ops(play, order) if "wrong codes" in words]
    assert len(alarms) == 1
    assert order["orderNumber"] in alarms[0]

    await photographs(play, order)
    assert (await delivers(play, order))["status"] == S.DELIVERED
    assert (await play.customer.get(f"/orders/{order['id']}"))["proof"] == {"kind": "photo"}


async def test_many_who_guess_at_once_guess_no_more_often(play: Cast) -> None:
    order = await play.bring(S.IN_TRANSIT)

    refused = await asyncio.gather(
        *(refusal(delivers(play, order, code=code)) for code in wrong_codes(order)[:12])
    )

    left = sorted(r.problem["attemptsLeft"] for r in refused if r.code == "wrong_code")
    assert left == [0, 1, 2, 3, 4]
    assert [r.code for r in refused].count("proof_required") == 7


async def test_attempts_count_although_the_orders_run_was_terminated(play: Cast) -> None:
    order = await play.bring(S.IN_TRANSIT)
    await tries(play, order, wrong_codes(order)[0])
    await (await workflow_of(play, order)).terminate("by mistake")

    assert await tries(play, order, wrong_codes(order)[1]) == 3
    answer = await delivers(play, order, code=order["deliveryCode"])
    assert answer["status"] == S.DELIVERED


async def test_delivered_twice_is_answered_alike_and_is_one_step(play: Cast) -> None:
    order = await play.bring(S.IN_TRANSIT)
    first = await delivers(play, order, code=order["deliveryCode"])

    assert await delivers(play, order, code=order["deliveryCode"]) == first
    # Nothing is left to prove: whoever repeats himself otherwise is not taken at another word.
    assert await delivers(play, order, code=wrong_codes(order)[0]) == first
    assert (await play.history(order)).count("delivered") == 1


@pytest.mark.parametrize("before", [S.ASSIGNED_TO_DRIVER, S.PICKED_UP])
async def test_before_the_door_no_code_is_right_or_wrong(play: Cast, before: S) -> None:
    order = await play.bring(before)

    for code in (order["deliveryCode"], wrong_codes(order)[0]):
        assert (await refusal(delivers(play, order, code=code))).code == "illegal_transition"
    for next_step in (S.PICKED_UP, S.IN_TRANSIT):
        if next_step is not before:
            await play.driver_says(0, order, next_step)
    assert await tries(play, order, wrong_codes(order)[1]) == MOST_WRONG_CODES - 1


async def test_another_driver_can_neither_deliver_nor_guess(play: Cast) -> None:
    order = await play.bring(S.IN_TRANSIT)

    for code in (order["deliveryCode"], wrong_codes(order)[0]):
        assert (await refusal(delivers(play, order, number=1, code=code))).status == 404
    assert await tries(play, order, wrong_codes(order)[1]) == MOST_WRONG_CODES - 1


# Nothing, and what is not said.


async def test_an_order_that_asks_for_nothing_is_delivered_by_the_drivers_word(
    play: Cast,
) -> None:
    order = await play.bring(S.IN_TRANSIT, deliveryProof="none")
    assert order["deliveryCode"] is None

    assert (await delivers(play, order))["status"] == S.DELIVERED
    assert (await play.customer.get(f"/orders/{order['id']}"))["proof"] is None


async def test_the_setting_holds_for_whoever_does_not_say(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = {"Authorization": play.customer.authorization}
    async with facade(play.environment, monkeypatch, DELIVERY_PROOF="photo") as (_, http):
        placed = [
            (await http.post("/api/v1/orders", json=basket, headers=customer)).json()
            for basket in (play.world.basket(), play.world.basket(deliveryProof="code"))
        ]

    assert [order["deliveryProof"] for order in placed] == ["photo", "code"]


async def test_a_proof_that_there_is_not_is_refused(play: Cast) -> None:
    refused = await refusal(play.place(deliveryProof="signature"))
    assert (refused.status, refused.problem["errors"][0]["field"]) == (422, "deliveryProof")


# A dispute.


async def test_a_bank_is_told_of_the_code(play: Cast) -> None:
    order = await play.bring(S.DELIVERED)

    log = await access_log(play, order)

    assert "The customer gave the driver the code for this order" in log
    assert not re.search(rf"\b{order['deliveryCode']}\b", log.replace(order["orderNumber"], ""))


async def test_a_bank_is_told_of_the_photo_and_where_it_was_taken(play: Cast) -> None:
    order = await play.bring(S.IN_TRANSIT, deliveryProof="photo")
    sent = await photographs(play, order, latitude=30.25, longitude=-97.5)
    await delivers(play, order)

    log = await access_log(play, order)

    assert f"(SHA-256 {sent['digest']})" in log
    assert "Handed over at 30.25, -97.5." in log
    assert "the code" not in log


async def access_log(play: Cast, order: Order) -> str:
    """What a bank would be told of what happened."""
    dispute = Dispute(
        stripe_dispute_id=f"dp_{uuid4().hex}",
        order_id=UUID(order["id"]),
        amount_cents=2660,
        currency="usd",
        reason="product_not_received",
        status="needs_response",
        opened_at=now(),
    )
    async with play.database.read() as session:
        return compose(await evidence.case(session, dispute))["access_activity_log"]
