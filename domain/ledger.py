"""What each event books.

Double entry, in integer cents: a debit is positive, a credit negative, and the postings of a
movement sum to zero. What a payee is owed is therefore the negative of his account's balance.
Source: DESIGN.md, Money; the figures in the examples are seed 000's (Commission Structure).

    customer_deposits   what customers paid for orders that have not ended, and what is to go back
    payouts_in_transit  what is on the accounts of payees at Stripe and not in their banks yet
    chef:…, driver:…    what is owed to each of them; below nothing, what he owes

A movement's key names the event that it books: the same event, heard of twice, books once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from domain.cancellation import Settlement
from domain.payees import PayeeKind
from domain.pricing import Price


class Account(StrEnum):
    """The platform's own accounts; each payee has one beside them (`payable`)."""

    STRIPE_CLEARING = "stripe_clearing"
    PAYOUTS_IN_TRANSIT = "payouts_in_transit"
    CUSTOMER_DEPOSITS = "customer_deposits"
    TAX_PAYABLE = "tax_payable"
    PLATFORM_REVENUE = "platform_revenue"
    PROMO_EXPENSE = "promo_expense"
    DRIVER_BONUSES = "driver_bonuses"
    STRIPE_FEES = "stripe_fees"
    REFUND_LOSSES = "refund_losses"
    DISPUTE_LOSSES = "dispute_losses"
    SUSPENSE = "suspense"


class Event(StrEnum):
    """What a movement books."""

    CAPTURE = "capture"
    EARNED = "earned"
    CANCELLED = "cancelled"
    TIP = "tip"
    BONUS = "bonus"
    REFUND = "refund"
    REFUND_FAILED = "refund_failed"
    STRIPE_FEE = "stripe_fee"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    TRANSFER = "transfer"
    TRANSFER_REVERSED = "transfer_reversed"
    PAYOUT_PAID = "payout_paid"
    PAYOUT_RETURNED = "payout_returned"
    ADJUSTMENT = "adjustment"
    CORRECTION = "correction"


# How the key of a movement's opposite ends.
REVERSED = ":reversed"

# Bound to something that has happened elsewhere: undone by undoing that.
IRREVERSIBLE = frozenset(
    {
        Event.TRANSFER,
        Event.TRANSFER_REVERSED,
        Event.PAYOUT_PAID,
        Event.PAYOUT_RETURNED,
        Event.CORRECTION,
    }
)

# What moves a payee's money to his bank, or back: not something that he earned or owes.
OF_PAYOUTS = frozenset({Event.PAYOUT_PAID, Event.PAYOUT_RETURNED})


class Bearer(StrEnum):
    """Who bears a refund or a lost dispute."""

    PLATFORM = "platform"
    CHEF = "chef"
    DRIVER = "driver"


@dataclass(frozen=True, slots=True)
class Posting:
    """So many cents on an account: a debit is positive, a credit negative."""

    account: str
    cents: int


@dataclass(frozen=True, slots=True)
class Movement:
    """What one event books. `stripe_id` is Stripe's object that moved the same money, if any."""

    key: str
    event: Event
    currency: str
    postings: tuple[Posting, ...]
    order_id: UUID | None = None
    payout_id: UUID | None = None
    stripe_id: str | None = None


@dataclass(frozen=True, slots=True)
class Sale:
    """Whose order it is and what it comes to; `bonus_cents` is the driver's beside the bill."""

    order_id: UUID
    chef_id: UUID
    driver_id: UUID | None
    bill: Price
    bonus_cents: int = 0

    @property
    def currency(self) -> str:
        """The currency of all its amounts."""
        return self.bill.currency


@dataclass(frozen=True, slots=True)
class Shares:
    """Who bears how many cents of a refund or a dispute; `deposits` is money that nobody earned."""

    deposits: int = 0
    tax: int = 0
    platform: int = 0
    chef: int = 0
    driver: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.deposits + self.tax + self.platform + self.chef + self.driver


def payable(kind: PayeeKind, payee_id: UUID) -> str:
    """The account of a payee."""
    return f"{kind}:{payee_id}"


def payee_of(account: str) -> tuple[PayeeKind, UUID] | None:
    """Whose account it is; None for the platform's own."""
    kind, _, payee_id = account.partition(":")
    return (PayeeKind(kind), UUID(payee_id)) if payee_id else None


