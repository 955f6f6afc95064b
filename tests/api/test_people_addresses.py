"""The addresses that people keep: one of them is the default, always."""

import asyncio
from typing import Any

import pytest

from local.cast import Cast
from local.people import Person, Unanswered
from schema.queries import addresses

PATH = "/users/me/addresses"


def address(label: str, **changes: Any) -> dict[str, Any]:
    return {
        "label": label,
        "line1": "1 Test Street",
        "city": "Testville",
        "state": "TX",
        "postalCode": "78701",
        "latitude": 30.5,
        "longitude": -97.5,
        **changes,
    }


async def keep(person: Person, label: str, **changes: Any) -> dict[str, Any]:
    kept: dict[str, Any] = await person.post(PATH, **address(label, **changes))
    return kept


async def kept(person: Person) -> list[tuple[str, bool]]:
    return [(row["label"], row["isDefault"]) for row in await person.get(PATH)]


async def refusal(person: Person, method: str, path: str, body: dict[str, Any]) -> Unanswered:
    with pytest.raises(Unanswered) as refused:
        await person.ask(method, path, body)
    return refused.value


async def test_the_first_is_the_default_until_another_is_named(play: Cast) -> None:
    await keep(play.customer, "home")
    await keep(play.customer, "work")
    assert await kept(play.customer) == [("home", True), ("work", False)]

    aunt = await keep(play.customer, "aunt", isDefault=True)
    assert await kept(play.customer) == [("aunt", True), ("work", False), ("home", False)]

    # The default stays so until another one is.
    await play.customer.put(f"{PATH}/{aunt['id']}", **address("my aunt", isDefault=False))
    assert (await kept(play.customer))[0] == ("my aunt", True)


async def test_after_the_default_the_newest_of_the_others_is_it(play: Cast) -> None:
    home = await keep(play.customer, "home")
    await keep(play.customer, "work")
    await keep(play.customer, "aunt")

    await play.customer.ask("DELETE", f"{PATH}/{home['id']}")

    assert await kept(play.customer) == [("aunt", True), ("work", False)]
    assert (await refusal(play.customer, "DELETE", f"{PATH}/{home['id']}", {})).status == 404


async def test_the_same_twice_or_at_once_is_kept_once(play: Cast) -> None:
    answers = await asyncio.gather(*(keep(play.customer, "home") for _ in range(5)))

    assert len({answer["id"] for answer in answers}) == 1
    assert await kept(play.customer) == [("home", True)]


async def test_many_at_once_have_one_default(play: Cast) -> None:
    await asyncio.gather(
        *(keep(play.customer, f"home {number}", isDefault=True) for number in range(8))
    )

    assert sum(is_default for _, is_default in await kept(play.customer)) == 1


async def test_no_more_are_kept_than_anybody_needs(play: Cast) -> None:
    for number in range(addresses.MOST - 2):
        await keep(play.customer, f"home {number}")

    answers = await asyncio.gather(
        *(keep(play.customer, f"last {number}") for number in range(4)), return_exceptions=True
    )

    refused = [answer.code for answer in answers if isinstance(answer, Unanswered)]
    assert refused == ["too_many_addresses"] * 2
    assert len(await kept(play.customer)) == addresses.MOST


async def test_an_address_without_a_position_is_looked_up(play: Cast) -> None:
    known = {"line1": "123 Main St", "city": "Austin", "latitude": None, "longitude": None}

    found = await keep(play.customer, "home", **known)

    assert found["latitude"] == pytest.approx(30.2672, abs=0.05)
    moved = await play.customer.put(f"{PATH}/{found['id']}", **address("home"))
    assert (moved["latitude"], moved["longitude"]) == (30.5, -97.5)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"latitude": None}, "half_a_position"),
        ({"line1": "1 Nowhere at all", "latitude": None, "longitude": None}, "address_not_found"),
        ({"latitude": 91}, "invalid_request"),
        ({"label": "x" * 51}, "invalid_request"),
        ({"label": "a\x00b"}, "invalid_request"),
        ({"country": "Texas"}, "invalid_request"),
        ({"owner": "me"}, "invalid_request"),
    ],
    ids=["half", "unknown", "beyond-the-pole", "long", "nul", "country", "unknown-field"],
)
async def test_an_address_that_cannot_be_is_refused_and_nothing_changes(
    play: Cast, wrong: dict[str, Any], code: str
) -> None:
    home = await keep(play.customer, "home")

    body = address("other") | wrong
    for method, path in (("POST", PATH), ("PUT", f"{PATH}/{home['id']}")):
        refused = await refusal(play.customer, method, path, body)
        assert (refused.status, refused.code) == (422, code)

    assert await play.customer.get(PATH) == [home]


async def test_the_address_of_another_is_not_there(play: Cast) -> None:
    home = await keep(play.customer, "home")
    path = f"{PATH}/{home['id']}"

    assert (await refusal(play.chef, "PUT", path, address("mine"))).status == 404
    assert (await refusal(play.chef, "DELETE", path, {})).status == 404

    assert await play.customer.get(PATH) == [home]
    async with play.database.read() as session:
        other = await addresses.of(session, play.world.chef.user_id, home["id"])
        own = await addresses.of(session, play.world.customer.user_id, home["id"])
    assert other is None
    assert own is not None
