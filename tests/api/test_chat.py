"""What people say to each other about an order: to whom, when, and who else reads it."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import socketio  # type: ignore[import-untyped]
from pydantic import ValidationError
from sqlalchemy import func, select, update
from sqlmodel import col

from api.chat import MessageBody
from domain.contact_data import MASK
from domain.live import Happening
from domain.order_status import OrderStatus
from local.cast import Cast, Order
from local.people import Person, Unanswered
from schema.messages.live import LiveEvent
from schema.queries import outbox
from schema.tables import AdminAction, LiveOutbox, OrderMessage
from schema.tables import Order as OrderRow
from schema.tables.columns import now
from tests.api.delivered import set_order
from tests.api.handover import refusal
from tests.api.operations import document, operations, resolved
from tests.databases import waited_for

S = OrderStatus


def path(order: Order) -> str:
    return f"/orders/{order['id']}/messages"


async def says(person: Person, order: Order, text: str, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await person.post(path(order), text=text, **more)
    return answer


async def hears(person: Person, order: Order, **which: Any) -> list[str]:
    seen = await person.get(path(order), **which)
    return [f"{said['from']['name']}: {said['text']}" for said in seen["data"]]


async def threads(person: Person, order: Order) -> dict[str, dict[str, Any]]:
    return {seen["thread"]: seen for seen in (await person.get(path(order)))["threads"]}


async def refused(asked: Awaitable[Any]) -> tuple[int, str]:
    said = await refusal(asked)
    return said.status, said.code


async def kept(play: Cast, order: Order) -> int:
    async with play.database.read() as session:
        return (
            await session.scalar(
                select(func.count()).where(col(OrderMessage.order_id) == UUID(order["id"]))
            )
            or 0
        )


async def rung(person: Person) -> list[str]:
    """What somebody was told of messages, the oldest first."""
    told = await person.get("/users/me/notifications", limit=100)
    return [one["message"] for one in reversed(told["data"]) if one["type"] == "message:new"]


@asynccontextmanager
async def untold(play: Cast) -> AsyncIterator[None]:
    """What is to be told live waits meanwhile."""
    async with play.database.write() as session:
        await session.execute(select(func.pg_advisory_xact_lock(outbox._TELLER)))
        yield


async def to_be_told(play: Cast, order: Order) -> list[LiveEvent]:
    """What is to be told of an order's messages."""
    async with play.database.read() as session:
        waiting = await session.scalars(
            select(col(LiveOutbox.event))
            .where(col(LiveOutbox.event)["orderId"].astext == order["id"])
            .order_by(col(LiveOutbox.id))
        )
        events = [LiveEvent.model_validate(event) for event in waiting]
    return [event for event in events if event.happening is Happening.MESSAGE]


async def test_the_customer_talks_with_the_chef_from_payment_to_pickup(play: Cast) -> None:
    customer, chef = play.customer, play.chef
    order = await play.place()
    assert await refused(says(customer, order, "Hello?")) == (409, "thread_not_open")
    assert await refused(says(chef, order, "Hello?")) == (404, "not_found")

    await play.pay(order)
    async with untold(play):
        first = await says(customer, order, "No nuts. Call 512-555-0123")
        [event] = await to_be_told(play, order)
    assert first == {
        "id": first["id"],
        "orderId": order["id"],
        "thread": "chef",
        "from": {"role": "customer", "name": "Customer"},
        "text": f"No nuts. Call {MASK}",
        "wasMasked": True,
        "createdAt": first["createdAt"],
        "readAt": None,
    }
    await says(customer, order, "Or casey@example.com", thread="chef")
    assert (await threads(chef, order))["chef"]["unread"] == 2
    read = await chef.post(f"{path(order)}/read", upTo=first["id"])
    assert [(seen["thread"], seen["unread"]) for seen in read["threads"]] == [("chef", 1)]
    answer = await says(chef, order, "Sure")
    assert await hears(customer, order) == [
        f"Customer: No nuts. Call {MASK}",
        f"Customer: Or {MASK}",
        "Test Kitchen: Sure",
    ]
    assert (await customer.get(path(order)))["data"][0]["readAt"] is not None
    assert await hears(customer, order, after=first["id"], limit=1, page=2) == [
        "Test Kitchen: Sure"
    ]
    assert await hears(customer, order, after=answer["id"]) == []
    assert await refused(says(chef, order, "Hi", thread="driver")) == (403, "not_your_thread")
    assert await rung(chef) == [f"New message from Customer about {order['orderNumber']}."]
    assert await rung(customer) == ["New message from Test Kitchen."]
    assert set(event.to) == {str(play.world.customer.user_id), str(play.world.chef.user_id)}
    assert event.data == {
        "messageId": first["id"],
        "thread": "chef",
        "from": {"role": "customer", "name": "Customer"},
        "text": f"No nuts. Call {MASK}",
    }


