"""Refunds: money given back, in whole or in parts, now or a little later."""

from local.stripe import (
    balance,
    charges,
    clock,
    disputes,
    events,
    money,
    paging,
    payment_methods,
    timers,
)
from local.stripe.cards import RefundOutcome
from local.stripe.errors import InvalidParameter, InvalidRequest
from local.stripe.operations import Operation, retrieving
from local.stripe.params import (
    Params,
    Spec,
    integer,
    merged,
    metadata,
    one_of,
    text,
)
from local.stripe.resources import (
    CHARGE,
    PAYMENT_INTENT,
    REFUND,
    retrieve,
)
from local.stripe.store import StripeObject, Transaction

PATH = "/v1/refunds"
ONE = f"{PATH}/{{object_id}}"

# How long a refund to one of the asynchronous test cards stays as it began.
SETTLES_AFTER_SECONDS = 5

CREATE: Spec = {
    "amount": integer(at_least=1),
    "charge": text,
    "metadata": metadata,
    "payment_intent": text,
    "reason": one_of("duplicate", "fraudulent", "requested_by_customer"),
}


def release(
    tx: Transaction, charge: StripeObject, amount: int, reason: str | None = None
) -> StripeObject:
    """Record that held money was let go: a refund that never touches the balance."""
    refund = _refund(charge, amount, reason) | {"status": "succeeded"}
    refund["destination_details"] = {"card": {"type": "reversal"}, "type": "card"}
    tx.insert(refund)
    events.emit(tx, "refund.created", refund)
    return refund


def settle(tx: Transaction, refund: StripeObject, outcome: RefundOutcome) -> None:
    """Decide how a refund ended; failing gives the money back to the balance."""
    timers.cancel(tx, timers.SETTLE_REFUND, refund["id"])
    if refund["status"] == outcome:
        return
    if refund["status"] == "failed":
        raise InvalidRequest(f"Refund {refund['id']} has already failed.")
    if outcome == "succeeded":
        refund.pop("pending_reason", None)
        previous = tx.change(refund, status="succeeded")
        _announce_update(tx, refund, previous)
    else:
        _fail(tx, refund)


def settle_as_due(tx: Transaction, refund_id: str) -> None:
    """Let a refund end as its test card wants it."""
    refund = retrieve(tx, REFUND, refund_id)
    charge = retrieve(tx, CHARGE, refund["charge"])
    _, outcome = payment_methods.card_of(tx, charge["payment_method"]).refund
    settle(tx, refund, outcome)


def of_charge(tx: Transaction, charge: StripeObject) -> StripeObject:
    """Return the list that `expand[]=refunds` adds to a charge."""
    return _list_of_charge(tx, {}, charge["id"])


def _create(tx: Transaction, params: Params) -> StripeObject:
    charge = _charge_to_refund(tx, params)
    amount = params.get("amount", charge["amount"] - charge["amount_refunded"])
    disputes.check_refundable(tx, charge)
    _check_amount(charge, amount)
    card = payment_methods.card_of(tx, charge["payment_method"])
    first, final = card.refund
    refund = _refund(charge, amount, params.get("reason")) | {
        "metadata": merged({}, params.get("metadata", {})),
        "status": first,
    }
    if first == "pending":
        refund["pending_reason"] = "processing"
    tx.insert(refund)
    booked = balance.record(
        tx,
        "refund",
        -amount,
        refund,
        available_on=charges.debited_on(tx, charge),
        description=f"REFUND FOR CHARGE ({charge['description']})",
    )
    tx.change(refund, balance_transaction=booked["id"])
    previous = charges.give_back(tx, charge, amount)
    events.emit(tx, "refund.created", refund)
    events.emit(tx, "charge.refunded", charge, previous)
    if first != final:
        due_at = clock.now() + SETTLES_AFTER_SECONDS
        timers.schedule(tx, timers.SETTLE_REFUND, refund["id"], due_at)
    return refund


def _list_of_charge(tx: Transaction, params: Params, object_id: str) -> StripeObject:
    retrieve(tx, CHARGE, object_id)
    url = f"/v1/charges/{object_id}/refunds"
    return paging.page(tx, REFUND, url, params, [paging.equals("charge", object_id)])


