"""What drivers do."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api import commands, views
from api.auth import Principal
from api.bodies import (
    DeclineBody,
    DeliveryStatusBody,
    DriverAvailabilityBody,
    LocationBody,
)
from api.dependencies import (
    DriverUser,
    PagingDep,
    Services,
    ServicesDep,
    order_of,
    visible_to,
)
from api.errors import invalid, not_found, problems
from api.order_lists import orders_page
from api.views import LocationOut, OfferOut, OrderOut, Page, StatusOut
from domain.geo import Point, distance_km
from domain.order_status import Actor, OrderStatus
from schema.messages.dispatch import Delivery, DriverCommand, DriverNews, OfferAnswer
from schema.messages.order import Who
from schema.queries import drivers, order_views, searches
from schema.queries.drivers import Offered
from schema.queries.order_views import Access
from workflows.order import OrderWorkflow

router = APIRouter(prefix="/delivery", tags=["Delivery"])

# A phone's clock may be a little ahead of ours.
CLOCK_TOLERANCE = timedelta(seconds=60)
# A phone that was without a network sends what it has kept.
OLDEST_POSITION = timedelta(days=1)

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
    responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND),
)
async def set_availability(
    held: ServicesDep, who: DriverUser, body: DriverAvailabilityBody
) -> DriverAvailabilityBody:
    """Go on duty, so as to be offered orders, or off duty."""
    driver_id = await _driver(held, who)
    async with held.database.write() as session:
        await drivers.set_available(session, driver_id, body.is_available)
    if not body.is_available:
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
async def post_location(held: ServicesDep, who: DriverUser, body: LocationBody) -> LocationOut:
    """Say where the driver is. Near the door of an order in hand, its customer is told so."""
    now = datetime.now(UTC)
    at = body.recorded_at or now
    if at > now + CLOCK_TOLERANCE:
        raise invalid("recordedAt", "in_the_future", "a position cannot be from the future")
    if at < now - OLDEST_POSITION:
        raise invalid("recordedAt", "too_old", "where the driver was so long ago is no help")
    driver_id, here = await _driver(held, who), Point(body.latitude, body.longitude)
    async with held.database.write() as session:
        if not await drivers.set_place(session, driver_id, here, at):
            return LocationOut(accepted=False)
        ahead = await drivers.doors_ahead(session, driver_id)
    await held.positions.put(driver_id, here, at)
    for order_id, door in ahead:
        if distance_km(here, door) <= held.settings.near_door_km:
            await held.engine.orders.tell(order_id, OrderWorkflow.driver_near_door)
    return LocationOut(accepted=True)


@router.get("/offers", responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN))
async def list_offers(held: ServicesDep, who: DriverUser) -> list[OfferOut]:
    """See what is offered to the caller now; each offer is open for 30 seconds, and may hold
    several orders.
    """
    async with held.database.read() as session:
        return [views.offer(made) for made in await drivers.live_offers(session, who.user_id)]


@router.post("/offers/{offer_id}/accept", responses=_CHANGES)
async def accept_offer(held: ServicesDep, who: DriverUser, offer_id: UUID) -> StatusOut:
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
    held: ServicesDep, who: DriverUser, offer_id: UUID, body: DeclineBody
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
    who: DriverUser,
    paging: PagingDep,
    status: Annotated[list[OrderStatus] | None, Query()] = None,
) -> Page[OrderOut]:
    """List the orders that the caller has, or has delivered, the newest first."""
    return await orders_page(held.database, visible_to(who), paging, status or [])


@router.put("/orders/{order_id}", responses=_CHANGES)
async def set_status(
    held: ServicesDep, who: DriverUser, order_id: UUID, body: DeliveryStatusBody
) -> StatusOut:
    """Say how far an order is: `picked_up`, `in_transit`, `delivered` (with proof), or give it
    back before picking it up (`ready_for_pickup`).
    """
    driver_id, by = await _driver(held, who), Who(role=Actor.DRIVER, id=who.user_id)
    to = OrderStatus(body.status)
    if to is OrderStatus.READY_FOR_PICKUP:
        order, key = await _given_back(held, order_id, driver_id)
    else:
        order, key = await order_of(held, order_id, who), str(who.user_id)
    if to is OrderStatus.DELIVERED:
        proof = body.proof.model_dump(by_alias=True, exclude_none=True) if body.proof else None
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


async def _driver(held: Services, who: Principal) -> UUID:
    async with held.database.read() as session:
        driver_id = await drivers.driver_of(session, who.user_id)
    if driver_id is None:
        raise not_found("driver profile of yours")
    return driver_id


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
