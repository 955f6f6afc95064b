"""Every run of a payout's workflow is fetched from a server that keeps lists, and replays."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import uuid4

from domain.payees import PayeeKind
from domain.payouts import Outcome
from finance import deeds, histories
from finance.histories import FromTemporal
from local.people import until
from schema.messages.payouts import PayoutStart, Terms
from tests.workflows.counting_house import TODAY
from workflows.connection import connect
from workflows.options import PAYOUTS_QUEUE
from workflows.payout import PayoutWorkflow


async def test_a_workflow_that_was_begun_again_has_a_history_for_each_time(
    environment: Mapping[str, str],
) -> None:
    client = await connect(environment)
    terms = Terms(
        market="austin", day=TODAY, currency="usd", cut_off=datetime.now(UTC), minimum_cents=1
    )
    nobody = PayoutStart(terms=terms, kind=PayeeKind.CHEF, payee_id=uuid4())
    workflow_id = f"payout-{nobody.payee_id}-{TODAY}"
    for _ in range(3):
        await client.execute_workflow(
            PayoutWorkflow.run, nobody, id=workflow_id, task_queue=PAYOUTS_QUEUE
        )
    kept = FromTemporal(client)

    async def are_listed() -> bool:
        found = await kept.of([workflow_id])
        return len(found[workflow_id]) == 3

    # Its lists are a moment behind.
    await until(are_listed)
    found = await kept.of([workflow_id, "payout-of-nobody"])

    did = [deeds.of_payout(history) for history in found[workflow_id]]
    assert [one.claimed and one.claimed.outcome for one in did] == [Outcome.NOT_PAYABLE] * 3
    assert [one.started_at for one in did] == sorted(one.started_at for one in did)
    assert found["payout-of-nobody"] == []
    assert await histories.replay(found[workflow_id]) == []
