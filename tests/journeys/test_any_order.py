"""Stripe's events in every order, some of them twice: one effect each, the same one always.

Stripe's own deliveries are switched off meanwhile, and its events handed to the facade by hand.
"""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import col
from temporalio.client import Client
from uuid_utils.compat import uuid7

from domain.disputes import Stage
from domain.ledger import Bearer
from domain.order_status import OrderStatus
from local.cast import Cast
from local.people import until
from schema.messages.money import RefundStatus
from schema.queries import orders
from schema.tables import Dispute, Order, Payment, Refund
from tests.books import booked_events
from tests.shortcuts import delivered

S = OrderStatus

OF_A_DISPUTE = ("created", "funds_withdrawn", "updated", "funds_reinstated", "closed")


@dataclass
class Post:
    """The way from Stripe to the facade."""

    http: httpx.AsyncClient
    secret: str

    async def deliver(self, kind: str, about: dict[str, Any], event_id: str) -> None:
        """Hand an event over, signed as Stripe signs it."""
        body = json.dumps({"id": event_id, "type": kind, "data": {"object": about}})
        at = int(time.time())
        digest = hmac.new(self.secret.encode(), f"{at}.{body}".encode(), hashlib.sha256)
        answer = await self.http.post(
            "/api/v1/webhooks/stripe",
            content=body,
            headers={"Stripe-Signature": f"t={at},v1={digest.hexdigest()}"},
        )
        assert answer.status_code == 200, answer.text


@pytest.fixture
async def post(play: Cast) -> AsyncIterator[Post]:
    endpoints = play.stripe.v1.webhook_endpoints.list().data
    for endpoint in endpoints:
        play.stripe.v1.webhook_endpoints.update(endpoint.id, {"disabled": True})
    async with httpx.AsyncClient(base_url=play.environment["API_URL"], timeout=60) as http:
        yield Post(http, play.environment["STRIPE_WEBHOOK_SECRET"])
    for endpoint in endpoints:
        play.stripe.v1.webhook_endpoints.update(endpoint.id, {"disabled": False})


def with_a_double(number: int, events: Sequence[str]) -> list[str]:
    """The events in their order; then, by turns, one of them again, or none."""
    turn = number % (len(events) + 1)
    return [*events, *events[turn : turn + 1]]


async def history(play: Cast, order_id: UUID) -> list[OrderStatus]:
    async with play.database.read() as session:
        return [step.to for step in await orders.steps_after(session, order_id, 0)]


async def are_quiet(play: Cast, *workflow_ids: str) -> None:
    """Wait until nobody works on these any more."""
    client = await Client.connect(play.environment["TEMPORAL_ADDRESS"])
    for workflow_id in workflow_ids:
        await client.get_workflow_handle(workflow_id).result()


@pytest.mark.timeout(300)
async def test_a_disputes_events_in_every_order_have_one_effect(play: Cast, post: Post) -> None:
    at_once = asyncio.Semaphore(8)

    async def live(number: int, events: Sequence[str]) -> tuple[UUID, str, str]:
        async with at_once:
            order_id, intent_id = await delivered(play.database, play.world, play.stripe)
            await play.stripe_control(
                "POST", "disputes", payment_intent=intent_id, reason="product_unacceptable"
            )
            found = await asyncio.to_thread(
                play.stripe.v1.disputes.list, {"payment_intent": intent_id}
            )
            dispute_id = found.data[0].id
            outcome = ("won", "lost")[number % 2]
            about = {"id": dispute_id, "payment_intent": intent_id}
            for turn, event in enumerate(with_a_double(number, events)):
                if turn == number % 5:
                    await play.stripe_control(
                        "POST", f"disputes/{dispute_id}/decide", outcome=outcome
                    )
                await post.deliver(f"charge.dispute.{event}", about, f"evt_{uuid7().hex}")
            await until(lambda: is_told(dispute_id))
            return order_id, dispute_id, outcome

    async def is_told(dispute_id: str) -> bool:
        async with play.database.read() as session:
            row = await session.get(Dispute, dispute_id)
        return row is not None and row.told is Stage.CLOSED

    lived = await asyncio.gather(
        *(live(number, events) for number, events in enumerate(permutations(OF_A_DISPUTE)))
    )
    await are_quiet(play, *(f"dispute-{dispute_id}" for _, dispute_id, _ in lived))
    await are_quiet(play, *(f"order-{order_id}" for order_id, _, _ in lived))

    for order_id, dispute_id, outcome in lived:
        won = outcome == "won"
        async with play.database.read() as session:
            row = await session.get(Dispute, dispute_id)
        assert row is not None
        assert (row.outcome, row.withdrawn_cents) == (outcome, 2660)
        assert row.reinstated_cents == (2660 if won else 0)
        assert row.fault is (None if won else Bearer.CHEF)
        assert (await history(play, order_id))[-2:] == [
            S.DISPUTED,
            S.DELIVERED if won else S.REFUNDED,
        ]
        assert (await history(play, order_id)).count(S.DISPUTED) == 1
        assert await booked_events(play.database, order_id) == [
            "capture",
            "earned",
            "dispute_opened",
            "dispute_won" if won else "dispute_lost",
        ]


