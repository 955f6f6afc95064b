"""What is on the platform's balance at Stripe, and what moved there.

As in `providers.stripe`: amounts are cents, and what goes wrong is the SDK's own errors.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from stripe import Balance, BalanceTransaction, ListObject

from providers.stripe import MOST_TO_A_PAGE, Stripe

if TYPE_CHECKING:
    from stripe.params import BalanceTransactionListParams


class PlatformBalance:
    """The calls that look at the platform's own balance."""

    def __init__(self, stripe: Stripe) -> None:
        self._v1 = stripe.client.v1

    async def now(self) -> Balance:
        """What there is, pending and available."""
        return await self._v1.balance.retrieve_async()

    async def transactions(
        self,
        *,
        since: datetime | None = None,
        after: str | None = None,
        limit: int = MOST_TO_A_PAGE,
    ) -> ListObject[BalanceTransaction]:
        """A page of what moved, each with its source, the latest first."""
        params: BalanceTransactionListParams = {"limit": limit, "expand": ["data.source"]}
        if since is not None:
            params["created"] = {"gte": int(since.timestamp())}
        if after is not None:
            params["starting_after"] = after
        return await self._v1.balance_transactions.list_async(params)
