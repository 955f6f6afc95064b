"""Disputes: a card's holder complains, and the bank takes the money back, or asks first.

A dispute takes the money as it begins and gives it back if it is won. An inquiry, whose statuses
begin with `warning_`, moves no money unless the bank escalates it to a dispute.
"""

from typing import Literal, TypeAlias

from local.stripe import (
    balance,
    charges,
    clock,
    events,
    evidence,
    paging,
    payment_methods,
    timers,
)
from local.stripe.cards import Complaint
from local.stripe.errors import InvalidRequest
from local.stripe.evidence import Outcome
from local.stripe.operations import Operation, retrieving
from local.stripe.params import Params, Spec, boolean, mapping, merged, metadata, text
from local.stripe.resources import CHARGE, DISPUTE, retrieve
from local.stripe.store import Json, StripeObject, Transaction

PATH = "/v1/disputes"
ONE = f"{PATH}/{{object_id}}"

Reason: TypeAlias = Literal[
    "credit_not_processed",
    "duplicate",
    "fraudulent",
    "general",
    "product_not_received",
    "product_unacceptable",
    "subscription_canceled",
    "unrecognized",
]

# Visa's own codes; other networks have theirs, and for some reasons there is none.
VISA_CODES = {
    "credit_not_processed": "13.6",
    "duplicate": "12.6.1",
    "fraudulent": "10.4",
    "product_not_received": "13.1",
    "product_unacceptable": "13.3",
    "subscription_canceled": "13.2",
}

# What Stripe keeps of every dispute, won or lost.
FEE = 1500

# The day, counted from today, at whose end in UTC the evidence is due.
RESPONSE_DAYS = 8
# An inquiry that the bank has not escalated by then is over.
INQUIRY_SECONDS = 120 * clock.DAY
# How long a bank takes to decide as the evidence wants it to in test mode.
REVIEW_SECONDS = 5

AWAITING_RESPONSE = ("needs_response", "warning_needs_response")
CLOSED = ("won", "lost", "warning_closed")
# How a dispute ends that leaves the charge's money where it was.
MONEY_IS_BACK = ("won", "warning_closed")
TIMERS = (timers.CLOSE_INQUIRY, timers.DECIDE_DISPUTE, timers.END_TIME_TO_RESPOND)

UPDATE: Spec = {"evidence": mapping(evidence.FIELDS), "metadata": metadata, "submit": boolean}


def follow(tx: Transaction, charge: StripeObject) -> None:
    """Begin the dispute that a test card has in store for a charge that took its money."""
    complaint = payment_methods.card_of(tx, charge["payment_method"]).complaint
    if complaint is not None:
        begin(tx, charge, complaint)


def begin(
    tx: Transaction, charge: StripeObject, complaint: Complaint, amount: int | None = None
) -> StripeObject:
    """Dispute `amount` cents of a charge, or all that was not refunded."""
    disputed = charge["amount"] - charge["amount_refunded"] if amount is None else amount
    _check_disputable(tx, charge, disputed)
    dispute = _dispute(charge, complaint, disputed)
    tx.insert(dispute)
    tx.change(charge, disputed=True)
    if complaint.inquiry:
        events.emit(tx, "charge.dispute.created", dispute)
        timers.schedule(
            tx, timers.CLOSE_INQUIRY, dispute["id"], dispute["created"] + INQUIRY_SECONDS
        )
    else:
        tx.change(dispute, balance_transactions=[_withdraw(tx, dispute)])
        events.emit(tx, "charge.dispute.created", dispute)
        events.emit(tx, "charge.dispute.funds_withdrawn", dispute)
    due_by = dispute["evidence_details"]["due_by"]
    timers.schedule(tx, timers.END_TIME_TO_RESPOND, dispute["id"], due_by)
    return dispute


def decide(tx: Transaction, dispute: StripeObject, outcome: Outcome) -> None:
    """End a dispute as the bank wants it; an inquiry ends without a winner."""
    _check_open(dispute)
    if outcome == "escalated":
        _escalate(tx, dispute)
    elif _is_inquiry(dispute):
        _close(tx, dispute, status="warning_closed")
    elif outcome == "lost":
        _close(tx, dispute, status="lost")
    else:
        booked = [*dispute["balance_transactions"], _reinstate(tx, dispute)]
        _close(
            tx,
            dispute,
            "charge.dispute.funds_reinstated",
            balance_transactions=booked,
            is_charge_refundable=True,
            status="won",
        )


