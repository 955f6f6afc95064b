"""Placing an order once, however often and by how many at once it is asked for."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from api.bodies import Body, OrderBody
from api.checkout import Basket, basket, placing
from api.dependencies import Services
from api.engine import OrderClosed, Refused
from api.errors import Problem, conflict, invalid
from api.quotes import quoted
from api.views import PlacedOut
from domain.placing import CannotBePlaced
from schema.messages.order import Placed, Placing
from schema.queries import idempotency, proofs, webhooks
from schema.queries.idempotency import Claim

Prepare = Callable[[], Awaitable[Placing]]


async def place(
    held: Services, customer_id: UUID, body: OrderBody, idempotency_key: str | None
) -> PlacedOut:
    """Place an order; with a key the same request gets the same answer, and there is one order.

    Raises Problem, CannotBePlaced, Refused, EngineBusy.
    """

    async def prepare() -> Placing:
        return await prepared(held, customer_id, body)

    if idempotency_key is None:
        wanted = await prepare()
        return await answered(held, wanted.order.id, await held.engine.orders.place(wanted))
    digest = _digest(body)
    known = await placed_before(held, customer_id, idempotency_key, digest)
    if known is not None:
        return known
    return await place_once(held, customer_id, [idempotency_key], digest, prepare)


async def prepared(held: Services, customer_id: UUID, body: OrderBody) -> Placing:
    """An order that can be placed, for the price that its customer expects.

    Raises Problem with a code that says why it cannot be, and CannotBePlaced.
    """
    found = await basket(held, customer_id, body)
    wanted = placing(held, customer_id, found, body)
    _check_price(found, body.expected_total_cents)
    return wanted


async def place_once(
    held: Services, customer_id: UUID, keys: list[str], digest: str, prepare: Prepare
) -> PlacedOut:
    """Place the order that the first of the keys stands for; the others stand for it from now on.

    Raises what `prepare` raises, and Problem, Refused, EngineBusy.
    """
    try:
        wanted = await prepare()
    except (Problem, CannotBePlaced):
        # The same request at the same time may have got the last of what this one misses.
        known = await placed_before(held, customer_id, keys[0], digest)
        if known is None:
            raise
        return known
    order_id = wanted.order.id
    async with held.database.write() as session:
        for key in keys:
            claim = await idempotency.claim(session, customer_id, key, Claim(order_id, digest))
            _must_be_the_same(claim, digest)
            # Whoever claimed the key first chose the id; the other request joins that order.
            order_id = claim.order_id
    order = wanted.order.model_copy(update={"id": order_id})
    placed = await held.engine.orders.place(wanted.model_copy(update={"order": order}))
    return await answered(held, order_id, placed)


async def placed_before(
    held: Services, customer_id: UUID, key: str, digest: str
) -> PlacedOut | None:
    """The answer that the key's order had; None when it never got as far as to be started.

    Raises Problem when the key was used for something else, and Refused when its order was.
    """
    async with held.database.read() as session:
        claim = await idempotency.find(session, customer_id, key)
    if claim is None:
        return None
    _must_be_the_same(claim, digest)
    try:
        placed = await held.engine.orders.placed(claim.order_id)
    except (OrderClosed, Refused) as closed:
        if isinstance(closed, Refused) and closed.kind != "PlacedBefore":
            raise
        async with held.database.read() as session:
            if not await webhooks.order_exists(session, claim.order_id):
                return None
        raise conflict(
            "idempotency_key_expired",
            "the order that was placed with this key is long over",
            orderId=str(claim.order_id),
        ) from closed
    return await answered(held, claim.order_id, placed)


async def answered(held: Services, order_id: UUID, placed: Placed) -> PlacedOut:
    """What the customer is told of an order that was placed."""
    async with held.database.read() as session:
        proof_kind, code = await proofs.wanted(session, order_id)
    price = asdict(placed.price)
    return PlacedOut(
        id=order_id,
        order_number=placed.order_number,
        status=placed.status,
        client_secret=placed.client_secret,
        promo_code=placed.promo_code,
        delivery_proof=proof_kind,
        delivery_code=code,
        **{name: price[name] for name in PlacedOut.model_fields if name in price},
    )


def digest_of(body: Body, left_out: Mapping[str, Any] | None = None) -> str:
    """What tells one request from another."""
    written = body.model_dump_json(exclude=dict(left_out or {}))
    return hashlib.sha256(written.encode()).hexdigest()


def _digest(body: OrderBody) -> str:
    """What tells one order from another. Keys from before there were promo codes, a choice of
    proofs, options or an expected price still hold.
    """
    newer = ("promo_code", "delivery_proof", "expected_total_cents")
    left_out: dict[str, Any] = {name: True for name in newer if getattr(body, name) is None}
    without = {number: {"options"} for number, item in enumerate(body.items) if not item.options}
    if without:
        left_out["items"] = without
    return digest_of(body, left_out)


def _check_price(found: Basket, expected_cents: int | None) -> None:
    if expected_cents in {None, found.bill.total_cents}:
        return
    raise conflict(
        "price_changed",
        f"it costs {found.bill.total_cents} cents now, not {expected_cents}",
        quote=quoted(found).model_dump(mode="json", by_alias=True),
    )


def _must_be_the_same(claim: Claim, digest: str) -> None:
    if claim.request_digest != digest:
        raise invalid(
            "Idempotency-Key",
            "idempotency_key_reused",
            "this key was used for another order: take a new one",
        )
