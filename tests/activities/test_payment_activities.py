"""Payments through the official SDK against the stand-in, which misbehaves on request."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest
import stripe
from sqlalchemy import select
from sqlmodel import col
from stripe import PaymentIntent
from temporalio.exceptions import ApplicationError

from activities.payments import PaymentActivities
from local import world as worlds
from local.people import Wallet
from providers.stripe import Stripe
from schema.database import Database
from schema.messages.money import (
    NewAmount,
    OpenedPayment,
    OpenPayment,
    PaymentRef,
    PaymentStatus,
    RefundStatus,
    Settled,
    Settling,
)
from schema.messages.order import CaptureMethod, Order
from schema.queries import orders
from schema.tables import Payment, Refund
from settings import Settings

NOTHING = Settled(captured_cents=0, refunded_cents=0, pending_cents=0, failed_cents=0)


class Till:
    """An order's payment, with everything around it."""

    def __init__(self, order: Order, database: Database, settings: Settings) -> None:
        self.order = order
        self.database = database
        self.url = settings.stripe_api_base or ""
        self.stripe = Stripe(
            settings.stripe_api_key.get_secret_value(),
            api_base=self.url,
            timeout_seconds=5,
            max_network_retries=0,
        )
        self.activities = PaymentActivities(database, self.stripe)
        self.wallet = Wallet("pk_test_till", self.url)

    def asked(self, capture: CaptureMethod = CaptureMethod.AUTOMATIC) -> OpenPayment:
        return OpenPayment(
            order_id=self.order.id,
            order_number=self.order.number or "",
            customer_id=self.order.customer_id,
            amount_cents=2660,
            currency="usd",
            capture_method=capture,
        )

    async def open(self, capture: CaptureMethod = CaptureMethod.AUTOMATIC) -> OpenedPayment:
        return await self.activities.open_payment(self.asked(capture))

    async def paid(self, card: str = "pm_card_visa") -> PaymentRef:
        """A payment that was made."""
        opened = await self.open()
        await self.wallet.pay(opened.client_secret, card)
        return self.ref(opened)

    def ref(self, opened: OpenedPayment) -> PaymentRef:
        return PaymentRef(order_id=self.order.id, payment_intent_id=opened.payment_intent_id)

    async def settle(self, ref: PaymentRef, keep_cents: int | None) -> Settled:
        settling = Settling(**dict(ref), keep_cents=keep_cents, reason="cancelled")
        return await self.activities.settle_payment(settling)

    async def intent(self, ref: PaymentRef) -> PaymentIntent:
        return await self.stripe.intent(ref.payment_intent_id)

    async def refunds(self, ref: PaymentRef) -> list[stripe.Refund]:
        return await self.stripe.refunds(ref.payment_intent_id)

    async def fault(self, match: str, kind: str) -> None:
        """Have the next request that matches go wrong."""
        await self.control("faults", {"match": match, "kind": kind})

    async def control(self, path: str, body: Mapping[str, Any]) -> None:
        async with httpx.AsyncClient(base_url=self.url) as http:
            (await http.post(f"/_control/{path}", json=body)).raise_for_status()

    async def row(self) -> Payment:
        async with self.database.read() as session:
            found = await session.scalar(
                select(Payment).where(col(Payment.order_id) == self.order.id)
            )
            assert found is not None
            return found

    async def refund_rows(self) -> list[tuple[int, RefundStatus]]:
        async with self.database.read() as session:
            found = await session.scalars(
                select(Refund).where(col(Refund.order_id) == self.order.id)
            )
            return [(row.amount_cents, row.status) for row in found]


@pytest.fixture
async def till(database: Database, settings: Settings) -> AsyncIterator[Till]:
    world = await worlds.settle(database)
    async with database.write() as session:
        order = await orders.begin(session, world.placing())
    till = Till(order, database, settings)
    yield till
    async with httpx.AsyncClient(base_url=till.url) as http:
        await http.delete("/_control/faults")
    await till.wallet.close()
    await till.stripe.aclose()


async def test_a_payment_says_what_it_is_for(till: Till) -> None:
    opened = await till.open()

    intent = await till.intent(till.ref(opened))
    assert (intent.amount, intent.currency, intent.capture_method) == (2660, "usd", "automatic")
    assert intent.transfer_group == str(till.order.id)
    assert intent.metadata["order_id"] == str(till.order.id)
    assert (await till.row()).stripe_payment_intent_id == opened.payment_intent_id


async def test_a_payment_is_opened_once_however_often_it_is_asked_for(till: Till) -> None:
    answers = [await till.open() for _ in range(3)]

    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize("kind", ["drop_after", "drop_before", "rate_limit"])
async def test_a_payment_is_opened_once_though_the_first_answer_was_lost(
    till: Till, kind: str
) -> None:
    await till.fault("POST /v1/payment_intents", kind)
    with pytest.raises(stripe.StripeError):
        await till.open()

    first, second = await till.open(), await till.open()

    assert first == second
    assert (await till.row()).stripe_payment_intent_id == first.payment_intent_id


