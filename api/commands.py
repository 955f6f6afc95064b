"""Asking an order's workflow for something on a caller's behalf."""

from typing import Any

from api import views
from api.dependencies import Services
from api.engine import OrderClosed
from api.errors import not_found
from api.views import StatusOut
from domain.order_status import ENDED, Actor, IllegalTransition, OrderStatus
from schema.messages.base import Message
from schema.queries import order_views
from schema.queries.order_views import Access


async def ask(
    held: Services,
    order: Access,
    update: Any,
    request: Message,
    *,
    to: OrderStatus,
    by: Actor,
    key: str,
) -> StatusOut:
    """Have the workflow take an order to `to`. The same `key` gets the same answer.

    A run that ended before its order did, terminated say, is taken up again. Raises Refused,
    EngineBusy, and IllegalTransition when the order has ended.
    """
    update_id = f"{update.__name__}:{key}"
    try:
        return views.status(await held.engine.orders.ask(order, update, request, key=update_id))
    except OrderClosed as closed:
        async with held.database.read() as session:
            now = await order_views.access(session, order.order_id)
        if now is None:
            raise not_found("order") from closed
        if now.status in ENDED:
            raise IllegalTransition(now.status, to, by) from closed
    await held.engine.orders.take_up(order.order_id)
    return views.status(await held.engine.orders.ask(now, update, request, key=update_id))
