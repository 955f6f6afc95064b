"""What chefs write on their menus, and what customers see of it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import event, text, update
from sqlmodel import col

from api import menu_changes
from api.errors import Problem
from api.menu_bodies import ItemAvailabilityBody
from domain.menus import MOST_GROUPS, MOST_ITEMS, MOST_MENUS, MOST_OPTIONS, DietaryTag
from domain.order_status import OrderStatus
from local.cast import Cast, cast
from schema.queries import choices, menus
from schema.tables import Menu, MenuItem
from tests.api.kitchens import applied, refusal, send_picture
from tests.databases import waited_for
from tests.pictures import PNG, pixels

S = OrderStatus

CHUTNEY = {
    "name": "Chutney",
    "minChoices": 1,
    "maxChoices": 2,
    "options": [
        {"name": "Coconut"},
        {"name": "Gunpowder", "priceCents": 150},
        {"name": "Mint", "isAvailable": False},
    ],
}
EXTRAS = {"name": "Extras", "options": [{"name": "Ghee", "priceCents": 50}]}

_OF_KITCHEN = """
    SELECT md5(string_agg(m::text || coalesce(i::text, '') || coalesce(g::text, '')
                          || coalesce(o::text, ''), ',' ORDER BY m.id, i.id, g.id, o.id))
    FROM menus m LEFT JOIN menu_items i ON i.menu_id = m.id
    LEFT JOIN menu_item_option_groups g ON g.menu_item_id = i.id
    LEFT JOIN menu_item_options o ON o.group_id = g.id
    WHERE m.chef_id = :id
"""


@pytest.fixture
async def others(play: Cast) -> AsyncIterator[Cast]:
    async with cast(play.environment, drivers=0) as everybody:
        yield everybody


async def written(play: Cast) -> str:
    """A digest of all that is on the kitchen's menus."""
    async with play.database.read() as session:
        return str(await session.scalar(text(_OF_KITCHEN), {"id": play.world.chef.id}))


async def dish(play: Cast, **said: object) -> dict[str, Any]:
    """The chef adds a dish."""
    wanted = {"name": "Uttapam", "priceCents": 900, **said}
    made: dict[str, Any] = await play.chef.post("/chef/menu", **wanted)
    return made


async def seen(play: Cast) -> list[dict[str, Any]]:
    """The menus as customers see them."""
    shown: list[dict[str, Any]] = await play.customer.get(f"/chefs/{play.world.chef.id}/menu")
    return shown


async def seen_dish(play: Cast, item_id: str) -> dict[str, Any] | None:
    """A dish as customers see it, if they do."""
    items = [item for menu in await seen(play) for item in menu["items"]]
    return next((item for item in items if item["id"] == item_id), None)


async def test_a_dish_is_seen_with_its_choices_as_it_was_written(play: Cast) -> None:
    made = await dish(
        play,
        description="With onions.",
        category="breakfast",
        prepTimeMinutes=12,
        dietaryTags=["vegan", "gluten_free"],
        optionGroups=[CHUTNEY, EXTRAS],
    )

    shown = await seen_dish(play, made["id"])
    assert shown is not None
    assert (shown["name"], shown["category"], shown["priceCents"]) == ("Uttapam", "breakfast", 900)
    assert shown["dietaryTags"] == ["gluten_free", "vegan"]
    assert (shown["isAvailable"], shown["stockLeft"], shown["imageUrl"]) == (True, None, None)
    chutney, extras = shown["optionGroups"]
    assert (chutney["isRequired"], chutney["minChoices"], chutney["maxChoices"]) == (True, 1, 2)
    assert [(o["name"], o["priceCents"], o["isAvailable"]) for o in chutney["options"]] == [
        ("Coconut", 0, True),
        ("Gunpowder", 150, True),
        ("Mint", 0, False),
    ]
    assert (extras["isRequired"], extras["minChoices"], extras["maxChoices"]) == (False, 0, 1)
    own = next(i for i in (await play.chef.get("/chef/menus"))[0]["items"] if i["id"] == made["id"])
    assert own == made


async def test_the_first_dish_of_a_kitchen_makes_its_menu(play: Cast) -> None:
    await applied(play)
    assert await play.customer.get("/chef/menus") == []

    made = await play.customer.post("/chef/menu", name="Dosa", priceCents=800)

    (menu,) = await play.customer.get("/chef/menus")
    assert (menu["name"], menu["isActive"]) == ("Menu", True)
    assert [item["id"] for item in menu["items"]] == [made["id"]]


