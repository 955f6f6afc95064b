"""The one way in which a chef's kitchen and menus are changed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.dependencies import Services


@asynccontextmanager
async def kitchen_change(
    held: Services,
    chef_id: UUID,  # noqa: ARG001 - whose search entry and cached pages go with it
) -> AsyncIterator[AsyncSession]:
    """A transaction that changes what customers see of a chef: kitchen, menus, dishes."""
    async with held.database.write() as session:
        yield session
