"""Payouts: money that leaves an account for its holder's bank."""

from typing import Literal, TypeAlias

from local.stripe import accounts, balance, clock, events, money, paging, timers
from local.stripe.errors import BalanceInsufficient, InvalidParameter, InvalidRequest
from local.stripe.operations import Operation, retrieving
from local.stripe.params import (
    Params,
    Required,
    Spec,
    clearable,
    integer,
    merged,
    metadata,
    one_of,
    text,
)
from local.stripe.resources import EXTERNAL_ACCOUNT, PAYOUT, retrieve
from local.stripe.store import PLATFORM, StripeObject, Transaction

PATH = "/v1/payouts"
ONE = f"{PATH}/{{object_id}}"

# How a payout ends; one that is held waits until somebody decides.
PayoutOutcome: TypeAlias = Literal["paid", "failed"]
FutureOutcome: TypeAlias = Literal["paid", "failed", "held"]

CREATE: Spec = {
    "amount": Required(integer(at_least=1)),
    "currency": Required(money.currency),
    "description": clearable(text),
    "destination": text,
    "metadata": metadata,
    "method": one_of("instant", "standard"),
    "source_type": one_of("bank_account", "card", "fpx"),
    "statement_descriptor": text,
}

# https://docs.stripe.com/api/payouts/failures
FAILURES = {
    "account_closed": "The bank account has been closed.",
    "account_frozen": "The bank account has been frozen.",
    "could_not_process": "The bank could not process this payout.",
    "debit_not_authorized": "Debit transactions are not approved on the bank account.",
    "declined": "The bank has declined this transfer.",
    "insufficient_funds": "Your Stripe account has insufficient funds to cover the payout.",
    "invalid_account_number": "The routing number seems correct, but not the account number.",
    "invalid_currency": "The bank was unable to process this payout because of its currency.",
    "no_account": (
        "The bank account details on file are probably incorrect. No bank account could be located "
        "with those details."
    ),
}
DEFAULT_FAILURE = "could_not_process"

INSUFFICIENT = (
    "You have insufficient funds in your Stripe account for this transfer. Your card balance is "
    "too low. You can use the /v1/balance endpoint to view your Stripe balance (for more details, "
    "see stripe.com/docs/api#balance)."
)
NOT_ALLOWED = (
    "Payouts have been disabled on the connected account. Check the connected account's status to "
    "see if any additional information needs to be provided, or if payouts have been disabled for "
    "another reason."
)


def decide(tx: Transaction, account_id: str, outcome: FutureOutcome) -> None:
    """Have the payouts that an account makes from now on end in one way."""
    tx.execute(
        "INSERT OR REPLACE INTO payout_outcomes (account, outcome) VALUES (?, ?)",
        account_id,
        outcome,
    )


def settle(
    tx: Transaction, payout: StripeObject, outcome: PayoutOutcome, failure_code: str | None = None
) -> None:
    """Decide how a payout ended; failing, even after it was paid, gives the money back."""
    timers.cancel(tx, timers.SETTLE_PAYOUT, payout["id"])
    if payout["status"] == outcome:
        return
    if payout["status"] in ("canceled", "failed"):
        raise InvalidRequest(f"Payout {payout['id']} has already {_ended(payout)}.")
    if outcome == "paid":
        _become(tx, payout, status="paid")
    else:
        code = failure_code or _banks_failure(tx, payout) or DEFAULT_FAILURE
        returned = _return(tx, payout, "payout_failure")
        _become(
            tx,
            payout,
            failure_balance_transaction=returned["id"],
            failure_code=code,
            failure_message=FAILURES[code],
            status="failed",
        )


def settle_as_due(tx: Transaction, payout_id: str) -> None:
    """Let a payout end as its account and its bank want it."""
    payout = retrieve(tx, PAYOUT, payout_id)
    fails = _outcome(tx) == "failed" or _banks_failure(tx, payout) is not None
    settle(tx, payout, "failed" if fails else "paid")


def _ended(payout: StripeObject) -> str:
    return "failed" if payout["status"] == "failed" else "been canceled"


def _outcome(tx: Transaction) -> str:
    """Return how the account's payouts end."""
    row = tx.execute("SELECT outcome FROM payout_outcomes WHERE account = ?", tx.account).fetchone()
    return "paid" if row is None else str(row[0])


