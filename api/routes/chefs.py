"""Whose food there is."""

import json
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import TypeAdapter, ValidationError

from api import browse, menus, views
from api.browse import ChefQuery, FoundChefsOut, NearbyQuery
from api.dependencies import Services, ServicesDep
from api.errors import not_found, problems
from api.menus import MenuOut
from api.permits import Anyone
from api.views import ChefOut
from providers.kitchen_pages import KitchenPages, Page
from schema.queries import choices, kitchens
from schema.tables import Chef

router = APIRouter(prefix="/chefs", tags=["Chefs"], dependencies=[Anyone])

_menus = TypeAdapter(list[MenuOut])


@router.get("", responses=problems(HTTPStatus.UNPROCESSABLE_ENTITY))
async def list_chefs(held: ServicesDep, asked: Annotated[ChefQuery, Query()]) -> FoundChefsOut:
    """Look for chefs: by words, cuisine, dietary tag, rating, price, whether they are open now and
    deliver to a point. The best come first, or what `sort` says.
    """
    return await browse.chefs(held, asked)


@router.get("/nearby", responses=problems(HTTPStatus.UNPROCESSABLE_ENTITY))
async def list_nearby_chefs(
    held: ServicesDep, asked: Annotated[NearbyQuery, Query()]
) -> FoundChefsOut:
    """List the chefs around a point, the nearest first, whether they deliver there or not."""
    return await browse.nearby(held, asked)


@router.get("/{chef_id}", responses=problems(HTTPStatus.NOT_FOUND))
async def get_chef(held: ServicesDep, chef_id: UUID) -> ChefOut:
    """Look at one chef: where the kitchen is, when it is open, how far it delivers."""

    async def ask() -> str | None:
        async with held.database.read() as session:
            row = await kitchens.chef(session, chef_id)
        return None if row is None else row.model_dump_json()

    kept = await KitchenPages(held.redis).read(chef_id, Page.CHEF, ask)
    row = _chef(kept) or _chef(await ask())
    if row is None:
        raise not_found("chef")
    return views.chef(held.settings, row, datetime.now(UTC))


@router.get("/{chef_id}/menu", responses=problems(HTTPStatus.NOT_FOUND))
async def get_menu(held: ServicesDep, chef_id: UUID) -> list[MenuOut]:
    """Read a chef's menus. Dishes with `isAvailable: false` cannot be ordered today."""

    async def ask() -> str | None:
        found = await _menu(held, chef_id)
        return None if found is None else _menus.dump_json(found, by_alias=True).decode()

    kept = await KitchenPages(held.redis).read(chef_id, Page.MENU, ask)
    if kept is None:
        raise not_found("chef")
    try:
        return _menus.validate_json(kept)
    except ValidationError:
        # Another version of this code has kept it.
        return await _menu(held, chef_id) or []


async def _menu(held: Services, chef_id: UUID) -> list[MenuOut] | None:
    async with held.database.read() as session:
        if await kitchens.chef(session, chef_id) is None:
            return None
        rows = await kitchens.menu(session, chef_id)
        found = await choices.of_dishes(session, [item.id for _, item in rows])
    return menus.menus(rows, found)


def _chef(kept: str | None) -> Chef | None:
    """A row as it is kept; None if code with other columns has kept it."""
    fields = {} if kept is None else json.loads(kept)
    return Chef.model_validate(fields) if fields.keys() == Chef.model_fields.keys() else None
