"""What reconciliation reads at Stripe, and writes down.

Each of these may be repeated after it worked: what is stored, matched, booked or opened is so once,
and what a run has done is told apart by the moment it began at.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from stripe import Balance, BalanceTransaction, ListObject
from temporalio import activity

from domain import reconciliation as rules
from domain.notifications import Alert
from domain.reconciliation import CaseKind, Entry, PaidOrder, Pair, Transaction
from providers.stripe import TIP
from providers.stripe_balance import PlatformBalance
from schema.database import Database
from schema.messages.reconciliation import (
    AtStripe,
    Beginning,
    CurrencyReport,
    Finishing,
    Judging,
    PageAsk,
    PageRead,
    Run,
    RunReport,
    Told,
    Untold,
)
from schema.queries import notifications, reconciliation
from schema.queries import reconciliation_cases as cases
from schema.queries.reconciliation import Stored
from schema.queries.reconciliation_cases import NewCase

_BATCH = 200
# How often one looks for a moment in which nothing moves on the balance.
_LOOKS = 5
_TOLD_AT_ONCE = 50


class ReconciliationActivities:
    """Stripe's balance transactions held against the books."""

    def __init__(self, database: Database, balance: PlatformBalance) -> None:
        self._database = database
        self._balance = balance

    @activity.defn
    async def begin_reconciliation(self, beginning: Beginning) -> Run:
        """Write down that a run begins, and from when on it reads."""
        run = Run(id=beginning.id, started_at=beginning.started_at)
        async with self._database.write() as session:
            return await cases.begin(session, run, beginning.overlap)

    @activity.defn
    async def read_transactions(self, ask: PageAsk) -> PageRead:
        """Read a page of transactions, and store those that are new."""
        since, balance = ask.run.since, None
        if ask.after is None:
            page, balance = await self._at_rest(since)
        else:
            page = await self._balance.transactions(since=since, after=ask.after)
        async with self._database.write() as session:
            await reconciliation.store(session, [_stored(found) for found in page.data])
        latest = page.data[0].created if page.data and ask.after is None else None
        return PageRead(
            count=len(page.data),
            next=page.data[-1].id if page.has_more else None,
            until=_moment(latest) if latest is not None else None,
            balance=_at_stripe(balance) if balance else None,
        )

    async def _at_rest(
        self, since: datetime | None
    ) -> tuple[ListObject[BalanceTransaction], Balance | None]:
        """The first page, and the balance that its transactions have come to.

        That is what is there when no other transaction has come by the time it was told.
        """
        page = await self._balance.transactions(since=since)
        for _ in range(_LOOKS):
            balance = await self._balance.now()
            latest = await self._balance.transactions(since=since, limit=1)
            if [t.id for t in latest.data] == [t.id for t in page.data[:1]]:
                return page, balance
            page = await self._balance.transactions(since=since)
        return page, None

    @activity.defn
    async def match_transactions(self, judging: Judging) -> None:
        """Match what can be matched, book the fees, and open a case for each of the rest."""
        at_odds = await self._match(judging)
        await self._miss(judging, at_odds)
        async with self._database.write() as session:
            await cases.close_moot(session)

    async def _match(self, judging: Judging) -> set[UUID]:
        """Go through the transactions; answers with the movements that differ from theirs."""
        run, after = judging.run, ""
        ripe = run.started_at - judging.patience.transaction
        at_odds: set[UUID] = set()
        while True:
            async with self._database.write() as session:
                await reconciliation.lock(session)
                batch = await reconciliation.unmatched(session, after, _BATCH)
                if not batch:
                    return at_odds
                found = rules.match(batch, await reconciliation.candidates(session, batch))
                for pair in found.pairs:
                    await reconciliation.pair(session, pair, run.started_at)
                at_odds |= {pair.entry.movement_id for pair in found.differing}
                paid = await reconciliation.paid_orders(session, found.transactions)
                for new in (
                    *(_differs(pair) for pair in found.differing if _is_ripe(pair[0], ripe)),
                    *(_unexplained(t, paid) for t in found.transactions if _is_ripe(t, ripe)),
                ):
                    await cases.open_case(session, run, new)
            after = batch[-1].id

    async def _miss(self, judging: Judging, at_odds: set[UUID]) -> None:
        """Go through the movements that have waited long enough for their transaction."""
        before, after = judging.run.started_at - judging.patience.movement, None
        while True:
            async with self._database.write() as session:
                batch = await reconciliation.overdue(session, before, after, _BATCH)
                if not batch:
                    return
                for entry in batch:
                    if entry.movement_id not in at_odds:
                        await cases.open_case(session, judging.run, _missing(entry))
            after = batch[-1].movement_id

    @activity.defn
    async def untold_orders(self) -> list[Untold]:
        """The next cases that their orders set right when they are told."""
        async with self._database.read() as session:
            return await cases.untold(session, _TOLD_AT_ONCE)

    @activity.defn
    async def note_order_told(self, told: Told) -> None:
        """Write down that an order was told, and sees to it."""
        async with self._database.write() as session:
            await cases.note_told(session, told.case_id, told.remedy)

    @activity.defn
    async def finish_reconciliation(self, finishing: Finishing) -> RunReport:
        """Compare the whole, write down the report, and tell ops what the run has opened."""
        run = finishing.run
        async with self._database.write() as session:
            await reconciliation.lock(session)
            matched, fees = await reconciliation.matched_at(session, run.started_at)
            sums = await reconciliation.sums(session)
            there = finishing.balance.cents if finishing.balance else {}
            balances = [
                CurrencyReport(
                    currency=currency,
                    clearing_cents=sums[currency].clearing if currency in sums else 0,
                    stripe_cents=there.get(currency, 0) if finishing.balance else None,
                    unmatched_cents=sums[currency].unmatched if currency in sums else 0,
                    fees_cents=fees.get(currency, 0),
                )
                for currency in sorted({*sums, *there})
            ]
            for balance in balances:
                if balance.difference_cents:
                    await cases.open_case(session, run, _clearing_differs(balance))
                elif balance.stripe_cents is not None:
                    await cases.close_settled(session, cases.clearing_subject(balance))
            opened, open_cases = await cases.counts(session, run)
            report = RunReport(
                run=run,
                until=finishing.until or run.since,
                seen=finishing.seen,
                matched=matched,
                opened=sum(opened.values()),
                open_cases=open_cases,
                balances=balances,
            )
            await cases.finish(session, report)
            if opened:
                found = [{"kind": kind, "count": count} for kind, count in opened.items()]
                await notifications.tell_ops(
                    session,
                    Alert.RECONCILIATION,
                    key=f"reconciliation:{run.id}",
                    words={"found": found},
                )
        return report