def _charge_to_refund(tx: Transaction, params: Params) -> StripeObject:
    if ("charge" in params) == ("payment_intent" in params):
        raise InvalidParameter(
            "One of the following params should be provided for this request: payment_intent or "
            "charge.",
            code="parameter_missing",
            param="payment_intent",
        )
    if "charge" in params:
        charge = retrieve(tx, CHARGE, params["charge"], param="charge")
        intent_id, charge_id = charge["payment_intent"], charge["id"]
    else:
        intent = retrieve(tx, PAYMENT_INTENT, params["payment_intent"], param="payment_intent")
        intent_id, charge_id = intent["id"], intent["latest_charge"]
    if charge_id is not None:
        charge = retrieve(tx, CHARGE, charge_id)
        if charge["source_transfer"] is not None:
            raise InvalidRequest(
                f"Charge {charge_id} was made by a transfer ({charge['source_transfer']}). Reverse "
                "the transfer instead.",
                param="charge",
            )
        if charge["paid"] and charge["captured"]:
            return charge
    raise InvalidRequest(
        f"This PaymentIntent ({intent_id}) does not have a successful charge to refund."
    )


def _check_amount(charge: StripeObject, amount: int) -> None:
    left = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        raise InvalidRequest(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    if amount > left:
        currency = charge["currency"]
        raise InvalidRequest(
            f"Refund amount ({money.spoken(amount, currency)}) is greater than unrefunded amount "
            f"on charge ({money.spoken(left, currency)})",
            param="amount",
        )


def _refund(charge: StripeObject, amount: int, reason: str | None) -> StripeObject:
    return {
        "id": REFUND.new_id(),
        "object": REFUND.name,
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": clock.now(),
        "currency": charge["currency"],
        "destination_details": {
            "card": {
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
            "type": "card",
        },
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending",
        "transfer_reversal": None,
    }


def _fail(tx: Transaction, refund: StripeObject) -> None:
    charge = retrieve(tx, CHARGE, refund["charge"])
    returned = balance.record(
        tx, "refund_failure", refund["amount"], refund, available_on=charges.debited_on(tx, charge)
    )
    refund.pop("pending_reason", None)
    previous = tx.change(
        refund,
        failure_balance_transaction=returned["id"],
        failure_reason="expired_or_canceled_card",
        status="failed",
    )
    _announce_update(tx, refund, previous)
    events.emit(tx, "refund.failed", refund)
    previous = charges.give_back(tx, charge, -refund["amount"])
    events.emit(tx, "charge.updated", charge, previous)


def _announce_update(tx: Transaction, refund: StripeObject, previous: StripeObject) -> None:
    events.emit(tx, "refund.updated", refund, previous)
    events.emit(tx, "charge.refund.updated", refund, previous)


def _update(tx: Transaction, params: Params, object_id: str) -> StripeObject:
    refund = retrieve(tx, REFUND, object_id)
    if "metadata" in params:
        entries = merged(refund["metadata"], params["metadata"])
        previous = tx.change(refund, metadata=entries)
        if previous:
            _announce_update(tx, refund, previous)
    return refund


def _cancel(tx: Transaction, _: Params, object_id: str) -> StripeObject:
    # Only refunds that wait for the customer can be cancelled, and refunds to cards never do.
    refund = retrieve(tx, REFUND, object_id)
    raise InvalidRequest(
        f"You cannot cancel a refund with status `{refund['status']}`. Only refunds with status "
        "`requires_action` can be canceled."
    )


OPERATIONS = (
    Operation("POST", PATH, _create, CREATE),
    paging.listing(REFUND, PATH, charge=text, payment_intent=text),
    retrieving(REFUND, PATH),
    Operation("POST", ONE, _update, {"metadata": metadata}),
    Operation("POST", f"{ONE}/cancel", _cancel),
    Operation("GET", "/v1/charges/{object_id}/refunds", _list_of_charge, paging.PAGE),
)
