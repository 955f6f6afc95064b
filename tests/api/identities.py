"""People with a past here, known by words that are nowhere else."""

from dataclasses import dataclass
from typing import Any

import httpx
from uuid_utils.compat import uuid7

from domain.order_status import OrderStatus
from domain.social import Provider
from local.cast import Cast
from local.people import Person
from local.world import PASSWORD
from schema.tables import SocialIdentity
from tests.pictures import PNG

S = OrderStatus


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
    await person.post(
        "/users/me/devices", token=f"phone-of-{me.first}", label=f"{me.first}'s phone"
    )


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
    # Some metres, so that its degrees, too, are nowhere else.
    aside = 0.0001 + int(me.phone[-4:]) / 1e7
    order = await play.bring(
        S.DELIVERED,
        deliveryAddress=address(
            me,
            latitude=round(door.latitude + aside, 7),
            longitude=round(door.longitude + aside, 7),
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
    path = f"/orders/{order['id']}/messages"
    await play.customer.post(path, text=f"It is {me.last}, thank you!")
    await play.drivers[0].post(path, text=f"Bye, {me.first}.")
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
            reason="it was not cold",
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


async def sociable(play: Cast, me: Identity, order: dict[str, Any]) -> None:
    """The customer has said what he thinks, is about to order, and comes in from elsewhere, too;
    on his phone and by mail he has to prove something.
    """
    await play.customer.post(
        "/cart/items",
        menuItemId=str(play.world.dish_id),
        quantity=1,
        specialInstructions=f"again for {me.first}",
    )
    path = f"/orders/{order['id']}/review"
    said = await play.customer.post(
        path,
        chef={"rating": 4, "comment": f"As good as that of {me.last}."},
        driver={"rating": 5, "comment": f"Write to {me.first.lower()}@example.com"},
    )
    await play.customer.upload(f"{path}/photos", PNG, "image/png")
    review = f"reviews/{said['chef']['id']}"
    await play.chef.post(f"/chef/{review}/reply", reply=f"Thank you, {me.first}")
    await play.customer.post(f"/{review}/report", reason=f"It was not for all, {me.last}")
    await play.chef.post(f"/{review}/report", reason=f"{me.first} is my aunt")
    async with play.database.write() as session:
        session.add(
            SocialIdentity(
                provider=Provider.GOOGLE,
                subject=f"google-{me.first}",
                user_id=play.world.customer.user_id,
                email=f"{me.last}@example.com",
            )
        )
    await play.customer.log_in(PASSWORD)
    await play.customer.post("/auth/send-otp", phone=me.phone)
    await play.customer.post("/auth/forgot-password", email=play.customer.email)
