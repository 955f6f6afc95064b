"""Tips that are added after paying: charged to the card that the order was paid with.

The customer is not there, so the card has to be one that was saved for that. What was charged and
never written down, since the answer was lost, is found at Stripe first.
"""

from collections.abc import Sequence
from uuid import UUID

from stripe import PaymentIntent
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.stripe_calls import kept_errors, key, refusal, refusals
from domain.pricing import Price
from providers.stripe import TIP, Stripe
from schema.database import Database
from schema.messages.order import TipToCharge
from schema.queries import tips

# Neither yes nor no yet.
_UNDER_WAY = frozenset({"processing", "requires_confirmation"})


class TipActivities:
    """The second charge of an order."""

    def __init__(self, database: Database, stripe_client: Stripe) -> None:
        self._database = database
        self._stripe = stripe_client

    @activity.defn
    async def charge_tip(self, tip: TipToCharge) -> Price:
        """Charge what a tip has been raised by; answers with the order's new bill.

        Fails for good (StripeRefused) when the card does not give it; raises a retryable error
        while an earlier attempt, or the bank, is still at it.
        """
        paid = await self._stripe.intent(tip.payment_intent_id)
        if paid.customer is None or paid.payment_method is None:
            raise refusal("the order was paid with a card that was not saved")
        seen = await self._seen(str(paid.customer), tip.order_id)
        bill = await self._note(tip.order_id, [i for i in seen if i.status == "succeeded"])
        due = tip.tip_cents - bill.tip_cents
        if due <= 0:
            return bill
        if any(intent.status in _UNDER_WAY for intent in seen):
            raise ApplicationError("a tip of the order is being charged", type="Processing")
        # A card that said no is asked anew when the customer asks anew.
        refused = sum(1 for intent in seen if intent.status != "succeeded")
        step = f"tip:{bill.tip_cents}:{tip.tip_cents}:{refused}"
        with refusals(), kept_errors():
            charged = await self._stripe.charge_tip(
                paid,
                due,
                order_id=tip.order_id,
                order_number=tip.order_number,
                key=key(f"order-{tip.order_id}", step),
            )
        if charged.status in _UNDER_WAY:
            raise ApplicationError("the bank is still processing the tip", type="Processing")
        if charged.status != "succeeded":
            raise refusal(f"the payment is {charged.status}")
        return await self._note(tip.order_id, [charged])

    async def _seen(self, customer: str, order_id: UUID) -> Sequence[PaymentIntent]:
        def is_ours(intent: PaymentIntent) -> bool:
            said = intent.metadata
            return (
                "purpose" in said
                and said["purpose"] == TIP
                and "order_id" in said
                and said["order_id"] == str(order_id)
            )

        return [i for i in await self._stripe.recent_intents(customer) if is_ours(i)]

    async def _note(self, order_id: UUID, charged: Sequence[PaymentIntent]) -> Price:
        async with self._database.write() as session:
            return await tips.note_charged(
                session, order_id, {intent.id: intent.amount_received for intent in charged}
            )
