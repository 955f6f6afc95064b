"""What chefs do with their menus."""

from datetime import UTC, datetime
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Request

from api import menu_changes, once, pictures
from api.chef_menus import ChefMenuItemOut, ChefMenuOut, item_of, menu_of, menus_of
from api.dependencies import ServicesDep
from api.errors import problems
from api.kitchen_changes import kitchen_change
from api.kitchen_lookup import chef_of
from api.menu_bodies import (
    ItemAvailabilityBody,
    MenuBody,
    MenuChangeBody,
    MenuItemBody,
    MenuItemChangeBody,
)
from api.once import OnceKey
from api.permits import MayReadMenus, MayWriteMenus
from schema.queries import menus

router = APIRouter(prefix="/chef", tags=["Chef"])

_LOOKING = problems(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
_CHANGES = _LOOKING | problems(HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY)


@router.get("/menus", responses=_LOOKING)
async def list_menus(held: ServicesDep, who: MayReadMenus) -> list[ChefMenuOut]:
    """Read all menus of the caller's kitchen, those that customers do not see included."""
    return await menus_of(held, await chef_of(held, who))


@router.post("/menus", status_code=HTTPStatus.CREATED, responses=_CHANGES)
async def add_menu(
    held: ServicesDep, who: MayWriteMenus, body: MenuBody, idempotency_key: OnceKey = None
) -> ChefMenuOut:
    """Add a menu, of which there are 20 at most."""
    chef_id = await chef_of(held, who)
    async with kitchen_change(held, chef_id) as session:
        made = await once.claimed(session, who.user_id, idempotency_key, "menu", body)
        if made.is_new:
            await menu_changes.add_menu(session, chef_id, made.id, body)
    return await menu_of(held, chef_id, made.id)


@router.put("/menus/{menu_id}", responses=_CHANGES)
async def change_menu(
    held: ServicesDep, who: MayWriteMenus, menu_id: UUID, body: MenuChangeBody
) -> ChefMenuOut:
    """Change a menu; one that is not active is not seen by customers."""
    chef_id = await chef_of(held, who)
    async with kitchen_change(held, chef_id) as session:
        await menu_changes.change_menu(session, chef_id, menu_id, body)
    return await menu_of(held, chef_id, menu_id)


@router.delete("/menus/{menu_id}", responses=_LOOKING)
async def remove_menu(held: ServicesDep, who: MayWriteMenus, menu_id: UUID) -> list[ChefMenuOut]:
    """Take a menu away with all its dishes; the answer is what is left. Orders stay as they are."""
    chef_id = await chef_of(held, who)
    async with kitchen_change(held, chef_id) as session:
        await menu_changes.remove_menu(session, chef_id, menu_id, datetime.now(UTC))
    return await menus_of(held, chef_id)


@router.post("/menu", status_code=HTTPStatus.CREATED, responses=_CHANGES)
async def add_item(
    held: ServicesDep, who: MayWriteMenus, body: MenuItemBody, idempotency_key: OnceKey = None
) -> ChefMenuItemOut:
    """Add a dish, with its choices; of dishes there are 500 at most."""
    chef_id = await chef_of(held, who)
    async with kitchen_change(held, chef_id) as session:
        made = await once.claimed(session, who.user_id, idempotency_key, "dish", body)
        if made.is_new:
            await menu_changes.add_item(session, chef_id, made.id, body)
    return await item_of(held, chef_id, made.id)


@router.put("/menu/{item_id}", responses=_CHANGES)
async def change_item(
    held: ServicesDep, who: MayWriteMenus, item_id: UUID, body: MenuItemChangeBody
) -> ChefMenuItemOut:
    """Change a dish. What is in customers' baskets costs the new price, and they are told."""
    chef_id = await chef_of(held, who)
    async with kitchen_change(held, chef_id) as session:
        await menu_changes.change_item(session, chef_id, item_id, body)
    return await item_of(held, chef_id, item_id)


@router.delete("/menu/{item_id}", responses=_LOOKING)
async def remove_item(held: ServicesDep, who: MayWriteMenus, item_id: UUID) -> list[ChefMenuOut]:
    """Take a dish off its menu; the answer is what is left. Orders stay as they are."""
    chef_id = await chef_of(held, who)
    async with kitchen_change(held, chef_id) as session:
        await menu_changes.item(session, chef_id, item_id, locked=True)
        await menus.change_item(
            session, item_id, {"deleted_at": datetime.now(UTC), "is_available": False}
        )
    return await menus_of(held, chef_id)


@router.put("/menu/{item_id}/availability", responses=_CHANGES)
async def set_item_availability(
    held: ServicesDep, who: MayWriteMenus, item_id: UUID, body: ItemAvailabilityBody
) -> ChefMenuItemOut:
    """Offer a dish or not, and count its portions. What is ordered meanwhile is not lost by
    `addStock`, and refused (`stock_changed`) by `stock` with `seenStock`.
    """
    chef_id = await chef_of(held, who)
    async with kitchen_change(held, chef_id) as session:
        await menu_changes.set_availability(session, chef_id, item_id, body)
    return await item_of(held, chef_id, item_id)


@router.put(
    "/menu/{item_id}/image",
    openapi_extra=pictures.REQUEST,
    responses=_CHANGES
    | problems(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def set_item_image(
    held: ServicesDep, who: MayWriteMenus, item_id: UUID, request: Request
) -> ChefMenuItemOut:
    """Show a picture of a dish, sent as the body itself (JPEG, PNG or WebP)."""
    chef_id = await chef_of(held, who)
    await item_of(held, chef_id, item_id)
    key = await pictures.keep(held, request, chef_id)
    async with kitchen_change(held, chef_id) as session:
        await menu_changes.item(session, chef_id, item_id, locked=True)
        await menus.change_item(session, item_id, {"image_key": key})
    return await item_of(held, chef_id, item_id)


@router.delete("/menu/{item_id}/image", responses=_LOOKING)
async def remove_item_image(
    held: ServicesDep, who: MayWriteMenus, item_id: UUID
) -> ChefMenuItemOut:
    """Show no picture of a dish any more."""
    chef_id = await chef_of(held, who)
    async with kitchen_change(held, chef_id) as session:
        await menu_changes.item(session, chef_id, item_id, locked=True)
        await menus.change_item(session, item_id, {"image_key": None})
    return await item_of(held, chef_id, item_id)
