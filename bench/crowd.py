"""Thousands of customers who each look at an order of their own, and drivers on their way to some
of them, made up: for the bench of the gateway.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
from uuid_utils.compat import uuid7

from api.auth import access_token
from bench import bulk
from domain.geo import Point
from domain.order_status import Actor, OrderStatus
from domain.pricing import Rates, price
from domain.proof import ProofKind
from domain.verification import Verification
from local import world as worlds
from local.world import World
from schema.database import Database
from schema.messages.order import Transition, Who
from schema.queries.people import Login
from schema.tables import Driver, Order, OrderStatusHistory, Role, User, UserProfile
from schema.tables.columns import now
from settings import Settings

S = OrderStatus

_AT_ONCE = 1_000
# So far that nobody comes near a door.
_DOOR_DEGREES = 0.05
_LIFE = (
    (S.PENDING, Actor.CUSTOMER),
    (S.PAYMENT_CONFIRMED, Actor.STRIPE),
    (S.ACCEPTED, Actor.CHEF),
    (S.PREPARING, Actor.CHEF),
    (S.READY_FOR_PICKUP, Actor.CHEF),
    (S.ASSIGNED_TO_DRIVER, Actor.DRIVER),
    (S.PICKED_UP, Actor.DRIVER),
    (S.IN_TRANSIT, Actor.DRIVER),
)


@dataclass(frozen=True)
class Customer:
    """Whose order it is, and the token to look at it with."""

    order_id: UUID
    token: str


@dataclass(frozen=True)
class Courier:
    """A driver's token, and the order that he brings."""

    order_id: UUID
    token: str


@dataclass(frozen=True)
class Crowd:
    """Who there is. What is not brought by a driver waits at its chef, who has accepted it."""

    kitchen: Point
    chef_user_id: UUID
    customers: list[Customer]
    couriers: list[Courier]

    @property
    def waiting(self) -> list[UUID]:
        """The orders that are at the chef."""
        return [one.order_id for one in self.customers[len(self.couriers) :]]

    def steps(self, order_id: UUID) -> Iterator[Transition]:
        """What the chef does with an order that waits."""
        by = Who(role=Actor.CHEF, id=self.chef_user_id)
        accepted = 1 + [status for status, _ in _LIFE].index(S.ACCEPTED)
        for sequence, (was, to) in enumerate(
            ((S.ACCEPTED, S.PREPARING), (S.PREPARING, S.READY_FOR_PICKUP)), accepted + 1
        ):
            yield Transition(
                order_id=order_id, sequence=sequence, was=was, to=to, by=by, at=datetime.now(UTC)
            )


async def gather(
    database: Database, url: str, settings: Settings, size: int, drivers: int
) -> Crowd:
    """Fill a database with so many customers; the first of them wait for the drivers."""
    world = await worlds.settle(database)
    connection = await asyncpg.connect(url)
    customers: list[Customer] = []
    couriers: list[Courier] = []
    try:
        for begin in range(0, size, _AT_ONCE):
            users = [_user(Role.CUSTOMER) for _ in range(min(_AT_ONCE, size - begin))]
            staff = [_user(Role.DRIVER) for _ in users[: max(0, drivers - begin)]]
            await bulk.copy(connection, users + staff)
            await bulk.copy(connection, [_profile(user) for user in users + staff])
            who = [_driver(user, world) for user in staff]
            if who:
                await bulk.copy(connection, who)
            orders = [
                _order(world, user, begin + number, who[number] if number < len(who) else None)
                for number, user in enumerate(users)
            ]
            await bulk.copy(connection, orders)
            await bulk.copy(connection, [step for order in orders for step in _history(order)])
            for user, order in zip(users, orders, strict=True):
                customers.append(Customer(order.id, _token(user, settings)))
            for user, order in zip(staff, orders, strict=False):
                couriers.append(Courier(order.id, _token(user, settings)))
    finally:
        await connection.close()
    return Crowd(world.kitchen, world.chef.user_id, customers, couriers)


def _user(role: Role) -> User:
    return User(email=f"{uuid7()}@example.com", role=role, is_verified=True)


def _profile(user: User) -> UserProfile:
    return UserProfile(user_id=user.id, first_name="Bench", last_name="Person")


def _driver(user: User, world: World) -> Driver:
    return Driver(
        user_id=user.id,
        verification_status=Verification.APPROVED,
        is_available=True,
        on_duty_since=now(),
        current_latitude=world.kitchen.latitude,
        current_longitude=world.kitchen.longitude,
        located_at=now() - timedelta(minutes=1),
    )


def _order(world: World, customer: User, number: int, driver: Driver | None) -> Order:
    status = S.ACCEPTED if driver is None else S.IN_TRANSIT
    at = now()
    return Order(
        order_number=f"RND-BENCH-{number:05d}",
        customer_id=customer.id,
        chef_id=world.chef.id,
        driver_id=None if driver is None else driver.id,
        market="austin",
        status=status,
        sequence=1 + [one for one, _ in _LIFE].index(status),
        **asdict(price([(1000, 2)], Rates(), 2.0)),
        pickup_latitude=world.kitchen.latitude,
        pickup_longitude=world.kitchen.longitude,
        delivery_line1="1 Bench Street",
        delivery_city="Austin",
        delivery_state="TX",
        delivery_postal_code="78701",
        delivery_country="US",
        delivery_latitude=world.kitchen.latitude + _DOOR_DEGREES,
        delivery_longitude=world.kitchen.longitude,
        road_km=7.0,
        prep_minutes=20,
        proof_kind=ProofKind.NONE,
        estimated_ready_at=at + timedelta(minutes=20),
        estimated_pickup_at=at + timedelta(minutes=20),
        estimated_delivery_at=at + timedelta(minutes=40),
        created_at=at,
        paid_at=at,
        accepted_at=at,
        picked_up_at=None if driver is None else at,
    )


def _history(order: Order) -> Iterator[OrderStatusHistory]:
    was = None
    for sequence, (status, actor) in enumerate(_LIFE[: order.sequence], 1):
        yield OrderStatusHistory(
            order_id=order.id,
            sequence=sequence,
            was=was,
            status=status,
            actor=actor,
            created_at=order.created_at,
        )
        was = status


def _token(user: User, settings: Settings) -> str:
    who = Login(user.id, user.email, user.role, "", "Bench", "Person")
    return access_token(who, settings, logged_in_at=datetime.now(UTC))
