"""`make histories`: record a history of every way an order or a dispute can end, and of what
happens to a payee's account.

    python -m tests.workflows.record_histories [story …]

Without a name, all of them anew. They are for the replay test: to be run when a workflow changes on
purpose in a way that old histories cannot follow; those that are under way then need
`workflow.patched`, or a deployment of their own.
"""

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import (
    WorkflowFailureError,
    WorkflowHistory,
    WorkflowUpdateFailedError,
)

from domain.cancellation import Fault
from domain.ledger import Bearer
from domain.order_status import OrderStatus
from local import world as worlds
from local.stack import Stack
from schema.database import Database
from schema.messages.dispatch import DriverCommand, OperatorAssign
from schema.messages.disputes import Concession, DisputeRequest, Evidence
from schema.messages.money import DisputeClosed, DisputeOpened, PaymentFailed, RefundSettled
from schema.messages.order import CaptureMethod, ChangeTip, OperatorCancel, Terms
from settings import Settings
from tests.databases import new_database
from tests.workflows.disputes import DisputeRun, disputed
from tests.workflows.newcomer import Newcomer, newcomer_in
from tests.workflows.room import Room, Run, by_driver, engine_room, moment
from workflows.dispute import DisputeWorkflow
from workflows.order import OrderWorkflow

FOLDER = Path(__file__).parent / "histories"
ONBOARDING = FOLDER / "onboarding"

Story = Callable[[Room], Awaitable[Run | DisputeRun]]
W = OrderWorkflow
D = DisputeWorkflow


async def delivered(room: Room) -> Run:
    first, second = room.world.drivers
    run = await room.begin()
    await run.ask(W.change_tip, ChangeTip(by=run.customer, tip_cents=200))
    await run.cook()
    await run.decline(first)
    await run.take(second)
    await run.drive(second, to=OrderStatus.IN_TRANSIT)
    await run.handle.signal(W.driver_near_door)
    word = DriverCommand(by=by_driver(second), driver_id=second.id)
    await run.ask(W.deliver, word)
    return run


async def delivered_after_trouble(room: Room) -> Run:
    first, second = room.world.drivers
    run = await room.begin(Terms(capture_method=CaptureMethod.MANUAL))
    await run.pay()
    await room.skip(timedelta(minutes=3))
    await run.accept(ready_in_minutes=10)
    await run.start()
    await room.skip(timedelta(minutes=11))
    await run.ready()
    await room.skip(timedelta(seconds=35))
    await run.take(second)
    await room.skip(timedelta(minutes=21))
    await run.ask(W.drop_out, DriverCommand(by=by_driver(second), driver_id=second.id))
    await room.skip(timedelta(minutes=2))
    await run.ask(W.operator_assign, OperatorAssign(by=run.admin, driver_id=first.id))
    await run.drive(first, to=OrderStatus.IN_TRANSIT)
    await room.skip(timedelta(hours=2))
    await run.ask(W.deliver, DriverCommand(by=by_driver(first), driver_id=first.id))
    return run


async def payment_expired(room: Room) -> Run:
    return await room.begin()


async def payment_failed(room: Room) -> Run:
    run = await room.begin()
    for number in range(3):
        fact = PaymentFailed(
            event_id=f"evt_{number}", payment_intent_id=run.intent_id, reason="lost_card"
        )
        await run.handle.signal(W.payment_failed, fact)
    return run


async def rejected(room: Room) -> Run:
    run = await room.begin()
    await run.pay()
    await run.ask(W.reject, run.command(run.chef, "no rice"))
    return run


async def chef_did_not_answer(room: Room) -> Run:
    run = await room.begin()
    await run.pay()
    return run


async def scheduled_and_unanswered(room: Room) -> Run:
    scheduled = await moment(room.env) + timedelta(hours=30)
    run = await room.begin(placing=room.world.placing(scheduled_for=scheduled))
    await run.pay()
    return run