def decide_as_due(tx: Transaction, dispute_id: str) -> None:
    """Decide as the evidence wants it."""
    dispute = retrieve(tx, DISPUTE, dispute_id)
    outcome = _wanted(dispute)
    if outcome is not None:
        decide(tx, dispute, outcome)


def end_time_to_respond(tx: Transaction, dispute_id: str) -> None:
    """Take silence for an answer: a dispute is lost, an inquiry just cannot be answered later."""
    dispute = retrieve(tx, DISPUTE, dispute_id)
    if dispute["status"] not in AWAITING_RESPONSE:
        return
    details = dispute["evidence_details"] | {"past_due": True}
    if _is_inquiry(dispute):
        previous = tx.change(dispute, evidence_details=details)
        events.emit(tx, "charge.dispute.updated", dispute, previous)
    else:
        _close(tx, dispute, evidence_details=details, status="lost")


def close_inquiry(tx: Transaction, dispute_id: str) -> None:
    """End an inquiry that the bank let rest."""
    dispute = retrieve(tx, DISPUTE, dispute_id)
    if _is_inquiry(dispute) and dispute["status"] not in CLOSED:
        _close(tx, dispute, status="warning_closed")


def check_refundable(tx: Transaction, charge: StripeObject) -> None:
    """Refuse to refund a charge whose money the bank has taken back."""
    if not all(dispute["is_charge_refundable"] for dispute in _of_charge(tx, charge)):
        raise InvalidRequest(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )


def present(tx: Transaction, dispute: StripeObject) -> StripeObject:
    """Return a dispute as it is now: the money it moved may have become available."""
    booked = [balance.present(tx, entry) for entry in dispute["balance_transactions"]]
    return dispute | {"balance_transactions": booked}


def _of_charge(tx: Transaction, charge: StripeObject) -> list[StripeObject]:
    return tx.select(
        "object = ? AND json_extract(body, '$.charge') = ?", DISPUTE.name, charge["id"]
    )


def _check_disputable(tx: Transaction, charge: StripeObject, amount: int) -> None:
    if not charge["captured"]:
        raise InvalidRequest(f"Charge {charge['id']} took no money.")
    if not 0 < amount <= charge["amount_captured"]:
        raise InvalidRequest(
            f"Charge {charge['id']} took {charge['amount_captured']}, of which {amount} cannot be "
            "disputed.",
            param="amount",
        )
    if any(dispute["status"] not in MONEY_IS_BACK for dispute in _of_charge(tx, charge)):
        raise InvalidRequest(f"Charge {charge['id']} is disputed already.")


def _dispute(charge: StripeObject, complaint: Complaint, amount: int) -> StripeObject:
    return {
        "id": DISPUTE.new_id(),
        "object": DISPUTE.name,
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": clock.now(),
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": evidence.blank(),
        "evidence_details": {
            "due_by": _due_by(),
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": complaint.inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": _case(
                charge["payment_method_details"]["card"]["brand"],
                complaint.reason,
                inquiry=complaint.inquiry,
            ),
            "type": "card",
        },
        "reason": complaint.reason,
        "status": "warning_needs_response" if complaint.inquiry else "needs_response",
    }


