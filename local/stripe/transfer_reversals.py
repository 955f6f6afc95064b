"""Reversals: money that the platform takes back from a connected account."""

from local.stripe import balance, clock, destination_payments, events, money, paging, transfers
from local.stripe.errors import BalanceInsufficient, InvalidRequest
from local.stripe.operations import Operation
from local.stripe.params import Params, Spec, boolean, integer, merged, metadata, text
from local.stripe.resources import TRANSFER, TRANSFER_REVERSAL, missing, retrieve
from local.stripe.store import StripeObject, Transaction

PATH = f"{transfers.ONE}/reversals"
ONE = f"{PATH}/{{reversal_id}}"

CREATE: Spec = {
    "amount": integer(at_least=1),
    "description": text,
    "metadata": metadata,
    "refund_application_fee": boolean,
}

INSUFFICIENT = (
    "Insufficient funds in the connected account's Stripe balance to reverse this transfer."
)


def of_transfer(tx: Transaction, transfer: StripeObject) -> StripeObject:
    """Return the list of reversals that a transfer shows: the latest ones."""
    return _page(tx, {}, transfer["id"])


def _create(tx: Transaction, params: Params, object_id: str) -> StripeObject:
    transfer = retrieve(tx, TRANSFER, object_id)
    left = transfer["amount"] - transfer["amount_reversed"]
    amount: int = params.get("amount", left)
    _check_amount(transfer, amount)
    moves_on = transfers.available_on(tx, transfer)
    _check_balance(tx, transfer, amount, moves_on)
    reversal = _reversal(transfer, amount, params)
    tx.insert(reversal)
    booked = balance.record(
        tx,
        "transfer_refund",
        amount,
        reversal,
        available_on=moves_on,
        description=params.get("description"),
    )
    refund = destination_payments.give_back(tx, transfer, reversal, moves_on)
    tx.change(reversal, balance_transaction=booked["id"], destination_payment_refund=refund["id"])
    previous = tx.change(
        transfer,
        amount_reversed=transfer["amount_reversed"] + amount,
        reversed=amount == left,
        reversals=of_transfer(tx, transfer),
    )
    events.emit(tx, "transfer.reversed", transfer, previous)
    return reversal


def _check_amount(transfer: StripeObject, amount: int) -> None:
    left = transfer["amount"] - transfer["amount_reversed"]
    if left == 0:
        raise InvalidRequest(f"Transfer {transfer['id']} has already been fully reversed.")
    if amount > left:
        currency = transfer["currency"]
        raise InvalidRequest(
            f"Reversal amount ({money.spoken(amount, currency)}) is greater than unreversed "
            f"amount on transfer ({money.spoken(left, currency)})",
            param="amount",
        )


def _check_balance(tx: Transaction, transfer: StripeObject, amount: int, moves_on: int) -> None:
    """Refuse to take what the destination no longer has."""
    currency = transfer["currency"]
    with tx.acting_for(transfer["destination"]):
        # Money that has yet to become available can be taken back before it is.
        waiting = moves_on > clock.now()
        there = balance.total(tx, currency) if waiting else balance.available(tx, currency)
    if there < amount:
        raise BalanceInsufficient(INSUFFICIENT)


def _reversal(transfer: StripeObject, amount: int, params: Params) -> StripeObject:
    return {
        "id": TRANSFER_REVERSAL.new_id(),
        "object": TRANSFER_REVERSAL.name,
        "amount": amount,
        "balance_transaction": None,
        "created": clock.now(),
        "currency": transfer["currency"],
        "destination_payment_refund": None,
        "metadata": merged({}, params.get("metadata", {})),
        "source_refund": None,
        "transfer": transfer["id"],
    }


def _list(tx: Transaction, params: Params, object_id: str) -> StripeObject:
    retrieve(tx, TRANSFER, object_id)
    return _page(tx, params, object_id)


def _page(tx: Transaction, params: Params, transfer_id: str) -> StripeObject:
    wanted = [paging.equals("transfer", transfer_id)]
    url = transfers.reversals_url(transfer_id)
    return paging.page(tx, TRANSFER_REVERSAL, url, params, wanted)


def _retrieve(tx: Transaction, _: Params, object_id: str, reversal_id: str) -> StripeObject:
    retrieve(tx, TRANSFER, object_id)
    reversal = retrieve(tx, TRANSFER_REVERSAL, reversal_id)
    if reversal["transfer"] != object_id:
        raise missing(TRANSFER_REVERSAL, reversal_id)
    return reversal


def _update(tx: Transaction, params: Params, object_id: str, reversal_id: str) -> StripeObject:
    reversal = _retrieve(tx, {}, object_id, reversal_id)
    if "metadata" in params:
        tx.change(reversal, metadata=merged(reversal["metadata"], params["metadata"]))
        transfer = retrieve(tx, TRANSFER, object_id)
        tx.change(transfer, reversals=of_transfer(tx, transfer))
    return reversal


OPERATIONS = (
    Operation("POST", PATH, _create, CREATE),
    Operation("GET", PATH, _list, paging.PAGE),
    Operation("GET", ONE, _retrieve),
    Operation("POST", ONE, _update, {"metadata": metadata}),
)
