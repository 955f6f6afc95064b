"""What a driver shows at the door, and what he is told of it."""

from typing import Any

import httpx
import pytest

from local.cast import Cast, Order
from local.people import Person, Unanswered
from tests.pictures import JPEG


async def refusal(asked: Any) -> Unanswered:
    with pytest.raises(Unanswered) as refused:
        await asked
    return refused.value


async def delivers(play: Cast, order: Order, number: int = 0, **proof: str) -> Order:
    """A driver says that the order is delivered, with this proof and no other."""
    answer: Order = await play.drivers[number].put(
        f"/delivery/orders/{order['id']}", status="delivered", proof=proof
    )
    return answer


async def photographs(
    play: Cast, order: Order, content: bytes = JPEG, number: int = 0, **query: float
) -> Any:
    path = f"/delivery/orders/{order['id']}/proof"
    return await play.drivers[number].upload(path, content, "image/jpeg", **query)


async def photo(play: Cast, order: Order, person: Person) -> httpx.Response:
    async with httpx.AsyncClient(base_url=f"{play.environment['API_URL']}/api/v1") as http:
        return await http.get(
            f"/orders/{order['id']}/proof", headers={"Authorization": person.authorization}
        )
