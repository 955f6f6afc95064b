"""From what a chef sends to menus that can be, or a clear word why they cannot."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api.errors import conflict, invalid, not_found
from api.kitchen_lookup import locked
from api.menu_bodies import (
    ItemAvailabilityBody,
    MenuBody,
    MenuChangeBody,
    MenuItemBody,
    MenuItemChangeBody,
    OptionBody,
    OptionGroupBody,
)
from domain.menus import MOST_ITEMS, MOST_MENUS
from schema.queries import choices, menus
from schema.queries.choices import Choice
from schema.tables import Menu, MenuItem, MenuItemOption, OptionGroup

_FIRST_MENU = MenuBody(name="Menu")


async def add_menu(session: AsyncSession, chef_id: UUID, menu_id: UUID, body: MenuBody) -> None:
    """A new menu, under that id. Raises Problem (too_many_menus)."""
    await locked(session, chef_id)
    await _new_menu(session, chef_id, menu_id, body)


async def change_menu(
    session: AsyncSession, chef_id: UUID, menu_id: UUID, body: MenuChangeBody
) -> None:
    """Change a chef's menu. Raises Problem (not_found)."""
    await locked(session, chef_id)
    await _menu(session, chef_id, menu_id)
    await menus.change_menu(session, menu_id, body.changes)


async def remove_menu(session: AsyncSession, chef_id: UUID, menu_id: UUID, at: datetime) -> None:
    """Take a chef's menu away with all its dishes. Raises Problem (not_found)."""
    await menus.lock_items(session, chef_id, menu_id)
    await locked(session, chef_id)
    await _menu(session, chef_id, menu_id)
    await menus.remove_menu(session, menu_id, at)


async def add_item(session: AsyncSession, chef_id: UUID, item_id: UUID, body: MenuItemBody) -> None:
    """A new dish, under that id. Raises Problem (unknown_menu, too_many_items)."""
    await locked(session, chef_id)
    menu = await _menu_for(session, chef_id, body.menu_id)
    _, known = await menus.count(session, chef_id)
    if known >= MOST_ITEMS:
        raise conflict("too_many_items", f"a kitchen has {MOST_ITEMS} dishes at most")
    position = body.position
    if position is None:
        position = await menus.next_item_position(session, menu.id)
    row = MenuItem(
        id=item_id,
        menu_id=menu.id,
        position=position,
        **body.model_dump(exclude={"menu_id", "position", "option_groups", "dietary_tags"}),
        dietary_tags=sorted({tag.value for tag in body.dietary_tags}),
    )
    session.add(row)
    await session.flush()
    await choices.replace(session, item_id, _choices(item_id, body.option_groups, {}))


async def change_item(
    session: AsyncSession, chef_id: UUID, item_id: UUID, body: MenuItemChangeBody
) -> None:
    """Change a chef's dish, and which choices it leaves if they were given.

    Raises Problem: not_found, unknown_menu, unknown_option_group, unknown_option.
    """
    # In the sequence of `schema.queries.locks`.
    await item(session, chef_id, item_id, locked=True)
    await locked(session, chef_id)
    values = body.changes
    if "menu_id" in values:
        await _menu_for(session, chef_id, body.menu_id)
    if "dietary_tags" in values:
        values["dietary_tags"] = sorted({tag.value for tag in body.dietary_tags})
    await menus.change_item(session, item_id, values)
    if body.new_choices is not None:
        known = (await choices.of_dishes(session, [item_id])).get(item_id, [])
        by_id = {choice.group.id: choice for choice in known}
        await choices.replace(session, item_id, _choices(item_id, body.new_choices, by_id))


