"""How somebody becomes a driver, what he must show, and who lets him in."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text, update
from sqlmodel import col

from domain.order_status import OrderStatus
from local.cast import Cast, token
from local.people import Person, Unanswered
from local.world import Somebody
from schema.tables import AdminAction, Driver, DriverDocument, Notification
from tests.api.newcomers import CAR, hand_in, let_in, registered, shows_all, verify

S = OrderStatus

_OF_DRIVER = """
    SELECT md5(d::text), (SELECT md5(string_agg(p::text, ',' ORDER BY id))
                          FROM driver_documents p WHERE p.driver_id = d.id),
           (SELECT count(*) FROM admin_actions WHERE target_id = d.id),
           (SELECT count(*) FROM notifications WHERE user_id = d.user_id)
    FROM drivers d WHERE d.id = :id
"""


async def standing(play: Cast, driver_id: str) -> tuple[Any, ...]:
    """A digest of all that is written about a driver."""
    async with play.database.read() as session:
        found = await session.execute(text(_OF_DRIVER), {"id": UUID(driver_id)})
        return tuple(found.one())


async def refusal(asked: Any) -> tuple[int, str]:
    with pytest.raises(Unanswered) as refused:
        await asked
    return refused.value.status, refused.value.code


async def actions(play: Cast, driver_id: str) -> list[tuple[str, UUID, dict[str, Any]]]:
    async with play.database.read() as session:
        found = await session.scalars(
            select(AdminAction)
            .where(col(AdminAction.target_id) == UUID(driver_id))
            .order_by(col(AdminAction.id))
        )
        return [(row.action_type, row.admin_id, row.details) for row in found]


async def told(play: Cast, user_id: UUID) -> list[str]:
    async with play.database.read() as session:
        found = await session.scalars(
            select(col(Notification.message))
            .where(
                col(Notification.user_id) == user_id,
                col(Notification.type) == "driver:verification",
            )
            .order_by(col(Notification.id))
        )
        return list(found)


async def test_a_customer_becomes_a_driver_who_may_not_deliver_yet(play: Cast) -> None:
    driver = await registered(play)

    assert driver["verificationStatus"] == "pending"
    assert driver["vehicle"] == {**CAR, "capacity": 3, "reachKm": 15.0}
    assert driver["missingDocuments"] == [
        "driving_licence",
        "insurance",
        "vehicle_registration",
        "background_check",
    ]
    assert (driver["load"], driver["deliveries"], driver["performance"]["offers"]) == (0, 0, 0)
    assert await play.customer.get("/delivery/profile") == driver
    with pytest.raises(Unanswered) as refused:
        await play.customer.put("/delivery/availability", isAvailable=True)
    assert (refused.value.status, refused.value.code) == (409, "driver_not_verified")
    assert refused.value.problem["verificationStatus"] == "pending"


async def test_registering_again_is_answered_alike_and_with_another_vehicle_refused(
    play: Cast,
) -> None:
    answers = await asyncio.gather(
        *(play.customer.post("/delivery/register", vehicle=CAR) for _ in range(5))
    )

    assert len({answer["driver"]["id"] for answer in answers}) == 1
    play.customer.use_token(answers[0]["accessToken"])
    assert (await play.customer.post("/delivery/register", vehicle=CAR))["driver"] == answers[0][
        "driver"
    ]
    again = play.customer.post("/delivery/register", vehicle={"type": "bicycle"})
    assert await refusal(again) == (409, "already_registered")
    assert (await play.customer.get("/delivery/profile"))["vehicle"]["type"] == "car"


async def test_who_has_an_order_open_stays_a_customer(play: Cast) -> None:
    order = await play.bring(S.PREPARING)

    asked = play.customer.post("/delivery/register", vehicle=CAR)

    assert await refusal(asked) == (409, "orders_open")
    assert (await play.customer.get(f"/orders/{order['id']}"))["status"] == S.PREPARING
    await play.admin.post(f"/admin/orders/{order['id']}/cancel", reason="a test")
    assert (await registered(play))["verificationStatus"] == "pending"


async def test_with_the_token_of_the_customer_that_he_was_a_driver_orders_nothing(
    play: Cast,
) -> None:
    await play.customer.post("/delivery/register", vehicle=CAR)

    assert await refusal(play.place()) == (401, "unauthorized")


@pytest.mark.parametrize(
    "vehicle",
    [
        {"type": "car"},
        {"type": "bicycle", "plate": "KLM 4821"},
        {"type": "scooter", "plate": "ümlaut"},
        {"type": "horse", "plate": "KLM 4821"},
        {"type": "car", "plate": "\x00"},
        {"type": "car", "plate": "X" * 16},
        {},
    ],
)
async def test_a_vehicle_that_cannot_be_is_refused_and_nobody_becomes_a_driver(
    play: Cast, vehicle: dict[str, object]
) -> None:
    asked = play.customer.post("/delivery/register", vehicle=vehicle)

    assert await refusal(asked) == (422, "invalid_request")
    async with play.database.read() as session:
        mine = col(Driver.user_id) == play.world.customer.user_id
        assert await session.scalar(select(Driver).where(mine)) is None


async def test_a_newcomer_is_let_in_when_all_is_approved_goes_on_duty_and_is_asked(
    play: Cast,
) -> None:
    driver_id = str((await registered(play))["id"])
    assert await refusal(verify(play, driver_id, "approved")) == (409, "documents_missing")

    await shows_all(play, driver_id)
    seen = await verify(play, driver_id, "approved", "all seen")
    await play.customer.put("/delivery/availability", isAvailable=True)

    assert (seen["verificationStatus"], seen["missingDocuments"]) == ("approved", [])
    profile = await play.customer.get("/delivery/profile")
    assert profile["isAvailable"]
    assert profile["onDutySince"] is not None
    assert profile["documentsExpireOn"] == "2199-12-31"
    assert await told(play, play.world.customer.user_id) == [
        "You are verified: you can go on duty."
    ]
    done = await actions(play, driver_id)
    assert [(kind, by) for kind, by, _ in done] == [
        *[("driver_document_approved", play.world.admin.user_id)] * 4,
        ("driver_approved", play.world.admin.user_id),
    ]
    assert done[-1][2] == {"was": "pending", "reason": "all seen"}


async def test_the_missing_documents_are_named(play: Cast) -> None:
    driver_id = str((await registered(play))["id"])
    licence = await hand_in(play.customer, "driving_licence")
    await play.admin.put(f"/admin/drivers/{driver_id}/documents/{licence}", status="approved")
    await hand_in(play.customer, "insurance")

    with pytest.raises(Unanswered) as refused:
        await verify(play, driver_id, "approved")

    assert refused.value.problem["missing"] == [
        "insurance",
        "vehicle_registration",
        "background_check",
    ]


async def test_the_same_decision_twice_is_written_down_and_told_once(play: Cast) -> None:
    driver_id = await let_in(play)
    before = await standing(play, driver_id)

    document = (await play.customer.get("/delivery/profile"))["documents"][0]["id"]
    await verify(play, driver_id, "approved")
    await play.admin.put(f"/admin/drivers/{driver_id}/documents/{document}", status="approved")

    assert await standing(play, driver_id) == before


async def test_who_is_suspended_is_off_duty_and_his_offer_goes_to_another(play: Cast) -> None:
    order = await play.bring(S.READY_FOR_PICKUP)
    offer = await play.offered(0, order)
    driver_id = str(play.world.drivers[0].id)

    seen = await verify(play, driver_id, "suspended", "two complaints")

    assert (seen["verificationStatus"], seen["isAvailable"]) == ("suspended", False)
    assert seen["onDutySince"] is None
    assert await play.drivers[0].get("/delivery/offers") == []
    asked = play.drivers[0].post(f"/delivery/offers/{offer['id']}/accept")
    assert await refusal(asked) == (409, "offer_gone")
    asked = play.drivers[0].put("/delivery/availability", isAvailable=True)
    assert await refusal(asked) == (409, "driver_not_verified")
    assert (await play.take(1, order))["status"] == S.ASSIGNED_TO_DRIVER
    assert await told(play, play.world.drivers[0].user_id) == ["You are suspended: two complaints"]
    assert await actions(play, driver_id) == [
        (
            "driver_suspended",
            play.world.admin.user_id,
            {"was": "approved", "reason": "two complaints"},
        )
    ]


async def test_who_is_suspended_with_an_order_in_hand_brings_it(play: Cast) -> None:
    order = await play.bring(S.PICKED_UP)

    seen = await verify(play, str(play.world.drivers[0].id), "suspended")

    assert seen["load"] == 1
    await play.driver_says(0, order, "in_transit")
    await play.driver_says(0, order, "delivered")


async def test_a_standing_that_does_not_follow_is_refused_and_changes_nothing(play: Cast) -> None:
    newcomer = str((await registered(play))["id"])
    approved = str(play.world.drivers[0].id)

    for driver_id, status in ((newcomer, "suspended"), (approved, "rejected")):
        before = await standing(play, driver_id)
        assert await refusal(verify(play, driver_id, status)) == (409, "illegal_verification")
        assert await refusal(verify(play, driver_id, "pending")) == (422, "invalid_request")
        assert await standing(play, driver_id) == before


async def test_who_was_turned_away_is_looked_at_again_when_he_shows_something_else(
    play: Cast,
) -> None:
    driver_id = str((await registered(play))["id"])
    await shows_all(play, driver_id)
    await verify(play, driver_id, "rejected", "the picture is not his")
    assert await told(play, play.world.customer.user_id) == [
        "We cannot let you deliver: the picture is not his"
    ]

    await hand_in(play.customer, "background_check", file="2")

    mine = await play.customer.get("/delivery/profile")
    assert mine["verificationStatus"] == "pending"
    waiting = await play.admin.get(
        "/admin/drivers", status="pending", search=play.world.customer.email
    )
    assert [row["id"] for row in waiting["data"]] == [driver_id]


async def test_a_required_document_that_is_rejected_after_all_puts_a_driver_off_duty(
    play: Cast,
) -> None:
    driver_id = await let_in(play)
    await play.customer.put("/delivery/availability", isAvailable=True)
    documents = (await play.customer.get("/delivery/profile"))["documents"]
    licence = next(row["id"] for row in documents if row["type"] == "driving_licence")

    seen = await play.admin.put(
        f"/admin/drivers/{driver_id}/documents/{licence}", status="rejected", reason="forged"
    )

    assert (seen["verificationStatus"], seen["isAvailable"]) == ("pending", False)
    assert seen["missingDocuments"] == ["driving_licence"]
    assert (await told(play, play.world.customer.user_id))[1:] == [
        "We cannot accept a document: driving licence: forged",
        "You are off duty until your documents are verified again.",
    ]


async def test_a_renewal_that_is_rejected_takes_nothing_away(play: Cast) -> None:
    driver_id = await let_in(play)
    renewal = await hand_in(play.customer, "insurance", file="2")

    seen = await play.admin.put(
        f"/admin/drivers/{driver_id}/documents/{renewal}", status="rejected", reason="blurred"
    )

    assert (seen["verificationStatus"], seen["missingDocuments"]) == ("approved", [])


async def test_with_an_expired_document_nobody_is_asked_or_goes_on_duty_until_it_is_renewed(
    play: Cast,
) -> None:
    driver_id = await let_in(play)
    await play.customer.put("/delivery/availability", isAvailable=True)
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    async with play.database.write() as session:
        mine = col(DriverDocument.driver_id) == UUID(driver_id)
        await session.execute(
            update(DriverDocument)
            .where(mine, col(DriverDocument.document_type) == "insurance")
            .values(expires_on=yesterday)
        )
        await session.execute(
            update(Driver)
            .where(col(Driver.id) == UUID(driver_id))
            .values(documents_expire_on=yesterday)
        )

    seen = await play.customer.get("/delivery/profile")
    assert (seen["isAvailable"], seen["missingDocuments"]) == (False, ["insurance"])
    asked = play.customer.put("/delivery/availability", isAvailable=True)
    assert await refusal(asked) == (409, "documents_expired")

    renewal = await hand_in(play.customer, "insurance", file="2")
    await play.admin.put(f"/admin/drivers/{driver_id}/documents/{renewal}", status="approved")
    await play.customer.put("/delivery/availability", isAvailable=True)
    assert (await play.customer.get("/delivery/profile"))["isAvailable"]


async def test_another_car_needs_papers_of_its_own(play: Cast) -> None:
    driver_id = await let_in(play)
    await play.customer.put("/delivery/availability", isAvailable=True)

    same = await play.customer.put("/delivery/vehicle", **{**CAR, "plate": "klm  4821"})
    assert (same["verificationStatus"], same["isAvailable"]) == ("approved", True)
    other = await play.customer.put("/delivery/vehicle", type="car", plate="XYZ 1")

    assert (other["verificationStatus"], other["isAvailable"]) == ("pending", False)
    assert other["missingDocuments"] == ["insurance", "vehicle_registration"]
    back = await play.customer.put("/delivery/vehicle", **CAR)
    assert back["missingDocuments"] == ["insurance", "vehicle_registration"]
    assert await refusal(verify(play, driver_id, "approved")) == (409, "documents_missing")


async def test_a_document_in_place_of_another_is_not_approved_with_it(play: Cast) -> None:
    driver_id = str((await registered(play))["id"])
    first = await hand_in(play.customer, "insurance")
    assert await hand_in(play.customer, "insurance") == first
    second = await hand_in(play.customer, "insurance", file="another")

    asked = play.admin.put(f"/admin/drivers/{driver_id}/documents/{first}", status="approved")

    assert await refusal(asked) == (404, "not_found")
    documents = (await play.customer.get("/delivery/profile"))["documents"]
    assert [(row["id"], row["status"]) for row in documents] == [(second, "pending")]


async def test_a_document_of_another_driver_is_not_found(play: Cast) -> None:
    await registered(play)
    document = await hand_in(play.customer, "insurance")
    other = play.world.drivers[0].id

    for driver_id in (other, uuid4()):
        asked = play.admin.put(
            f"/admin/drivers/{driver_id}/documents/{document}", status="approved"
        )
        assert await refusal(asked) == (404, "not_found")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"type": "driving_licence"}, "expiry_needed"),
        ({"type": "driving_licence", "expiresOn": "2020-01-01"}, "already_expired"),
        ({"type": "driving_licence", "expiresOn": 1795582382}, "invalid_request"),
        ({"type": "driving_licence", "expiresOn": "9999-12-31"}, "invalid_request"),
        ({"type": "driving_licence", "expiresOn": "2027-02-30"}, "invalid_request"),
        ({"type": "poem"}, "invalid_request"),
        ({"type": "identity", "fileUrl": "javascript:alert(1)"}, "invalid_request"),
        ({"type": "identity", "fileUrl": "https://x/\x00"}, "invalid_request"),
        ({"type": "identity", "status": "approved"}, "invalid_request"),
    ],
)
async def test_a_document_that_cannot_be_is_refused_and_nothing_kept(
    play: Cast, body: dict[str, object], code: str
) -> None:
    await registered(play)

    asked = play.customer.post(
        "/delivery/documents", **{"fileUrl": "https://files.example.com/1.jpg", **body}
    )

    assert await refusal(asked) == (422, code)
    assert (await play.customer.get("/delivery/profile"))["documents"] == []


async def test_a_rejection_wants_a_reason_and_an_expired_document_is_not_approved(
    play: Cast,
) -> None:
    driver_id = str((await registered(play))["id"])
    document = await hand_in(play.customer, "insurance")
    path = f"/admin/drivers/{driver_id}/documents/{document}"
    assert await refusal(play.admin.put(path, status="rejected")) == (422, "invalid_request")
    assert await refusal(play.admin.put(path, status="pending")) == (422, "invalid_request")
    async with play.database.write() as session:
        await session.execute(
            update(DriverDocument)
            .where(col(DriverDocument.id) == UUID(document))
            .values(expires_on=datetime.now(UTC).date() - timedelta(days=1))
        )
    before = await standing(play, driver_id)

    asked = play.admin.put(path, status="approved")

    assert await refusal(asked) == (409, "document_expired")
    assert await standing(play, driver_id) == before


async def test_an_admin_whose_account_is_gone_lets_nobody_in(play: Cast) -> None:
    driver_id = str((await registered(play))["id"])
    document = await hand_in(play.customer, "insurance")
    ghost = Person(play.environment["API_URL"], "ghost@example.com")
    ghost.use_token(token(play.environment, Somebody(uuid4(), "admin-ghost@example.com", uuid4())))
    before = await standing(play, driver_id)

    for asked in (
        ghost.put(f"/admin/drivers/{driver_id}/verification", status="rejected", reason="boo"),
        ghost.put(f"/admin/drivers/{driver_id}/documents/{document}", status="approved"),
    ):
        assert await refusal(asked) == (401, "unauthorized")
    await ghost.leave()

    assert await standing(play, driver_id) == before


async def test_two_admins_who_decide_at_once_decide_one_after_the_other(play: Cast) -> None:
    driver_id = await let_in(play)

    answers = await asyncio.gather(
        *(verify(play, driver_id, status) for status in ["suspended", "suspended"])
    )

    assert {answer["verificationStatus"] for answer in answers} == {"suspended"}
    done = [kind for kind, _, _ in await actions(play, driver_id)]
    assert done.count("driver_suspended") == 1


async def test_drivers_are_found_by_name_and_address_and_standing(play: Cast) -> None:
    await registered(play)
    email = play.world.customer.email

    found = await play.admin.get("/admin/drivers", search=email.upper(), status="pending")
    assert [row["email"] for row in found["data"]] == [email]
    assert (await play.admin.get("/admin/drivers", search=email, status="approved"))["total"] == 0
    assert (await play.admin.get("/admin/drivers", search="%_"))["total"] == 0
    assert (await play.admin.get("/admin/drivers", search="customer test"))["total"] >= 1
    beyond = await play.admin.get("/admin/drivers", page=1000)
    assert (beyond["data"], beyond["total"] > 0) == ([], True)
    for odd in ({"status": "odd"}, {"search": "\x00"}, {"search": "x" * 101}):
        assert await refusal(play.admin.get("/admin/drivers", **odd)) == (422, "invalid_request")
    assert await refusal(play.admin.get(f"/admin/drivers/{uuid4()}")) == (404, "not_found")
