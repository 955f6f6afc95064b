"""Whatever an admin does is in the log, once: who, what, what was before and after, and why."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlmodel import col

from domain.order_status import OrderStatus
from local.cast import Cast
from schema.tables import AdminAction
from tests.api import disputes, kitchens
from tests.api.house import (
    delivery_of,
    document_of,
    movement_of,
    promo_code,
    review_of,
    webhook_of,
)
from tests.api.operations import operations

S = OrderStatus
PREFIX = "/api/v1"
WHY = "because it was asked for"

# What of an operation is done first, by others or by the admin; then the operation itself.
Deed = Callable[[], Awaitable[Any]]
Preparation = Callable[[Cast], Awaitable[Deed]]


async def written(play: Cast) -> list[AdminAction]:
    """What this play's admin did, as the log has it."""
    async with play.database.read() as session:
        found = await session.scalars(
            select(AdminAction)
            .where(col(AdminAction.admin_id) == play.world.admin.user_id)
            .order_by(col(AdminAction.id))
        )
        return list(found)


def about_order(status: OrderStatus, path: str, **said: object) -> Preparation:
    async def prepare(play: Cast) -> Deed:
        order = await play.bring(status)
        body = {
            name: str(play.world.drivers[1].id) if value == "a driver" else value
            for name, value in said.items()
        }
        return lambda: play.admin.post(f"/admin/orders/{order['id']}/{path}", reason=WHY, **body)

    return prepare


async def released(play: Cast) -> Deed:
    order = await play.bring(S.READY_FOR_PICKUP)
    path = f"/admin/orders/{order['id']}"
    await play.admin.post(f"{path}/hold", reason="wait", minutes=20)
    return lambda: play.admin.post(f"{path}/release", reason=WHY)


async def complaint(play: Cast) -> Deed:
    order = await play.bring(S.DELIVERED)
    # Too much to be granted without a person.
    asked = await play.customer.post(
        f"/orders/{order['id']}/complaint", reason="quality", words="It was cold."
    )
    path = f"/admin/complaints/{asked['id']}/decide"
    return lambda: play.admin.post(path, grant=False, reason=WHY)


async def reversal(play: Cast) -> Deed:
    movement = await movement_of(play, await play.bring(S.PAYMENT_CONFIRMED))
    return lambda: play.admin.post(f"/admin/ledger/movements/{movement}/reverse", reason=WHY)


async def verification(play: Cast) -> Deed:
    path = f"/admin/drivers/{play.world.drivers[0].id}/verification"
    return lambda: play.admin.put(path, status="suspended", reason=WHY)


async def paper(play: Cast) -> Deed:
    document = await document_of(play.drivers[0])
    path = f"/admin/drivers/{play.world.drivers[0].id}/documents/{document}"
    return lambda: play.admin.put(path, status="rejected", reason=WHY)


async def chefs_paper(play: Cast) -> Deed:
    document = await kitchens.hand_in(play.chef, "identity")
    path = f"/admin/chefs/{play.world.chef.id}/documents/{document['id']}"
    return lambda: play.admin.put(path, status="rejected", reason=WHY)


async def moderation(play: Cast) -> Deed:
    path = f"/admin/reviews/{await review_of(play)}"
    return lambda: play.admin.put(path, status="hidden", reason=WHY)


async def promo(play: Cast) -> Deed:
    terms = {"discountType": "fixed", "discountValue": 500, "reason": WHY}
    return lambda: play.admin.post("/admin/promo-codes", code=f"P-{uuid4().hex}", **terms)


async def promo_change(play: Cast) -> Deed:
    path = f"/admin/promo-codes/{await promo_code(play)}"
    return lambda: play.admin.ask("PATCH", path, {"isActive": False, "reason": WHY})


def about_dispute(method: str, path: str, **said: object) -> Preparation:
    async def prepare(play: Cast) -> Deed:
        dispute = await disputes.opened(play, await play.bring(S.DELIVERED))
        return lambda: play.admin.ask(method, f"/admin/disputes/{dispute}/{path}", said)

    return prepare


def about_customer(path: str, *, suspended: bool = False, **said: object) -> Preparation:
    async def prepare(play: Cast) -> Deed:
        user = f"/admin/users/{play.world.customer.user_id}"
        if suspended:
            await play.admin.post(f"{user}/suspend", reason="a doubt")
        body = {"reason": WHY, **said}
        return lambda: play.admin.ask("POST" if path else "PUT", f"{user}{path}", body)

    return prepare


def plain(method: str, path: str, **said: object) -> Preparation:
    async def prepare(play: Cast) -> Deed:
        where = path.format(chef_id=play.world.chef.id)
        return lambda: play.admin.ask(method, where, {"reason": WHY, **said})

    return prepare


