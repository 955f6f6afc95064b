"""Looking at orders and moving them: what is refused, and how that is said."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from uuid_utils.compat import uuid7

from domain import order_status
from domain.order_status import Actor, OrderStatus
from local.cast import Cast
from local.people import Unanswered
from schema.tables import Driver, Verification
from workflows.connection import connect

S = OrderStatus

# The chef's words, and where they take an order.
CHEF = {
    "accepted": S.ACCEPTED,
    "rejected": S.CANCELLED,
    "preparing": S.PREPARING,
    "ready_for_pickup": S.READY_FOR_PICKUP,
    "cancelled": S.CANCELLED,
}


@pytest.mark.parametrize(
    "status", [S.PAYMENT_CONFIRMED, S.ACCEPTED, S.READY_FOR_PICKUP, S.PICKED_UP, S.DELIVERED]
)
async def test_an_illegal_step_is_refused_with_the_state_and_what_is_allowed(
    play: Cast, status: S
) -> None:
    order = await play.bring(status)
    allowed = order_status.allowed(status, Actor.CHEF)

    for word, to in CHEF.items():
        # What was done already is answered as it was then; see the test of commands sent twice.
        if to in allowed or (status is not S.PAYMENT_CONFIRMED and word in _done_by(status)):
            continue
        with pytest.raises(Unanswered) as refused:
            await play.chef_says(order, word)
        problem = refused.value.problem
        assert (problem["status"], problem["code"]) == (409, "illegal_transition"), word
        assert problem["currentStatus"] == status
        assert problem["allowed"] == allowed
    assert (await play.customer.get(f"/orders/{order['id']}"))["status"] == status


def _done_by(status: S) -> set[str]:
    chain = ["accepted", "preparing", "ready_for_pickup"]
    passed = {S.ACCEPTED: 1, S.READY_FOR_PICKUP: 3, S.PICKED_UP: 3, S.DELIVERED: 3}
    return set(chain[: passed[status]])


async def test_a_chef_may_reject_only_what_he_has_not_accepted(play: Cast) -> None:
    order = await play.bring(S.ACCEPTED)

    with pytest.raises(Unanswered) as refused:
        await play.chef_says(order, "rejected")

    assert (refused.value.status, refused.value.code) == (409, "illegal_transition")
    assert (await play.chef_says(order, "cancelled"))["status"] == S.CANCELLED


async def test_a_command_sent_twice_is_answered_alike(play: Cast) -> None:
    order = await play.bring(S.PAYMENT_CONFIRMED)

    first, second = await asyncio.gather(
        play.chef_says(order, "accepted"), play.chef_says(order, "accepted")
    )
    await play.chef_says(order, "preparing")
    third = await play.chef_says(order, "accepted")

    assert first == second == third
    assert (await play.history(order)).count("accepted") == 1


async def test_an_order_that_nobody_placed_is_not_found(play: Cast) -> None:
    for path in (f"/orders/{uuid7()}", f"/orders/{uuid7()}/history"):
        with pytest.raises(Unanswered) as missing:
            await play.customer.get(path)
        assert (missing.value.status, missing.value.code) == (404, "not_found")


async def test_lists_come_in_pages(play: Cast) -> None:
    placed = [(await play.place())["id"] for _ in range(3)]

    first = await play.customer.get("/orders", limit=2)
    second = await play.customer.get("/orders", limit=2, page=2)
    beyond = await play.customer.get("/orders", limit=2, page=9)

    assert (first["total"], first["page"], first["limit"]) == (3, 1, 2)
    listed = [order["id"] for order in first["data"] + second["data"]]
    assert listed == placed[::-1]
    assert beyond["data"] == []


async def test_lists_are_of_the_states_asked_for(play: Cast) -> None:
    cancelled = await play.place()
    await play.customer.put(f"/orders/{cancelled['id']}/cancel")
    pending = await play.place()

    both = await play.customer.get("/orders", status=["cancelled", "pending"])
    only = await play.customer.get("/orders", status="pending")

    assert both["total"] == 2
    assert [order["id"] for order in only["data"]] == [pending["id"]]


@pytest.mark.parametrize(
    "query", [{"limit": 101}, {"limit": 0}, {"page": 0}, {"status": "eaten"}, {"page": "last"}]
)
async def test_a_page_that_cannot_be_is_refused(play: Cast, query: dict[str, Any]) -> None:
    with pytest.raises(Unanswered) as refused:
        await play.customer.get("/orders", **query)

    assert refused.value.status == 422
    assert refused.value.problem["errors"][0]["field"].startswith(next(iter(query)))


async def test_moments_are_in_utc_and_names_in_camel_case(play: Cast) -> None:
    order = await play.bring(S.ACCEPTED)

    seen = await play.customer.get(f"/orders/{order['id']}")

    assert seen["createdAt"].endswith("Z")
    assert seen["estimatedReadyAt"].endswith("Z")
    assert not [name for name in seen if "_" in name]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nowhere", 404, "not_found"),
        ("DELETE", "/api/v1/orders", 405, "method_not_allowed"),
        ("GET", "/api/v1/orders/not-an-id", 422, "invalid_request"),
    ],
)
async def test_whatever_is_not_found_or_not_allowed_is_a_problem_too(
    play: Cast, method: str, path: str, status: int, code: str
) -> None:
    async with httpx.AsyncClient(
        base_url=play.environment["API_URL"],
        headers={"Authorization": play.customer.authorization},
    ) as http:
        answer = await http.request(method, path)

    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("body", [b"{", b"", b"[]", b'{"acceptingOrders": NaN}', b"\xff\xfe"])
async def test_a_body_that_is_no_json_object_is_refused(play: Cast, body: bytes) -> None:
    async with httpx.AsyncClient(base_url=play.environment["API_URL"]) as http:
        answer = await http.put(
            "/api/v1/chef/availability",
            content=body,
            headers={
                "Authorization": play.chef.authorization,
                "Content-Type": "application/json",
            },
        )

    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_order_assigned_twice_to_the_same_driver_is_assigned_once(play: Cast) -> None:
    order = await play.bring(S.READY_FOR_PICKUP)
    driver = str(play.world.drivers[1].id)

    answers = [
        await play.admin.post(
            f"/admin/orders/{order['id']}/assign", driverId=driver, reason="by phone"
        )
        for _ in range(2)
    ]

    assert answers[0] == answers[1]
    assert (await play.history(order)).count("assigned_to_driver") == 1


async def test_a_driver_who_is_not_approved_is_not_assigned(play: Cast) -> None:
    order = await play.bring(S.READY_FOR_PICKUP)
    async with play.database.write() as session:
        driver = await session.get(Driver, play.world.drivers[1].id)
        assert driver is not None
        driver.verification_status = Verification.SUSPENDED

    with pytest.raises(Unanswered) as refused:
        await play.admin.post(
            f"/admin/orders/{order['id']}/assign",
            driverId=str(play.world.drivers[1].id),
            reason="by phone",
        )

    assert refused.value.problem["code"] == "unknown_driver"


async def test_an_unpaid_order_is_no_business_of_the_chefs(play: Cast) -> None:
    order = await play.place()

    for asked in (
        play.chef.get(f"/orders/{order['id']}"),
        play.chef.get(f"/orders/{order['id']}/history"),
        play.chef_says(order, "accepted"),
    ):
        with pytest.raises(Unanswered) as refused:
            await asked
        assert refused.value.problem["code"] == "not_found"


async def test_a_page_beyond_the_end_says_how_many_there_are(play: Cast) -> None:
    await play.place()
    assert await play.customer.get("/orders", page=9) == {
        "data": [],
        "page": 9,
        "limit": 20,
        "total": 1,
    }


async def test_an_order_whose_run_was_terminated_goes_on_with_the_next_command(
    play: Cast, environment: Mapping[str, str]
) -> None:
    order = await play.bring(S.ACCEPTED)
    temporal = await connect(environment)
    await temporal.get_workflow_handle(f"order-{order['id']}").terminate("by mistake")

    assert (await play.chef_says(order, "preparing"))["status"] == S.PREPARING
    assert (await play.chef_says(order, "ready_for_pickup"))["status"] == S.READY_FOR_PICKUP
    await play.take(0, order)