async def customer_cancelled_while_cooking(room: Room) -> Run:
    run = await room.begin()
    await run.pay()
    await run.accept()
    await run.start()
    await run.ask(W.cancel, run.command(run.customer))
    return run


async def no_driver_found(room: Room) -> Run:
    run = await room.begin()
    await run.cook()
    return run


async def operator_cancelled_on_the_way(room: Room) -> Run:
    driver = room.world.drivers[0]
    run = await room.begin()
    await run.cook()
    await run.take(driver)
    await run.drive(driver, to=OrderStatus.PICKED_UP)
    await run.ask(W.operator_cancel, OperatorCancel(by=run.admin, fault=Fault.CUSTOMER))
    return run


async def not_captured(room: Room) -> Run:
    run = await room.begin(Terms(capture_method=CaptureMethod.MANUAL))
    await run.pay()
    await room.stripe_control(f"authorizations/{run.intent_id}/expire", {})
    await run.refusal(W.accept, run.command(run.chef))
    return run


async def refund_overdue(room: Room) -> Run:
    run = await room.begin()
    await run.pay("pm_card_pendingRefund")
    await run.ask(W.cancel, run.command(run.chef))
    return run


async def disputed_and_lost(room: Room) -> Run:
    run = await delivered_plainly(room)
    opened = DisputeOpened(dispute_id="dp_1", amount_cents=2660, reason="fraudulent")
    await run.tell_again(W.dispute_opened, opened)
    await run.handle.signal(W.dispute_closed, DisputeClosed(dispute_id="dp_1", won=False))
    return run


async def refunded_in_the_dashboard(room: Room) -> Run:
    run = await delivered_plainly(room)
    refund = room.stripe.v1.refunds.create({"payment_intent": run.intent_id})
    await run.tell_again(W.refund_settled, RefundSettled(refund_id=refund.id))
    return run


async def paid_too_late(room: Room) -> Run:
    run = await room.begin()
    await room.wallet.pay(run.placed.client_secret)
    await run.handle.result()
    await run.tell_again(W.payment_succeeded, run.payment_fact())
    return run


async def stopped_in_the_ui(room: Room) -> Run:
    run = await room.begin()
    await run.cook()
    await run.handle.cancel()
    return run


async def dispute_answered_in_time_and_won(room: Room) -> DisputeRun:
    dispute = await disputed(await delivered_plainly(room), reason="product_not_received")
    await dispute.hear()
    await dispute.is_known()
    await room.skip(timedelta(days=9))
    await dispute.decide("won")
    return dispute


async def dispute_answered_by_an_admin_and_lost(room: Room) -> DisputeRun:
    dispute = await disputed(await delivered_plainly(room), inquiry=True)
    await dispute.hear()
    await dispute.is_known()
    await dispute.decide("escalated")
    admin = room.world.admin.user_id
    await dispute.ask(D.add_evidence, Evidence(admin_id=admin, text="no", fault=Bearer.CHEF))
    await dispute.ask(D.submit, DisputeRequest(admin_id=admin))
    await dispute.refusal(D.submit, DisputeRequest(admin_id=admin))
    await dispute.decide("lost")
    return dispute


async def dispute_conceded(room: Room) -> DisputeRun:
    dispute = await disputed(await delivered_plainly(room))
    await dispute.hear()
    await dispute.is_known()
    ask = Concession(admin_id=room.world.admin.user_id, reason="cold", fault=Bearer.DRIVER)
    await dispute.ask(D.concede, ask)
    return dispute


async def delivered_plainly(room: Room) -> Run:
    run = await room.begin()
    await run.cook()
    await run.deliver(room.world.drivers[0])
    await run.handle.result()
    return run


STORIES: tuple[Story, ...] = (
    delivered,
    delivered_after_trouble,
    payment_expired,
    payment_failed,
    rejected,
    chef_did_not_answer,
    scheduled_and_unanswered,
    customer_cancelled_while_cooking,
    no_driver_found,
    operator_cancelled_on_the_way,
    not_captured,
    refund_overdue,
    disputed_and_lost,
    refunded_in_the_dashboard,
    paid_too_late,
    stopped_in_the_ui,
    dispute_answered_in_time_and_won,
    dispute_answered_by_an_admin_and_lost,
    dispute_conceded,
)


