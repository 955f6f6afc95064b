"""A dispute from the bank's first word to its last: money, evidence, reminders, and the order."""

from datetime import timedelta

import pytest

from domain.disputes import Outcome, Stage
from domain.languages import Language, clock
from domain.ledger import Account, Bearer, payable
from domain.order_status import OrderStatus
from domain.payees import PayeeKind
from schema.messages.disputes import Concession, DisputeRequest, Evidence
from tests.books import booked_events, books
from tests.workflows.disputes import DisputeRun, delivered, disputed
from tests.workflows.room import REPLAYED, Room, Run, moment
from workflows.dispute import DisputeWorkflow
from workflows.order import OrderWorkflow

pytestmark = pytest.mark.parametrize("room", [REPLAYED], indirect=True)

S = OrderStatus
W = DisputeWorkflow

EARNED = {
    Account.TAX_PAYABLE: -160,
    Account.PLATFORM_REVENUE: -399,
}


def parts(run: Run) -> dict[str, int]:
    """What a delivered order leaves on the books, without the money itself."""
    world = run.room.world
    return {
        **EARNED,
        payable(PayeeKind.CHEF, world.chef.id): -1601,
        payable(PayeeKind.DRIVER, world.drivers[0].id): -500,
    }


async def order_books(run: Run) -> dict[str, int]:
    return dict(await books(run.room.database, run.placing.order.id))


async def reminded(dispute: DisputeRun) -> list[str]:
    """What ops were told of the evidence that is due, three days and a day before."""
    return [said for said in await dispute.run.told(dispute.room.world.admin) if "due" in said]


async def open_dispute(room: Room, **how: object) -> DisputeRun:
    """A dispute about a delivered order that we have heard of."""
    dispute = await disputed(await delivered(room), **how)
    await dispute.hear()
    await dispute.is_known()
    if not how.get("inquiry"):
        await dispute.order_becomes(S.DISPUTED)
    return dispute


async def test_a_dispute_takes_the_money_and_disputes_the_order(room: Room) -> None:
    dispute = await open_dispute(room, reason="fraudulent")

    await dispute.order_becomes(S.DISPUTED)
    row = await dispute.row()
    assert (row.status, row.inquiry, row.withdrawn_cents) == ("needs_response", False, 2660)
    assert (row.told, row.outcome, row.fault) == (Stage.DISPUTE, None, None)
    assert await order_books(dispute.run) == {
        **parts(dispute.run),
        Account.DISPUTE_LOSSES: 2660,
    }
    assert "is disputed" in (await dispute.run.told(room.world.admin))[-1]


async def test_a_won_dispute_gives_the_money_again(room: Room) -> None:
    dispute = await open_dispute(room)
    await dispute.decide("won")

    assert (await dispute.handle.result()).outcome is Outcome.WON
    await dispute.order_becomes(S.DELIVERED)
    assert (await dispute.run.trace())[-3:] == [S.DELIVERED, S.DISPUTED, S.DELIVERED]
    assert await order_books(dispute.run) == {
        **parts(dispute.run),
        Account.STRIPE_CLEARING: 2660,
    }
    row = await dispute.row()
    assert (row.reinstated_cents, row.told, row.closed_at is not None) == (2660, Stage.CLOSED, True)
    assert (await dispute.run.told(room.world.admin))[-1].endswith("is won.")


@pytest.mark.parametrize(
    ("reason", "bearer", "owed"),
    [("product_unacceptable", Bearer.CHEF, 1601), ("fraudulent", Bearer.PLATFORM, 0)],
)
async def test_a_lost_dispute_is_borne_by_whoever_is_at_fault(
    room: Room, reason: str, bearer: Bearer, owed: int
) -> None:
    dispute = await open_dispute(room, reason=reason)
    await dispute.decide("lost")

    assert (await dispute.handle.result()).outcome is Outcome.LOST
    assert (await dispute.row()).fault is bearer
    await dispute.order_becomes(S.REFUNDED)
    expected = {**parts(dispute.run), Account.DISPUTE_LOSSES: 2660 - 160 - owed}
    del expected[Account.TAX_PAYABLE]
    expected[payable(PayeeKind.CHEF, room.world.chef.id)] += owed
    assert await order_books(dispute.run) == {k: v for k, v in expected.items() if v}


async def test_an_inquiry_moves_no_money_and_leaves_the_order_alone(room: Room) -> None:
    dispute = await open_dispute(room, inquiry=True)

    await dispute.ops_hear("asks about the payment")
    assert (await dispute.run.row()).status is S.DELIVERED
    await dispute.decide("lost")

    assert (await dispute.handle.result()).outcome is Outcome.DROPPED
    assert (await dispute.run.row()).status is S.DELIVERED
    assert await order_books(dispute.run) == {
        **parts(dispute.run),
        Account.STRIPE_CLEARING: 2660,
    }