LATER = {"effectiveFrom": "2126-01-31T18:00:00Z", "values": {"chefResponseSeconds": 240}}


async def withdrawal(play: Cast) -> Deed:
    made = await play.admin.post("/admin/markets/austin/settings", reason="first", **LATER)
    path = f"/admin/markets/austin/settings/{made['id']}/withdraw"
    return lambda: play.admin.post(path, reason=WHY)


async def message(play: Cast) -> Deed:
    await play.bring(S.PAYMENT_CONFIRMED)
    sent = await delivery_of(play.world.customer.user_id, play.admin)
    path = f"/admin/notifications/deliveries/{sent}/resend"
    return lambda: play.admin.post(path, reason=WHY)


def about_webhook(method: str, path: str, *, was_on: bool = True, **said: object) -> Preparation:
    async def prepare(play: Cast) -> Deed:
        where = f"/admin/webhooks/{await webhook_of(play.chef)}"
        if not was_on:
            await play.chef.ask("PATCH", where.replace("/admin/", "/chef/"), {"enabled": False})
        if method == "DELETE":
            return lambda: play.admin.ask("DELETE", where, reason=WHY)
        return lambda: play.admin.ask(method, f"{where}{path}", {"reason": WHY, **said})

    return prepare


def missed(*, all_of_it: bool) -> Preparation:
    """A message that waits for nobody, cancelled and then asked for."""

    async def prepare(play: Cast) -> Deed:
        webhook = f"/webhooks/{await webhook_of(play.chef)}"
        tried = await play.chef.post(f"/chef{webhook}/test")
        for is_on in (False, True):
            await play.chef.ask("PATCH", f"/chef{webhook}", {"enabled": is_on})
        if all_of_it:
            path = f"/admin{webhook}/replay"
            return lambda: play.admin.post(path, since="2026-01-31T18:00:00Z", reason=WHY)
        path = f"/admin/webhooks/deliveries/{tried['id']}/replay"
        return lambda: play.admin.post(path, reason=WHY)

    return prepare


