"""What the workflow of a dispute has done at Stripe, and written down about it.

Each of these may be repeated after it worked: the dispute is looked at before anything is done to
it, and what a look means is written and booked once.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import stripe
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.stripe_calls import kept_errors, key, refusals
from domain import disputes as rules
from domain import evidence as composing
from domain.disputes import Outcome
from providers.stripe import Stripe
from schema.database import Database
from schema.messages.disputes import Decision, DisputeRef, Standing, Submission, Told
from schema.queries import disputes, evidence, webhooks
from schema.queries.disputes import Seen
from schema.queries.webhooks import PaidFor
from schema.tables import Dispute

# A dispute about a payment that is none of our orders'.
UNKNOWN_ORDER = "UnknownOrder"


class DisputeActivities:
    """Disputes at Stripe; evidence goes off by itself `lead` before it is due."""

    def __init__(self, database: Database, stripe_client: Stripe, lead: timedelta) -> None:
        self._database = database
        self._stripe = stripe_client
        self._lead = lead

    @activity.defn
    async def look_at_dispute(self, ref: DisputeRef) -> Standing:
        """See how a dispute stands at Stripe, write it down and book what it has moved.

        Fails for good with UnknownOrder, and with StripeRefused when there is no such dispute.
        """
        with refusals():
            dispute = await self._stripe.dispute(ref.dispute_id)
        async with self._database.write() as session:
            return await self._write_down(session, dispute)

    @activity.defn
    async def submit_evidence(self, ref: Submission) -> Standing:
        """Send all that is known of the order to the bank, unless it was answered already.

        Fails for good (StripeRefused) when Stripe does not take it.
        """
        with refusals():
            dispute = await self._stripe.dispute(ref.dispute_id)
        sent = None
        if rules.awaits_evidence(dispute.status):
            sent = await self._evidence(ref)
            dispute = await self._answered(ref, sent)
        async with self._database.write() as session:
            if sent is not None:
                await disputes.note_evidence(session, ref.dispute_id, sent)
            return await self._write_down(session, dispute)

    @activity.defn
    async def concede_dispute(self, ref: DisputeRef) -> Standing:
        """Let the customer have the money; fails for good (StripeRefused) when it is too late."""
        with refusals():
            dispute = await self._stripe.dispute(ref.dispute_id)
        if rules.outcome_of(dispute.status) is None:
            with refusals(), kept_errors():
                dispute = await self._stripe.concede_dispute(
                    ref.dispute_id, key=key(f"dispute-{ref.dispute_id}", "concede")
                )
        async with self._database.write() as session:
            return await self._write_down(session, dispute)

    @activity.defn
    async def note_decision(self, decision: Decision) -> Standing:
        """Write down what an admin has decided, and that he has."""
        async with self._database.write() as session:
            return await self._standing(session, await disputes.decide(session, decision))

    @activity.defn
    async def unconcede(self, ref: DisputeRef) -> None:
        """Write down that a concession came to nothing."""
        async with self._database.write() as session:
            await disputes.unconcede(session, ref.dispute_id)

    @activity.defn
    async def note_told(self, told: Told) -> None:
        """Write down how far the order of a dispute has heard."""
        async with self._database.write() as session:
            await disputes.note_told(session, told.dispute_id, told.stage)

    async def _evidence(self, ref: DisputeRef) -> dict[str, str]:
        async with self._database.read() as session:
            row = await disputes.one(session, ref.dispute_id)
            if row is None:
                raise ApplicationError(f"{ref.dispute_id} was never looked at", type="NotLookedAt")
            return composing.compose(await evidence.case(session, row))

    async def _answered(self, ref: Submission, sent: Mapping[str, str]) -> stripe.Dispute:
        # The same key for the same words alone: Stripe refuses it with others.
        digest = sha256(repr(sorted(sent.items())).encode()).hexdigest()[:16]
        # A refusal is kept under its key, too.
        again = f":{ref.refused_before}" if ref.refused_before else ""
        step = key(f"dispute-{ref.dispute_id}", f"evidence:{digest}{again}")
        with refusals(), kept_errors():
            try:
                return await self._stripe.answer_dispute(ref.dispute_id, sent, key=step)
            except stripe.InvalidRequestError:
                # Answered in this very moment, by an attempt that was thought dead.
                dispute = await self._stripe.dispute(ref.dispute_id)
                if rules.awaits_evidence(dispute.status):
                    raise
                return dispute

    async def _write_down(self, session: AsyncSession, dispute: stripe.Dispute) -> Standing:
        paid = await self._paid_for(session, dispute)
        return await self._standing(session, await disputes.note(session, seen(dispute, paid)))

    async def _paid_for(self, session: AsyncSession, dispute: stripe.Dispute) -> PaidFor:
        known = await disputes.one(session, dispute.id)
        if known is not None:
            return PaidFor(known.order_id, known.tip_charge_id)
        intent = dispute.payment_intent
        intent_id = intent.id if isinstance(intent, stripe.PaymentIntent) else intent
        paid = await webhooks.paid_for(session, intent_id) if intent_id else None
        if paid is None:
            raise ApplicationError(
                f"{dispute.id} is about no order of ours", type=UNKNOWN_ORDER, non_retryable=True
            )
        return paid

    async def _standing(self, session: AsyncSession, row: Dispute) -> Standing:
        parties = await disputes.parties(session, row.order_id)
        due_by = row.evidence_due_by
        return Standing(
            **parties._asdict(),
            dispute_id=row.stripe_dispute_id,
            order_id=row.order_id,
            of_tip=row.tip_charge_id is not None,
            amount_cents=row.amount_cents,
            reason=row.reason,
            status=row.status,
            inquiry=row.inquiry,
            due_by=due_by,
            answer_by=due_by - self._lead if due_by else None,
            past_due=row.evidence_past_due,
            submitted=row.evidence_submitted_at is not None,
            conceded=row.conceded,
            outcome=row.outcome,
            awaits_money=row.outcome is Outcome.WON
            and row.withdrawn_cents > row.reinstated_cents == 0,
            told=row.told,
        )


def seen(dispute: stripe.Dispute, paid: PaidFor) -> Seen:
    """A dispute of Stripe's in our words."""
    moved = [entry.amount for entry in dispute.balance_transactions]
    details = dispute.evidence_details
    return Seen(
        dispute_id=dispute.id,
        order_id=paid.order_id,
        tip_charge_id=paid.tip_charge_id,
        amount_cents=dispute.amount,
        currency=dispute.currency,
        reason=dispute.reason,
        status=dispute.status,
        # Stripe says 0 where the bank takes no evidence.
        due_by=datetime.fromtimestamp(details.due_by, UTC) if details.due_by else None,
        past_due=details.past_due,
        submitted=details.submission_count > 0,
        withdrawn_cents=-sum(cents for cents in moved if cents < 0),
        reinstated_cents=sum(cents for cents in moved if cents > 0),
        opened_at=datetime.fromtimestamp(dispute.created, UTC),
    )
