"""Every SQL statement about portions that are counted, and about places in a kitchen.

Both are taken when an order is written. Portions are given back when it is cancelled before
cooking; a place becomes free by itself.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.placing import TAKES_A_PLACE, kitchen_full, needs_place, sold_out
from schema.messages.order import OrderLine, Placing
from schema.queries import locks
from schema.tables import Chef, MenuItem, Order, OrderItem


def wanted(lines: Sequence[OrderLine]) -> Counter[UUID]:
    """How many portions of each dish an order is for."""
    portions: Counter[UUID] = Counter()
    for line in lines:
        portions[line.menu_item_id] += line.quantity
    return portions


def check(dishes: Collection[MenuItem], portions: Mapping[UUID, int]) -> None:
    """Raise CannotBePlaced when of one of the dishes too little is left."""
    for dish in sorted(dishes, key=lambda dish: dish.id):
        if dish.stock is not None and dish.stock < portions.get(dish.id, 0):
            raise sold_out(dish.name, dish.id, dish.stock)


async def take(session: AsyncSession, placing: Placing) -> set[UUID]:
    """Take an order's portions of the dishes that are counted; which those are.

    Whoever else wants them waits, and has what is then left. Raises CannotBePlaced.
    """
    portions = wanted(placing.lines)
    dishes = await locks.counted_dishes(session, portions)
    check(dishes, portions)
    for dish in dishes:
        dish.stock = (dish.stock or 0) - portions[dish.id]
    await session.flush()
    return {dish.id for dish in dishes}


async def give_back(session: AsyncSession, order_id: UUID) -> None:
    """Give back what an order had taken, once."""
    taken = await session.execute(
        update(OrderItem)
        .where(col(OrderItem.order_id) == order_id, col(OrderItem.took_stock))
        .values(took_stock=False)
        .returning(col(OrderItem.menu_item_id), col(OrderItem.quantity))
        .execution_options(synchronize_session=False)
    )
    portions: Counter[UUID] = Counter()
    for dish_id, quantity in taken:
        portions[dish_id] += quantity
    # One whose portions nobody counts any more needs none back.
    for dish in await locks.counted_dishes(session, portions) if portions else []:
        dish.stock = (dish.stock or 0) + portions[dish.id]
    await session.flush()


async def counted_by(session: AsyncSession, order_id: UUID) -> UUID | None:
    """Whose menu tells otherwise, by an order that has taken or given back portions: its chef's, if
    any of its dishes is counted.
    """
    return await session.scalar(
        select(col(Order.chef_id))
        .join(OrderItem, col(OrderItem.order_id) == col(Order.id))
        .join(MenuItem, col(MenuItem.id) == col(OrderItem.menu_item_id))
        .where(col(Order.id) == order_id, col(MenuItem.stock).is_not(None))
        .limit(1)
    )


async def take_place(session: AsyncSession, placing: Placing) -> None:
    """Make sure that a kitchen has a place for a new order, until that is written.

    One that is scheduled needs none yet. Raises CannotBePlaced.
    """
    order = placing.order
    at = order.placed_at
    if not needs_place(order.scheduled_for, order.estimated_ready_at, order.prep_minutes, at):
        return
    chef = await locks.limited_kitchen(session, order.chef_id)
    if chef is None or chef.capacity is None:
        return
    if await _places_taken(session, chef.id, at, but=order.id) >= chef.capacity:
        raise kitchen_full(chef.business_name, chef.capacity)


async def check_place(session: AsyncSession, chef: Chef, now: datetime) -> None:
    """Raise CannotBePlaced when a kitchen is full as things stand; nothing is held."""
    if chef.capacity is None:
        return
    if await _places_taken(session, chef.id, now) >= chef.capacity:
        raise kitchen_full(chef.business_name, chef.capacity)


async def _places_taken(
    session: AsyncSession, chef_id: UUID, now: datetime, *, but: UUID | None = None
) -> int:
    """How many orders have a place in a kitchen: `domain.placing`."""
    cooked_from = col(Order.estimated_ready_at) - func.make_interval(
        0, 0, 0, 0, 0, col(Order.prep_minutes)
    )
    found = await session.scalar(
        select(func.count())
        .select_from(Order)
        .where(
            col(Order.chef_id) == chef_id,
            col(Order.status).in_(TAKES_A_PLACE),
            or_(col(Order.scheduled_for).is_(None), cooked_from <= now),
            col(Order.id).is_distinct_from(but),
        )
    )
    return found or 0
