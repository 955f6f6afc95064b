"""The demo city: Austin, its kitchens, drivers, and four people who can log in."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlmodel import SQLModel
from uuid_utils.compat import uuid7

from api.auth import hash_password
from domain.drivers import Vehicle
from domain.geo import Point
from domain.hours import WEEKDAYS
from local import papers
from schema.database import Database
from schema.tables import (
    Chef,
    Driver,
    Menu,
    MenuItem,
    MenuItemOption,
    OptionGroup,
    Role,
    User,
    UserProfile,
    Verification,
)
from schema.tables.columns import now

PASSWORD = "ridendine-demo"  # noqa: S105 - the demo's, printed in the README
CENTRE = Point(30.2672, -97.7431)


@dataclass(frozen=True)
class Choice:
    """A choice that a dish leaves: between `least` and `most` of the options, each with what it
    costs on top in cents.
    """

    name: str
    options: tuple[tuple[str, int], ...]
    least: int = 0
    most: int = 1


@dataclass(frozen=True)
class Dish:
    """A dish: what it costs in cents, how many minutes it takes, how many portions there are."""

    name: str
    cents: int
    minutes: int
    category: str = "main"
    tags: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    stock: int | None = None


@dataclass(frozen=True)
class Kitchen:
    """A chef and the kitchen."""

    email: str
    first_name: str
    last_name: str
    name: str
    description: str
    cuisines: tuple[str, ...]
    address: str
    place: Point
    rating: float
    opens: str
    closes: str
    dishes: tuple[Dish, ...] = field(repr=False)
    minimum_cents: int = 0


KITCHENS = (
    Kitchen(
        "chef@example.com",
        "Meena",
        "Raman",
        "Meena's Kitchen",
        "South Indian home cooking: dosas, idlis and curries as in Chennai.",
        ("South Indian", "Tamil"),
        "123 Main St, Austin, TX 78701",
        CENTRE,
        4.9,
        "00:00",
        "24:00",
        (
            Dish(
                "Masala Dosa",
                1000,
                15,
                tags=("vegetarian",),
                choices=(
                    Choice(
                        "Chutney",
                        (("Coconut", 0), ("Tomato", 0), ("Gunpowder with ghee", 150)),
                        most=2,
                    ),
                    Choice("Extras", (("More potatoes", 200), ("Cheese", 250)), most=2),
                ),
            ),
            Dish("Chicken Biryani", 1600, 25, tags=("halal",)),
            Dish("Sambar and Rice", 900, 12, tags=("gluten_free", "vegan")),
            Dish("Filter Coffee", 350, 5, "drink", ("vegetarian",)),
        ),
    ),
    Kitchen(
        "chef2@example.com",
        "Rosa",
        "Bianchi",
        "Nonna Rosa",
        "Handmade pasta and slow sauces, handed down through four generations.",
        ("Italian", "Mediterranean"),
        "2000 S Congress Ave, Austin, TX 78704",
        Point(30.2423, -97.7543),
        4.8,
        "00:00",
        "24:00",
        (
            Dish("Tagliatelle al Ragù", 1550, 25),
            Dish("Risotto ai Funghi", 1650, 30, tags=("vegetarian",)),
            Dish("Tiramisù", 700, 5, "dessert", ("vegetarian",)),
        ),
        minimum_cents=1500,
    ),
    Kitchen(
        "chef3@example.com",
        "Earl",
        "Dawson",
        "Dawson Smokehouse",
        "Brisket and ribs, smoked overnight over post oak.",
        ("Texan", "Barbecue"),
        "2500 E 6th St, Austin, TX 78702",
        Point(30.2609, -97.7154),
        4.7,
        "00:00",
        "24:00",
        (
            Dish("Brisket Plate", 1900, 10, tags=("dairy_free",), stock=40),
            Dish("Pork Ribs", 1750, 10),
            Dish("Potato Salad", 450, 5, "side", ("vegetarian",)),
        ),
    ),
    Kitchen(
        "chef4@example.com",
        "Guadalupe",
        "Flores",
        "Cocina Lupe",
        "Tamales, mole and what the market had this morning.",
        ("Mexican",),
        "4800 Duval St, Austin, TX 78751",
        Point(30.3096, -97.7236),
        4.6,
        "07:00",
        "23:00",
        (
            Dish("Tamales de Rajas", 1100, 15, tags=("vegetarian",)),
            Dish("Mole Poblano", 1500, 20),
            Dish("Horchata", 400, 3, "drink", ("vegan",)),
        ),
    ),
    Kitchen(
        "chef5@example.com",
        "Linh",
        "Tran",
        "Linh's Pho",
        "Broth that simmers for a day; herbs from the garden behind the house.",
        ("Vietnamese",),
        "5600 Burnet Rd, Austin, TX 78757",
        Point(30.3273, -97.7374),
        4.5,
        "11:00",
        "22:00",
        (
            Dish(
                "Pho Bo",
                1350,
                12,
                tags=("dairy_free",),
                choices=(Choice("Size", (("Regular", 0), ("Large", 250)), least=1),),
            ),
            Dish("Bun Cha", 1450, 18),
            Dish("Summer Rolls", 800, 10, "starter", ("vegan",)),
        ),
    ),
)

# First name, vehicle, rating, where the driver usually waits.
DRIVERS = (
    ("Diego", Vehicle.CAR, 4.9, Point(30.2690, -97.7420)),
    ("Amara", Vehicle.BICYCLE, 4.8, Point(30.2655, -97.7460)),
    ("Sam", Vehicle.CAR, 4.7, Point(30.2720, -97.7390)),
    ("Yuki", Vehicle.SCOOTER, 4.9, Point(30.2610, -97.7500)),
    ("Priya", Vehicle.CAR, 4.6, Point(30.2580, -97.7350)),
    ("Tom", Vehicle.BICYCLE, 4.5, Point(30.2760, -97.7450)),
    ("Fatima", Vehicle.CAR, 4.8, Point(30.2830, -97.7380)),
    ("Luis", Vehicle.SCOOTER, 4.7, Point(30.2510, -97.7560)),
    ("Grace", Vehicle.CAR, 4.4, Point(30.2950, -97.7280)),
    ("Omar", Vehicle.CAR, 4.9, Point(30.2440, -97.7620)),
    ("Nina", Vehicle.SCOOTER, 4.6, Point(30.3090, -97.7240)),
    ("Ben", Vehicle.CAR, 4.3, Point(30.3260, -97.7370)),
)


async def settle(database_url: str) -> bool:
    """Fill an empty database with the city; False, and nothing done, where people live already."""
    database = Database(database_url, pool_size=1)
    try:
        async with database.write() as session:
            if await session.scalar(select(func.count()).select_from(User)):
                return False
            # In the order of the references: people first, then what is theirs.
            for generation in _generations(hash_password(PASSWORD)):
                session.add_all(generation)
                await session.flush()
        return True
    finally:
        await database.close()


def driver_email(number: int) -> str:
    """The login of a driver, counted from 1: driver@example.com, driver2@example.com, …"""
    return f"driver{'' if number == 1 else number}@example.com"


def _generations(password_hash: str) -> Iterator[list[SQLModel]]:
    users: list[SQLModel] = []
    profiles: list[SQLModel] = []

    def person(email: str, role: Role, first_name: str, last_name: str) -> User:
        user = User(email=email, password_hash=password_hash, role=role, is_verified=True)
        users.append(user)
        profiles.append(UserProfile(user_id=user.id, first_name=first_name, last_name=last_name))
        return user

    person("customer@example.com", Role.CUSTOMER, "Casey", "Morgan")
    person("admin@example.com", Role.ADMIN, "Alex", "Ops")
    chefs = [_chef(person(k.email, Role.CHEF, k.first_name, k.last_name), k) for k in KITCHENS]
    menus = [Menu(chef_id=chef.id, name="Today") for chef in chefs]
    dishes = [
        _menu_item(menu, dish, place)
        for menu, kitchen in zip(menus, KITCHENS, strict=True)
        for place, dish in enumerate(kitchen.dishes)
    ]
    groups = [
        _group(item, choice, place)
        for item, dish in zip(dishes, (d for k in KITCHENS for d in k.dishes), strict=True)
        for place, choice in enumerate(dish.choices)
    ]
    drivers = [
        Driver(
            user_id=person(driver_email(number), Role.DRIVER, name, "Driver").id,
            vehicle_type=vehicle,
            vehicle_plate=papers.plate(vehicle, 4800 + number),
            rating=rating,
            verification_status=Verification.APPROVED,
            documents_expire_on=papers.good_until(vehicle),
            # Only the driver whose login is printed is on duty: nobody answers for the others.
            is_available=number == 1,
            on_duty_since=now() if number == 1 else None,
            current_latitude=place.latitude,
            current_longitude=place.longitude,
            located_at=now(),
        )
        for number, (name, vehicle, rating, place) in enumerate(DRIVERS, start=1)
    ]
    yield users
    yield [*profiles, *chefs, *drivers]
    yield [*menus, *(document for driver in drivers for document in papers.approved(driver))]
    yield [*dishes]
    yield [group for group, _ in groups]
    yield [option for group, choice in groups for option in _options(group, choice)]


def _chef(user: User, kitchen: Kitchen) -> Chef:
    day = {"open": kitchen.opens, "close": kitchen.closes}
    return Chef(
        user_id=user.id,
        business_name=kitchen.name,
        description=kitchen.description,
        cuisine_types=list(kitchen.cuisines),
        specialties=[kitchen.dishes[0].name],
        address=kitchen.address,
        latitude=kitchen.place.latitude,
        longitude=kitchen.place.longitude,
        operating_hours=dict.fromkeys(WEEKDAYS, day),
        verification_status=Verification.APPROVED,
        accepting_orders=True,
        minimum_order_cents=kitchen.minimum_cents,
        rating=kitchen.rating,
    )


def _menu_item(menu: Menu, dish: Dish, place: int) -> MenuItem:
    return MenuItem(
        id=uuid7(),
        menu_id=menu.id,
        name=dish.name,
        category=dish.category,
        price_cents=dish.cents,
        prep_time_minutes=dish.minutes,
        dietary_tags=list(dish.tags),
        stock=dish.stock,
        position=place,
    )


def _group(item: MenuItem, choice: Choice, place: int) -> tuple[OptionGroup, Choice]:
    group = OptionGroup(
        menu_item_id=item.id,
        name=choice.name,
        min_choices=choice.least,
        max_choices=choice.most,
        position=place,
    )
    return group, choice


def _options(group: OptionGroup, choice: Choice) -> list[MenuItemOption]:
    return [
        MenuItemOption(group_id=group.id, name=name, price_cents=cents, position=place)
        for place, (name, cents) in enumerate(choice.options)
    ]
