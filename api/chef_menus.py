"""What chefs get about their own menus."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from api import examples_kitchens as examples
from api import menus
from api.dependencies import Services
from api.errors import not_found
from api.examples import shown
from api.menus import OptionGroupOut
from api.views import Moment
from schema.messages.base import Message
from schema.queries import choices
from schema.queries import menus as queries
from schema.queries.choices import Choice
from schema.tables import Menu, MenuItem


class ChefMenuItemOut(Message):
    """A dish as its chef sees it: `isAvailable` is his switch; `stock` is how many portions are
    left, null where nobody counts them.
    """

    model_config = shown(examples.CHEF_MENU_ITEM)

    id: UUID
    menu_id: UUID
    name: str
    description: str
    category: str
    price_cents: int
    prep_time_minutes: int
    dietary_tags: list[str]
    image_url: str | None
    is_available: bool
    stock: int | None
    position: int
    option_groups: list[OptionGroupOut]
    created_at: Moment


class ChefMenuOut(Message):
    """A menu as its chef sees it; customers see those that are active and have a dish."""

    model_config = shown(examples.CHEF_MENU)

    id: UUID
    name: str
    description: str
    is_active: bool
    position: int
    items: list[ChefMenuItemOut]


async def menus_of(held: Services, chef_id: UUID) -> list[ChefMenuOut]:
    """All menus of a chef, in two statements."""
    async with held.database.read() as session:
        found = await queries.of_chef(session, chef_id)
        known = await choices.of_dishes(session, [row.id for _, items in found for row in items])
    return [_menu(menu, items, known) for menu, items in found]


async def menu_of(held: Services, chef_id: UUID, menu_id: UUID) -> ChefMenuOut:
    """One of a chef's menus; 404 where he has no such menu."""
    found = next((menu for menu in await menus_of(held, chef_id) if menu.id == menu_id), None)
    if found is None:
        raise not_found("menu")
    return found


async def item_of(held: Services, chef_id: UUID, item_id: UUID) -> ChefMenuItemOut:
    """One of a chef's dishes; 404 where he has no such dish."""
    async with held.database.read() as session:
        row = await queries.item(session, chef_id, item_id)
        if row is None:
            raise not_found("dish")
        known = await choices.of_dishes(session, [item_id])
    return _item(row, known.get(item_id, ()))


def _menu(
    row: Menu, items: Sequence[MenuItem], known: Mapping[UUID, Sequence[Choice]]
) -> ChefMenuOut:
    return ChefMenuOut(
        **row.model_dump(include=set(ChefMenuOut.model_fields)),
        items=[_item(item, known.get(item.id, ())) for item in items],
    )


def _item(row: MenuItem, known: Sequence[Choice]) -> ChefMenuItemOut:
    own = {"menu_id", "is_available", "stock", "position", "created_at"}
    return ChefMenuItemOut(**menus.of_item(row, known), **row.model_dump(include=own))
