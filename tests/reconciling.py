"""What tests of reconciliation share: a Stripe and a database of their own, since a run counts
everything that is in either.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import select, text
from sqlmodel import col

from domain.reconciliation import CaseKind, CaseStatus
from local import world as worlds
from schema.database import Database
from schema.messages.reconciliation import Patience, Reconciling, RunReport
from schema.tables import ReconciliationCase
from settings import Settings
from tests.databases import new_database
from tests.local.stripe.stripe_harness import Api, Stage
from tests.workflows.room import Room, engine_room
from workflows.options import PAYOUTS_QUEUE
from workflows.reconciliation import ReconciliationWorkflow

# A test does not wait for webhooks that are never sent.
NO_PATIENCE = Patience(transaction=timedelta(0))

_EVERYTHING = """
    SELECT 'movements', md5(string_agg(m::text, ',' ORDER BY id)) FROM ledger_movements m
    UNION ALL SELECT 'postings', md5(string_agg(p::text, ',' ORDER BY id)) FROM ledger_postings p
    UNION ALL SELECT 'txns', md5(string_agg(t::text, ',' ORDER BY id)) FROM stripe_transactions t
    UNION ALL SELECT 'cases', md5(string_agg(c::text, ',' ORDER BY id)) FROM reconciliation_cases c
    UNION ALL SELECT 'orders', md5(string_agg(o::text, ',' ORDER BY id)) FROM orders o
    UNION ALL SELECT 'told', md5(string_agg(n::text, ',' ORDER BY id)) FROM notifications n
"""


@contextmanager
def own_stripe(folder: Path) -> Iterator[Api]:
    """A Stripe that knows nothing yet."""
    stage = Stage()
    try:
        with stage.play(folder / "stripe.sqlite") as playing:
            yield playing
    finally:
        stage.close()


@asynccontextmanager
async def own_books(server: str) -> AsyncIterator[tuple[str, Database]]:
    """A database with nothing in it, and its address."""
    url = await new_database(server, "ridendine_reconciliation")
    database = Database(url, pool_size=5)
    yield url, database
    await database.close()


def apart(settings: Settings, database_url: str, stripe_url: str) -> Settings:
    """The settings of a worker at those two."""
    return settings.model_copy(update={"database_url": database_url, "stripe_api_base": stripe_url})


async def digest(database: Database) -> Mapping[str, str]:
    """Something that differs when anything has changed that a run could change."""
    async with database.read() as session:
        return {row[0]: row[1] for row in await session.execute(text(_EVERYTHING))}


async def cases(database: Database) -> list[ReconciliationCase]:
    """All cases, the first first."""
    async with database.read() as session:
        found = await session.scalars(
            select(ReconciliationCase).order_by(col(ReconciliationCase.id))
        )
        return list(found)


async def kinds(database: Database) -> list[tuple[CaseKind, CaseStatus]]:
    """What cases there are, and where they stand, the first first."""
    return [(case.kind, case.status) for case in await cases(database)]


@dataclass
class Bureau:
    """A room with its own Stripe and books, where they are held against each other."""

    room: Room
    api: Api
    database: Database

    async def reconcile(
        self, *, patience: Patience = NO_PATIENCE, pages_per_history: int = 200
    ) -> RunReport:
        """Run once, to its end."""
        handle = await self.room.client.start_workflow(
            ReconciliationWorkflow.run,
            Reconciling(patience=patience, pages_per_history=pages_per_history),
            id=f"reconciliation-{uuid4()}",
            task_queue=PAYOUTS_QUEUE,
        )
        # Nobody's deadline passes meanwhile.
        with self.room.env.auto_time_skipping_disabled():
            return await handle.result()


@asynccontextmanager
async def bureau_at(
    server: str,
    settings: Settings,
    folder: Path,
    *,
    cached_workflows: int,
    interceptors: Sequence[Any] = (),
) -> AsyncIterator[Bureau]:
    """A room with one driver, and a Stripe and books that no other test uses."""
    with own_stripe(folder) as api:
        async with own_books(server) as (url, database):
            world = await worlds.settle(database, drivers=1)
            own = apart(settings, url, api.url)
            async with engine_room(
                own, database, world, cached_workflows=cached_workflows, interceptors=interceptors
            ) as room:
                yield Bureau(room, api, database)


def figures(report: RunReport) -> tuple[int, int | None, int]:
    """What is on stripe_clearing, what is at Stripe, and what of it is explained by what is open;
    in cents.
    """
    (usd,) = report.balances
    return usd.clearing_cents, usd.stripe_cents, usd.unmatched_cents
