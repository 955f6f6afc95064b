"""What chefs do."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api import commands, prep_times
from api.bodies import ChefStatusBody
from api.dependencies import PagingDep, ServicesDep, order_of, visible_to
from api.errors import problems
from api.order_lists import orders_page
from api.permits import MayCook, MayReadKitchen
from api.prep_times import Forecast
from api.views import OrderOut, Page, StatusOut
from domain.order_status import Actor, OrderStatus
from schema.messages.order import ReadyIn, Who
from workflows.order import OrderWorkflow

router = APIRouter(prefix="/chef", tags=["Chef"])

# What a chef says, the update that asks for it, and where it takes the order.
_COMMANDS = {
    "accepted": (OrderWorkflow.accept, OrderStatus.ACCEPTED),
    "rejected": (OrderWorkflow.reject, OrderStatus.CANCELLED),
    "preparing": (OrderWorkflow.start, OrderStatus.PREPARING),
    "ready_for_pickup": (OrderWorkflow.ready, OrderStatus.READY_FOR_PICKUP),
    "cancelled": (OrderWorkflow.cancel, OrderStatus.CANCELLED),
}

# What is to be expected of the food at such a step.
_EXPECTED = {
    OrderStatus.ACCEPTED: prep_times.at_acceptance,
    OrderStatus.PREPARING: prep_times.at_start,
}


@router.get("/orders", responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN))
async def list_orders(
    held: ServicesDep,
    who: MayReadKitchen,
    paging: PagingDep,
    status: Annotated[list[OrderStatus] | None, Query()] = None,
) -> Page[OrderOut]:
    """List the orders of the caller's kitchen that were paid for, the newest first."""
    return await orders_page(held.database, visible_to(who), paging, status or [])


@router.put(
    "/orders/{order_id}/status",
    responses=problems(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
)
async def set_status(
    held: ServicesDep, who: MayCook, order_id: UUID, body: ChefStatusBody
) -> StatusOut:
    """Take an order on (`accepted`, perhaps with `readyInMinutes`), refuse it (`rejected`), begin
    to cook (`preparing`), have it ready (`ready_for_pickup`), or give it up (`cancelled`).
    """
    order = await order_of(held, order_id, who)
    update, to = _COMMANDS[body.status]
    expected = _EXPECTED.get(to)
    forecast = await expected(held, order_id, body.ready_in_minutes) if expected else Forecast()
    return await commands.ask(
        held,
        order,
        update,
        ReadyIn(
            by=Who(role=Actor.CHEF, id=who.user_id),
            reason=body.reason,
            ready_in_minutes=body.ready_in_minutes,
            expected_minutes=forecast.minutes,
            kitchen_load=forecast.load,
        ),
        to=to,
        by=Actor.CHEF,
        # Another promise is another request, and has to be refused if it comes too late.
        key=f"{who.user_id}:{body.ready_in_minutes}",
    )
