"""Partners' webhooks: a whole order at a till, whose webhook is whose, and what is told of it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update
from sqlmodel import col
from standardwebhooks import WebhookVerificationError

from domain.order_status import OrderStatus
from domain.webhooks import EventType
from local.cast import Cast, token
from local.people import Person, Unanswered, until
from schema.tables import WebhookEndpoint
from tests.api.facade import facade
from tests.partner import Partner, Received, partner

ALL = [kind.value for kind in EventType]
WHY = "agreed with the partner"


@pytest.fixture
def till() -> Iterator[Partner]:
    with partner() as listening:
        yield listening


async def registered(person: Person, url: str, **said: Any) -> dict[str, Any]:
    path = "/admin/webhooks" if "reason" in said else "/chef/webhooks"
    made: dict[str, Any] = await person.post(path, **{"url": url, "eventTypes": ALL, **said})
    return made


async def refusal(asked: Any) -> Unanswered:
    with pytest.raises(Unanswered) as refused:
        await asked
    return refused.value


async def rests(play: Cast, webhook: str, **counts: int) -> list[dict[str, Any]]:
    """Wait until so many messages of a webhook stand so."""

    async def look() -> list[dict[str, Any]] | None:
        path = f"/admin/webhooks/{webhook}/deliveries"
        data = (await play.admin.get(path, limit=100))["data"]
        found = {status: sum(d["status"] == status for d in data) for status in counts}
        return data if found == counts else None

    return await until(look)


async def test_a_till_gets_every_event_of_an_order_once_and_again_when_it_is_asked_for(
    play: Cast, till: Partner
) -> None:
    made = await registered(play.chef, till.url, description="the till")
    webhook, secret = made["id"], made["secret"]
    with partner() as warehouse:
        market = await registered(play.admin, warehouse.url, reason=WHY)

        order = await play.bring(OrderStatus.DELIVERED)

        await till.has(8)
        delivered = await rests(play, webhook, succeeded=8)
        await until(lambda: _has_order(warehouse, market["secret"], order["id"], 8))
        await play.admin.ask("DELETE", f"/admin/webhooks/{market['id']}", reason=WHY)
    said = [one.verified(secret) for one in till.received]
    said.sort(key=lambda one: (one["timestamp"], one["data"]["sequence"]))
    assert [one["type"] for one in said] == [
        "order.created",
        "order.accepted",
        "order.preparing",
        "order.ready_for_pickup",
        "order.assigned_to_driver",
        "order.picked_up",
        "order.in_transit",
        "order.delivered",
    ]
    assert [one["data"]["sequence"] for one in said] == list(range(2, 10))
    assert {one["data"]["orderNumber"] for one in said} == {order["orderNumber"]}
    assert {one.id for one in till.received} == {delivery["id"] for delivery in delivered}
    with pytest.raises(WebhookVerificationError):
        till.received[0].verified(market["secret"])
    (tried,) = delivered[0]["tries"]
    assert (tried["status"], tried["answer"], tried["error"]) == (200, "thanks", None)

    # The till has lost one: it gets the same message, by the same id.
    lost = delivered[0]["id"]
    await play.admin.post(f"/admin/webhooks/deliveries/{lost}/replay", reason="their disk died")
    await till.has(9)
    await rests(play, webhook, succeeded=8)
    assert till.received[8].id == lost

    # It says that it is gone, and was not: what was missed is sent when it is asked for.
    till.status = 410
    await play.chef.post(f"/chef/webhooks/{webhook}/test")
    await rests(play, webhook, failed=1, succeeded=8)
    gone = await play.chef.get(f"/chef/webhooks/{webhook}")
    assert (gone["enabled"], gone["disabledBecause"]) == (False, "gone")
    told = await play.chef.get("/users/me/notifications")
    assert [one["type"] for one in told["data"]].count("chef:webhook") == 1
    assert (await refusal(play.chef.post(f"/chef/webhooks/{webhook}/test"))).code == (
        "webhook_disabled"
    )
    since = {"since": (datetime.now(UTC) - timedelta(hours=1)).isoformat(), "reason": WHY}
    path = f"/admin/webhooks/{webhook}"
    assert (await refusal(play.admin.post(f"{path}/replay", **since))).code == "webhook_disabled"
    for odd in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", 1795582382):
        refused = await refusal(play.admin.post(f"{path}/replay", since=odd, reason=WHY))
        assert (refused.status, refused.code) == (422, "invalid_request")
    till.status = 200
    on = await play.admin.post(f"{path}/enable", reason=WHY)
    assert (on["enabled"], on["disabledBecause"]) == (True, None)
    assert await play.admin.post(f"{path}/replay", **since) == {"replayed": 1, "hasMore": False}
    await rests(play, webhook, succeeded=9)
    assert till.received[-1].verified(secret)["type"] == "endpoint.test"
    assert len(till.received) == 11


async def _has_order(there: Partner, secret: str, order_id: str, count: int) -> bool:
    """Whether the market's partner was told of an order, among those of all others."""
    about = [one.verified(secret)["data"].get("orderId") for one in there.received]
    return about.count(order_id) == count


