"""A house of money: real books and a Stripe of its own, where activities are run as Temporal runs
them: again when they fail, again though they worked, and twice at once.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import httpx
import stripe
from redis.asyncio import Redis
from sqlalchemy import make_url, text
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from uuid_utils.compat import uuid7

from activities import heartbeat
from activities.disputes import DisputeActivities
from activities.orders import OrderActivities
from activities.payments import PaymentActivities
from activities.payouts import PayoutActivities
from activities.reconciliation import ReconciliationActivities
from activities.refunds import RefundActivities
from activities.tips import TipActivities
from domain.order_status import Actor, OrderStatus
from local import world as worlds
from local.payees import account_id
from local.people import Wallet
from local.world import World
from providers.kitchen_pages import KitchenPages
from providers.stripe import Stripe
from providers.stripe_balance import PlatformBalance
from providers.stripe_payouts import Payouts
from schema.database import Database
from schema.messages.order import Changes, Order, OrderRef, Transition, Who
from schema.messages.payouts import Terms
from schema.messages.reconciliation import (
    Beginning,
    Finishing,
    Judging,
    PageAsk,
    RunReport,
)
from schema.tables.columns import now
from tests.activities.announcing import announcer
from tests.local.stripe.stripe_harness import SECRET_KEY, Api, Stage
from tests.reconciling import NO_PATIENCE

Answer = TypeVar("Answer")

_MOST_ATTEMPTS = 6
_MOST_REFUSALS = 3


@dataclass(frozen=True)
class Weather:
    """What befalls one act: a fault in one of its requests, and how often it is run."""

    fault: str | None = None
    skip: int = 0
    again: bool = False
    at_once: bool = False


@dataclass
class House:
    """Everything that writes about money, and both places that say how it stands."""

    database: Database
    api: Api
    http: httpx.AsyncClient
    stripe: Stripe
    wallet: Wallet
    world: World
    orders: OrderActivities
    payments: PaymentActivities
    refunds: RefundActivities
    tips: TipActivities
    disputes: DisputeActivities
    payouts: PayoutActivities
    books: ReconciliationActivities
    secrets: dict[UUID, str] = field(default_factory=dict)
    weather: Weather = Weather()
    days: int = 0

    async def control(self, path: str, body: Mapping[str, Any], method: str = "POST") -> None:
        (await self.http.request(method, f"/_control/{path}", json=body)).raise_for_status()

    async def run(
        self,
        step: Callable[[Any], Awaitable[Answer]],
        ask: Callable[[int], Any],
    ) -> Answer | None:
        """Have an activity done in today's weather, `ask` being told how often it was refused;
        None when it was refused for good.
        """
        if self.weather.fault:
            fault = {"match": "* /v1/", "kind": self.weather.fault, "skip": self.weather.skip}
            await self.control("faults", fault)
        copies = 2 if self.weather.at_once else 1
        answers = await asyncio.gather(*(self._until_done(step, ask) for _ in range(copies)))
        await self.control("faults", {}, "DELETE")
        if self.weather.again:
            # Committed, and the worker died before Temporal heard of it.
            await self._until_done(step, ask, attempt=2)
        return answers[0]

    async def _until_done(
        self,
        step: Callable[[Any], Awaitable[Answer]],
        ask: Callable[[int], Any],
        attempt: int = 1,
    ) -> Answer | None:
        for refused in range(_MOST_REFUSALS):
            try:
                return await self._retried(step, ask(refused), attempt)
            except ApplicationError as error:
                if not error.non_retryable:
                    raise
        return None

    async def _retried(
        self, step: Callable[[Any], Awaitable[Answer]], ask: Any, attempt: int
    ) -> Answer:
        notes: list[Any] = []

        async def beating() -> Answer:
            heartbeat._notes.set(notes)
            return await step(ask)

        for number in range(attempt, attempt + _MOST_ATTEMPTS):
            environment = ActivityEnvironment()
            environment.info = replace(environment.info, attempt=number)
            try:
                return await environment.run(beating)
            except stripe.StripeError:
                if number == attempt + _MOST_ATTEMPTS - 1:
                    raise
        raise AssertionError("not reached")

    async def order(self, order_id: UUID) -> Order:
        return await self.orders.load_order(OrderRef(order_id=order_id))

    async def move(self, order: Order, to: OrderStatus, **changes: Any) -> None:
        """Record an order's next step."""
        step = Transition(
            order_id=order.id,
            sequence=order.sequence + 1,
            was=order.status,
            to=to,
            by=Who(role=Actor.STRIPE),
            at=now(),
            changes=Changes(**changes),
        )
        await self.run(self.orders.record_step, lambda _: step)

    def terms(self) -> Terms:
        """The next day's payouts."""
        self.days += 1
        return Terms(
            market="austin",
            day=date(2026, 1, 1) + timedelta(days=self.days),
            currency="usd",
            cut_off=datetime.now(UTC) + timedelta(days=1),
            minimum_cents=1,
        )

    async def reconcile(self) -> RunReport:
        """A whole run, which books the fees."""
        beginning = Beginning(
            id=uuid7(), started_at=datetime(2040, 1, 1, tzinfo=UTC), overlap=timedelta(days=3)
        )
        run = await self.books.begin_reconciliation(beginning)
        ask, seen, until, balance = PageAsk(run=run), 0, None, None
        while True:
            page = await self.books.read_transactions(ask)
            seen, until, balance = seen + page.count, until or page.until, balance or page.balance
            if page.next is None:
                break
            ask = PageAsk(run=run, after=page.next)
        judging = Judging(run=run, patience=NO_PATIENCE)
        await ActivityEnvironment().run(self.books.match_transactions, judging)
        finishing = Finishing(run=run, seen=seen, until=until, balance=balance)
        return await self.books.finish_reconciliation(finishing)

    async def sql(self, statement: str, **values: Any) -> list[Any]:
        """What the tables say, past our own queries."""
        async with self.database.read() as session:
            return list(await session.execute(text(statement), values))

    async def balances(self) -> dict[str, int]:
        """What each account comes to."""
        found = await self.sql("SELECT account, sum(amount_cents) FROM ledger_postings GROUP BY 1")
        return {account: int(cents) for account, cents in found}


