"""Every SQL statement about Idempotency-Keys."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from schema.tables import IdempotencyKey
from schema.tables.columns import now


class Claim(NamedTuple):
    """What a key stands for."""

    order_id: UUID
    request_digest: str


async def find(session: AsyncSession, customer_id: UUID, key: str) -> Claim | None:
    """What a customer's key stands for, if it was used before."""
    found = await session.execute(
        select(col(IdempotencyKey.order_id), col(IdempotencyKey.request_digest)).where(
            col(IdempotencyKey.customer_id) == customer_id, col(IdempotencyKey.key) == key
        )
    )
    row = found.first()
    return None if row is None else Claim(*row)


async def claim(session: AsyncSession, customer_id: UUID, key: str, wanted: Claim) -> Claim:
    """Let a key stand for an order; answers with what it stood for already, if it did."""
    await session.execute(
        insert(IdempotencyKey)
        .values(
            customer_id=customer_id,
            key=key,
            order_id=wanted.order_id,
            request_digest=wanted.request_digest,
            created_at=now(),
        )
        .on_conflict_do_nothing(index_elements=["customer_id", "key"])
    )
    return await find(session, customer_id, key) or wanted


async def forget(session: AsyncSession, customer_id: UUID, order_id: UUID) -> None:
    """Let nothing stand for an order that never came to be."""
    await session.execute(
        delete(IdempotencyKey).where(
            col(IdempotencyKey.customer_id) == customer_id, col(IdempotencyKey.order_id) == order_id
        )
    )