def _due_by() -> int:
    return (clock.now() // clock.DAY + RESPONSE_DAYS + 1) * clock.DAY - 1


def _case(brand: str, reason: str, *, inquiry: bool) -> StripeObject:
    code = VISA_CODES.get(reason) if brand == "visa" else None
    if code is not None and inquiry:
        # Visa asks by the family of reasons, and disputes by one of them.
        code = code.partition(".")[0]
    return {
        "brand": brand,
        "case_type": "inquiry" if inquiry else "chargeback",
        "network": brand,
        "network_reason_code": code,
    }


def _is_inquiry(dispute: StripeObject) -> bool:
    return str(dispute["status"]).startswith("warning_")


def _check_open(dispute: StripeObject) -> None:
    if dispute["status"] in CLOSED:
        raise InvalidRequest("This dispute is already closed")


def _withdraw(tx: Transaction, dispute: StripeObject) -> StripeObject:
    return balance.record(
        tx,
        "adjustment",
        -dispute["amount"],
        dispute,
        available_on=charges.debited_on(tx, retrieve(tx, CHARGE, dispute["charge"])),
        fee=FEE,
        fee_description="Dispute fee",
        description=f"Chargeback withdrawal for {dispute['charge']}",
        category="dispute",
    )


def _reinstate(tx: Transaction, dispute: StripeObject) -> StripeObject:
    return balance.record(
        tx,
        "adjustment",
        dispute["amount"],
        dispute,
        available_on=charges.debited_on(tx, retrieve(tx, CHARGE, dispute["charge"])),
        description=f"Chargeback reversal for {dispute['charge']}",
        category="dispute_reversal",
    )


def _escalate(tx: Transaction, dispute: StripeObject) -> None:
    if not _is_inquiry(dispute):
        raise InvalidRequest(f"Dispute {dispute['id']} is no inquiry.")
    _cancel_timers(tx, dispute)
    due_by = _due_by()
    details = dispute["payment_method_details"]
    previous = tx.change(
        dispute,
        balance_transactions=[_withdraw(tx, dispute)],
        evidence_details=dispute["evidence_details"] | {"due_by": due_by, "past_due": False},
        is_charge_refundable=False,
        payment_method_details=details
        | {"card": _case(details["card"]["brand"], dispute["reason"], inquiry=False)},
        status="needs_response",
    )
    timers.schedule(tx, timers.END_TIME_TO_RESPOND, dispute["id"], due_by)
    events.emit(tx, "charge.dispute.updated", dispute, previous)
    events.emit(tx, "charge.dispute.funds_withdrawn", dispute, previous)


def _close(tx: Transaction, dispute: StripeObject, *announced: str, **changes: Json) -> None:
    """End a dispute, announcing some events besides the end."""
    _cancel_timers(tx, dispute)
    previous = tx.change(dispute, **changes)
    for event_type in (*announced, "charge.dispute.closed"):
        events.emit(tx, event_type, dispute, previous)


def _cancel_timers(tx: Transaction, dispute: StripeObject) -> None:
    for action in TIMERS:
        timers.cancel(tx, action, dispute["id"])


def _wanted(dispute: StripeObject) -> Outcome | None:
    """Return the outcome that submitted evidence asks for, if it can be had."""
    said = dispute["evidence"]["uncategorized_text"]
    outcome = evidence.OUTCOMES.get(said)
    return None if outcome == "escalated" and not _is_inquiry(dispute) else outcome


def _update(tx: Transaction, params: Params, object_id: str) -> StripeObject:
    dispute = retrieve(tx, DISPUTE, object_id)
    _check_open(dispute)
    changes: Params = {}
    if "metadata" in params:
        changes["metadata"] = merged(dispute["metadata"], params["metadata"])
    # To give evidence is to submit it, unless it is said to be a draft.
    submit = params.get("submit", "evidence" in params)
    if submit or "evidence" in params:
        changes |= _response(dispute, params.get("evidence", {}), submit=submit)
    previous = tx.change(dispute, **changes)
    if previous:
        events.emit(tx, "charge.dispute.updated", dispute, previous)
    if submit and _wanted(dispute) is not None:
        timers.schedule(tx, timers.DECIDE_DISPUTE, dispute["id"], clock.now() + REVIEW_SECONDS)
    return dispute


def _response(dispute: StripeObject, given: Params, *, submit: bool) -> StripeObject:
    """Return the fields that evidence changes."""
    details = dispute["evidence_details"]
    if dispute["status"] not in AWAITING_RESPONSE or details["past_due"]:
        raise InvalidRequest(
            "You cannot submit evidence for this dispute: it was submitted before, or its time is "
            "over."
        )
    collected = evidence.added(dispute["evidence"], given)
    details = details | {"has_evidence": evidence.is_there(collected)}
    changes: StripeObject = {"evidence": collected, "evidence_details": details}
    if submit:
        if not details["has_evidence"]:
            raise InvalidRequest("There is no evidence to submit.", param="evidence")
        details["submission_count"] += 1
        changes["status"] = str(dispute["status"]).replace("needs_response", "under_review")
    return changes


def _concede(tx: Transaction, _: Params, object_id: str) -> StripeObject:
    dispute = retrieve(tx, DISPUTE, object_id)
    decide(tx, dispute, "lost")
    return dispute


OPERATIONS = (
    paging.listing(DISPUTE, PATH, charge=text, payment_intent=text),
    retrieving(DISPUTE, PATH),
    Operation("POST", ONE, _update, UPDATE),
    Operation("POST", f"{ONE}/close", _concede),
)