PERFORMED: dict[str, Preparation] = {
    "POST /admin/notifications/deliveries/{delivery_id}/resend": message,
    "POST /admin/payouts/run": plain("POST", "/admin/payouts/run", date="2020-01-31"),
    "PUT /admin/payees/{kind}/{payee_id}/payouts": plain(
        "PUT", "/admin/payees/chef/{chef_id}/payouts", held=True
    ),
    "POST /admin/ledger/movements/{movement_id}/reverse": reversal,
    "POST /admin/orders/{order_id}/refund": about_order(S.DELIVERED, "refund", bearer="platform"),
    "POST /admin/complaints/{request_id}/decide": complaint,
    "PUT /admin/users/{user_id}": about_customer("", lastName="Otherwise"),
    "POST /admin/users/{user_id}/suspend": about_customer("/suspend"),
    "POST /admin/users/{user_id}/reinstate": about_customer("/reinstate", suspended=True),
    "POST /admin/markets/{market}/settings": plain(
        "POST", "/admin/markets/austin/settings", **LATER
    ),
    "POST /admin/markets/{market}/settings/{setting_id}/withdraw": withdrawal,
    "POST /admin/orders/{order_id}/cancel": about_order(S.PAYMENT_CONFIRMED, "cancel"),
    "PUT /admin/chefs/{chef_id}/verify": plain(
        "PUT", "/admin/chefs/{chef_id}/verify", status="suspended"
    ),
    "PUT /admin/chefs/{chef_id}/documents/{document_id}": chefs_paper,
    "PUT /admin/reviews/{review_id}": moderation,
    "PUT /admin/drivers/{driver_id}/verification": verification,
    "PUT /admin/drivers/{driver_id}/documents/{document_id}": paper,
    "POST /admin/orders/{order_id}/assign": about_order(
        S.READY_FOR_PICKUP, "assign", driverId="a driver"
    ),
    "POST /admin/orders/{order_id}/unassign": about_order(S.ASSIGNED_TO_DRIVER, "unassign"),
    "POST /admin/orders/{order_id}/hold": about_order(S.READY_FOR_PICKUP, "hold", minutes=20),
    "POST /admin/orders/{order_id}/release": released,
    "POST /admin/orders/{order_id}/prefer": about_order(
        S.READY_FOR_PICKUP, "prefer", driverId="a driver"
    ),
    "POST /admin/promo-codes": promo,
    "PATCH /admin/promo-codes/{code}": promo_change,
    "PUT /admin/disputes/{dispute_id}/evidence": about_dispute("PUT", "evidence", text=WHY),
    "POST /admin/disputes/{dispute_id}/concede": about_dispute("POST", "concede", reason=WHY),
    "POST /admin/reconciliation/run": plain("POST", "/admin/reconciliation/run"),
    "POST /admin/webhooks": plain(
        "POST",
        "/admin/webhooks",
        url="http://127.0.0.1:9/hook",
        eventTypes=["order.dispute_closed"],
    ),
    "PATCH /admin/webhooks/{webhook_id}": about_webhook("PATCH", "", enabled=False),
    "DELETE /admin/webhooks/{webhook_id}": about_webhook("DELETE", ""),
    "POST /admin/webhooks/{webhook_id}/rotate-secret": about_webhook("POST", "/rotate-secret"),
    "POST /admin/webhooks/{webhook_id}/enable": about_webhook("POST", "/enable", was_on=False),
    "POST /admin/webhooks/{webhook_id}/test": about_webhook("POST", "/test"),
    "POST /admin/webhooks/{webhook_id}/replay": missed(all_of_it=True),
    "POST /admin/webhooks/deliveries/{webhook_delivery_id}/replay": missed(all_of_it=False),
}
# Where it takes more than a request to bring something there that an admin can act upon.
ELSEWHERE = {
    # Evidence that goes to the bank has no reason to be asked for.
    "POST /admin/disputes/{dispute_id}/submit": (
        "tests/api/test_disputes.py::test_evidence_with_an_admins_words_wins"
    ),
    "POST /admin/reconciliation/cases/{case_id}/close": (
        "tests/api/test_reconciliation.py"
        "::test_a_case_that_is_closed_books_nothing_and_names_who_closed_it_and_why"
    ),
}
# A step that an order takes in its own time after what an admin has decided: a deed of its own.
FOLLOWS = {"order_delivered"}
# What was one thing before and is another one after.
STANDING = ({"verificationStatus": "approved"}, {"verificationStatus": "suspended"})
PAPER = ({"status": "pending"}, {"status": "rejected"})
CHANGES = {
    "POST /admin/notifications/deliveries/{delivery_id}/resend": (
        {"status": "sent", "resends": 0},
        {"status": "pending", "resends": 1},
    ),
    "PUT /admin/payees/{kind}/{payee_id}/payouts": ({"held": False}, {"held": True}),
    "POST /admin/users/{user_id}/suspend": ({"isActive": True}, {"isActive": False}),
    "POST /admin/users/{user_id}/reinstate": ({"isActive": False}, {"isActive": True}),
    "PUT /admin/users/{user_id}": ({"last_name_length": 4}, {"last_name_length": 9}),
    "POST /admin/orders/{order_id}/cancel": (
        {"status": "payment_confirmed"},
        {"status": "cancelled"},
    ),
    "POST /admin/complaints/{request_id}/decide": (
        {"status": "asked", "cents": None},
        {"status": "rejected", "cents": None},
    ),
    "POST /admin/ledger/movements/{movement_id}/reverse": (
        {"cents": {"stripe_clearing": 2660, "customer_deposits": -2660}, "reversedBy": None},
        {"cents": {"stripe_clearing": 0, "customer_deposits": 0}},
    ),
    "POST /admin/disputes/{dispute_id}/concede": ({"conceded": False}, {"conceded": True}),
    "PUT /admin/disputes/{dispute_id}/evidence": (
        {"evidenceLength": 0},
        {"evidenceLength": len(WHY)},
    ),
    "POST /admin/orders/{order_id}/hold": ({"heldUntil": None}, {}),
    "PATCH /admin/webhooks/{webhook_id}": ({"enabled": True}, {"enabled": False}),
    "DELETE /admin/webhooks/{webhook_id}": ({"isThere": True}, {"isThere": False}),
    "POST /admin/webhooks/{webhook_id}/rotate-secret": (
        {"signingVersion": 1},
        {"signingVersion": 2},
    ),
    "POST /admin/webhooks/{webhook_id}/enable": ({"enabled": False}, {"enabled": True}),
    "POST /admin/webhooks/{webhook_id}/replay": ({"replayed": 0}, {"replayed": 1}),
    "POST /admin/webhooks/deliveries/{webhook_delivery_id}/replay": (
        {"status": "cancelled", "round": 1},
        {"status": "pending", "round": 2},
    ),
    "PUT /admin/chefs/{chef_id}/verify": STANDING,
    "PUT /admin/chefs/{chef_id}/documents/{document_id}": PAPER,
    "PUT /admin/drivers/{driver_id}/verification": STANDING,
    "PUT /admin/drivers/{driver_id}/documents/{document_id}": PAPER,
    "PUT /admin/reviews/{review_id}": (
        {"status": "visible", "openReports": 0},
        {"status": "hidden", "openReports": 0},
    ),
}
# There was nothing before.
CREATES = {
    "POST /admin/payouts/run",
    "POST /admin/reconciliation/run",
    # The request for it: an admin's is granted as it is made.
    "POST /admin/orders/{order_id}/refund",
    "POST /admin/promo-codes",
    "POST /admin/webhooks",
    "POST /admin/webhooks/{webhook_id}/test",
}
# What is said there is the evidence itself.
WITHOUT_REASON = {"PUT /admin/disputes/{dispute_id}/evidence"}

