"""Top-ups: money that came to an account from outside, not from a card."""

from local.stripe import balance, clock, events
from local.stripe.resources import TOPUP
from local.stripe.store import StripeObject, Transaction


def add(tx: Transaction, amount: int, currency: str) -> StripeObject:
    """Add `amount` cents to what the account has available."""
    topup: StripeObject = {
        "id": TOPUP.new_id(),
        "object": TOPUP.name,
        "amount": amount,
        "balance_transaction": None,
        "created": clock.now(),
        "currency": currency,
        "description": "Top-up",
        "expected_availability_date": clock.now(),
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "source": None,
        "statement_descriptor": None,
        "status": "succeeded",
        "transfer_group": None,
    }
    tx.insert(topup)
    booked = balance.record(
        tx, "topup", amount, topup, available_on=clock.now(), description=topup["description"]
    )
    tx.change(topup, balance_transaction=booked["id"])
    events.emit(tx, "topup.succeeded", topup)
    return topup
