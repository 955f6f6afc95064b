"""What payouts have done at Stripe and in the books.

Each of these may be repeated after it worked: the row says what has been done, Stripe is asked when
an answer may have been lost, and whatever moves money has a key of payout and step.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import stripe
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.stripe_calls import kept_errors, key, refusal, refusals
from domain.payouts import PayoutStatus
from providers.stripe_payouts import Payouts
from schema.database import Database
from schema.messages.payouts import (
    Claimed,
    DuePayee,
    Hold,
    PayeesDue,
    Payout,
    PayoutStart,
    PayoutStep,
    PayoutTrouble,
)
from schema.queries import payouts

# Stripe has less than is to be moved: it will have more.
BALANCE_SHORT = "BalanceShort"
# An admin has stopped the payee's payouts.
HELD = "Held"

_FAILED = {"failed", "canceled"}


class PayoutActivities:
    """A payee's money: set aside, moved to his account at Stripe, sent to his bank."""

    def __init__(self, database: Database, stripe_payouts: Payouts) -> None:
        self._database = database
        self._stripe = stripe_payouts

    @activity.defn
    async def payees_due(self, ask: PayeesDue) -> list[DuePayee]:
        """Those to whom something is owed, or whose payouts are not settled."""
        find = payouts.unsettled if ask.resuming else payouts.payees_due
        async with self._database.read() as session:
            return await find(session, ask)

    @activity.defn
    async def claim_payout(self, start: PayoutStart) -> Claimed:
        """Set aside what is owed to a payee, or say why nothing is."""
        async with self._database.write() as session:
            return await payouts.claim(session, start)

    @activity.defn
    async def make_transfer(self, step: PayoutStep) -> Payout:
        """Move the money to the payee's account at Stripe.

        Fails for good with BalanceShort, Held or StripeRefused; nothing has moved then.
        """
        async with self._database.read() as session:
            payout = await payouts.load(session, step.payout.id)
            if payout.status is PayoutStatus.CLAIMED and await payouts.is_held(
                session, payout.payee_id
            ):
                raise refusal("the payee's payouts are held", HELD)
        if payout.status is not PayoutStatus.CLAIMED:
            return payout
        with _refusals(), kept_errors():
            made = await self._stripe.transfer_for(str(payout.id)) if _again(step) else None
            if made is None:
                made = await self._stripe.transfer(
                    payout.account_id,
                    payout.cents,
                    payout.currency,
                    reference=str(payout.id),
                    key=_key(step, "transfer"),
                )
        async with self._database.write() as session:
            return await payouts.note_transferred(session, payout.id, made.id)

    @activity.defn
    async def pay_out(self, step: PayoutStep) -> Payout:
        """Send the money on to the payee's bank.

        Fails for good with BalanceShort or StripeRefused; nothing has moved then.
        """
        payout = step.payout
        with _refusals(), kept_errors():
            sent = (
                await self._stripe.payout_for(payout.account_id, str(payout.id))
                if _again(step)
                else None
            )
            if sent is None:
                sent = await self._stripe.pay_out(
                    payout.account_id,
                    payout.cents,
                    payout.currency,
                    reference=str(payout.id),
                    key=_key(step, "payout"),
                )
        async with self._database.write() as session:
            return await payouts.note_in_transit(session, payout.id, sent.id)

    @activity.defn
    async def look_at_payout(self, step: PayoutStep) -> Payout:
        """Ask Stripe what the bank says, and write it down."""
        payout = step.payout
        if payout.payout_id is None:
            return payout
        with _refusals():
            sent = await self._stripe.payout(payout.account_id, payout.payout_id)
        async with self._database.write() as session:
            if sent.status in _FAILED:
                reason = sent.failure_message or sent.failure_code or sent.status
                return await payouts.note_returning(session, payout.id, reason)
            if sent.status == "paid":
                return await payouts.note_paid(session, payout.id)
            return await payouts.load(session, payout.id)

    @activity.defn
    async def fetch_back(self, step: PayoutStep) -> Payout:
        """Fetch a transfer back whose payout failed.

        Fails for good with BalanceShort or StripeRefused; nothing has moved then.
        """
        payout = step.payout
        if payout.transfer_id is None:
            raise ApplicationError("nothing was transferred", type="NotTransferred")
        with _refusals(), kept_errors():
            reversal = await self._stripe.reversal_of(payout.transfer_id) if _again(step) else None
            if reversal is None:
                reversal = await self._stripe.reverse(
                    payout.transfer_id,
                    payout.cents,
                    reference=str(payout.id),
                    key=_key(step, "reversal"),
                )
        async with self._database.write() as session:
            return await payouts.note_returned(session, payout.id, reversal.id)

    @activity.defn
    async def note_hold(self, hold: Hold) -> None:
        """Stop or resume a payee's payouts, audited."""
        async with self._database.write() as session:
            await payouts.note_hold(session, hold)

    @activity.defn
    async def tell_payout_trouble(self, trouble: PayoutTrouble) -> None:
        """Tell finance of a payout that does not get on."""
        async with self._database.write() as session:
            await payouts.tell_trouble(session, trouble)


def _again(step: PayoutStep) -> bool:
    """Whether an earlier call may have worked; its key may be another one, or forgotten by now."""
    return activity.info().attempt > 1 or step.tried > 0


def _key(step: PayoutStep, what: str) -> str:
    """A refusal is kept under its key, too: the next try has another one."""
    tried = f"{what}:{step.refused_before}" if step.refused_before else what
    return key(f"payout-{step.payout.id}", tried)


@contextmanager
def _refusals() -> Iterator[None]:
    """As all refusals; and too little money is one that time mends."""
    try:
        with refusals():
            yield
    except stripe.PermissionError as error:
        raise refusal(error.user_message or str(error)) from error
    except ApplicationError as error:
        cause = error.__cause__
        if isinstance(cause, stripe.InvalidRequestError) and cause.code == "balance_insufficient":
            raise refusal(error.message, BALANCE_SHORT) from cause
        raise
