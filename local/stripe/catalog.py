"""All there is: one line for each file that adds to the API."""

from local.stripe import (
    account_links,
    accounts,
    authorizations,
    balance,
    capabilities,
    charges,
    customers,
    disputes,
    events,
    payment_intents,
    payment_methods,
    payouts,
    refunds,
    timers,
    transfer_reversals,
    transfers,
    webhook_endpoints,
)
from local.stripe.expansion import Renderer

OPERATIONS = (
    *account_links.OPERATIONS,
    *accounts.OPERATIONS,
    *authorizations.OPERATIONS,
    *balance.OPERATIONS,
    *capabilities.OPERATIONS,
    *charges.OPERATIONS,
    *customers.OPERATIONS,
    *disputes.OPERATIONS,
    *events.OPERATIONS,
    *payment_intents.OPERATIONS,
    *payment_methods.OPERATIONS,
    *payouts.OPERATIONS,
    *refunds.OPERATIONS,
    *transfer_reversals.OPERATIONS,
    *transfers.OPERATIONS,
    *webhook_endpoints.OPERATIONS,
)

RENDERER = Renderer(
    present={
        "balance_transaction": balance.present,
        "dispute": disputes.present,
        "event": events.present,
    },
    lists={
        "charge": {"refunds": refunds.of_charge},
        "transfer": {"reversals": transfer_reversals.of_transfer},
    },
)

TIMER_ACTIONS = {
    timers.CLOSE_INQUIRY: disputes.close_inquiry,
    timers.DECIDE_DISPUTE: disputes.decide_as_due,
    timers.END_TIME_TO_RESPOND: disputes.end_time_to_respond,
    timers.EXPIRE_AUTHORIZATION: authorizations.expire,
    timers.SETTLE_PAYOUT: payouts.settle_as_due,
    timers.SETTLE_REFUND: refunds.settle_as_due,
}
