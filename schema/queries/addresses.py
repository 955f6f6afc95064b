"""Every SQL statement about the addresses that people keep.

Who has any has one default: the first that he keeps, until he names another.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import UnaryExpression, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from schema.queries import people
from schema.tables import Address

# More than anybody moves house.
MOST = 50


class TooMany(Exception):
    """Somebody keeps as many addresses as anybody may."""


async def of(session: AsyncSession, user_id: UUID, address_id: UUID) -> Address | None:
    """An address, if it is this user's."""
    return await session.scalar(
        select(Address).where(col(Address.id) == address_id, col(Address.user_id) == user_id)
    )


async def listed(session: AsyncSession, user_id: UUID) -> Sequence[Address]:
    """A user's addresses, the default first, then the newest first."""
    found = await session.scalars(
        select(Address)
        .where(col(Address.user_id) == user_id)
        .order_by(col(Address.is_default).desc(), *_newest())
    )
    return found.all()


async def add(session: AsyncSession, wanted: Address) -> Address:
    """Keep another address; one that says the same is the answer to the same request.

    Raises TooMany.
    """
    await people.lock(session, wanted.user_id)
    known = await listed(session, wanted.user_id)
    same = next((row for row in known if _said(row) == _said(wanted)), None)
    if same is not None:
        if wanted.is_default:
            await _make_default(session, same)
        return same
    if len(known) >= MOST:
        raise TooMany
    is_default, wanted.is_default = wanted.is_default or not known, False
    session.add(wanted)
    await session.flush()
    if is_default:
        await _make_default(session, wanted)
    return wanted


async def change(
    session: AsyncSession,
    user_id: UUID,
    address_id: UUID,
    values: Mapping[str, object],
    *,
    make_default: bool,
) -> Address | None:
    """Let an address of a user's be another; None where it is not his."""
    await people.lock(session, user_id)
    row = await of(session, user_id, address_id)
    if row is None:
        return None
    row.sqlmodel_update(dict(values))
    await session.flush()
    if make_default:
        await _make_default(session, row)
    return row


async def remove(session: AsyncSession, user_id: UUID, address_id: UUID) -> bool:
    """Keep an address no more; the newest of the others follows it as the default. False where it
    is not his.
    """
    await people.lock(session, user_id)
    gone = await session.execute(
        delete(Address)
        .where(col(Address.id) == address_id, col(Address.user_id) == user_id)
        .returning(col(Address.is_default))
    )
    was_default = gone.scalar_one_or_none()
    if was_default:
        newest = await session.scalar(
            select(Address).where(col(Address.user_id) == user_id).order_by(*_newest()).limit(1)
        )
        if newest is not None:
            await _make_default(session, newest)
    return was_default is not None


async def _make_default(session: AsyncSession, row: Address) -> None:
    await session.execute(
        update(Address)
        .where(
            col(Address.user_id) == row.user_id,
            col(Address.is_default),
            col(Address.id) != row.id,
        )
        .values(is_default=False)
    )
    row.is_default = True
    await session.flush()


def _newest() -> tuple[UnaryExpression[Any], ...]:
    return (col(Address.created_at).desc(), col(Address.id).desc())


def _said(row: Address) -> dict[str, object]:
    return row.model_dump(exclude={"id", "user_id", "is_default", "created_at"})
