"""What a refund's workflow has written down and done at Stripe.

What is written is short, safe to repeat, and runs as local activities. A refund is looked for at
Stripe before it is made: it carries its request's id, so that one whose answer was lost is found,
however long ago that was.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import stripe
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.stripe_calls import kept_errors, key, refusals
from domain.refunds import CannotBeRefunded, RequestStatus
from providers.stripe import Stripe
from schema.database import Database
from schema.messages.money import RefundStatus
from schema.messages.refund import (
    Begin,
    DecideAt,
    GiveBack,
    GiveUp,
    RefundAlarm,
    RefundAtStripe,
    RefundRef,
    RefundView,
)
from schema.queries import refunds
from schema.queries.refunds import Granted


class RefundActivities:
    """Requests for a refund, and the refunds themselves."""

    def __init__(self, database: Database, stripe_client: Stripe) -> None:
        self._database = database
        self._stripe = stripe_client

    @activity.defn
    async def begin_refund(self, begin: Begin) -> RefundView:
        """Write a request down; fails for good, by its objection, when it may not be."""
        with _objections():
            async with self._database.write() as session:
                return await refunds.begin(session, begin.ask, begin.terms, begin.at)

    @activity.defn
    async def load_refund(self, ref: RefundRef) -> RefundView:
        """Read a request to take it up again; fails for good (UnknownRequest) if there is none."""
        async with self._database.read() as session:
            found = await refunds.find(session, ref.request_id)
        if found is None:
            raise ApplicationError(
                f"there is no request {ref.request_id}", type="UnknownRequest", non_retryable=True
            )
        return found

    @activity.defn
    async def decide_refund(self, made: DecideAt) -> RefundView:
        """Write an admin's decision; fails for good, by its objection, when it may not be."""
        with _objections():
            async with self._database.write() as session:
                return await refunds.decide(session, made.decision, made.at)

    @activity.defn
    async def alarm_of_refund(self, alarm: RefundAlarm) -> RefundView:
        """Tell ops about a request; answers with how it stands."""
        async with self._database.write() as session:
            return await refunds.alarm(session, alarm.request_id, alarm.alert, alarm.key)

    @activity.defn
    async def give_refund_up(self, up: GiveUp) -> RefundView:
        """A refund that Stripe will not make has failed."""
        async with self._database.write() as session:
            return await refunds.give_up(session, up.request_id, up.reason)

    @activity.defn
    async def give_back(self, back: GiveBack) -> RefundView:
        """Make a granted refund, or look how it stands, and write that down.

        Fails for good (StripeRefused) with what Stripe may grant another day.
        """
        async with self._database.write() as session:
            granted = await refunds.lock(session, back.request_id)
        if granted.request.status is not RequestStatus.GRANTED:
            return granted.request
        made = await self._made(granted)
        if made is None:
            try:
                made = await self._make(granted, back.refused_before)
            except stripe.InvalidRequestError as never:
                return await self.give_refund_up(
                    GiveUp(request_id=back.request_id, reason=never.user_message or str(never))
                )
        async with self._database.write() as session:
            await refunds.lock(session, back.request_id)
            await refunds.note_refund(session, granted.request.order_id, at_stripe(made))
            return (await refunds.lock(session, back.request_id)).request

    async def _made(self, granted: Granted) -> stripe.Refund | None:
        for refund in await self._stripe.refunds(granted.payment_intent_id):
            if at_stripe(refund).request_id == str(granted.request.id):
                return refund
        return None

    async def _make(self, granted: Granted, refused_before: int) -> stripe.Refund:
        """Raises stripe.InvalidRequestError when there is not so much to be refunded any more."""
        request = granted.request
        # A refusal is kept under its key, too.
        step = f"refund:{refused_before}" if refused_before else "refund"
        with _but_for_good(), refusals(), kept_errors():
            return await self._stripe.refund(
                granted.payment_intent_id,
                request.granted_cents or request.amount_cents,
                reason=request.reason,
                key=key(f"refund-{request.id}", step),
                request_id=request.id,
            )


def at_stripe(refund: stripe.Refund) -> RefundAtStripe:
    """A refund in our words."""

    def said(name: str) -> str | None:
        return refund.metadata[name] if refund.metadata and name in refund.metadata else None

    return RefundAtStripe(
        id=refund.id,
        amount_cents=refund.amount,
        status=RefundStatus(refund.status or RefundStatus.PENDING),
        reason=said("reason"),
        request_id=said("refund_request"),
    )


@contextmanager
def _objections() -> Iterator[None]:
    """An objection of the rules is expected and final."""
    try:
        yield
    except CannotBeRefunded as objection:
        raise ApplicationError(
            str(objection),
            type=objection.why,
            non_retryable=True,
            category=ApplicationErrorCategory.BENIGN,
        ) from objection


@contextmanager
def _but_for_good() -> Iterator[None]:
    """Let out those of Stripe's refusals that no other day will change."""
    try:
        yield
    except ApplicationError as refusal:
        cause = refusal.__cause__
        if isinstance(cause, stripe.InvalidRequestError) and (
            cause.code == "charge_already_refunded" or cause.param == "amount"
        ):
            raise cause from None
        raise
