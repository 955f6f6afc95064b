"""The control door's part for connected accounts and for money that moves without cards.

`POST /_control/accounts` makes a connected account whose holder has answered everything. All is
optional: `email`, `metadata`, and `id`, an `acct_…` of one's own choice; with an `id` that exists,
nothing is made and the account is returned as it is. `POST /_control/accounts/{id} {"outcome":
"finished" | "unfinished" | "restricted"}` answers in the holder's place: everything, all but a
document, or something that Stripe does not like.

`POST /_control/balance {"amount": cents, "currency": "usd", "account": "acct_…"}` adds to what an
account has available; without an account, to the platform's.

`POST /_control/accounts/{id}/payouts {"outcome": "paid" | "failed" | "held"}` decides how the
payouts end that an account makes from now on; one that is held waits for
`POST /_control/payouts/{id}/settle {"outcome": "paid" | "failed", "failure_code": "…"}`, which also
has a payout fail that was thought paid. The platform's own account may be named, too.
"""

from typing import Literal

from fastapi import APIRouter, HTTPException
from pydantic import Field

from local.stripe import accounts, money, payouts, standing, topups
from local.stripe.account import ACCOUNT as PLATFORM_ACCOUNT
from local.stripe.control import PREFIX, Body
from local.stripe.params import Params
from local.stripe.resources import ACCOUNT, PAYOUT, anywhere
from local.stripe.standing import Standing
from local.stripe.store import PLATFORM, Store, StripeObject, Transaction

# The kind of account that pays drivers and cooks: the platform answers for it, Stripe onboards it.
EXPRESS: Params = {
    "fees": {"payer": "application"},
    "losses": {"payments": "application"},
    "requirement_collection": "stripe",
    "stripe_dashboard": {"type": "express"},
}

MOST_FUNDS = 10**12


class AccountBody(Body):
    """A connected account to be there."""

    id: str | None = Field(default=None, pattern=r"^acct_\w+$")
    email: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)


class StandingBody(Body):
    """How an account's holder answers."""

    outcome: Literal["finished", "unfinished", "restricted"]


class FundsBody(Body):
    """Money to be there, in cents."""

    amount: int = Field(ge=1, le=MOST_FUNDS)
    currency: str = "usd"
    account: str | None = None


class FuturePayoutsBody(Body):
    """How payouts are to end."""

    outcome: payouts.FutureOutcome


class PayoutBody(Body):
    """How one payout ends."""

    outcome: payouts.PayoutOutcome
    failure_code: str | None = None


def router(store: Store) -> APIRouter:
    """Return the routes of this part."""
    routes = APIRouter(prefix=PREFIX)
    _add_accounts(routes, store)
    _add_money(routes, store)
    return routes


def _add_accounts(routes: APIRouter, store: Store) -> None:
    @routes.post("/accounts")
    async def make(body: AccountBody) -> StripeObject:
        if body.id == PLATFORM_ACCOUNT["id"]:
            raise HTTPException(409, f"{body.id} is the platform's own")
        with store.transaction() as tx:
            if body.id is not None and tx.get(body.id) is not None:
                return accounts.find(tx, body.id)
            account = accounts.create(tx, _finished(body), body.id)
            standing.reach(tx, account, Standing.FINISHED)
            return account

    @routes.post("/accounts/{account_id}")
    async def answer(account_id: str, body: StandingBody) -> StripeObject:
        with store.transaction() as tx:
            account = anywhere(tx, ACCOUNT, account_id)
            standing.reach(tx, account, Standing(body.outcome))
            return account

    @routes.post("/accounts/{account_id}/payouts")
    async def decide(account_id: str, body: FuturePayoutsBody) -> FuturePayoutsBody:
        with store.transaction() as tx:
            payouts.decide(tx, _account(tx, account_id), body.outcome)
        return body


def _add_money(routes: APIRouter, store: Store) -> None:
    @routes.post("/balance")
    async def top_up(body: FundsBody) -> StripeObject:
        currency = money.currency("currency", body.currency)
        with store.transaction() as tx, tx.acting_for(_account(tx, body.account)):
            return topups.add(tx, body.amount, currency)

    @routes.post("/payouts/{payout_id}/settle")
    async def settle(payout_id: str, body: PayoutBody) -> StripeObject:
        if body.failure_code is not None and body.failure_code not in payouts.FAILURES:
            raise HTTPException(422, f"A failure_code is one of {', '.join(payouts.FAILURES)}")
        with store.transaction() as tx:
            payout = anywhere(tx, PAYOUT, payout_id)
            with tx.acting_for(tx.owner(payout_id)):
                payouts.settle(tx, payout, body.outcome, body.failure_code)
            return payout


def _finished(body: AccountBody) -> Params:
    params: Params = {
        "capabilities": {"transfers": {"requested": True}},
        "controller": EXPRESS,
        "metadata": body.metadata,
        "settings": {"payouts": {"schedule": {"interval": "manual"}}},
    }
    return params if body.email is None else params | {"email": body.email}


def _account(tx: Transaction, account_id: str | None) -> str:
    """Return the account that a body names, the platform by its own id or by none."""
    if account_id in (None, PLATFORM_ACCOUNT["id"]):
        return PLATFORM
    found: str = anywhere(tx, ACCOUNT, account_id)["id"]
    return found
