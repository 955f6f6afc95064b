"""A customer's cart: what may be put in, what it looks like now."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import Field, StrictBool
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api import once
from api.bodies import MOST_OF_A_DISH, MOST_OPTIONS, Body, ItemBody, Words
from api.checkout import line, takes_orders
from api.dependencies import Services
from api.errors import conflict, invalid, not_found
from api.examples import shown
from domain import cart as rules
from domain.cart import MOST_LINES, Dish, Standing
from domain.choices import Group
from schema.messages.base import Message
from schema.messages.order import ChosenOption, OrderLine
from schema.queries import carts, choices, kitchens
from schema.queries.order_views import View
from schema.tables import Cart, CartItem, Chef, MenuItem, Verification
from schema.tables.columns import now

_CHEF = "0198c0de-0000-7000-8000-000000000001"
_DISH = "0198c0de-0000-7000-8000-0000000000a1"
_LARGE = "0198c0de-0000-7000-8000-0000000000f1"


class CartItemBody(ItemBody):
    """A dish for the cart. With `replace` it takes the place of another chef's dishes."""

    model_config = shown(
        {"menuItemId": _DISH, "quantity": 2, "options": [_LARGE], "replace": False}
    )

    replace: StrictBool = False


class CartChangeBody(Body):
    """What becomes of a dish in the cart; what is left out stays as it is."""

    model_config = shown({"quantity": 3})

    quantity: int | None = Field(default=None, strict=True, ge=1, le=MOST_OF_A_DISH)
    options: list[UUID] | None = Field(default=None, max_length=MOST_OPTIONS)
    special_instructions: Words | None = None


class ReorderBody(Body):
    """Whether the dishes take the place of what another chef has in the cart."""

    model_config = shown({"replace": True})

    replace: StrictBool = False


class CartChefOut(Message):
    """Whose dishes are in a cart, and whether the kitchen takes orders at this moment."""

    id: UUID
    business_name: str
    is_open: bool
    minimum_order_cents: int


class CartItemOut(Message):
    """A dish in the cart: `priceCents` is what a portion costs now (null when nobody can tell),
    `priceWasCents` what it cost when it was put in, `left` how many portions there are, if they
    are counted. With `problems` it cannot be ordered as it is.
    """

    id: UUID
    menu_item_id: UUID
    name: str
    quantity: int
    options: list[ChosenOption]
    special_instructions: str | None
    price_cents: int | None
    price_was_cents: int
    left: int | None
    problems: list[rules.Problem]


class CartOut(Message):
    """The caller's cart at today's prices; `subtotalCents` is that of the dishes without problems.
    `version` is another after each change. `chef` is null while it is empty.
    """

    model_config = shown(
        {
            "version": 3,
            "chef": {
                "id": _CHEF,
                "businessName": "Meena's Kitchen",
                "isOpen": True,
                "minimumOrderCents": 0,
            },
            "items": [
                {
                    "id": "0198c0de-0000-7000-8000-0000000000e2",
                    "menuItemId": _DISH,
                    "name": "Masala Dosa",
                    "quantity": 2,
                    "options": [
                        {"id": _LARGE, "group": "Size", "name": "large", "priceCents": 300}
                    ],
                    "specialInstructions": None,
                    "priceCents": 1300,
                    "priceWasCents": 1200,
                    "left": None,
                    "problems": [],
                }
            ],
            "subtotalCents": 2600,
            "currency": "usd",
        }
    )

    version: int
    chef: CartChefOut | None
    items: list[CartItemOut]
    subtotal_cents: int
    currency: str | None


@dataclass(frozen=True)
class _Shelf:
    """What of a cart's dishes is on the menu."""

    dishes: Mapping[UUID, MenuItem]
    groups: Mapping[UUID, Sequence[Group]]

    def of(self, dish_id: UUID) -> Dish | None:
        """A dish, as a cart sees it."""
        dish = self.dishes.get(dish_id)
        if dish is None:
            return None
        groups = self.groups.get(dish_id, [])
        return Dish(dish.price_cents, dish.is_available, dish.stock, groups)


async def show(held: Services, customer_id: UUID) -> CartOut:
    """A customer's cart, as it would be ordered now."""
    async with held.database.snapshot() as session:
        cart, items = await carts.find(session, customer_id)
        if cart is None or cart.chef_id is None:
            version = cart.version if cart else 0
            return CartOut(version=version, chef=None, items=[], subtotal_cents=0, currency=None)
        chef = await kitchens.any_chef(session, cart.chef_id)
        shelf = await _shelf(session, cart.chef_id, [item.menu_item_id for item in items])
    return _shown(held, cart, chef, items, shelf)