async def test_the_customer_talks_with_the_driver_until_an_hour_after_delivery(play: Cast) -> None:
    customer, driver = play.customer, play.drivers[0]
    order = await play.bring(S.ASSIGNED_TO_DRIVER)
    async with untold(play):
        first = await says(customer, order, "No nuts.", clientKey="a")
        assert await says(customer, order, "No nuts.", clientKey="a") == first
        assert len(await to_be_told(play, order)) == 1
    assert await refused(says(driver, order, "Hello?")) == (409, "thread_not_open")
    assert await hears(driver, order) == []

    await play.driver_says(0, order, S.PICKED_UP)
    await says(driver, order, "Which door?")
    await says(customer, order, "12, code 4521#")
    assert await refused(says(customer, order, "?", thread="chef")) == (409, "thread_closed")
    assert await refused(says(play.chef, order, "Bye")) == (409, "thread_closed")
    # What was said once is answered the same, however late it is sent again.
    assert await says(customer, order, "No nuts.", clientKey="a") == first
    other = says(customer, order, "Nuts.", clientKey="a")
    assert await refused(other) == (422, "idempotency_key_reused")
    assert await hears(driver, order) == ["Driver: Which door?", "Customer: 12, code 4521#"]
    assert await hears(play.chef, order) == ["Customer: No nuts."]
    assert len(await hears(customer, order, thread="driver")) == 2
    assert await rung(customer) == ["New message from Driver."]

    await play.driver_says(0, order, S.IN_TRANSIT)
    await play.driver_says(0, order, S.DELIVERED)
    at = now()
    assert [seen["isOpen"] for seen in (await threads(customer, order)).values()] == [False, True]
    await set_order(play, order["id"], delivered_at=at - timedelta(minutes=59))
    await says(driver, order, "You forgot your hat!")
    await set_order(play, order["id"], delivered_at=at - timedelta(minutes=61))
    for person in (customer, driver):
        assert await refused(says(person, order, "Hello?")) == (409, "thread_closed")
    assert not (await threads(driver, order))["driver"]["isOpen"]
    assert len(await hears(driver, order)) == 3
    assert await kept(play, order) == 4


async def test_who_has_read_is_told_again_and_nobody_reads_for_others(play: Cast) -> None:
    order = await play.bring(S.PAYMENT_CONFIRMED)
    await says(play.customer, order, "Hello")
    last = await says(play.customer, order, "Are you there?")
    assert len(await rung(play.chef)) == 1
    # The sender has nothing to read of his own.
    await play.customer.post(f"{path(order)}/read", upTo=last["id"])
    assert (await threads(play.chef, order))["chef"]["unread"] == 2

    await play.chef.post(f"{path(order)}/read", upTo=last["id"])
    await says(play.customer, order, "Please ring")
    assert len(await rung(play.chef)) == 2
    async with play.database.write() as session:
        await session.execute(
            update(OrderMessage)
            .where(col(OrderMessage.order_id) == UUID(order["id"]))
            .values(created_at=now() - timedelta(minutes=6))
        )
    await says(play.customer, order, "Still there?")

    assert len(await rung(play.chef)) == 3
    assert await refused(play.chef.post(f"{path(order)}/read", upTo=str(uuid4()))) == (
        422,
        "unknown_message",
    )
    assert await refused(play.chef.get(path(order), after=str(uuid4()))) == (422, "unknown_message")