async def set_availability(
    session: AsyncSession, chef_id: UUID, item_id: UUID, body: ItemAvailabilityBody
) -> None:
    """Say whether a dish is there and how much of it; all of what was said, or nothing.

    Raises Problem: not_found, stock_changed, stock_not_counted, not_enough_stock.
    """
    row = await item(session, chef_id, item_id, locked=True)
    if body.says("is_available"):
        await menus.change_item(session, item_id, {"is_available": body.is_available})
    if body.says("stock"):
        if body.says("seen_stock") and row.stock != body.seen_stock:
            raise conflict(
                "stock_changed", "there are not as many left as were seen", stock=row.stock
            )
        await menus.change_item(session, item_id, {"stock": body.stock})
    if body.says("add_stock"):
        if row.stock is None:
            raise conflict("stock_not_counted", "nobody counts this dish: set its stock first")
        if not await menus.add_stock(session, item_id, body.add_stock):
            raise conflict("not_enough_stock", f"there are only {row.stock} left", stock=row.stock)


async def item(
    session: AsyncSession, chef_id: UUID, item_id: UUID, *, locked: bool = False
) -> MenuItem:
    """One of a chef's dishes; 404 where he has no such dish."""
    found = await menus.item(session, chef_id, item_id, locked=locked)
    if found is None:
        raise not_found("dish")
    return found


async def _menu(session: AsyncSession, chef_id: UUID, menu_id: UUID) -> Menu:
    found = await menus.menu(session, chef_id, menu_id)
    if found is None:
        raise not_found("menu")
    return found


async def _menu_for(session: AsyncSession, chef_id: UUID, menu_id: UUID | None) -> Menu:
    """The menu that a dish is to be on: without an id the first, made where there is none."""
    if menu_id is None:
        first = await menus.first(session, chef_id)
        return first or await _new_menu(session, chef_id, uuid7(), _FIRST_MENU)
    found = await menus.menu(session, chef_id, menu_id)
    if found is None:
        raise invalid("menuId", "unknown_menu", "you have no such menu")
    return found


async def _new_menu(session: AsyncSession, chef_id: UUID, menu_id: UUID, body: MenuBody) -> Menu:
    known, _ = await menus.count(session, chef_id)
    if known >= MOST_MENUS:
        raise conflict("too_many_menus", f"a kitchen has {MOST_MENUS} menus at most")
    position = body.position
    if position is None:
        position = await menus.next_menu_position(session, chef_id)
    said = body.model_dump(exclude={"position"})
    row = Menu(id=menu_id, chef_id=chef_id, position=position, **said)
    session.add(row)
    await session.flush()
    return row


def _choices(
    item_id: UUID, wanted: Sequence[OptionGroupBody], known: Mapping[UUID, Choice]
) -> list[Choice]:
    """The rows of choices as they are wanted; those that are known by their ids keep them."""
    _each_once("optionGroups", [group.id for group in wanted])
    found = []
    for place, group in enumerate(wanted):
        field = f"optionGroups.{place}"
        if group.id is not None and group.id not in known:
            raise invalid(f"{field}.id", "unknown_option_group", "this dish has no such choice")
        group_id = group.id or uuid7()
        row = OptionGroup(
            menu_item_id=item_id,
            position=place,
            **group.model_dump(exclude={"id", "options"}),
            id=group_id,
        )
        before = known[group.id].options if group.id is not None else ()
        options = _options(field, group_id, group.options, {option.id for option in before})
        found.append(Choice(row, options))
    return found


def _options(
    field: str, group_id: UUID, wanted: Sequence[OptionBody], known: set[UUID]
) -> list[MenuItemOption]:
    _each_once(f"{field}.options", [option.id for option in wanted])
    for place, option in enumerate(wanted):
        if option.id is not None and option.id not in known:
            raise invalid(
                f"{field}.options.{place}.id", "unknown_option", "this choice has no such option"
            )
    return [
        MenuItemOption(
            id=option.id or uuid7(),
            group_id=group_id,
            position=place,
            **option.model_dump(exclude={"id"}),
        )
        for place, option in enumerate(wanted)
    ]


def _each_once(field: str, ids: Sequence[UUID | None]) -> None:
    given = [one for one in ids if one is not None]
    if len(set(given)) < len(given):
        raise invalid(field, "named_twice", "each id once, please")
