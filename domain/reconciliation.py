"""Which of Stripe's transactions is which of our movements, and what it means where there is none.

Both sides say whose money moved by an id of Stripe's: a movement by its `stripe_id`, a transaction
by its source, or, where the source is a charge, by the payment that the charge belongs to. What a
transaction and a movement come to on the balance (gross, in cents) must be the same. What Stripe
keeps of a transaction is not matched but booked, once, when the transaction is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.ledger import Event
from domain.order_status import OrderStatus


class CaseKind(StrEnum):
    """What does not add up."""

    CHARGE_WITHOUT_ORDER = "charge_without_order"
    PAYMENT_UNHEARD = "payment_unheard"
    ORDER_WITHOUT_CHARGE = "order_without_charge"
    MOVEMENT_WITHOUT_TRANSACTION = "movement_without_transaction"
    AMOUNT_DIFFERS = "amount_differs"
    REFUND_UNKNOWN = "refund_unknown"
    UNKNOWN_TRANSACTION = "unknown_transaction"
    CLEARING_DIFFERS = "clearing_differs"


class CaseStatus(StrEnum):
    """Open waits for a person; resolved was set right by the run that found it."""

    OPEN = "open"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Remedy(StrEnum):
    """What an order can be told so that it sees to the rest itself."""

    PAYMENT_SUCCEEDED = "payment_succeeded"
    REFUND_SETTLED = "refund_settled"
    TIP_CHARGED = "tip_charged"


# What finance may accept as it is at Stripe; the sum of all is no single thing to accept.
ACCEPTABLE = frozenset(CaseKind) - {CaseKind.CLEARING_DIFFERS}

# These carry the id of the transaction that they were booked for: nobody has to look for theirs.
BOOKED_FOR_A_TRANSACTION = frozenset({Event.STRIPE_FEE, Event.ADJUSTMENT})

_PAYMENTS = frozenset({"charge", "payment"})
_REFUNDS = frozenset({"refund", "payment_refund", "refund_failure"})
_BY_SOURCE = {
    "refund": Event.REFUND,
    "payment_refund": Event.REFUND,
    "refund_failure": Event.REFUND_FAILED,
    "transfer": Event.TRANSFER,
    "transfer_refund": Event.TRANSFER_REVERSED,
}
_DISPUTE_IDS = ("dp_", "du_")


@dataclass(frozen=True, slots=True)
class Transaction:
    """Money that moved on the platform's balance at Stripe, as Stripe has it.

    `tip_of_order_id` is the order whose tip it is, where the charge says that it is one.
    """

    id: str
    type: str
    amount_cents: int
    fee_cents: int
    currency: str
    source_id: str | None
    payment_intent_id: str | None
    created_at: datetime
    tip_of_order_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A movement, and what it puts on stripe_clearing, in cents."""

    movement_id: UUID
    event: Event
    cents: int
    currency: str
    stripe_id: str | None
    order_id: UUID | None


class Meaning(NamedTuple):
    """What a transaction says: an event of one of these kinds, about this object of Stripe's."""

    events: frozenset[Event]
    stripe_id: str


class Pair(NamedTuple):
    """A transaction and the movement that is the same money."""

    transaction: Transaction
    entry: Entry


class Matching(NamedTuple):
    """What is the same, what ought to be and differs in its amount, and what is left over."""

    pairs: list[Pair]
    differing: list[Pair]
    transactions: list[Transaction]
    entries: list[Entry]


class PaidOrder(NamedTuple):
    """The order that a transaction's payment is for, or for a tip of, and where it stands."""

    order_id: UUID
    status: OrderStatus
    of_tip: bool = False


class Finding(NamedTuple):
    """What kind of case a transaction makes, and what the order is to be told, if anything."""

    kind: CaseKind
    remedy: Remedy | None = None


