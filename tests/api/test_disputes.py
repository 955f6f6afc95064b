"""What admins see of disputes and do about them: once, audited, and refused when it is too late."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlmodel import col

from domain.disputes import Stage
from domain.ledger import Account, payable
from domain.order_status import OrderStatus
from domain.payees import PayeeKind
from local.cast import Cast
from local.people import Unanswered
from schema.tables import AdminAction
from tests.api import disputes
from tests.books import books

S = OrderStatus


async def problem(asked: Any) -> tuple[int, str]:
    with pytest.raises(Unanswered) as refused:
        await asked
    return refused.value.status, refused.value.code


async def written(play: Cast, order: dict[str, Any]) -> list[AdminAction]:
    async with play.database.read() as session:
        found = await session.scalars(
            select(AdminAction)
            .where(col(AdminAction.target_id) == UUID(order["id"]))
            .order_by(col(AdminAction.id))
        )
        return list(found)


async def actions(play: Cast, order: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(action.action_type, action.details) for action in await written(play, order)]


async def changes(play: Cast, order: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [(action.before or {}, action.after or {}) for action in await written(play, order)]


async def test_a_dispute_is_listed_and_shown_with_its_evidence(play: Cast) -> None:
    order = await play.bring(S.DELIVERED)
    dispute_id = await disputes.opened(play, order, reason="product_not_received")

    seen = await play.admin.get(f"/admin/disputes/{dispute_id}")

    assert (seen["orderNumber"], seen["status"]) == (order["orderNumber"], "needs_response")
    assert (seen["amountCents"], seen["withdrawnCents"]) == (2660, 2660)
    assert seen["evidence"]["customer_email_address"] == play.world.customer.email
    assert "2 x Masala Dosa at 10.00 USD" in seen["evidence"]["product_description"]
    assert "delivered (by driver)" in seen["evidence"]["access_activity_log"]
    listed = await play.admin.get("/admin/disputes", open="true", limit=1)
    assert [one["id"] for one in listed["data"]] == [dispute_id]
    assert (listed["limit"], "evidence" in listed["data"][0]) == (1, False)


async def test_evidence_with_an_admins_words_wins(play: Cast) -> None:
    order = await play.bring(S.DELIVERED)
    dispute_id = await disputes.opened(play, order)
    path = f"/admin/disputes/{dispute_id}"

    # The stand-in's bank, as Stripe's in test mode, decides by these words.
    added = await play.admin.put(f"{path}/evidence", text="winning_evidence")
    sent = await play.admin.post(f"{path}/submit")

    assert added["evidence"]["uncategorized_text"] == "winning_evidence"
    assert added["evidenceSubmittedAt"] is None
    assert sent["status"] == "under_review"
    assert sent["evidenceSubmittedAt"] is not None
    at_stripe = play.stripe.v1.disputes.retrieve(dispute_id)
    assert all(
        getattr(at_stripe.evidence, name) == sent["evidence"][name] for name in sent["evidence"]
    )
    for asked in (
        play.admin.post(f"{path}/submit"),
        play.admin.put(f"{path}/evidence", text="more"),
        play.admin.post(f"{path}/concede", reason="on second thoughts"),
    ):
        assert await problem(asked) == (409, "evidence_submitted")
    await disputes.is_told(play, dispute_id, Stage.CLOSED)
    await play.becomes(order, S.DELIVERED)
    assert [what for what, _ in await actions(play, order)] == [
        "dispute_evidence",
        "dispute_submit",
    ]
    told = {"fault": None, "conceded": False, "evidenceLength": len("winning_evidence")}
    assert (await changes(play, order))[-1] == (
        {"status": "needs_response", "submission": None, **told},
        {"status": "needs_response", "submission": "asked", **told},
    )


async def test_a_conceded_dispute_is_the_debt_of_whoever_was_at_fault(play: Cast) -> None:
    order = await play.bring(S.DELIVERED)
    dispute_id = await disputes.opened(play, order)
    path = f"/admin/disputes/{dispute_id}"

    conceded = await play.admin.post(f"{path}/concede", reason="cold and late", fault="chef")

    assert (conceded["status"], conceded["outcome"]) == ("lost", "lost")
    assert (conceded["conceded"], conceded["fault"]) == (True, "chef")
    await play.becomes(order, S.REFUNDED)
    for asked in (
        play.admin.post(f"{path}/submit"),
        play.admin.put(f"{path}/evidence", fault="driver"),
        play.admin.post(f"{path}/concede", reason="again"),
    ):
        assert await problem(asked) == (409, "dispute_closed")
    assert await actions(play, order) == [
        (
            "dispute_concede",
            {"disputeId": dispute_id, "reason": "cold and late", "fault": "chef"},
        )
    ]
    ((was, then),) = await changes(play, order)
    assert (was["conceded"], was["fault"]) == (False, None)
    assert (then["conceded"], then["fault"]) == (True, "chef")
    on_books = await books(play.database, UUID(order["id"]))
    assert payable(PayeeKind.CHEF, play.world.chef.id) not in on_books
    assert on_books[Account.DISPUTE_LOSSES] == 2660 - 160 - 1601


async def test_an_inquiry_is_not_conceded(play: Cast) -> None:
    order = await play.bring(S.DELIVERED)
    dispute_id = await disputes.opened(play, order, inquiry=True)

    asked = play.admin.post(f"/admin/disputes/{dispute_id}/concede", reason="sorry")

    assert await problem(asked) == (409, "inquiry_not_concedable")
    assert await actions(play, order) == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("PUT", "evidence", {}, 422, "invalid_request"),
        ("PUT", "evidence", {"text": ""}, 422, "invalid_request"),
        ("PUT", "evidence", {"text": "NUL\x00"}, 422, "invalid_request"),
        ("PUT", "evidence", {"text": "x" * 20_001}, 422, "invalid_request"),
        ("PUT", "evidence", {"fault": "customer"}, 422, "invalid_request"),
        ("PUT", "evidence", {"words": "hello"}, 422, "invalid_request"),
        ("POST", "concede", {}, 422, "invalid_request"),
        ("POST", "concede", {"reason": " "}, 422, "invalid_request"),
        ("POST", "concede", {"reason": "so", "fault": "nobody"}, 422, "invalid_request"),
    ],
)
async def test_odd_requests_are_refused_and_change_nothing(
    play: Cast, method: str, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    order = await play.bring(S.DELIVERED)
    dispute_id = await disputes.opened(play, order)
    before = await play.admin.get(f"/admin/disputes/{dispute_id}")

    asked = play.admin.ask(method, f"/admin/disputes/{dispute_id}/{path}", body)

    assert await problem(asked) == (status, code)
    assert await play.admin.get(f"/admin/disputes/{dispute_id}") == before
    assert await actions(play, order) == []


@pytest.mark.parametrize(
    ("dispute_id", "status"),
    [("du_unknown", 404), ("x" * 101, 422), ("du%20or%201", 422), ("%00", 422)],
)
async def test_a_dispute_that_is_not_there_is_not_found(
    play: Cast, dispute_id: str, status: int
) -> None:
    path = f"/admin/disputes/{dispute_id}"

    for asked in (
        play.admin.get(path),
        play.admin.post(f"{path}/submit"),
        play.admin.put(f"{path}/evidence", text="words"),
        play.admin.post(f"{path}/concede", reason="because"),
    ):
        assert (await problem(asked))[0] == status
