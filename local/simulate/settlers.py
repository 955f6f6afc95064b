"""The accounts of a city's people, written straight into the database: nobody registers here."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import update
from sqlmodel import SQLModel
from uuid_utils.compat import uuid7

from domain.payees import PayeeKind
from local import papers
from local.payees import account_id
from local.simulate.demand import City, DriverPlan, KitchenPlan
from local.world import ALWAYS, PASSWORD_HASH, Somebody
from schema.database import Database
from schema.tables import (
    Chef,
    ConnectedAccount,
    Driver,
    Menu,
    MenuItem,
    Role,
    User,
    UserProfile,
    Verification,
)
from schema.tables.columns import now

# How often one customer orders in an evening, more or less.
_ORDERS_EACH = 3


@dataclass(frozen=True)
class SettledKitchen:
    """A kitchen that is there: its chef, and its dishes in the plan's order."""

    plan: KitchenPlan
    chef: Somebody
    dishes: tuple[UUID, ...]


@dataclass(frozen=True)
class SettledDriver:
    """A driver who is there."""

    plan: DriverPlan
    login: Somebody


@dataclass(frozen=True)
class Settled:
    """All people of a city, with their ids."""

    customers: tuple[Somebody, ...]
    kitchens: tuple[SettledKitchen, ...]
    drivers: tuple[SettledDriver, ...]


async def settle(database: Database, city: City) -> Settled:
    """Write a city's people down. Whoever was there before goes off duty: nobody answers for him.

    Chefs and drivers can be paid, as far as we know: Stripe has never heard of their accounts.
    """
    rows = _Rows()
    settled = Settled(
        customers=tuple(
            rows.person(Role.CUSTOMER, f"customer{number + 1}")
            for number in range(len(city.arrivals) // _ORDERS_EACH + 1)
        ),
        kitchens=tuple(rows.kitchen(plan) for plan in city.kitchens),
        drivers=tuple(rows.driver(plan) for plan in city.drivers),
    )
    async with database.write() as session:
        await session.execute(update(Driver).values(is_available=False))
        for generation in rows.generations():
            session.add_all(generation)
            await session.flush()
    return settled


class _Rows:
    """The rows of people, in the order in which they refer to each other."""

    def __init__(self) -> None:
        self._users: list[SQLModel] = []
        self._theirs: list[SQLModel] = []
        self._trades: list[SQLModel] = []
        self._belongings: list[SQLModel] = []
        self._dishes: list[SQLModel] = []

    def generations(self) -> Iterator[list[SQLModel]]:
        yield self._users
        yield self._theirs
        yield self._trades
        yield self._belongings
        yield self._dishes

    def person(self, role: Role, name: str, its_id: UUID | None = None) -> Somebody:
        email = f"{name}@city.example.com"
        user = User(email=email, password_hash=PASSWORD_HASH, role=role, is_verified=True)
        self._users.append(user)
        self._theirs.append(
            UserProfile(user_id=user.id, first_name=name.title(), last_name="Simulated")
        )
        return Somebody(user.id, user.email, its_id or user.id)

    def kitchen(self, plan: KitchenPlan) -> SettledKitchen:
        chef_id, name = uuid7(), f"Kitchen {plan.number + 1}"
        cook = self.person(Role.CHEF, f"chef{plan.number + 1}", chef_id)
        self._trades.append(
            Chef(
                id=chef_id,
                user_id=cook.user_id,
                business_name=name,
                address=f"{plan.number + 1} Kitchen Street, Austin, TX 78701",
                latitude=plan.place.latitude,
                longitude=plan.place.longitude,
                operating_hours=ALWAYS,
                verification_status=Verification.APPROVED,
                accepting_orders=True,
                rating=4.5,
                stripe_account_id=self._account(PayeeKind.CHEF, chef_id),
                stripe_onboarding_complete=True,
            )
        )
        menu = Menu(chef_id=chef_id, name="Tonight")
        self._belongings.append(menu)
        dishes = [
            MenuItem(
                id=uuid7(),
                menu_id=menu.id,
                name=dish.name,
                price_cents=dish.cents,
                prep_time_minutes=dish.minutes,
            )
            for dish in plan.dishes
        ]
        self._dishes.extend(dishes)
        return SettledKitchen(plan, cook, tuple(dish.id for dish in dishes))

    def driver(self, plan: DriverPlan) -> SettledDriver:
        driver_id = uuid7()
        login = self.person(Role.DRIVER, f"driver{plan.number + 1}", driver_id)
        driver = Driver(
            id=driver_id,
            user_id=login.user_id,
            vehicle_type=plan.vehicle,
            vehicle_plate=papers.plate(plan.vehicle, plan.number + 1),
            verification_status=Verification.APPROVED,
            documents_expire_on=papers.good_until(plan.vehicle),
            rating=4.5,
            stripe_account_id=self._account(PayeeKind.DRIVER, driver_id),
        )
        self._trades.append(driver)
        self._belongings.extend(papers.approved(driver))
        return SettledDriver(plan, login)

    def _account(self, kind: PayeeKind, payee_id: UUID) -> str:
        account = ConnectedAccount(
            id=account_id(payee_id),
            payee_kind=kind,
            payee_id=payee_id,
            details_submitted=True,
            payouts_enabled=True,
            onboarded_at=now(),
        )
        self._theirs.append(account)
        return account.id
