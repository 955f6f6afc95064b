"""kill -9 of the worker at every boundary of every activity of a payout run: each payee is paid
once, and the books say so to the cent.

The boundaries are counted in a run in which nobody dies; then there is a run for each, with
payees, books and a worker of its own, whose worker dies there.
"""

import asyncio
import multiprocessing
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy import make_url, select
from sqlmodel import col
from stripe import StripeClient
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from uuid_utils.compat import uuid7

from activities.payouts import PayoutActivities
from domain.ledger import Account, payable
from domain.payees import PayeeKind
from domain.payouts import Outcome, PayoutStatus
from local import world as worlds
from local.people import Wallet, until
from local.servers import TEMPORAL_TUNING, program
from local.world import Somebody
from schema.database import Database
from schema.messages.payouts import PayoutChanged
from schema.tables import LedgerPosting, PayoutItem
from settings import Settings
from tests.databases import new_database
from tests.journeys.doomed_worker import work
from tests.local.stripe.stripe_harness import SECRET_KEY, Api, process
from tests.workflows.counting_house import CHEF, DRIVER, TODAY, CountingHouse, outcomes
from tests.workflows.room import Room
from workflows.payout import PayoutWorkflow

S = PayoutStatus

# So many runs at once: what a dead worker held is given to another after ten seconds.
LANES = 19
# With so many on a busy machine, a run may be slow to come to its boundary.
PATIENCE_SECONDS = 240
# Of a payout run and its payouts: what moves money, and what finds and tells.
KINDS = {
    activity.__name__
    for activity in (
        PayoutActivities.payees_due,
        PayoutActivities.claim_payout,
        PayoutActivities.make_transfer,
        PayoutActivities.pay_out,
        PayoutActivities.look_at_payout,
        PayoutActivities.fetch_back,
        PayoutActivities.tell_payout_trouble,
    )
}
OWED = (1601, 500, 700)

# Workers are forked from a process that has imported everything and runs nothing.
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload([work.__module__])


