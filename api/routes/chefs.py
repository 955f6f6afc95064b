"""Whose food there is."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api import menus, views
from api.dependencies import PagingDep, Services, ServicesDep
from api.errors import not_found, problems
from api.menus import MenuOut
from api.permits import Anyone
from api.views import ChefOut, Page
from schema.queries import choices, kitchens
from schema.tables import Chef

router = APIRouter(prefix="/chefs", tags=["Chefs"], dependencies=[Anyone])


@router.get("", responses=problems(HTTPStatus.UNPROCESSABLE_ENTITY))
async def list_chefs(
    held: ServicesDep,
    paging: PagingDep,
    cuisine: Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")] = None,
    search: Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")] = None,
) -> Page[ChefOut]:
    """List the chefs, the best rated first. `search` looks in name and description."""
    async with held.database.read() as session:
        rows, total = await kitchens.chefs(
            session, cuisine=cuisine, search=search, limit=paging.limit, offset=paging.offset
        )
    return Page(
        data=[_chef(held, row) for row in rows],
        page=paging.page,
        limit=paging.limit,
        total=total,
    )


@router.get("/{chef_id}", responses=problems(HTTPStatus.NOT_FOUND))
async def get_chef(held: ServicesDep, chef_id: UUID) -> ChefOut:
    """Look at one chef: where the kitchen is, when it is open, how far it delivers."""
    async with held.database.read() as session:
        row = await kitchens.chef(session, chef_id)
    if row is None:
        raise not_found("chef")
    return _chef(held, row)


@router.get("/{chef_id}/menu", responses=problems(HTTPStatus.NOT_FOUND))
async def get_menu(held: ServicesDep, chef_id: UUID) -> list[MenuOut]:
    """Read a chef's menus. Dishes with `isAvailable: false` cannot be ordered today."""
    async with held.database.read() as session:
        if await kitchens.chef(session, chef_id) is None:
            raise not_found("chef")
        rows = await kitchens.menu(session, chef_id)
        found = await choices.of_dishes(session, [item.id for _, item in rows])
    return menus.menus(rows, found)


def _chef(held: Services, row: Chef) -> ChefOut:
    return views.chef(held.settings, row, datetime.now(UTC))
