"""The payments of a customer's orders, as he sees them."""

from uuid import UUID

import stripe

from api import stripe_events
from api.bodies import Body
from api.dependencies import Services
from api.engine import OrderClosed, Refused
from api.errors import Problem, conflict, not_found, unavailable
from api.examples import shown
from api.views import Moment
from domain.order_status import OrderStatus
from schema.messages.base import Message
from schema.messages.money import PaymentStatus
from schema.queries import payments
from schema.tables import Order, Payment

_ORDER = "0198c0de-0000-7000-8000-00000000000a"
_PAYMENT = {
    "id": "0198c0de-0000-7000-8000-0000000000c5",
    "orderId": _ORDER,
    "orderNumber": "RND-20260131-0001",
    "status": "open",
    "amountCents": 2660,
    "capturedCents": 0,
    "refundedCents": 0,
    "currency": "usd",
    "createdAt": "2026-01-31T18:00:00Z",
}


class PaymentBody(Body):
    """The order that is to be paid for."""

    model_config = shown({"orderId": _ORDER})

    order_id: UUID


class PaymentOut(Message):
    """A payment as it stands: `open` until the customer has confirmed it, `authorised` when the
    card is good for it, `captured` when it is charged, `released` when it is not charged any more.
    """

    model_config = shown(_PAYMENT)

    id: UUID
    order_id: UUID
    order_number: str
    status: PaymentStatus
    amount_cents: int
    captured_cents: int
    refunded_cents: int
    currency: str
    created_at: Moment


class PaymentIntentOut(PaymentOut):
    """A payment that waits for its customer, who confirms it with `clientSecret`."""

    model_config = shown({**_PAYMENT, "clientSecret": "pi_1_secret_2"})

    client_secret: str


async def show(held: Services, customer_id: UUID, payment_id: UUID) -> PaymentOut:
    """A customer's own payment. Raises Problem when he has no such one."""
    async with held.database.read() as session:
        found = await payments.of_customer(session, customer_id, payments.by_id(payment_id))
    if found is None:
        raise not_found("payment")
    return PaymentOut(**_values(*found))


async def intent(held: Services, customer_id: UUID, order_id: UUID) -> PaymentIntentOut:
    """What the customer of an unpaid order needs to pay for it, told again.

    Raises Problem when there is nothing to pay, and EngineBusy.
    """
    async with held.database.read() as session:
        found = await payments.of_customer(session, customer_id, payments.for_order(order_id))
    if found is None:
        raise not_found("order of yours that has a payment")
    payment, order = found
    if order.status is not OrderStatus.PENDING:
        raise _nothing_to_pay(order)
    try:
        placed = await held.engine.orders.placed(order_id)
    except (OrderClosed, Refused) as closed:
        raise _nothing_to_pay(order) from closed
    return PaymentIntentOut(**_values(payment, order), client_secret=placed.client_secret)


async def confirm(held: Services, customer_id: UUID, order_id: UUID) -> PaymentOut:
    """A payment, once Stripe was asked how it stands: its webhook may be late, or lost.

    Raises Problem when there is no such one, or Stripe does not answer, and EngineBusy.
    """
    async with held.database.read() as session:
        found = await payments.of_customer(session, customer_id, payments.for_order(order_id))
    if found is None:
        raise not_found("order of yours that has a payment")
    payment, order = found
    if order.status is OrderStatus.PENDING:
        try:
            intent = await held.stripe.intent(payment.stripe_payment_intent_id)
        except stripe.StripeError as error:
            raise unavailable("Stripe does not answer") from error
        await stripe_events.pass_on_payment(held, intent.to_dict())
    return await show(held, customer_id, payment.id)


def _nothing_to_pay(order: Order) -> Problem:
    return conflict(
        "nothing_to_pay", f"the order is {order.status}", currentStatus=order.status.value
    )


def _values(payment: Payment, order: Order) -> dict[str, object]:
    return {**payment.model_dump(), "order_number": order.order_number}
