"""Every SQL statement by which the order's workflow writes and reads its order."""

import secrets
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain.geo import Point
from domain.order_status import IN_HAND, Actor, OrderStatus
from domain.pricing import Price
from domain.promo import GIVEN_BACK_FROM
from domain.proof import ProofKind
from schema.messages import order as message
from schema.messages.order import Changes, Placing, Transition, Who
from schema.queries import (
    admin,
    assignments,
    bookings,
    carts,
    disputes,
    live_orders,
    notifications,
    payments,
    promos,
    stock,
    webhook_events,
)
from schema.queries.notifications import Parties
from schema.tables import Chef, Order, OrderItem, OrderNumber, OrderStatusHistory, Payment

# The column that remembers when an order came to a status.
_MOMENTS = {
    OrderStatus.PAYMENT_CONFIRMED: "paid_at",
    OrderStatus.ACCEPTED: "accepted_at",
    OrderStatus.READY_FOR_PICKUP: "prepared_at",
    OrderStatus.ASSIGNED_TO_DRIVER: "assigned_at",
    OrderStatus.PICKED_UP: "picked_up_at",
    OrderStatus.DELIVERED: "delivered_at",
    OrderStatus.CANCELLED: "cancelled_at",
}

# Changes that are columns of the order itself (what was captured is the payment's, what the chef
# said is for his prep times to be learned from).
_CHANGEABLE = frozenset(Changes.model_fields) - {"captured_cents", "said_minutes", "kitchen_load"}

# In the order of `Parties`.
_PARTIES = (
    col(Order.id),
    col(Order.order_number),
    col(Order.customer_id),
    col(Order.driver_id),
    col(Chef.user_id),
    col(Chef.business_name),
    func.coalesce(Order.timezone, Chef.timezone),
    col(Order.total_cents),
    col(Order.currency),
    col(Order.estimated_delivery_at),
)


class OutOfStep(Exception):
    """An order's row is not where its history says it is: somebody else has written it."""


async def begin(session: AsyncSession, placing: Placing) -> message.Order:
    """Write a new order with its items and first step; the same again if it is written already.

    Its code, where it asks for one, is made here, so that no message ever holds it.
    Its cart is emptied, and its portions and its place in the kitchen are taken, with it or not at
    all. Raises promos.NotRedeemed when its promo code does not apply any more, and CannotBePlaced
    when somebody else was faster.
    """
    written = await load(session, placing.order.id)
    if written is not None:
        return written
    if placing.cart is not None:
        await carts.turn_into_order(session, placing.cart)
    counted = await stock.take(session, placing)
    await stock.take_place(session, placing)
    at = placing.order.placed_at
    # All orders of a day wait for each other from here on: not for one kitchen's dishes, too.
    number = await _next_number(session, at)
    session.add(_row(placing, number))
    await session.flush()
    await promos.redeem(session, placing.order)
    session.add_all(
        OrderItem(
            order_id=placing.order.id,
            took_stock=line.menu_item_id in counted,
            **line.model_dump(mode="json"),
        )
        for line in placing.lines
    )
    by = Who(role=Actor.CUSTOMER, id=placing.order.customer_id)
    first = Transition(
        order_id=placing.order.id,
        sequence=1,
        was=None,
        to=OrderStatus.PENDING,
        by=by,
        at=at,
        changes=Changes(
            estimated_ready_at=placing.order.estimated_ready_at,
            estimated_pickup_at=placing.order.estimated_pickup_at,
            estimated_delivery_at=placing.order.estimated_delivery_at,
        ),
    )
    await session.execute(insert(OrderStatusHistory).values(_history_values(first)))
    return placing.order.model_copy(update={"number": number, "sequence": 1})


