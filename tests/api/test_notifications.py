"""What people are told: in their language, unread until they have read it, on devices of theirs."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select
from sqlmodel import col
from uuid_utils.compat import uuid7

from api.devices import is_of_a_push_service
from api.examples_devices import PUBLIC_KEY, SUBSCRIPTION
from domain.languages import Language, clock
from domain.order_status import OrderStatus
from domain.preferences import Channel
from local.cast import Cast
from local.people import Person, Unanswered
from local.prepare import new_vapid_key
from local.world import PASSWORD
from providers import vapid
from schema.queries import accounts, reach
from schema.tables import Device, Notification
from schema.tables.columns import now
from tests.api.facade import facade

S = OrderStatus
TOLD = "/users/me/notifications"
MINE = "/users/me/devices"
AT = datetime(2026, 1, 31, 18, tzinfo=UTC)


async def refusal(person: Person, method: str, path: str, **body: Any) -> Unanswered:
    with pytest.raises(Unanswered) as refused:
        await person.ask(method, path, body)
    return refused.value


async def rows(play: Cast, user_id: UUID) -> Sequence[Notification]:
    async with play.database.read() as session:
        found = await session.scalars(
            select(Notification)
            .where(col(Notification.user_id) == user_id)
            .order_by(col(Notification.id))
        )
        return found.all()


async def test_everybody_is_told_in_his_language_and_by_his_clock(play: Cast) -> None:
    await play.customer.put("/users/me", firstName="Ana", lastName="Ruiz", locale="es-MX")
    madrid = {"from": "23:00", "until": "23:01", "timezone": "Europe/Madrid"}
    await play.customer.put("/users/me/notification-preferences", quietHours=madrid)

    order = await play.bring(S.PICKED_UP)

    told = await rows(play, play.world.customer.user_id)
    assert told[0].title == f"Pedido {order['orderNumber']}"
    assert told[0].message.startswith("Pago recibido. Falta que ")
    [picked_up] = [row for row in told if row.occasion == "picked_up"]
    expected = datetime.fromisoformat(picked_up.words["expected"])
    hour = clock("Europe/Madrid").time(expected, Language.ES)
    assert picked_up.message == f"¡Tu pedido ya está en camino! Llegada prevista: {hour}."
    assert picked_up.audience == "customer"
    assert picked_up.words["total"] == {"cents": order["totalCents"], "currency": "usd"}
    # Whoever has not said where he is goes by the kitchen's clock.
    assert picked_up.words["timezone"] == "America/Chicago"
    chef = await rows(play, play.world.chef.user_id)
    assert chef[0].message == f"You have a new order, {order['orderNumber']}."


async def test_a_language_is_what_somebody_says_or_that_of_his_locale(play: Cast) -> None:
    async def says(**words: str) -> str:
        said = await play.customer.put("/users/me", firstName="A", lastName="B", **words)
        assert said == await play.customer.get("/users/me")
        return str(said["language"])

    assert (await play.customer.get("/users/me"))["language"] == "en"
    assert await says(locale="es") == "es"
    assert await says() == "es"
    assert await says(locale="es-ES", language="en") == "en"
    assert await says(language="es") == "es"
    assert await says(locale="de-AT") == "en"
    refused = await refusal(
        play.customer, "PUT", "/users/me", firstName="A", lastName="B", language="de"
    )
    assert (refused.status, refused.code) == (422, "invalid_request")


async def test_whoever_opens_an_account_says_his_language(play: Cast) -> None:
    email = f"{uuid7().hex}@example.com"
    body = {"email": email, "password": PASSWORD, "firstName": "Ana", "lastName": "Ruiz"}
    await play.customer.post("/auth/register", **body, language="es")
    async with play.database.write() as session:
        owner = await accounts.owner(session, email)
        assert owner is not None
        await accounts.verify(session, owner.id, email)
    ana = Person(play.environment["API_URL"], email)
    try:
        await ana.log_in(PASSWORD)
        assert (await ana.get("/users/me"))["language"] == "es"
    finally:
        await ana.leave()


async def are_told(play: Cast, minutes: Sequence[int]) -> list[str]:
    """The customer has been told something at minutes of an hour; the first first."""
    ids = [uuid7() for _ in minutes]
    async with play.database.write() as session:
        session.add_all(
            Notification(
                id=number,
                business_key=f"test:{number}",
                user_id=play.world.customer.user_id,
                type="order:status_update",
                title="Told",
                message=f"At {minute}.",
                created_at=AT + timedelta(minutes=minute),
            )
            for number, minute in zip(ids, minutes, strict=True)
        )
    return [str(number) for number in ids]


async def unread(play: Cast) -> list[str]:
    told = await play.customer.get(TOLD, unread=True)
    assert told["unreadCount"] == told["total"] == len(told["data"])
    assert (await play.customer.get(TOLD))["unreadCount"] == told["total"]
    return [row["message"] for row in told["data"]]


async def test_all_of_it_is_read_up_to_where_somebody_says(play: Cast) -> None:
    # Two of the same moment are told apart, as in the list.
    ids = await are_told(play, [0, 10, 10, 20, 30])
    assert await unread(play) == ["At 30.", "At 20.", "At 10.", "At 10.", "At 0."]

    for _ in range(2):
        read = await play.customer.post(f"{TOLD}/read-all", notificationId=ids[1])
        assert read == {"unreadCount": 3}
    assert await unread(play) == ["At 30.", "At 20.", "At 10."]

    for _ in range(2):
        until = (AT + timedelta(minutes=20)).isoformat()
        assert await play.customer.post(f"{TOLD}/read-all", until=until) == {"unreadCount": 1}
    assert await unread(play) == ["At 30."]

    await play.customer.put(f"{TOLD}/{ids[4]}/read")
    assert await unread(play) == []
    await are_told(play, [40])
    assert await play.customer.post(f"{TOLD}/read-all") == {"unreadCount": 0}
    await are_told(play, [50])
    assert await unread(play) == ["At 50."]


async def test_what_is_not_his_he_cannot_read_and_nothing_is_read_by_trying(play: Cast) -> None:
    [mine] = await are_told(play, [0])

    for other in (mine, str(uuid4())):
        refused = await refusal(play.chef, "POST", f"{TOLD}/read-all", notificationId=other)
        assert (refused.status, refused.code) == (404, "not_found")
    both = {"notificationId": mine, "until": AT.isoformat()}
    odd = ("yesterday", 1_800_000_000, "0001-01-01T00:00:00+14:00", "2026-01-31T18:00:00")
    for wrong in (both, {"upTo": mine}, *({"until": until} for until in odd)):
        refused = await refusal(play.customer, "POST", f"{TOLD}/read-all", **wrong)
        assert (refused.status, refused.code) == (422, "invalid_request")

    assert await unread(play) == ["At 0."]


async def test_a_phone_is_the_same_one_however_often_it_registers(play: Cast) -> None:
    token = f"{uuid4()}:APA91b"
    first = await play.customer.post(MINE, token=token, platform="android")
    again = await play.customer.post(MINE, token=token, platform="android", label="My phone")

    assert again == {**first, "label": "My phone", "lastSeenAt": again["lastSeenAt"]}
    assert again["lastSeenAt"] > first["lastSeenAt"]
    assert (again["kind"], again["isReached"], again["reason"]) == ("fcm", True, None)
    assert await play.customer.get(MINE) == [again]
    assert token not in str(again)

    # It was taken off the app, and is there again.
    async with play.database.write() as session:
        row = await session.get_one(Device, UUID(first["id"]))
        row.dead_at, row.dead_reason = now(), "UNREGISTERED"
    [dead] = await play.customer.get(MINE)
    assert (dead["isReached"], dead["reason"]) == (False, "UNREGISTERED")
    assert (await play.customer.post(MINE, token=token))["isReached"]

    assert await play.customer.ask("DELETE", f"{MINE}/{first['id']}") is None
    assert await play.customer.get(MINE) == []
    assert (await refusal(play.customer, "DELETE", f"{MINE}/{first['id']}")).status == 404


async def test_a_phone_is_whose_it_was_last(play: Cast) -> None:
    token = str(uuid4())
    lent = await play.customer.post(MINE, token=token)

    mine = await play.chef.post(MINE, token=token)

    assert mine["id"] != lent["id"]
    assert await play.customer.get(MINE) == []
    assert (await refusal(play.customer, "DELETE", f"{MINE}/{mine['id']}")).status == 404
    assert await play.chef.get(MINE) == [mine]

    both = (play.customer, play.chef, play.customer, play.chef)
    await asyncio.gather(*(person.post(MINE, token=token) for person in both))
    async with play.database.read() as session:
        found = await session.scalar(
            select(func.count()).select_from(Device).where(col(Device.token) == token)
        )
    assert found == 1


async def test_a_browser_is_reached_by_its_subscription(play: Cast) -> None:
    endpoint = f"https://updates.push.services.mozilla.com/wpush/v2/{uuid4()}"
    sent = {**SUBSCRIPTION, "endpoint": endpoint}

    browser = await play.customer.post(MINE, subscription=sent, platform="web", label="Firefox")

    assert (browser["kind"], browser["label"]) == ("web_push", "Firefox")
    async with play.database.read() as session:
        row = await session.get_one(Device, UUID(browser["id"]))
    assert (row.token, row.p256dh) == (endpoint, PUBLIC_KEY)


def subscribed(**changes: Any) -> dict[str, Any]:
    return {"subscription": {**SUBSCRIPTION, **changes}}


WRONG: dict[str, dict[str, Any]] = {
    "nothing": {},
    "both": {"token": "abc", **subscribed()},
    "an empty token": {"token": ""},
    "a token with a space": {"token": "a b"},
    "a token with a NUL": {"token": "a\x00b"},
    "a long token": {"token": "x" * 4097},
    "a platform of its own": {"token": "abc", "platform": "fridge"},
    "a label with a NUL": {"token": "abc", "label": "a\x00"},
    "another field": {"token": "abc", "userId": "1"},
    "no keys": subscribed(keys={}),
    "no point": subscribed(keys={"p256dh": "A" * 87, "auth": "BTBZMqHH6r4Tts7J_aSIgg"}),
    "a short secret": subscribed(keys={"p256dh": PUBLIC_KEY, "auth": "AAAA"}),
    "no base64": subscribed(keys={"p256dh": PUBLIC_KEY, "auth": "AAAAA"}),
}


async def test_what_nobody_can_be_reached_on_is_refused(play: Cast) -> None:
    for why, body in WRONG.items():
        refused = await refusal(play.customer, "POST", MINE, **body)
        assert (refused.status, refused.code) == (422, "invalid_request"), why

    assert await play.customer.get(MINE) == []


async def test_nothing_is_pushed_to_addresses_of_somebodys_own(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {"Authorization": play.customer.authorization}
    inside = subscribed(endpoint="http://169.254.169.254/latest")
    async with facade(play.environment, monkeypatch, WEB_PUSH_ANYWHERE="false") as (_, http):
        refused = await http.post(f"/api/v1{MINE}", json=inside, headers=headers)
        taken = await http.post(f"/api/v1{MINE}", json=subscribed(), headers=headers)

    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_push_service")
    assert await play.customer.get(MINE) == [taken.json()]


@pytest.mark.parametrize(
    ("endpoint", "is_one"),
    [
        ("https://fcm.googleapis.com/fcm/send/abc", True),
        ("https://updates.push.services.mozilla.com/wpush/v2/abc", True),
        ("https://web.push.apple.com/abc", True),
        ("https://db5p.notify.windows.com/w/?token=abc", True),
        ("https://example.com/push", False),
        ("https://fcm.googleapis.com.example.com/push", False),
        ("https://notfcm.googleapis.com/push", False),
        ("https://fcm.googleapis.com:8443/push", False),
        ("http://fcm.googleapis.com/push", False),
        ("https://fcm.googleapis.com@example.com/push", False),
        ("https://[::1/push", False),
        ("https://fcm.googleapis.com:port/push", False),
    ],
)
def test_push_services_are_known_by_name(endpoint: str, is_one: bool) -> None:
    assert is_of_a_push_service(endpoint) is is_one


async def test_of_too_many_devices_the_one_that_is_not_used_is_forgotten(play: Cast) -> None:
    user_id = play.world.customer.user_id
    async with play.database.write() as session:
        session.add_all(
            Device(user_id=user_id, kind="fcm", token=str(uuid4()), last_seen_at=AT, label=f"{at}")
            for at in range(reach.MOST_DEVICES)
        )

    mine = await play.customer.post(MINE, token=str(uuid4()))

    kept = await play.customer.get(MINE)
    assert (len(kept), kept[0]) == (reach.MOST_DEVICES, mine)


async def test_an_address_is_dead_until_it_is_confirmed_again(play: Cast) -> None:
    user_id, email = play.world.customer.user_id, play.customer.email

    async def is_dead() -> bool:
        async with play.database.read() as session:
            return await reach.unreachable(session, user_id) == [Channel.EMAIL]

    async def bury(address: str, reason: str) -> None:
        async with play.database.write() as session:
            await reach.bury(session, user_id, Channel.EMAIL, address, reason=reason, at=now())

    await bury("another@example.com", "550")
    assert not await is_dead()
    await bury(email.upper(), "550")
    await bury(email.upper(), "551")
    assert await is_dead()

    async with play.database.write() as session:
        assert not await accounts.verify(session, user_id, "another@example.com")
    assert await is_dead()
    async with play.database.write() as session:
        assert await accounts.verify(session, user_id, email)
    assert not await is_dead()


async def test_a_browser_learns_what_to_subscribe_with(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = new_vapid_key()
    async with facade(play.environment, monkeypatch, VAPID_PRIVATE_KEY=key) as (_, http):
        answer = await http.get("/api/v1/push/vapid-key")
    assert answer.json() == {"publicKey": vapid.public_key(vapid.private_key(key))}

    async with facade(play.environment, monkeypatch, VAPID_PRIVATE_KEY="") as (_, http):
        answer = await http.get("/api/v1/push/vapid-key")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_web_push")


async def test_a_facade_does_not_begin_with_a_key_that_is_none(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(vapid.BadVapidKey):
        async with facade(play.environment, monkeypatch, VAPID_PRIVATE_KEY="none"):
            pass
