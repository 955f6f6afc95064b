"""What the order's workflow has done at Stripe, and written down about it.

Each of these may be repeated after it worked: the first call's answer comes back by its idempotency
key, or the payment is looked at before anything is done to it.
"""

from collections.abc import Sequence
from uuid import UUID

import stripe
from stripe import PaymentIntent, Refund
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.refunds import at_stripe
from activities.stripe_calls import kept_errors, key, refusal, refusals
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
from schema.messages.order import CaptureMethod
from schema.queries import disputes, payments, people
from schema.queries import refunds as refund_requests

_STATUS = {"succeeded": PaymentStatus.CAPTURED, "canceled": PaymentStatus.RELEASED}
_GIVEN_UP_BY_CANCEL = {
    "requires_payment_method",
    "requires_confirmation",
    "requires_action",
    "requires_capture",
}


class PaymentActivities:
    """An order's payment: asked for, charged, given back."""

    def __init__(self, database: Database, stripe_client: Stripe) -> None:
        self._database = database
        self._stripe = stripe_client

    @activity.defn
    async def open_payment(self, asked: OpenPayment) -> OpenedPayment:
        """Ask for an order's payment; the customer confirms it with the client secret."""
        customer = await self._customer(asked.customer_id)
        with refusals(), kept_errors():
            intent = await self._stripe.create_intent(
                customer=customer,
                order_id=asked.order_id,
                order_number=asked.order_number,
                amount_cents=asked.amount_cents,
                currency=asked.currency,
                manual_capture=asked.capture_method is CaptureMethod.MANUAL,
                key=_key(asked.order_id, "payment"),
            )
        async with self._database.write() as session:
            await payments.note_opened(session, asked, intent.id)
        return OpenedPayment(payment_intent_id=intent.id, client_secret=intent.client_secret or "")

    @activity.defn
    async def change_amount(self, new: NewAmount) -> None:
        """Let an unpaid payment be for another amount; StripeRefused when it is paid already."""
        with refusals(), kept_errors():
            await self._stripe.change_amount(
                new.payment_intent_id,
                new.amount_cents,
                key=_key(new.order_id, f"amount:{new.step}"),
            )

    @activity.defn
    async def capture_payment(self, ref: PaymentRef) -> int:
        """Take the whole of an authorised payment, in cents; StripeRefused if it is not given."""
        intent = await self._stripe.intent(ref.payment_intent_id)
        if intent.status == "requires_capture":
            with refusals(), kept_errors():
                intent = await self._stripe.capture(
                    intent.id, intent.amount_capturable, key=_key(ref.order_id, "capture")
                )
        if intent.status != "succeeded":
            raise refusal(f"the payment is {intent.status}: there is nothing to capture")
        async with self._database.write() as session:
            await payments.note_paid(session, ref.order_id, intent.amount_received)
        return intent.amount_received

    @activity.defn
    async def settle_payment(self, settling: Settling) -> Settled:
        """See to it that no more than `keep_cents` of a payment is kept, whatever state it is in.

        Looks before it acts: an unpaid payment is given up, an authorised one let go, a captured
        one refunded down to what is kept. With `keep_cents` None it only looks and writes down.
        Raises a retryable error while the bank is still processing.
        """
        intent = await self._stripe.intent(settling.payment_intent_id)
        if settling.keep_cents is not None:
            intent = await self._let_go(intent)
        # Money that was only held and then let go shows up as a refund too: there was no payment.
        refunds = await self._stripe.refunds(intent.id) if intent.amount_received else []
        if settling.keep_cents is not None:
            refunds += await self._give_back(intent, refunds, settling)
        return await self._write_down(intent, refunds, settling)

    async def _customer(self, user_id: UUID) -> str:
        """Who a user is at Stripe; he becomes somebody with his first payment."""
        async with self._database.read() as session:
            known = await people.stripe_customer(session, user_id)
        if known is not None:
            return known
        with refusals(), kept_errors():
            made = await self._stripe.create_customer(
                user_id, key=key(f"user-{user_id}", "customer")
            )
        async with self._database.write() as session:
            return await people.note_stripe_customer(session, user_id, made)

    async def _let_go(self, intent: PaymentIntent) -> PaymentIntent:
        if intent.status == "processing":
            raise ApplicationError("the bank is still processing the payment", type="Processing")
        if intent.status not in _GIVEN_UP_BY_CANCEL:
            return intent
        try:
            return await self._stripe.cancel(intent.id)
        except stripe.InvalidRequestError:
            # Paid in this very moment, or given up by an attempt whose answer we did not see.
            return await self._stripe.intent(intent.id)

    async def _give_back(
        self, intent: PaymentIntent, refunds: Sequence[Refund], settling: Settling
    ) -> list[Refund]:
        # A refund that failed is not tried again by itself: the card is gone, and people decide.
        asked = sum(r.amount for r in refunds if r.status != RefundStatus.CANCELED)
        async with self._database.read() as session:
            # The customer has it from his bank.
            taken = await disputes.taken(session, settling.order_id)
        due = intent.amount_received - asked - taken - (settling.keep_cents or 0)
        if due <= 0:
            return []
        step = f"refund:{asked}"
        if settling.refused_before:
            # A refusal is kept under its key, too.
            step += f":{settling.refused_before}"
        with refusals(), kept_errors():
            return [
                await self._stripe.refund(
                    intent.id,
                    due,
                    reason=settling.reason,
                    key=_key(settling.order_id, step),
                )
            ]

    async def _write_down(
        self, intent: PaymentIntent, refunds: Sequence[Refund], settling: Settling
    ) -> Settled:
        def total(*statuses: RefundStatus) -> int:
            return sum(r.amount for r in refunds if r.status in statuses)

        settled = Settled(
            captured_cents=intent.amount_received,
            refunded_cents=total(RefundStatus.SUCCEEDED),
            pending_cents=total(RefundStatus.PENDING, RefundStatus.REQUIRES_ACTION),
            failed_cents=total(RefundStatus.FAILED),
        )
        async with self._database.write() as session:
            await payments.note_settled(
                session,
                settling.order_id,
                status=_STATUS.get(intent.status),
                captured_cents=settled.captured_cents,
                refunded_cents=settled.refunded_cents,
            )
            for refund in refunds:
                await refund_requests.note_refund(session, settling.order_id, at_stripe(refund))
        return settled


def _key(order_id: UUID, step: str) -> str:
    return key(f"order-{order_id}", step)
