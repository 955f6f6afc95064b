"""A small world for one test: a customer, a kitchen with one dish, drivers, an operator.

Each world lies far from all others, so that tests which share a database do not meet.
"""

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from api.auth import hash_password
from domain import eta, geo
from domain.eta import City
from domain.geo import Point
from domain.hours import WEEKDAYS
from domain.payees import PayeeKind
from domain.preferences import Channel, Event
from domain.pricing import Rates, price
from local.payees import account_id
from schema.database import Database
from schema.messages.order import Address, Order, OrderLine, Placing
from schema.tables import (
    Chef,
    ConnectedAccount,
    Driver,
    Menu,
    MenuItem,
    NotificationPreferences,
    Role,
    User,
    UserProfile,
    Verification,
)
from schema.tables.columns import now

PASSWORD = "a world of its own"  # noqa: S105 - of people who live for one test
PASSWORD_HASH = hash_password(PASSWORD)

CITY = City()

_numbers = itertools.count(1)

ALWAYS = {day: {"open": "00:00", "close": "24:00"} for day in WEEKDAYS}


@dataclass(frozen=True)
class Somebody:
    """A login, and the id of the chef or driver that goes with it."""

    user_id: UUID
    email: str
    id: UUID


@dataclass(frozen=True)
class World:
    """Who there is, and where."""

    customer: Somebody
    chef: Somebody
    admin: Somebody
    drivers: list[Somebody]
    dish_id: UUID
    kitchen: Point
    door: Point

    def address(self, door: Point | None = None) -> dict[str, object]:
        """The customer's address, as the API takes it."""
        place = door or self.door
        return {
            "line1": "1 Test Street",
            "city": "Testville",
            "state": "TX",
            "postalCode": "78701",
            "latitude": place.latitude,
            "longitude": place.longitude,
        }

    def basket(self, **changes: object) -> dict[str, object]:
        """The seeds' golden order, as the API takes it."""
        return {
            "chefId": str(self.chef.id),
            "items": [{"menuItemId": str(self.dish_id), "quantity": 2}],
            "deliveryAddress": self.address(),
            **changes,
        }

    def placing(
        self, *, tip_cents: int = 0, scheduled_for: datetime | None = None, prep_minutes: int = 20
    ) -> Placing:
        """The seeds' golden order, as the workflow takes it."""
        road_km, placed_at = geo.road_km(self.kitchen, self.door), now()
        drive = CITY.drive(road_km)
        ready = eta.ready_at(placed_at, prep_minutes, CITY)
        if scheduled_for is not None:
            ready = eta.ready_for(scheduled_for, drive, CITY)
        return Placing(
            order=Order(
                id=uuid7(),
                customer_id=self.customer.user_id,
                chef_id=self.chef.id,
                market="austin",
                kitchen_name="Test Kitchen",
                kitchen=self.kitchen,
                door=self.door,
                road_km=road_km,
                price=price([(1000, 2)], Rates(), 2.0, tip_cents=tip_cents),
                prep_minutes=prep_minutes,
                placed_at=placed_at,
                scheduled_for=scheduled_for,
                estimated_ready_at=ready,
                estimated_pickup_at=ready,
                estimated_delivery_at=eta.delivery_time(ready, drive, CITY),
            ),
            lines=[
                OrderLine(
                    menu_item_id=self.dish_id, name="Masala Dosa", price_cents=1000, quantity=2
                )
            ],
            address=Address(
                line1="1 Test Street", city="Testville", state="TX", postal_code="78701"
            ),
        )


async def settle(
    database: Database,
    *,
    drivers: int = 0,
    chef_accepts: bool = True,
    onboarded: bool = True,
    kitchen: Point | None = None,
) -> World:
    """Make a world, around its `kitchen` if that is to be somewhere. The first driver stands
    nearest to it, the others further off.

    Chef and drivers can be paid, as far as we know (Stripe has never heard of their accounts);
    unless they are `onboarded`, they have none.
    """
    number = next(_numbers)
    kitchen = kitchen or Point(-60 + 0.7 * (number % 170), -170 + 2.0 * (number // 170))
    async with database.write() as session:

        async def person(role: Role) -> User:
            user = User(
                email=f"{role}-{uuid7()}@example.com",
                password_hash=PASSWORD_HASH,
                role=role,
                is_verified=True,
            )
            session.add(user)
            await session.flush()
            session.add(UserProfile(user_id=user.id, first_name=role.title(), last_name="Test"))
            return user

        async def pay_to(payee: Chef | Driver, kind: PayeeKind) -> None:
            if not onboarded:
                return
            account = ConnectedAccount(
                id=account_id(payee.id),
                payee_kind=kind,
                payee_id=payee.id,
                details_submitted=True,
                payouts_enabled=True,
                onboarded_at=now(),
            )
            session.add(account)
            await session.flush()
            payee.stripe_account_id = account.id

        def somebody(user: User, its_id: UUID | None = None) -> Somebody:
            return Somebody(user.id, user.email, its_id or user.id)

        customer, cook, operator = [
            await person(role) for role in (Role.CUSTOMER, Role.CHEF, Role.ADMIN)
        ]
        # Every operator of every world is told what happens in any of them.
        without_mails = {event.value: {Channel.EMAIL.value: False} for event in Event}
        session.add(NotificationPreferences(user_id=operator.id, choices=without_mails))
        chef = Chef(
            user_id=cook.id,
            business_name="Test Kitchen",
            address="2 Test Street",
            latitude=kitchen.latitude,
            longitude=kitchen.longitude,
            operating_hours=ALWAYS,
            verification_status=Verification.APPROVED,
            accepting_orders=chef_accepts,
            rating=4.0,
            stripe_onboarding_complete=onboarded,
        )
        await pay_to(chef, PayeeKind.CHEF)
        session.add(chef)
        await session.flush()
        menu = Menu(chef_id=chef.id, name="Today")
        session.add(menu)
        await session.flush()
        dish = MenuItem(menu_id=menu.id, name="Masala Dosa", price_cents=1000)
        session.add(dish)
        staff = []
        for rank in range(1, drivers + 1):
            user = await person(Role.DRIVER)
            driver = Driver(
                user_id=user.id,
                verification_status=Verification.APPROVED,
                is_available=True,
                on_duty_since=now(),
                rating=4.5,
                current_latitude=kitchen.latitude + 0.003 * rank,
                current_longitude=kitchen.longitude,
                # Long enough ago for him to be at the door by now.
                located_at=now() - timedelta(minutes=1),
            )
            await pay_to(driver, PayeeKind.DRIVER)
            session.add(driver)
            staff.append(somebody(user, driver.id))
        return World(
            customer=somebody(customer),
            chef=somebody(cook, chef.id),
            admin=somebody(operator),
            drivers=staff,
            dish_id=dish.id,
            kitchen=kitchen,
            door=Point(kitchen.latitude + 0.01, kitchen.longitude + 0.01),
        )