def bearers_account(sale: Sale, bearer: Bearer) -> str | None:
    """The account of the payee who bears a refund of an order; None when the platform does."""
    match bearer:
        case Bearer.CHEF:
            return _chef(sale)
        case Bearer.DRIVER:
            return _driver(sale)
        case Bearer.PLATFORM:
            return None


def captured(sale: Sale, cents: int, intent_id: str) -> Movement:
    """A customer has paid, 2660 say: it is at Stripe, and his until the order ends.

    stripe_clearing +2660, customer_deposits -2660.
    """
    return Movement(
        key=f"order-{sale.order_id}:capture",
        event=Event.CAPTURE,
        currency=sale.currency,
        postings=_postings(
            (Account.STRIPE_CLEARING, cents),
            (Account.CUSTOMER_DEPOSITS, -cents),
        ),
        order_id=sale.order_id,
        stripe_id=intent_id,
    )


def earned(sale: Sale) -> Movement:
    """An order is delivered: what the customer paid now belongs to those who earned it.

    customer_deposits +2660, tax_payable -160, platform_revenue -399, chef -1601, driver -500. A
    promo code of 300 is the platform's: customer_deposits +2360, promo_expense +300.
    """
    bill = sale.bill
    return Movement(
        key=f"order-{sale.order_id}:earned",
        event=Event.EARNED,
        currency=sale.currency,
        postings=_postings(
            (Account.CUSTOMER_DEPOSITS, bill.total_cents),
            (Account.PROMO_EXPENSE, bill.discount_cents),
            (Account.TAX_PAYABLE, -bill.tax_cents),
            (Account.PLATFORM_REVENUE, -bill.platform_fee_cents - bill.service_fee_cents),
            (_chef(sale), -bill.chef_earning_cents),
            (_driver(sale), -bill.driver_earning_cents),
        ),
        order_id=sale.order_id,
    )


def cancelled(sale: Sale, settlement: Settlement, already_returned: int = 0) -> Movement:
    """An order ends undelivered: what is kept (domain.cancellation) is shared out.

    A customer who cancels while the chef cooks pays the food: customer_deposits +2160,
    tax_payable -160, chef -1601, platform_revenue -399. A driver who loses the food is the
    platform's loss: refund_losses +1601, chef -1601. The rest stays a deposit until it is refunded;
    `already_returned` is what had been refunded at the platform's expense before the end.
    """
    bill, kept = sale.bill, settlement.kept_cents
    owed = settlement.chef_cents + settlement.driver_cents
    tax = bill.tax_cents if kept else 0
    promo = bill.discount_cents if kept else 0
    left = kept + promo - tax - owed
    return Movement(
        key=f"order-{sale.order_id}:cancelled",
        event=Event.CANCELLED,
        currency=sale.currency,
        postings=_postings(
            (Account.CUSTOMER_DEPOSITS, kept + already_returned),
            (Account.PROMO_EXPENSE, promo),
            (Account.TAX_PAYABLE, -tax),
            (Account.PLATFORM_REVENUE, -max(left, 0)),
            (Account.REFUND_LOSSES, max(-left, 0) - already_returned),
            (_chef(sale), -settlement.chef_cents),
            (_driver(sale), -settlement.driver_cents),
        ),
        order_id=sale.order_id,
    )


def tipped(sale: Sale, cents: int, intent_id: str) -> Movement:
    """A tip was added after paying, 200 say, by a payment of its own: stripe_clearing +200,
    driver -200.
    """
    return Movement(
        key=f"order-{sale.order_id}:tip:{intent_id}",
        event=Event.TIP,
        currency=sale.currency,
        postings=_postings((Account.STRIPE_CLEARING, cents), (_driver(sale), -cents)),
        order_id=sale.order_id,
        stripe_id=intent_id,
    )


def bonus(sale: Sale, cents: int) -> Movement:
    """The platform had promised more to whoever takes an order that nobody took, 300 say, and it
    is earned: driver_bonuses +300, driver -300. The customer pays nothing for it.
    """
    return Movement(
        key=f"order-{sale.order_id}:bonus",
        event=Event.BONUS,
        currency=sale.currency,
        postings=_postings((Account.DRIVER_BONUSES, cents), (_driver(sale), -cents)),
        order_id=sale.order_id,
    )


