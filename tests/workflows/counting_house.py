"""A counting house: an engine room with a Stripe and books of its own, where payees are paid."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col
from temporalio.client import WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer
from uuid_utils.compat import uuid7

from domain import ledger as rules
from domain.ledger import Account, Event, Movement, Posting, payable
from domain.payees import PayeeKind
from local import world as worlds
from local.payees import account_id
from local.people import until
from local.world import Somebody, World
from schema.database import Database
from schema.messages.payouts import (
    Hold,
    PayoutChanged,
    PayoutStart,
    PayoutView,
    Progress,
    RunStart,
    Terms,
)
from schema.queries import ledger
from schema.tables import LedgerPosting, Notification, Payout
from settings import Settings
from tests.databases import new_database
from tests.local.stripe.stripe_harness import Api
from tests.workflows.room import Room, engine_room
from workflows.options import PAYOUTS_QUEUE
from workflows.payout import PayoutWorkflow
from workflows.payout_run import PayoutRunWorkflow

TODAY = date(2026, 11, 21)
CHEF, DRIVER = PayeeKind.CHEF, PayeeKind.DRIVER


@dataclass
class CountingHouse:
    """Payees, what is owed to them, and the levers to pay them."""

    room: Room
    stripe: Api
    world: World

    @property
    def database(self) -> Database:
        return self.room.database

    def terms(self, day: date = TODAY, minimum_cents: int = 100) -> Terms:
        return Terms(
            market="austin",
            day=day,
            currency="usd",
            cut_off=datetime.now(UTC) + timedelta(days=1),
            minimum_cents=minimum_cents,
        )

    def open_account(self, *payees: Somebody) -> None:
        """Let Stripe know of the accounts that our tables name."""
        for payee in payees:
            self.stripe.connected(id=account_id(payee.id))

    def fund(self, cents: int) -> None:
        """Let the platform have so much more at Stripe."""
        self.stripe.fund(cents)

    async def owe(self, kind: PayeeKind, payee: Somebody, cents: int) -> None:
        """Book something that a payee has earned; below nothing, a debt."""
        async with self.database.write() as session:
            await ledger.book(
                session,
                Movement(
                    key=f"test:{uuid7()}",
                    event=Event.EARNED,
                    currency="usd",
                    postings=(
                        Posting(Account.SUSPENSE, cents),
                        Posting(payable(kind, payee.id), -cents),
                    ),
                ),
            )

    async def begin_run(self, **changes: Any) -> WorkflowHandle[PayoutRunWorkflow, Progress]:
        """Start a run for today."""
        terms = changes.pop("terms", self.terms())
        return await self.room.client.start_workflow(
            PayoutRunWorkflow.run,
            RunStart(terms=terms, **changes),
            id=f"payout-run-{terms.day}-{terms.market}",
            task_queue=PAYOUTS_QUEUE,
        )

    async def run(self, *, time_passes: bool = False, **changes: Any) -> Progress:
        """A whole run; unless time passes in it, whoever waits for a bank then waits still."""
        handle = await self.begin_run(**changes)
        if time_passes:
            return await handle.result()
        with self.room.env.auto_time_skipping_disabled():
            return await handle.result()

    async def begin(
        self, kind: PayeeKind, payee: Somebody, terms: Terms | None = None
    ) -> WorkflowHandle[PayoutWorkflow, PayoutView]:
        """Start the payout of one payee, and wait until it has claimed what is owed."""
        terms = terms or self.terms()
        return await self.room.client.start_workflow(
            PayoutWorkflow.run,
            PayoutStart(terms=terms, kind=kind, payee_id=payee.id),
            id=f"payout-{payee.id}-{terms.day}",
            task_queue=PAYOUTS_QUEUE,
        )

    async def bank_has_decided(self, payee: Somebody) -> None:
        """Wait until a payee's bank has said yes or no to what was sent to it."""

        async def has_decided() -> bool:
            sent = self.sent(payee)
            return bool(sent) and all(status in {"paid", "failed"} for _, status in sent)

        await until(has_decided)

    async def hear(self, payee: Somebody, day: date = TODAY) -> None:
        """Tell a payout what Stripe's webhook would, once the bank has decided.

        One that is over is taken up again.
        """
        await self.bank_has_decided(payee)
        await self.room.client.start_workflow(
            PayoutWorkflow.run,
            PayoutStart(terms=self.terms(day), kind=CHEF, payee_id=payee.id),
            id=f"payout-{payee.id}-{day}",
            task_queue=PAYOUTS_QUEUE,
            start_signal=PayoutWorkflow.payout_changed.__name__,
            start_signal_args=[PayoutChanged(payout_id="po_of_the_event")],
        )

    def hold(self, payee: Somebody, *, held: bool) -> Hold:
        return Hold(
            kind=CHEF,
            payee_id=payee.id,
            admin_id=self.world.admin.user_id,
            reason="looks odd",
            held=held,
            key=str(uuid7()),
        )

    async def balance(self, account: str) -> int:
        """What an account of ours comes to."""
        async with self.database.read() as session:
            found = await session.scalar(
                select(func.coalesce(func.sum(LedgerPosting.amount_cents), 0)).where(
                    col(LedgerPosting.account) == account
                )
            )
            return int(found or 0)

    async def owed(self, kind: PayeeKind, payee: Somebody) -> int:
        """What is owed to a payee."""
        return -await self.balance(payable(kind, payee.id))

    async def payouts(self, payee: Somebody) -> list[Payout]:
        """A payee's payouts, the first first."""
        async with self.database.read() as session:
            found = await session.scalars(
                select(Payout).where(col(Payout.payee_id) == payee.id).order_by(col(Payout.day))
            )
            return list(found)

    async def told(self, user: Somebody) -> list[str]:
        """What a person was told, the first message first."""
        async with self.database.read() as session:
            found = await session.scalars(
                select(col(Notification.message))
                .where(col(Notification.user_id) == user.user_id)
                .order_by(col(Notification.id))
            )
            return list(found)

    async def replay(self) -> None:
        """Replay the histories of all payouts: nothing in them is left to chance.

        (Without a workflow cache, which shows the same, the SDK starts a child and its parent's
        next task at once, and one of them waits until it times out.)
        """
        async with self.database.read() as session:
            paid = (await session.scalars(select(Payout))).all()
        ids = [f"payout-{payout.payee_id}-{payout.day}" for payout in paid]
        replayer = Replayer(
            workflows=[PayoutWorkflow, PayoutRunWorkflow], data_converter=pydantic_data_converter
        )
        for workflow_id in ids:
            handle = self.room.client.get_workflow_handle(workflow_id)
            await replayer.replay_workflow(await handle.fetch_history())

    def transfers(self, payee: Somebody) -> list[tuple[int, int]]:
        """What Stripe has moved to a payee's account: cents, and cents fetched back."""
        found = self.stripe.client().v1.transfers.list({"destination": account_id(payee.id)})
        return [(transfer.amount, transfer.amount_reversed) for transfer in found.data]

    def sent(self, payee: Somebody) -> list[tuple[int, str]]:
        """What Stripe has sent to a payee's bank, and how it stands."""
        found = self.stripe.client().v1.payouts.list({}, {"stripe_account": account_id(payee.id)})
        return [(payout.amount, payout.status) for payout in found.data]

    def bank(self, payee: Somebody, outcome: str) -> None:
        """Decide what a payee's bank does with what is sent from now on."""
        path = f"accounts/{account_id(payee.id)}/payouts"
        self.stripe.control("POST", path, {"outcome": outcome})

    def holder_is(self, payee: Somebody, outcome: str) -> None:
        """Have the holder of an account satisfy Stripe, or not."""
        self.stripe.control("POST", f"accounts/{account_id(payee.id)}", {"outcome": outcome})

    def bank_decides(self, payout: Payout, outcome: str) -> None:
        """Have a bank decide about one payout."""
        self.stripe.control(
            "POST", f"payouts/{payout.stripe_payout_id}/settle", {"outcome": outcome}
        )


@asynccontextmanager
async def counting_house(
    settings: Settings, stripe: Api, *, drivers: int = 1
) -> AsyncIterator[CountingHouse]:
    """A counting house for one test, with one chef and so many drivers whom Stripe knows."""
    url = await new_database(settings.database_url, f"counting_house_{uuid7().hex}")
    own = settings.model_copy(update={"database_url": url, "stripe_api_base": stripe.url})
    database = Database(url, pool_size=3)
    world = await worlds.settle(database, drivers=drivers)
    async with engine_room(own, database, world, cached_workflows=1000) as room:
        house = CountingHouse(room, stripe, world)
        house.open_account(world.chef, *world.drivers)
        yield house
    await database.close()


def in_transit(payout_id: UUID, cents: int) -> Movement:
    """What is booked when a payout's transfer is made."""
    return rules.transferred(payout_id, cents, "usd", f"tr_{payout_id.hex}")


def outcomes(progress: Progress) -> Mapping[str, int]:
    """What became of whom in a run."""
    return {outcome.value: number for outcome, number in progress.outcomes.items()}
