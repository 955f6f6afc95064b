"""Whoever has to do with an order is told what concerns him, once, on the ways that he wants."""

from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import col

from domain.delivering import DeliveryStatus
from domain.notifications import Alert
from domain.order_status import OrderStatus
from domain.preferences import Channel
from local.cast import Cast, Order
from local.people import Person, Unanswered, until
from local.world import Somebody
from schema.queries import notifications, orders
from schema.tables import Device, DeviceKind, Notification, NotificationDelivery, UserProfile
from schema.tables.columns import now

S = OrderStatus


async def got(play: Cast, *places: str) -> Counter[tuple[str, str]]:
    """What has arrived somewhere: on which way, in which words."""
    async with httpx.AsyncClient(base_url=play.environment["INBOX_URL"]) as post:
        found: list[dict[str, Any]] = []
        for place in places:
            found += (await post.get("/inbox", params={"to": place})).json()
    return Counter((one["kind"], one["words"]) for one in found for _ in range(one["copies"]))


async def app(person: Person) -> str:
    """Have somebody reached by the app; its token."""
    token = uuid4().hex
    await person.post("/users/me/devices", token=token)
    return token


async def browser(play: Cast, whom: Somebody) -> str:
    """Have somebody's browser subscribe; its endpoint."""
    async with httpx.AsyncClient(base_url=play.environment["INBOX_URL"]) as post:
        made = (await post.post("/_control/subscriptions")).json()
    device = Device(
        user_id=whom.user_id,
        kind=DeviceKind.WEB_PUSH,
        token=made["endpoint"],
        last_seen_at=now(),
        **made["keys"],
    )
    async with play.database.write() as session:
        session.add(device)
    return str(made["endpoint"])


async def all_sent(play: Cast, order: Order) -> None:
    """Wait until nothing about an order is on its way any more, and all of it was sent."""

    async def none_waits() -> set[str] | None:
        async with play.database.read() as session:
            found = set(
                await session.scalars(
                    select(col(NotificationDelivery.status))
                    .join(
                        Notification,
                        col(Notification.id) == col(NotificationDelivery.notification_id),
                    )
                    .where(col(Notification.related_order_id) == UUID(order["id"]))
                )
            )
        return None if DeliveryStatus.PENDING in found else found

    assert await until(none_waits) <= {DeliveryStatus.SENT, DeliveryStatus.SKIPPED}


async def told(play: Cast, whom: Somebody, order: Order) -> list[tuple[str, str]]:
    """What somebody was told about an order in the app: occasion and words."""
    async with play.database.read() as session:
        found = await session.execute(
            select(col(Notification.occasion), col(Notification.message))
            .where(
                col(Notification.user_id) == whom.user_id,
                col(Notification.related_order_id) == UUID(order["id"]),
            )
            .order_by(col(Notification.id))
        )
    return [(occasion, message) for occasion, message in found]


async def test_a_whole_order_tells_each_party_once_as_it_is_usual(play: Cast) -> None:
    world = play.world
    phones = {who: await app(person) for who, person in _people(play).items()}

    order = await play.bring(S.DELIVERED)
    await all_sent(play, order)

    of_customer = dict(await told(play, world.customer, order))
    assert list(of_customer) == [
        "payment_confirmed",
        "accepted",
        "preparing",
        "ready_for_pickup",
        "assigned_to_driver",
        "picked_up",
        "delivered",
    ]
    # Money is told by mail, what happens by push.
    paid = of_customer.pop("payment_confirmed")
    assert await got(play, phones["customer"]) == Counter(
        ("push", words) for words in of_customer.values()
    )
    ((kind, mail),) = await got(play, world.customer.email)
    assert (kind, paid in mail, "$26.60" in mail) == ("mail", True, True)
    of_chef = await told(play, world.chef, order)
    assert [occasion for occasion, _ in of_chef] == ["payment_confirmed", "assigned_to_driver"]
    assert await got(play, phones["chef"]) == Counter(("push", words) for _, words in of_chef)
    of_driver = await told(play, world.drivers[0], order)
    assert [occasion for occasion, _ in of_driver] == ["driver_offer"]
    assert await got(play, phones["driver"]) == Counter(("push", words) for _, words in of_driver)
    assert not await got(play, world.chef.email, world.drivers[0].email, world.admin.email)


