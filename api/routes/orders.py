"""What customers do with orders, and what everybody concerned can see of them."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query
from uuid_utils.compat import uuid7

from api import carts, commands, placing, views
from api.bodies import CancelBody, OrderBody, TipBody
from api.carts import CartOut, ReorderBody
from api.checkout import basket
from api.dependencies import PagingDep, PeriodDep, ServicesDep, order_of, visible_to
from api.engine import OrderClosed
from api.errors import Problem, conflict, not_found, problems
from api.order_lists import orders_page
from api.permits import ActsOnOrders, MayListOrders, MayReadOrders, MayWriteOrders
from api.quotes import QuoteOut, quoted
from api.views import OrderOut, Page, PlacedOut, StatusOut, StepOut
from api.whereabouts import DriverLocationOut, driver_location
from domain.order_status import Actor, OrderStatus
from domain.tracking import is_shown, is_since
from schema.messages.order import ChangeTip, Command, Who
from schema.queries import locations, order_views
from schema.tables import Role
from workflows.order import OrderWorkflow

router = APIRouter(prefix="/orders", tags=["Orders"])

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="Any text that is new for each order: the same request sent again with the"
        " same key gets the same answer, and there is one order.",
        examples=["basket-7d1f3c1e"],
    ),
]


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses=problems(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
)
async def place_order(
    held: ServicesDep, who: MayWriteOrders, body: OrderBody, idempotency_key: IdempotencyKey = None
) -> PlacedOut:
    """Place an order. It waits 15 minutes for its payment, which the customer confirms with
    the `clientSecret` and Stripe's SDK. With `deliveryProof` `code` the answer holds the
    `deliveryCode` that the customer tells the driver at the door. A `promoCode` that does not apply
    is a 409 whose code says why, and there is no order; so is a dish of which too little is left
    (`sold_out`), and a kitchen that has its hands full (`kitchen_full`).
    """
    return await placing.place(held, who.user_id, body, idempotency_key)


@router.post(
    "/quote",
    responses=problems(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
)
async def quote_order(held: ServicesDep, who: MayWriteOrders, body: OrderBody) -> QuoteOut:
    """Price a basket without placing it, each line explained; an order of the same body costs as
    much. A `promoCode` that does not apply is told with its reason; the quote is without it.
    """
    return quoted(await basket(held, who.user_id, body))


@router.get("", responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN))
async def list_orders(
    held: ServicesDep,
    who: MayListOrders,
    *,
    paging: PagingDep,
    placed: PeriodDep,
    status: Annotated[list[OrderStatus] | None, Query()] = None,
    chef_id: Annotated[UUID | None, Query(alias="chefId")] = None,
    number: Annotated[
        str | None,
        Query(max_length=40, pattern=r"^[^\x00]*$", description="A part of the order number."),
    ] = None,
) -> Page[OrderOut]:
    """List the caller's own orders, the newest first; `status` may be given several times."""
    wanted = visible_to(who) & order_views.matching(placed, chef_id=chef_id, number=number)
    return await orders_page(held.database, wanted, paging, status or [])


@router.get("/{order_id}", responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND))
async def get_order(held: ServicesDep, who: MayReadOrders, order_id: UUID) -> OrderOut:
    """Look at an order: its dishes, its price, where it stands and when it is expected."""
    async with held.database.read() as session:
        view = await order_views.one(session, order_id, visible_to(who))
    if view is None:
        raise not_found("order")
    return views.order(view, for_customer=who.role is Role.CUSTOMER)


@router.get(
    "/{order_id}/history", responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND)
)
async def get_history(held: ServicesDep, who: MayReadOrders, order_id: UUID) -> list[StepOut]:
    """Read the steps an order has taken: when, and by whose hand."""
    await order_of(held, order_id, who)
    async with held.database.read() as session:
        return [views.step(row) for row in await order_views.history(session, order_id)]


@router.get(
    "/{order_id}/driver-location",
    responses=problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND),
)
async def get_driver_location(
    held: ServicesDep, who: MayReadOrders, order_id: UUID
) -> DriverLocationOut:
    """See where the driver is: as the order's customer from pickup to delivery, as its chef until
    then. At any other time it is a 404, `driver_not_shown`; `driver_not_seen` when his phone has
    said nothing since he picked the order up.
    """
    order = await order_of(held, order_id, who)
    if not is_shown(Actor(who.role), order.status):
        raise _no_driver("driver_not_shown", f"the order is {order.status}")
    async with held.database.read() as session:
        driver = await locations.shown(session, order_id)
    if driver is None:
        raise _no_driver("driver_not_shown", "the order has no driver")
    seen = await held.locations.latest(driver.driver_id, driver.last)
    since = driver.picked_up_at if who.role is Role.CUSTOMER else None
    if seen is None or (since is not None and not is_since(seen, since)):
        raise _no_driver("driver_not_seen", "the driver's phone has said nothing yet")
    return driver_location(seen, datetime.now(UTC))


@router.put(
    "/{order_id}/cancel",
    responses=problems(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
)
async def cancel_order(
    held: ServicesDep, who: MayWriteOrders, order_id: UUID, body: CancelBody | None = None
) -> StatusOut:
    """Cancel an order. Before cooking begins everything is refunded; while the chef is cooking,
    the food has to be paid for; after that it cannot be cancelled any more.
    """
    order = await order_of(held, order_id, who)
    return await commands.ask(
        held,
        order,
        OrderWorkflow.cancel,
        Command(by=Who(role=Actor.CUSTOMER, id=who.user_id), reason=body.reason if body else None),
        to=OrderStatus.CANCELLED,
        by=Actor.CUSTOMER,
        key=str(who.user_id),
    )


@router.post(
    "/{order_id}/reorder",
    responses=problems(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    ),
)
async def reorder(
    held: ServicesDep, who: ActsOnOrders, order_id: UUID, body: ReorderBody | None = None
) -> CartOut:
    """Put the dishes of an order into the cart again, with their options. `priceWasCents` is the
    price of then; what is gone since is there with its `problems`. Sent twice, they are there once.
    """
    async with held.database.read() as session:
        view = await order_views.one(session, order_id, visible_to(who))
    if view is None:
        raise not_found("order")
    await carts.put_order(held, who.user_id, view, replace=body is not None and body.replace)
    return await carts.show(held, who.user_id)


@router.put(
    "/{order_id}/tip",
    responses=problems(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
)
async def change_tip(
    held: ServicesDep, who: MayWriteOrders, order_id: UUID, body: TipBody
) -> OrderOut:
    """Change the tip of an order that is not paid for yet; its payment changes with it. Once it is
    paid the tip can only be raised, until a day after delivery: what is added is charged when the
    order is delivered, or at once if it is, to the card that it was paid with.
    """
    order = await order_of(held, order_id, who)
    change = ChangeTip(by=Who(role=Actor.CUSTOMER, id=who.user_id), tip_cents=body.tip_cents)
    key = f"change_tip:{uuid7()}"
    if order.status in {OrderStatus.CANCELLED, OrderStatus.REFUNDED}:
        raise conflict("tip_locked", f"the order is {order.status}")
    try:
        await held.engine.orders.ask(order, OrderWorkflow.change_tip, change, key=key)
    except OrderClosed:
        await held.engine.orders.ask_again(
            order.order_id, OrderWorkflow.change_tip, change, key=key
        )
    return await get_order(held, who, order_id)


def _no_driver(code: str, detail: str) -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, code, detail)