def refund_shares(
    bill: Price,
    cents: int,
    bearer: Bearer,
    *,
    tax_cents: int | None = None,
    tax_borne: int = 0,
    bearer_borne: int = 0,
    bonus_cents: int = 0,
) -> Shares:
    """Who bears a refund of a delivered order, full or partial.

    The tax in it (`tax_cents`; where nobody says, in proportion to the bill without the tip) is not
    owed any more. The rest falls on the bearer, but on a payee only up to what he earned by the
    order, a driver's bonus included; beyond that it is the platform's. `tax_borne` and
    `bearer_borne` are what earlier refunds took.
    """
    if tax_cents is None:
        tax_cents = portion(bill.tax_cents, cents, bill.total_cents - bill.tip_cents)
    tax = min(tax_cents, cents, bill.tax_cents - tax_borne)
    rest = cents - tax
    if bearer is Bearer.CHEF:
        chef = min(rest, max(0, bill.chef_earning_cents - bearer_borne))
        return Shares(tax=tax, chef=chef, platform=rest - chef)
    if bearer is Bearer.DRIVER:
        driver = min(rest, max(0, bill.driver_earning_cents + bonus_cents - bearer_borne))
        return Shares(tax=tax, driver=driver, platform=rest - driver)
    return Shares(tax=tax, platform=rest)


def refunded(sale: Sale, shares: Shares, refund_id: str) -> Movement:
    """Money goes back to a customer.

    Of a cancelled order all of it: customer_deposits +2660, stripe_clearing -2660. Of a delivered
    one by who bears it; 1080 for a bad dish, 80 of it tax, borne by the chef: tax_payable +80, chef
    +1000, stripe_clearing -1080. A payee's account may come to a debt, netted by his next payout.
    """
    return Movement(
        key=f"order-{sale.order_id}:refund:{refund_id}",
        event=Event.REFUND,
        currency=sale.currency,
        postings=_borne(sale, shares, Account.REFUND_LOSSES, Account.STRIPE_CLEARING),
        order_id=sale.order_id,
        stripe_id=refund_id,
    )


def fee(
    transaction_id: str, cents: int, currency: str, order_id: UUID | None, source: str | None
) -> Movement:
    """What Stripe keeps of a transaction, 107 say: stripe_fees +107, stripe_clearing -107."""
    return Movement(
        key=f"{transaction_id}:fee",
        event=Event.STRIPE_FEE,
        currency=currency,
        postings=_postings((Account.STRIPE_FEES, cents), (Account.STRIPE_CLEARING, -cents)),
        order_id=order_id,
        stripe_id=source,
    )


def dispute_opened(sale: Sale, cents: int, dispute_id: str) -> Movement:
    """A customer's bank took the money back for now: dispute_losses +2660, stripe_clearing -2660.

    What Stripe asks for it is a fee like any other.
    """
    return Movement(
        key=f"{dispute_id}:withdrawn",
        event=Event.DISPUTE_OPENED,
        currency=sale.currency,
        postings=_postings((Account.DISPUTE_LOSSES, cents), (Account.STRIPE_CLEARING, -cents)),
        order_id=sale.order_id,
        stripe_id=dispute_id,
    )


def dispute_won(sale: Sale, cents: int, dispute_id: str) -> Movement:
    """The bank gave it again: stripe_clearing +2660, dispute_losses -2660."""
    return Movement(
        key=f"{dispute_id}:reinstated",
        event=Event.DISPUTE_WON,
        currency=sale.currency,
        postings=_postings((Account.STRIPE_CLEARING, cents), (Account.DISPUTE_LOSSES, -cents)),
        order_id=sale.order_id,
        stripe_id=dispute_id,
    )


def dispute_lost(sale: Sale, shares: Shares, dispute_id: str) -> Movement | None:
    """A lost dispute that is a payee's fault is his debt: chef +1601, dispute_losses -1601.

    The tax is not owed any more. None when the platform bears all of it: then it is booked already.
    """
    postings = _borne(
        sale, replace(shares, platform=0), Account.DISPUTE_LOSSES, Account.DISPUTE_LOSSES
    )
    if not postings:
        return None
    return Movement(
        key=f"{dispute_id}:lost",
        event=Event.DISPUTE_LOST,
        currency=sale.currency,
        postings=postings,
        order_id=sale.order_id,
    )