async def test_a_whole_order_tells_each_party_as_it_wishes(play: Cast) -> None:
    world = play.world
    phone, number, endpoint = (
        await app(play.customer),
        await _number(play, world.customer),
        await browser(play, world.customer),
    )
    chefs_phone = await app(play.chef)
    drivers_phone = await app(play.drivers[0])
    await _wants(play.customer, orders=(Channel.SMS, Channel.PUSH), money=())
    await _wants(play.chef, work=(Channel.EMAIL,))
    await _wants(play.drivers[0], work=())

    order = await play.bring(S.DELIVERED)
    await all_sent(play, order)

    happened = [w for o, w in await told(play, world.customer, order) if o != "payment_confirmed"]
    assert len(happened) == 6
    assert await got(play, phone) == Counter(("push", words) for words in happened)
    assert await got(play, endpoint) == Counter(("web_push", words) for words in happened)
    title = f"Order {order['orderNumber']}"
    assert await got(play, number) == Counter(("sms", f"{title}: {w}") for w in happened)
    assert not await got(play, world.customer.email)
    mails = await got(play, world.chef.email)
    assert [kind for kind, _ in mails.elements()] == ["mail", "mail"]
    assert not await got(play, chefs_phone, drivers_phone)


async def test_operators_are_told_together_once_by_webhook_and_list(play: Cast) -> None:
    order = await play.bring(S.PAYMENT_CONFIRMED)
    alarms = (Alert.CHEF_OVERDUE, Alert.DRIVER_DARK)
    for _ in range(2):
        for alarm in alarms:
            async with play.database.write() as session:
                parties = await orders.parties(session, UUID(order["id"]))
                await notifications.tell(session, alarm, parties, key="once")
    await all_sent(play, order)

    async def about(place: str) -> list[str]:
        found = await got(play, place)
        return [words for _, words in found.elements() if order["orderNumber"] in words]

    for place in ("ops", play.environment["OPS_EMAIL"]):
        posts = await about(place)
        assert len(posts) == len(alarms)


async def test_where_mails_bounce_the_owner_sees_it_and_operators_can_have_it_tried_anew(
    play: Cast,
) -> None:
    email = play.world.customer.email
    await _faults(play, "POST", json={"to": email, "kind": "dead"})
    order = await play.bring(S.PAYMENT_CONFIRMED)
    log = "/admin/notifications/deliveries"

    async def is_dead() -> Order | None:
        found = await play.admin.get(log, orderId=order["id"], channel="email", status="dead")
        return found["data"][0] if found["data"] else None

    dead = await until(is_dead)
    assert (dead["attempts"], dead["error"]) == (1, "the mail server says 550")
    kept = await play.customer.get("/users/me/notification-preferences")
    assert kept["unreachable"] == ["email"]
    again = await play.place()
    await play.pay(again)
    assert (await play.admin.get(log, orderId=again["id"], channel="email"))["total"] == 0
    assert len(await told(play, play.world.customer, again)) == 1

    await _faults(play, "DELETE", params={"to": email})
    with pytest.raises(Unanswered) as missing:
        await play.admin.post(f"{log}/{uuid4()}/resend", reason="his mailbox is there again")
    resent = await play.admin.post(f"{log}/{dead['id']}/resend", reason="it is there again")
    await all_sent(play, order)

    assert missing.value.status == 404
    assert (resent["status"], resent["resends"]) == ("pending", 1)
    assert len(await got(play, email)) == 1
    kept = await play.customer.get("/users/me/notification-preferences")
    assert kept["unreachable"] == []


async def _faults(play: Cast, method: str, **asked: Any) -> None:
    async with httpx.AsyncClient(base_url=play.environment["INBOX_URL"]) as post:
        (await post.request(method, "/_control/faults", **asked)).raise_for_status()


def _people(play: Cast) -> dict[str, Person]:
    return {"customer": play.customer, "chef": play.chef, "driver": play.drivers[0]}


async def _wants(person: Person, **events: tuple[Channel, ...]) -> None:
    wanted = {
        event: {"inApp": True}
        | {name.value: name in channels for name in Channel if name is not Channel.IN_APP}
        for event, channels in events.items()
    }
    await person.put("/users/me/notification-preferences", events=wanted)


async def _number(play: Cast, whom: Somebody) -> str:
    number = f"+1512{uuid4().int % 10**7:07d}"
    async with play.database.write() as session:
        profile = await session.scalar(
            select(UserProfile).where(col(UserProfile.user_id) == whom.user_id)
        )
        assert profile is not None
        profile.phone = profile.verified_phone = number
    return number