async def record(session: AsyncSession, step: Transition) -> Transition:
    """Write one step, with everything that belongs to it, unless its number is taken already.

    Returns the step that has the number: this one, or the one that a workflow task had committed
    before it was lost. Raises OutOfStep when the row is not where the step begins, and
    OfferGone when the step takes an offer that is no longer open.
    """
    if step.to is OrderStatus.ASSIGNED_TO_DRIVER:
        step = await assignments.with_bonus(session, step)
    claimed = await session.execute(
        insert(OrderStatusHistory)
        .values(_history_values(step))
        .on_conflict_do_nothing(index_elements=["order_id", "sequence"])
        .returning(col(OrderStatusHistory.id))
    )
    if claimed.first() is None:
        return (await steps_after(session, step.order_id, step.sequence - 1))[0]
    is_by_admin = step.by.role is Actor.ADMIN
    had = await _driver_of(session, step.order_id) if is_by_admin else None
    moved = await _move(session, step)
    if step.to is OrderStatus.ASSIGNED_TO_DRIVER:
        await assignments.take(session, step)
    elif step.was in IN_HAND and (step.to is OrderStatus.CANCELLED or _gives_back(step)):
        await assignments.release(session, step)
    if step.to is OrderStatus.CANCELLED and step.was in GIVEN_BACK_FROM:
        await stock.give_back(session, step.order_id)
        await promos.give_back(session, step)
    if step.changes.captured_cents is not None:
        await payments.note_paid(session, step.order_id, step.changes.captured_cents)
    await bookings.step(session, step)
    if step.to is OrderStatus.DELIVERED and step.was is not OrderStatus.DISPUTED:
        await _count_delivered(session, step.order_id)
    if is_by_admin:
        await admin.note(session, step, drivers=(had, moved.driver_id))
    if step.was is not OrderStatus.DISPUTED or step.to is not OrderStatus.DELIVERED:
        await notifications.tell(
            session, step.to, moved, key=f"{step.sequence}", reason=step.reason
        )
    await webhook_events.of_step(session, step)
    return step


async def steps_after(session: AsyncSession, order_id: UUID, sequence: int) -> list[Transition]:
    """The steps of an order that follow number `sequence`, in order."""
    rows = await session.scalars(
        select(OrderStatusHistory)
        .where(
            col(OrderStatusHistory.order_id) == order_id,
            col(OrderStatusHistory.sequence) > sequence,
        )
        .order_by(col(OrderStatusHistory.sequence))
    )
    return [
        Transition(
            order_id=row.order_id,
            sequence=row.sequence,
            was=row.was,
            to=row.status,
            by=Who(role=row.actor, id=row.created_by),
            at=row.created_at,
            reason=row.notes,
            changes=Changes.model_validate(row.changes),
        )
        for row in rows
    ]


async def load(session: AsyncSession, order_id: UUID) -> message.Order | None:
    """What a workflow needs to take up an order, or None when there is no such order."""
    found = await session.execute(
        select(Order, col(Chef.business_name), Payment)
        .join(Chef, col(Chef.id) == col(Order.chef_id))
        .outerjoin(Payment, col(Payment.order_id) == col(Order.id))
        .where(col(Order.id) == order_id)
    )
    row = found.first()
    if row is None:
        return None
    known = {
        "disputes_over": await disputes.over_for(session, order_id),
        "disputes_open": await disputes.open_for(session, order_id),
    }
    return _message(*row).model_copy(update=known)


async def parties(session: AsyncSession, order_id: UUID) -> Parties:
    """Whom an order concerns."""
    found = await session.execute(
        select(*_PARTIES)
        .join(Chef, col(Chef.id) == col(Order.chef_id))
        .where(col(Order.id) == order_id)
    )
    return Parties._make(found.one())


async def set_price(session: AsyncSession, order_id: UUID, price: Price) -> None:
    """Write an order's bill anew, since the tip has changed."""
    await session.execute(update(Order).where(col(Order.id) == order_id).values(**asdict(price)))


async def mark_near_door(
    session: AsyncSession, order_id: UUID, at: datetime, delivery_at: datetime | None
) -> None:
    """Remember when the driver first came near the door, and when he is now expected at it, and
    have everybody told.
    """
    expected = {} if delivery_at is None else {"estimated_delivery_at": delivery_at}
    marked = await session.execute(
        update(Order)
        .where(col(Order.id) == order_id, col(Order.near_door_at).is_(None))
        .values(near_door_at=at, **expected)
        .returning(col(Order.id))
    )
    if marked.first() is not None:
        await live_orders.expected_anew(session, order_id, cause="near", at=at)


async def _count_delivered(session: AsyncSession, order_id: UUID) -> None:
    chef = select(col(Order.chef_id)).where(col(Order.id) == order_id).scalar_subquery()
    await session.execute(
        update(Chef)
        .where(col(Chef.id) == chef)
        .values(total_orders=Chef.total_orders + 1)
        .execution_options(synchronize_session=False)
    )


async def _next_number(session: AsyncSession, at: datetime) -> str:
    day = f"{at:%Y%m%d}"
    counted = await session.execute(
        insert(OrderNumber)
        .values(day=day, last=1)
        .on_conflict_do_update(index_elements=["day"], set_={"last": OrderNumber.last + 1})
        .returning(col(OrderNumber.last))
    )
    return f"RND-{day}-{counted.scalar_one():04d}"


def _gives_back(step: Transition) -> bool:
    """Whether an order loses its driver by a step, and waits for another."""
    return (step.was, step.to) == (OrderStatus.ASSIGNED_TO_DRIVER, OrderStatus.READY_FOR_PICKUP)


