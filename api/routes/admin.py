"""What operators do."""

from datetime import UTC, datetime
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from sqlalchemy import and_

from api import commands, spreadsheets
from api.admin_orders import ORDERS_HEAD, OrderFilters, order_cells
from api.bodies import AdminCancelBody
from api.dependencies import PagingDep, ServicesDep, order_of, visible_to
from api.errors import problems
from api.order_lists import orders_page
from api.permits import MayReadAllOrders, MayWriteAllOrders
from api.views import OrderOut, Page, StatusOut
from domain.order_status import Actor, OrderStatus
from schema.messages.order import OperatorCancel, Who
from schema.queries import admin_orders
from schema.queries.admin_orders import Line
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


@router.get(
    "/orders",
    responses=problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
async def list_orders(
    held: ServicesDep, who: MayReadAllOrders, paging: PagingDep, wanted: OrderFilters
) -> Page[OrderOut]:
    """List all orders, the newest first; `status` may be given several times, `begin` and `end` are
    days of placing. `late` are those that came later than was promised when they were placed, or
    have not come by then.
    """
    limits = admin_orders.limits(wanted, datetime.now(UTC))
    return await orders_page(held.database, and_(visible_to(who), *limits), paging, [])


@router.get("/orders.csv", response_class=StreamingResponse, responses=spreadsheets.ANSWERS)
async def export_orders(
    held: ServicesDep,
    who: MayReadAllOrders,  # noqa: ARG001 - for admins
    wanted: OrderFilters,
) -> StreamingResponse:
    """Export orders, with the filters of the list."""
    return await spreadsheets.answer(
        held.database,
        "orders.csv",
        ORDERS_HEAD,
        admin_orders.chosen(wanted, datetime.now(UTC)),
        lambda row: order_cells(Line(*row)),
    )


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
