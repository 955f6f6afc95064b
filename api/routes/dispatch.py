"""What operators see of dispatch, and what they do in its place."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from api import commands
from api import dispatch as views
from api.bodies import AssignBody
from api.dependencies import PagingDep, Services, ServicesDep, order_of
from api.dispatch import (
    LONGEST_HOLD,
    DispatchOut,
    HoldOrderBody,
    PreferBody,
    ReleaseOrderBody,
    UnassignBody,
)
from api.errors import Problem, conflict, invalid, problems
from api.permits import ActsOnDispatch, MayReadDispatch
from api.views import StatusOut
from domain.order_status import Actor, OrderStatus
from schema.messages.dispatch import OperatorAssign
from schema.messages.order import Command, Who
from schema.messages.overrides import Hold, Override, Prefer
from schema.queries import drivers, overrides, waiting
from schema.queries.order_views import Access
from schema.queries.overrides import Search
from workflows.order import OrderWorkflow

router = APIRouter(prefix="/admin", tags=["Dispatch"])

_CHANGES = problems(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


@router.get("/dispatch", responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN))
async def list_waiting(
    held: ServicesDep,
    who: MayReadDispatch,  # noqa: ARG001 - it is who may
    paging: PagingDep,
    zone: Annotated[str | None, Query(max_length=100, description="One zone only.")] = None,
) -> DispatchOut:
    """List the orders that look for a driver, the longest first: how long and how far around, what
    operators want, who is asked now. `zones` counts them.
    """
    now = datetime.now(UTC)
    async with held.database.read() as session:
        found, total = await waiting.page(session, zone, limit=paging.limit, offset=paging.offset)
        zones = await waiting.by_zone(session, zone, now)
    widening = held.settings.widening
    return DispatchOut(
        data=[views.waiting(one, widening, now) for one in found],
        page=paging.page,
        limit=paging.limit,
        total=total,
        zones=[views.zone(one, now) for one in zones],
    )


@router.post("/orders/{order_id}/assign", responses=_CHANGES)
async def assign_order(
    held: ServicesDep, who: ActsOnDispatch, order_id: UUID, body: AssignBody
) -> StatusOut:
    """Give an order that waits for a driver to one by hand; offers to others are withdrawn."""
    order = await order_of(held, order_id, who)
    async with held.database.read() as session:
        if not await drivers.may_deliver(session, body.driver_id, datetime.now(UTC).date()):
            raise _unknown_driver()
        # The order may come back to where it looks for a driver, and be given to the same again.
        since = await overrides.looking_since(session, order_id)
    return await commands.ask(
        held,
        order,
        OrderWorkflow.operator_assign,
        OperatorAssign(
            by=Who(role=Actor.ADMIN, id=who.user_id),
            driver_id=body.driver_id,
            reason=body.reason,
        ),
        to=OrderStatus.ASSIGNED_TO_DRIVER,
        by=Actor.ADMIN,
        key=f"{body.driver_id}:{since}",
    )


@router.post("/orders/{order_id}/unassign", responses=_CHANGES)
async def unassign_order(
    held: ServicesDep, who: ActsOnDispatch, order_id: UUID, body: UnassignBody
) -> StatusOut:
    """Take an order from the driver who has not picked it up yet; others are asked, he is not."""
    order = await order_of(held, order_id, who)
    async with held.database.read() as session:
        assignment = await drivers.latest_taken(session, order_id)
    return await commands.ask(
        held,
        order,
        OrderWorkflow.operator_unassign,
        Command(by=Who(role=Actor.ADMIN, id=who.user_id), reason=body.reason),
        to=OrderStatus.READY_FOR_PICKUP,
        by=Actor.ADMIN,
        key=str(assignment),
    )


@router.post("/orders/{order_id}/hold", responses=_CHANGES)
async def hold_order(
    held: ServicesDep, who: ActsOnDispatch, order_id: UUID, body: HoldOrderBody
) -> StatusOut:
    """Ask no driver for an order for a while, nor give it up; an offer that waits is withdrawn. It
    goes on by itself when the time is over.
    """
    now = datetime.now(UTC)
    if body.until is not None and not now < body.until <= now + LONGEST_HOLD:
        raise invalid("until", "not_within_a_day", "a hold ends within a day from now")
    return await _override(
        held,
        await order_of(held, order_id, who),
        OrderWorkflow.operator_hold,
        lambda key: Hold(
            admin_id=who.user_id,
            key=key,
            reason=body.reason,
            until=body.until,
            lasts=timedelta(minutes=body.minutes or 0) / held.settings.pace,
        ),
        stands=lambda search: search.held_until is not None and search.held_until > now,
    )


@router.post("/orders/{order_id}/release", responses=_CHANGES)
async def release_order(
    held: ServicesDep, who: ActsOnDispatch, order_id: UUID, body: ReleaseOrderBody
) -> StatusOut:
    """Ask drivers again for an order that was held."""
    now = datetime.now(UTC)
    return await _override(
        held,
        await order_of(held, order_id, who),
        OrderWorkflow.operator_release,
        lambda key: Override(admin_id=who.user_id, key=key, reason=body.reason),
        stands=lambda search: search.held_until is None or search.held_until <= now,
    )


@router.post("/orders/{order_id}/prefer", responses=_CHANGES)
async def prefer_driver(
    held: ServicesDep, who: ActsOnDispatch, order_id: UUID, body: PreferBody
) -> StatusOut:
    """Have one driver asked for an order before all others; if he does not want it, everybody is.
    Without a driver nobody is preferred any more.
    """
    if body.driver_id is not None:
        async with held.database.read() as session:
            if not await drivers.may_deliver(session, body.driver_id, datetime.now(UTC).date()):
                raise _unknown_driver()
            if await overrides.has_left_it(session, order_id, body.driver_id):
                raise conflict(
                    "left_by_driver", "this driver has declined the order, or given it back"
                )
    return await _override(
        held,
        await order_of(held, order_id, who),
        OrderWorkflow.operator_prefer,
        lambda key: Prefer(
            admin_id=who.user_id, key=key, reason=body.reason, driver_id=body.driver_id
        ),
        stands=lambda search: search.preferred_driver_id == body.driver_id,
    )


async def _override(
    held: Services,
    order: Access,
    update: Any,
    request: Callable[[str], Override],
    *,
    stands: Callable[[Search], bool],
) -> StatusOut:
    """Have an order's search changed by hand; `request` is made for a key.

    The same request again is the same as long as what it wanted `stands`, and a new one after that.
    """
    wanted = sha256(request("").model_dump_json().encode()).hexdigest()[:16]
    name = f"{order.order_id}:{update.__name__}:{wanted}"
    async with held.database.read() as session:
        search = await overrides.search_of(session, order.order_id)
    if search is None:
        raise conflict(
            "not_looking_for_a_driver",
            "the order is not looking for a driver",
            currentStatus=order.status,
        )
    latest = search.latest_key or ""
    key = latest if latest.startswith(name) and stands(search) else f"{name}:{search.changes}"
    return await commands.ask(
        held,
        order,
        update,
        request(key),
        to=OrderStatus.ASSIGNED_TO_DRIVER,
        by=Actor.ADMIN,
        key=key,
    )


def _unknown_driver() -> Problem:
    return invalid("driverId", "unknown_driver", "there is no such driver who may deliver")