WRITES = {
    name.replace(PREFIX, "", 1)
    for name in operations()
    if f" {PREFIX}/admin/" in name and not name.startswith("GET ")
}


def test_every_write_of_admins_is_tried_here_or_named_where_it_is() -> None:
    assert set(PERFORMED) | set(ELSEWHERE) == WRITES
    assert set(PERFORMED) & set(ELSEWHERE) == set()


@pytest.mark.parametrize("name", list(PERFORMED))
async def test_a_deed_is_in_the_log_once_with_who_what_changed_and_why(
    play: Cast, name: str
) -> None:
    perform = await PERFORMED[name](play)
    before = await written(play)

    await perform()

    after = await written(play)
    assert after[: len(before)] == before
    (deed,) = (row for row in after[len(before) :] if row.action_type not in FOLLOWS)
    assert deed.admin_id == play.world.admin.user_id
    assert deed.action_type
    assert deed.reason == (None if name in WITHOUT_REASON else WHY)
    assert deed.after
    if name in CREATES:
        assert deed.before is None
        return
    assert deed.before
    assert deed.before.keys() == deed.after.keys()
    assert deed.before != deed.after
    was, then = CHANGES.get(name, ({}, {}))
    assert deed.before | was == deed.before
    assert deed.after | then == deed.after


@pytest.mark.parametrize(
    ("status", "early"), [(S.PREPARING, True), (S.READY_FOR_PICKUP, False)], ids=["early", "ready"]
)
async def test_the_log_has_which_driver_an_order_was_given_to_and_taken_from(
    play: Cast, status: OrderStatus, early: bool
) -> None:
    order = await play.bring(status)
    path, driver = f"/admin/orders/{order['id']}", str(play.world.drivers[1].id)

    await play.admin.post(f"{path}/assign", driverId=driver, reason=WHY)
    await play.admin.post(f"{path}/unassign", reason=WHY)

    given, back = await written(play)
    nobody: dict[str, Any] = {"driverId": None}
    somebody: dict[str, Any] = {"driverId": driver}
    if not early:
        nobody["status"], somebody["status"] = S.READY_FOR_PICKUP, S.ASSIGNED_TO_DRIVER
    assert (given.before, given.after) == (nobody, somebody)
    assert (back.before, back.after) == (somebody, nobody)


async def test_the_log_has_what_dispatch_was_told_by_hand(play: Cast) -> None:
    order = await play.bring(S.READY_FOR_PICKUP)
    path = f"/admin/orders/{order['id']}"
    first, second = (str(driver.id) for driver in play.world.drivers[:2])

    await play.admin.post(f"{path}/prefer", driverId=first, reason=WHY)
    await play.admin.post(f"{path}/prefer", driverId=second, reason=WHY)
    await play.admin.post(f"{path}/hold", minutes=20, reason=WHY)
    await play.admin.post(f"{path}/release", reason=WHY)

    rows = await written(play)
    assert rows[0].before == {"heldUntil": None, "preferredDriverId": None}
    # Each begins where the one before it ended.
    assert [row.before for row in rows[1:]] == [row.after for row in rows[:-1]]
    assert rows[1].after == {"heldUntil": None, "preferredDriverId": second}
    held, released = rows[2], rows[3]
    assert held.after == {
        "heldUntil": held.details["heldUntil"],
        "preferredDriverId": second,
    }
    assert released.after is not None
    assert datetime.fromisoformat(released.after["heldUntil"]) == released.created_at


