"""People with a past here, known by words that are nowhere else."""

from dataclasses import dataclass
from typing import Any

import httpx
from uuid_utils.compat import uuid7

from domain.order_status import OrderStatus
from local.cast import Cast
from local.people import Person

S = OrderStatus

PNG = b"\x89PNG\r\n\x1a\n" + b"a face"


@dataclass(frozen=True)
class Identity:
    """Who somebody is: words that are nowhere else, of no other test either."""

    first: str
    last: str
    phone: str
    street: str


def identity() -> Identity:
    """Somebody new."""
    mark = uuid7().hex[-7:]
    number = f"{int(mark, 16) % 10_000_000:07d}"
    return Identity(f"Zebulon{mark}", f"Quirren{mark}", f"+1512{number}", f"Xylophone{mark} Row")


async def introduce(person: Person, me: Identity) -> None:
    """Somebody says who he is, unmistakably, and keeps what people keep."""
    await person.put(
        "/users/me", firstName=me.first, lastName=me.last, phone=me.phone, locale="en-US"
    )
    await person.post(
        "/users/me/addresses", label=f"{me.first}'s", **address(me, latitude=30.5, longitude=-97.5)
    )
    await person.put("/users/me/notification-preferences")


def address(me: Identity, **changes: Any) -> dict[str, Any]:
    return {
        "line1": f"77 {me.street}",
        "line2": f"c/o {me.last}",
        "city": "Testville",
        "state": "TX",
        "postalCode": "78701",
        **changes,
    }


async def regular(play: Cast, me: Identity) -> dict[str, Any]:
    """The customer has a past here: an order with words of his in every field that takes some, a
    complaint that was answered, an order that he cancelled, a picture, a favourite.
    """
    await introduce(play.customer, me)
    await play.customer.put(f"/users/me/favourites/{play.world.chef.id}")
    door = play.world.door
    order = await play.bring(
        S.DELIVERED,
        deliveryAddress=address(
            me,
            latitude=round(door.latitude + 0.0001234, 7),
            longitude=round(door.longitude + 0.0001234, 7),
        ),
        instructions=f"ring at {me.last}",
        items=[
            {
                "menuItemId": str(play.world.dish_id),
                "quantity": 2,
                "specialInstructions": f"for {me.first}",
            }
        ],
    )
    other = await play.place(
        deliveryAddress=address(me, latitude=door.latitude, longitude=door.longitude)
    )
    await play.customer.put(f"/orders/{other['id']}/cancel", reason=f"{me.last} is not hungry")
    complaint = await play.customer.post(
        f"/orders/{order['id']}/complaint", reason="quality", words=f"Cold, says {me.first}."
    )
    if complaint["status"] == "asked":
        await play.admin.post(
            f"/admin/complaints/{complaint['id']}/decide",
            grant=False,
            reason=f"{me.first} always says so",
        )
    await play.becomes(order, S.DELIVERED)
    async with httpx.AsyncClient(base_url=play.environment["API_URL"]) as http:
        picture = await http.put(
            "/api/v1/users/me/avatar",
            content=PNG,
            headers={"Authorization": play.customer.authorization, "Content-Type": "image/png"},
        )
    assert picture.status_code == 200
    return order
