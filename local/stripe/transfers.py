"""Transfers: money that the platform hands on to a connected account."""

from local.stripe import balance, clock, destination_payments, events, money, paging
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
from local.stripe.resources import (
    ACCOUNT,
    BALANCE_TRANSACTION,
    CHARGE,
    TRANSFER,
    referenced,
    retrieve,
)
from local.stripe.store import StripeObject, Transaction

PATH = "/v1/transfers"
ONE = f"{PATH}/{{object_id}}"

UPDATE: Spec = {"description": clearable(text), "metadata": metadata}
CREATE: Spec = {
    **UPDATE,
    "amount": Required(integer(at_least=1)),
    "currency": Required(money.currency),
    "destination": Required(text),
    "source_transaction": text,
    "source_type": one_of("bank_account", "card", "fpx"),
    "transfer_group": text,
}

INSUFFICIENT = (
    "You have insufficient available funds in your Stripe account. Try adding funds directly to "
    "your available balance by creating Charges using the 4000000000000077 test card. See: "
    "https://stripe.com/docs/testing#available-balance"
)
INCAPABLE = (
    "Your destination account needs to have at least one of the following capabilities enabled: "
    "transfers, crypto_transfers, legacy_payments"
)


def reversals_url(transfer_id: str) -> str:
    """Return the path at which the reversals of a transfer are listed."""
    return f"{PATH}/{transfer_id}/reversals"


def available_on(tx: Transaction, transfer: StripeObject) -> int:
    """Return when the money of a transfer moves, in seconds since 1970: now at the earliest."""
    booked = retrieve(tx, BALANCE_TRANSACTION, transfer["balance_transaction"])
    return max(clock.now(), int(booked["available_on"]))


def _create(tx: Transaction, params: Params) -> StripeObject:
    amount: int = params["amount"]
    _check_destination(tx, params["destination"])
    moves_on, group = clock.now(), params.get("transfer_group")
    if "source_transaction" in params:
        charge = _source(tx, params["source_transaction"], amount)
        booked = retrieve(tx, BALANCE_TRANSACTION, charge["balance_transaction"])
        # The transfer succeeds at once whatever the balance is, and waits for its charge.
        moves_on = max(moves_on, int(booked["available_on"]))
        group = group or charge["transfer_group"] or f"group_{charge['id']}"
    elif balance.available(tx, params["currency"]) < amount:
        raise BalanceInsufficient(INSUFFICIENT)
    transfer = _transfer(params) | {"transfer_group": group}
    tx.insert(transfer)
    booked = balance.record(
        tx,
        "transfer",
        -amount,
        transfer,
        available_on=moves_on,
        description=transfer["description"],
    )
    payment = destination_payments.receive(tx, transfer, moves_on)
    tx.change(transfer, balance_transaction=booked["id"], destination_payment=payment["id"])
    events.emit(tx, "transfer.created", transfer)
    return transfer


def _check_destination(tx: Transaction, account_id: str) -> None:
    account = tx.own(account_id)
    if account is None or account["object"] != ACCOUNT.name or account.get("deleted"):
        raise InvalidParameter(
            f"No such destination: '{account_id}'", code="resource_missing", param="destination"
        )
    if account["capabilities"].get("transfers") != "active":
        raise InvalidRequest(INCAPABLE, code="insufficient_capabilities_for_transfer")


def _source(tx: Transaction, charge_id: str, amount: int) -> StripeObject:
    """Return the charge that a transfer of `amount` is to be taken from."""
    charge = referenced(tx, CHARGE, charge_id, "source_transaction")
    if charge["balance_transaction"] is None:
        raise InvalidRequest(
            f"The charge {charge_id} cannot be used as a source_transaction: it has not been "
            "captured.",
            param="source_transaction",
        )
    count, used = tx.execute(
        "SELECT COUNT(*), COALESCE(SUM(json_extract(body, '$.amount')), 0) FROM objects "
        "WHERE account = ? AND object = ? AND json_extract(body, '$.source_transaction') = ?",
        tx.account,
        TRANSFER.name,
        charge_id,
    ).fetchone()
    if used + amount > charge["amount_captured"]:
        currency = charge["currency"]
        raise InvalidRequest(
            "Transfers using this transaction as a source must not exceed the source amount of "
            f"{money.spoken(charge['amount_captured'], currency)}. (There are already {count} "
            "transfers using this source, amounting to a total of "
            f"{money.spoken(used, currency)}.)",
            param="amount",
        )
    return charge


def _transfer(params: Params) -> StripeObject:
    transfer_id = TRANSFER.new_id()
    return {
        "id": transfer_id,
        "object": TRANSFER.name,
        "amount": params["amount"],
        "amount_reversed": 0,
        "balance_transaction": None,
        "created": clock.now(),
        "currency": params["currency"],
        "description": params.get("description"),
        "destination": params["destination"],
        "livemode": False,
        "metadata": merged({}, params.get("metadata", {})),
        "reversals": {
            "object": "list",
            "data": [],
            "has_more": False,
            "url": reversals_url(transfer_id),
        },
        "reversed": False,
        "source_transaction": params.get("source_transaction"),
        "source_type": params.get("source_type", "card"),
        "transfer_group": None,
    }


def _update(tx: Transaction, params: Params, object_id: str) -> StripeObject:
    transfer = retrieve(tx, TRANSFER, object_id)
    changes = dict(params)
    if "metadata" in changes:
        changes["metadata"] = merged(transfer["metadata"], changes["metadata"])
    previous = tx.change(transfer, **changes)
    if previous:
        events.emit(tx, "transfer.updated", transfer, previous)
    return transfer


OPERATIONS = (
    Operation("POST", PATH, _create, CREATE),
    paging.listing(TRANSFER, PATH, destination=text, transfer_group=text),
    retrieving(TRANSFER, PATH),
    Operation("POST", ONE, _update, UPDATE),
)
