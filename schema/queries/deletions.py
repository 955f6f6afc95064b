"""Every SQL statement about accounts that end."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.kitchens import documents_folder
from domain.order_status import ENDED
from domain.photos import PUBLIC_FOLDER
from domain.refunds import RequestStatus
from schema.queries import driver_profiles, drivers, offers, search_words, sessions
from schema.queries.erasing import Statement
from schema.queries.holdings import HOLDINGS
from schema.queries.subjects import Subject
from schema.tables import (
    AccountDeletion,
    Chef,
    DeliveryPhoto,
    Dispute,
    Order,
    RefundRequest,
    Review,
    User,
)


class Files(NamedTuple):
    """What of the storage is somebody's: whole folders, and single files."""

    folders: Sequence[str]
    keys: Sequence[str]


async def one(session: AsyncSession, user_id: UUID) -> AccountDeletion | None:
    """The end of somebody's account, if he has asked for it."""
    return await session.get(AccountDeletion, user_id)


async def begin(
    session: AsyncSession, user_id: UUID, *, at: datetime, erase_at: datetime
) -> AccountDeletion:
    """Write down that an account is to end, and take its kitchen and driver out of work; what was
    written before stays.
    """
    await session.execute(
        insert(AccountDeletion)
        .values(user_id=user_id, requested_at=at, erase_at=erase_at)
        .on_conflict_do_nothing()
    )
    await _shut(session, user_id, at)
    found = await session.execute(
        select(AccountDeletion).where(col(AccountDeletion.user_id) == user_id)
    )
    return found.scalar_one()


async def take_back(session: AsyncSession, user_id: UUID) -> bool:
    """Let an account go on; False where it is closed. One that goes on already does."""
    await session.execute(
        delete(AccountDeletion).where(
            col(AccountDeletion.user_id) == user_id, col(AccountDeletion.closed_at).is_(None)
        )
    )
    return await session.get(AccountDeletion, user_id) is None


async def close(session: AsyncSession, user_id: UUID, at: datetime) -> AccountDeletion | None:
    """Let nobody in any more, unless something of his is still open, and end his sessions; how the
    deletion stands, None where it was taken back.
    """
    # Whoever writes down an order of his waits for this transaction, or this one for him.
    await session.execute(select(col(User.id)).where(col(User.id) == user_id).with_for_update())
    row = await session.get(AccountDeletion, user_id, with_for_update=True)
    if row is None or row.closed_at is not None:
        return row
    # Whoever has opened again meanwhile has had his time: nothing new begins.
    await _shut(session, user_id, at)
    if await _is_open(session, user_id):
        return row
    row.closed_at = at
    await sessions.end_all(session, user_id, at)
    await session.execute(
        update(User)
        .where(col(User.id) == user_id)
        # Closed is closed: nobody is let in again by having been suspended before.
        .values(is_active=False, suspended_at=None, suspension_reason=None, suspended_from=None)
    )
    return row


async def _shut(session: AsyncSession, user_id: UUID, at: datetime) -> None:
    await session.execute(
        update(Chef)
        .where(col(Chef.user_id) == user_id)
        .values(accepting_orders=False, is_online=False)
    )
    driver_id = await drivers.driver_of(session, user_id)
    if driver_id is not None:
        await driver_profiles.change(session, driver_id, driver_profiles.off_duty())
        await offers.withdraw_all(session, driver_id, reason="the driver leaves", at=at)


async def chef_of(session: AsyncSession, user_id: UUID) -> UUID | None:
    """The kitchen that is somebody's."""
    return await session.scalar(Subject(user_id).chefs)


async def files(session: AsyncSession, user_id: UUID) -> Files:
    """What of the storage is to be forgotten with somebody."""
    subject = Subject(user_id)
    chefs = (await session.scalars(subject.chefs)).all()
    said = select(col(Review.id)).where(col(Review.reviewer_id) == user_id)
    owners = [
        user_id,
        *chefs,
        *await session.scalars(subject.drivers),
        *await session.scalars(said),
    ]
    photos = await session.scalars(
        select(col(DeliveryPhoto.storage_key)).where(
            col(DeliveryPhoto.order_id).in_(subject.placed)
        )
    )
    pictures = [f"{PUBLIC_FOLDER}/{owner}" for owner in owners]
    return Files([*pictures, *map(documents_folder, chefs)], photos.all())


async def erase(session: AsyncSession, user_id: UUID) -> bool:
    """Forget somebody, table by table; False where something of his is open again. What is done
    already is done again to the same effect.
    """
    await session.execute(select(col(User.id)).where(col(User.id) == user_id).with_for_update())
    if await _is_open(session, user_id):
        return False
    for statement in erasing(Subject(user_id)):
        await session.execute(statement.execution_options(synchronize_session=False))
    return True


async def finish(session: AsyncSession, user_id: UUID, at: datetime) -> None:
    """Forget what is nobody's once the rest is committed, and write down that all is done."""
    if await chef_of(session, user_id) is not None:
        await search_words.forget_unused(session)
    await session.execute(
        update(AccountDeletion)
        .where(col(AccountDeletion.user_id) == user_id, col(AccountDeletion.erased_at).is_(None))
        .values(erased_at=at)
    )


def erasing(subject: Subject) -> list[Statement]:
    """All that is done to forget somebody, in the sequence of the register."""
    return [
        statement
        for holding in HOLDINGS.values()
        if holding.erase is not None
        for statement in holding.erase(subject)
    ]


async def _is_open(session: AsyncSession, user_id: UUID) -> bool:
    """Whether an order of somebody's is not over, as whoever he takes part in it, or somebody still
    has to decide about its money.
    """
    subject = Subject(user_id)
    open_things: list[ColumnElement[bool]] = [
        select(col(Order.id)).where(subject.takes_part, col(Order.status).not_in(ENDED)).exists(),
        select(col(Dispute.stripe_dispute_id))
        .where(col(Dispute.order_id).in_(subject.involved), col(Dispute.closed_at).is_(None))
        .exists(),
        select(col(RefundRequest.id))
        .where(
            col(RefundRequest.id).in_(subject.requests),
            col(RefundRequest.status).in_([RequestStatus.ASKED, RequestStatus.GRANTED]),
        )
        .exists(),
    ]
    return bool(await session.scalar(select(or_(*open_things))))