async def test_a_payments_events_in_every_order_have_one_effect(play: Cast, post: Post) -> None:
    """Two cards are refused, a third one pays."""
    kinds = ("payment_failed:1", "payment_failed:2", "succeeded")

    async def live(number: int, events: Sequence[str]) -> UUID:
        order = await play.place()
        await play.wallet.pay(order["clientSecret"])
        about = {
            "id": play.intent_id(order),
            "amount_received": 2660,
            "last_payment_error": {"decline_code": "lost_card"},
        }
        for event in with_a_double(number, events):
            kind = event.partition(":")[0]
            await post.deliver(f"payment_intent.{kind}", about, f"evt_{order['id']}_{event}")
        return UUID(order["id"])

    lived = await asyncio.gather(
        *(live(number // 6, events) for number, events in enumerate([*permutations(kinds)] * 4))
    )

    for order_id in lived:
        await play.becomes({"id": str(order_id)}, S.PAYMENT_CONFIRMED)
        assert await history(play, order_id) == [S.PENDING, S.PAYMENT_CONFIRMED]
        assert await booked_events(play.database, order_id) == ["capture"]
    for order_id in lived:
        # Nothing is left for others to wait for.
        await play.customer.put(f"/orders/{order_id}/cancel")


async def test_a_refunds_events_in_every_order_have_one_effect(play: Cast, post: Post) -> None:
    """A part is given back in Stripe's dashboard, and the bank sends it back in the end."""
    statuses = {"created": "pending", "updated": "succeeded", "failed": "failed"}

    async def live(number: int, events: Sequence[str]) -> UUID:
        order_id, intent_id = await delivered(play.database, play.world, play.stripe)
        refund = await asyncio.to_thread(
            play.stripe.v1.refunds.create, {"payment_intent": intent_id, "amount": 500}
        )
        # Stripe never tells of a failure that has not happened yet.
        fails = min(number % 3, events.index("failed"))
        for turn, event in enumerate(with_a_double(number, events)):
            if turn == fails:
                await play.stripe_control("POST", f"refunds/{refund.id}/settle", outcome="failed")
            about = {
                "id": refund.id,
                "payment_intent": intent_id,
                "status": statuses[event],
                "balance_transaction": "txn_1",
            }
            await post.deliver(f"refund.{event}", about, f"evt_{uuid7().hex}")
        return order_id

    lived = await asyncio.gather(
        *(live(number // 6, events) for number, events in enumerate([*permutations(statuses)] * 4))
    )
    await are_quiet(play, *(f"order-{order_id}" for order_id in lived))

    for order_id in lived:
        async with play.database.read() as session:
            rows = await session.scalars(select(Refund).where(col(Refund.order_id) == order_id))
            assert [(row.amount_cents, row.status) for row in rows] == [(500, RefundStatus.FAILED)]
            payment = await session.scalar(select(Payment).where(col(Payment.order_id) == order_id))
            order = await session.get(Order, order_id)
        assert payment is not None
        assert order is not None
        assert (payment.refunded_cents, order.status) == (0, S.DELIVERED)
        assert await booked_events(play.database, order_id) == [
            "capture",
            "earned",
            "refund",
            "refund_failed",
        ]