async def test_menus_are_ordered_hidden_and_taken_away_with_their_dishes(play: Cast) -> None:
    brunch = await play.chef.post("/chef/menus", name="Brunch", description="On Sundays")
    made = await dish(play, menuId=brunch["id"])
    assert [menu["name"] for menu in await seen(play)] == ["Today", "Brunch"]

    await play.chef.put(f"/chef/menus/{brunch['id']}", isActive=False)
    assert [menu["name"] for menu in await seen(play)] == ["Today"]
    all_menus = await play.chef.get("/chef/menus")
    assert [(menu["name"], menu["isActive"]) for menu in all_menus] == [
        ("Today", True),
        ("Brunch", False),
    ]

    first = all_menus[0]["id"]
    await play.chef.put(f"/chef/menus/{first}", position=5)
    await play.chef.put(f"/chef/menus/{brunch['id']}", isActive=True, name="Late brunch")
    assert [menu["name"] for menu in await seen(play)] == ["Late brunch", "Today"]

    left = await play.chef.ask("DELETE", f"/chef/menus/{brunch['id']}")
    assert [menu["name"] for menu in left] == ["Today"]
    assert await seen_dish(play, made["id"]) is None
    for asked in (
        play.chef.ask("DELETE", f"/chef/menus/{brunch['id']}"),
        play.chef.put(f"/chef/menus/{brunch['id']}", isActive=True),
        play.chef.put(f"/chef/menu/{made['id']}", name="Back again"),
    ):
        assert await refusal(asked) == (404, "not_found")


async def test_a_dish_that_was_ordered_is_gone_from_the_menu_and_not_from_the_order(
    play: Cast,
) -> None:
    order = await play.bring(S.ACCEPTED)

    left = await play.chef.ask("DELETE", f"/chef/menu/{play.world.dish_id}")

    assert [menu["items"] for menu in left] == [[]]
    assert await seen(play) == []
    assert (await play.customer.get(f"/orders/{order['id']}"))["items"][0]["name"] == "Masala Dosa"
    assert await refusal(play.place()) == (422, "unknown_menu_item")


async def test_editing_keeps_the_ids_of_choices_that_stay(play: Cast) -> None:
    made = await dish(play, optionGroups=[CHUTNEY, EXTRAS])
    chutney, extras = made["optionGroups"]
    coconut, gunpowder, mint = chutney["options"]

    changed = await play.chef.put(
        f"/chef/menu/{made['id']}",
        optionGroups=[
            {"name": "Size", "minChoices": 1, "options": [{"name": "Small"}, {"name": "Large"}]},
            {
                "id": chutney["id"],
                "name": "Chutneys",
                "maxChoices": 2,
                "options": [
                    {"id": gunpowder["id"], "name": "Gunpowder", "priceCents": 200},
                    {"name": "Tomato"},
                    {"id": coconut["id"], "name": "Coconut"},
                ],
            },
        ],
    )

    size, kept = changed["optionGroups"]
    assert size["id"] not in {chutney["id"], extras["id"]}
    assert (kept["id"], kept["name"], kept["isRequired"]) == (chutney["id"], "Chutneys", False)
    assert [(o["id"], o["priceCents"]) for o in kept["options"] if o["name"] != "Tomato"] == [
        (gunpowder["id"], 200),
        (coconut["id"], 0),
    ]
    assert [o["name"] for o in kept["options"]] == ["Gunpowder", "Tomato", "Coconut"]
    assert mint["id"] not in {o["id"] for o in kept["options"]}
    shown = await seen_dish(play, made["id"])
    assert shown is not None
    assert shown["optionGroups"] == changed["optionGroups"]


async def test_what_is_left_out_of_an_edit_stays(play: Cast) -> None:
    made = await dish(play, optionGroups=[CHUTNEY], stock=9, dietaryTags=["vegan"])

    changed = await play.chef.put(f"/chef/menu/{made['id']}", priceCents=950, position=7)
    bare = await play.chef.put(f"/chef/menu/{made['id']}", optionGroups=[], dietaryTags=[])

    assert changed == {**made, "priceCents": 950, "position": 7}
    assert bare == {**changed, "optionGroups": [], "dietaryTags": []}


