"""Stripe, through its official SDK: the few calls that payments, disputes
and payees' accounts need.

Every call that moves money carries an idempotency key made by the caller from order and step, so
that a call that worked though we saw a timeout is not made twice. Amounts are integer cents. Where
Stripe cannot be reached or refuses, the SDK's own errors (`stripe.StripeError`) are raised.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, cast
from uuid import UUID

import stripe
from stripe import Account, AccountLink, Dispute, PaymentIntent, Refund, StripeClient

if TYPE_CHECKING:
    from stripe.params import (
        AccountCreateParams,
        DisputeUpdateParamsEvidence,
        PaymentIntentCreateParams,
    )

MOST_TO_A_PAGE = 100

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
        self.client = StripeClient(
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
        customer = await self.client.v1.customers.create_async(
            {"metadata": {"user_id": str(user_id)}}, {"idempotency_key": key}
        )
        return customer.id

    async def forget_customer(self, customer: str) -> None:
        """Delete a customer of Stripe's and his cards; one who is gone already is no matter."""
        try:
            await self.client.v1.customers.delete_async(customer)
        except stripe.InvalidRequestError as error:
            if error.code != "resource_missing":
                raise

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
        return await self.client.v1.payment_intents.create_async(params, {"idempotency_key": key})

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
        return await self.client.v1.payment_intents.create_async(params, {"idempotency_key": key})

    async def recent_intents(self, customer: str) -> list[PaymentIntent]:
        """The latest hundred payments of a customer of Stripe's."""
        page = await self.client.v1.payment_intents.list_async(
            {"customer": customer, "limit": MOST_TO_A_PAGE}
        )
        return list(page.data)

    async def intent(self, intent_id: str) -> PaymentIntent:
        """A payment as it stands now."""
        return await self.client.v1.payment_intents.retrieve_async(intent_id)

    async def change_amount(self, intent_id: str, amount_cents: int, *, key: str) -> PaymentIntent:
        """Let a payment that is not made yet be for another amount."""
        return await self.client.v1.payment_intents.update_async(
            intent_id, {"amount": amount_cents}, {"idempotency_key": key}
        )

    async def capture(self, intent_id: str, amount_cents: int, *, key: str) -> PaymentIntent:
        """Take the money that was authorised; what is beyond `amount_cents` is let go."""
        return await self.client.v1.payment_intents.capture_async(
            intent_id, {"amount_to_capture": amount_cents}, {"idempotency_key": key}
        )

    async def cancel(self, intent_id: str) -> PaymentIntent:
        """Give up a payment, or let an authorisation go."""
        return await self.client.v1.payment_intents.cancel_async(intent_id)

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
        return await self.client.v1.refunds.create_async(
            {
                "payment_intent": intent_id,
                "amount": amount_cents,
                "metadata": said,
            },
            {"idempotency_key": key},
        )

    async def refunds(self, intent_id: str) -> list[Refund]:
        """All refunds of a payment."""
        page = await self.client.v1.refunds.list_async(
            {"payment_intent": intent_id, "limit": MOST_TO_A_PAGE}
        )
        return [refund async for refund in page.auto_paging_iter()]

    async def dispute(self, dispute_id: str) -> Dispute:
        """A dispute as it stands now, with the money it has moved."""
        return await self.client.v1.disputes.retrieve_async(dispute_id)

    async def answer_dispute(
        self, dispute_id: str, evidence: Mapping[str, str], *, key: str
    ) -> Dispute:
        """Send evidence to the bank: there is no second time."""
        fields = cast("DisputeUpdateParamsEvidence", dict(evidence))
        return await self.client.v1.disputes.update_async(
            dispute_id, {"evidence": fields, "submit": True}, {"idempotency_key": key}
        )

    async def concede_dispute(self, dispute_id: str, *, key: str) -> Dispute:
        """Let the customer have the money: the dispute is lost."""
        return await self.client.v1.disputes.close_async(
            dispute_id, options={"idempotency_key": key}
        )

    async def create_account(
        self, *, email: str, country: str, metadata: Mapping[str, str], key: str
    ) -> Account:
        """Open an account for a payee, who gives Stripe his details on a page of Stripe's own.

        We bear fees and losses, and say when money leaves it for his bank.
        """
        params: AccountCreateParams = {
            "controller": {
                "fees": {"payer": "application"},
                "losses": {"payments": "application"},
                "requirement_collection": "stripe",
                "stripe_dashboard": {"type": "express"},
            },
            "capabilities": {"transfers": {"requested": True}},
            "country": country,
            "email": email,
            "metadata": dict(metadata),
            "settings": {"payouts": {"schedule": {"interval": "manual"}}},
        }
        return await self.client.v1.accounts.create_async(params, {"idempotency_key": key})

    async def account(self, account_id: str) -> Account:
        """A payee's account as it stands now."""
        return await self.client.v1.accounts.retrieve_async(account_id)

    async def account_with(self, metadata: Mapping[str, str], since: datetime) -> Account | None:
        """The account that was made with this metadata, if one was made `since`."""
        page = await self.client.v1.accounts.list_async(
            {"created": {"gte": int(since.timestamp())}, "limit": MOST_TO_A_PAGE}
        )
        async for account in page.auto_paging_iter():
            held = account.metadata
            if held and all(name in held and held[name] == metadata[name] for name in metadata):
                return account
        return None

    async def account_link(
        self, account_id: str, *, return_url: str, refresh_url: str
    ) -> AccountLink:
        """A page on which the owner of an account gives Stripe what it needs; for one visit."""
        return await self.client.v1.account_links.create_async(
            {
                "account": account_id,
                "type": "account_onboarding",
                "return_url": return_url,
                "refresh_url": refresh_url,
            }
        )
