"""What people say of themselves: profile, picture, whom they like, what they want to hear of."""

import asyncio
from typing import Any

import httpx
import pytest

from local.cast import Cast
from local.people import Person, Unanswered
from tests.pictures import PNG, picture


async def send_avatar(play: Cast, content: bytes) -> httpx.Response:
    async with httpx.AsyncClient(base_url=play.environment["API_URL"]) as http:
        return await http.put(
            "/api/v1/users/me/avatar",
            content=content,
            headers={"Authorization": play.customer.authorization, "Content-Type": "image/png"},
        )


async def seen_by_anybody(play: Cast, url: str) -> int:
    async with httpx.AsyncClient(base_url=play.environment["API_URL"]) as http:
        return (await http.get(url)).status_code


async def refusal(person: Person, method: str, path: str, **body: Any) -> Unanswered:
    with pytest.raises(Unanswered) as refused:
        await person.ask(method, path, body)
    return refused.value


async def test_whoever_says_who_he_is_is_that_from_then_on(play: Cast) -> None:
    said = await play.customer.put(
        "/users/me", firstName=" Zoë ", lastName="Ōe", phone="+1 (512) 555-0123", locale="de-AT"
    )

    assert said == await play.customer.get("/users/me")
    assert (said["firstName"], said["lastName"]) == ("Zoë", "Ōe")
    assert (said["phone"], said["locale"]) == ("+15125550123", "de-AT")
    assert (said["role"], said["deletion"], said["avatarUrl"]) == ("customer", None, None)
    assert said["email"] == play.customer.email


async def test_what_is_left_out_is_said_no_more(play: Cast) -> None:
    await play.customer.put("/users/me", firstName="A", lastName="B", phone="+15125550123")

    said = await play.customer.put("/users/me", firstName="A", lastName="B")

    assert said["phone"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"phone": "5125550123"},
        {"phone": "+1512"},
        {"phone": "call me"},
        {"locale": "English"},
        {"locale": "en-us"},
        {"firstName": ""},
        {"firstName": "a\x00b"},
        {"lastName": "x" * 101},
        {"role": "admin"},
        {"email": "other@example.com"},
    ],
    ids=lambda wrong: f"{next(iter(wrong))}-{len(str(next(iter(wrong.values()))))}",
)
async def test_what_cannot_be_is_refused_and_nothing_changes(
    play: Cast, wrong: dict[str, str]
) -> None:
    before = await play.customer.get("/users/me")

    refused = await refusal(
        play.customer, "PUT", "/users/me", **{"firstName": "A", "lastName": "B", **wrong}
    )

    assert (refused.status, refused.code) == (422, "invalid_request")
    assert await play.customer.get("/users/me") == before


async def test_a_picture_is_seen_by_anybody_until_another_takes_its_place(play: Cast) -> None:
    first = (await send_avatar(play, PNG)).json()["avatarUrl"]
    assert await seen_by_anybody(play, first) == 200
    assert (await send_avatar(play, PNG)).json()["avatarUrl"] == first
    assert await seen_by_anybody(play, first) == 200

    second = (await send_avatar(play, picture(number=1))).json()["avatarUrl"]
    assert await seen_by_anybody(play, first) == 404
    assert await seen_by_anybody(play, second) == 200

    for _ in range(2):
        assert (await play.customer.ask("DELETE", "/users/me/avatar"))["avatarUrl"] is None
    assert await seen_by_anybody(play, second) == 404


async def test_what_is_no_picture_is_refused(play: Cast) -> None:
    answer = await send_avatar(play, b"<script>alert(1)</script>")

    assert (answer.status_code, answer.json()["code"]) == (422, "not_a_photo")
    assert (await play.customer.get("/users/me"))["avatarUrl"] is None