@asynccontextmanager
async def money_house(
    server: str, template: str, stage: Stage, folder: Path, redis: Redis
) -> AsyncIterator[House]:
    """A house for one story: a copy of an empty database, and a Stripe that knows nothing yet."""
    name, empty = f"story_{uuid7().hex}", make_url(template)
    await _on(server, f'CREATE DATABASE "{name}" TEMPLATE "{empty.database}"')
    url = empty.set(database=name).render_as_string(hide_password=False)
    with stage.play(folder / f"{name}.sqlite") as api:
        database = Database(url, pool_size=6)
        provider = Stripe(SECRET_KEY, api_base=api.url, timeout_seconds=10, max_network_retries=0)
        world = await worlds.settle(database, drivers=2)
        for payee in (world.chef, *world.drivers):
            api.connected(id=account_id(payee.id))
        wallet = Wallet("pk_test_money", api.url)
        async with httpx.AsyncClient(base_url=api.url) as http:
            yield House(
                database=database,
                api=api,
                http=http,
                stripe=provider,
                wallet=wallet,
                world=world,
                orders=OrderActivities(database, announcer(database, redis), KitchenPages(redis)),
                payments=PaymentActivities(database, provider),
                refunds=RefundActivities(database, provider),
                tips=TipActivities(database, provider),
                disputes=DisputeActivities(database, provider, timedelta(days=1)),
                payouts=PayoutActivities(database, Payouts(provider)),
                books=ReconciliationActivities(database, PlatformBalance(provider)),
            )
        await wallet.close()
        await provider.aclose()
        await database.close()
    await _on(server, f'DROP DATABASE "{name}" WITH (FORCE)')


async def _on(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server)
    await connection.execute(statement)
    await connection.close()
