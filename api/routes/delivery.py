"""What drivers do."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy.ext.asyncio import AsyncSession

from api import commands, proofs, views
from api.auth import Principal
from api.bodies import (
    DeclineBody,
    DeliveryStatusBody,
    DriverAvailabilityBody,
)
from api.dependencies import (
    PagingDep,
    Services,
    ServicesDep,
    order_of,
    visible_to,
)
from api.driver_lookup import driver_of
from api.driver_positions import taken_in
from api.errors import Problem, conflict, not_found, problems
from api.order_lists import orders_page
from api.permits import MayDeliver, MayReadDeliveries
from api.views import OfferOut, OrderOut, Page, StatusOut
from api.whereabouts import LocationBody, LocationOut
from domain.order_status import Actor, OrderStatus
from domain.verification import Verification
from schema.messages.dispatch import Delivery, DriverCommand, DriverNews, OfferAnswer
from schema.messages.order import Who
from schema.queries import driver_profiles, drivers, order_views, searches, shifts
from schema.queries.drivers import Offered
from schema.queries.order_views import Access
from workflows.order import OrderWorkflow

router = APIRouter(prefix="/delivery", tags=["Delivery"])

_COMMANDS = {
    OrderStatus.PICKED_UP: OrderWorkflow.pick_up,
    OrderStatus.IN_TRANSIT: OrderWorkflow.in_transit,
    OrderStatus.READY_FOR_PICKUP: OrderWorkflow.drop_out,
}

_CHANGES = problems(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


@router.put(
    "/availability",
    responses=problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT
    ),
)
async def set_availability(
    held: ServicesDep, who: MayDeliver, body: DriverAvailabilityBody
) -> DriverAvailabilityBody:
    """Go on duty, so as to be offered orders, or off duty. On duty goes who is verified and whose
    documents have not expired.
    """
    driver_id = await driver_of(held, who)
    if body.is_available:
        await _go_on_duty(held, driver_id)
        return body
    async with held.database.write() as session:
        await drivers.go_off_duty(session, driver_id)
    await held.positions.forget(driver_id)
    return body


@router.post(
    "/location",
    responses=problems(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
)
async def post_location(held: ServicesDep, who: MayDeliver, body: LocationBody) -> LocationOut:
    """Say where the driver is, or was since he said so last. What cannot be is refused, the rest is
    used. Near the door of an order in hand, its customer is told so.
    """
    return await taken_in(held, who.user_id, body)


@router.get("/offers", responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN))
async def list_offers(held: ServicesDep, who: MayReadDeliveries) -> list[OfferOut]:
    """See what is offered to the caller now; each offer is open for 30 seconds, and may hold
    several orders.
    """
    async with held.database.read() as session:
        return [views.offer(made) for made in await drivers.live_offers(session, who.user_id)]


@router.post("/offers/{offer_id}/accept", responses=_CHANGES)
async def accept_offer(held: ServicesDep, who: MayDeliver, offer_id: UUID) -> StatusOut:
    """Take what is offered, all of it; it may still be cooking. Answers with the first order."""
    offered = await _offered(held, who, offer_id)
    first = next((one for one in offered if one.is_live), offered[0])
    async with held.database.read() as session:
        order = await order_views.access(session, first.order_id)
    if order is None:
        raise not_found("offer")
    answer = await commands.ask(
        held,
        order,
        OrderWorkflow.accept_offer,
        OfferAnswer(
            by=Who(role=Actor.DRIVER, id=who.user_id),
            offer_id=offer_id,
            driver_id=first.driver_id,
            pickup_at=first.pickup_at,
            delivery_at=first.delivery_at,
        ),
        to=OrderStatus.ASSIGNED_TO_DRIVER,
        by=Actor.DRIVER,
        key=str(offer_id),
    )
    news = DriverNews(driver_id=first.driver_id)
    for other in offered:
        # Should this never happen, their zone tells them.
        if other.is_live and other is not first:
            await held.engine.orders.tell(other.order_id, OrderWorkflow.driver_found, news)
    return answer


@router.post("/offers/{offer_id}/decline", responses=_CHANGES)
async def decline_offer(
    held: ServicesDep, who: MayDeliver, offer_id: UUID, body: DeclineBody
) -> StatusOut:
    """Leave what is offered to others, all of it; it will not be offered to the caller again."""
    first, *_ = await _offered(held, who, offer_id)
    async with held.database.read() as session:
        zones = await searches.zones_of(session, first.order_id)
    if not zones:
        raise not_found("offer")
    declined = await held.engine.zones.decline(
        zones[0],
        OfferAnswer(
            by=Who(role=Actor.DRIVER, id=who.user_id),
            offer_id=offer_id,
            driver_id=first.driver_id,
            reason=body.reason,
        ),
    )
    return views.status(declined.view)


@router.get("/orders", responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN))
async def list_orders(
    held: ServicesDep,
    who: MayReadDeliveries,
    paging: PagingDep,
    status: Annotated[list[OrderStatus] | None, Query()] = None,
) -> Page[OrderOut]:
    """List the orders that the caller has, or has delivered, the newest first."""
    return await orders_page(held.database, visible_to(who), paging, status or [])


@router.put("/orders/{order_id}", responses=_CHANGES)
async def set_status(
    held: ServicesDep, who: MayDeliver, order_id: UUID, body: DeliveryStatusBody
) -> StatusOut:
    """Say how far an order is: `picked_up`, `in_transit`, `delivered` (with the proof that it asks
    for), or give it back before picking it up (`ready_for_pickup`). A 409 `wrong_code` says how
    many `attemptsLeft` there are, `proof_required` which proof is `required`: after five wrong
    codes, a photo.
    """
    driver_id, by = await driver_of(held, who), Who(role=Actor.DRIVER, id=who.user_id)
    to = OrderStatus(body.status)
    if to is OrderStatus.READY_FOR_PICKUP:
        order, key = await _given_back(held, order_id, driver_id)
    else:
        order, key = await order_of(held, order_id, who), str(who.user_id)
    if to is OrderStatus.DELIVERED:
        proof = await proofs.shown(held, order, driver_id, body.proof)
        return await commands.ask(
            held,
            order,
            OrderWorkflow.deliver,
            Delivery(by=by, driver_id=driver_id, proof=proof),
            to=to,
            by=Actor.DRIVER,
            key=key,
        )
    return await commands.ask(
        held,
        order,
        _COMMANDS[to],
        DriverCommand(by=by, driver_id=driver_id, reason=body.reason),
        to=to,
        by=Actor.DRIVER,
        key=key,
    )


async def _go_on_duty(held: Services, driver_id: UUID) -> None:
    now = datetime.now(UTC)
    async with held.database.write() as session:
        if held.settings.drivers_need_shift and not await shifts.shift_ends(
            session, [driver_id], now
        ):
            raise conflict("not_on_shift", "you are in none of your shifts")
        if not await drivers.go_on_duty(session, driver_id, now):
            raise await _may_not(session, driver_id)


async def _may_not(session: AsyncSession, driver_id: UUID) -> Problem:
    found = await driver_profiles.profile(session, driver_id)
    if found is None:
        return not_found("driver profile of yours")
    status = found.driver.verification_status
    if status is Verification.APPROVED:
        return conflict("documents_expired", "a document that you must show has expired")
    return conflict(
        "driver_not_verified", f"you cannot deliver: you are {status}", verificationStatus=status
    )


async def _given_back(held: Services, order_id: UUID, driver_id: UUID) -> tuple[Access, str]:
    """The order that a driver gives back, or gave back before, and which time it is."""
    async with held.database.read() as session:
        order = await order_views.access(session, order_id)
        assignment = await drivers.latest_assignment(session, order_id, driver_id)
    if order is None or assignment is None:
        raise not_found("order")
    return order, str(assignment)


async def _offered(held: Services, who: Principal, offer_id: UUID) -> list[Offered]:
    async with held.database.read() as session:
        offered = await drivers.offered_orders(session, offer_id, who.user_id)
    if not offered:
        raise not_found("offer")
    return offered
