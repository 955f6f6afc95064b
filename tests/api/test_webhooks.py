"""Stripe's webhook: believed only with today's signature, stored once, never dropped with 200."""

import hashlib
import hmac
import json
import time
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain.disputes import Stage
from domain.order_status import OrderStatus
from local.cast import Cast
from local.people import Unanswered, until
from providers.stripe import TIP
from schema.tables import StripeEvent, TipCharge
from tests.api import disputes
from tests.books import booked_events

S = OrderStatus


def event(kind: str, about: dict[str, Any], event_id: str | None = None) -> dict[str, Any]:
    return {
        "id": event_id or f"evt_{uuid7().hex}",
        "object": "event",
        "type": kind,
        "data": {"object": about},
    }


def intent(play: Cast, order: dict[str, Any], **changes: object) -> dict[str, Any]:
    return {
        "id": play.intent_id(order),
        "object": "payment_intent",
        "amount_received": order["totalCents"],
        "metadata": {"order_id": order["id"]},
        **changes,
    }


async def send(
    play: Cast,
    payload: bytes | dict[str, Any],
    *,
    ago: float = 0,
    secret: str | None = None,
    signature: str | None = None,
) -> httpx.Response:
    """A delivery as Stripe makes it, with the signature that belongs to it or another."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    signed_at = int(time.time() - ago)
    key = secret or play.environment["STRIPE_WEBHOOK_SECRET"]
    digest = hmac.new(key.encode(), f"{signed_at}.".encode() + body, hashlib.sha256).hexdigest()
    header = signature if signature is not None else f"t={signed_at},v1={digest}"
    async with httpx.AsyncClient(base_url=play.environment["API_URL"]) as http:
        return await http.post(
            "/api/v1/webhooks/stripe", content=body, headers={"Stripe-Signature": header.encode()}
        )


async def stored(play: Cast, event_id: str) -> StripeEvent | None:
    async with play.database.read() as session:
        return await session.scalar(select(StripeEvent).where(col(StripeEvent.id) == event_id))


async def test_an_event_moves_its_order_and_is_stored_once(play: Cast) -> None:
    order = await play.place()
    paid = event("payment_intent.succeeded", intent(play, order))

    first = await send(play, paid)
    again = await send(play, paid)

    assert (first.status_code, first.json()) == (200, {"outcome": "told: payment_succeeded"})
    assert (again.status_code, again.json()) == (200, {"outcome": "handled before"})
    await play.becomes(order, S.PAYMENT_CONFIRMED)
    row = await stored(play, paid["id"])
    assert row is not None
    assert row.handled_at is not None


async def test_an_event_that_was_stored_but_not_passed_on_is_passed_on_when_it_comes_again(
    play: Cast,
) -> None:
    order = await play.place()
    paid = event("payment_intent.succeeded", intent(play, order))
    async with play.database.write() as session:
        # As if the process had died between storing and telling.
        session.add(StripeEvent(id=paid["id"], type=paid["type"], payload=paid))

    answer = await send(play, paid)

    assert answer.json() == {"outcome": "told: payment_succeeded"}
    await play.becomes(order, S.PAYMENT_CONFIRMED)


@pytest.mark.parametrize(
    "forgery",
    [
        {"secret": "whsec_of_somebody_else"},
        {"signature": ""},
        {"signature": "t=,v1="},
        {"signature": "v1=abc"},
        {"signature": "nonsense"},
        {"signature": "t=1,v1=\u00ff"},
        {"signature": "t=\u00b2,v1=abc"},
        {"signature": f"t={'9' * 5000},v1=abc"},
        {"ago": 301},
        {"ago": -400},
    ],
    ids=[
        "other secret",
        "none",
        "empty",
        "no time",
        "nonsense",
        "not ascii",
        "odd time",
        "long time",
        "too old",
        "from the future",
    ],
)
async def test_what_is_not_signed_by_stripe_now_is_refused_and_changes_nothing(
    play: Cast, forgery: dict[str, Any]
) -> None:
    order = await play.place()
    paid = event("payment_intent.succeeded", intent(play, order))

    answer = await send(play, paid, **forgery)

    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_signature"
    assert await stored(play, paid["id"]) is None
    assert (await play.customer.get(f"/orders/{order['id']}"))["status"] == S.PENDING


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"id": "evt_1", "type": 5}',
        b'{"id": "evt_1", "type": "a", "data": {"object": NaN}}',
        b'{"id": "evt_1", "type": "a", "data": {"object": "\\ud800"}}',
        b"[" * 60_000,
    ],
)
async def test_what_is_signed_but_no_event_is_refused(play: Cast, body: bytes) -> None:
    answer = await send(play, body)

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("value", [b'"\\u0000"', b"1e999"])
async def test_a_value_that_no_database_holds_is_refused(play: Cast, value: bytes) -> None:
    body = b'{"id": "evt_odd", "type": "a", "data": {"object": ' + value + b"}}"

    answer = await send(play, body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"amount_received": None},
        {"metadata": []},
        {"metadata": {"order_id": 7}},
        {"last_payment_error": "declined"},
    ],
)
async def test_an_event_that_does_not_look_like_its_type_is_kept_and_not_called_handled(
    play: Cast, changes: dict[str, Any]
) -> None:
    odd = event("payment_intent.succeeded", intent(play, await play.place(), **changes))

    answer = await send(play, odd)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_event")
    row = await stored(play, odd["id"])
    assert row is not None
    assert row.handled_at is None


async def test_a_payment_that_stripe_was_asked_to_expand_is_recognised(play: Cast) -> None:
    order = await play.bring(S.DELIVERED)
    refund = {
        "id": "re_unknown",
        "object": "refund",
        "status": "pending",
        "payment_intent": intent(play, order),
    }

    answer = await send(play, event("refund.updated", refund))

    assert answer.json() == {"outcome": "told: refund_settled"}


async def test_an_unknown_type_is_stored_and_ignored(play: Cast) -> None:
    unknown = event("customer.subscription.paused", {"id": "sub_1", "object": "subscription"})

    answer = await send(play, unknown)

    assert answer.status_code == 200
    row = await stored(play, unknown["id"])
    assert row is not None
    assert row.outcome == "ignored: no order has to know"


async def test_a_payment_of_no_order_of_ours_is_stored_and_said(play: Cast) -> None:
    order = {"id": str(uuid7()), "totalCents": 100, "clientSecret": "pi_unknown_secret_1"}
    foreign = event("payment_intent.succeeded", intent(play, order))

    answer = await send(play, foreign)

    assert answer.json() == {"outcome": "unmatched: no such order"}


async def test_a_payment_for_an_order_that_was_cancelled_is_told_to_it(play: Cast) -> None:
    order = await play.place()
    await play.wallet.pay(order["clientSecret"])
    await play.becomes(order, S.PAYMENT_CONFIRMED)
    await play.chef_says(order, "rejected")
    await play.is_refunded(order, 2660)

    late = await send(play, event("payment_intent.succeeded", intent(play, order)))

    assert late.json() == {"outcome": "told: payment_succeeded"}
    await play.is_refunded(order, 2660)
    assert play.refunded(order) == [2660]
    assert await play.history(order) == ["pending", "payment_confirmed", "cancelled"]


async def test_a_second_success_of_a_paid_order_is_no_news(play: Cast) -> None:
    order = await play.bring(S.ACCEPTED)

    answer = await send(play, event("payment_intent.succeeded", intent(play, order)))

    assert answer.json() == {"outcome": "known: the order is accepted"}


async def test_a_refund_in_stripes_dashboard_refunds_a_delivered_order(play: Cast) -> None:
    order = await play.bring(S.DELIVERED)

    play.stripe.v1.refunds.create({"payment_intent": play.intent_id(order)})

    await play.becomes(order, S.REFUNDED)


async def test_a_dispute_is_followed_to_its_end(play: Cast) -> None:
    order = await play.bring(S.DELIVERED)

    dispute_id = await disputes.opened(play, order)
    await play.becomes(order, S.DISPUTED)
    await play.stripe_control("POST", f"disputes/{dispute_id}/decide", outcome="lost")

    await play.becomes(order, S.REFUNDED)
    assert (await play.history(order))[-3:] == [S.DELIVERED, S.DISPUTED, S.REFUNDED]


@pytest.mark.parametrize(
    "kind", ["created", "updated", "closed", "funds_withdrawn", "funds_reinstated"]
)
async def test_each_event_of_a_dispute_has_stripe_asked_whatever_it_claims(
    play: Cast, kind: str
) -> None:
    order = await play.bring(S.DELIVERED)
    dispute_id = await disputes.opened(play, order)
    await play.becomes(order, S.DISPUTED)
    claimed = {
        "id": dispute_id,
        "object": "dispute",
        "payment_intent": play.intent_id(order),
        "amount": 1,
        "reason": "product_unacceptable",
        "status": "lost",
    }

    answer = await send(play, event(f"charge.dispute.{kind}", claimed))

    assert answer.json() == {"outcome": "told: the dispute has changed"}
    seen = await play.admin.get(f"/admin/disputes/{dispute_id}")
    assert (seen["status"], seen["amountCents"], seen["reason"]) == (
        "needs_response",
        2660,
        "fraudulent",
    )
    assert (await play.customer.get(f"/orders/{order['id']}"))["status"] == S.DISPUTED


async def test_a_dispute_heard_of_after_its_end_is_over(play: Cast) -> None:
    order = await play.bring(S.DELIVERED)
    dispute_id = await disputes.opened(play, order)
    await play.stripe_control("POST", f"disputes/{dispute_id}/decide", outcome="won")
    await disputes.is_told(play, dispute_id, Stage.CLOSED)
    await play.becomes(order, S.DELIVERED)
    late = {"id": dispute_id, "object": "dispute", "payment_intent": play.intent_id(order)}

    answer = await send(play, event("charge.dispute.created", late))

    assert answer.json() == {"outcome": "told: the dispute has changed"}
    await disputes.is_over(play, dispute_id)
    assert (await play.history(order))[-3:] == [S.DELIVERED, S.DISPUTED, S.DELIVERED]
    assert (await booked_events(play.database, UUID(order["id"])))[-2:] == [
        "dispute_opened",
        "dispute_won",
    ]


async def test_a_dispute_about_a_tips_own_payment_is_followed_and_the_order_stays_delivered(
    play: Cast,
) -> None:
    order = await play.bring(S.DELIVERED)
    await play.customer.put(f"/orders/{order['id']}/tip", tipCents=300)
    tip = await tip_of(play, order)

    dispute_id = await disputes.opened_about(play, tip.stripe_payment_intent_id)

    seen = await play.admin.get(f"/admin/disputes/{dispute_id}")
    assert (seen["orderId"], seen["tipChargeId"]) == (order["id"], str(tip.id))
    await play.stripe_control("POST", f"disputes/{dispute_id}/decide", outcome="lost")
    await disputes.is_told(play, dispute_id, Stage.CLOSED)

    assert (await play.history(order))[-1] == S.DELIVERED
    assert "dispute_opened" in await booked_events(play.database, UUID(order["id"]))


async def test_a_tip_that_nobody_wrote_down_is_written_down_when_stripe_tells_of_it(
    play: Cast,
) -> None:
    order = await play.bring(S.DELIVERED)
    about: dict[str, Any] = {
        "id": f"pi_{uuid7().hex}",
        "amount_received": 300,
        "metadata": {"order_id": order["id"], "purpose": TIP},
    }
    charged = event("payment_intent.succeeded", intent(play, order, **about))

    answer = await send(play, charged)
    assert answer.json() == {"outcome": "told: tip_charged"}

    async def is_written() -> bool:
        return "tip" in await booked_events(play.database, UUID(order["id"]))

    await until(is_written)
    again = await send(play, charged | {"id": f"evt_{uuid7().hex}"})
    assert again.json() == {"outcome": "known: the tip is written down"}
    assert (await tip_of(play, order)).amount_cents == 300
    seen = await play.customer.get(f"/orders/{order['id']}")
    assert (seen["status"], seen["tipCents"], seen["totalCents"]) == (S.DELIVERED, 300, 2960)


async def test_a_tip_that_was_refused_is_no_orders_news(play: Cast) -> None:
    order = await play.place()
    said = {"order_id": order["id"], "purpose": TIP}
    refused = event("payment_intent.payment_failed", intent(play, order, metadata=said))

    answer = await send(play, refused)

    assert answer.json() == {"outcome": "ignored: no order has to know"}


async def test_a_refund_of_a_tips_own_payment_is_none_of_the_orders(play: Cast) -> None:
    order = await play.bring(S.DELIVERED)
    await play.customer.put(f"/orders/{order['id']}/tip", tipCents=300)
    tip = await tip_of(play, order)
    refund = {
        "id": "re_of_the_tip",
        "object": "refund",
        "status": "succeeded",
        "balance_transaction": "txn_1",
        "payment_intent": tip.stripe_payment_intent_id,
    }

    answer = await send(play, event("refund.created", refund))

    assert answer.json() == {"outcome": "unmatched: no such order"}
    assert (await play.customer.get(f"/orders/{order['id']}"))["refundedCents"] == 0


async def tip_of(play: Cast, order: dict[str, Any]) -> TipCharge:
    """The tip that was added to an order, as it is written down."""
    async with play.database.read() as session:
        found = await session.scalars(
            select(TipCharge).where(col(TipCharge.order_id) == UUID(order["id"]))
        )
        return found.one()


@pytest.mark.parametrize("about", [{}, {"payment_intent": "pi_of_somebody_else"}])
async def test_a_dispute_of_no_order_of_ours_is_stored_and_said(
    play: Cast, about: dict[str, Any]
) -> None:
    foreign = event("charge.dispute.created", {"id": "du_foreign", "object": "dispute", **about})

    answer = await send(play, foreign)

    assert answer.json() == {"outcome": "unmatched: no such order"}
    with pytest.raises(Unanswered, match="404"):
        await play.admin.get("/admin/disputes/du_foreign")


async def test_a_dispute_that_does_not_look_like_one_is_kept_and_not_called_handled(
    play: Cast,
) -> None:
    odd = event("charge.dispute.created", {"object": "dispute"})

    answer = await send(play, odd)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_event")
    row = await stored(play, odd["id"])
    assert row is not None
    assert row.handled_at is None
