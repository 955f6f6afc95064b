"""Two casts that have nothing to do with each other, and what belongs to the first:
for tests that go through all operations.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from api.examples_people import ADDRESS_BODY
from domain.order_status import OrderStatus
from domain.permissions import Role
from local.cast import Cast, cast
from local.people import Person, until
from tests.api import disputes
from tests.api.delivered import delivered


@dataclass(frozen=True)
class House:
    """Two casts that have nothing to do with each other, and what belongs to the first."""

    play: Cast
    strangers: Cast
    ids: Mapping[str, str]

    def insider(self, role: Role) -> Person:
        """Somebody of the first cast."""
        return _one_of(self.play, role)

    def stranger(self, role: Role) -> Person:
        """Somebody of the second."""
        return _one_of(self.strangers, role)


@asynccontextmanager
async def settled(environment: Mapping[str, str]) -> AsyncIterator[House]:
    """Everybody twice, and an order of the first cast that is with its driver."""
    async with cast(environment) as play, cast(environment, drivers=1) as strangers:
        order = await play.bring(OrderStatus.READY_FOR_PICKUP)
        offer = await play.offered(0, order)
        # With a driver it stays as it is until he moves it on.
        await play.drivers[0].post(f"/delivery/offers/{offer['id']}/accept")
        yield House(
            play,
            strangers,
            {
                "order_id": order["id"],
                "offer_id": offer["id"],
                "chef_id": str(play.world.chef.id),
                "driver_id": str(play.world.drivers[0].id),
                "dispute_id": await disputes.opened(play, order),
                "code": await promo_code(play),
                "day": "2026-01-31",
                "movement_id": await movement_of(play, order),
                "kind": "chef",
                "payee_id": str(play.world.chef.id),
                "case_id": str(uuid4()),
                "document_id": await document_of(play.drivers[0]),
                "request_id": str(uuid4()),
                "address_id": await address_of(play.customer),
                "delivery_id": await delivery_of(play.world.customer.user_id, play.admin),
                "notification_id": await notification_of(play.customer),
                "device_id": await device_of(play.customer),
                "item_id": str(play.world.dish_id),
                "cart_item_id": await cart_item_of(play),
                "payment_id": await payment_of(play),
                "review_id": await review_of(play),
                "menu_id": (await play.chef.get("/chef/menus"))[0]["id"],
                "provider": "google",
                "token": "no-token",
                "user_id": str(play.world.customer.user_id),
                "market": "austin",
                "setting_id": str(uuid4()),
                "owner_id": str(play.world.chef.id),
                "name": f"{'0' * 64}.jpg",
                "webhook_id": await webhook_of(play.chef),
                "webhook_delivery_id": str(uuid4()),
            },
        )


async def promo_code(play: Cast) -> str:
    """A code that is there to be changed."""
    terms = {"discountType": "fixed", "discountValue": 500, "reason": "to be tried"}
    made = await play.admin.post("/admin/promo-codes", code=f"P-{uuid4().hex}", **terms)
    return str(made["code"])


async def movement_of(play: Cast, order: dict[str, Any]) -> str:
    """What the order's payment has booked."""
    found = await play.admin.get("/admin/ledger/movements", orderId=order["id"])
    return str(found["data"][0]["id"])


async def address_of(customer: Person) -> str:
    """An address that is there to be changed."""
    kept = await customer.post("/users/me/addresses", **ADDRESS_BODY, latitude=1, longitude=1)
    return str(kept["id"])


async def notification_of(customer: Person) -> str:
    """Something that the customer was told."""
    return str((await customer.get("/users/me/notifications"))["data"][0]["id"])


async def delivery_of(user_id: UUID, admin: Person) -> str:
    """A mail that somebody was sent."""

    async def was_sent() -> str | None:
        wanted = {"userId": str(user_id), "channel": "email", "status": "sent"}
        found = await admin.get("/admin/notifications/deliveries", **wanted)
        return str(found["data"][0]["id"]) if found["data"] else None

    return await until(was_sent)


async def device_of(customer: Person) -> str:
    """A phone that the customer is reached on."""
    return str((await customer.post("/users/me/devices", token=f"token-{uuid4()}"))["id"])


async def cart_item_of(play: Cast) -> str:
    """What the customer has in his cart."""
    dish = str(play.world.dish_id)
    cart = await play.customer.post("/cart/items", menuItemId=dish, quantity=1)
    return str(cart["items"][0]["id"])


async def payment_of(play: Cast) -> str:
    """What an order waits for."""
    order = await play.place()
    return str((await play.customer.post("/payments/intent", orderId=order["id"]))["id"])


async def review_of(play: Cast) -> str:
    """What the customer says about the chef."""
    path = f"/orders/{await delivered(play)}/review"
    return str((await play.customer.post(path, chef={"rating": 5}))["chef"]["id"])


async def document_of(driver: Person) -> str:
    """A document that is there to be looked at."""
    handed_in = await driver.post(
        "/delivery/documents", type="identity", fileUrl="https://files.example.com/me.jpg"
    )
    return str(handed_in["id"])


async def webhook_of(chef: Person) -> str:
    """Where the chef wants to be told of what does not happen."""
    said = {"url": "http://127.0.0.1:9/hook", "eventTypes": ["order.dispute_closed"]}
    return str((await chef.post("/chef/webhooks", **said))["id"])


def _one_of(people: Cast, role: Role) -> Person:
    match role:
        case Role.CUSTOMER:
            return people.customer
        case Role.CHEF:
            return people.chef
        case Role.DRIVER:
            return people.drivers[0]
        case Role.ADMIN:
            return people.admin
