"""Paying out through Stripe: transfers to connected accounts, and from there to banks.

As in `providers.stripe`: idempotency keys are the caller's, amounts are cents, and what goes wrong
is the SDK's own errors. `reference` is our id of the payout, written on everything that belongs to
it, so that it can be found again when an answer was lost.
"""

from datetime import datetime

from stripe import Payout, Transfer, TransferReversal

from providers.stripe import MOST_TO_A_PAGE, Stripe


class Payouts:
    """The calls that move money from the platform to a payee's bank, and back."""

    def __init__(self, stripe: Stripe) -> None:
        self._v1 = stripe.client.v1

    async def transfer(
        self, account_id: str, cents: int, currency: str, *, reference: str, key: str
    ) -> Transfer:
        """Move money to a payee's account at Stripe."""
        return await self._v1.transfers.create_async(
            {
                "amount": cents,
                "currency": currency,
                "destination": account_id,
                "transfer_group": reference,
                "metadata": {"payout": reference},
            },
            {"idempotency_key": key},
        )

    async def transfer_for(self, reference: str) -> Transfer | None:
        """The transfer that was made for a payout, if any."""
        found = await self._v1.transfers.list_async({"transfer_group": reference, "limit": 1})
        return next(iter(found.data), None)

    async def pay_out(
        self, account_id: str, cents: int, currency: str, *, reference: str, key: str
    ) -> Payout:
        """Send what is on a payee's account to his bank."""
        return await self._v1.payouts.create_async(
            {"amount": cents, "currency": currency, "metadata": {"payout": reference}},
            {"idempotency_key": key, "stripe_account": account_id},
        )

    async def payout_for(self, account_id: str, reference: str) -> Payout | None:
        """What was sent to a payee's bank for a payout, if anything was."""
        page = await self._v1.payouts.list_async(
            {"limit": MOST_TO_A_PAGE}, {"stripe_account": account_id}
        )
        async for payout in page.auto_paging_iter():
            if payout.metadata and payout.metadata.to_dict().get("payout") == reference:
                return payout
        return None

    async def payout(self, account_id: str, payout_id: str) -> Payout:
        """How something that was sent to a bank stands."""
        return await self._v1.payouts.retrieve_async(
            payout_id, None, {"stripe_account": account_id}
        )

    async def reverse(
        self, transfer_id: str, cents: int, *, reference: str, key: str
    ) -> TransferReversal:
        """Fetch a transfer back."""
        return await self._v1.transfers.reversals.create_async(
            transfer_id,
            {"amount": cents, "metadata": {"payout": reference}},
            {"idempotency_key": key},
        )

    async def reversal_of(self, transfer_id: str) -> TransferReversal | None:
        """What was fetched back of a transfer, if anything was."""
        found = await self._v1.transfers.reversals.list_async(transfer_id, {"limit": 1})
        return next(iter(found.data), None)

    async def transfers_to(self, account_id: str, since: datetime) -> list[Transfer]:
        """Whatever was moved to a payee's account, by us or by hand."""
        page = await self._v1.transfers.list_async(
            {
                "destination": account_id,
                "created": {"gte": int(since.timestamp())},
                "limit": MOST_TO_A_PAGE,
            }
        )
        return [transfer async for transfer in page.auto_paging_iter()]

    async def sent_from(self, account_id: str, since: datetime) -> list[Payout]:
        """Whatever was sent from a payee's account to his bank."""
        page = await self._v1.payouts.list_async(
            {"created": {"gte": int(since.timestamp())}, "limit": MOST_TO_A_PAGE},
            {"stripe_account": account_id},
        )
        return [payout async for payout in page.auto_paging_iter()]