async def onboarded_and_restricted(newcomer: Newcomer) -> None:
    account_id = await newcomer.opened()
    await newcomer.room.skip(timedelta(days=1, hours=1))
    await newcomer.link()
    await newcomer.becomes(account_id, "finished")
    await newcomer.stands(can_be_paid=True)
    await newcomer.becomes(account_id, "restricted")
    await newcomer.stands(can_be_paid=False)
    await newcomer.room.skip(timedelta(days=2))


async def refused_at_first(newcomer: Newcomer) -> None:
    async with newcomer.room.stripe_fault("POST /v1/accounts", "refused", times=1):
        await newcomer.begin()
        with contextlib.suppress(WorkflowUpdateFailedError):
            await newcomer.link()
    await newcomer.link()
    await newcomer.room.skip(timedelta(days=15))


ONBOARDING_STORIES: tuple[Callable[[Newcomer], Awaitable[None]], ...] = (
    onboarded_and_restricted,
    refused_at_first,
)


async def record(environment: dict[str, str], names: Collection[str]) -> None:
    """Play stories, each in a room of its own, and keep their histories; without `names`, all."""
    url = await new_database(environment["DATABASE_URL"], "ridendine_histories")
    settings = Settings.of({**environment, "DATABASE_URL": url})
    database = Database(url)
    FOLDER.mkdir(exist_ok=True)
    stories = [story for story in STORIES if not names or story.__name__ in names]
    for old in FOLDER.glob("*.json"):
        if old.stem not in {story.__name__ for story in STORIES} - {s.__name__ for s in stories}:
            old.unlink()
    for story in stories:
        world = await worlds.settle(database, drivers=2)
        async with engine_room(settings, database, world, cached_workflows=1000) as room:
            run = await story(room)
            with contextlib.suppress(WorkflowFailureError):
                await run.handle.result()
            _keep(await run.handle.fetch_history(), FOLDER / f"{story.__name__}.json")
    await record_onboarding(settings, database, names)
    await database.close()


async def record_onboarding(settings: Settings, database: Database, names: Collection[str]) -> None:
    """The same for payees' accounts, whose workflows do not end."""
    ONBOARDING.mkdir(exist_ok=True)
    for story in ONBOARDING_STORIES:
        if names and story.__name__ not in names:
            continue
        world = await worlds.settle(database, onboarded=False)
        async with engine_room(settings, database, world, cached_workflows=1000) as room:
            newcomer = newcomer_in(room)
            await story(newcomer)
            await newcomer.has_looked()
            _keep(await newcomer.handle.fetch_history(), ONBOARDING / f"{story.__name__}.json")


def _keep(history: WorkflowHistory, path: Path) -> None:
    kept = _without_traces_of_this_machine(json.loads(history.to_json()))
    path.write_text(json.dumps(kept, indent=1) + "\n")
    print(f"{path.stem}: {len(history.events)} events")  # noqa: T201 - a command


def _without_traces_of_this_machine(value: Any) -> Any:
    """The same history without process names and stack traces, which replay does not need."""
    if isinstance(value, dict):
        return {
            name: _without_traces_of_this_machine(inner)
            for name, inner in value.items()
            if name not in {"identity", "stackTrace"}
        }
    if isinstance(value, list):
        return [_without_traces_of_this_machine(inner) for inner in value]
    return value


def main() -> None:
    """Start servers, record, stop them."""
    with tempfile.TemporaryDirectory() as home:
        stack = Stack.apart(Path(home))
        environment = stack.up()
        try:
            asyncio.run(record(environment, sys.argv[1:]))
        finally:
            stack.down()


if __name__ == "__main__":
    main()