class Quick(Api):
    """Stripe over connections that stay, its answers taken as they are: whatever else its own tests
    do with it would cost more here than all the payouts.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._http = httpx.Client(base_url=f"{url}/_control/")
        self._stripe = StripeClient(SECRET_KEY, base_addresses={"api": url})

    def client(self, key: str = SECRET_KEY, **options: Any) -> StripeClient:
        assert (key, options) == (SECRET_KEY, {})
        return self._stripe

    def control(self, method: str, path: str, body: Any = None) -> Any:
        response = self._http.request(method, path, json=body)
        response.raise_for_status()
        return response.json()

    def close(self) -> None:
        self._http.close()


@dataclass
class Lane:
    """A namespace, in which one run after another takes place, with books of its own each time."""

    settings: Settings
    stripe: Api
    template: str
    address: str
    namespace: str
    logs: Path

    @asynccontextmanager
    async def house(self) -> AsyncIterator[CountingHouse]:
        """A counting house with a chef, a driver whose bank refuses, and one with a bad account."""
        url = await _copy(self.settings.database_url, self.template)
        database = Database(url, pool_size=1)
        world = await worlds.settle(database, drivers=2)
        client = await Client.connect(
            self.address, namespace=self.namespace, data_converter=pydantic_data_converter
        )
        room = Room(
            WorkflowEnvironment.from_client(client),
            client,
            database,
            self.stripe.client(),
            self.stripe.url,
            Wallet("pk_test_room", self.stripe.url),
            world,
            self.settings,
        )
        house = CountingHouse(room, self.stripe, world)
        house.open_account(*_payees(house))
        for (kind, payee), cents in zip(_everybody(house), OWED, strict=True):
            await house.owe(kind, payee, cents)
        house.bank(world.drivers[0], "failed")
        house.bank(world.drivers[1], "held")
        house.holder_is(world.drivers[1], "restricted")
        try:
            yield house
        finally:
            await room.wallet.close()
            await database.close()

    @contextmanager
    def worker(self, house: CountingHouse, log: str, dies: str | None) -> Iterator[BaseProcess]:
        """A worker process."""
        url = house.database.engine.url.set(drivername="postgresql")
        settings = self.settings.model_copy(
            update={
                "database_url": url.render_as_string(hide_password=False),
                "database_pool_size": 2,
                "stripe_api_base": self.stripe.url,
            }
        )
        environment = {"TEMPORAL_ADDRESS": self.address, "TEMPORAL_NAMESPACE": self.namespace}
        process = _forks.Process(target=work, args=(settings, environment, self.logs / log, dies))
        process.start()
        try:
            yield process
        finally:
            process.kill()
            process.join()

    def seen(self, log: str) -> list[str]:
        """The boundaries that a worker has come to."""
        return (self.logs / log).read_text().splitlines()

    async def count(self) -> list[str]:
        """The boundaries of a run in which nobody dies."""
        async with self.house() as house:
            with self.worker(house, "nobody", None):
                await _pay(house)
                boundaries = self.seen("nobody")
                await _is_exact(house)
        return boundaries

    async def survive(self, boundary: str) -> None:
        """A run whose worker dies at a boundary, and another one takes over."""
        async with self.house() as house:

            async def two_workers() -> None:
                with self.worker(house, boundary, boundary) as doomed:
                    await until(lambda: _is_dead(doomed), within=PATIENCE_SECONDS)
                    assert doomed.exitcode == -signal.SIGKILL
                    assert self.seen(boundary)[-1] == boundary
                with self.worker(house, f"{boundary}, its heir", None):
                    await asyncio.Event().wait()

            working = asyncio.create_task(two_workers())
            paying = asyncio.create_task(_pay(house))
            try:
                await asyncio.wait({working, paying}, return_when=asyncio.FIRST_COMPLETED)
                if working.done():
                    working.result()
                paying.result()
                assert (self.logs / f"{boundary}, its heir").exists(), "nobody died"
                await _is_exact(house)
            finally:
                for task in (working, paying):
                    task.cancel()
                await asyncio.wait({working, paying})


@pytest.mark.timeout(600)
async def test_wherever_the_worker_dies_everybody_is_paid_once(lanes: list[Lane]) -> None:
    boundaries = await lanes[0].count()
    assert {boundary.split()[1] for boundary in boundaries} == KINDS
    assert len(set(boundaries)) == len(boundaries) == 2 * 19

    todo = iter(boundaries)

    async def along(lane: Lane) -> None:
        for boundary in todo:
            try:
                await lane.survive(boundary)
            except Exception as error:
                error.add_note(f"The worker had died {boundary}.")
                raise

    async with asyncio.TaskGroup() as tasks:
        for lane in lanes:
            tasks.create_task(along(lane))


@pytest.fixture
async def lanes(settings: Settings, tmp_path: Path) -> AsyncIterator[list[Lane]]:
    """Lanes on one Temporal, one Stripe and one PostgreSQL."""
    names = [f"lane-{number}" for number in range(LANES)]
    template = f"payout_kill_{uuid7().hex}"
    await new_database(settings.database_url, template)
    with process(tmp_path / "stripe.sqlite") as (stripe, _):
        stripe.fund(10_000_000)
        async with await WorkflowEnvironment.start_local(
            dev_server_existing_path=program("temporal"),
            dev_server_extra_args=[
                *(part for name in names for part in ("--namespace", name)),
                *(part for said in TEMPORAL_TUNING for part in ("--dynamic-config-value", said)),
            ],
            dev_server_log_level="error",
        ) as env:
            address = env.client.service_client.config.target_host
            with closing(Quick(stripe.url)) as quick:
                yield [Lane(settings, quick, template, address, name, tmp_path) for name in names]


async def _copy(server: str, template: str) -> str:
    name = f"payout_kill_{uuid7().hex}"
    connection = await asyncpg.connect(server)
    await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    await connection.close()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


async def _is_dead(process: BaseProcess) -> bool:
    return not process.is_alive()


def _everybody(house: CountingHouse) -> list[tuple[PayeeKind, Somebody]]:
    return [(CHEF, house.world.chef), *((DRIVER, driver) for driver in house.world.drivers)]


def _payees(house: CountingHouse) -> list[Somebody]:
    return [payee for _, payee in _everybody(house)]


async def _pay(house: CountingHouse) -> None:
    """One payee after the other, so that it is always the same boundaries that are come to."""
    chef, refused, restricted = _payees(house)
    progress = await house.run(parallel=1)
    assert progress.begun == len(OWED)
    await house.hear(chef)
    await _comes_to(house, chef, S.PAID)
    await house.hear(refused)
    await _comes_to(house, refused, S.FAILED)
    # The news that lets a payout try again also lets it ask how it stands.
    house.holder_is(restricted, "finished")
    handle = house.room.client.get_workflow_handle(f"payout-{restricted.id}-{TODAY}")
    await handle.signal(PayoutWorkflow.payout_changed, PayoutChanged(payout_id="po_none_yet"))
    await until(lambda: _has_looked(house, restricted), within=PATIENCE_SECONDS)
    house.bank_decides((await house.payouts(restricted))[0], "paid")
    await house.hear(restricted)
    await _comes_to(house, restricted, S.PAID)
    await handle.result()


async def _comes_to(house: CountingHouse, payee: Somebody, status: PayoutStatus) -> None:
    async def has() -> bool:
        return [payout.status for payout in await house.payouts(payee)] == [status]

    await until(has, within=PATIENCE_SECONDS)
    await house.room.client.get_workflow_handle(f"payout-{payee.id}-{TODAY}").result()


async def _has_looked(house: CountingHouse, payee: Somebody) -> bool:
    """Whether a payout has asked Stripe how it stands, and knows."""
    handle = house.room.client.get_workflow_handle(f"payout-{payee.id}-{TODAY}")
    events = (await handle.fetch_history()).events
    done = {event.activity_task_completed_event_attributes.scheduled_event_id for event in events}
    look = PayoutActivities.look_at_payout.__name__
    return any(
        event.activity_task_scheduled_event_attributes.activity_type.name == look
        and event.event_id in done
        for event in events
    )


async def _is_exact(house: CountingHouse) -> None:
    """Stripe, the books and the payouts agree; and whoever starts the run again pays nobody."""
    chef, refused, restricted = payees = _payees(house)
    paid, gone, late = OWED

    def at_stripe() -> list[tuple[list[tuple[int, int]], list[tuple[int, str]]]]:
        return [(house.transfers(payee), house.sent(payee)) for payee in payees]

    once = [
        ([(paid, 0)], [(paid, "paid")]),
        ([(gone, gone)], [(gone, "failed")]),
        ([(late, 0)], [(late, "paid")]),
    ]
    assert at_stripe() == once
    assert [await house.owed(kind, payee) for kind, payee in _everybody(house)] == [0, gone, 0]
    assert await house.balance(Account.PAYOUTS_IN_TRANSIT) == 0
    assert await house.balance(Account.STRIPE_CLEARING) == -(paid + late)
    assert [await _items(house, kind, payee) for kind, payee in _everybody(house)] == [
        [False],
        [True],
        [False],
    ]
    assert len(await house.told(chef)) == len(await house.told(refused)) == 1
    stuck = [words for words in await house.told(house.world.admin) if "does not get on" in words]
    assert len(stuck) == 1
    assert [p.status for p in await house.payouts(restricted)] == [S.PAID]

    again = await house.run()
    assert outcomes(again) == {Outcome.FAILED: 1}
    assert at_stripe() == once


async def _items(house: CountingHouse, kind: PayeeKind, payee: Somebody) -> list[bool]:
    """For each posting that is in a payout, as often as it is: whether it was released again."""
    async with house.database.read() as session:
        found = await session.scalars(
            select(col(PayoutItem.released_at).is_not(None))
            .join(LedgerPosting, col(LedgerPosting.id) == col(PayoutItem.posting_id))
            .where(col(LedgerPosting.account) == payable(kind, payee.id))
        )
        return list(found)