async def _driver_of(session: AsyncSession, order_id: UUID) -> UUID | None:
    """Who has an order, which nobody else writes to from here on."""
    return await session.scalar(
        select(col(Order.driver_id))
        .where(col(Order.id) == order_id)
        .with_for_update(key_share=True)
    )


async def _move(session: AsyncSession, step: Transition) -> Parties:
    values = {
        name: value
        for name, value in step.changes.model_dump(include=set(_CHANGEABLE)).items()
        if value is not None
    }
    # An order that is not disputed any more was delivered when it was.
    if step.to in _MOMENTS and step.was is not OrderStatus.DISPUTED:
        values[_MOMENTS[step.to]] = step.at
    if step.to is OrderStatus.CANCELLED:
        values |= {"cancelled_by": step.by.role, "cancel_reason": step.reason}
    if _gives_back(step):
        values |= {"driver_id": None, "driver_bonus_cents": 0}
    moved = await session.execute(
        update(Order)
        .where(
            col(Order.id) == step.order_id,
            col(Order.sequence) == step.sequence - 1,
            col(Order.status) == step.was,
            col(Chef.id) == col(Order.chef_id),
        )
        .values(status=step.to, sequence=step.sequence, **values)
        .returning(*_PARTIES)
        # Nobody holds the row as an object: there is nothing to bring up to date.
        .execution_options(synchronize_session=False)
    )
    row = moved.first()
    if row is None:
        raise OutOfStep(f"order {step.order_id} is not {step.was} at step {step.sequence - 1}")
    return Parties._make(row)


def _row(placing: Placing, number: str) -> Order:
    order, address = placing.order, placing.address
    return Order(
        id=order.id,
        order_number=number,
        customer_id=order.customer_id,
        chef_id=order.chef_id,
        market=order.market,
        timezone=order.timezone,
        status=OrderStatus.PENDING,
        sequence=1,
        **asdict(order.price),
        pickup_latitude=order.kitchen.latitude,
        pickup_longitude=order.kitchen.longitude,
        **{f"delivery_{name}": value for name, value in address.model_dump().items()},
        delivery_latitude=order.door.latitude,
        delivery_longitude=order.door.longitude,
        road_km=order.road_km,
        drive_seconds=order.drive_seconds,
        prep_minutes=order.prep_minutes,
        instructions=placing.instructions,
        scheduled_for=order.scheduled_for,
        promo_code=order.promo_code,
        proof_kind=order.proof_kind,
        delivery_code=_new_code() if order.proof_kind is ProofKind.CODE else None,
        estimated_ready_at=order.estimated_ready_at,
        estimated_pickup_at=order.estimated_pickup_at,
        estimated_delivery_at=order.estimated_delivery_at,
        created_at=order.placed_at,
    )


def _message(row: Order, kitchen_name: str, payment: Payment | None) -> message.Order:
    return message.Order(
        id=row.id,
        number=row.order_number,
        customer_id=row.customer_id,
        chef_id=row.chef_id,
        market=row.market,
        timezone=row.timezone,
        kitchen_name=kitchen_name,
        kitchen=Point(row.pickup_latitude, row.pickup_longitude),
        door=Point(row.delivery_latitude, row.delivery_longitude),
        road_km=row.road_km,
        drive_seconds=row.drive_seconds,
        price=Price(**{name: getattr(row, name) for name in Price.__dataclass_fields__}),
        prep_minutes=row.prep_minutes,
        placed_at=row.created_at,
        scheduled_for=row.scheduled_for,
        status=row.status,
        sequence=row.sequence,
        driver_id=row.driver_id,
        estimated_ready_at=row.estimated_ready_at,
        estimated_pickup_at=row.estimated_pickup_at,
        estimated_delivery_at=row.estimated_delivery_at,
        payment_intent_id=payment.stripe_payment_intent_id if payment else None,
        captured_cents=payment.captured_cents if payment else 0,
        kept_cents=row.kept_cents,
        refunded_cents=payment.refunded_cents if payment else 0,
        promised_tip_cents=row.promised_tip_cents,
        driver_bonus_cents=row.driver_bonus_cents,
        delivered_at=row.delivered_at,
        promo_code=row.promo_code,
        proof_kind=row.proof_kind,
    )


def _new_code() -> str:
    return f"{secrets.randbelow(10_000):04d}"


def _history_values(step: Transition) -> dict[str, object]:
    return {
        "id": uuid7(),
        "order_id": step.order_id,
        "sequence": step.sequence,
        "was": step.was,
        "status": step.to,
        "actor": step.by.role,
        "created_by": step.by.id,
        "notes": step.reason,
        "changes": step.changes.model_dump(mode="json", exclude_none=True),
        "created_at": step.at,
    }
