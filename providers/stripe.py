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

    async def create_intent(
        self,
        *,
        order_id: UUID,
        order_number: str,
        amount_cents: int,
        currency: str,
        manual_capture: bool,
        key: str,
    ) -> PaymentIntent:
        """Ask for a payment of an order."""
        params: PaymentIntentCreateParams = {
            "amount": amount_cents,
            "currency": currency,
            "capture_method": "manual" if manual_capture else "automatic",
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "description": f"Order {order_number}",
            "transfer_group": str(order_id),
            "metadata": {"order_id": str(order_id), "order_number": order_number},
        }
        return await self._client.v1.payment_intents.create_async(params, {"idempotency_key": key})

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

    async def refund(self, intent_id: str, amount_cents: int, *, reason: str, key: str) -> Refund:
        """Give a part of a payment back."""
        return await self._client.v1.refunds.create_async(
            {
                "payment_intent": intent_id,
                "amount": amount_cents,
                "metadata": {"reason": reason},
            },
            {"idempotency_key": key},
        )

    async def refunds(self, intent_id: str) -> list[Refund]:
        """All refunds of a payment."""
        page = await self._client.v1.refunds.list_async(
            {"payment_intent": intent_id, "limit": MOST_REFUNDS}
        )
        return [refund async for refund in page.auto_paging_iter()]