async def test_an_inquiry_that_becomes_a_dispute_is_one(room: Room) -> None:
    dispute = await open_dispute(room, inquiry=True)
    await dispute.decide("escalated")
    await dispute.decide("lost")

    assert (await dispute.handle.result()).outcome is Outcome.LOST
    row = await dispute.row()
    assert (row.inquiry, row.withdrawn_cents) == (False, 2660)
    await dispute.order_becomes(S.REFUNDED)


async def test_the_evidence_goes_off_by_itself_a_day_before_it_is_due(room: Room) -> None:
    dispute = await open_dispute(room, reason="product_not_received")
    due = (await dispute.row()).evidence_due_by
    assert due is not None
    left = due - await moment(room.env)

    await room.skip(left - timedelta(days=1, minutes=1))
    assert dispute.at_stripe().status == "needs_response"
    here = clock(None)
    words = f"due on {here.date(due, Language.EN)} at {here.time(due, Language.EN)}."
    assert [said.endswith(words) for said in await reminded(dispute)] == [True]

    await room.skip(timedelta(minutes=2))

    at_stripe = dispute.at_stripe()
    assert at_stripe.status == "under_review"
    assert at_stripe.evidence.customer_email_address == room.world.customer.email
    assert "The driver's note: at the door" in (at_stripe.evidence.access_activity_log or "")
    row = await dispute.row()
    assert row.evidence_submitted_at is not None
    assert row.evidence is not None
    assert row.evidence["service_date"] == at_stripe.evidence.service_date
    assert [said.endswith(words) for said in await reminded(dispute)] == [True, True]
    await dispute.decide("won")
    assert (await dispute.handle.result()).outcome is Outcome.WON


async def test_evidence_that_stripe_refuses_close_to_its_end_is_sent_again_every_hour(
    room: Room,
) -> None:
    dispute = await open_dispute(room)
    due = (await dispute.row()).evidence_due_by
    assert due is not None

    async with room.stripe_fault("POST /v1/disputes/*", "refused", times=2):
        await room.skip(due - await moment(room.env) - timedelta(days=1, minutes=-1))
        assert dispute.at_stripe().status == "needs_response"
        await room.skip(timedelta(hours=1, minutes=1))
        assert dispute.at_stripe().status == "needs_response"
        await room.skip(timedelta(hours=1, minutes=1))

    assert dispute.at_stripe().status == "under_review"
    refused = [told for told in await dispute.run.told(room.world.admin) if "our answer" in told]
    assert len(refused) == 1
    await dispute.decide("won")
    await dispute.handle.result()


async def test_an_admin_adds_words_and_sends_the_evidence_at_once(room: Room) -> None:
    dispute = await open_dispute(room)
    admin = room.world.admin.user_id

    await dispute.ask(W.add_evidence, Evidence(admin_id=admin, text="winning_evidence"))
    standing = await dispute.ask(W.submit, DisputeRequest(admin_id=admin))

    assert (standing.submitted, standing.status) == (True, "under_review")
    assert dispute.at_stripe().evidence.uncategorized_text == "winning_evidence"
    for update, ask in (
        (W.submit, DisputeRequest(admin_id=admin)),
        (W.add_evidence, Evidence(admin_id=admin, text="more")),
        (W.concede, Concession(admin_id=admin, reason="on second thoughts")),
    ):
        assert (await dispute.refusal(update, ask)).type == "EvidenceSubmitted"
    assert await dispute.actions() == ["dispute_evidence", "dispute_submit"]
    assert dispute.at_stripe().evidence_details.submission_count == 1
    # Whose fault it was may still turn out.
    await dispute.ask(W.add_evidence, Evidence(admin_id=admin, fault=Bearer.DRIVER))
    await dispute.decide("lost")
    assert (await dispute.handle.result()).outcome is Outcome.LOST
    driver = payable(PayeeKind.DRIVER, room.world.drivers[0].id)
    assert driver not in await order_books(dispute.run)


async def test_a_conceded_dispute_is_lost_at_the_fault_that_was_said(room: Room) -> None:
    dispute = await open_dispute(room)
    admin = room.world.admin.user_id

    await dispute.ask(
        W.concede, Concession(admin_id=admin, reason="went elsewhere", fault=Bearer.DRIVER)
    )

    assert (await dispute.handle.result()).outcome is Outcome.LOST
    row = await dispute.row()
    assert (row.conceded, row.fault, row.status) == (True, Bearer.DRIVER, "lost")
    await dispute.order_becomes(S.REFUNDED)
    assert await dispute.actions() == ["dispute_concede"]
    driver = payable(PayeeKind.DRIVER, room.world.drivers[0].id)
    assert driver not in await order_books(dispute.run)


async def test_an_inquiry_cannot_be_conceded(room: Room) -> None:
    dispute = await open_dispute(room, inquiry=True)

    refusal = await dispute.refusal(
        W.concede, Concession(admin_id=room.world.admin.user_id, reason="sorry")
    )

    assert refusal.type == "InquiryNotConcedable"
    assert await dispute.actions() == []
    assert not (await dispute.row()).conceded


