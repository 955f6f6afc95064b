"""What operators do."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api import commands
from api.bodies import AdminCancelBody
from api.dependencies import PagingDep, ServicesDep, order_of, visible_to
from api.errors import problems
from api.order_lists import orders_page
from api.permits import MayReadAllOrders, MayWriteAllOrders
from api.views import OrderOut, Page, StatusOut
from domain.order_status import Actor, OrderStatus
from schema.messages.order import OperatorCancel, Who
from workflows.order import OrderWorkflow

router = APIRouter(prefix="/admin", tags=["Admin"])

_CHANGES = problems(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


@router.get("/orders", responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN))
async def list_orders(
    held: ServicesDep,
    who: MayReadAllOrders,
    paging: PagingDep,
    status: Annotated[list[OrderStatus] | None, Query()] = None,
) -> Page[OrderOut]:
    """List all orders, the newest first; `status` may be given several times."""
    return await orders_page(held.database, visible_to(who), paging, status or [])


@router.post("/orders/{order_id}/cancel", responses=_CHANGES)
async def cancel_order(
    held: ServicesDep, who: MayWriteAllOrders, order_id: UUID, body: AdminCancelBody
) -> StatusOut:
    """End an order. The customer pays only what is his own fault; whoever did his work and is not
    at fault is paid.
    """
    order = await order_of(held, order_id, who)
    return await commands.ask(
        held,
        order,
        OrderWorkflow.operator_cancel,
        OperatorCancel(
            by=Who(role=Actor.ADMIN, id=who.user_id), reason=body.reason, fault=body.fault
        ),
        to=OrderStatus.CANCELLED,
        by=Actor.ADMIN,
        key=str(who.user_id),
    )