async def test_a_refusal_is_final_and_an_outage_is_not(till: Till) -> None:
    refused = till.asked().model_copy(update={"currency": "xxx"})
    with pytest.raises(ApplicationError) as final:
        await till.activities.open_payment(refused)
    assert final.value.non_retryable

    await till.fault("POST /v1/payment_intents", "rate_limit")
    with pytest.raises(stripe.RateLimitError):
        await till.activities.open_payment(
            till.asked().model_copy(update={"order_id": till.order.customer_id})
        )


async def test_another_amount_can_be_asked_for_until_it_is_paid(till: Till) -> None:
    opened = await till.open()
    ref = till.ref(opened)
    await till.activities.change_amount(NewAmount(**dict(ref), amount_cents=2960, step="1"))
    assert (await till.intent(ref)).amount == 2960

    await till.wallet.pay(opened.client_secret)
    with pytest.raises(ApplicationError) as refused:
        await till.activities.change_amount(NewAmount(**dict(ref), amount_cents=3000, step="2"))
    assert refused.value.non_retryable
    assert (await till.intent(ref)).amount_received == 2960


async def test_an_authorisation_is_captured_once(till: Till) -> None:
    opened = await till.open(CaptureMethod.MANUAL)
    await till.wallet.pay(opened.client_secret)
    await till.fault("POST /v1/payment_intents/*/capture", "drop_after")
    with pytest.raises(stripe.APIConnectionError):
        await till.activities.capture_payment(till.ref(opened))

    assert await till.activities.capture_payment(till.ref(opened)) == 2660
    assert await till.activities.capture_payment(till.ref(opened)) == 2660
    assert (await till.row()).captured_cents == 2660


async def test_an_unpaid_payment_is_given_up(till: Till) -> None:
    ref = till.ref(await till.open())

    assert await till.settle(ref, 0) == NOTHING
    assert await till.settle(ref, 0) == NOTHING

    assert (await till.intent(ref)).status == "canceled"
    assert (await till.row()).status is PaymentStatus.RELEASED


async def test_an_authorised_payment_is_let_go(till: Till) -> None:
    opened = await till.open(CaptureMethod.MANUAL)
    await till.wallet.pay(opened.client_secret)

    assert await till.settle(till.ref(opened), 0) == NOTHING

    assert (await till.row()).status is PaymentStatus.RELEASED
    assert await till.refund_rows() == []


@pytest.mark.parametrize("keep", [0, 2160])
async def test_a_payment_is_refunded_down_to_what_is_kept_and_once(till: Till, keep: int) -> None:
    ref = await till.paid()

    for _ in range(3):
        settled = await till.settle(ref, keep)

    assert settled.refunded_cents == 2660 - keep
    assert [refund.amount for refund in await till.refunds(ref)] == [2660 - keep]
    assert await till.refund_rows() == [(2660 - keep, RefundStatus.SUCCEEDED)]
    assert (await till.row()).refunded_cents == 2660 - keep


async def test_a_refund_whose_answer_was_lost_is_not_made_twice(till: Till) -> None:
    ref = await till.paid()
    await till.fault("POST /v1/refunds", "drop_after")
    with pytest.raises(stripe.APIConnectionError):
        await till.settle(ref, 0)

    assert (await till.settle(ref, 0)).refunded_cents == 2660

    assert [refund.amount for refund in await till.refunds(ref)] == [2660]


async def test_two_settlements_at_once_refund_once(till: Till) -> None:
    ref = await till.paid()

    await asyncio.gather(*(till.settle(ref, 0) for _ in range(3)), return_exceptions=True)

    assert [refund.amount for refund in await till.refunds(ref)] == [2660]


async def test_a_settlement_that_keeps_everything_gives_nothing_back(till: Till) -> None:
    ref = await till.paid()

    assert (await till.settle(ref, 2660)).refunded_cents == 0
    assert await till.refunds(ref) == []


async def test_looking_changes_nothing_but_our_books(till: Till) -> None:
    ref = await till.paid()
    await till.stripe.refund(ref.payment_intent_id, 500, reason="goodwill", key="by hand")

    settled = await till.settle(ref, None)

    assert (settled.captured_cents, settled.refunded_cents) == (2660, 500)
    assert len(await till.refunds(ref)) == 1
    assert await till.refund_rows() == [(500, RefundStatus.SUCCEEDED)]


async def test_a_refund_that_failed_is_reported_and_not_tried_again(till: Till) -> None:
    ref = await till.paid("pm_card_refundFail")
    await till.settle(ref, 0)
    refund = (await till.refunds(ref))[0]
    await till.control(f"refunds/{refund.id}/settle", {"outcome": "failed"})

    settled = await till.settle(ref, 0)

    assert (settled.refunded_cents, settled.failed_cents) == (0, 2660)
    assert len(await till.refunds(ref)) == 1
    assert await till.refund_rows() == [(2660, RefundStatus.FAILED)]