async def test_dishes_move_between_menus_and_places(play: Cast) -> None:
    one, two, three = [await dish(play, name=f"Dish {n}") for n in range(3)]
    side = await play.chef.post("/chef/menus", name="Sides")

    await play.chef.put(f"/chef/menu/{one['id']}", position=30)
    await play.chef.put(f"/chef/menu/{two['id']}", menuId=side["id"])

    today, sides = await seen(play)
    assert [item["name"] for item in today["items"]] == ["Masala Dosa", "Dish 2", "Dish 0"]
    assert [item["id"] for item in sides["items"]] == [two["id"]]
    assert three["position"] == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "a\x00b"},
        {"name": "x" * 201},
        {"priceCents": -1},
        {"priceCents": 9.5},
        {"priceCents": 1_000_001},
        {"priceCents": None},
        {"prepTimeMinutes": 0},
        {"dietaryTags": ["tasty"]},
        {"stock": -1},
        {"position": -1},
        {"menuId": "first"},
        {"imageKey": "public/x"},
        {"optionGroups": [{"name": "Nothing", "options": []}]},
        {"optionGroups": [{**EXTRAS, "maxChoices": 2}]},
        {"optionGroups": [{**EXTRAS, "minChoices": 2}]},
        {"optionGroups": [{**CHUTNEY, "minChoices": 3}]},
        {"optionGroups": [{**EXTRAS, "options": [{"name": "Ghee", "priceCents": -1}]}]},
        {"optionGroups": [{**EXTRAS, "options": [{"name": "x"}] * (MOST_OPTIONS + 1)}]},
        {"optionGroups": [EXTRAS] * (MOST_GROUPS + 1)},
    ],
    ids=str,
)
async def test_a_dish_that_cannot_be_is_refused_and_nothing_is_written(
    play: Cast, wrong: dict[str, object]
) -> None:
    before = await written(play)

    adding = play.chef.post("/chef/menu", **{"name": "Uttapam", "priceCents": 900, **wrong})
    assert await refusal(adding) == (422, "invalid_request")
    changing = play.chef.put(f"/chef/menu/{play.world.dish_id}", **wrong)
    assert await refusal(changing) == (422, "invalid_request")

    assert await written(play) == before


async def test_as_many_choices_as_may_be_can_be(play: Cast) -> None:
    options = [{"name": f"Option {n}"} for n in range(MOST_OPTIONS)]
    groups = [{"name": f"Group {n}", "options": options} for n in range(MOST_GROUPS)]

    made = await dish(play, optionGroups=groups, dietaryTags=[tag.value for tag in DietaryTag])

    assert [group["name"] for group in made["optionGroups"]] == [g["name"] for g in groups]
    assert {len(group["options"]) for group in made["optionGroups"]} == {MOST_OPTIONS}


async def test_ids_that_belong_elsewhere_are_refused_and_nothing_is_written(
    play: Cast, others: Cast
) -> None:
    made = await dish(play, optionGroups=[CHUTNEY, EXTRAS])
    foreign = await dish(others, optionGroups=[CHUTNEY])
    chutney, extras = made["optionGroups"]
    strange = foreign["optionGroups"][0]
    before = (await written(play), await written(others))

    for groups, code in (
        ([{**EXTRAS, "id": strange["id"]}], "unknown_option_group"),
        ([{**EXTRAS, "id": str(uuid4())}], "unknown_option_group"),
        (
            [{**extras, "options": [{"id": chutney["options"][0]["id"], "name": "x"}]}],
            "unknown_option",
        ),
        ([{**EXTRAS, "options": [{"id": str(uuid4()), "name": "x"}]}], "unknown_option"),
        ([{**EXTRAS, "id": extras["id"]}, {**EXTRAS, "id": extras["id"]}], "named_twice"),
        (
            [
                {
                    **EXTRAS,
                    "id": extras["id"],
                    "options": [{"id": extras["options"][0]["id"], "name": "x"}] * 2,
                }
            ],
            "named_twice",
        ),
    ):
        wanted = [
            {name: said for name, said in group.items() if name != "isRequired"} for group in groups
        ]
        asked = play.chef.put(f"/chef/menu/{made['id']}", optionGroups=wanted)
        assert await refusal(asked) == (422, code), groups
    moving = play.chef.put(f"/chef/menu/{made['id']}", menuId=foreign["menuId"])
    assert await refusal(moving) == (422, "unknown_menu")
    adding = play.chef.post("/chef/menu", name="x", priceCents=1, menuId=foreign["menuId"])
    assert await refusal(adding) == (422, "unknown_menu")

    assert (await written(play), await written(others)) == before


