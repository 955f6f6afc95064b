"""Payouts whose steps come in another order, for the proof to catch."""

from temporalio import workflow

from workflows.options import DATABASE
from workflows.payout import PayoutWorkflow

with workflow.unsafe.imports_passed_through():
    from activities.payouts import PayoutActivities
    from domain.payouts import Outcome
    from schema.messages.payouts import PayoutStart, PayoutView


@workflow.defn(name="PayoutWorkflow")
class HastyPayoutWorkflow(PayoutWorkflow):
    """Its run is told that it is under way before anything is set aside."""

    @workflow.init
    def __init__(self, start: PayoutStart) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: PayoutStart) -> PayoutView:
        await self._rest(Outcome.UNDER_WAY)
        claimed = await workflow.execute_local_activity_method(
            PayoutActivities.claim_payout, start, **DATABASE
        )
        self._outcome, self._payout = claimed.outcome, claimed.payout
        while self._payout is not None and await self._get_on(self._payout):
            pass
        return self.status()