async def test_an_end_that_nobody_told_of_is_found_within_a_day(room: Room) -> None:
    dispute = await open_dispute(room)
    await room.stripe_control(f"disputes/{dispute.dispute_id}/decide", {"outcome": "won"})

    await room.skip(timedelta(days=1, minutes=1))

    assert (await dispute.handle.result()).outcome is Outcome.WON
    await dispute.order_becomes(S.DELIVERED)


async def test_a_terminated_run_is_taken_up_by_the_next_event(room: Room) -> None:
    dispute = await open_dispute(room)
    await dispute.handle.terminate()

    await dispute.decide("lost")

    assert (await dispute.handle.result()).outcome is Outcome.LOST
    assert await booked_events(room.database, dispute.run.placing.order.id) == [
        "capture",
        "earned",
        "dispute_opened",
        "dispute_lost",
    ]
    await dispute.order_becomes(S.REFUNDED)


async def test_a_cancelled_order_is_left_alone_and_its_deposit_is_what_the_bank_took(
    room: Room,
) -> None:
    run = await room.begin()
    await run.pay()
    dispute = await disputed(run)
    await dispute.hear()
    await dispute.is_known()
    await dispute.ops_hear("asks about the payment")
    await run.ask(OrderWorkflow.cancel, run.command(run.customer))

    await run.handle.result()
    assert run.given_back() == 0
    await dispute.decide("lost")
    await dispute.handle.result()

    assert (await run.row()).status is S.CANCELLED
    assert await order_books(run) == {}
    assert run.given_back() == 0


async def test_what_a_bank_gives_again_of_a_cancelled_order_is_the_customers(room: Room) -> None:
    run = await room.begin()
    await run.pay()
    dispute = await disputed(run)
    await dispute.hear()
    await dispute.is_known()
    await run.ask(OrderWorkflow.cancel, run.command(run.customer))
    await run.handle.result()

    await dispute.decide("won")
    await dispute.handle.result()
    await room.client.get_workflow_handle(run.handle.id).result()

    assert run.given_back() == 2660
    assert await order_books(run) == {}


async def test_a_lost_answer_of_stripes_submits_the_evidence_once(room: Room) -> None:
    dispute = await open_dispute(room)
    async with room.stripe_fault("POST /v1/disputes/*", "drop_after", times=4):
        standing = await dispute.ask(W.submit, DisputeRequest(admin_id=room.world.admin.user_id))

    assert standing.submitted
    assert dispute.at_stripe().evidence_details.submission_count == 1
    await dispute.decide("won")
    await dispute.handle.result()


async def test_a_tip_that_is_disputed_and_lost_is_answered_told_and_leaves_the_order_alone(
    room: Room,
) -> None:
    run = await delivered(room)
    await run.raise_tip(300)
    (tip,) = await run.tip_charges()
    dispute = await disputed(
        run, paid_by=tip.stripe_payment_intent_id, reason="product_not_received"
    )
    await dispute.hear()
    await dispute.is_known()

    row = await dispute.row()
    assert (row.order_id, row.tip_charge_id) == (run.placing.order.id, tip.id)
    assert (row.withdrawn_cents, row.evidence_due_by is not None) == (300, True)
    assert "asks about the tip" in (await run.told(room.world.admin))[-1]
    # The bank hears of the tip, since the bill alone does not explain so small a charge.
    fault = Evidence(admin_id=room.world.admin.user_id, fault=Bearer.DRIVER)
    await dispute.ask(W.add_evidence, fault)
    await dispute.ask(W.submit, DisputeRequest(admin_id=room.world.admin.user_id))
    said = dispute.at_stripe().evidence.product_description or ""
    assert "The charge in question is 3.00 USD of the tip" in said

    await dispute.decide("lost")
    assert (await dispute.handle.result()).outcome is Outcome.LOST
    await dispute.ops_hear("The dispute about the tip of")
    assert (await run.row()).status is S.DELIVERED
    assert (await run.trace())[-1] is S.DELIVERED
    # The driver has what he had before the tip; nothing of the tax and of the order is touched.
    assert await order_books(run) == {**parts(run), Account.STRIPE_CLEARING: 2660}


async def test_a_tip_that_is_disputed_and_won_is_the_drivers(room: Room) -> None:
    run = await delivered(room)
    await run.raise_tip(300)
    before = await order_books(run)
    (tip,) = await run.tip_charges()
    dispute = await disputed(run, paid_by=tip.stripe_payment_intent_id)
    await dispute.hear()
    await dispute.is_known()
    await dispute.decide("won")

    assert (await dispute.handle.result()).outcome is Outcome.WON
    assert (await run.trace())[-1] is S.DELIVERED
    assert await order_books(run) == before
