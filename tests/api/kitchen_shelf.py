"""What a test puts on a cast's menu: choices, stock, other dishes; and what became of it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlmodel import col

from local.cast import Cast
from schema.tables import Chef, Menu, MenuItem, MenuItemOption, OptionGroup, Order


@dataclass(frozen=True)
class Choices:
    """Ids of what can be chosen with the cast's dish: a size must be, up to two extras may be."""

    small: str
    large: str
    ghee: str
    podi: str


async def with_choices(play: Cast) -> Choices:
    """Give the cast's dish a size (large: 300 cents more) and extras (ghee 50, podi 40)."""
    async with play.database.write() as session:
        size = OptionGroup(menu_item_id=play.world.dish_id, name="Size", min_choices=1)
        extras = OptionGroup(
            menu_item_id=play.world.dish_id, name="Extras", max_choices=2, position=1
        )
        session.add_all([size, extras])
        await session.flush()
        options = [
            MenuItemOption(group_id=group.id, name=name, price_cents=cents, position=position)
            for position, (group, name, cents) in enumerate(
                [
                    (size, "small", 0),
                    (size, "large", 300),
                    (extras, "ghee", 50),
                    (extras, "podi", 40),
                ]
            )
        ]
        session.add_all(options)
    return Choices(*(str(option.id) for option in options))


async def set_dish(play: Cast, dish_id: UUID | None = None, **values: object) -> None:
    """Change a dish's row; the cast's, unless another is named."""
    async with play.database.write() as session:
        await session.execute(
            update(MenuItem)
            .where(col(MenuItem.id) == (dish_id or play.world.dish_id))
            .values(**values)
        )


async def set_option(play: Cast, option_id: str, **values: object) -> None:
    async with play.database.write() as session:
        await session.execute(
            update(MenuItemOption).where(col(MenuItemOption.id) == UUID(option_id)).values(**values)
        )


async def set_chef(play: Cast, **values: object) -> None:
    async with play.database.write() as session:
        await session.execute(
            update(Chef).where(col(Chef.id) == play.world.chef.id).values(**values)
        )


async def new_dish(play: Cast, **values: Any) -> str:
    """Another dish of the cast's chef."""
    async with play.database.write() as session:
        menu = Menu(chef_id=play.world.chef.id, name="More")
        session.add(menu)
        await session.flush()
        dish = MenuItem(**{"menu_id": menu.id, "name": "Idli", "price_cents": 600, **values})
        session.add(dish)
    return str(dish.id)


async def stock_of(play: Cast) -> int | None:
    async with play.database.read() as session:
        return await session.scalar(
            select(col(MenuItem.stock)).where(col(MenuItem.id) == play.world.dish_id)
        )


async def orders_of(play: Cast) -> int:
    """How many orders the cast's customer has placed."""
    async with play.database.read() as session:
        found = await session.scalar(
            select(func.count())
            .select_from(Order)
            .where(col(Order.customer_id) == play.world.customer.user_id)
        )
    return found or 0
