"""How somebody becomes a chef, what he must show, and who lets him in."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from itsdangerous import URLSafeSerializer
from sqlalchemy import select, text, update
from sqlmodel import col

from api import private_files
from api.private_files import link
from domain.kitchens import MOST_DOCUMENTS
from domain.order_status import OrderStatus
from local.cast import Cast, cast, token
from local.people import Person
from local.world import Somebody
from schema.tables import AdminAction, Chef, ChefDocument, Notification
from settings import Settings
from tests.api.kitchens import (
    END,
    KITCHEN,
    PDF,
    applied,
    hand_in,
    let_in,
    refusal,
    shows_all,
    verify,
)
from tests.pictures import PNG

S = OrderStatus

_OF_CHEF = """
    SELECT md5(c::text), (SELECT md5(string_agg(d::text, ',' ORDER BY id))
                          FROM chef_documents d WHERE d.chef_id = c.id),
           (SELECT count(*) FROM admin_actions WHERE target_id = c.id),
           (SELECT count(*) FROM notifications WHERE user_id = c.user_id)
    FROM chefs c WHERE c.id = :id
"""


async def standing(play: Cast, chef_id: str) -> tuple[Any, ...]:
    """A digest of all that is written about a chef."""
    async with play.database.read() as session:
        found = await session.execute(text(_OF_CHEF), {"id": UUID(chef_id)})
        return tuple(found.one())


async def actions(play: Cast, chef_id: str) -> list[tuple[str, UUID, dict[str, Any]]]:
    async with play.database.read() as session:
        found = await session.scalars(
            select(AdminAction)
            .where(col(AdminAction.target_id) == UUID(chef_id))
            .order_by(col(AdminAction.id))
        )
        return [(row.action_type, row.admin_id, row.details) for row in found]


async def told(play: Cast, user_id: UUID) -> list[str]:
    async with play.database.read() as session:
        found = await session.scalars(
            select(col(Notification.message))
            .where(
                col(Notification.user_id) == user_id,
                col(Notification.type) == "chef:verification",
            )
            .order_by(col(Notification.id))
        )
        return list(found)


async def documents_of(play: Cast, chef_id: str) -> list[ChefDocument]:
    async with play.database.read() as session:
        found = await session.scalars(
            select(ChefDocument).where(col(ChefDocument.chef_id) == UUID(chef_id))
        )
        return list(found)


async def look(play: Cast, url: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=play.environment["API_URL"]) as http:
        return await http.get(url)


async def test_a_customer_becomes_a_chef_who_may_not_sell_yet(play: Cast) -> None:
    kitchen = await applied(play)

    assert kitchen["verificationStatus"] == "pending"
    assert {name: kitchen[name] for name in KITCHEN} == KITCHEN
    assert kitchen["missingDocuments"] == ["identity", "food_license", "kitchen_photo"]
    assert (kitchen["market"], kitchen["timezone"]) == ("austin", "America/Chicago")
    assert (kitchen["acceptingOrders"], kitchen["canBePaid"]) == (False, False)
    assert {**await play.customer.get("/chef/profile"), "opensAt": None} == {
        **kitchen,
        "opensAt": None,
    }
    assert await play.customer.get("/chef/menus") == []
    opening = play.customer.put("/chef/availability", acceptingOrders=True)
    assert await refusal(opening) == (409, "chef_not_verified")
    assert await refusal(play.customer.get(f"/chefs/{kitchen['id']}")) == (404, "not_found")


async def test_applying_again_is_answered_alike_and_with_another_kitchen_refused(
    play: Cast,
) -> None:
    answers = await asyncio.gather(
        *(play.customer.post("/chef/apply", **KITCHEN) for _ in range(5))
    )

    assert len({answer["chef"]["id"] for answer in answers}) == 1
    play.customer.use_token(answers[0]["accessToken"])
    again = await play.customer.post("/chef/apply", **KITCHEN)
    assert again["chef"]["id"] == answers[0]["chef"]["id"]
    other = play.customer.post("/chef/apply", **{**KITCHEN, "businessName": "Idli Corner"})
    assert await refusal(other) == (409, "already_applied")
    assert (await play.customer.get("/chef/profile"))["businessName"] == "Dosa Corner"


async def test_who_has_an_order_open_stays_a_customer(play: Cast) -> None:
    order = await play.bring(S.PREPARING)

    assert await refusal(play.customer.post("/chef/apply", **KITCHEN)) == (409, "orders_open")

    assert (await play.customer.get(f"/orders/{order['id']}"))["status"] == S.PREPARING


async def test_a_kitchen_without_a_position_is_looked_up(play: Cast) -> None:
    without = {
        name: said for name, said in KITCHEN.items() if name not in {"latitude", "longitude"}
    }
    address = "123 Main St, Austin, TX 78701"

    answer = await play.customer.post("/chef/apply", **{**without, "address": address})

    place = (answer["chef"]["latitude"], answer["chef"]["longitude"])
    assert place == pytest.approx((30.27, -97.74), abs=0.1)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"serviceRadiusKm": 0.9}, "invalid_request"),
        ({"serviceRadiusKm": 51}, "invalid_request"),
        ({"serviceRadiusKm": "NaN"}, "invalid_request"),
        ({"businessName": ""}, "invalid_request"),
        ({"businessName": "\x00"}, "invalid_request"),
        ({"timezone": "Nowhere/City"}, "invalid_request"),
        ({"timezone": "../etc/passwd"}, "invalid_request"),
        ({"operatingHours": {"monday": {"open": "8", "close": "9"}}}, "invalid_request"),
        ({"hoursExceptions": {"2026-02-30": None}}, "invalid_request"),
        ({"cuisineTypes": ["x"] * 11}, "invalid_request"),
        ({"owner": "me"}, "invalid_request"),
        ({"market": "atlantis"}, "unknown_market"),
        ({"longitude": None}, "half_a_position"),
    ],
)
async def test_a_kitchen_that_cannot_be_is_refused_and_nobody_becomes_a_chef(
    play: Cast, changes: dict[str, object], code: str
) -> None:
    asked = play.customer.post("/chef/apply", **{**KITCHEN, **changes})

    assert await refusal(asked) == (422, code)
    async with play.database.read() as session:
        mine = col(Chef.user_id) == play.world.customer.user_id
        assert await session.scalar(select(Chef).where(mine)) is None
    assert (await play.customer.get("/orders"))["total"] == 0


async def test_a_kitchen_is_let_in_when_all_that_it_must_show_is_approved(play: Cast) -> None:
    chef_id = (await applied(play))["id"]
    early = verify(play, chef_id, "approved")
    assert await refusal(early) == (409, "documents_missing")

    ids = await shows_all(play, chef_id)
    kitchen = await verify(play, chef_id, "approved", "all is well")

    assert (kitchen["verificationStatus"], kitchen["verificationReason"]) == (
        "approved",
        "all is well",
    )
    assert kitchen["verifiedAt"] is not None
    assert kitchen["missingDocuments"] == []
    assert {document["id"] for document in kitchen["documents"]} == set(ids)
    assert [(action, details["reason"]) for action, _, details in await actions(play, chef_id)] == [
        ("chef_document_approved", None),
        ("chef_document_approved", None),
        ("chef_document_approved", None),
        ("chef_approved", "all is well"),
    ]
    assert await told(play, play.world.customer.user_id) == [
        "Dosa Corner is verified: you can open it."
    ]
    # Who cannot be paid cannot open it yet.
    opening = play.customer.put("/chef/availability", acceptingOrders=True)
    assert await refusal(opening) == (409, "chef_cannot_be_paid")


async def test_admins_are_asked_once_when_all_is_there(play: Cast) -> None:
    chef_id = (await applied(play))["id"]
    for kind in ("identity", "food_license", "kitchen_photo", "identity"):
        await hand_in(play.customer, kind, PDF + kind.encode())

    async with play.database.read() as session:
        found = await session.scalars(
            select(col(Notification.title)).where(
                col(Notification.user_id) == play.world.admin.user_id,
                col(Notification.business_key).startswith(chef_id),
            )
        )
        assert list(found) == ["Dosa Corner wants to cook"]


async def test_a_document_sent_twice_is_one(play: Cast) -> None:
    chef_id = (await applied(play))["id"]

    answers = await asyncio.gather(*(hand_in(play.customer, "identity") for _ in range(5)))

    assert len({answer["id"] for answer in answers}) == 1
    assert len(await documents_of(play, chef_id)) == 1
    await play.admin.put(f"/admin/chefs/{chef_id}/documents/{answers[0]['id']}", status="approved")
    assert (await hand_in(play.customer, "identity"))["status"] == "approved"


async def test_another_document_takes_the_place_of_the_one_that_waits(play: Cast) -> None:
    await applied(play)
    first = await hand_in(play.customer, "identity", PDF)

    second = await hand_in(play.customer, "identity", PNG)

    found = {row["id"]: row for row in await play.customer.get("/chef/documents")}
    assert found[first["id"]]["status"] == "rejected"
    assert (found[second["id"]]["status"], found[second["id"]]["contentType"]) == (
        "pending",
        "image/png",
    )


@pytest.mark.parametrize(
    ("query", "content", "expected"),
    [
        ({"type": "identity"}, b"MZ a program", (422, "not_a_document")),
        ({"type": "identity"}, b"", (422, "not_a_document")),
        ({"type": "food_license"}, PDF, (422, "expiry_needed")),
        ({"type": "food_license", "expiresOn": "2020-01-01"}, PDF, (422, "already_expired")),
        ({"type": "food_license", "expiresOn": "soon"}, PDF, (422, "invalid_request")),
        ({"type": "diploma"}, PDF, (422, "invalid_request")),
        ({}, PDF, (422, "invalid_request")),
        ({"type": "identity"}, PDF + b" " * 10 * 1024 * 1024, (413, "body_too_large")),
    ],
    ids=["a program", "nothing", "no end", "over", "no date", "no kind", "no type", "too much"],
)
async def test_a_document_that_cannot_be_is_refused_and_not_kept(
    play: Cast, query: dict[str, str], content: bytes, expected: tuple[int, str]
) -> None:
    chef_id = (await applied(play))["id"]

    asked = play.customer.upload("/chef/documents", content, "application/pdf", **query)

    assert await refusal(asked) == expected
    assert await documents_of(play, chef_id) == []


async def test_nobody_hands_in_documents_without_end(play: Cast) -> None:
    chef_id = (await applied(play))["id"]
    await hand_in(play.customer, "identity")
    known = (await documents_of(play, chef_id))[0]
    async with play.database.write() as session:
        for _ in range(MOST_DOCUMENTS - 1):
            row = known.model_dump(exclude={"id"}) | {"status": "rejected", "digest": "another"}
            session.add(ChefDocument(**row))

    one_more = hand_in(play.customer, "identity", PNG)

    assert await refusal(one_more) == (409, "too_many_documents")
    assert (await hand_in(play.customer, "identity"))["id"] == str(known.id)


async def test_a_document_is_seen_by_its_link_and_for_a_while(play: Cast) -> None:
    chef_id = (await applied(play))["id"]
    own = await hand_in(play.customer, "identity")
    admins = (await play.admin.get(f"/admin/chefs/{chef_id}"))["documents"][0]

    for document in (own, admins):
        seen = await look(play, document["fileUrl"])
        assert (seen.status_code, seen.content) == (200, PDF)
        assert seen.headers["content-type"] == "application/pdf"
        assert seen.headers["cache-control"] == "private, no-store"
        assert seen.headers["content-disposition"] == "attachment"
        until = datetime.fromisoformat(document["fileUrlExpiresAt"])
        assert timedelta(minutes=13) < until - datetime.now(UTC) < timedelta(minutes=16)


async def test_a_link_cannot_be_forged_and_is_not_good_for_ever(play: Cast) -> None:
    chef_id = (await applied(play))["id"]
    await hand_in(play.customer, "identity")
    row = (await documents_of(play, chef_id))[0]
    settings, now = Settings.of(play.environment), datetime.now(UTC)
    good = link(settings, row.storage_key, row.content_type, now).url
    old = link(settings, row.storage_key, row.content_type, now - timedelta(hours=1)).url
    said, signature = good.rsplit(".", 1)
    claims = [row.storage_key, row.content_type, int(now.timestamp()) + 900]
    with_other_salt = URLSafeSerializer(settings.jwt_secret.get_secret_value()).dumps(claims)
    with_other_secret = URLSafeSerializer("x" * 40, salt="private file").dumps(claims)

    assert (await look(play, good)).status_code == 200
    too_late = await look(play, old)
    assert (too_late.status_code, too_late.json()["code"]) == (404, "link_expired")
    for forged in (
        f"{said}.{signature[:-2]}AA",
        f"{said[:-3]}AAA.{signature}",
        f"{old.rsplit('.', 1)[0]}.{signature}",
        f"/api/v1/files/{with_other_salt}",
        f"/api/v1/files/{with_other_secret}",
        f"/api/v1/files/{row.storage_key.replace('/', '.')}",
    ):
        refused = await look(play, forged)
        assert (refused.status_code, refused.json()["code"]) == (404, "not_found"), forged
    missing = private_files.link(settings, "kitchens/none/documents/0.pdf", "application/pdf", now)
    assert (await look(play, missing.url)).status_code == 404


async def test_a_private_file_is_no_public_picture(play: Cast) -> None:
    chef_id = (await applied(play))["id"]
    await hand_in(play.customer, "kitchen_photo", PNG)
    row = (await documents_of(play, chef_id))[0]

    for path in (
        f"/api/v1/pictures/{chef_id}/{row.digest}.png",
        f"/api/v1/pictures/{chef_id}/documents/{row.digest}.png",
    ):
        assert (await look(play, path)).status_code == 404


async def test_a_rejected_document_says_why_and_one_may_try_again(play: Cast) -> None:
    chef_id = (await applied(play))["id"]
    document = await hand_in(play.customer, "identity")
    path = f"/admin/chefs/{chef_id}/documents/{document['id']}"

    silent = play.admin.put(path, status="rejected")
    assert await refusal(silent) == (422, "invalid_request")
    for _ in range(2):
        await play.admin.put(path, status="rejected", reason="it is a cat")

    assert await told(play, play.world.customer.user_id) == [
        "We cannot accept a document: identity: it is a cat"
    ]
    assert [action for action, _, _ in await actions(play, chef_id)] == ["chef_document_rejected"]
    again = await hand_in(play.customer, "identity")
    assert again["id"] != document["id"]
    assert again["status"] == "pending"


async def test_an_expired_document_is_not_approved(play: Cast) -> None:
    chef_id = (await applied(play))["id"]
    document = await hand_in(play.customer, "food_license")
    async with play.database.write() as session:
        await session.execute(
            update(ChefDocument)
            .where(col(ChefDocument.id) == UUID(document["id"]))
            .values(expires_on=datetime.now(UTC).date() - timedelta(days=1))
        )

    asked = play.admin.put(f"/admin/chefs/{chef_id}/documents/{document['id']}", status="approved")

    assert await refusal(asked) == (409, "document_expired")


async def test_a_kitchen_whose_licence_has_run_out_is_not_let_in(play: Cast) -> None:
    chef_id = (await applied(play))["id"]
    await shows_all(play, chef_id)
    async with play.database.write() as session:
        await session.execute(
            update(ChefDocument)
            .where(
                col(ChefDocument.chef_id) == UUID(chef_id),
                col(ChefDocument.document_type) == "food_license",
            )
            .values(expires_on=datetime.now(UTC).date() - timedelta(days=1))
        )
    before = await standing(play, chef_id)

    assert await refusal(verify(play, chef_id, "approved")) == (409, "documents_missing")

    assert await standing(play, chef_id) == before


async def test_a_suspended_kitchen_takes_no_orders_from_then_on(play: Cast) -> None:
    chef_id = str(play.world.chef.id)
    for _ in range(2):
        kitchen = await verify(play, chef_id, "suspended", "a mouse was seen")

    assert (kitchen["verificationStatus"], kitchen["acceptingOrders"]) == ("suspended", False)
    assert await refusal(play.place()) == (404, "not_found")
    assert await refusal(play.customer.get(f"/chefs/{chef_id}")) == (404, "not_found")
    opening = play.chef.put("/chef/availability", acceptingOrders=True)
    assert await refusal(opening) == (409, "chef_not_verified")
    assert await told(play, play.world.chef.user_id) == [
        "Test Kitchen is suspended: a mouse was seen"
    ]
    assert await actions(play, chef_id) == [
        (
            "chef_suspended",
            play.world.admin.user_id,
            {"was": "approved", "reason": "a mouse was seen"},
        )
    ]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("rejected", (409, "illegal_verification")),
        ("pending", (422, "invalid_request")),
        ("closed", (422, "invalid_request")),
    ],
)
async def test_a_standing_that_cannot_follow_is_refused_and_changes_nothing(
    play: Cast, status: str, expected: tuple[int, str]
) -> None:
    chef_id = str(play.world.chef.id)
    before = await standing(play, chef_id)

    assert await refusal(verify(play, chef_id, status)) == expected

    assert await standing(play, chef_id) == before


async def test_two_admins_decide_at_once_and_one_of_them_has_decided(play: Cast) -> None:
    chef_id = (await applied(play))["id"]
    await shows_all(play, chef_id)

    answers = await asyncio.gather(
        verify(play, chef_id, "approved", "yes"),
        verify(play, chef_id, "rejected", "no"),
        verify(play, chef_id, "approved", "yes"),
        return_exceptions=True,
    )

    decided = [action for action, _, _ in await actions(play, chef_id)][3:]
    final = (await play.admin.get(f"/admin/chefs/{chef_id}"))["verificationStatus"]
    # Turned away first, he may still be let in; let in, he is not turned away.
    assert decided in (["chef_approved"], ["chef_rejected"], ["chef_rejected", "chef_approved"])
    assert decided[-1] == f"chef_{final}"
    assert len(await told(play, play.world.customer.user_id)) == len(decided)
    assert any(not isinstance(answer, BaseException) for answer in answers)


async def test_a_kitchen_that_is_opened_while_it_is_suspended_is_closed(play: Cast) -> None:
    chef_id = str(play.world.chef.id)

    await asyncio.gather(
        *(play.chef.put("/chef/availability", acceptingOrders=True) for _ in range(5)),
        verify(play, chef_id, "suspended"),
        *(play.chef.put("/chef/availability", acceptingOrders=True) for _ in range(5)),
        return_exceptions=True,
    )

    kitchen = await play.admin.get(f"/admin/chefs/{chef_id}")
    assert (kitchen["verificationStatus"], kitchen["acceptingOrders"]) == ("suspended", False)


async def test_a_kitchen_that_moves_is_verified_again(play: Cast) -> None:
    kitchen = await let_in(play)

    moved = await play.customer.put(
        "/chef/profile", address="7 Other Street", latitude=11.0, longitude=21.0
    )

    assert (moved["verificationStatus"], moved["latitude"]) == ("pending", 11.0)
    assert moved["missingDocuments"] == ["food_license", "kitchen_photo"]
    assert (await told(play, play.world.customer.user_id))[-1] == (
        "Dosa Corner is closed until its documents are verified again."
    )
    assert await refusal(play.customer.get(f"/chefs/{kitchen['id']}")) == (404, "not_found")


async def test_a_pin_that_is_set_right_is_no_move(play: Cast) -> None:
    await let_in(play)

    pinned = await play.customer.put(
        "/chef/profile", address=KITCHEN["address"], latitude=10.5005, longitude=20.5
    )
    again = await play.customer.put("/chef/profile", address=KITCHEN["address"])

    assert (pinned["latitude"], pinned["verificationStatus"]) == (10.5005, "approved")
    assert (again["latitude"], again["verificationStatus"]) == (10.5005, "approved")


async def test_a_document_that_is_taken_back_closes_the_kitchen(play: Cast) -> None:
    kitchen = await let_in(play)
    licence = next(d for d in kitchen["documents"] if d["type"] == "food_license")

    closed = await play.admin.put(
        f"/admin/chefs/{kitchen['id']}/documents/{licence['id']}",
        status="rejected",
        reason="the office knows no such number",
    )

    assert (closed["verificationStatus"], closed["missingDocuments"]) == (
        "pending",
        ["food_license"],
    )


async def test_operators_find_chefs_by_standing_and_name(play: Cast) -> None:
    name = f"Kitchen {play.world.customer.user_id}"
    kitchen = await applied(play, businessName=name)

    found = await play.admin.get("/admin/chefs", search=name.upper(), status="pending")
    elsewhere = await play.admin.get("/admin/chefs", search=name, status="approved")
    by_mail = await play.admin.get("/admin/chefs", search=play.world.customer.email)

    assert (found["total"], found["data"][0]["id"]) == (1, kitchen["id"])
    assert found["data"][0]["email"] == play.world.customer.email
    assert elsewhere["total"] == 0
    assert by_mail["total"] == 1
    assert (await play.admin.get("/admin/chefs", limit=1))["total"] > 1


async def test_nobody_decides_about_another_ones_document(play: Cast) -> None:
    chef_id = (await applied(play))["id"]
    document = await hand_in(play.customer, "identity")

    asked = play.admin.put(
        f"/admin/chefs/{play.world.chef.id}/documents/{document['id']}", status="approved"
    )

    assert await refusal(asked) == (404, "not_found")
    assert (await documents_of(play, chef_id))[0].status == "pending"


async def test_a_chef_without_a_kitchen_has_none_until_he_applies(play: Cast) -> None:
    async with cast(play.environment, drivers=0) as others:
        await others.customer.post("/chef/apply", **KITCHEN)
        # As somebody who has registered as a chef.
        user_id = others.world.customer.user_id
        async with play.database.write() as session:
            await session.execute(text("DELETE FROM chefs WHERE user_id = :id"), {"id": user_id})
        chef = Person(play.environment["API_URL"], "chef")
        chef.use_token(token(play.environment, Somebody(user_id, f"chef-{user_id}", user_id)))

        assert await refusal(chef.get("/chef/profile")) == (404, "not_found")
        assert await refusal(chef.get("/chef/menus")) == (404, "not_found")
        assert await refusal(chef.get("/chef/analytics")) == (404, "not_found")
        assert (await chef.post("/chef/apply", **KITCHEN))["chef"]["verificationStatus"] == (
            "pending"
        )
        assert (await hand_in(chef, "food_license", end=END))["expiresOn"] == END
        await chef.leave()