def _banks_failure(tx: Transaction, payout: StripeObject) -> str | None:
    """Return why the bank account that a payout goes to takes none, if it is such a one."""
    bank = payout["destination"]
    return None if bank is None else tx.private(bank)["failure_code"]


def _create(tx: Transaction, params: Params) -> StripeObject:
    amount, currency = params["amount"], params["currency"]
    bank = _destination(tx, currency, params.get("destination"))
    if balance.available(tx, currency) < amount:
        raise BalanceInsufficient(INSUFFICIENT)
    payout = _payout(params, bank)
    tx.insert(payout)
    booked = balance.record(
        tx,
        "payout",
        -amount,
        payout,
        available_on=clock.now(),
        description=payout["description"] or "STRIPE PAYOUT",
    )
    tx.change(payout, balance_transaction=booked["id"])
    events.emit(tx, "payout.created", payout)
    if _outcome(tx) != "held":
        timers.schedule(tx, timers.SETTLE_PAYOUT, payout["id"], payout["arrival_date"])
    return payout


def _destination(tx: Transaction, currency: str, wanted: str | None) -> str | None:
    """Return the bank account that a payout goes to; the platform's is nobody's business."""
    if tx.account == PLATFORM:
        return None
    account = accounts.find(tx, tx.account)
    if not account["payouts_enabled"]:
        raise InvalidRequest(NOT_ALLOWED, code="payouts_not_allowed")
    banks = account["external_accounts"]["data"]
    if wanted is not None and wanted not in (bank["id"] for bank in banks):
        raise InvalidParameter(
            f"No such {EXTERNAL_ACCOUNT.label}: '{wanted}'",
            code="resource_missing",
            param="destination",
        )
    for bank in banks:
        if bank["currency"] == currency:
            bank_id: str = bank["id"]
            return bank_id
    raise InvalidRequest(
        f"Sorry, you don't have any external accounts in that currency ({currency}).",
        code="no_external_account_in_currency",
        param="currency",
    )


def _payout(params: Params, bank: str | None) -> StripeObject:
    now = clock.now()
    return {
        "id": PAYOUT.new_id(),
        "object": PAYOUT.name,
        "amount": params["amount"],
        "application_fee": None,
        "application_fee_amount": None,
        # Banks are quick here, so that nobody has to wait for them.
        "arrival_date": now,
        "automatic": False,
        "balance_transaction": None,
        "created": now,
        "currency": params["currency"],
        "description": params.get("description"),
        "destination": bank,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": merged({}, params.get("metadata", {})),
        "method": params.get("method", "standard"),
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "not_applicable",
        "reversed_by": None,
        "source_type": params.get("source_type", "card"),
        "statement_descriptor": params.get("statement_descriptor"),
        "status": "pending",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
    }


def _return(tx: Transaction, payout: StripeObject, kind: str) -> StripeObject:
    """Give the money of a payout back to the balance."""
    return balance.record(tx, kind, payout["amount"], payout, available_on=clock.now())


def _become(tx: Transaction, payout: StripeObject, **changes: str) -> None:
    """Change a payout's status, and tell."""
    previous = tx.change(payout, **changes)
    events.emit(tx, "payout.updated", payout, previous)
    events.emit(tx, f"payout.{payout['status']}", payout)


def _cancel(tx: Transaction, _: Params, object_id: str) -> StripeObject:
    payout = retrieve(tx, PAYOUT, object_id)
    if payout["status"] != "pending":
        raise InvalidRequest(
            f"Payouts in status `{payout['status']}` cannot be canceled. Only payouts in status "
            "`pending` can be."
        )
    timers.cancel(tx, timers.SETTLE_PAYOUT, object_id)
    returned = _return(tx, payout, "payout_cancel")
    _become(tx, payout, failure_balance_transaction=returned["id"], status="canceled")
    return payout


def _update(tx: Transaction, params: Params, object_id: str) -> StripeObject:
    payout = retrieve(tx, PAYOUT, object_id)
    if "metadata" in params:
        previous = tx.change(payout, metadata=merged(payout["metadata"], params["metadata"]))
        if previous:
            events.emit(tx, "payout.updated", payout, previous)
    return payout


OPERATIONS = (
    Operation("POST", PATH, _create, CREATE),
    paging.listing(PAYOUT, PATH, destination=text, status=text),
    retrieving(PAYOUT, PATH),
    Operation("POST", ONE, _update, {"metadata": metadata}),
    Operation("POST", f"{ONE}/cancel", _cancel),
)
