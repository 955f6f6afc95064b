"""Operators change what is in force in a market; orders keep what they were placed under.

Each test has a facade of its own with a market of its own: nobody else's prices change.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select, update
from sqlmodel import col

from activities.market_terms import MarketTerms
from domain.geo import Point
from domain.order_status import OrderStatus
from local.cast import Cast
from local.people import Person, Unanswered, until
from schema.tables import Chef, MarketSetting
from tests.api.facade import facade

S = OrderStatus


@dataclass
class Town:
    """A market with one kitchen, and a facade that knows of it."""

    play: Cast
    name: str
    http: httpx.AsyncClient
    terms: MarketTerms

    async def ask(
        self, who: Person, method: str, path: str, body: object = None
    ) -> tuple[int, Any]:
        answer = await self.http.request(
            method, f"/api/v1{path}", json=body, headers={"Authorization": who.authorization}
        )
        return answer.status_code, answer.json()

    async def say(self, **said: Any) -> tuple[int, Any]:
        body = {"reason": "the council", **said}
        return await self.ask(self.play.admin, "POST", f"/admin/markets/{self.name}/settings", body)

    async def withdraw(self, setting_id: str) -> tuple[int, Any]:
        path = f"/admin/markets/{self.name}/settings/{setting_id}/withdraw"
        return await self.ask(self.play.admin, "POST", path, {"reason": "put off"})

    async def shown(self) -> dict[str, Any]:
        path = f"/admin/markets/{self.name}/settings"
        status, answer = await self.ask(self.play.admin, "GET", path)
        assert status == 200
        return dict(answer)

    async def quote(self) -> int:
        _, answer = await self.ask(
            self.play.customer, "POST", "/orders/quote", self.play.world.basket()
        )
        return int(answer["totalCents"])

    async def place(self) -> dict[str, Any]:
        status, answer = await self.ask(
            self.play.customer, "POST", "/orders", self.play.world.basket()
        )
        assert status == 201, answer
        return dict(answer)

    async def written(self) -> int:
        async with self.play.database.read() as session:
            rows = await session.scalars(
                select(MarketSetting).where(col(MarketSetting.market) == self.name)
            )
            return len(rows.all())


@pytest.fixture
async def town(play: Cast, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    name = f"town-{uuid4().hex}"
    async with play.database.write() as session:
        await session.execute(
            update(Chef).where(col(Chef.id) == play.world.chef.id).values(market=name)
        )
    async with facade(play.environment, monkeypatch, MARKETS={name: {}}) as (app, http):
        held = app.state.services
        yield Town(play, name, http, MarketTerms(held.settings, held.database))
    # The running facade has no such market.
    async with play.database.write() as session:
        await session.execute(
            update(Chef).where(col(Chef.id) == play.world.chef.id).values(market="austin")
        )


def soon(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


async def test_a_rate_changes_at_its_moment_and_orders_keep_what_they_were_placed_under(
    town: Town,
) -> None:
    play = town.play
    before = await town.quote()
    old = await town.place()
    changed = {"rates": {"taxBps": 1800, "platformFeeBps": 3000}, "chefResponseSeconds": 77}
    status, said = await town.say(values=changed, effectiveFrom=soon(1.5))
    assert (status, said["values"]) == (201, changed)
    assert await town.quote() == before

    async def is_dearer() -> bool:
        return await town.quote() == before + 200

    await until(is_dearer)
    new = await town.place()

    assert (old["totalCents"], new["totalCents"]) == (before, before + 200)
    old_terms, new_terms = [await town.terms.of(order["id"]) for order in (old, new)]
    assert old_terms.chef_response == timedelta(minutes=5)
    assert new_terms.chef_response == timedelta(seconds=77)
    # What is given back and what a chef earns are each order's own figures.
    for order, tax, fee in ((old, 160, 399), (new, 360, 858)):
        await play.pay(order)
        seen = await play.customer.get(f"/orders/{order['id']}")
        assert (seen["taxCents"], seen["totalCents"]) == (tax, order["totalCents"])
        await play.chef_says(order, S.ACCEPTED)
        for step in (S.PREPARING, S.READY_FOR_PICKUP):
            await play.chef_says(order, step)
        await play.take(0, order)
        for step in (S.PICKED_UP, S.IN_TRANSIT, S.DELIVERED):
            await play.driver_says(0, order, step)
        earned = await earnings(play, order)
        assert earned == 2000 - fee
        path, body = f"/admin/orders/{order['id']}/refund", {"reason": "goodwill"}
        status, _ = await town.ask(play.admin, "POST", path, {"bearer": "platform", **body})
        assert status == 201
        await play.is_refunded(order, order["totalCents"])


async def test_a_markets_radius_is_the_ceiling_of_its_kitchens_from_its_moment_on(
    town: Town,
) -> None:
    play, away = town.play, 7.5
    kitchen = play.world.kitchen
    door = play.world.address(Point(kitchen.latitude + away / 111.19, kitchen.longitude))

    async def asked() -> tuple[int, str]:
        basket = play.world.basket(deliveryAddress=door)
        status, answer = await town.ask(play.customer, "POST", "/orders/quote", basket)
        return status, answer.get("detail", "")

    assert (await asked())[0] == 200
    status, _ = await town.say(values={"mostServiceRadiusKm": 7}, effectiveFrom=soon(3600))
    assert (status, (await asked())[0]) == (201, 200)
    assert (await town.say(values={"mostServiceRadiusKm": 5}))[0] == 201
    assert (await town.shown())["inForce"]["mostServiceRadiusKm"] == 5
    status, words = await asked()
    assert status == 422
    assert f"kitchens of {town.name} deliver within 5 km; this address is 7.5 km away" in words
    assert (await town.say(values={"mostServiceRadiusKm": 40}))[0] == 201
    assert (await asked())[0] == 200
    away = 11.0
    door = play.world.address(Point(kitchen.latitude + away / 111.19, kitchen.longitude))
    status, words = await asked()
    assert status == 422
    assert "Test Kitchen delivers within 10 km; this address is 11.0 km away" in words


async def earnings(play: Cast, order: dict[str, Any]) -> int:
    found = await play.admin.get("/admin/ledger/movements", orderId=order["id"], event="earned")
    account = f"chef:{play.world.chef.id}"
    postings = [p for m in found["data"] for p in m["postings"] if account in p["account"]]
    return -sum(posting["amountCents"] for posting in postings)


async def test_what_is_in_force_what_comes_and_what_was_said_is_shown(town: Town) -> None:
    _, first = await town.say(values={"rates": {"taxBps": 900}})
    _, later = await town.say(values={"tipWindowSeconds": 60}, effectiveFrom=soon(3600))

    shown = await town.shown()

    assert shown["inForce"]["rates"]["taxBps"] == 900
    assert shown["inForce"]["rates"]["platformFeeBps"] == 1500
    assert shown["inForce"]["tipWindowSeconds"] == 86400
    assert shown["coming"] == [later]
    assert shown["data"] == [later, first]
    assert first["createdBy"] == str(town.play.world.admin.user_id)
    _, markets = await town.ask(town.play.admin, "GET", "/admin/markets")
    mine = [market for market in markets if market["name"] == town.name]
    assert [(m["currency"], m["coming"]) for m in mine] == [("usd", 1)]
    assert mine[0]["inForce"] == shown["inForce"]


async def test_a_change_is_withdrawn_before_its_time_and_not_after(town: Town) -> None:
    _, later = await town.say(values={"rates": {"taxBps": 900}}, effectiveFrom=soon(3600))
    _, now = await town.say(values={"rates": {"taxBps": 700}})

    status, back = await town.withdraw(later["id"])
    again = await town.withdraw(later["id"])
    too_late = await town.withdraw(now["id"])
    unknown = await town.withdraw(str(uuid4()))

    assert (status, back["withdrawalReason"]) == (200, "put off")
    assert again == (200, back)
    assert (too_late[0], too_late[1]["code"]) == (409, "in_force_already")
    assert (unknown[0], unknown[1]["code"]) == (404, "not_found")
    shown = await town.shown()
    assert shown["coming"] == []
    assert shown["inForce"]["rates"]["taxBps"] == 700
    assert await town.written() == 3


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"values": {}}, "nothing_to_change"),
        ({"values": {"rates": {}}}, "nothing_to_change"),
        ({"values": {"rates": {"taxBps": 10_001}}}, "invalid_request"),
        ({"values": {"rates": {"taxBps": -1}}}, "invalid_request"),
        ({"values": {"rates": {"taxBps": "800"}}}, "invalid_request"),
        ({"values": {"rates": {"deliveryIncludedKm": 1e9}}}, "invalid_request"),
        ({"values": {"rates": {"currency": "eur"}}}, "invalid_request"),
        ({"values": {"pace": 2}}, "invalid_request"),
        ({"values": {"chefResponseSeconds": 0}}, "invalid_request"),
        ({"values": {"chefResponseSeconds": 10**9}}, "invalid_request"),
        ({"values": {"mostServiceRadiusKm": 50.5}}, "invalid_request"),
        ({"values": {"mostServiceRadiusKm": 0.5}}, "invalid_request"),
        ({"values": {"tipWindowSeconds": 60}, "reason": ""}, "invalid_request"),
        ({"values": {"tipWindowSeconds": 60}, "effectiveFrom": 1}, "invalid_request"),
        (
            {"values": {"tipWindowSeconds": 60}, "effectiveFrom": "2020-01-31T00:00:00Z"},
            "in_the_past",
        ),
        (
            {"values": {"tipWindowSeconds": 60}, "effectiveFrom": "9999-12-31T23:59:59-23:59"},
            "invalid_request",
        ),
    ],
)
async def test_an_odd_change_is_refused_and_changes_nothing(
    town: Town, said: dict[str, Any], code: str
) -> None:
    status, answer = await town.say(**said)

    assert (status, answer["code"]) == (422, code)
    assert await town.written() == 0


async def test_of_a_market_that_is_not_there_nothing_is_known(play: Cast) -> None:
    async def nothing(method: str, path: str, body: dict[str, Any] | None = None) -> None:
        with pytest.raises(Unanswered) as refused:
            await play.admin.ask(method, f"/admin/markets/atlantis/settings{path}", body)
        assert (refused.value.status, refused.value.code) == (404, "not_found")

    await nothing("GET", "")
    await nothing("POST", "", {"values": {"tipWindowSeconds": 60}, "reason": "why"})
    await nothing("POST", f"/{uuid4()}/withdraw", {"reason": "why"})
