"""Every SQL statement about who cooks for us, and whether he may."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.verification import Verification
from schema.queries.notifications import KitchenParty
from schema.tables import Chef, ConnectedAccount, User, UserProfile


class Profile(NamedTuple):
    """A chef, his name, how to reach him, and whether money that is sent to him arrives."""

    chef: Chef
    first_name: str
    last_name: str
    email: str
    phone: str | None
    can_be_paid: bool

    @property
    def party(self) -> KitchenParty:
        """Whom to tell."""
        return KitchenParty(self.chef.id, self.chef.user_id, self.chef.business_name)


async def apply(session: AsyncSession, chef: Chef) -> bool:
    """Write a new chef; False when the user is one already."""
    written = await session.execute(
        insert(Chef)
        .values(**chef.model_dump())
        .on_conflict_do_nothing(index_elements=["user_id"])
        .returning(col(Chef.id))
    )
    return written.first() is not None


async def chef_of(session: AsyncSession, user_id: UUID) -> UUID | None:
    """The chef that a user is."""
    return await session.scalar(select(col(Chef.id)).where(col(Chef.user_id) == user_id))


async def profile(session: AsyncSession, chef_id: UUID) -> Profile | None:
    """A chef as he stands."""
    found = await session.execute(_profiles().where(col(Chef.id) == chef_id))
    row = found.first()
    return None if row is None else Profile(*row)


async def locked(session: AsyncSession, chef_id: UUID) -> Profile | None:
    """A chef whose kitchen, standing, documents and menus nobody else changes until this
    transaction ends. Orders come meanwhile.
    """
    found = await session.execute(
        _profiles()
        .where(col(Chef.id) == chef_id)
        .with_for_update(key_share=True, of=Chef)
        .execution_options(populate_existing=True)
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
    """A page of the chefs in one of the standings (or in any), by the name of kitchen or chef or by
    email address if asked for, those who came last first; and how many there are.
    """
    wanted = _profiles()
    if status:
        wanted = wanted.where(col(Chef.verification_status).in_(status))
    if search:
        name = UserProfile.first_name + " " + UserProfile.last_name
        wanted = wanted.where(
            or_(
                *(
                    func.lower(said).contains(search.lower(), autoescape=True)
                    for said in (Chef.business_name, name, User.email)
                )
            )
        )
    total = await session.scalar(select(func.count()).select_from(wanted.subquery()))
    found = await session.execute(
        wanted.order_by(col(Chef.created_at).desc(), col(Chef.id).desc())
        .limit(limit)
        .offset(offset)
    )
    return [Profile(*row) for row in found], total or 0


async def change(session: AsyncSession, chef_id: UUID, values: Mapping[str, object]) -> None:
    """Write down what is otherwise about a kitchen."""
    if values:
        await session.execute(update(Chef).where(col(Chef.id) == chef_id).values(**values))


def _profiles() -> Select[Chef, str, str, str, str | None, bool]:
    return (
        select(
            Chef,
            col(UserProfile.first_name),
            col(UserProfile.last_name),
            col(User.email),
            col(UserProfile.phone),
            func.coalesce(
                col(ConnectedAccount.details_submitted) & col(ConnectedAccount.payouts_enabled),
                False,
            ),
        )
        .join(User, col(User.id) == col(Chef.user_id))
        .join(UserProfile, col(UserProfile.user_id) == col(Chef.user_id))
        .outerjoin(ConnectedAccount, col(ConnectedAccount.payee_id) == col(Chef.id))
    )
