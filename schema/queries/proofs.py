"""Every SQL statement about what shows that an order was handed over."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.order_status import OrderStatus
from domain.proof import Asked, ProofKind
from schema.tables import DeliveryPhoto, Order, WrongCode
from schema.tables.columns import now


class Handover(NamedTuple):
    """Where an order stands on its way to the door, with whom, and what it asks for there."""

    status: OrderStatus
    driver_id: UUID | None
    asked: Asked


async def wanted(session: AsyncSession, order_id: UUID) -> tuple[ProofKind, str | None]:
    """Which proof an order asks for, and the code that its customer is shown, if it is a code."""
    found = await session.execute(
        select(col(Order.proof_kind), col(Order.delivery_code)).where(col(Order.id) == order_id)
    )
    kind, code = found.one()
    return kind, code


async def handover(session: AsyncSession, order_id: UUID) -> Handover:
    """How a handover stands; nothing else changes it until the session's transaction ends."""
    found = await session.execute(
        select(
            col(Order.status),
            col(Order.driver_id),
            col(Order.proof_kind),
            col(Order.delivery_code),
        )
        .where(col(Order.id) == order_id)
        .with_for_update(key_share=True)
    )
    status, driver_id, kind, code = found.one()
    wrong = await session.scalars(
        select(col(WrongCode.code)).where(col(WrongCode.order_id) == order_id)
    )
    has_photo = driver_id is not None and await photo_by(session, order_id, driver_id) is not None
    return Handover(status, driver_id, Asked(kind, code, frozenset(wrong), has_photo))


async def note_wrong_code(
    session: AsyncSession, order_id: UUID, driver_id: UUID, code: str
) -> None:
    """Remember a wrong code, once."""
    await session.execute(
        insert(WrongCode)
        .values(order_id=order_id, code=code, driver_id=driver_id, created_at=now())
        .on_conflict_do_nothing()
    )


async def photo_by(session: AsyncSession, order_id: UUID, driver_id: UUID) -> DeliveryPhoto | None:
    """The newest photo of an order that a driver has sent."""
    found = await session.scalars(
        _newest(order_id).where(col(DeliveryPhoto.driver_id) == driver_id).limit(1)
    )
    return found.first()


async def photo_of(session: AsyncSession, order_id: UUID) -> DeliveryPhoto | None:
    """The newest photo of an order by the driver who has it, or has delivered it."""
    found = await session.scalars(
        _newest(order_id)
        .join(Order, col(Order.id) == col(DeliveryPhoto.order_id))
        .where(col(DeliveryPhoto.driver_id) == col(Order.driver_id))
        .limit(1)
    )
    return found.first()


async def same_photo(
    session: AsyncSession, order_id: UUID, driver_id: UUID, digest: str
) -> DeliveryPhoto | None:
    """The photo of an order that a driver has sent with just this content."""
    return await session.scalar(
        select(DeliveryPhoto).where(
            col(DeliveryPhoto.order_id) == order_id,
            col(DeliveryPhoto.driver_id) == driver_id,
            col(DeliveryPhoto.digest) == digest,
        )
    )


async def photos_by(session: AsyncSession, order_id: UUID, driver_id: UUID) -> int:
    """How many photos of an order a driver has sent."""
    counted = await session.scalar(
        select(func.count()).where(
            col(DeliveryPhoto.order_id) == order_id, col(DeliveryPhoto.driver_id) == driver_id
        )
    )
    return counted or 0


def _newest(order_id: UUID) -> Select[DeliveryPhoto]:
    return (
        select(DeliveryPhoto)
        .where(col(DeliveryPhoto.order_id) == order_id)
        .order_by(col(DeliveryPhoto.created_at).desc(), col(DeliveryPhoto.id).desc())
    )
