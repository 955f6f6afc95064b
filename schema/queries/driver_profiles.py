"""Every SQL statement about who drives for us, with what, and whether he may."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.verification import Verification
from schema.queries.notifications import DriverParty
from schema.tables import Driver, User, UserProfile


class Profile(NamedTuple):
    """A driver, his name, and how to reach him."""

    driver: Driver
    first_name: str
    last_name: str
    email: str
    phone: str | None

    @property
    def party(self) -> DriverParty:
        """Whom to tell."""
        return DriverParty(
            self.driver.id, self.driver.user_id, f"{self.first_name} {self.last_name}"
        )


async def register(session: AsyncSession, driver: Driver) -> bool:
    """Write a new driver; False when the user is one already."""
    written = await session.execute(
        insert(Driver)
        .values(**driver.model_dump())
        .on_conflict_do_nothing(index_elements=["user_id"])
        .returning(col(Driver.id))
    )
    return written.first() is not None


async def profile(session: AsyncSession, driver_id: UUID) -> Profile | None:
    """A driver as he stands."""
    found = await session.execute(_profiles().where(col(Driver.id) == driver_id))
    row = found.first()
    return None if row is None else Profile(*row)


async def locked(session: AsyncSession, driver_id: UUID) -> Profile | None:
    """A driver whose standing, documents and shifts nobody else changes until this transaction
    ends. Offers to him may be made and taken meanwhile.
    """
    found = await session.execute(
        _profiles().where(col(Driver.id) == driver_id).with_for_update(key_share=True, of=Driver)
    )
    row = found.first()
    return None if row is None else Profile(*row)


async def page(
    session: AsyncSession,
    *,
    status: Sequence[Verification],
    search: str | None,
    limit: int,
    offset: int,
) -> tuple[list[Profile], int]:
    """A page of the drivers in one of the standings (or in any), by name or email address if asked
    for, those who came last first; and how many there are.
    """
    wanted = _chosen(status, search)
    total = await session.scalar(select(func.count()).select_from(wanted.subquery()))
    found = await session.execute(
        wanted.order_by(col(Driver.created_at).desc(), col(Driver.id).desc())
        .limit(limit)
        .offset(offset)
    )
    return [Profile(*row) for row in found], total or 0


def chosen(
    status: Sequence[Verification], search: str | None
) -> Select[Driver, str, str, str, str | None]:
    """All drivers of such a page, those who came last first."""
    return _chosen(status, search).order_by(col(Driver.created_at).desc(), col(Driver.id).desc())


async def change(session: AsyncSession, driver_id: UUID, values: Mapping[str, object]) -> None:
    """Write down what is otherwise about a driver."""
    await session.execute(update(Driver).where(col(Driver.id) == driver_id).values(**values))


def off_duty() -> dict[str, object]:
    """What is otherwise about a driver who is not to be asked any more."""
    return {"is_available": False, "on_duty_since": None}


def may_deliver(today: date) -> ColumnElement[bool]:
    """Which drivers may deliver: let in, and nothing that they must show has expired."""
    return (col(Driver.verification_status) == Verification.APPROVED) & or_(
        col(Driver.documents_expire_on).is_(None), col(Driver.documents_expire_on) >= today
    )


def _profiles() -> Select[Driver, str, str, str, str | None]:
    return (
        select(
            Driver,
            col(UserProfile.first_name),
            col(UserProfile.last_name),
            col(User.email),
            col(UserProfile.phone),
        )
        .join(User, col(User.id) == col(Driver.user_id))
        .join(UserProfile, col(UserProfile.user_id) == col(Driver.user_id))
    )


def _chosen(
    status: Sequence[Verification], search: str | None
) -> Select[Driver, str, str, str, str | None]:
    wanted = _profiles()
    if status:
        wanted = wanted.where(col(Driver.verification_status).in_(status))
    if search:
        name = UserProfile.first_name + " " + UserProfile.last_name
        wanted = wanted.where(
            or_(
                func.lower(name).contains(search.lower(), autoescape=True),
                func.lower(User.email).contains(search.lower(), autoescape=True),
            )
        )
    return wanted
