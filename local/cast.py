"""The people of a world, logged in at a running facade, and what they do there."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
from stripe import StripeClient

from api.auth import access_token
from domain.order_status import OrderStatus
from local import world as worlds
from local.people import Person, Wallet, until
from local.world import Somebody, World
from schema.database import Database
from schema.queries.people import Login
from schema.tables import Role
from settings import Settings

S = OrderStatus
Order = dict[str, Any]


@dataclass
class Cast:
    """Who plays in one test, and the levers around them."""

    world: World
    database: Database
    environment: Mapping[str, str]
    customer: Person
    chef: Person
    admin: Person
    drivers: list[Person]
    wallet: Wallet
    stripe: StripeClient = field(repr=False)

    async def place(self, **changes: object) -> Order:
        """The customer places the seeds' golden order."""
        order: Order = await self.customer.post(
            "/orders", key=str(uuid4()), **self.world.basket(**changes)
        )
        return order

    async def pay(self, order: Order, card: str = "pm_card_visa", *, within: float = 60.0) -> None:
        """The customer pays, and Stripe's webhook is awaited."""
        await self.wallet.pay(order["clientSecret"], card)
        await self.becomes(order, S.PAYMENT_CONFIRMED, within=within)

    async def becomes(self, order: Order, status: OrderStatus, *, within: float = 60.0) -> Order:
        """Wait until the customer sees the order in a state."""

        async def has_become() -> Order | None:
            seen: Order = await self.customer.get(f"/orders/{order['id']}")
            return seen if seen["status"] == status else None

        return await until(has_become, within=within)

    async def chef_says(self, order: Order, status: str, **words: object) -> Order:
        answer: Order = await self.chef.put(
            f"/chef/orders/{order['id']}/status", status=status, **words
        )
        return answer

    async def driver_says(self, number: int, order: Order, status: str, **words: Any) -> Order:
        """A driver says how far an order is; at the door he has the customer's code."""
        if status == S.DELIVERED and order.get("deliveryCode"):
            words["proof"] = {"code": order["deliveryCode"]} | words.get("proof", {})
        answer: Order = await self.drivers[number].put(
            f"/delivery/orders/{order['id']}", status=status, **words
        )
        return answer

    async def offered(self, number: int, order: Order) -> dict[str, Any]:
        """Wait until a driver is offered an order, alone or with others."""

        async def find() -> dict[str, Any] | None:
            offers = await self.drivers[number].get("/delivery/offers")
            return next((offer for offer in offers if holds(offer, order)), None)

        return await until(find)

    async def take(self, number: int, order: Order) -> Order:
        """A driver accepts the offer that he gets."""
        offer = await self.offered(number, order)
        answer: Order = await self.drivers[number].post(f"/delivery/offers/{offer['id']}/accept")
        return answer

    async def bring(self, to: OrderStatus, **changes: object) -> Order:
        """A new order, brought as far as `to` by everybody's doing."""
        order = await self.place(**changes)
        for status in (
            S.PAYMENT_CONFIRMED,
            S.ACCEPTED,
            S.PREPARING,
            S.READY_FOR_PICKUP,
            S.ASSIGNED_TO_DRIVER,
            S.PICKED_UP,
            S.IN_TRANSIT,
            S.DELIVERED,
        ):
            if to is S.PENDING:
                break
            await self._step(order, status)
            if status is to:
                break
        return order

    async def history(self, order: Order) -> list[str]:
        """The states that an order went through."""
        steps = await self.customer.get(f"/orders/{order['id']}/history")
        return [step["status"] for step in steps]

    def intent_id(self, order: Order) -> str:
        return str(order["clientSecret"].split("_secret_")[0])

    def charged(self, order: Order) -> list[int]:
        """What Stripe charged for an order, charge by charge, in cents."""
        charges = self.stripe.v1.charges.list({"payment_intent": self.intent_id(order)})
        return [charge.amount_captured for charge in charges.data if charge.paid]

    def refunded(self, order: Order) -> list[int]:
        """What Stripe gave back, refund by refund, in cents."""
        refunds = self.stripe.v1.refunds.list({"payment_intent": self.intent_id(order)})
        return [refund.amount for refund in refunds.data]

    async def is_refunded(self, order: Order, cents: int) -> None:
        """Wait until our books and Stripe say alike that so much is given back."""

        async def has_it() -> bool:
            seen = await self.customer.get(f"/orders/{order['id']}")
            return bool(seen["refundedCents"] == cents == sum(self.refunded(order)))

        await until(has_it)

    async def stripe_control(self, method: str, path: str, **body: object) -> None:
        """Have Stripe's stand-in misbehave, or behave again."""
        async with httpx.AsyncClient(base_url=self.environment["STRIPE_API_BASE"]) as http:
            (await http.request(method, f"/_control/{path}", json=body)).raise_for_status()

    async def _step(self, order: Order, status: OrderStatus) -> None:
        if status is S.PAYMENT_CONFIRMED:
            await self.pay(order)
        elif status is S.ASSIGNED_TO_DRIVER:
            await self.take(0, order)
        elif status in {S.PICKED_UP, S.IN_TRANSIT, S.DELIVERED}:
            await self.driver_says(0, order, status)
        else:
            await self.chef_says(order, status)


def holds(offer: Mapping[str, Any], order: Mapping[str, Any]) -> bool:
    """Whether an order is among those of an offer."""
    return any(offered["orderId"] == order["id"] for offered in offer["orders"])


@asynccontextmanager
async def cast(
    environment: Mapping[str, str],
    *,
    drivers: int = 2,
    patience: float = 0.0,
    onboarded: bool = True,
) -> AsyncIterator[Cast]:
    """A world of its own at a running facade, everybody with a token (argon2 takes its time)."""
    database = Database(environment["DATABASE_URL"], pool_size=2)
    world = await worlds.settle(database, drivers=drivers, onboarded=onboarded)
    logins = [world.customer, world.chef, world.admin, *world.drivers]
    people = [Person(environment["API_URL"], login.email, patience=patience) for login in logins]
    for person, login in zip(people, logins, strict=True):
        person.use_token(token(environment, login))
    wallet = Wallet("pk_test_cast", environment["STRIPE_API_BASE"])
    customer, chef, admin, *staff = people
    yield Cast(
        world=world,
        database=database,
        environment=environment,
        customer=customer,
        chef=chef,
        admin=admin,
        drivers=staff,
        wallet=wallet,
        stripe=StripeClient(
            environment["STRIPE_API_KEY"],
            base_addresses={"api": environment["STRIPE_API_BASE"]},
        ),
    )
    for person in people:
        await person.leave()
    await wallet.close()
    await database.close()


def token(environment: Mapping[str, str], login: Somebody) -> str:
    """An access token as the facade would make it of somebody who has just logged in."""
    role = Role(login.email.split("-", 1)[0])
    who = Login(login.user_id, login.email, role, "", "Test", "Person")
    return access_token(who, Settings.of(environment), logged_in_at=datetime.now(UTC))
