"""The order that a cart becomes: one, however often and from however many devices it is asked for.

An order of a cart is known by the cart's version, so that whoever wants it joins it. It is written
and the cart is emptied in one transaction. When it could not be written, its keys are forgotten:
the customer may try again with the same cart.
"""

from collections.abc import Sequence
from uuid import UUID

from pydantic import Field
from pydantic.alias_generators import to_camel
from sqlalchemy.ext.asyncio import AsyncSession

from api import placing
from api.bodies import (
    MOST_TIP_CENTS,
    MOST_TOTAL_CENTS,
    AddressBody,
    Body,
    Code,
    Moment,
    OrderBody,
    Words,
)
from api.checkout import basket
from api.dependencies import Services
from api.engine import Refused
from api.errors import Problem, conflict, invalid
from api.examples import shown
from api.quotes import QuoteOut, quoted
from api.views import PlacedOut
from domain.proof import ProofKind
from schema.messages.order import CartRef, Placing
from schema.queries import addresses, carts, idempotency, webhooks
from schema.tables import Cart, CartItem

_ADDRESS = {
    "line1": "123 Main St",
    "city": "Austin",
    "state": "TX",
    "postalCode": "78701",
    "country": "US",
}


class CartQuoteBody(Body):
    """Where the cart would go, when, and with what tip and promo code. It goes to the
    `deliveryAddress`, or to an address of the customer's own (`addressId`), by default his default.
    """

    model_config = shown({"deliveryAddress": _ADDRESS, "tipCents": 300})

    delivery_address: AddressBody | None = None
    address_id: UUID | None = None
    tip_cents: int = Field(default=0, strict=True, ge=0, le=MOST_TIP_CENTS)
    promo_code: Code | None = None
    scheduled_for: Moment | None = None


class CartOrderBody(CartQuoteBody):
    """The order that the cart is to become, for the total that the customer was shown."""

    model_config = shown({"deliveryAddress": _ADDRESS, "tipCents": 300, "expectedTotalCents": 2960})

    instructions: Words | None = None
    delivery_proof: ProofKind | None = None
    expected_total_cents: int = Field(strict=True, ge=0, le=MOST_TOTAL_CENTS)


async def quote(held: Services, customer_id: UUID, body: CartQuoteBody) -> QuoteOut:
    """What a customer's cart would cost. Raises Problem, CannotBePlaced."""
    async with held.database.read() as session:
        cart, items = await carts.find(session, customer_id)
        if cart is None or not items:
            raise _empty()
        address = await _address(session, customer_id, body)
    return quoted(await basket(held, customer_id, _order_body(cart, items, body, address)))


async def order(
    held: Services, customer_id: UUID, body: CartOrderBody, idempotency_key: str | None
) -> PlacedOut:
    """Turn a customer's cart into an order, once. Raises Problem, CannotBePlaced, Refused and
    EngineBusy; then the cart stays as it is, unless the order was written and its payment could not
    be opened (PaymentUnavailable): the order can be put into the cart again.
    """
    digest = f"cart:{placing.digest_of(body)}"
    if idempotency_key is not None:
        known = await _known(held, customer_id, idempotency_key, digest)
        if known is not None:
            return known
    async with held.database.read() as session:
        cart, items = await _seen(session, customer_id)
    if not items:
        # The order that has just emptied it, if that is what is asked for again.
        known = await _known(held, customer_id, _key(cart, -1, digest), digest)
        if known is None:
            raise _empty()
        return known
    keys = [_key(cart, 0, digest), *([idempotency_key] if idempotency_key else [])]
    known = await _known(held, customer_id, keys[0], digest)
    if known is not None:
        return known
    ref = CartRef(id=cart.id, version=cart.version)

    async def prepare() -> Placing:
        async with held.database.read() as session:
            address = await _address(session, customer_id, body)
        wanted = await placing.prepared(held, customer_id, _order_body(cart, items, body, address))
        return wanted.model_copy(update={"cart": ref})

    try:
        return await placing.place_once(held, customer_id, keys, digest, prepare)
    except Refused as refused:
        await _forget_unwritten(held, customer_id, refused)
        raise


async def _known(held: Services, customer_id: UUID, key: str, digest: str) -> PlacedOut | None:
    """The answer that the key's order had; None when there is no such order, or none any more that
    could be written.
    """
    try:
        return await placing.placed_before(held, customer_id, key, digest)
    except Refused as refused:
        if await _forget_unwritten(held, customer_id, refused):
            return None
        raise


async def _forget_unwritten(held: Services, customer_id: UUID, refused: Refused) -> bool:
    """Forget the keys of an order that was refused and never written; False when it was. Keys that
    stand for another order by now are none of its own.
    """
    if refused.order_id is None:
        return False
    async with held.database.write() as session:
        if await webhooks.order_exists(session, refused.order_id):
            return False
        await idempotency.forget(session, customer_id, refused.order_id)
    return True


async def _seen(session: AsyncSession, customer_id: UUID) -> tuple[Cart, list[CartItem]]:
    cart, items = await carts.find(session, customer_id)
    if cart is None:
        raise _empty()
    return cart, list(items)


def _key(cart: Cart, later: int, digest: str) -> str:
    return f"cart:{cart.id}:{cart.version + later}:{digest[-64:]}"


def _empty() -> Problem:
    return conflict("cart_empty", "there is nothing in the cart")


async def _address(session: AsyncSession, customer_id: UUID, body: CartQuoteBody) -> AddressBody:
    """Where the cart is to go. Raises Problem."""
    if body.delivery_address is not None:
        if body.address_id is not None:
            raise invalid("addressId", "two_addresses", "a cart goes to one address")
        return body.delivery_address
    if body.address_id is not None:
        kept = await addresses.of(session, customer_id, body.address_id)
        if kept is None:
            raise invalid("addressId", "unknown_address", "you keep no such address")
    else:
        kept = next(iter(await addresses.listed(session, customer_id)), None)
        if kept is None:
            raise invalid("deliveryAddress", "address_needed", "say where it is to go")
    said = kept.model_dump(include=set(AddressBody.model_fields))
    return AddressBody.model_validate({to_camel(name): value for name, value in said.items()})


def _order_body(
    cart: Cart, items: Sequence[CartItem], body: CartQuoteBody, address: AddressBody
) -> OrderBody:
    """The cart as an order of its own would be sent."""
    said = body.model_dump(mode="json", by_alias=True, exclude={"address_id", "delivery_address"})
    return OrderBody.model_validate(
        {
            **said,
            "deliveryAddress": address,
            "chefId": cart.chef_id,
            "items": [
                {
                    "menuItemId": item.menu_item_id,
                    "quantity": item.quantity,
                    "specialInstructions": item.special_instructions,
                    "options": [option["id"] for option in item.options],
                }
                for item in items
            ],
        }
    )
