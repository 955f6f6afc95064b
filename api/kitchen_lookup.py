"""A kitchen as it stands, gathered for its chef or for an operator."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.auth import Principal
from api.dependencies import Services
from api.errors import not_found
from api.kitchens import KitchenProfileOut, kitchen_profile
from schema.queries import chef_documents, chef_profiles
from schema.queries.chef_profiles import Profile
from schema.tables import Chef


async def chef_of(held: Services, who: Principal) -> UUID:
    """The chef that the caller is; 404 where he has no kitchen."""
    async with held.database.read() as session:
        chef_id = await chef_profiles.chef_of(session, who.user_id)
    if chef_id is None:
        raise not_found("kitchen of yours")
    return chef_id


async def kitchen_of(session: AsyncSession, chef_id: UUID) -> Chef:
    """A chef's kitchen; 404 where there is no such chef."""
    found = await session.get(Chef, chef_id)
    if found is None:
        raise not_found("chef")
    return found


async def locked(session: AsyncSession, chef_id: UUID) -> Profile:
    """As `chef_profiles.locked`; 404 where there is no such chef."""
    found = await chef_profiles.locked(session, chef_id)
    if found is None:
        raise not_found("chef")
    return found


async def profile_of(held: Services, chef_id: UUID) -> KitchenProfileOut:
    """A kitchen, in two statements; 404 where there is none."""
    async with held.database.read() as session:
        found = await chef_profiles.profile(session, chef_id)
        if found is None:
            raise not_found("chef")
        documents = await chef_documents.of(session, chef_id)
    return kitchen_profile(held.settings, found, documents, datetime.now(UTC))
