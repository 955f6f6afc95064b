"""Reconciliation's steps, repeated as after a crash that came between commit and answer."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.testing import ActivityEnvironment
from uuid_utils.compat import uuid7

from activities.reconciliation import ReconciliationActivities
from domain import ledger as rules
from domain.ledger import Sale
from domain.pricing import Rates, price
from local import world as worlds
from providers.stripe import Stripe
from providers.stripe_balance import PlatformBalance
from schema.database import Database
from schema.messages.reconciliation import (
    Beginning,
    Finishing,
    Judging,
    PageAsk,
    Run,
    RunReport,
)
from schema.queries import ledger, reconciliation
from settings import Settings
from tests.local.stripe.stripe_harness import SECRET_KEY, Api
from tests.reconciling import NO_PATIENCE, digest, own_books, own_stripe

STARTED = datetime(2040, 1, 1, tzinfo=UTC)


@dataclass
class Desk:
    """The activities, and both sides that they compare."""

    activities: ReconciliationActivities
    database: Database
    api: Api

    async def begin(self, days: int = 0) -> Run:
        beginning = Beginning(
            id=uuid7(), started_at=STARTED + timedelta(days=days), overlap=timedelta(days=3)
        )
        return await self.activities.begin_reconciliation(beginning)

    async def match(self, run: Run) -> None:
        judging = Judging(run=run, patience=NO_PATIENCE)
        await ActivityEnvironment().run(self.activities.match_transactions, judging)

    async def charge(self, cents: int = 2660) -> None:
        """A payment that is charged, and booked for an order that is none of the database's."""
        paid = self.api.paid(cents)
        sale = Sale(uuid4(), uuid4(), None, price([(1000, 2)], Rates(), 2.0))
        captured = rules.captured(sale, cents, paid.id)
        async with self.database.write() as session:
            await ledger.book(session, replace(captured, order_id=None))

    async def clearing(self) -> int:
        async with self.database.read() as session:
            sums = await reconciliation.sums(session)
        return sums["usd"].clearing


@pytest.fixture
async def desk(
    environment: Mapping[str, str], settings: Settings, tmp_path: Path
) -> AsyncIterator[Desk]:
    """Activities at a Stripe and at books that no other test uses."""
    with own_stripe(tmp_path) as api:
        async with own_books(environment["DATABASE_URL"]) as (_, database):
            await worlds.settle(database)
            stripe = Stripe(
                SECRET_KEY,
                api_base=api.url,
                timeout_seconds=settings.stripe_timeout_seconds,
                max_network_retries=0,
            )
            balance = PlatformBalance(stripe)
            yield Desk(ReconciliationActivities(database, balance), database, api)
            await stripe.aclose()


async def test_a_page_that_is_read_again_after_its_commit_is_stored_once(desk: Desk) -> None:
    await desk.charge()
    run = await desk.begin()

    first = await desk.activities.read_transactions(PageAsk(run=run))
    before = await digest(desk.database)
    again = await desk.activities.read_transactions(PageAsk(run=run))

    assert again == first
    assert (first.count, first.next) == (1, None)
    assert first.balance is not None
    assert first.balance.cents == {"usd": 2660 - 107}
    assert await digest(desk.database) == before


async def test_matching_that_is_repeated_after_its_commit_books_each_fee_once(desk: Desk) -> None:
    for _ in range(3):
        await desk.charge()
    desk.api.paid(1000)
    run = await desk.begin()
    await desk.activities.read_transactions(PageAsk(run=run))

    await desk.match(run)
    before = await digest(desk.database)
    await desk.match(run)

    assert await digest(desk.database) == before
    assert await desk.clearing() == 3 * (2660 - 107)


async def test_two_workers_that_match_at_once_book_each_fee_once(desk: Desk) -> None:
    for _ in range(5):
        await desk.charge()
    run = await desk.begin()
    await desk.activities.read_transactions(PageAsk(run=run))

    await asyncio.gather(*(desk.match(run) for _ in range(4)))

    assert await desk.clearing() == 5 * (2660 - 107)


async def test_a_report_that_is_made_again_says_the_same_and_tells_ops_once(desk: Desk) -> None:
    await desk.charge()
    desk.api.paid(1000)
    run = await desk.begin()
    page = await desk.activities.read_transactions(PageAsk(run=run))
    await desk.match(run)
    finishing = Finishing(run=run, seen=page.count, until=page.until, balance=page.balance)

    first = await desk.activities.finish_reconciliation(finishing)
    before = await digest(desk.database)
    again = await desk.activities.finish_reconciliation(finishing)

    assert again == first
    assert (first.seen, first.matched, first.opened) == (2, 1, 1)
    assert await digest(desk.database) == before


async def run_whole(desk: Desk, days: int) -> RunReport:
    run = await desk.begin(days)
    page = await desk.activities.read_transactions(PageAsk(run=run))
    await desk.match(run)
    return await desk.activities.finish_reconciliation(
        Finishing(run=run, seen=page.count, until=page.until, balance=page.balance)
    )


async def test_the_next_run_reads_from_the_end_of_the_last_one_less_the_overlap(
    desk: Desk,
) -> None:
    await desk.charge()
    first = await run_whole(desk, 1)
    desk.api.control("POST", "clock", {"advance_seconds": 10 * 24 * 3600})
    await desk.charge()
    second = await run_whole(desk, 2)
    third = await run_whole(desk, 3)

    assert first.run.since is None
    assert first.until is not None
    assert second.run.since == first.until - timedelta(days=3)
    assert (first.seen, second.seen, third.seen) == (1, 2, 1)
    for report in (first, second, third):
        assert report.balances[0].difference_cents == 0


async def test_a_run_that_never_ended_leaves_its_part_to_the_next(desk: Desk) -> None:
    await desk.charge()
    died = await desk.begin(1)
    await desk.activities.read_transactions(PageAsk(run=died))

    following = await run_whole(desk, 2)

    assert following.run.since is None
    assert (following.seen, following.matched) == (1, 1)


async def test_a_balance_that_never_rests_is_not_compared(desk: Desk) -> None:
    await desk.charge()
    run = await desk.begin()
    await desk.activities.read_transactions(PageAsk(run=run))
    await desk.match(run)

    report = await desk.activities.finish_reconciliation(
        Finishing(run=run, seen=1, until=None, balance=None)
    )

    (usd,) = report.balances
    assert (usd.currency, usd.stripe_cents, usd.difference_cents) == ("usd", None, 0)
    assert report.opened == 0
    assert usd.clearing_cents == await desk.clearing() == 2660 - 107
