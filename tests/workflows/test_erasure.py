"""The end of an account: the time of grace, what is open is finished first, and whoever dies in the
midst of it is followed by another who comes to the same end.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col
from temporalio import activity, client, worker
from temporalio.client import WithStartWorkflowOperation, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from domain.ledger import Bearer
from domain.order_status import OrderStatus
from domain.refunds import RefundKind, RequestStatus
from local import world as worlds
from local.people import until
from local.world import Somebody
from providers.storage import NotKept, Storage
from schema.database import Database
from schema.messages.dispatch import Delivery, DriverCommand
from schema.messages.erasure import Ending, ErasureStart, ErasureTerms
from schema.tables import AccountDeletion, Chef, RefundRequest, User, UserProfile
from settings import Settings
from tests.workflows.room import Room, by_driver, engine_room, moment
from workflows.erasure import ErasureWorkflow
from workflows.options import PAYOUTS_QUEUE
from workflows.order import OrderWorkflow

TERMS = ErasureTerms()
A_DAY = timedelta(days=1)


@dataclass
class Leaver:
    """Somebody who ends his account."""

    room: Room
    who: Somebody
    terms: ErasureTerms = TERMS

    def _start(self, *, asked: bool) -> WithStartWorkflowOperation[ErasureWorkflow, None]:
        return WithStartWorkflowOperation(
            ErasureWorkflow.run,
            ErasureStart(user_id=self.who.user_id, terms=self.terms, asked=asked),
            id=f"erasure-{self.who.user_id}",
            task_queue=PAYOUTS_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        )

    @property
    def handle(self) -> WorkflowHandle[ErasureWorkflow, None]:
        return self.room.client.get_workflow_handle_for(
            ErasureWorkflow.run, f"erasure-{self.who.user_id}"
        )

    async def ends(self) -> Ending | None:
        """As `DELETE /users/me` has it."""
        ending: Ending | None = await self.room.client.execute_update_with_start_workflow(
            ErasureWorkflow.ask, start_workflow_operation=self._start(asked=True)
        )
        return ending

    async def takes_back(self) -> bool:
        """As `POST /users/me/restore` has it."""
        back: bool = await self.room.client.execute_update_with_start_workflow(
            ErasureWorkflow.take_back, start_workflow_operation=self._start(asked=False)
        )
        return back

    async def row(self) -> AccountDeletion | None:
        async with self.room.database.read() as session:
            return await session.get(AccountDeletion, self.who.user_id)

    async def user(self) -> User:
        async with self.room.database.read() as session:
            return await session.get_one(User, self.who.user_id)

    async def is_closed(self) -> None:
        async def look() -> bool:
            row = await self.row()
            return row is not None and row.closed_at is not None

        await until(look)

    async def is_erased(self) -> bool:
        return not (await self.user()).email.endswith("@example.com")


@pytest.fixture
def leaver(room: Room) -> Leaver:
    return Leaver(room, room.world.customer)


async def test_an_account_ends_after_the_time_of_grace_and_not_before(leaver: Leaver) -> None:
    ending = await leaver.ends()
    assert ending is not None
    assert ending.erase_at - ending.requested_at == TERMS.grace

    await leaver.room.env.sleep(TERMS.grace - A_DAY)
    assert (await leaver.user()).is_active
    assert not await leaver.is_erased()

    await leaver.room.env.sleep(A_DAY + TERMS.settle + timedelta(minutes=1))
    await leaver.handle.result()
    user = await leaver.user()
    assert user.email == f"erased-{user.id}@erased.invalid"
    assert (user.is_active, user.password_hash) == (False, None)


async def test_who_asks_twice_has_one_end(leaver: Leaver) -> None:
    first = await asyncio.gather(*(leaver.ends() for _ in range(5)))

    await leaver.room.env.sleep(A_DAY)

    assert {*first, await leaver.ends()} == {first[0]}


async def test_an_account_that_was_had_back_goes_on(leaver: Leaver) -> None:
    await leaver.ends()
    await leaver.room.env.sleep(TERMS.grace - A_DAY)

    assert await leaver.takes_back()

    await leaver.handle.result()
    assert await leaver.row() is None
    await leaver.room.env.sleep(2 * A_DAY)
    assert (await leaver.user()).is_active
    assert not await leaver.is_erased()
    # And it can end again, from then on.
    again = await leaver.ends()
    assert again is not None
    assert again.requested_at >= await moment(leaver.room.env) - timedelta(minutes=5)


async def test_nothing_is_had_back_that_was_not_to_end(leaver: Leaver) -> None:
    assert not await leaver.takes_back()

    await leaver.handle.result()
    assert await leaver.row() is None


async def test_nothing_is_had_back_once_it_is_closed(leaver: Leaver) -> None:
    await leaver.ends()
    await leaver.room.env.sleep(TERMS.grace + timedelta(minutes=1))
    await leaver.is_closed()

    assert not await leaver.takes_back()

    assert not (await leaver.user()).is_active


async def test_an_end_whose_run_was_ended_is_taken_up_where_it_was(leaver: Leaver) -> None:
    ending = await leaver.ends()
    await leaver.handle.terminate()

    assert await leaver.ends() == ending
    await leaver.handle.terminate()
    assert await leaver.takes_back()

    assert await leaver.row() is None


# With an order under way every minute is worked through.
SOON = ErasureTerms(
    grace=timedelta(minutes=3), look_again=timedelta(minutes=2), settle=timedelta(minutes=2)
)


@pytest.mark.parametrize("whose", ["customer", "chef", "driver"])
async def test_what_is_open_is_finished_first(room: Room, whose: str) -> None:
    driver = room.world.drivers[0]
    who = {"customer": room.world.customer, "chef": room.world.chef, "driver": driver}[whose]
    leaver = Leaver(room, who, SOON)
    run = await room.begin()
    await run.cook()
    await run.take(driver)
    await run.drive(driver, to=OrderStatus.PICKED_UP)

    await leaver.ends()
    await room.env.sleep(SOON.grace + 2 * SOON.look_again)
    assert (await leaver.user()).is_active
    assert not await leaver.is_erased()

    word = DriverCommand(by=by_driver(driver), driver_id=driver.id)
    await run.ask(OrderWorkflow.in_transit, word)
    await run.ask(OrderWorkflow.deliver, Delivery(**dict(word), proof={"note": "at the door"}))
    await room.env.sleep(SOON.look_again + SOON.settle + timedelta(minutes=1))
    await leaver.handle.result()
    assert await leaver.is_erased()
    assert (await run.row()).total_cents == run.placing.order.price.total_cents


async def test_a_complaint_that_waits_is_decided_first(room: Room, database: Database) -> None:
    leaver = Leaver(room, room.world.customer, SOON)
    run = await room.begin()
    await run.cook()
    await run.deliver(room.world.drivers[0])
    async with database.write() as session:
        asked = RefundRequest(
            order_id=run.placing.order.id,
            kind=RefundKind.COMPLAINT,
            asked_by=leaver.who.user_id,
            amount_cents=100,
            tax_cents=0,
            reason="quality",
            note="cold",
            bearer=Bearer.CHEF,
            status=RequestStatus.ASKED,
        )
        session.add(asked)

    await leaver.ends()
    await room.env.sleep(SOON.grace + 2 * SOON.look_again)
    assert not await leaver.is_erased()

    async with database.write() as session:
        row = await session.get_one(RefundRequest, asked.id)
        row.status = RequestStatus.REJECTED
    await room.env.sleep(SOON.look_again + SOON.settle + timedelta(minutes=1))
    await leaver.handle.result()
    assert await leaver.is_erased()
    async with database.read() as session:
        assert (await session.get_one(RefundRequest, asked.id)).note is None


STEPS = {
    "begin_erasure",
    "take_erasure_back",
    "close_account",
    "forget_at_stripe",
    "forget_files",
    "erase",
    "forget_position",
}


class Deadly(client.Interceptor, worker.Interceptor):
    """Has a worker die at each step, once before it is done, and once before that is told."""

    def __init__(self) -> None:
        self.deaths: list[str] = []

    def intercept_activity(
        self,
        next: worker.ActivityInboundInterceptor,  # noqa: A002 - the SDK's name
    ) -> worker.ActivityInboundInterceptor:
        deaths = self.deaths

        def die_once(where: str) -> None:
            if where not in deaths:
                deaths.append(where)
                raise ConnectionError(where)

        class Dying(worker.ActivityInboundInterceptor):
            async def execute_activity(self, input: worker.ExecuteActivityInput) -> Any:  # noqa: A002
                kind = activity.info().activity_type
                if kind not in STEPS:
                    return await self.next.execute_activity(input)
                die_once(f"before {kind}")
                answer = await self.next.execute_activity(input)
                die_once(f"after {kind}")
                return answer

        return Dying(next)


@pytest.fixture
async def deadly_room(settings: Settings, database: Database) -> AsyncIterator[tuple[Room, Deadly]]:
    """A room in which every step of an end fails twice, and every task replays the history."""
    world = await worlds.settle(database, drivers=1)
    deadly = Deadly()
    async with engine_room(
        settings, database, world, cached_workflows=0, interceptors=[deadly]
    ) as room:
        yield room, deadly


async def test_whoever_dies_in_the_midst_of_it_is_followed_to_the_same_end(
    deadly_room: tuple[Room, Deadly], database: Database, settings: Settings
) -> None:
    room, deadly = deadly_room
    leaver = Leaver(room, room.world.chef)
    storage = Storage(settings.storage_url, timeout_seconds=10)
    picture = f"public/{leaver.who.id}/face.png"
    await storage.put(picture, b"a face")
    customer = await asyncio.to_thread(room.stripe.v1.customers.create, {"name": "A Chef"})
    async with database.write() as session:
        user = await session.get_one(User, leaver.who.user_id)
        user.stripe_customer_id = customer.id

    first = await leaver.ends()
    assert await leaver.takes_back()
    await leaver.handle.result()
    assert await leaver.row() is None
    assert await leaver.ends() != first
    await room.env.sleep(TERMS.grace + TERMS.settle + timedelta(minutes=10))
    await leaver.handle.result()

    assert set(deadly.deaths) == {
        f"{when} {step}" for when in ("before", "after") for step in STEPS
    }
    row = await leaver.row()
    assert row is not None
    assert row.erased_at is not None
    assert await leaver.is_erased()
    async with database.read() as session:
        profile = await session.scalar(
            select(UserProfile).where(col(UserProfile.user_id) == leaver.who.user_id)
        )
        chef = await session.get_one(Chef, leaver.who.id)
    assert profile is not None
    assert (profile.first_name, profile.last_name) == ("Former", "member")
    assert (chef.address, chef.accepting_orders) == ("erased", False)
    gone = await asyncio.to_thread(room.stripe.v1.customers.retrieve, customer.id)
    assert gone.deleted
    with pytest.raises(NotKept):
        await storage.get(picture)