def transferred(payout_id: UUID, cents: int, currency: str, transfer_id: str) -> Movement:
    """A payee's net earnings are on his account at Stripe, and owed until they are in his bank.

    payouts_in_transit +1601, stripe_clearing -1601.
    """
    return Movement(
        key=f"payout-{payout_id}:transfer",
        event=Event.TRANSFER,
        currency=currency,
        postings=_postings((Account.PAYOUTS_IN_TRANSIT, cents), (Account.STRIPE_CLEARING, -cents)),
        payout_id=payout_id,
        stripe_id=transfer_id,
    )


def transfer_reversed(payout_id: UUID, cents: int, currency: str, reversal_id: str) -> Movement:
    """His bank did not take them, so they come back: the same the other way round."""
    return Movement(
        key=f"payout-{payout_id}:reversal",
        event=Event.TRANSFER_REVERSED,
        currency=currency,
        postings=_postings((Account.STRIPE_CLEARING, cents), (Account.PAYOUTS_IN_TRANSIT, -cents)),
        payout_id=payout_id,
        stripe_id=reversal_id,
    )


def paid_out(payout_id: UUID, account: str, cents: int, currency: str) -> Movement:
    """The money is in the payee's bank: chef +1601, payouts_in_transit -1601."""
    return Movement(
        key=f"payout-{payout_id}:paid",
        event=Event.PAYOUT_PAID,
        currency=currency,
        postings=_postings((account, cents), (Account.PAYOUTS_IN_TRANSIT, -cents)),
        payout_id=payout_id,
    )


def payout_returned(payout_id: UUID, account: str, cents: int, currency: str) -> Movement:
    """A bank that had taken the money sent it back: it is owed again."""
    return Movement(
        key=f"payout-{payout_id}:returned",
        event=Event.PAYOUT_RETURNED,
        currency=currency,
        postings=_postings((Account.PAYOUTS_IN_TRANSIT, cents), (account, -cents)),
        payout_id=payout_id,
    )


def unexplained(transaction_id: str, cents: int, currency: str, source: str | None) -> Movement:
    """Money that moved at Stripe for a reason of its own, accepted by finance when a case is
    closed: stripe_clearing and suspense.
    """
    return Movement(
        key=f"{transaction_id}:adjustment",
        event=Event.ADJUSTMENT,
        currency=currency,
        postings=_postings((Account.STRIPE_CLEARING, cents), (Account.SUSPENSE, -cents)),
        stripe_id=source,
    )


def reverse(movement: Movement, event: Event = Event.CORRECTION) -> Movement:
    """The opposite of a movement: the only way to correct one."""
    return replace(
        movement,
        key=f"{movement.key}{REVERSED}",
        event=event,
        postings=tuple(Posting(p.account, -p.cents) for p in movement.postings),
    )


def portion(part: int, cents: int, whole: int) -> int:
    """As much of `part` as `cents` are of `whole`, halves rounded up; all of it at most."""
    return min(part, (2 * part * cents + whole) // (2 * whole)) if whole else part


def balances(movements: Iterable[Movement]) -> Mapping[str, int]:
    """What each account comes to, in cents of one currency."""
    sums: dict[str, int] = {}
    for movement in movements:
        for posting in movement.postings:
            sums[posting.account] = sums.get(posting.account, 0) + posting.cents
    return sums


def _borne(sale: Sale, shares: Shares, losses: str, out_of: str) -> tuple[Posting, ...]:
    return _postings(
        (Account.CUSTOMER_DEPOSITS, shares.deposits),
        (Account.TAX_PAYABLE, shares.tax),
        (losses, shares.platform),
        (_chef(sale), shares.chef),
        (_driver(sale), shares.driver),
        (out_of, -shares.total),
    )


def _chef(sale: Sale) -> str:
    return payable(PayeeKind.CHEF, sale.chef_id)


def _driver(sale: Sale) -> str | None:
    return payable(PayeeKind.DRIVER, sale.driver_id) if sale.driver_id else None


def _postings(*entries: tuple[str | None, int]) -> tuple[Posting, ...]:
    kept = []
    for account, cents in entries:
        if not cents:
            continue
        if account is None:
            raise ValueError("an order without a driver owes nothing to one")
        kept.append(Posting(str(account), cents))
    return tuple(kept)