async def test_the_log_has_what_a_refund_and_a_complaint_come_to(play: Cast) -> None:
    order = await play.bring(S.DELIVERED)
    asked = await play.customer.post(
        f"/orders/{order['id']}/complaint", reason="quality", words="It was cold."
    )

    await play.admin.post(
        f"/admin/complaints/{asked['id']}/decide",
        grant=True,
        amountCents=1000,
        bearer="chef",
        reason=WHY,
    )
    await play.admin.post(
        f"/admin/orders/{order['id']}/refund", amountCents=200, bearer="platform", reason=WHY
    )

    rows = await written(play)
    decided, given = (row for row in rows if row.action_type not in FOLLOWS)
    assert decided.before is not None
    assert decided.before == {
        "status": "asked",
        "cents": None,
        "taxCents": decided.before["taxCents"],
        "bearer": decided.before["bearer"],
    }
    assert decided.after is not None
    assert decided.after["taxCents"] < decided.before["taxCents"]
    assert (decided.after["status"], decided.after["cents"]) == ("granted", 1000)
    assert decided.after["bearer"] == "chef"
    assert given.before is None
    assert given.after is not None
    assert (given.after["status"], given.after["cents"]) == ("granted", 200)


async def test_the_log_has_what_is_in_force_instead_of_a_change_that_is_withdrawn(
    play: Cast,
) -> None:
    path = "/admin/markets/austin/settings"
    then = "2125-01-31T18:00:00Z"
    for seconds in (241, 242):
        made = await play.admin.post(
            path, effectiveFrom=then, values={"chefResponseSeconds": seconds}, reason=WHY
        )

    await play.admin.post(f"{path}/{made['id']}/withdraw", reason=WHY)

    row = (await written(play))[-1]
    assert row.before == {"withdrawn": False, "chef_response_seconds": 242}
    assert row.after == {"withdrawn": True, "chef_response_seconds": 241}


async def test_the_log_has_which_movement_takes_another_back(play: Cast) -> None:
    reverse = await reversal(play)

    opposite = await reverse()

    row = (await written(play))[-1]
    assert row.after is not None
    assert row.after["reversedBy"] == opposite["id"]


async def test_a_suspended_chefs_standing_is_in_the_log_as_well(play: Cast) -> None:
    path = f"/admin/users/{play.world.chef.user_id}"

    await play.admin.post(f"{path}/suspend", reason=WHY)
    await play.admin.post(f"{path}/reinstate", reason=WHY)

    in_house: dict[str, Any] = {"isActive": True, "verificationStatus": "approved"}
    out: dict[str, Any] = {"isActive": False, "verificationStatus": "suspended"}
    gone, back = await written(play)
    assert (gone.before, gone.after) == (in_house, out)
    assert (back.before, back.after) == (out, in_house)


async def test_admins_read_the_log_by_who_what_and_when(play: Cast) -> None:
    user = str(play.world.customer.user_id)
    mark = uuid4().hex
    await play.admin.post(f"/admin/users/{user}/suspend", reason=f"a doubt {mark}")
    await play.admin.post(f"/admin/users/{user}/reinstate", reason="none any more")
    me = str(play.world.admin.user_id)

    async def seen(**wanted: object) -> list[dict[str, Any]]:
        found: dict[str, Any] = await play.admin.get("/admin/audit", **wanted)
        assert found["total"] == len(found["data"])
        return list(found["data"])

    both = await seen(adminId=me)
    assert [deed["action"] for deed in both] == ["user_reinstated", "user_suspended"]
    assert both[1] == {
        "id": both[1]["id"],
        "adminId": me,
        "adminName": "Admin Test",
        "action": "user_suspended",
        "targetType": "user",
        "targetId": user,
        "before": {"isActive": True},
        "after": {"isActive": False},
        "reason": f"a doubt {mark}",
        "details": {},
        "createdAt": both[1]["createdAt"],
    }
    day = both[0]["createdAt"][:10]
    assert await seen(adminId=me, begin=day, end=day) == both
    assert await seen(adminId=me, end="2020-01-01") == []
    assert await seen(adminId=me, action="user_suspended") == both[1:]
    assert await seen(targetId=user, targetType="user") == both
    assert await seen(targetId=user, targetType="order") == []
    assert await seen(search=mark.upper()) == both[1:]
    assert await seen(adminId=me, search="%") == []


async def test_a_corrected_name_is_not_kept_in_the_log(play: Cast) -> None:
    user = play.world.customer.user_id
    name = f"Name-{uuid4().hex}"
    await play.admin.put(f"/admin/users/{user}", firstName=name, reason="a slip of the pen")
    answer = await play.admin.put(
        f"/admin/users/{user}", firstName=f"{name}!", reason="a slip of the pen"
    )

    assert answer["firstName"] == f"{name}!"
    rows = await written(play)
    assert [row.details for row in rows] == [{"changed": ["first_name"]}] * 2
    assert name not in str([row.model_dump() for row in rows])
    assert {row.target_id for row in rows} == {UUID(str(user))}
