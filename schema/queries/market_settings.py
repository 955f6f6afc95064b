"""Every SQL statement about what operators change about markets."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from schema.tables import MarketSetting, Order

_Withdrawal = aliased(MarketSetting)


class Entry(NamedTuple):
    """A change, and the row that took it back before its time, if one did."""

    row: MarketSetting
    withdrawn: MarketSetting | None


class Placed(NamedTuple):
    """Where and when an order was placed."""

    market: str
    at: datetime


async def until(session: AsyncSession, market: str, at: datetime) -> Sequence[MarketSetting]:
    """The changes of a market that have taken effect at a moment, in the sequence in which they
    did; of those that begin together, whoever was later has the last word.
    """
    found = await session.scalars(
        _standing(market).where(col(MarketSetting.effective_from) <= at).order_by(*_SEQUENCE)
    )
    return found.all()


async def coming(session: AsyncSession, market: str, at: datetime) -> Sequence[MarketSetting]:
    """The changes of a market that have not taken effect yet, the next first."""
    found = await session.scalars(
        _standing(market).where(col(MarketSetting.effective_from) > at).order_by(*_SEQUENCE)
    )
    return found.all()


async def history(
    session: AsyncSession, market: str, *, limit: int, offset: int
) -> tuple[list[Entry], int]:
    """All that was ever said about a market, the latest first, and how much that is."""
    said = (col(MarketSetting.market) == market, col(MarketSetting.withdraws).is_(None))
    found = await session.execute(
        select(MarketSetting, _Withdrawal)
        .outerjoin(_Withdrawal, col(_Withdrawal.withdraws) == col(MarketSetting.id))
        .where(*said)
        .order_by(col(MarketSetting.id).desc())
        .limit(limit)
        .offset(offset)
    )
    total = await session.scalar(select(func.count()).select_from(MarketSetting).where(*said))
    return [Entry(row[0], row[1]) for row in found], total or 0


async def locked(session: AsyncSession, market: str, setting_id: UUID) -> Entry | None:
    """A change that nobody else withdraws until this transaction ends."""
    row = await session.scalar(
        select(MarketSetting)
        .where(
            col(MarketSetting.id) == setting_id,
            col(MarketSetting.market) == market,
            col(MarketSetting.withdraws).is_(None),
        )
        .with_for_update()
    )
    if row is None:
        return None
    withdrawn = await session.scalar(
        select(MarketSetting).where(col(MarketSetting.withdraws) == setting_id)
    )
    return Entry(row, withdrawn)


async def placed(session: AsyncSession, order_id: UUID) -> Placed | None:
    """Where and when an order was placed, if it was."""
    found = await session.execute(
        select(col(Order.market), col(Order.created_at)).where(col(Order.id) == order_id)
    )
    row = found.first()
    return None if row is None else Placed(*row)


async def of_all(session: AsyncSession) -> dict[str, list[MarketSetting]]:
    """The changes of each market, past and coming, in the sequence in which they take effect."""
    found: dict[str, list[MarketSetting]] = {}
    for row in await session.scalars(_STANDING.order_by(*_SEQUENCE)):
        found.setdefault(row.market, []).append(row)
    return found


_SEQUENCE = (col(MarketSetting.effective_from), col(MarketSetting.id))

_STANDING = select(MarketSetting).where(
    col(MarketSetting.withdraws).is_(None),
    ~select(col(_Withdrawal.id))
    .where(col(_Withdrawal.withdraws) == col(MarketSetting.id))
    .exists(),
)


def _standing(market: str) -> Select[MarketSetting]:
    return _STANDING.where(col(MarketSetting.market) == market)
