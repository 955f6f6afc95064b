"""Complaints and refunds through the facade: odd requests change nothing, the same makes one."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlmodel import col
from temporalio.client import Client

from domain.order_status import OrderStatus
from local.cast import Cast
from local.people import Unanswered
from schema.tables import RefundRequest

S = OrderStatus
Order = dict[str, Any]


async def refusal(asked: Any) -> tuple[int, str]:
    with pytest.raises(Unanswered) as refused:
        await asked
    return refused.value.status, refused.value.code


async def requests(play: Cast, order: Order) -> int:
    async with play.database.read() as session:
        found = await session.scalar(
            select(func.count(col(RefundRequest.id))).where(
                col(RefundRequest.order_id) == order["id"]
            )
        )
        return found or 0


async def dish(play: Cast, order: Order) -> str:
    seen = await play.customer.get(f"/orders/{order['id']}")
    return str(seen["items"][0]["id"])


async def complain(play: Cast, order: Order, *, key: str | None = None, **more: Any) -> Order:
    body = {"reason": "quality", "words": "It was cold."} | more
    answer: Order = await play.customer.post(f"/orders/{order['id']}/complaint", key=key, **body)
    return answer


async def refund(play: Cast, order: Order, *, key: str | None = None, **more: Any) -> Order:
    body = {"bearer": "platform", "reason": "goodwill"} | more
    answer: Order = await play.admin.post(f"/admin/orders/{order['id']}/refund", key=key, **body)
    return answer


@pytest.mark.parametrize("status", [S.PENDING, S.PAYMENT_CONFIRMED, S.IN_TRANSIT])
async def test_an_order_that_is_not_delivered_is_not_refundable(play: Cast, status: S) -> None:
    order = await play.bring(status)

    assert await refusal(complain(play, order)) == (409, "not_refundable")
    assert await refusal(refund(play, order)) == (409, "not_refundable")

    assert await requests(play, order) == 0
    assert play.refunded(order) == []


async def test_odd_requests_are_refused_by_their_code_and_change_nothing(play: Cast) -> None:
    order = await play.bring(S.DELIVERED)
    item = await dish(play, order)
    odd: list[tuple[Any, tuple[int, str]]] = [
        (refund(play, order, amountCents=2661), (409, "above_what_is_left")),
        (refund(play, order, amountCents=0), (422, "invalid_request")),
        (refund(play, order, amountCents=True), (422, "invalid_request")),
        (refund(play, order, amountCents=2**63), (422, "invalid_request")),
        (refund(play, order, bearer="nobody"), (422, "invalid_request")),
        (refund(play, order, reason="\x00"), (422, "invalid_request")),
        (
            refund(play, order, amountCents=1, items=[{"orderItemId": item, "quantity": 1}]),
            (422, "invalid_request"),
        ),
        (
            refund(play, order, items=[{"orderItemId": str(uuid4()), "quantity": 1}]),
            (422, "unknown_item"),
        ),
        (
            complain(play, order, items=[{"orderItemId": item, "quantity": 3}]),
            (409, "above_what_is_left"),
        ),
        (
            complain(play, order, items=[{"orderItemId": item, "quantity": 1}] * 2),
            (422, "invalid_request"),
        ),
        (complain(play, order, items=[]), (422, "invalid_request")),
        (complain(play, order, reason="boredom"), (422, "invalid_request")),
        (complain(play, order, words=""), (422, "invalid_request")),
    ]
    for asked, expected in odd:
        assert await refusal(asked) == expected

    without_bearer = play.admin.post(f"/admin/orders/{order['id']}/refund", reason="why not")
    assert await refusal(without_bearer) == (422, "invalid_request")
    nobodys = play.admin.post(f"/admin/complaints/{uuid4()}/decide", grant=True, reason="yes")
    assert await refusal(nobodys) == (404, "not_found")
    assert await requests(play, order) == 0
    assert play.refunded(order) == []


async def test_the_same_refund_sent_again_and_at_once_is_one(play: Cast) -> None:
    order = await play.bring(S.DELIVERED)

    answers = await asyncio.gather(
        *(refund(play, order, key="a key", amountCents=500) for _ in range(5))
    )
    assert len({answer["id"] for answer in answers}) == 1
    await play.is_refunded(order, 500)
    again = await refund(play, order, key="a key", amountCents=500)
    assert (again["id"], again["status"]) == (answers[0]["id"], "refunded")
    reused = await refusal(refund(play, order, key="a key", amountCents=600))
    assert reused == (422, "idempotency_key_reused")

    keyless = [await refund(play, order, amountCents=300) for _ in range(3)]
    assert len({answer["id"] for answer in keyless}) == 1
    await refund(play, order, key="another key", amountCents=300)
    await play.is_refunded(order, 1100)
    assert await requests(play, order) == 3


async def test_a_refund_whose_run_was_terminated_is_made_when_it_is_asked_for_again(
    play: Cast,
) -> None:
    order = await play.bring(S.DELIVERED)
    fault = {"match": "POST /v1/refunds", "kind": "drop_before", "times": 1000}
    await play.stripe_control("POST", "faults", **fault)
    granted = await refund(play, order, key="a key", amountCents=500)
    client = await Client.connect(play.environment["TEMPORAL_ADDRESS"])
    await client.get_workflow_handle(f"refund-{granted['id']}").terminate("by hand")
    await play.stripe_control("DELETE", "faults")

    again = await refund(play, order, key="a key", amountCents=500)

    assert again["id"] == granted["id"]
    await play.is_refunded(order, 500)
    assert await requests(play, order) == 1


async def test_a_complaint_is_decided_once_and_listed_until_then(play: Cast) -> None:
    order = await play.bring(S.DELIVERED)
    complaint = await complain(play, order, reason="never_arrived", words="No food.")
    assert (complaint["status"], complaint["amountCents"]) == ("asked", 2660)
    assert "bearer" not in complaint
    await play.becomes(order, S.DISPUTED)
    assert await refusal(complain(play, order)) == (409, "not_refundable")

    listed = await play.admin.get("/admin/complaints", status="asked", limit=100)
    assert complaint["id"] in [waiting["id"] for waiting in listed["data"]]

    path = f"/admin/complaints/{complaint['id']}/decide"
    above = play.admin.post(path, grant=True, amountCents=2661, reason="all and more")
    assert await refusal(above) == (409, "above_what_is_left")
    decided = await play.admin.post(path, grant=True, amountCents=500, reason="half")
    again = await play.admin.post(path, grant=True, amountCents=500, reason="half")
    assert (again["id"], again["decidedAt"]) == (decided["id"], decided["decidedAt"])
    assert (decided["grantedCents"], decided["bearer"]) == (500, "driver")
    otherwise = play.admin.post(path, grant=False, reason="no")
    assert await refusal(otherwise) == (409, "already_decided")

    await play.is_refunded(order, 500)
    await play.becomes(order, S.DELIVERED)
    assert (await play.customer.get(f"/orders/{order['id']}"))["refundedCents"] == 500