def _is_ripe(transaction: Transaction, moment: datetime) -> bool:
    """Whether we should have heard of a transaction by now."""
    return transaction.created_at <= moment


def _differs(pair: Pair) -> NewCase:
    transaction, entry = pair
    return NewCase(
        subject=transaction.id,
        kind=CaseKind.AMOUNT_DIFFERS,
        currency=transaction.currency,
        amount_cents=transaction.amount_cents,
        expected_cents=entry.cents,
        transaction_id=transaction.id,
        movement_id=entry.movement_id,
        order_id=entry.order_id,
        details=_seen(transaction) | {"event": entry.event},
    )


def _unexplained(transaction: Transaction, paid: Any) -> NewCase:
    order: PaidOrder | None = paid.get(transaction.payment_intent_id)
    finding = rules.unexplained(transaction, order)
    return NewCase(
        subject=transaction.id,
        kind=finding.kind,
        currency=transaction.currency,
        amount_cents=transaction.amount_cents,
        transaction_id=transaction.id,
        order_id=order.order_id if order else None,
        remedy=finding.remedy,
        details=_seen(transaction),
    )


def _missing(entry: Entry) -> NewCase:
    return NewCase(
        subject=str(entry.movement_id),
        kind=rules.missing(entry.event),
        currency=entry.currency,
        amount_cents=0,
        expected_cents=entry.cents,
        movement_id=entry.movement_id,
        order_id=entry.order_id,
        details={"event": entry.event, "stripeId": entry.stripe_id},
    )


def _clearing_differs(balance: CurrencyReport) -> NewCase:
    return NewCase(
        subject=cases.clearing_subject(balance),
        kind=CaseKind.CLEARING_DIFFERS,
        currency=balance.currency,
        amount_cents=balance.stripe_cents or 0,
        expected_cents=balance.clearing_cents - balance.unmatched_cents,
    )


def _seen(transaction: Transaction) -> dict[str, Any]:
    return {
        "type": transaction.type,
        "source": transaction.source_id,
        "paymentIntent": transaction.payment_intent_id,
    }


def _stored(found: BalanceTransaction) -> Stored:
    """A transaction of the SDK's, in our words."""
    source: Any = found.source
    source_id = getattr(source, "id", source)
    intent: Any = getattr(source, "payment_intent", None)
    transaction = Transaction(
        id=found.id,
        type=found.type,
        amount_cents=found.amount,
        fee_cents=found.fee,
        currency=found.currency,
        source_id=source_id,
        payment_intent_id=getattr(intent, "id", intent),
        created_at=_moment(found.created),
        tip_of_order_id=_tip_of(source),
    )
    return Stored(transaction, _moment(found.available_on))


def _tip_of(source: Any) -> UUID | None:
    """The order whose tip a charge is: it says what its payment was made to say."""
    said: Any = getattr(source, "metadata", None)
    if not said or "purpose" not in said or said["purpose"] != TIP or "order_id" not in said:
        return None
    try:
        return UUID(said["order_id"])
    except ValueError:
        return None


def _at_stripe(balance: Balance) -> AtStripe:
    cents: dict[str, int] = {}
    parts: Sequence[Any] = [*balance.available, *balance.pending]
    for part in parts:
        cents[part.currency] = cents.get(part.currency, 0) + part.amount
    return AtStripe(cents=cents)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
