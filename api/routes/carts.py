"""What customers do with their carts."""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter

from api import cart_orders, carts
from api.cart_orders import CartOrderBody, CartQuoteBody
from api.carts import CartChangeBody, CartItemBody, CartOut
from api.dependencies import ServicesDep
from api.errors import problems
from api.once import OnceKey
from api.permits import ActsOnOrders, MayListOrders, MayWriteOrders
from api.quotes import QuoteOut
from api.routes.orders import IdempotencyKey
from api.views import PlacedOut

router = APIRouter(prefix="/cart", tags=["Cart"])

_READS = problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_CHANGES = problems(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
_ORDERS = _CHANGES | problems(HTTPStatus.SERVICE_UNAVAILABLE)


@router.get("", responses=_READS)
async def get_cart(held: ServicesDep, who: MayListOrders) -> CartOut:
    """Look at one's cart, at the prices of this moment, on whatever device."""
    return await carts.show(held, who.user_id)


@router.post("/items", status_code=HTTPStatus.CREATED, responses=_CHANGES)
async def add_item(
    held: ServicesDep, who: ActsOnOrders, body: CartItemBody, idempotency_key: OnceKey = None
) -> CartOut:
    """Put a dish into the cart; the same dish with the same options and wishes adds up, but not the
    same `Idempotency-Key`. While there are dishes of another chef it is a 409 `another_chef` that
    names both; with `replace` they go.
    """
    await carts.add(held, who.user_id, body, idempotency_key)
    return await carts.show(held, who.user_id)


@router.put("/items/{cart_item_id}", responses=_CHANGES)
async def change_item(
    held: ServicesDep, who: ActsOnOrders, cart_item_id: UUID, body: CartChangeBody
) -> CartOut:
    """Change how often a dish is in the cart, what is chosen with it, or what is wished for."""
    await carts.change(held, who.user_id, cart_item_id, body)
    return await carts.show(held, who.user_id)


@router.delete("/items/{cart_item_id}", responses=_CHANGES)
async def remove_item(held: ServicesDep, who: ActsOnOrders, cart_item_id: UUID) -> CartOut:
    """Take a dish out of the cart."""
    await carts.remove(held, who.user_id, cart_item_id)
    return await carts.show(held, who.user_id)


@router.delete("", responses=_READS)
async def clear_cart(held: ServicesDep, who: ActsOnOrders) -> CartOut:
    """Take everything out of the cart."""
    await carts.clear(held, who.user_id)
    return await carts.show(held, who.user_id)


@router.post("/quote", responses=_ORDERS)
async def quote_cart(held: ServicesDep, who: MayWriteOrders, body: CartQuoteBody) -> QuoteOut:
    """Price the cart as an order to an address, each line explained, as `POST /orders/quote`."""
    return await cart_orders.quote(held, who.user_id, body)


@router.post("/checkout", status_code=HTTPStatus.CREATED, responses=_ORDERS)
async def check_out(
    held: ServicesDep,
    who: MayWriteOrders,
    body: CartOrderBody,
    idempotency_key: IdempotencyKey = None,
) -> PlacedOut:
    """Turn the cart into an order, and empty it. Sent again, or from two devices at once, it is the
    same order with the same answer, with an `Idempotency-Key` or without one. Another total than
    `expectedTotalCents` is a 409 `price_changed` with the `quote` that holds now; then, and
    whenever it cannot be placed, the cart stays as it is. One that was changed at that very moment
    is a 409 `cart_changed`.
    """
    return await cart_orders.order(held, who.user_id, body, idempotency_key)
