"""What operators do with promo codes, and that it is written down with their reason."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlmodel import col

from local.cast import Cast, token
from local.people import Person, Unanswered
from local.world import Somebody
from schema.tables import AdminAction

PATH = "/admin/promo-codes"


def body(**changes: object) -> dict[str, Any]:
    given = {
        "code": f"t-{uuid4().hex}",
        "discountType": "percent",
        "discountValue": 1000,
        "reason": "the campaign",
    }
    return {name: v for name, v in {**given, **changes}.items() if v is not ...}


async def patch(play: Cast, code: str, **changes: object) -> Any:
    return await play.admin.ask("PATCH", f"{PATH}/{code}", changes)


async def actions(play: Cast, promo_id: str) -> list[tuple[str, dict[str, Any]]]:
    """What is written down that admins did to a code."""
    async with play.database.read() as session:
        found = await session.execute(
            select(col(AdminAction.action_type), col(AdminAction.details))
            .where(col(AdminAction.target_id) == promo_id)
            .order_by(col(AdminAction.id))
        )
        return [(row[0], row[1]) for row in found]


async def everything(play: Cast) -> tuple[int, str]:
    async with play.database.read() as session:
        found = await session.execute(
            text(
                "SELECT (SELECT count(*) FROM admin_actions),"
                " (SELECT md5(string_agg(p::text, ',' ORDER BY id)) FROM promo_codes p)"
            )
        )
        return (row := found.one())[0], row[1]


async def refusal(play: Cast, asked: Any) -> Unanswered:
    """Why a request is refused; and it changed nothing."""
    before = await everything(play)
    with pytest.raises(Unanswered) as refused:
        await asked
    assert await everything(play) == before
    return refused.value


async def test_a_code_is_made_with_its_terms_and_the_reason_is_kept(play: Cast) -> None:
    wanted = body(
        minOrderCents=1000,
        maxDiscountCents=1500,
        maxUses=500,
        maxUsesPerCustomer=1,
        market="austin",
        startsAt="2026-01-01T00:00:00+01:00",
        expiresAt="2199-12-31T23:59:59Z",
    )

    made = await play.admin.post(PATH, **wanted)

    assert made["code"] == wanted["code"].upper()
    assert made["startsAt"] == "2025-12-31T23:00:00Z"
    assert (made["isActive"], made["uses"]) == (True, 0)
    same = set(wanted) - {"code", "reason", "startsAt"}
    assert {name: made[name] for name in same} == {name: wanted[name] for name in same}
    [(action, details)] = await actions(play, made["id"])
    assert (action, details["reason"]) == ("promo_code_created", "the campaign")


async def test_codes_are_listed_the_newest_first_with_their_uses(play: Cast) -> None:
    older = await play.admin.post(PATH, **body())
    newer = await play.admin.post(PATH, **body())
    await play.place(promoCode=newer["code"])

    page = await play.admin.get(PATH, limit=2)
    second = await play.admin.get(PATH, limit=1, page=2)

    assert page["data"] == [{**newer, "uses": 1}, older]
    assert page["total"] >= 2
    assert second["data"] == [older]
    assert (await play.admin.get(PATH, page=100_000))["data"] == []


async def test_a_code_exists_once_however_it_is_written(play: Cast) -> None:
    made = await play.admin.post(PATH, **body())

    told = await refusal(play, play.admin.post(PATH, **body(code=made["code"].lower())))

    assert (told.status, told.code) == (409, "promo_code_exists")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": "ab"}, "code"),
        ({"code": "x" * 41}, "code"),
        ({"code": "TWO WORDS"}, "code"),
        ({"code": "NUL\x00NUL"}, "code"),
        ({"code": "Ä-ROEMER"}, "code"),
        ({"code": ...}, "code"),
        ({"discountType": "free"}, "discountType"),
        ({"discountValue": 0}, "discountValue"),
        ({"discountValue": 10_001}, "discountValue"),
        ({"discountValue": 10.5}, "discountValue"),
        ({"discountValue": "10"}, "discountValue"),
        ({"discountValue": 2**63}, "discountValue"),
        ({"currency": "USD"}, "currency"),
        ({"currency": "eur"}, "currency"),
        ({"market": "atlantis"}, "market"),
        ({"minOrderCents": -1}, "minOrderCents"),
        ({"maxDiscountCents": 0}, "maxDiscountCents"),
        ({"discountType": "fixed", "maxDiscountCents": 500}, "maxDiscountCents"),
        ({"maxUses": 0}, "maxUses"),
        ({"maxUses": 2**31}, "maxUses"),
        ({"maxUsesPerCustomer": True}, "maxUsesPerCustomer"),
        ({"startsAt": "0001-01-01T00:00:00+14:00"}, "startsAt"),
        ({"expiresAt": "9999-12-31T23:59:59-14:00"}, "expiresAt"),
        ({"expiresAt": 1795582382}, "expiresAt"),
        ({"startsAt": "2026-02-01T00:00:00Z", "expiresAt": "2026-02-01T00:00:00Z"}, "expiresAt"),
        ({"reason": ...}, "reason"),
        ({"reason": " "}, "reason"),
        ({"uses": 3}, "uses"),
    ],
    ids=str,
)
async def test_terms_that_make_no_sense_are_refused_by_the_field(
    play: Cast, changes: dict[str, object], field: str
) -> None:
    told = await refusal(play, play.admin.post(PATH, **body(**changes)))

    assert told.status == 422
    assert told.problem["errors"][0]["field"] == field


async def test_a_code_is_switched_off_and_on_and_given_longer(play: Cast) -> None:
    made = await play.admin.post(PATH, **body(maxUses=5))
    code = made["code"]

    off = await patch(play, code.lower(), isActive=False, reason="it was shared")
    assert off == {**made, "isActive": False}
    with pytest.raises(Unanswered) as refused:
        await play.place(promoCode=code)
    assert refused.value.code == "promo_inactive"

    await patch(play, code, isActive=True, reason="all is well")
    longer = await patch(
        play, code, expiresAt="2199-01-01T00:00:00Z", maxUses=None, reason="a success"
    )
    assert longer == {**made, "expiresAt": "2199-01-01T00:00:00Z", "maxUses": None}
    assert (await play.place(promoCode=code))["discountCents"] == 200

    _, first, _, last = await actions(play, made["id"])
    assert first == (
        "promo_code_changed",
        {"was": {"is_active": True}, "is": {"is_active": False}, "reason": "it was shared"},
    )
    assert last[1]["was"] == {"max_uses": 5, "expires_at": None}


async def test_the_same_change_again_is_no_other_action(play: Cast) -> None:
    made = await play.admin.post(PATH, **body())

    for _ in range(3):
        await patch(play, made["code"], isActive=False, reason="enough")

    assert len(await actions(play, made["id"])) == 2


async def test_an_order_keeps_the_discount_of_a_code_that_is_switched_off(play: Cast) -> None:
    made = await play.admin.post(PATH, **body())
    order = await play.place(promoCode=made["code"])

    await patch(play, made["code"], isActive=False, reason="enough")

    await play.pay(order)
    assert play.charged(order) == [2460]


async def test_there_is_no_room_for_fewer_than_hold_a_use(play: Cast) -> None:
    made = await play.admin.post(PATH, **body())
    for _ in range(2):
        await play.place(promoCode=made["code"])

    told = await refusal(play, patch(play, made["code"], maxUses=1, reason="too dear"))

    assert (told.status, told.code, told.problem["uses"]) == (409, "promo_uses_taken", 2)
    assert (await patch(play, made["code"], maxUses=2, reason="too dear"))["maxUses"] == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reason": "nothing"}, "body"),
        ({"isActive": False}, "reason"),
        ({"isActive": None, "reason": "odd"}, "isActive"),
        ({"discountValue": 5000, "reason": "more"}, "discountValue"),
        ({"maxUses": 0, "reason": "none"}, "maxUses"),
        ({"expiresAt": "2025-01-01T00:00:00Z", "reason": "over"}, "expiresAt"),
    ],
    ids=str,
)
async def test_a_change_that_makes_no_sense_is_refused_by_the_field(
    play: Cast, changes: dict[str, object], field: str
) -> None:
    made = await play.admin.post(PATH, **body(startsAt="2026-01-01T00:00:00Z"))

    told = await refusal(play, patch(play, made["code"], **changes))

    assert told.status == 422
    assert told.problem["errors"][0]["field"] == field


@pytest.mark.parametrize(
    ("code", "status"), [("NOBODYS", 404), ("%00", 422), ("x" * 41, 422), ("%20", 404)]
)
async def test_a_code_that_is_not_there_cannot_be_changed(
    play: Cast, code: str, status: int
) -> None:
    told = await refusal(play, patch(play, code, isActive=False, reason="enough"))

    assert told.status == status


async def test_an_operator_whose_account_is_gone_changes_nothing(play: Cast) -> None:
    made = await play.admin.post(PATH, **body())
    ghost = Person(play.environment["API_URL"], "ghost@example.com")
    ghost.use_token(token(play.environment, Somebody(uuid4(), "admin-ghost@example.com", uuid4())))

    change = {"isActive": False, "reason": "boo"}
    for asked in (
        ghost.post(PATH, **body()),
        ghost.ask("PATCH", f"{PATH}/{made['code']}", change),
    ):
        assert (await refusal(play, asked)).status == 401
    await ghost.leave()
