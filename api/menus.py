"""What customers get about menus. Amounts are integer cents."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from api import examples_kitchens as examples
from api import pictures
from api.examples import shown
from domain import menus as rules
from schema.messages.base import Message
from schema.queries.choices import Choice
from schema.tables import Menu, MenuItem, MenuItemOption


class OptionOut(Message):
    """Something to choose, and what it costs on top of the dish."""

    id: UUID
    name: str
    price_cents: int
    is_available: bool


class OptionGroupOut(Message):
    """A choice: `minChoices` to `maxChoices` different ones of its options. One that `isRequired`
    has to be made.
    """

    id: UUID
    name: str
    min_choices: int
    max_choices: int
    is_required: bool
    options: list[OptionOut]


class MenuItemOut(Message):
    """A dish. `isAvailable` is false also where it is sold out; `stockLeft` says how many portions
    are left where there are few, and is null otherwise.
    """

    id: UUID
    name: str
    description: str
    category: str
    price_cents: int
    prep_time_minutes: int
    dietary_tags: list[str]
    image_url: str | None
    is_available: bool
    stock_left: int | None
    option_groups: list[OptionGroupOut]


class MenuOut(Message):
    """A menu and its dishes."""

    model_config = shown(examples.MENU)

    id: UUID
    name: str
    description: str
    items: list[MenuItemOut]


def menus(
    rows: Sequence[tuple[Menu, MenuItem]], choices: Mapping[UUID, Sequence[Choice]]
) -> list[MenuOut]:
    """The menus of a kitchen, for its customers: in the order of the rows."""
    known = {menu.id: menu for menu, _ in rows}
    return [
        MenuOut(
            id=menu.id,
            name=menu.name,
            description=menu.description,
            items=[
                menu_item(item, choices.get(item.id, ()))
                for owner, item in rows
                if owner.id == menu.id
            ],
        )
        for menu in known.values()
    ]


def menu_item(row: MenuItem, choices: Sequence[Choice]) -> MenuItemOut:
    """A dish, for customers."""
    return MenuItemOut(
        **of_item(row, choices),
        is_available=rules.can_be_had(row.is_available, row.stock),
        stock_left=rules.told_left(row.stock),
    )


def of_item(row: MenuItem, choices: Sequence[Choice]) -> dict[str, Any]:
    """What customers and chefs are told alike about a dish."""
    same = set(MenuItemOut.model_fields) - {"is_available"}
    return {
        **row.model_dump(include=same),
        "image_url": pictures.url(row.image_key),
        "option_groups": [_group(choice) for choice in choices],
    }


def _group(choice: Choice) -> OptionGroupOut:
    group = choice.group
    return OptionGroupOut(
        **group.model_dump(include=set(OptionGroupOut.model_fields)),
        is_required=group.min_choices > 0,
        options=[_option(option) for option in choice.options],
    )


def _option(row: MenuItemOption) -> OptionOut:
    return OptionOut(**row.model_dump(include=set(OptionOut.model_fields)))
