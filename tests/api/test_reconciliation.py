"""What operators see and do about our books and Stripe."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain import ledger as rules
from domain.ledger import Account, Event, Movement, Posting
from domain.reconciliation import CaseKind
from local.cast import Cast
from local.people import Unanswered, until
from schema.messages.reconciliation import Run
from schema.queries import ledger, reconciliation_cases
from schema.queries.reconciliation_cases import NewCase
from schema.tables import AdminAction, LedgerMovement, ReconciliationCase
from schema.tables.columns import now

PATH = "/admin/reconciliation"


async def open_case(play: Cast, kind: CaseKind = CaseKind.MOVEMENT_WITHOUT_TRANSACTION) -> str:
    """A case about a transfer of 1601 cents that Stripe does not know."""
    movement = rules.transferred(uuid4(), 1601, "usd", "tr_lost")
    async with play.database.write() as session:
        await ledger.book(session, movement)
        movement_id = await session.scalar(
            select(col(LedgerMovement.id)).where(col(LedgerMovement.key) == movement.key)
        )
        await reconciliation_cases.open_case(
            session,
            Run(id=uuid7(), started_at=now()),
            NewCase(
                subject=str(movement_id),
                kind=kind,
                currency="usd",
                amount_cents=0,
                expected_cents=-1601,
                movement_id=movement_id,
            ),
        )
        case_id = await session.scalar(
            select(col(ReconciliationCase.id)).where(
                col(ReconciliationCase.subject) == str(movement_id)
            )
        )
    return str(case_id)


async def booked_back(play: Cast, case: dict[str, Any]) -> Movement | None:
    async with play.database.read() as session:
        key = await session.scalar(
            select(col(LedgerMovement.key)).where(
                col(LedgerMovement.id) == UUID(case["movementId"])
            )
        )
        return await ledger.booked(session, f"{key}:reversed")


async def actions(play: Cast, case_id: str) -> list[tuple[str, UUID, dict[str, Any]]]:
    async with play.database.read() as session:
        found = await session.scalars(
            select(AdminAction).where(col(AdminAction.target_id) == UUID(case_id))
        )
        return [(row.action_type, row.admin_id, row.details) for row in found]


async def changes(play: Cast, case_id: str) -> tuple[object, object]:
    async with play.database.read() as session:
        row = (
            await session.scalars(
                select(AdminAction).where(col(AdminAction.target_id) == UUID(case_id))
            )
        ).one()
        return row.before, row.after


async def refused(asked: Any) -> tuple[int, str]:
    with pytest.raises(Unanswered) as problem:
        await asked
    return problem.value.status, problem.value.code


async def test_cases_are_listed_by_status_and_kind_the_latest_first(play: Cast) -> None:
    first, second = await open_case(play), await open_case(play)

    listed = await play.admin.get(PATH, status="open", kind="movement_without_transaction", limit=2)
    others = await play.admin.get(PATH, status="open", kind="charge_without_order")

    assert [case["id"] for case in listed["data"]] == [second, first]
    assert (listed["page"], listed["limit"]) == (1, 2)
    assert listed["total"] >= 2
    assert not {first, second} & {case["id"] for case in others["data"]}
    assert listed["data"][0] | {"id": "", "movementId": "", "openedAt": ""} == {
        "id": "",
        "kind": "movement_without_transaction",
        "status": "open",
        "stripeTransactionId": None,
        "movementId": "",
        "orderId": None,
        "amountCents": 0,
        "expectedCents": -1601,
        "currency": "usd",
        "details": {},
        "openedAt": "",
        "resolvedHow": None,
        "closedBy": None,
        "closeReason": None,
        "closedAt": None,
    }


async def test_a_case_that_is_closed_books_nothing_and_names_who_closed_it_and_why(
    play: Cast,
) -> None:
    case_id = await open_case(play)
    path = f"{PATH}/cases/{case_id}/close"

    closed = await play.admin.post(path, reason="asked Stripe about it")
    again = await play.admin.post(path, reason="asked Stripe about it")

    admin_id = play.world.admin.user_id
    assert again == closed
    assert (closed["status"], closed["closedBy"]) == ("closed", str(admin_id))
    assert await booked_back(play, closed) is None
    details = {
        "kind": "movement_without_transaction",
        "accepted": False,
        "reason": "asked Stripe about it",
    }
    assert await actions(play, case_id) == [("reconciliation_case_closed", admin_id, details)]
    assert await changes(play, case_id) == ({"status": "open"}, {"status": "closed"})
    assert await refused(play.admin.post(path, reason="another")) == (409, "case_closed")


async def test_a_case_that_is_accepted_makes_the_books_say_what_stripe_says(play: Cast) -> None:
    case_id = await open_case(play)

    closed = await play.admin.post(
        f"{PATH}/cases/{case_id}/close", reason="never made", accept=True
    )

    booked = await booked_back(play, closed)
    assert booked is not None
    assert booked.event is Event.CORRECTION
    assert set(booked.postings) == {
        Posting(Account.STRIPE_CLEARING, 1601),
        Posting(Account.PAYOUTS_IN_TRANSIT, -1601),
    }
    assert await changes(play, case_id) == (
        {"status": "open", "booked": None},
        {"status": "closed", "booked": booked.key},
    )


async def test_the_whole_is_nothing_to_accept(play: Cast) -> None:
    case_id = await open_case(play, CaseKind.CLEARING_DIFFERS)
    path = f"{PATH}/cases/{case_id}/close"

    assert await refused(play.admin.post(path, reason="so be it", accept=True)) == (
        409,
        "case_not_acceptable",
    )
    listed = await play.admin.get(PATH, status="open", kind="clearing_differs")
    assert case_id in [case["id"] for case in listed["data"]]
    assert await actions(play, case_id) == []
    await play.admin.post(path, reason="a test")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reason": ""},
        {"reason": "NUL\x00"},
        {"reason": "because", "accept": "true"},
        {"reason": "because", "accept": None},
        {"reason": "because", "amount": 5},
    ],
)
async def test_an_odd_request_closes_nothing(play: Cast, body: dict[str, Any]) -> None:
    case_id = await open_case(play)

    asked = play.admin.post(f"{PATH}/cases/{case_id}/close", **body)

    assert await refused(asked) == (422, "invalid_request")
    assert await actions(play, case_id) == []


async def test_what_is_not_there_is_not_found(play: Cast) -> None:
    closing = play.admin.post(f"{PATH}/cases/{uuid4()}/close", reason="because")
    assert await refused(closing) == (404, "not_found")
    for odd in ({"status": "opened"}, {"kind": "sum"}, {"page": 0}, {"limit": 101}):
        assert await refused(play.admin.get(PATH, **odd)) == (422, "invalid_request")


async def test_a_run_that_is_asked_for_runs_and_its_figures_are_shown(play: Cast) -> None:
    before = (await play.admin.get(PATH))["lastRun"]
    asked = await play.admin.post(f"{PATH}/run")

    async def has_run() -> dict[str, Any] | None:
        last: dict[str, Any] | None = (await play.admin.get(PATH))["lastRun"]
        return last if last != before else None

    last = await until(has_run)
    assert asked == {"schedule": "reconciliation"}
    assert last["finishedAt"] >= last["startedAt"]
    assert set(last) == {
        "startedAt",
        "finishedAt",
        "since",
        "until",
        "seen",
        "matched",
        "opened",
        "openCases",
        "balances",
    }
