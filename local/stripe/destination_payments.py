"""Transfers as the account at the other end sees them: a payment that came, and went again."""

from local.stripe import balance, clock, contact
from local.stripe.resources import DESTINATION_PAYMENT, DESTINATION_REFUND, retrieve
from local.stripe.store import StripeObject, Transaction


def receive(tx: Transaction, transfer: StripeObject, available_on: int) -> StripeObject:
    """Credit the destination of a transfer with it."""
    payment = _payment(transfer)
    with tx.acting_for(transfer["destination"]):
        tx.insert(payment)
        booked = balance.record(
            tx, "payment", payment["amount"], payment, available_on=available_on
        )
        tx.change(payment, balance_transaction=booked["id"])
    return payment


def give_back(
    tx: Transaction, transfer: StripeObject, reversal: StripeObject, available_on: int
) -> StripeObject:
    """Debit the destination of a transfer with a reversal of it."""
    with tx.acting_for(transfer["destination"]):
        payment = retrieve(tx, DESTINATION_PAYMENT, transfer["destination_payment"])
        refund = _refund(payment, reversal)
        tx.insert(refund)
        booked = balance.record(
            tx, "payment_refund", -refund["amount"], refund, available_on=available_on
        )
        tx.change(refund, balance_transaction=booked["id"])
        refunded = payment["amount_refunded"] + refund["amount"]
        tx.change(payment, amount_refunded=refunded, refunded=refunded == payment["amount"])
    return refund


def _payment(transfer: StripeObject) -> StripeObject:
    return {
        "id": DESTINATION_PAYMENT.new_id(),
        "object": DESTINATION_PAYMENT.name,
        "amount": transfer["amount"],
        "amount_captured": transfer["amount"],
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": contact.billing_details(None),
        "calculated_statement_descriptor": None,
        "captured": True,
        "created": clock.now(),
        "currency": transfer["currency"],
        "customer": None,
        "description": None,
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": {},
        "on_behalf_of": None,
        "outcome": None,
        "paid": True,
        "payment_intent": None,
        "payment_method": None,
        "payment_method_details": {"stripe_account": {}, "type": "stripe_account"},
        "radar_options": {},
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source_transfer": transfer["id"],
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded",
        "transfer_data": None,
        "transfer_group": None,
    }


def _refund(payment: StripeObject, reversal: StripeObject) -> StripeObject:
    return {
        "id": DESTINATION_REFUND.new_id(),
        "object": DESTINATION_REFUND.name,
        "amount": reversal["amount"],
        "balance_transaction": None,
        "charge": payment["id"],
        "created": clock.now(),
        "currency": payment["currency"],
        "metadata": {},
        "payment_intent": None,
        "reason": None,
        "receipt_number": None,
        "source_transfer_reversal": reversal["id"],
        "status": "succeeded",
        "transfer_reversal": None,
    }
