"""Ten thousand kitchens of several cities, made up: for the bench of the search."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from uuid import UUID

import asyncpg
from sqlalchemy import text
from uuid_utils.compat import uuid7

from bench import bulk
from domain.geo import Point
from domain.hours import WEEKDAYS
from schema.database import Database
from schema.queries import search_words
from schema.tables import Chef, Menu, MenuItem, Role, User, Verification

DISHES_PER_KITCHEN = 20
# How far from its centre a city's kitchens are, in degrees: most within a dozen km.
_SPREAD = 0.06
_APPROVED = 0.97
_TAGGED = 0.12
_USUAL = 0.8
# How many dishes have a word that hardly another has.
_FOREIGN = 0.2
_AT_ONCE = 500


@dataclass(frozen=True)
class City:
    """A city: its centre, and its clock where that is not the market's."""

    centre: Point
    timezone: str | None


CITIES = (
    City(Point(30.2672, -97.7431), None),
    City(Point(40.7128, -74.0060), "America/New_York"),
    City(Point(34.0522, -118.2437), "America/Los_Angeles"),
    City(Point(39.7392, -104.9903), "America/Denver"),
    City(Point(41.8781, -87.6298), "America/Chicago"),
)

CUISINES = (
    "South Indian", "North Indian", "Tamil", "Punjabi", "Italian", "Mexican", "Vietnamese", "Thai",
    "Korean", "Japanese", "Sichuan", "Cantonese", "Ethiopian", "Lebanese", "Greek", "Turkish",
    "Texan", "Barbecue", "Cajun", "Peruvian", "Brazilian", "French", "Polish", "Georgian",
)  # fmt: skip
TAGS = ("vegetarian", "vegan", "gluten-free", "halal", "kosher", "dairy-free", "nut-free")
MAINS = (
    "Biryani", "Dosa", "Curry", "Ramen", "Tacos", "Lasagne", "Pho", "Bulgogi", "Brisket", "Gumbo",
    "Ceviche", "Pierogi", "Moussaka", "Shawarma", "Pad Thai", "Risotto", "Mole", "Khachapuri",
    "Injera", "Dumplings", "Burrito", "Schnitzel", "Goulash", "Tagine", "Paella", "Jambalaya",
)  # fmt: skip
BASES = (
    "Chicken", "Lamb", "Mushroom", "Paneer", "Shrimp", "Tofu", "Beef", "Pork", "Eggplant",
    "Spinach", "Lentil", "Potato", "Pumpkin", "Salmon", "Duck", "Jackfruit", "Chickpea", "Okra",
)  # fmt: skip
MANNERS = (
    "Masala", "Roasted", "Smoked", "Crispy", "Grandmother's", "Spicy", "Sweet", "Sour", "Braised",
    "Grilled", "Steamed", "Sunday", "Green", "Red", "Golden", "Village", "Coastal", "Winter",
)  # fmt: skip
_SYLLABLES = (
    "ka", "mo", "ri", "san", "te", "lu", "bra", "chi", "dor", "el", "fa", "gu", "hin", "jo", "kra",
    "lem", "na", "ost", "pa", "qui", "ro", "sti", "tan", "vel", "wa", "xi", "ye", "zor",
)  # fmt: skip


class Sayings:
    """Words: many are rare, a few are everywhere."""

    def __init__(self, dice: random.Random, number: int = 6000) -> None:
        self._dice = dice
        self.words = [
            "".join(dice.choices(_SYLLABLES, k=dice.choice((2, 3, 3, 4)))) for _ in range(number)
        ]
        self._weights = list(accumulate(1 / (rank + 3) for rank in range(number)))

    def sentence(self, length: int) -> str:
        """So many words."""
        return " ".join(self._dice.choices(self.words, cum_weights=self._weights, k=length))

    def dish(self) -> str:
        """What a dish is called."""
        dice = self._dice
        if dice.random() < _FOREIGN:
            return f"{dice.choice(self.words).title()} {dice.choice(MAINS)}"
        return f"{dice.choice(MANNERS)} {dice.choice(BASES)} {dice.choice(MAINS)}"

    def kitchen(self) -> str:
        """What a kitchen is called."""
        dice = self._dice
        return f"{dice.choice(self.words).title()}'s {dice.choice((*CUISINES, *MAINS))} Kitchen"