async def test_a_new_secret_signs_beside_the_old_one_and_neither_is_told_again(
    play: Cast, till: Partner
) -> None:
    made = await registered(play.chef, till.url)
    path = f"/chef/webhooks/{made['id']}"

    rotated = await play.chef.post(f"{path}/rotate-secret")
    await play.chef.post(f"{path}/test")

    (both,) = await till.has(1)
    assert rotated["secret"] != made["secret"]
    assert len(both.headers["webhook-signature"].split(" ")) == 2
    for secret in (rotated["secret"], made["secret"]):
        assert both.verified(secret)["data"] == {"endpointId": made["id"]}
    # A day later.
    async with play.database.write() as session:
        await session.execute(
            update(WebhookEndpoint)
            .where(col(WebhookEndpoint.id) == made["id"])
            .values(rotated_at=datetime.now(UTC) - timedelta(days=1))
        )
    await play.chef.post(f"{path}/test")
    await till.has(2)
    later: Received = till.received[1]
    assert later.verified(rotated["secret"])
    with pytest.raises(WebhookVerificationError):
        later.verified(made["secret"])
    mine: dict[str, Any] = await play.chef.get(path)
    shown = [
        mine,
        await play.chef.get("/chef/webhooks"),
        await play.chef.get(f"{path}/deliveries"),
        await play.chef.ask("PATCH", path, {"description": "the till at the counter"}),
        await play.admin.get(f"/admin{path.removeprefix('/chef')}"),
        await play.admin.get("/admin/webhooks", chefId=str(play.world.chef.id)),
        await play.admin.get("/admin/audit", targetId=made["id"]),
    ]
    assert "whsec_" not in str(shown)
    assert mine.keys() == made.keys() - {"secret"}
    await play.chef.ask("DELETE", path)
    assert (await refusal(play.chef.get(path))).status == 404


async def test_a_chef_sees_and_touches_his_own_webhooks_only(play: Cast) -> None:
    about = {"chefId": str(play.world.chef.id), "reason": WHY}
    ours = await registered(play.admin, "http://127.0.0.1:9/market", reason=WHY)
    his = await registered(play.admin, "http://127.0.0.1:9/till", **about)

    listed = await play.chef.get("/chef/webhooks")
    assert [one["id"] for one in listed["data"]] == [his["id"]]
    path = f"/chef/webhooks/{ours['id']}"
    for asked in (
        play.chef.get(path),
        play.chef.get(f"{path}/deliveries"),
        play.chef.ask("PATCH", path, {"enabled": False}),
        play.chef.ask("DELETE", path),
        play.chef.post(f"{path}/rotate-secret"),
        play.chef.post(f"{path}/test"),
    ):
        assert (await refusal(asked)).status == 404
    still = await play.admin.get(f"/admin/webhooks/{ours['id']}")
    assert still == {name: value for name, value in ours.items() if name != "secret"}
    nobody = {"chefId": str(uuid4()), "reason": WHY}
    unknown = await refusal(registered(play.admin, "http://127.0.0.1:9/", **nobody))
    assert (unknown.status, unknown.code) == (422, "unknown_chef")
    for number in range(9):
        await registered(play.chef, f"http://127.0.0.1:9/{number}")
    many = await refusal(registered(play.chef, "http://127.0.0.1:9/10"))
    assert (many.status, many.code) == (409, "too_many_webhooks")
    await play.admin.ask("DELETE", f"/admin/webhooks/{ours['id']}", reason=WHY)


REFUSED = {
    "https://127.0.0.1/hook": "target_private",
    "https://169.254.169.254/latest/meta-data": "target_private",
    "https://[::ffff:10.0.0.1]/hook": "target_private",
    "http://93.184.215.14/hook": "target_not_https",
    "https://93.184.215.14:22/hook": "target_port",
    "https://user@93.184.215.14/hook": "target_malformed",
    "https://93.184.215.14/hook#part": "target_malformed",
    "https://nowhere.invalid/hook": "target_unknown",
}


async def test_what_is_not_on_the_public_internet_is_refused_and_nothing_is_written(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    bearer = {"Authorization": f"Bearer {token(play.environment, play.world.chef)}"}
    there = await registered(play.chef, "http://127.0.0.1:9/")
    closed = {"WEBHOOK_PRIVATE_TARGETS": "false"}
    path = "/api/v1/chef/webhooks"
    async with facade(play.environment, monkeypatch, **closed) as (_, http):
        for url, code in REFUSED.items():
            asked = {"url": url, "eventTypes": ALL}
            for answer in (
                await http.post(path, json=asked, headers=bearer),
                await http.patch(f"{path}/{there['id']}", json={"url": url}, headers=bearer),
            ):
                assert (answer.status_code, answer.json()["code"]) == (422, code), url
                assert answer.json()["errors"][0]["field"] == "url"

    listed = await play.chef.get("/chef/webhooks")
    assert [one["url"] for one in listed["data"]] == ["http://127.0.0.1:9/"]