async def test_a_chef_cannot_touch_another_ones_menus(play: Cast, others: Cast) -> None:
    dish_id = play.world.dish_id
    menu_id = (await play.chef.get("/chef/menus"))[0]["id"]
    before = await written(play)

    for asked in (
        others.chef.put(f"/chef/menus/{menu_id}", name="Mine"),
        others.chef.ask("DELETE", f"/chef/menus/{menu_id}"),
        others.chef.put(f"/chef/menu/{dish_id}", priceCents=1),
        others.chef.ask("DELETE", f"/chef/menu/{dish_id}"),
        others.chef.put(f"/chef/menu/{dish_id}/availability", isAvailable=False),
        others.chef.ask("DELETE", f"/chef/menu/{dish_id}/image"),
    ):
        assert await refusal(asked) == (404, "not_found")
    picture = await send_picture(play, others.chef, "PUT", f"/chef/menu/{dish_id}/image")
    assert picture.status_code == 404

    assert await written(play) == before


@pytest.mark.parametrize(
    ("stock", "available", "left"),
    [(0, False, 0), (1, True, 1), (5, True, 5), (6, True, None), (None, True, None)],
)
async def test_customers_are_told_of_the_last_portions(
    play: Cast, stock: int | None, available: bool, left: int | None
) -> None:
    made = await dish(play, stock=stock)

    shown = await seen_dish(play, made["id"])

    assert shown is not None
    assert (shown["isAvailable"], shown["stockLeft"]) == (available, left)
    assert (made["isAvailable"], made["stock"]) == (True, stock)
    assert "stock" not in shown


async def test_a_dish_that_is_off_today_cannot_be_ordered(play: Cast) -> None:
    path = f"/chef/menu/{play.world.dish_id}/availability"

    assert (await play.chef.put(path, isAvailable=False))["isAvailable"] is False

    assert await refusal(play.place()) == (422, "menu_item_unavailable")
    assert (await play.chef.put(path, isAvailable=True, stock=3))["stock"] == 3
    await play.place()


async def test_portions_added_while_others_are_ordered_are_all_counted(play: Cast) -> None:
    made = await dish(play, stock=100)
    path = f"/chef/menu/{made['id']}/availability"

    async def taken() -> None:
        async with play.database.write() as session:
            await session.execute(
                update(MenuItem)
                .where(col(MenuItem.id) == UUID(made["id"]), col(MenuItem.stock) >= 1)
                .values(stock=MenuItem.stock - 1)  # type: ignore[operator]
            )

    await asyncio.gather(
        *(taken() for _ in range(20)),
        *(play.chef.put(path, addStock=3) for _ in range(5)),
        *(play.chef.put(path, addStock=-2) for _ in range(5)),
    )

    left = await play.chef.put(path, addStock=0)
    assert left["stock"] == 100 - 20 + 15 - 10


async def test_a_count_made_anew_does_not_lose_what_was_ordered_meanwhile(play: Cast) -> None:
    made = await dish(play, stock=5)
    path = f"/chef/menu/{made['id']}/availability"
    item_id = UUID(made["id"])
    body = ItemAvailabilityBody.model_validate({"stock": 15, "seenStock": 5})

    async with play.database.write() as taking:
        row = await menus.item(taking, play.world.chef.id, item_id, locked=True)
        assert row is not None
        row.stock = 4
        await taking.flush()
        counting = asyncio.create_task(_refused_count(play, item_id, body))
        await waited_for(taking, play.database)
    told = await counting

    assert told == ("stock_changed", 4)
    assert (await play.chef.put(path, stock=14, seenStock=4))["stock"] == 14
    assert await refusal(play.chef.put(path, stock=1, seenStock=4)) == (409, "stock_changed")
    assert (await play.chef.put(path, stock=None, seenStock=14))["stock"] is None


async def _refused_count(
    play: Cast, item_id: UUID, body: ItemAvailabilityBody
) -> tuple[str, object]:
    with pytest.raises(Problem) as refused:
        async with play.database.write() as session:
            await menu_changes.set_availability(session, play.world.chef.id, item_id, body)
    return refused.value.code, refused.value.extra["stock"]


