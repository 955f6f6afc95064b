"""Stripe, through its official SDK: the few calls that an order's payment needs.

Every call that moves money carries an idempotency key made by the caller from order and step, so
that a call that worked though we saw a timeout is not made twice. Amounts are integer cents. Where
Stripe cannot be reached or refuses, the SDK's own errors (`stripe.StripeError`) are raised.
"""

from typing import TYPE_CHECKING
from uuid import UUID

import stripe
from stripe import PaymentIntent, Refund, StripeClient

if TYPE_CHECKING:
    from stripe.params import PaymentIntentCreateParams

MOST_REFUNDS = 100
MOST_INTENTS = 100

# What the metadata of a payment says that is for a tip alone.
TIP = "tip"


class Stripe:
    """A client of Stripe, or of the stand-in at `api_base`."""

    def __init__(
        self,
        api_key: str,
        *,
        api_base: str | None,
        timeout_seconds: int,
        max_network_retries: int,
    ) -> None:
        self._http = stripe.HTTPXClient(timeout=timeout_seconds)
        self._client = StripeClient(
            api_key,
            base_addresses={"api": api_base} if api_base else {},
            max_network_retries=max_network_retries,
            http_client=self._http,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call]

    async def create_customer(self, user_id: UUID, *, key: str) -> str:
        """Make a customer of Stripe's for a user, so that his card can be saved; its id."""
        customer = await self._client.v1.customers.create_async(
            {"metadata": {"user_id": str(user_id)}}, {"idempotency_key": key}
        )
        return customer.id

    async def create_intent(
        self,
        *,
        customer: str,
        order_id: UUID,
        order_number: str,
        amount_cents: int,
        currency: str,
        manual_capture: bool,
        key: str,
    ) -> PaymentIntent:
        """Ask for a payment of an order; the card is saved, for a tip that is added later."""
        params: PaymentIntentCreateParams = {
            "customer": customer,
            "setup_future_usage": "off_session",
            "amount": amount_cents,
            "currency": currency,
            "capture_method": "manual" if manual_capture else "automatic",
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "description": f"Order {order_number}",
            "transfer_group": str(order_id),
            "metadata": {"order_id": str(order_id), "order_number": order_number},
        }
        return await self._client.v1.payment_intents.create_async(params, {"idempotency_key": key})

    async def charge_tip(
        self,
        paid: PaymentIntent,
        amount_cents: int,
        *,
        order_id: UUID,
        order_number: str,
        key: str,
    ) -> PaymentIntent:
        """Charge a tip to the card of an order's payment, while the customer is away."""
        params: PaymentIntentCreateParams = {
            "amount": amount_cents,
            "currency": paid.currency,
            "customer": str(paid.customer),
            "payment_method": str(paid.payment_method),
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "off_session": True,
            "confirm": True,
            "description": f"Tip for order {order_number}",
            "transfer_group": str(order_id),
            "metadata": {"order_id": str(order_id), "purpose": TIP},
        }
        return await self._client.v1.payment_intents.create_async(params, {"idempotency_key": key})

    async def recent_intents(self, customer: str) -> list[PaymentIntent]:
        """The latest hundred payments of a customer of Stripe's."""
        page = await self._client.v1.payment_intents.list_async(
            {"customer": customer, "limit": MOST_INTENTS}
        )
        return list(page.data)

    async def intent(self, intent_id: str) -> PaymentIntent:
        """A payment as it stands now."""
        return await self._client.v1.payment_intents.retrieve_async(intent_id)

    async def change_amount(self, intent_id: str, amount_cents: int, *, key: str) -> PaymentIntent:
        """Let a payment that is not made yet be for another amount."""
        return await self._client.v1.payment_intents.update_async(
            intent_id, {"amount": amount_cents}, {"idempotency_key": key}
        )

    async def capture(self, intent_id: str, amount_cents: int, *, key: str) -> PaymentIntent:
        """Take the money that was authorised; what is beyond `amount_cents` is let go."""
        return await self._client.v1.payment_intents.capture_async(
            intent_id, {"amount_to_capture": amount_cents}, {"idempotency_key": key}
        )

    async def cancel(self, intent_id: str) -> PaymentIntent:
        """Give up a payment, or let an authorisation go."""
        return await self._client.v1.payment_intents.cancel_async(intent_id)

    async def refund(
        self,
        intent_id: str,
        amount_cents: int,
        *,
        reason: str,
        key: str,
        request_id: UUID | None = None,
    ) -> Refund:
        """Give a part of a payment back; `request_id` is the request that it is of, if any."""
        said = {"reason": reason} | ({"refund_request": str(request_id)} if request_id else {})
        return await self._client.v1.refunds.create_async(
            {
                "payment_intent": intent_id,
                "amount": amount_cents,
                "metadata": said,
            },
            {"idempotency_key": key},
        )

    async def refunds(self, intent_id: str) -> list[Refund]:
        """All refunds of a payment."""
        page = await self._client.v1.refunds.list_async(
            {"payment_intent": intent_id, "limit": MOST_REFUNDS}
        )
        return [refund async for refund in page.auto_paging_iter()]