async def test_a_driver_who_has_lost_an_order_hears_nothing_of_it(play: Cast) -> None:
    order = await play.bring(S.ASSIGNED_TO_DRIVER)
    admin = f"/admin/orders/{order['id']}"
    await play.admin.post(f"{admin}/unassign", reason="too far away")
    await play.admin.post(
        f"{admin}/assign", driverId=str(play.world.drivers[1].id), reason="closer by"
    )
    await play.driver_says(1, order, S.PICKED_UP)
    async with untold(play):
        await says(play.customer, order, "Which car?")
        seen = await says(play.drivers[1], order, "The red one")
        told = await to_be_told(play, order)

    for asked in (
        play.drivers[0].get(path(order)),
        says(play.drivers[0], order, "Hello?"),
        play.drivers[0].post(f"{path(order)}/read", upTo=seen["id"]),
    ):
        assert await refused(asked) == (404, "not_found")

    assert await hears(play.drivers[1], order) == ["Customer: Which car?", "Driver: The red one"]
    assert len(await rung(play.drivers[0])) == 0
    assert len(await rung(play.drivers[1])) == 1
    parties = {str(play.world.customer.user_id), str(play.world.drivers[1].user_id)}
    assert [set(event.to) for event in told] == [parties, parties]


async def test_admins_read_in_a_dispute_and_that_is_written_down(play: Cast) -> None:
    order = await play.bring(S.PICKED_UP)
    await says(play.customer, order, "It smells of smoke, call 512-555-0123")
    await says(play.drivers[0], order, "No")
    await play.driver_says(0, order, S.IN_TRANSIT)
    await play.driver_says(0, order, S.DELIVERED)
    admin = f"/admin/orders/{order['id']}/messages"
    assert await refused(play.admin.get(admin)) == (403, "messages_private")
    assert await refused(play.admin.get(path(order))) == (403, "forbidden")
    assert await refused(play.admin.get(f"/admin/orders/{uuid4()}/messages")) == (404, "not_found")
    assert await readings(play, order) == 0

    await play.customer.post(
        f"/orders/{order['id']}/complaint", reason="quality", words="It was burnt."
    )
    for _ in range(2):
        seen = await play.admin.get(admin)

    assert [said["text"] for said in seen["data"]] == [f"It smells of smoke, call {MASK}", "No"]
    assert seen["data"][0]["senderId"] == str(play.world.customer.user_id)
    assert seen["data"][1]["from"] == {"role": "driver", "name": "Driver"}
    assert (await play.admin.get(admin, after=seen["data"][0]["id"]))["total"] == 1
    assert await readings(play, order) == 1


async def readings(play: Cast, order: Order) -> int:
    async with play.database.read() as session:
        return (
            await session.scalar(
                select(func.count()).where(
                    col(AdminAction.target_id) == UUID(order["id"]),
                    col(AdminAction.action_type) == "order_messages_read",
                    col(AdminAction.admin_id) == play.world.admin.user_id,
                )
            )
            or 0
        )


async def test_messages_of_one_moment_are_all_there_once_and_whoever_was_away_gets_the_rest(
    play: Cast,
) -> None:
    order = await play.bring(S.PAYMENT_CONFIRMED)
    first = await says(play.customer, order, "0")

    said = await asyncio.gather(
        *(says(play.customer, order, f"c{number}") for number in range(5)),
        *(says(play.chef, order, f"h{number}") for number in range(5)),
    )

    after, found = first["id"], []
    while page := (await play.chef.get(path(order), after=after, limit=3))["data"]:
        found += [one["id"] for one in page]
        after = page[-1]["id"]
    assert len(found) == 10
    assert set(found) == {one["id"] for one in said}


async def test_nothing_is_said_to_the_chef_once_the_food_is_gone(play: Cast) -> None:
    order = await play.bring(S.PAYMENT_CONFIRMED)
    async with play.database.write() as session:
        # The step that picks it up, just before it is committed.
        await session.execute(
            update(OrderRow)
            .where(col(OrderRow.id) == UUID(order["id"]))
            .values(picked_up_at=now(), driver_id=play.world.drivers[0].id)
        )
        late = asyncio.create_task(refused(says(play.customer, order, "Wait!", thread="chef")))
        await waited_for(session, play.database)

    assert await late == (409, "thread_closed")
    assert await kept(play, order) == 0