async def test_portions_that_are_not_there_cannot_be_taken_away(play: Cast) -> None:
    counted, uncounted = await dish(play, stock=2), await dish(play)

    too_many = play.chef.put(f"/chef/menu/{counted['id']}/availability", addStock=-3)
    unknown = play.chef.put(
        f"/chef/menu/{uncounted['id']}/availability", isAvailable=False, addStock=1
    )

    assert await refusal(too_many) == (409, "not_enough_stock")
    assert await refusal(unknown) == (409, "stock_not_counted")
    shown = await seen_dish(play, uncounted["id"])
    assert shown is not None
    assert shown["isAvailable"] is True


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"seenStock": 1},
        {"stock": 1, "addStock": 1},
        {"addStock": 1, "seenStock": 1},
        {"addStock": 1.5},
        {"addStock": None},
        {"stock": "1"},
        {"isAvailable": None},
        {"stock": 100_001},
    ],
    ids=str,
)
async def test_an_availability_that_says_nothing_or_two_things_is_refused(
    play: Cast, wrong: dict[str, object]
) -> None:
    before = await written(play)

    asked = play.chef.put(f"/chef/menu/{play.world.dish_id}/availability", **wrong)

    assert await refusal(asked) == (422, "invalid_request")
    assert await written(play) == before


async def test_a_dish_has_a_picture_or_none(play: Cast) -> None:
    path = f"/chef/menu/{play.world.dish_id}/image"

    answer = await send_picture(play, play.chef, "PUT", path)

    url = answer.json()["imageUrl"]
    shown = await seen_dish(play, str(play.world.dish_id))
    assert shown is not None
    assert shown["imageUrl"] == url
    async with httpx.AsyncClient(base_url=play.environment["API_URL"]) as http:
        picture = await http.get(url)
    assert pixels(picture.content) == pixels(PNG)
    refused = await send_picture(play, play.chef, "PUT", path, b"GIF89a")
    assert (refused.status_code, refused.json()["code"]) == (422, "not_a_photo")
    for _ in range(2):
        assert (await play.chef.ask("DELETE", path))["imageUrl"] is None


async def test_menus_and_dishes_have_an_end_also_when_they_come_at_once(play: Cast) -> None:
    chef_id = play.world.chef.id
    async with play.database.write() as session:
        session.add_all([Menu(chef_id=chef_id, name="More") for _ in range(MOST_MENUS - 3)])
        menu = await menus.first(session, chef_id)
        assert menu is not None
        session.add_all(
            [MenuItem(menu_id=menu.id, name="More", price_cents=1) for _ in range(MOST_ITEMS - 3)]
        )

    added = await asyncio.gather(
        *(play.chef.post("/chef/menus", name=f"Menu {n}") for n in range(4)),
        *(dish(play, name=f"Dish {n}") for n in range(4)),
        return_exceptions=True,
    )

    refused = [str(one) for one in added if isinstance(one, BaseException)]
    assert len(refused) == 4
    assert sum("too_many_menus" in words for words in refused) == 2
    assert sum("too_many_items" in words for words in refused) == 2
    # What is taken away makes room.
    await play.chef.ask("DELETE", f"/chef/menu/{play.world.dish_id}")
    await dish(play)


async def test_edits_of_one_dish_at_once_leave_one_of_them(play: Cast) -> None:
    made = await dish(play, optionGroups=[CHUTNEY])
    chutney = made["optionGroups"][0]
    kept = {"id": chutney["id"], "name": "Chutney", "options": [{"name": "New"}]}

    answers = await asyncio.gather(
        *(
            play.chef.put(
                f"/chef/menu/{made['id']}", optionGroups=[{**kept, "name": f"Chutney {n}"}]
            )
            for n in range(6)
        )
    )

    shown = await seen_dish(play, made["id"])
    assert shown is not None
    assert shown["optionGroups"] in [answer["optionGroups"] for answer in answers]
    assert [len(group["options"]) for group in shown["optionGroups"]] == [1]


@pytest.mark.parametrize("dishes", [1, 50])
async def test_menus_are_read_in_as_many_statements_however_long_they_are(
    play: Cast, dishes: int
) -> None:
    chef_id = play.world.chef.id
    async with play.database.write() as session:
        menu = await menus.first(session, chef_id)
        assert menu is not None
        session.add_all(
            [MenuItem(menu_id=menu.id, name="More", price_cents=1) for _ in range(dishes)]
        )
    statements: list[str] = []
    engine = play.database.engine.sync_engine

    @event.listens_for(engine, "before_cursor_execute")
    def count(_: Any, __: Any, statement: str, *___: Any) -> None:
        statements.append(statement)

    async with play.database.read() as session:
        found = await menus.of_chef(session, chef_id)
        ids = [item.id for _, items in found for item in items]
        await choices.of_dishes(session, ids)
    event.remove(engine, "before_cursor_execute", count)

    assert len(ids) == dishes + 1
    assert len(statements) == 2
