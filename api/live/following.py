"""Following an order: hearing of it from now on, and what was missed of it."""

from http import HTTPStatus

from api.errors import Problem
from api.live.session import Session
from domain.live import Happening
from domain.order_status import Actor, OrderStatus
from domain.tracking import is_shown
from schema.messages.live import Missed, Told
from schema.queries.order_views import Access


async def follow(session: Session, order: Access, after: int | None) -> Missed:
    """Have a client hear of an order that is its business; what it has missed since a number, which
    it is to be given before anything else is waited for.

    Where the driver was, nobody is told who may not see where he is. Raises Problem where the
    client follows as many orders as it may.
    """
    orders = session.orders
    if order.order_id not in orders and len(orders) >= session.most_orders:
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too_many_orders",
            f"a connection follows {session.most_orders} orders at most",
        )
    missed = await session.held.hub.subscribe(session, order.order_id, after)
    told = [one for one in missed.told if _may_be_told(session, one, order.status)]
    return missed.model_copy(update={"told": told})


def _may_be_told(session: Session, told: Told, status: OrderStatus) -> bool:
    is_position = told.event.happening is Happening.POSITION
    return not is_position or is_shown(Actor(session.role.value), status)
