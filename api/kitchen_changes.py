"""The one way in which a chef's kitchen and menus are changed."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.dependencies import Services
from providers.kitchen_pages import KitchenPages


@asynccontextmanager
async def kitchen_change(held: Services, chef_id: UUID) -> AsyncIterator[AsyncSession]:
    """A transaction that changes what customers see of a chef: kitchen, menus, dishes.

    No page of before is seen once it is committed. What the chef is found by needs nothing: the
    database keeps it (migration 0021).
    """
    pages = KitchenPages(held.redis)
    async with AsyncExitStack() as around, held.database.write() as session:
        yield session
        # Entered within the transaction and left after it: its commit lies between.
        await around.enter_async_context(pages.changing(chef_id))
