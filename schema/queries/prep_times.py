"""Every SQL statement about how long kitchens need."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, aliased
from sqlmodel import col

from domain.eta import City
from domain.order_status import OrderStatus
from domain.prep_time import WINDOW, Cooked, Since
from schema.tables import Order, OrderStatusHistory

_COOKING = (OrderStatus.ACCEPTED, OrderStatus.PREPARING)
_TOLD = (*_COOKING, OrderStatus.READY_FOR_PICKUP)


class AtHand(NamedTuple):
    """An order as its kitchen sees it: the menu's minutes, other orders in hand, and whether the
    chef has given his word when he took it on.
    """

    chef_id: UUID
    menu_minutes: int
    load: int
    said: bool


async def load(session: AsyncSession, chef_id: UUID) -> int:
    """How many orders a kitchen has in hand."""
    return await session.scalar(_in_hand(chef_id)) or 0


async def at_hand(session: AsyncSession, order_id: UUID) -> AtHand | None:
    """An order that its chef is about to take on, or to begin."""
    said = exists().where(
        col(OrderStatusHistory.order_id) == order_id,
        col(OrderStatusHistory.status) == OrderStatus.ACCEPTED,
        col(OrderStatusHistory.changes).op("?")("said_minutes"),
    )
    found = await session.execute(
        select(
            col(Order.chef_id),
            col(Order.prep_minutes),
            _in_hand(col(Order.chef_id), but=order_id).scalar_subquery(),
            said,
        ).where(col(Order.id) == order_id)
    )
    row = found.first()
    return None if row is None else AtHand(*row)


async def cooked(session: AsyncSession, chef_id: UUID, city: City) -> list[Cooked]:
    """The latest orders that a kitchen had ready, the oldest first; `domain.prep_time.WINDOW`.

    Scheduled ones are left out: they lie accepted until their time has come.
    """
    latest = (
        select(
            col(Order.id), col(Order.prep_minutes), col(Order.created_at), col(Order.prepared_at)
        )
        .where(
            col(Order.chef_id) == chef_id,
            col(Order.accepted_at).is_not(None),
            col(Order.prepared_at).is_not(None),
            col(Order.scheduled_for).is_(None),
        )
        .order_by(col(Order.prepared_at).desc())
        .limit(WINDOW)
        .subquery()
    )
    step = OrderStatusHistory
    found = await session.execute(
        select(latest.c.id, latest.c.prep_minutes, latest.c.created_at, step)
        .join(step, (col(step.order_id) == latest.c.id) & col(step.status).in_(_TOLD))
        .order_by(latest.c.prepared_at, latest.c.id, col(step.sequence))
    )
    return [
        _cooked(menu, placed_at, [row[3] for row in rows], city)
        for (_, menu, placed_at), rows in groupby(found, key=lambda row: tuple(row[:3]))
    ]


def _in_hand(chef_id: UUID | Mapped[UUID], but: UUID | None = None) -> Select[Any]:
    other = aliased(Order)
    return select(func.count()).where(
        col(other.chef_id) == chef_id,
        col(other.status).in_(_COOKING),
        col(other.id).is_distinct_from(but),
    )


def _cooked(
    menu: int, placed_at: datetime, steps: Sequence[OrderStatusHistory], city: City
) -> Cooked:
    first: dict[OrderStatus, OrderStatusHistory] = {}
    for step in steps:
        # A driver who gives an order back makes it ready once more.
        first.setdefault(step.status, step)
    ready_at = first[OrderStatus.READY_FOR_PICKUP].created_at

    def since(step: OrderStatusHistory) -> Since:
        return Since(
            city.minutes(ready_at - step.created_at),
            said=step.changes.get("said_minutes"),
            load=step.changes.get("kitchen_load"),
        )

    accepted, started = first[OrderStatus.ACCEPTED], first.get(OrderStatus.PREPARING)
    return Cooked(
        menu=menu,
        answering=city.minutes(accepted.created_at - placed_at),
        accepted=since(accepted),
        started=since(started) if started else None,
    )
