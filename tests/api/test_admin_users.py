"""Operators find people, correct their names, suspend them and let them in again."""

import asyncio
from collections.abc import Awaitable
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlmodel import col

from domain.order_status import OrderStatus
from domain.verification import Verification
from local.cast import Cast
from local.people import Unanswered, until
from local.ports import any_free
from local.world import PASSWORD, Somebody
from schema.tables import AdminAction, Chef, Driver, User
from tests.api.dying import dies_once_a_suspension_is_written
from tests.api.facade import AWAY, facade

S = OrderStatus


async def refusal(asked: Awaitable[Any]) -> tuple[int, str]:
    with pytest.raises(Unanswered) as refused:
        await asked
    return refused.value.status, refused.value.code


async def suspend(play: Cast, who: Somebody, reason: str = "a doubt") -> dict[str, Any]:
    answer: dict[str, Any] = await play.admin.post(
        f"/admin/users/{who.user_id}/suspend", reason=reason
    )
    return answer


async def reinstate(play: Cast, who: Somebody) -> dict[str, Any]:
    answer: dict[str, Any] = await play.admin.post(
        f"/admin/users/{who.user_id}/reinstate", reason="none any more"
    )
    return answer


async def deeds(play: Cast, who: Somebody) -> list[str]:
    async with play.database.read() as session:
        found = await session.scalars(
            select(col(AdminAction.action_type))
            .where(col(AdminAction.target_id) == who.user_id)
            .order_by(col(AdminAction.id))
        )
        return list(found)


async def chef_of(play: Cast) -> Chef:
    async with play.database.read() as session:
        return (await session.scalars(select(Chef).where(col(Chef.id) == play.world.chef.id))).one()


async def driver_of(play: Cast) -> Driver:
    async with play.database.read() as session:
        wanted = col(Driver.id) == play.world.drivers[0].id
        return (await session.scalars(select(Driver).where(wanted))).one()


async def cancelled(play: Cast, order: dict[str, Any]) -> dict[str, Any]:
    return await play.becomes(order, S.CANCELLED)


async def test_people_are_found_by_what_they_are_and_what_they_are_called(play: Cast) -> None:
    customer = play.world.customer
    name = f"Zo%_{uuid4().hex}"
    await play.admin.put(f"/admin/users/{customer.user_id}", firstName=name, reason="a slip")

    async def found(**wanted: object) -> list[str]:
        page = await play.admin.get("/admin/users", **wanted)
        assert page["total"] >= len(page["data"])
        return [user["id"] for user in page["data"]]

    me = [str(customer.user_id)]
    assert await found(search=name.upper()) == me
    assert await found(search=customer.email) == me
    assert await found(search=name, role=["customer", "chef"], active=True) == me
    assert await found(search=name, role="driver") == []
    assert await found(search=name, active=False) == []
    assert await found(search=name, end="2020-01-01") == []
    assert await found(search=name, begin="2020-01-01") == me
    assert await found(search="Zo%%") == []
    latest = await play.admin.get("/admin/users", limit=100)
    moments = [user["createdAt"] for user in latest["data"]]
    assert moments == sorted(moments, reverse=True)


async def test_a_user_is_shown_with_what_he_has_to_do_with_orders(play: Cast) -> None:
    delivered = await play.bring(S.DELIVERED)
    await play.bring(S.PENDING)

    seen = await play.admin.get(f"/admin/users/{play.world.customer.user_id}")
    chef = await play.admin.get(f"/admin/users/{play.world.chef.user_id}")
    driver = await play.admin.get(f"/admin/users/{play.world.drivers[0].user_id}")

    assert seen["counts"] == {
        "orders": 2,
        "openOrders": 1,
        "cancelledOrders": 0,
        "spentCents": delivered["totalCents"],
        "refundedCents": 0,
        "ordersCooked": 0,
        "deliveries": 0,
    }
    assert (chef["chefId"], chef["counts"]["ordersCooked"]) == (str(play.world.chef.id), 1)
    assert driver["driverId"] == str(play.world.drivers[0].id)
    assert driver["counts"]["deliveries"] == 1
    assert await refusal(play.admin.get(f"/admin/users/{uuid4()}")) == (404, "not_found")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"reason": "nothing"}, "nothing_to_change"),
        ({"firstName": "", "reason": "why"}, "invalid_request"),
        ({"firstName": "a\x00b", "reason": "why"}, "invalid_request"),
        ({"firstName": "A"}, "invalid_request"),
        ({"firstName": "A", "role": "admin", "reason": "why"}, "invalid_request"),
        ({"firstName": "x" * 201, "reason": "why"}, "invalid_request"),
    ],
)
async def test_an_odd_correction_changes_nothing(
    play: Cast, body: dict[str, Any], code: str
) -> None:
    path = f"/admin/users/{play.world.customer.user_id}"
    assert await refusal(play.admin.ask("PUT", path, body)) == (422, code)
    assert (await play.admin.get(path))["firstName"] == "Customer"
    assert await deeds(play, play.world.customer) == []


async def test_a_suspended_customer_gets_back_what_no_chef_has_accepted_and_comes_in_no_more(
    play: Cast,
) -> None:
    waiting, taken = await play.bring(S.PAYMENT_CONFIRMED), await play.bring(S.ACCEPTED)

    answer = await suspend(play, play.world.customer, "chargebacks")

    assert (answer["isActive"], answer["suspensionReason"]) == (False, "chargebacks")
    assert await refusal(play.place()) == (401, "unauthorized")

    async def has_ended() -> dict[str, Any] | None:
        seen: dict[str, Any] = await play.admin.get(f"/orders/{waiting['id']}")
        is_refunded = seen["refundedCents"] == waiting["totalCents"]
        return seen if seen["status"] == S.CANCELLED and is_refunded else None

    seen = await until(has_ended)
    assert (seen["cancelledBy"], seen["cancelReason"]) == ("admin", "customer_suspended")
    assert play.refunded(waiting) == [waiting["totalCents"]]
    assert (await play.admin.get(f"/orders/{taken['id']}"))["status"] == S.ACCEPTED