async def test_a_chef_is_liked_once_however_often_it_is_said(play: Cast) -> None:
    path = f"/users/me/favourites/{play.world.chef.id}"

    await asyncio.gather(*(play.customer.put(path) for _ in range(5)))

    liked = await play.customer.get("/users/me/favourites")
    assert (liked["total"], [chef["id"] for chef in liked["data"]]) == (
        1,
        [str(play.world.chef.id)],
    )
    assert (await play.chef.get("/users/me/favourites"))["total"] == 0
    for _ in range(2):
        assert await play.customer.ask("DELETE", path) is None
    assert (await play.customer.get("/users/me/favourites"))["data"] == []


async def test_nobody_is_liked_who_is_no_chef(play: Cast) -> None:
    refused = await refusal(
        play.customer, "PUT", f"/users/me/favourites/{play.world.customer.user_id}"
    )

    assert (refused.status, refused.code) == (404, "not_found")


async def test_whoever_never_chose_hears_as_usual(play: Cast) -> None:
    usual = await play.customer.get("/users/me/notification-preferences")

    assert usual["events"]["orders"] == {
        "inApp": True,
        "email": False,
        "sms": False,
        "push": True,
    }
    assert set(usual["events"]) == {"orders", "work", "money", "account", "promotions"}
    assert usual["quietHours"] is None


async def test_what_was_chosen_holds_and_the_rest_is_as_usual(play: Cast) -> None:
    usual = await play.customer.get("/users/me/notification-preferences")
    orders = {"inApp": True, "email": True, "sms": True, "push": False}
    quiet = {"from": "22:00", "until": "07:30", "timezone": "America/Chicago"}

    said = await play.customer.put(
        "/users/me/notification-preferences", events={"orders": orders}, quietHours=quiet
    )

    assert said == await play.customer.get("/users/me/notification-preferences")
    assert said == {**usual, "events": {**usual["events"], "orders": orders}, "quietHours": quiet}
    # All of it at once: what is left out the next time is as usual again.
    assert await play.customer.put("/users/me/notification-preferences") == usual


@pytest.mark.parametrize(
    "wrong",
    [
        {"events": {"gossip": {}}},
        {"events": {"orders": {"inApp": True}}},
        {"quietHours": {"from": "24:00", "until": "07:00", "timezone": "UTC"}},
        {"quietHours": {"from": "22:00", "until": "07:00", "timezone": "../etc/passwd"}},
        {"quietHours": {"from": "22:00", "until": "07:00"}},
    ],
    ids=["unknown-event", "half-of-the-channels", "no-such-hour", "no-such-zone", "no-zone"],
)
async def test_preferences_that_cannot_be_are_refused(play: Cast, wrong: dict[str, Any]) -> None:
    before = await play.customer.get("/users/me/notification-preferences")

    refused = await refusal(play.customer, "PUT", "/users/me/notification-preferences", **wrong)

    assert refused.status == 422
    assert await play.customer.get("/users/me/notification-preferences") == before


async def test_what_was_told_is_unread_until_it_is_read(play: Cast) -> None:
    order = await play.place()
    await play.pay(order)
    told = await play.customer.get("/users/me/notifications")
    assert (told["total"], told["unreadCount"]) == (1, 1)
    [notice] = told["data"]
    assert (notice["orderId"], notice["isRead"]) == (order["id"], False)

    for _ in range(2):
        read = await play.customer.put(f"/users/me/notifications/{notice['id']}/read")
        assert read == {**notice, "isRead": True}

    told = await play.customer.get("/users/me/notifications")
    assert (told["total"], told["unreadCount"]) == (1, 0)
    unread = await play.customer.get("/users/me/notifications", unread=True)
    assert (unread["total"], unread["data"]) == (0, [])


async def test_what_others_were_told_is_not_there(play: Cast) -> None:
    order = await play.place()
    await play.pay(order)
    [notice] = (await play.customer.get("/users/me/notifications"))["data"]

    refused = await refusal(play.chef, "PUT", f"/users/me/notifications/{notice['id']}/read")

    assert refused.status == 404
    assert (await play.customer.get("/users/me/notifications"))["unreadCount"] == 1
