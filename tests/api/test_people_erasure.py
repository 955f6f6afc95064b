"""Accounts end, and then no column of any table says who it was; until then all of it is exported.

Whoever ends his account here does so at a facade whose time of grace is seconds.
"""

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text, update
from sqlmodel import SQLModel, col
from uuid_utils.compat import uuid7

from domain.disputes import Outcome
from domain.kitchens import documents_folder
from domain.order_status import OrderStatus
from domain.preferences import Channel
from local import world as worlds
from local.cast import Cast
from local.people import Person, Unanswered, insisting, until
from providers.positions import Positions
from providers.redis import connect_redis
from providers.storage import NotKept, Storage
from schema.queries import reach
from schema.tables import (
    AccountDeletion,
    Chef,
    ChefDocument,
    Dispute,
    Driver,
    DriverLocation,
    Order,
    RefreshToken,
    StripeEvent,
    User,
)
from schema.tables.columns import now
from tests.api.facade import facade
from tests.api.identities import Identity, identity, introduce, regular, sociable
from tests.api.kitchens import hand_in
from tests.pictures import PNG

S = OrderStatus

# What admins did nobody alters: their reasons name nobody.
UNALTERABLE = {"admin_actions"}

SOON = {
    "ERASURE_GRACE_SECONDS": "1",
    "ERASURE_SETTLE_SECONDS": "1",
    "ERASURE_LOOK_AGAIN_SECONDS": "1",
}


@pytest.fixture
def me() -> Identity:
    return identity()


async def ends(play: Cast, monkeypatch: pytest.MonkeyPatch, person: Person, user_id: UUID) -> None:
    """Somebody ends his account, and it is waited until all of it is done."""
    async with facade(play.environment, monkeypatch, **SOON) as (_, http):
        answer = await http.request(
            "DELETE",
            "/api/v1/users/me",
            json={"password": worlds.PASSWORD},
            headers={"Authorization": person.authorization},
        )
    assert answer.status_code == 202, answer.text
    await is_erased(play, user_id)


async def is_erased(play: Cast, user_id: UUID) -> None:
    async def look() -> bool:
        async with play.database.read() as session:
            row = await session.get(AccountDeletion, user_id)
        return row is not None and row.erased_at is not None

    await until(look)


async def tables_with(play: Cast, *needles: str) -> dict[str, str]:
    """In which tables some words still are, in whatever column."""
    found = {}
    async with play.database.read() as session:
        for name in SQLModel.metadata.tables.keys() - UNALTERABLE:
            for needle in needles:
                row = await session.scalar(
                    text(f"SELECT t::text FROM {name} t WHERE t::text ILIKE :what LIMIT 1"),  # noqa: S608
                    {"what": f"%{needle}%"},
                )
                if row is not None:
                    found[name] = f"{needle}: {row}"
    return found


async def hears_from_stripe(play: Cast, **thing: Any) -> None:
    """A webhook of Stripe's that names somebody is stored."""
    event_id = f"evt_{uuid7().hex}"
    payload = {"id": event_id, "type": "x", "data": {"object": thing}}
    async with play.database.write() as session:
        session.add(StripeEvent(id=event_id, type="x", payload=payload))