async def test_the_same_suspension_twice_or_at_once_is_one_and_another_reason_is_refused(
    play: Cast,
) -> None:
    customer = play.world.customer
    answers = await asyncio.gather(*(suspend(play, customer) for _ in range(4)))

    assert all(answer == answers[0] for answer in answers)
    assert await refusal(suspend(play, customer, "another")) == (409, "already_suspended")
    assert await deeds(play, customer) == ["user_suspended"]


async def test_a_suspended_chefs_kitchen_is_closed_until_he_opens_it_again(play: Cast) -> None:
    waiting, in_the_pan = await play.bring(S.PAYMENT_CONFIRMED), await play.bring(S.PREPARING)

    await suspend(play, play.world.chef, "mice")

    chef = await chef_of(play)
    assert chef.verification_status is Verification.SUSPENDED
    assert (chef.accepting_orders, chef.verification_reason) == (False, "mice")
    assert (await cancelled(play, waiting))["cancelReason"] == "chef_suspended"
    await play.is_refunded(waiting, waiting["totalCents"])
    assert (await play.customer.get(f"/orders/{in_the_pan['id']}"))["status"] == S.PREPARING
    assert await refusal(play.place()) == (404, "not_found")

    await reinstate(play, play.world.chef)

    chef = await chef_of(play)
    assert chef.verification_status is Verification.APPROVED
    assert (chef.accepting_orders, chef.verification_reason) == (False, None)
    assert (await play.customer.get(f"/orders/{waiting['id']}"))["status"] == S.CANCELLED
    assert await deeds(play, play.world.chef) == ["user_suspended", "user_reinstated"]


async def test_a_suspended_driver_is_off_duty_and_what_he_was_to_fetch_goes_to_another(
    play: Cast,
) -> None:
    order = await play.bring(S.ASSIGNED_TO_DRIVER)

    await suspend(play, play.world.drivers[0], "opened the food")

    driver = await driver_of(play)
    assert driver.verification_status is Verification.SUSPENDED
    assert not driver.is_available
    await play.offered(1, order)

    await reinstate(play, play.world.drivers[0])

    driver = await driver_of(play)
    assert driver.verification_status is Verification.APPROVED
    assert not driver.is_available
    assert await deeds(play, play.world.drivers[0]) == ["user_suspended", "user_reinstated"]


async def test_what_was_suspended_before_is_not_let_in_by_a_reinstatement(play: Cast) -> None:
    driver = play.world.drivers[0]
    path = f"/admin/drivers/{driver.id}/verification"
    await play.admin.put(path, status="suspended", reason="an accident")

    await suspend(play, driver)
    await reinstate(play, driver)

    assert (await driver_of(play)).verification_status is Verification.SUSPENDED


async def test_who_is_let_in_again_orders_again_and_loses_nothing_more(play: Cast) -> None:
    await suspend(play, play.world.customer)
    answer = await reinstate(play, play.world.customer)
    again = await reinstate(play, play.world.customer)

    assert answer == again
    assert (answer["isActive"], answer["suspendedAt"]) == (True, None)
    await play.customer.log_in(PASSWORD)
    order = await play.place()
    await play.pay(order)
    assert await deeds(play, play.world.customer) == ["user_suspended", "user_reinstated"]


async def test_nobody_suspends_himself_and_a_closed_account_stays_closed(play: Cast) -> None:
    assert await refusal(suspend(play, play.world.admin)) == (409, "own_account")
    async with play.database.write() as session:
        user = await session.get_one(User, play.world.customer.user_id)
        user.is_active = False

    assert await refusal(suspend(play, play.world.customer)) == (409, "account_closed")
    assert await refusal(reinstate(play, play.world.customer)) == (409, "not_suspended")
    nobody = Somebody(uuid4(), "", uuid4())
    assert await refusal(suspend(play, nobody)) == (404, "not_found")
    assert await refusal(reinstate(play, nobody)) == (404, "not_found")


async def test_while_temporal_is_away_nobody_is_suspended_and_it_may_be_asked_again(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable, address = AWAY["temporal"]
    path = f"/api/v1/admin/users/{play.world.customer.user_id}/suspend"
    async with facade(
        play.environment, monkeypatch, **{variable: address.format(port=any_free())}
    ) as (_, http):
        answer = await http.post(
            path, json={"reason": "why"}, headers={"Authorization": play.admin.authorization}
        )

    assert (answer.status_code, answer.json()["code"]) == (503, "temporarily_unavailable")
    assert await deeds(play, play.world.customer) == []
    assert (await play.admin.get(f"/admin/users/{play.world.customer.user_id}"))["isActive"]


async def test_a_process_that_dies_once_the_suspension_is_written_has_told_of_it(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await play.bring(S.PAYMENT_CONFIRMED)
    path = f"/api/v1/admin/users/{play.world.customer.user_id}/suspend"
    async with facade(play.environment, monkeypatch) as (app, http):
        dies_once_a_suspension_is_written(app, monkeypatch)
        answer = await http.post(
            path, json={"reason": "why"}, headers={"Authorization": play.admin.authorization}
        )

    assert answer.status_code == 500
    assert await deeds(play, play.world.customer) == ["user_suspended"]

    async def is_cancelled() -> bool:
        seen = await play.admin.get(f"/orders/{order['id']}")
        return bool(seen["status"] == S.CANCELLED)

    await until(is_cancelled)
