"""Disputes through the official SDK against the stand-in: written down and booked once."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
import stripe
from stripe import StripeClient
from temporalio.exceptions import ApplicationError
from uuid_utils.compat import uuid7

from activities.disputes import DisputeActivities, seen
from activities.refunds import RefundActivities
from domain.disputes import Outcome
from domain.ledger import Account, Bearer, payable
from domain.payees import PayeeKind
from domain.refunds import RefundKind
from local import world as worlds
from local.world import World
from providers.stripe import Stripe
from schema.database import Database
from schema.messages.disputes import Decision, DisputeRef, Standing, Submission
from schema.messages.refund import Begin, GiveBack, RefundAsk, RefundTerms
from schema.queries import disputes, tips
from schema.queries.webhooks import PaidFor
from schema.tables import Dispute
from schema.tables.columns import now
from settings import Settings
from tests.books import booked_events, books
from tests.shortcuts import delivered


@dataclass
class Desk:
    """A delivered order whose payment can be disputed, and what looks after it."""

    database: Database
    world: World
    url: str
    stripe: Stripe
    activities: DisputeActivities
    order_id: UUID
    intent_id: str
    dispute_id: str = ""

    async def dispute(self, **how: Any) -> DisputeRef:
        await self.control("disputes", {"payment_intent": self.intent_id, **how})
        async with httpx.AsyncClient(
            base_url=self.url, headers={"Authorization": "Bearer sk_test_desk"}
        ) as http:
            found = await http.get("/v1/disputes", params={"payment_intent": self.intent_id})
        self.dispute_id = found.json()["data"][0]["id"]
        return DisputeRef(dispute_id=self.dispute_id)

    async def look(self) -> Standing:
        return await self.activities.look_at_dispute(DisputeRef(dispute_id=self.dispute_id))

    async def control(self, path: str, body: dict[str, Any]) -> None:
        async with httpx.AsyncClient(base_url=self.url) as http:
            (await http.post(f"/_control/{path}", json=body)).raise_for_status()

    async def decide(self, outcome: str) -> None:
        await self.control(f"disputes/{self.dispute_id}/decide", {"outcome": outcome})

    async def row(self) -> Dispute:
        async with self.database.read() as session:
            row = await session.get(Dispute, self.dispute_id)
            assert row is not None
            return row

    async def at_stripe(self) -> stripe.Dispute:
        return await self.stripe.dispute(self.dispute_id)

    async def events(self) -> list[str]:
        return (await booked_events(self.database, self.order_id))[2:]

    async def on_books(self) -> dict[str, int]:
        return dict(await books(self.database, self.order_id))


@pytest.fixture
async def desk(database: Database, settings: Settings) -> AsyncIterator[Desk]:
    world = await worlds.settle(database, drivers=1)
    url = settings.stripe_api_base or ""
    key = settings.stripe_api_key.get_secret_value()
    client = StripeClient(key, base_addresses={"api": url})
    order_id, intent_id = await delivered(database, world, client)
    provider = Stripe(key, api_base=url, timeout_seconds=5, max_network_retries=0)
    activities = DisputeActivities(database, provider, timedelta(days=1))
    yield Desk(database, world, url, provider, activities, order_id, intent_id)
    async with httpx.AsyncClient(base_url=url) as http:
        await http.delete("/_control/faults")
    await provider.aclose()


async def test_however_often_it_is_looked_at_each_movement_is_booked_once(desk: Desk) -> None:
    await desk.dispute(reason="product_unacceptable")
    first = await desk.look()
    assert await desk.look() == first
    assert (first.order_id, first.amount_cents) == (desk.order_id, 2660)
    assert first.due_by is not None
    assert first.answer_by == first.due_by - timedelta(days=1)
    await desk.decide("lost")
    assert await desk.look() == await desk.look()

    assert await desk.events() == ["dispute_opened", "dispute_lost"]
    row = await desk.row()
    assert (row.outcome, row.fault) == (Outcome.LOST, Bearer.CHEF)


async def test_an_inquiry_books_nothing_until_it_is_a_dispute(desk: Desk) -> None:
    await desk.dispute(inquiry=True)
    assert (await desk.look()).inquiry
    assert await desk.events() == []

    await desk.decide("escalated")

    assert not (await desk.look()).inquiry
    assert await desk.events() == ["dispute_opened"]


async def test_a_part_of_a_payment_is_lost_with_its_part_of_the_tax(desk: Desk) -> None:
    await desk.dispute(amount=1330, reason="product_unacceptable")
    await desk.decide("lost")
    await desk.look()

    on_books = await desk.on_books()
    assert on_books[Account.TAX_PAYABLE] == -80
    assert on_books[payable(PayeeKind.CHEF, desk.world.chef.id)] == -1601 + 1250
    assert Account.DISPUTE_LOSSES not in on_books


async def test_a_refund_heard_of_after_a_lost_dispute_takes_no_more_than_it_has_left(
    desk: Desk,
) -> None:
    refunds = RefundActivities(desk.database, desk.stripe)
    ask = RefundAsk(
        id=uuid7(),
        order_id=desk.order_id,
        kind=RefundKind.ADMIN,
        asked_by=desk.world.admin.user_id,
        bearer=Bearer.CHEF,
        reason="quality",
        amount_cents=1330,
    )
    await refunds.begin_refund(Begin(ask=ask, terms=RefundTerms(), at=now()))
    await desk.control("faults", {"match": "POST /v1/refunds", "kind": "drop_after"})
    with pytest.raises(stripe.APIConnectionError):
        await refunds.give_back(GiveBack(request_id=ask.id))
    await desk.dispute(amount=1330, reason="product_unacceptable")
    await desk.decide("lost")
    await desk.look()

    await refunds.give_back(GiveBack(request_id=ask.id))

    on_books = await desk.on_books()
    # The dispute took 1250 of the chef's 1601, the refund the rest.
    assert payable(PayeeKind.CHEF, desk.world.chef.id) not in on_books
    assert Account.TAX_PAYABLE not in on_books
    assert on_books[Account.REFUND_LOSSES] == 2660 - 160 - 1601


async def test_food_that_did_not_come_is_the_drivers_without_proof(desk: Desk) -> None:
    await desk.dispute(reason="product_not_received")
    await desk.decide("lost")
    await desk.look()

    assert (await desk.row()).fault is Bearer.DRIVER
    on_books = await desk.on_books()
    assert payable(PayeeKind.DRIVER, desk.world.drivers[0].id) not in on_books
    assert on_books[Account.DISPUTE_LOSSES] == 2660 - 160 - 500


async def test_what_was_seen_before_the_end_and_is_written_after_it_changes_nothing(
    desk: Desk,
) -> None:
    await desk.dispute()
    early = seen(await desk.at_stripe(), PaidFor(desk.order_id))
    await desk.decide("won")
    await desk.look()
    before = await desk.row()

    async with desk.database.write() as session:
        await disputes.note(session, early)

    assert await desk.row() == before
    assert await desk.events() == ["dispute_opened", "dispute_won"]


async def test_a_bank_that_changes_its_mind_takes_the_payees_debt_back(desk: Desk) -> None:
    await desk.dispute(reason="product_unacceptable")
    await desk.decide("lost")
    await desk.look()
    lost = seen(await desk.at_stripe(), PaidFor(desk.order_id))

    async with desk.database.write() as session:
        await disputes.note(session, lost._replace(status="won", reinstated_cents=2660))

    assert await desk.events() == ["dispute_opened", "dispute_lost", "dispute_won", "correction"]
    on_books = await desk.on_books()
    assert on_books[payable(PayeeKind.CHEF, desk.world.chef.id)] == -1601
    assert Account.DISPUTE_LOSSES not in on_books


async def test_evidence_whose_answer_was_lost_is_sent_once(desk: Desk) -> None:
    ref = await desk.dispute()
    await desk.look()
    await desk.control("faults", {"match": "POST /v1/disputes/*", "kind": "drop_after"})

    with pytest.raises(stripe.APIConnectionError):
        await desk.activities.submit_evidence(Submission(dispute_id=ref.dispute_id))
    standing = await desk.activities.submit_evidence(Submission(dispute_id=ref.dispute_id))

    assert (standing.submitted, standing.status) == (True, "under_review")
    assert (await desk.at_stripe()).evidence_details.submission_count == 1


async def test_what_was_sent_is_kept(desk: Desk) -> None:
    ref = await desk.dispute()
    await desk.look()

    await desk.activities.submit_evidence(Submission(dispute_id=ref.dispute_id))

    sent = (await desk.row()).evidence
    assert sent is not None
    at_stripe = (await desk.at_stripe()).evidence
    assert {name: getattr(at_stripe, name) for name in sent} == sent


async def test_a_concession_whose_answer_was_lost_is_made_once(desk: Desk) -> None:
    ref = await desk.dispute()
    await desk.look()
    await desk.control("faults", {"match": "POST /v1/disputes/*", "kind": "drop_after"})

    with pytest.raises(stripe.APIConnectionError):
        await desk.activities.concede_dispute(ref)
    standing = await desk.activities.concede_dispute(ref)

    assert standing.outcome is Outcome.LOST
    assert await desk.events() == ["dispute_opened", "dispute_lost"]


async def test_a_decision_is_written_down_once_by_its_key(desk: Desk) -> None:
    ref = await desk.dispute()
    await desk.look()
    decision = Decision(
        **dict(ref),
        key="1",
        admin_id=desk.world.admin.user_id,
        action="evidence",
        text="he had it",
        fault=Bearer.DRIVER,
    )
    await desk.activities.note_decision(decision)
    await desk.activities.note_decision(decision.model_copy(update={"text": "too late"}))

    row = await desk.row()
    assert (row.evidence_text, row.fault) == ("he had it", Bearer.DRIVER)


async def test_a_dispute_that_stripe_does_not_know_is_refused(desk: Desk) -> None:
    with pytest.raises(ApplicationError) as refused:
        await desk.activities.look_at_dispute(DisputeRef(dispute_id="du_unknown"))

    assert (refused.value.type, refused.value.non_retryable) == ("StripeRefused", True)


async def test_a_dispute_about_no_order_of_ours_is_refused(desk: Desk, settings: Settings) -> None:
    client = StripeClient(
        settings.stripe_api_key.get_secret_value(), base_addresses={"api": desk.url}
    )
    intent = client.v1.payment_intents.create(
        {
            "amount": 500,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
    foreign = replace(desk, intent_id=intent.id)
    ref = await foreign.dispute()

    with pytest.raises(ApplicationError) as refused:
        await desk.activities.look_at_dispute(ref)

    assert (refused.value.type, refused.value.non_retryable) == ("UnknownOrder", True)


async def pay_tip(desk: Desk, cents: int) -> str:
    """Charge a tip at Stripe, and write it down; its payment."""
    intent = await desk.stripe.client.v1.payment_intents.create_async(
        {
            "amount": cents,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
    async with desk.database.write() as session:
        await tips.note_charged(session, desk.order_id, {intent.id: cents})
    return intent.id


@pytest.mark.parametrize(
    ("reason", "fault", "driver", "lost"),
    [
        ("product_not_received", Bearer.DRIVER, -500, 0),
        ("fraudulent", Bearer.PLATFORM, -800, 300),
        ("product_unacceptable", Bearer.PLATFORM, -800, 300),
    ],
)
async def test_a_lost_tip_is_the_drivers_at_his_fault_else_the_platforms(
    desk: Desk, reason: str, fault: Bearer, driver: int, lost: int
) -> None:
    tip = await pay_tip(desk, 300)
    about_tip = replace(desk, intent_id=tip)
    await about_tip.dispute(reason=reason)
    assert (await about_tip.look()).of_tip
    await about_tip.decide("lost")
    await about_tip.look()

    assert (await about_tip.row()).fault is fault
    on_books = await desk.on_books()
    assert on_books[payable(PayeeKind.DRIVER, desk.world.drivers[0].id)] == driver
    assert on_books.get(Account.DISPUTE_LOSSES, 0) == lost
    assert on_books[Account.TAX_PAYABLE] == -160
    async with desk.database.read() as session:
        # The order's own payment is as whole as it was.
        assert await disputes.taken(session, desk.order_id) == 0


async def test_of_a_tip_that_is_disputed_in_part_the_part_is_the_drivers_debt(desk: Desk) -> None:
    about_tip = replace(desk, intent_id=await pay_tip(desk, 300))
    await about_tip.dispute(amount=100, reason="product_not_received")
    await about_tip.decide("lost")
    await about_tip.look()

    assert (await desk.on_books())[payable(PayeeKind.DRIVER, desk.world.drivers[0].id)] == -700


async def test_what_a_bank_holds_is_not_there_to_be_given_back(desk: Desk) -> None:
    async def taken() -> int:
        async with desk.database.read() as session:
            return await disputes.taken(session, desk.order_id)

    assert await taken() == 0
    await desk.dispute(amount=1000)
    await desk.look()
    assert await taken() == 1000
    await desk.decide("won")
    await desk.look()
    assert await taken() == 0