@pytest.mark.parametrize(
    "body",
    [
        {"text": ""},
        {"text": " \n "},
        {"text": "x" * 1001},
        {"text": "a\x00b"},
        {"text": 5},
        {},
        {"text": "a", "thread": "admin"},
        {"text": "a", "clientKey": ""},
        {"text": "a", "clientKey": "x" * 256},
        {"text": "a", "to": "chef"},
    ],
    ids=str,
)
async def test_what_is_no_message_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MessageBody.model_validate(body)


async def test_whoever_writes_too_fast_has_to_wait(play: Cast) -> None:
    order = await play.bring(S.PAYMENT_CONFIRMED)
    answers = await asyncio.gather(
        *(says(play.customer, order, "Hello") for _ in range(14)), return_exceptions=True
    )

    late = [answer for answer in answers if isinstance(answer, Unanswered)]
    assert {(answer.status, answer.code) for answer in late} == {(429, "rate_limited")}
    assert await kept(play, order) == len(answers) - len(late) == 10
    # The others are not held up by him.
    assert await says(play.chef, order, "One by one, please")
    longest = await says(play.chef, order, "x" * 1000)
    assert len(longest["text"]) == 1000


@asynccontextmanager
async def on_a_socket(person: Person, play: Cast) -> AsyncIterator[socketio.AsyncSimpleClient]:
    async with socketio.AsyncSimpleClient() as client:
        await client.connect(
            play.environment["API_URL"],
            namespace="/realtime",
            transports=["websocket"],
            auth={"token": person.authorization.removeprefix("Bearer ")},
        )
        yield client


async def test_what_is_said_by_a_socket_is_said_once_whichever_way_it_comes_again(
    play: Cast,
) -> None:
    order = await play.bring(S.PAYMENT_CONFIRMED)
    said = {"orderId": order["id"], "text": "Call 512-555-0123", "clientKey": "a"}
    async with on_a_socket(play.customer, play) as client:
        first = await client.call("message:send", said)
        again = await client.call("message:send", said)
        closed = await client.call("message:send", {**said, "thread": "driver", "clientKey": "b"})
        wrong = await client.call("message:send", {**said, "text": "a\x00b", "clientKey": "c"})
    async with on_a_socket(play.drivers[0], play) as client:
        foreign = await client.call("message:send", said)
    async with on_a_socket(play.admin, play) as client:
        forbidden = await client.call("message:send", said)

    by_http = await says(play.customer, order, said["text"], clientKey="a")
    assert first == again == {"ok": True, **by_http}
    assert first["text"] == f"Call {MASK}"
    assert (closed["ok"], closed["code"], closed["thread"]) == (False, "thread_not_open", "driver")
    assert wrong["code"] == "invalid_request"
    assert foreign["code"] == "not_found"
    assert forbidden["code"] == "forbidden"
    assert await kept(play, order) == 1


# Where a telephone number or an address is in an answer: one's own, or an admin asks.
_OWN = re.compile(
    r"/(admin|auth|users/me|chef/(profile|apply|availability)|delivery/(profile|register|vehicle"
    r"|availability))\b"
)


def test_no_answer_has_the_number_or_address_of_somebody_else() -> None:
    shown = {
        operation.path
        for operation in operations().values()
        for answer in document()["paths"][operation.path][operation.method.lower()][
            "responses"
        ].values()
        for content in answer.get("content", {}).values()
        if {"phone", "email"} & set(fields(content.get("schema", {})))
    }

    assert shown
    assert [path for path in shown if not _OWN.search(path)] == []


def fields(schema: Mapping[str, Any], within: frozenset[int] = frozenset()) -> Iterator[str]:
    """The names of all that is somewhere in what a schema describes."""
    found = resolved(schema)
    if id(found) in within:
        return
    yield from found.get("properties", {})
    items = [found["items"]] if "items" in found else []
    for part in [*found.get("properties", {}).values(), *items]:
        yield from fields(part, within | {id(found)})