async def add(
    held: Services, customer_id: UUID, body: CartItemBody, idempotency_key: str | None
) -> None:
    """Put a dish into a cart; the same dish with the same options adds up, the same key does not.

    Raises Problem: `another_chef` when there are dishes of another one who is not to be replaced.
    """
    async with held.database.write() as session:
        made = await once.claimed(session, customer_id, idempotency_key, "cart", body)
        if not made.is_new:
            return
        chef = await kitchens.chef_of_dish(session, body.menu_item_id)
        if chef is None:
            raise invalid("menuItemId", "unknown_menu_item", "there is no such dish")
        shelf = await _shelf(session, chef.id, [body.menu_item_id])
        new = line(body, shelf.dishes, shelf.groups)
        cart, items = await carts.locked(session, customer_id)
        items = await _made_room(session, cart, items, chef, replace=body.replace)
        alike = _like(items, new)
        if alike is None:
            _must_fit(len(items) + 1)
            session.add(_row(cart, new))
        else:
            _must_be_few(alike.quantity + new.quantity)
            alike.quantity += new.quantity
        await carts.changed(session, cart)


async def change(held: Services, customer_id: UUID, item_id: UUID, body: CartChangeBody) -> None:
    """Change how often a dish is in a cart, what is chosen with it, or what is wished for.

    Choosing again is at today's price. What has become like another line is added to it. Raises
    Problem.
    """
    async with held.database.write() as session:
        cart, items = await carts.locked(session, customer_id)
        item = _one(items, item_id)
        if body.quantity is not None:
            item.quantity = body.quantity
        if {"options", "special_instructions"} & body.model_fields_set:
            await _choose_again(session, cart, items, item, body)
        await carts.changed(session, cart)


async def remove(held: Services, customer_id: UUID, item_id: UUID) -> None:
    """Take a dish out of a cart. Raises Problem when it is not there."""
    async with held.database.write() as session:
        cart, items = await carts.locked(session, customer_id)
        await session.delete(_one(items, item_id))
        await carts.changed(session, cart)


async def clear(held: Services, customer_id: UUID) -> None:
    """Take everything out of a cart."""
    async with held.database.write() as session:
        cart, items = await carts.locked(session, customer_id)
        if items:
            await carts.empty(session, cart.id)
            await carts.changed(session, cart)


async def put_order(held: Services, customer_id: UUID, order: View, *, replace: bool) -> None:
    """Put the dishes of an order into a cart, at the prices of then, so that it shows what has
    changed. What is there already is there as often as it was ordered, at least: asked for twice,
    it is there once. Raises Problem.
    """
    async with held.database.write() as session:
        cart, items = await carts.locked(session, customer_id)
        chef = await kitchens.any_chef(session, order.order.chef_id)
        there = list(await _made_room(session, cart, items, chef, replace=replace))
        put_in: Counter[UUID] = Counter()
        for ordered in order.items:
            again = OrderLine.model_validate(ordered.model_dump())
            alike = _like(there, again)
            if alike is None:
                row = _row(cart, again)
                there.append(row)
                session.add(row)
                put_in[row.id] = again.quantity
            else:
                put_in[alike.id] += again.quantity
                alike.quantity = max(alike.quantity, put_in[alike.id])
        _must_fit(len(there))
        await carts.changed(session, cart)


async def _made_room(
    session: AsyncSession,
    cart: Cart,
    items: Sequence[CartItem],
    chef: Chef,
    *,
    replace: bool,
) -> Sequence[CartItem]:
    """What stays in a cart when a chef's dish comes in: nothing of another one."""
    if cart.chef_id not in {None, chef.id}:
        if not replace:
            there = await kitchens.any_chef(session, cart.chef_id)
            raise conflict(
                "another_chef",
                f"there are dishes of {there.business_name} in the cart:"
                f" start anew with {chef.business_name}?",
                current={"id": str(there.id), "businessName": there.business_name},
                wanted={"id": str(chef.id), "businessName": chef.business_name},
            )
        await carts.empty(session, cart.id)
        items = []
    cart.chef_id = chef.id
    return items