def meaning(transaction: Transaction) -> Meaning | None:
    """What we should have booked for a transaction; None for what is none of an order's or a
    payee's business (a top-up, a payout of the platform's own, a fee by itself).
    """
    kind, source = transaction.type, transaction.source_id or ""
    if kind in _PAYMENTS and transaction.payment_intent_id:
        return Meaning(frozenset({Event.CAPTURE, Event.TIP}), transaction.payment_intent_id)
    if kind in _BY_SOURCE and source:
        return Meaning(frozenset({_BY_SOURCE[kind]}), source)
    if kind == "adjustment" and source.startswith(_DISPUTE_IDS):
        won = transaction.amount_cents > 0
        return Meaning(frozenset({Event.DISPUTE_WON if won else Event.DISPUTE_OPENED}), source)
    return None


def match(transactions: Iterable[Transaction], entries: Iterable[Entry]) -> Matching:
    """Find each transaction its movement, each of both at most once, in whatever order they come.

    The same one given twice counts once.
    """
    theirs = sorted({t.id: t for t in transactions}.values(), key=lambda t: (t.created_at, t.id))
    ours = sorted({e.movement_id: e for e in entries}.values(), key=lambda e: e.movement_id)
    free = dict.fromkeys(ours)
    pairs = _pair(theirs, free, same_amount=True)
    paired = {pair.transaction for pair in pairs}
    left = [transaction for transaction in theirs if transaction not in paired]
    differing = _pair(left, free, same_amount=False)
    at_odds = {pair.transaction for pair in differing}
    return Matching(pairs, differing, [t for t in left if t not in at_odds], list(free))


def _pair(
    transactions: Iterable[Transaction], free: dict[Entry, None], *, same_amount: bool
) -> list[Pair]:
    """Take from `free` what belongs to the transactions."""
    by_meaning: dict[tuple[Event, str | None], list[Entry]] = {}
    for entry in free:
        by_meaning.setdefault((entry.event, entry.stripe_id), []).append(entry)
    pairs = []
    for transaction in transactions:
        means = meaning(transaction)
        if means is None:
            continue
        for event in sorted(means.events):
            candidates = by_meaning.get((event, means.stripe_id), [])
            found = next(
                (e for e in candidates if not same_amount or _is_same(transaction, e)), None
            )
            if found is not None:
                candidates.remove(found)
                del free[found]
                pairs.append(Pair(transaction, found))
                break
    return pairs


def _is_same(transaction: Transaction, entry: Entry) -> bool:
    return (transaction.amount_cents, transaction.currency) == (entry.cents, entry.currency)


def unexplained(transaction: Transaction, order: PaidOrder | None) -> Finding:
    """What it means that nothing is booked for a transaction.

    A payment of an order that waits for it, or was cancelled, and a refund made in Stripe's
    dashboard, are told to the order; it goes on, or gives the money back, and books. So is a tip
    that was charged and never written down; one that was given back is for people to judge.
    """
    if transaction.type in _PAYMENTS:
        if order is None:
            return Finding(CaseKind.CHARGE_WITHOUT_ORDER)
        if order.of_tip:
            return Finding(CaseKind.PAYMENT_UNHEARD, Remedy.TIP_CHARGED)
        waits = order.status in {OrderStatus.PENDING, OrderStatus.CANCELLED}
        return Finding(
            CaseKind.PAYMENT_UNHEARD,
            # To any other it is enough to look at its payment, and to write down what is there.
            Remedy.PAYMENT_SUCCEEDED if waits else Remedy.REFUND_SETTLED,
        )
    if transaction.type in _REFUNDS:
        helps = order is not None and not order.of_tip
        return Finding(CaseKind.REFUND_UNKNOWN, Remedy.REFUND_SETTLED if helps else None)
    return Finding(CaseKind.UNKNOWN_TRANSACTION)


def missing(event: Event) -> CaseKind:
    """What it means that Stripe has no transaction for a movement."""
    if event in {Event.CAPTURE, Event.TIP}:
        return CaseKind.ORDER_WITHOUT_CHARGE
    return CaseKind.MOVEMENT_WITHOUT_TRANSACTION
