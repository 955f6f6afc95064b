"""Whatever an admin does is in the log, once: who, what and why."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlmodel import col

from domain.order_status import OrderStatus
from local.cast import Cast
from schema.tables import AdminAction
from tests.api import disputes, kitchens
from tests.api.house import document_of, movement_of, promo_code, review_of
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


PERFORMED: dict[str, Preparation] = {
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
# What was one thing before and is another one after.
STANDING = ({"verificationStatus": "approved"}, {"verificationStatus": "suspended"})
PAPER = ({"status": "pending"}, {"status": "rejected"})
CHANGES = {
    "PUT /admin/chefs/{chef_id}/verify": STANDING,
    "PUT /admin/chefs/{chef_id}/documents/{document_id}": PAPER,
    "PUT /admin/drivers/{driver_id}/verification": STANDING,
    "PUT /admin/drivers/{driver_id}/documents/{document_id}": PAPER,
    "PUT /admin/reviews/{review_id}": ({"status": "visible"}, {"status": "hidden"}),
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
async def test_a_deed_is_in_the_log_once_with_who_and_why(play: Cast, name: str) -> None:
    perform = await PERFORMED[name](play)
    before = await written(play)

    await perform()

    after = await written(play)
    assert after[: len(before)] == before
    assert len(after) == len(before) + 1
    deed = after[-1]
    assert deed.admin_id == play.world.admin.user_id
    assert deed.action_type
    assert deed.reason == (None if name in WITHOUT_REASON else WHY)
    if name in CHANGES:
        assert (deed.before, deed.after) == CHANGES[name]


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
