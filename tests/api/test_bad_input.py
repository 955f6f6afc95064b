"""Odd requests get a clear problem, change nothing, and are never a 500."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.limits import MOST_BODY_BYTES
from domain.order_status import OrderStatus
from local.cast import Cast, token
from local.people import Person, Unanswered, insisting
from local.world import Somebody

S = OrderStatus
JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def http(play: Cast) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"{play.environment['API_URL']}/api/v1") as client:
        yield client


async def refusal(asked: Any) -> dict[str, Any]:
    with pytest.raises(Unanswered) as refused:
        await asked
    problem: dict[str, Any] = refused.value.problem
    return problem


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("deliveryAddress.city", "x" * 101),
        ("deliveryAddress.state", "x" * 101),
        ("deliveryAddress.line1", "NUL\x00"),
        ("deliveryAddress.latitude", 90),
        ("tipCents", True),
        ("tipCents", "300"),
        ("tipCents", 2**63),
        ("items.0.quantity", True),
        ("scheduledFor", 1795582382),
        ("scheduledFor", "1795582382"),
        ("scheduledFor", "0001-01-01T00:00:00Z"),
        ("scheduledFor", "0001-01-01T00:00:00+14:00"),
        ("scheduledFor", "9999-12-31T23:59:59-14:00"),
        ("tip_cents", 100),
    ],
)
async def test_an_order_with_an_odd_value_is_refused_by_the_field(
    play: Cast, field: str, value: object
) -> None:
    basket: Any = play.world.basket()
    *path, last = field.split(".")
    place = basket
    for part in path:
        place = place[int(part)] if part.isdigit() else place[part]
    place[last] = value

    refused = await refusal(play.customer.post("/orders", **basket))

    assert refused["status"] == 422
    assert refused["errors"][0]["field"] == field
    assert (await play.customer.get("/orders"))["total"] == 0


@pytest.mark.parametrize(
    ("place", "field"),
    [
        ({"latitude": 85.06, "longitude": 0}, "latitude"),
        ({"latitude": -90, "longitude": 0}, "latitude"),
        ({"latitude": 30, "longitude": 0, "recordedAt": "0001-01-01T00:00:00+14:00"}, "recordedAt"),
        ({"latitude": 30, "longitude": 0, "recordedAt": 1}, "recordedAt"),
        ({"latitude": 30}, "body"),
        ({"latitude": 30, "longitude": 0, "speed": -1}, "speed"),
        ({"positions": []}, "positions"),
        ({"positions": [{"latitude": 30, "longitude": 0}] * 101}, "positions"),
        (
            {"positions": [{"latitude": 30, "longitude": 0}, {"latitude": 30}]},
            "positions.1.longitude",
        ),
        ({"positions": [{"latitude": 30, "longitude": 0}], "latitude": 30, "longitude": 0}, "body"),
        ({"positions": [{"latitude": 30, "longitude": 0, "heading": 361}]}, "positions.0.heading"),
        ({"positions": [{"latitude": 30, "longitude": 0, "altitude": 9}]}, "positions.0.altitude"),
    ],
)
async def test_a_position_that_cannot_be_is_refused_and_the_next_is_taken(
    play: Cast, place: dict[str, Any], field: str
) -> None:
    refused = await refusal(play.drivers[0].post("/delivery/location", **place))
    assert (refused["status"], refused["errors"][0]["field"]) == (422, field)

    kitchen = play.world.kitchen
    answer = await play.drivers[0].post(
        "/delivery/location", latitude=kitchen.latitude, longitude=kitchen.longitude
    )
    assert answer == {"accepted": 1, "refused": []}


async def test_a_position_next_to_nothing_is_zero(play: Cast) -> None:
    answer = await play.drivers[0].post("/delivery/location", **insisting(5e-324, 5e-324))
    assert answer["accepted"] == 1


async def test_a_position_older_than_a_day_is_refused(play: Cast) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=2)
    refused = await refusal(
        play.drivers[0].post(
            "/delivery/location", latitude=30, longitude=-97, recordedAt=long_ago.isoformat()
        )
    )
    assert refused["code"] == "too_old"


@pytest.mark.parametrize("url", ["https://x/\x00", "https://x/\x01", "ftp://x/", "https://x/ y"])
async def test_a_proof_that_is_no_address_is_refused_and_the_order_goes_on(
    play: Cast, url: str
) -> None:
    order = await play.bring(S.IN_TRANSIT)

    refused = await refusal(play.driver_says(0, order, "delivered", proof={"photoUrl": url}))

    assert (refused["status"], refused["errors"][0]["field"]) == (422, "proof.photoUrl")
    assert (await play.driver_says(0, order, "delivered"))["status"] == S.DELIVERED


@pytest.mark.parametrize(
    "forged",
    [
        # Its header asks for a critical extension with half a character for a name.
        "eyJhbGciOiJIUzI1NiIsImNyaXQiOlsiXHVkODAwIl19.e30.eA",
        "eyJhbGciOiJub25lIn0.e30.",
        "a.b.c",
        "\u00e9",
    ],
)
async def test_a_token_that_nobody_gave_is_refused_in_words_of_ours(
    http: httpx.AsyncClient, forged: str
) -> None:
    answer = await http.get("/orders", headers={"Authorization": f"Bearer {forged}".encode()})

    assert problem(answer) == (401, "unauthorized")
    assert answer.json()["detail"] == "the access token is not valid"


async def test_a_valid_token_of_an_account_that_is_gone_places_no_order(play: Cast) -> None:
    ghost = Person(play.environment["API_URL"], "ghost@example.com")
    ghost.use_token(
        token(play.environment, Somebody(uuid4(), "customer-ghost@example.com", uuid4()))
    )
    for key in (None, "a key"):
        refused = await refusal(ghost.post("/orders", key=key, **play.world.basket()))
        assert (refused["status"], refused["code"]) == (401, "unauthorized")
    await ghost.leave()


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "in pieces"])
async def test_a_body_without_end_is_not_read_to_its_end(
    http: httpx.AsyncClient, announced: bool
) -> None:
    body = b" " * (MOST_BODY_BYTES + 1)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65536):
            yield body[start : start + 65536]

    for path in ("/auth/login", "/webhooks/stripe"):
        answer = await http.post(path, content=body if announced else pieces(), headers=JSON)
        assert problem(answer) == (413, "body_too_large")


async def test_a_body_of_nothing_but_mistakes_gets_a_short_answer(http: httpx.AsyncClient) -> None:
    body = json.dumps({f"k{number}": 1 for number in range(20_000)})

    answer = await http.post("/auth/login", content=body, headers=JSON)

    assert problem(answer) == (422, "invalid_request")
    assert len(answer.content) < 10_000


@pytest.mark.parametrize("body", [b"\xff", b"{", b'{"email":', b"[" * 10_000, b"9" * 5000, b""])
async def test_a_body_that_cannot_be_read_is_said_to_be_at_fault(
    http: httpx.AsyncClient, body: bytes
) -> None:
    answer = await http.post("/auth/login", content=body, headers=JSON)

    assert problem(answer) == (422, "invalid_request")
    assert answer.json()["errors"][0]["field"] == "body"


async def test_a_path_with_a_slash_too_many_leads_nowhere_else(http: httpx.AsyncClient) -> None:
    answer = await http.get("/chefs/", headers={"Host": "evil.example"})
    assert problem(answer) == (404, "not_found")


async def test_another_promise_after_the_first_is_refused_not_swallowed(play: Cast) -> None:
    order = await play.bring(S.PAYMENT_CONFIRMED)
    first = await play.chef_says(order, "accepted", readyInMinutes=20)
    assert await play.chef_says(order, "accepted", readyInMinutes=20) == first

    refused = await refusal(play.chef_says(order, "accepted", readyInMinutes=90))
    assert refused["code"] == "illegal_transition"


async def test_ten_of_the_same_command_at_once_are_one(play: Cast) -> None:
    order = await play.bring(S.PAYMENT_CONFIRMED)

    answers = await asyncio.gather(*(play.chef_says(order, "accepted") for _ in range(10)))

    assert all(answer == answers[0] for answer in answers)
    assert await play.history(order) == ["pending", "payment_confirmed", "accepted"]


async def test_every_problem_that_is_documented_is_documented_as_one(
    play: Cast, http: httpx.AsyncClient
) -> None:
    document = (await http.get(f"{play.environment['API_URL']}/openapi.json")).json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status, answer in operation["responses"].items():
                if int(status) >= 400 and path.startswith("/api/"):
                    kinds = list(answer["content"])
                    assert kinds == ["application/problem+json"], (method, path, status)