async def _choose_again(
    session: AsyncSession,
    cart: Cart,
    items: Sequence[CartItem],
    item: CartItem,
    body: CartChangeBody,
) -> None:
    options = [option["id"] for option in item.options] if body.options is None else body.options
    instructions = item.special_instructions
    if "special_instructions" in body.model_fields_set:
        instructions = body.special_instructions
    new = OrderLine.model_validate(item.model_dump() | {"special_instructions": instructions})
    if body.options is not None:
        if cart.chef_id is None:
            raise not_found("dish in your cart")
        shelf = await _shelf(session, cart.chef_id, [item.menu_item_id])
        asked = ItemBody.model_validate(
            {"menuItemId": item.menu_item_id, "quantity": item.quantity, "options": options}
        )
        chosen = line(asked, shelf.dishes, shelf.groups)
        new = chosen.model_copy(update={"special_instructions": instructions})
    alike = _like([other for other in items if other.id != item.id], new)
    if alike is not None:
        _must_be_few(alike.quantity + item.quantity)
        alike.quantity += item.quantity
        await session.delete(item)
        return
    for name, value in _values(new).items():
        setattr(item, name, value)


async def _shelf(session: AsyncSession, chef_id: UUID, dish_ids: Sequence[UUID]) -> _Shelf:
    dishes = await kitchens.dishes(session, chef_id, set(dish_ids))
    return _Shelf(dishes, await choices.groups(session, dishes))


def _row(cart: Cart, new: OrderLine) -> CartItem:
    return CartItem(id=uuid7(), cart_id=cart.id, created_at=now(), **_values(new))


def _values(new: OrderLine) -> dict[str, Any]:
    return {
        **new.model_dump(exclude={"options"}),
        "options": [option.model_dump(mode="json") for option in new.options],
        "choice": _choice(new),
    }


def _choice(new: OrderLine) -> str:
    options = [option.id for option in new.options]
    return rules.choice(new.menu_item_id, options, new.special_instructions)


def _like(items: Sequence[CartItem], new: OrderLine) -> CartItem | None:
    return next((item for item in items if item.choice == _choice(new)), None)


def _one(items: Sequence[CartItem], item_id: UUID) -> CartItem:
    item = next((item for item in items if item.id == item_id), None)
    if item is None:
        raise not_found("dish in your cart")
    return item


def _must_fit(lines: int) -> None:
    if lines > MOST_LINES:
        raise conflict("cart_full", f"a cart holds {MOST_LINES} different dishes at most")


def _must_be_few(quantity: int) -> None:
    if quantity > MOST_OF_A_DISH:
        raise invalid("quantity", "too_many_of_a_dish", f"{MOST_OF_A_DISH} of a dish at most")


def _shown(
    held: Services, cart: Cart, chef: Chef, items: Sequence[CartItem], shelf: _Shelf
) -> CartOut:
    portions: Counter[UUID] = Counter()
    for item in items:
        portions[item.menu_item_id] += item.quantity
    stands = [
        rules.standing(
            shelf.of(item.menu_item_id),
            [UUID(option["id"]) for option in item.options],
            portions[item.menu_item_id],
        )
        for item in items
    ]
    subtotal = sum(
        (stand.price_cents or 0) * item.quantity
        for item, stand in zip(items, stands, strict=True)
        if not stand.problems
    )
    return CartOut(
        version=cart.version,
        chef=CartChefOut(
            id=chef.id,
            business_name=chef.business_name,
            is_open=chef.verification_status is Verification.APPROVED
            and takes_orders(held, chef, datetime.now(UTC)),
            minimum_order_cents=chef.minimum_order_cents,
        ),
        items=[
            _item(item, shelf.dishes.get(item.menu_item_id), stand)
            for item, stand in zip(items, stands, strict=True)
        ],
        subtotal_cents=subtotal,
        currency=held.settings.markets[chef.market].rates.currency,
    )


def _item(item: CartItem, dish: MenuItem | None, stand: Standing) -> CartItemOut:
    return CartItemOut(
        **item.model_dump(include={"id", "menu_item_id", "quantity", "special_instructions"}),
        name=dish.name if dish else item.name,
        options=[ChosenOption.model_validate(option) for option in item.options],
        price_cents=stand.price_cents,
        price_was_cents=item.price_cents,
        left=dish.stock if dish else None,
        problems=list(stand.problems),
    )
