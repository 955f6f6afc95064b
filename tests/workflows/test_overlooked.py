"""Refunds that nobody sees to any more, since their workflow is gone, are taken up by night."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from temporalio.client import WorkflowExecutionStatus
from uuid_utils.compat import uuid7

from activities.overlooked import OverlookedActivities
from domain.ledger import Bearer
from domain.order_status import OrderStatus
from domain.refunds import RefundKind, RequestStatus
from local.people import until
from schema.messages.refund import Overlooked, RefundAsk, RefundTerms
from schema.queries import refunds
from settings import Settings
from tests.reconciling import Bureau, bureau_at
from tests.workflows.disputes import delivered
from tests.workflows.refunds import ask
from tests.workflows.room import Run, moment
from workflows.options import PAYOUTS_QUEUE
from workflows.refund import RefundWorkflow


@pytest.fixture
async def bureau(
    environment: Mapping[str, str], settings: Settings, tmp_path: Path
) -> AsyncIterator[Bureau]:
    """One with a cache: here workflows start each other (tests.workflows.conftest)."""
    async with bureau_at(
        environment["DATABASE_URL"], settings, tmp_path, cached_workflows=1000
    ) as equipped:
        yield equipped


async def granted(run: Run, cents: int, ago: timedelta) -> UUID:
    """A refund that was granted some time ago, and whose workflow came no further."""
    asked = RefundAsk(
        id=uuid7(),
        order_id=run.placing.order.id,
        kind=RefundKind.ADMIN,
        asked_by=run.room.world.admin.user_id,
        bearer=Bearer.PLATFORM,
        reason="quality",
        amount_cents=cents,
    )
    at = await moment(run.room.env) - ago
    async with run.room.database.write() as session:
        view = await refunds.begin(session, asked, RefundTerms(), at)
    assert view.status is RequestStatus.GRANTED
    return asked.id


async def test_a_granted_refund_whose_workflow_is_gone_is_made_and_a_young_one_left(
    bureau: Bureau,
) -> None:
    run = await delivered(bureau.room)
    old = await granted(run, 500, timedelta(hours=2))
    young = await granted(run, 300, timedelta(minutes=30))

    await bureau.reconcile()
    made = await bureau.room.client.get_workflow_handle_for(
        RefundWorkflow.run, f"refund-{old}"
    ).result()
    await bureau.reconcile()

    assert made is not None
    assert made.status is RequestStatus.REFUNDED
    assert run.given_back() == 500
    async with bureau.database.read() as session:
        left = await refunds.find(session, young)
    assert left is not None
    assert left.status is RequestStatus.GRANTED


async def test_a_complaint_that_waits_keeps_its_run_and_one_that_lost_it_gets_another(
    bureau: Bureau,
) -> None:
    waits, lost = await ask(await delivered(bureau.room)), await ask(await delivered(bureau.room))
    await until(lambda: _is_disputed(waits.run))
    await until(lambda: _is_disputed(lost.run))
    await lost.handle.terminate()
    await bureau.room.skip(timedelta(hours=2))
    client = bureau.room.client
    before = await client.get_workflow_handle(waits.handle.id).describe()

    await bureau.reconcile()

    after = await client.get_workflow_handle(waits.handle.id).describe()
    taken_up = await client.get_workflow_handle(lost.handle.id).describe()
    assert (after.run_id, after.history_length) == (before.run_id, before.history_length)
    assert taken_up.status is WorkflowExecutionStatus.RUNNING


async def _is_disputed(run: Run) -> bool:
    return (await run.row()).status is OrderStatus.DISPUTED


async def test_refunds_are_taken_up_page_by_page_to_the_last(bureau: Bureau) -> None:
    run = await delivered(bureau.room)
    gone = [await granted(run, 100, timedelta(hours=2)) for _ in range(3)]
    client, before = bureau.room.client, await moment(bureau.room.env)
    overlooked = OverlookedActivities(bureau.database, client, RefundWorkflow.run, PAYOUTS_QUEUE)

    pages, after = 0, None
    while pages == 0 or after is not None:
        after = await overlooked.take_refunds_up(Overlooked(before=before, after=after, limit=2))
        pages += 1

    for request_id in gone:
        await client.get_workflow_handle(f"refund-{request_id}").result()
    assert (pages, run.given_back()) == (2, 300)
