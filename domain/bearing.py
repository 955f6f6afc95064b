"""Who bears money that went back to a customer, by where his order stands and what it has left.

Of an order that was cancelled, what nobody has earned goes back first. Once an order has earned
something, its tax is owed no more in the part that went back, and the rest falls on whoever is at
fault, but on a payee only as far as the order has left him anything; before that, on the platform.
Refunds and lost disputes are alike in this: neither takes what the other has taken already.
Amounts are integer cents.
"""

from collections.abc import Mapping
from dataclasses import replace

from domain.cancellation import Settlement
from domain.ledger import (
    Account,
    Bearer,
    Event,
    Movement,
    Posting,
    Sale,
    Shares,
    balances,
    bearers_account,
    refund_shares,
    reverse,
)
from domain.order_status import OrderStatus

_EARNED = frozenset({OrderStatus.DELIVERED, OrderStatus.DISPUTED, OrderStatus.REFUNDED})


def of_refund(
    sale: Sale,
    status: OrderStatus,
    left: Mapping[str, int],
    cents: int,
    bearer: Bearer = Bearer.PLATFORM,
    *,
    tax_cents: int | None = None,
) -> Shares:
    """Who bears a refund, `left` being what the order has put on each account so far.

    Nobody bears what a cancelled order gives back: what it kept was never the customer's.
    """
    if status is OrderStatus.CANCELLED:
        deposits = min(cents, _credit(left, Account.CUSTOMER_DEPOSITS))
        return Shares(deposits=deposits, platform=cents - deposits)
    if status not in _EARNED:
        return Shares(platform=cents)
    return _at_fault(sale, left, cents, bearer, tax_cents)


def of_lost_dispute(
    sale: Sale, status: OrderStatus, left: Mapping[str, int], cents: int, fault: Bearer
) -> Shares:
    """Who bears a dispute that the bank has decided against us."""
    deposits = 0
    if status is OrderStatus.CANCELLED:
        deposits = min(cents, _credit(left, Account.CUSTOMER_DEPOSITS))
    return replace(_at_fault(sale, left, cents - deposits, fault, None), deposits=deposits)


def of_lost_tip(sale: Sale, left: Mapping[str, int], cents: int, fault: Bearer) -> Shares:
    """Who bears a tip that the bank has given back: the driver, at his fault, as far as the order
    has left him anything, else the platform. A chef has no part in a tip, nor has the tax.
    """
    bearer = Bearer.DRIVER if fault is Bearer.DRIVER else Bearer.PLATFORM
    return _at_fault(sale, left, cents, bearer, 0)


def returned_before_the_end(
    settlement: Settlement, left: Mapping[str, int], refunds: Mapping[str, int]
) -> int:
    """What of an order that is cancelled now had been refunded at the platform's expense: nobody
    had earned it yet, so it was the customer's own.
    """
    deposit = _credit(left, Account.CUSTOMER_DEPOSITS) - settlement.kept_cents
    return max(0, min(refunds.get(Account.REFUND_LOSSES, 0), deposit))


def failed(
    refund: Movement, kept_cents: int, cancelled: Mapping[str, int], refunds: Mapping[str, int]
) -> Movement:
    """The opposite of a refund that did not reach the customer.

    What was `cancelled` as returned before the end is the customer's again, beyond what other
    `refunds` at the platform's expense account for.
    """
    lost = balances([refund]).get(Account.REFUND_LOSSES, 0)
    others = refunds.get(Account.REFUND_LOSSES, 0) - lost
    returned = cancelled.get(Account.CUSTOMER_DEPOSITS, 0) - kept_cents
    his = min(lost, max(0, returned - others))
    undone = reverse(refund, Event.REFUND_FAILED)
    if not his:
        return undone
    accounts = {**balances([undone]), Account.REFUND_LOSSES: his - lost}
    accounts[Account.CUSTOMER_DEPOSITS] = accounts.get(Account.CUSTOMER_DEPOSITS, 0) - his
    postings = tuple(Posting(str(account), cents) for account, cents in accounts.items() if cents)
    return replace(undone, postings=postings)


def _at_fault(
    sale: Sale, left: Mapping[str, int], cents: int, bearer: Bearer, tax_cents: int | None
) -> Shares:
    account = bearers_account(sale, bearer)
    earned = {
        Bearer.CHEF: sale.bill.chef_earning_cents,
        Bearer.DRIVER: sale.bill.driver_earning_cents + sale.bonus_cents,
    }
    return refund_shares(
        sale.bill,
        cents,
        bearer if account else Bearer.PLATFORM,
        tax_cents=tax_cents,
        tax_borne=sale.bill.tax_cents - _credit(left, Account.TAX_PAYABLE),
        bearer_borne=earned[bearer] - _credit(left, account) if account else 0,
        bonus_cents=sale.bonus_cents,
    )


def _credit(balances: Mapping[str, int], account: str) -> int:
    """What an account owes, in cents; nothing when it is owed something."""
    return max(0, -balances.get(account, 0))
