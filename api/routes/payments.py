"""What customers pay with. A payment is made with its order, and confirmed with Stripe's SDK."""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter

from api import payments
from api.dependencies import ServicesDep
from api.errors import problems
from api.payments import PaymentBody, PaymentIntentOut, PaymentOut
from api.permits import MayListOrders, MayWriteOrders

router = APIRouter(prefix="/payments", tags=["Payments"])

_READS = problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)


@router.post(
    "/intent", responses=_READS | problems(HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE)
)
async def get_intent(held: ServicesDep, who: MayWriteOrders, body: PaymentBody) -> PaymentIntentOut:
    """Get the `clientSecret` of an order that is not paid for yet again: the same payment, however
    often it is asked for. `nothing_to_pay` (409) when the order is paid for, or over.
    """
    return await payments.intent(held, who.user_id, body.order_id)


@router.post("/confirm", responses=_READS | problems(HTTPStatus.SERVICE_UNAVAILABLE))
async def confirm_payment(held: ServicesDep, who: MayWriteOrders, body: PaymentBody) -> PaymentOut:
    """Have Stripe asked how the payment of an order stands, after its customer has confirmed it
    with Stripe's SDK: the order goes on though Stripe's own word is late. It may be sent at any
    time, and again; the order follows within a moment.
    """
    return await payments.confirm(held, who.user_id, body.order_id)


@router.get("/{payment_id}", responses=_READS)
async def get_payment(held: ServicesDep, who: MayListOrders, payment_id: UUID) -> PaymentOut:
    """Look at a payment of one's own: how it stands, what was charged, what was given back."""
    return await payments.show(held, who.user_id, payment_id)
