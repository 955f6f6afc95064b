"""All there is: one line for each file that adds to the API."""

from local.stripe import (
    account,
    authorizations,
    balance,
    charges,
    customers,
    events,
    payment_intents,
    payment_methods,
    refunds,
    timers,
    webhook_endpoints,
)
from local.stripe.expansion import Renderer

OPERATIONS = (
    *account.OPERATIONS,
    *authorizations.OPERATIONS,
    *balance.OPERATIONS,
    *charges.OPERATIONS,
    *customers.OPERATIONS,
    *events.OPERATIONS,
    *payment_intents.OPERATIONS,
    *payment_methods.OPERATIONS,
    *refunds.OPERATIONS,
    *webhook_endpoints.OPERATIONS,
)

RENDERER = Renderer(
    present={"balance_transaction": balance.present, "event": events.present},
    lists={"charge": {"refunds": refunds.of_charge}},
)

TIMER_ACTIONS = {
    timers.EXPIRE_AUTHORIZATION: authorizations.expire,
    timers.SETTLE_REFUND: refunds.settle_as_due,
}