async def test_a_customer_is_forgotten_in_every_column(
    play: Cast, me: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await regular(play, me)
    await sociable(play, me, order)
    user_id = play.world.customer.user_id
    async with play.database.read() as session:
        user = await session.get(User, user_id)
        row = await session.get(Order, UUID(order["id"]))
    assert user is not None
    assert row is not None
    customer = str(user.stripe_customer_id)
    await hears_from_stripe(
        play, id="ch_1", customer=customer, billing_details={"name": f"{me.first} {me.last}"}
    )
    async with play.database.write() as session:
        session.add(over(row.id, me, user.email))
        await reach.bury(
            session, user_id, Channel.EMAIL, user.email, reason="550 no such user", at=now()
        )
    door = (str(row.delivery_latitude), str(row.delivery_longitude))
    names = (me.first, me.last, user.email, me.phone, me.street, *door)
    before = await tables_with(play, *names)
    assert {
        "users",
        "user_profiles",
        "addresses",
        "orders",
        "order_items",
        "order_messages",
        "order_status_history",
        "refund_requests",
        "notifications",
        "stripe_events",
        "disputes",
        "cart_items",
        "reviews",
        "review_reports",
        "social_identities",
        "challenges",
        "devices",
        "dead_channels",
    } <= set(before)
    deeds = await admins_did(play)
    pictures = [picture_of(before["user_profiles"]), picture_of(await review_of(play, order))]
    storage = Storage(play.environment["STORAGE_URL"], timeout_seconds=10)
    for picture in pictures:
        assert await storage.get(picture)
    assert len(await sessions_of(play, user_id)) == 1
    amounts = await books(play, UUID(order["id"]))

    await ends(play, monkeypatch, play.customer, user_id)

    assert await tables_with(play, *names) == {}
    assert await books(play, UUID(order["id"])) == amounts
    assert play.stripe.v1.customers.retrieve(customer).deleted
    assert await sessions_of(play, user_id) == []
    assert await admins_did(play) == deeds
    for picture in pictures:
        with pytest.raises(NotKept):
            await storage.get(picture)
    with pytest.raises(Unanswered) as refused:
        await play.customer.get("/users/me")
    assert refused.value.status == 401
    with pytest.raises(Unanswered) as refused:
        await play.customer.log_in(worlds.PASSWORD)
    assert refused.value.status == 401
    # Others go on: the chef still sees what he has cooked.
    seen = await play.chef.get(f"/orders/{order['id']}")
    assert seen["deliveryAddress"]["line1"] == "erased"


def over(order_id: UUID, me: Identity, email: str) -> Dispute:
    """A dispute that was lost, and what the bank was told in it."""
    at = now()
    return Dispute(
        stripe_dispute_id=f"dp_{uuid7().hex}",
        order_id=order_id,
        amount_cents=100,
        currency="usd",
        reason="fraudulent",
        status="lost",
        inquiry=False,
        evidence_text=f"{me.first} has paid before.",
        evidence={"customer_name": f"{me.first} {me.last}", "customer_email_address": email},
        outcome=Outcome.LOST,
        opened_at=at,
        closed_at=at,
    )


def picture_of(row: str) -> str:
    """The first picture that a row names."""
    found = re.search(r"public/[0-9a-f-]+/[0-9a-f]+\.\w+", row)
    assert found, row
    return found[0]


async def review_of(play: Cast, order: dict[str, Any]) -> str:
    """The chef's review of an order, as it is written."""
    async with play.database.read() as session:
        found = await session.scalar(
            text("SELECT r::text FROM reviews r WHERE order_id = :id AND reviewee_type = 'chef'"),
            {"id": order["id"]},
        )
    return str(found)


async def admins_did(play: Cast) -> list[str]:
    """What is in the log about the customer's orders and complaints."""
    async with play.database.read() as session:
        return [
            str(row)
            for row in await session.scalars(
                text(
                    """SELECT a::text FROM admin_actions a WHERE target_id IN
                       (SELECT id FROM orders WHERE customer_id = :id
                        UNION SELECT id FROM refund_requests WHERE asked_by = :id) ORDER BY a.id"""
                ),
                {"id": play.world.customer.user_id},
            )
        ]


async def sessions_of(play: Cast, user_id: UUID) -> Sequence[RefreshToken]:
    async with play.database.read() as session:
        found = await session.scalars(
            select(RefreshToken).where(col(RefreshToken.user_id) == user_id)
        )
        return found.all()


async def books(play: Cast, order_id: UUID) -> list[str]:
    """What the books have of an order: its amounts, its payment, and every posting."""
    questions = (
        "SELECT total_cents::text || market || delivery_city FROM orders WHERE id = :id",
        "SELECT p::text FROM payments p WHERE order_id = :id",
        """SELECT p::text FROM ledger_postings p WHERE movement_id IN
           (SELECT id FROM ledger_movements WHERE order_id = :id) ORDER BY p.id""",
    )
    async with play.database.read() as session:
        return [
            str(row[0])
            for question in questions
            for row in await session.execute(text(question), {"id": order_id})
        ]


async def test_a_chef_is_forgotten_in_every_column(
    play: Cast, me: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    chef_id, user_id = play.world.chef.id, play.world.chef.user_id
    await introduce(play.chef, me)
    storage = Storage(play.environment["STORAGE_URL"], timeout_seconds=10)
    document = await hand_in(play.chef, "identity")
    replaced = f"{documents_folder(chef_id)}/of-before.pdf"
    await storage.put(replaced, b"a permit")
    await play.chef.upload("/chef/profile/kitchen-images", PNG, "image/png")
    kitchen = (play.world.kitchen.latitude + 0.0001234, play.world.kitchen.longitude + 0.0001234)
    async with play.database.write() as session:
        await session.execute(
            update(Chef)
            .where(col(Chef.id) == chef_id)
            .values(
                business_name=f"{me.first}'s Kitchen",
                description=f"{me.last} cooks as grandmother did.",
                address=f"5 {me.street}",
                latitude=kitchen[0],
                longitude=kitchen[1],
                specialties=[f"{me.last} dosa"],
                verification_reason=f"seen by {me.last}'s neighbour",
            )
        )
        paper = await session.get_one(ChefDocument, UUID(document["id"]))
        paper.reason = f"of {me.last}"
        files = [replaced, paper.storage_key]
        account = (await session.get_one(Chef, chef_id)).stripe_account_id
    await hears_from_stripe(
        play, id=account, email=play.chef.email, individual={"last_name": me.last}
    )
    async with play.database.read() as session:
        files += (await session.get_one(Chef, chef_id)).kitchen_image_keys
    till = {"url": f"http://127.0.0.1:9/{me.last}", "eventTypes": ["order.created"]}
    await play.chef.post("/chef/webhooks", **till, description=f"{me.first}'s till")
    delivered = await play.bring(S.DELIVERED)
    said = await play.customer.post(f"/orders/{delivered['id']}/review", chef={"rating": 5})
    reply = f"{me.first} and {me.last} say thanks"
    await play.chef.post(f"/chef/reviews/{said['chef']['id']}/reply", reply=reply)
    order = await play.bring(S.PAYMENT_CONFIRMED)
    path = f"/orders/{order['id']}/messages"
    await play.chef.post(path, text=f"{me.first} here: no rice today.")
    await play.customer.post(path, text=f"Dear {me.last}, what a pity.")
    await play.chef_says(order, S.CANCELLED, reason=f"{me.first} is ill")
    await play.becomes(order, S.CANCELLED)
    names = (
        me.first,
        me.last,
        play.chef.email,
        me.phone,
        me.street,
        str(kitchen[0]),
        str(kitchen[1]),
    )
    before = await tables_with(play, *names)
    assert {
        "chefs",
        "orders",
        "order_messages",
        "order_status_history",
        "chef_documents",
        "notifications",
        "reviews",
        "chef_search",
        "search_words",
        "webhook_endpoints",
    } <= set(before)
    assert len(files) == 3
    for file in files:
        assert await storage.get(file)

    await ends(play, monkeypatch, play.chef, user_id)

    assert await tables_with(play, *names) == {}
    for file in files:
        with pytest.raises(NotKept):
            await storage.get(file)
    [kept] = (await play.customer.get("/reviews"))["data"]
    assert (kept["rating"], kept["reply"]) == (5, None)
    seen = await play.customer.get(f"/orders/{delivered['id']}")
    assert seen["chefName"] == "Former kitchen"


async def test_a_driver_is_forgotten_in_every_column_and_in_redis(
    play: Cast, me: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver_id, user_id = play.world.drivers[0].id, play.world.drivers[0].user_id
    driver = play.drivers[0]
    await introduce(driver, me)
    await play.admin.put(
        f"/admin/drivers/{driver_id}/verification", status="suspended", reason="ask his referees"
    )
    plate = f"ZQ {me.phone[-6:]}"
    await driver.put("/delivery/vehicle", type="car", plate=plate)
    await driver.post(
        "/delivery/documents",
        type="identity",
        fileUrl=f"https://files.example.com/{me.last}.jpg",
        expiresOn="2199-12-31",
    )
    async with play.database.write() as session:
        await session.execute(
            update(Driver)
            .where(col(Driver.id) == driver_id)
            .values(
                verification_status="approved",
                verification_reason=f"asked {me.last}",
                is_available=True,
            )
        )
    order = await play.bring(S.IN_TRANSIT, deliveryProof="none")
    place = play.world.kitchen.latitude + 0.0004321
    await driver.post("/delivery/location", **insisting(place, play.world.kitchen.longitude))
    await play.driver_says(0, order, S.DELIVERED, proof={"note": f"says {me.first}"})
    redis = connect_redis(play.environment["REDIS_URL"])
    positions = Positions(redis)
    assert await positions.of(driver_id) is not None
    assert await positions.phone(user_id) is not None

    async with play.database.write() as session:
        # What the facade keeps of positions it does not wait for: one of them is here for certain.
        session.add(
            DriverLocation(
                driver_id=driver_id,
                latitude=place,
                longitude=play.world.kitchen.longitude,
                recorded_at=now(),
            )
        )
    names = (me.first, me.last, driver.email, me.phone, me.street, plate, str(place))
    before = await tables_with(play, *names)
    assert {"drivers", "driver_documents", "driver_locations", "orders"} <= set(before)

    await ends(play, monkeypatch, driver, user_id)

    assert await tables_with(play, *names) == {}

    async def is_unknown() -> bool:
        return await positions.of(driver_id) is None and await positions.phone(user_id) is None

    await until(is_unknown)
    await redis.aclose()
    seen = await play.customer.get(f"/orders/{order['id']}")
    assert me.last not in seen["driverName"]