async def load(
    url: str, number: int, dice: random.Random, advance: Callable[[int], None]
) -> Sayings:
    """Fill an empty database with `number` kitchens of twenty dishes each, and index them."""
    sayings = Sayings(dice)
    connection = await asyncpg.connect(url)
    try:
        # Row by row is for those who change one kitchen; here all are indexed at the end.
        await _triggers(connection, "DISABLE")
        for begin in range(0, number, _AT_ONCE):
            size = min(_AT_ONCE, number - begin)
            users = [_user() for _ in range(size)]
            chefs = [_chef(sayings, dice, user.id) for user in users]
            menus = [Menu(chef_id=chef.id, name="Today") for chef in chefs]
            items = [item for menu in menus for item in _items(sayings, dice, menu.id)]
            for rows in (users, chefs, menus, items):
                await bulk.copy(connection, rows)
            advance(size)
        await _triggers(connection, "ENABLE")
    finally:
        await connection.close()
    return sayings


async def index(database: Database) -> None:
    """What was loaded, to be found; and what the planner ought to know of it."""
    async with database.write() as session:
        await session.execute(text("ANALYZE"))
        await search_words.index_all(session)
        await session.execute(text("ANALYZE"))


async def _triggers(connection: asyncpg.Connection, what: str) -> None:
    for table in ("chefs", "menus", "menu_items"):
        await connection.execute(f"ALTER TABLE {table} {what} TRIGGER USER")


def _user() -> User:
    return User(email=f"{uuid7()}@example.com", password_hash="nobody", role=Role.CHEF)  # noqa: S106


def _chef(sayings: Sayings, dice: random.Random, user_id: UUID) -> Chef:
    city = dice.choice(CITIES)
    ratings = dice.randint(0, 400)
    stars = sum(dice.choices((3, 4, 5), weights=(1, 3, 6), k=ratings))
    return Chef(
        user_id=user_id,
        business_name=sayings.kitchen(),
        description=sayings.sentence(12),
        cuisine_types=dice.sample(CUISINES, dice.choice((1, 1, 2, 3))),
        address="1 Bench Street",
        latitude=city.centre.latitude + dice.gauss(0, _SPREAD),
        longitude=city.centre.longitude + dice.gauss(0, _SPREAD),
        service_radius_km=dice.choice((3.0, 5.0, 8.0, 10.0)),
        timezone=city.timezone,
        operating_hours=_hours(dice),
        hours_exceptions=_exceptions(dice),
        prep_minutes=dice.randint(10, 60),
        verification_status=(
            Verification.APPROVED if dice.random() < _APPROVED else Verification.PENDING
        ),
        accepting_orders=True,
        rating=stars / ratings if ratings else 0.0,
        rating_sum=stars,
        rating_count=ratings,
        total_orders=int(ratings * dice.uniform(1, 6)),
    )


def _hours(dice: random.Random) -> dict[str, dict[str, str]]:
    opens, closes = dice.choice(
        (("07:00", "15:00"), ("11:00", "21:00"), ("17:00", "23:00"), ("18:00", "02:00"))
    )
    days = dice.sample(WEEKDAYS, dice.choice((4, 5, 6, 7)))
    return {day: {"open": opens, "close": closes} for day in days}


def _exceptions(dice: random.Random) -> dict[str, dict[str, str] | None]:
    if dice.random() < _USUAL:
        return {}
    someday = date(2026, 1, 1) + timedelta(days=dice.randrange(365))
    return {someday.isoformat(): dice.choice((None, {"open": "10:00", "close": "14:00"}))}


def _items(sayings: Sayings, dice: random.Random, menu_id: UUID) -> Iterator[MenuItem]:
    for number in range(DISHES_PER_KITCHEN):
        yield MenuItem(
            menu_id=menu_id,
            name=sayings.dish(),
            description=sayings.sentence(4),
            category="main" if number < DISHES_PER_KITCHEN // 2 else "side",
            price_cents=dice.randrange(300, 3000, 50),
            dietary_tags=[tag for tag in TAGS if dice.random() < _TAGGED],
        )
