"""Messages to the workflows of payees: their accounts at Stripe, and what they are paid."""

from temporalio.common import WorkflowIDConflictPolicy

from api.engine.door import Door, EngineBusy, OrderClosed, taking_up
from schema.messages.payees import AccountUpdated, LinkAsk, OnboardingLink, PayeeRef
from schema.messages.payouts import Hold, PayoutChanged, PayoutStart, PayoutView, RunStart
from workflows import search
from workflows.onboarding import OnboardingWorkflow
from workflows.options import PAYOUTS_QUEUE
from workflows.payout import PayoutWorkflow
from workflows.payout_run import PayoutRunWorkflow, run_id


class Payees:
    """Accounts are opened, payouts run, held and heard of."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def onboard(self, payee: PayeeRef, ask: LinkAsk) -> OnboardingLink:
        """A page of Stripe's for a payee, whose account is opened where there is none.

        Raises Refused, EngineBusy.
        """
        start = taking_up(
            OnboardingWorkflow.run,
            payee,
            workflow_id=_onboarding_id(payee),
            task_queue=PAYOUTS_QUEUE,
            why=f"the account of a {payee.kind}",
            found_by=search.attributes_of_payee(payee),
        )
        try:
            link: OnboardingLink = await self._door.ask(OnboardingWorkflow.link, ask, start=start)
        except OrderClosed as closed:
            # The run was ended just then: the next request starts another.
            raise EngineBusy from closed
        return link

    async def tell_of_account(self, payee: PayeeRef, fact: AccountUpdated) -> None:
        """Tell a payee's workflow that his account has changed; one that has ended starts again.

        Raises EngineBusy.
        """
        await self._door.tell(
            OnboardingWorkflow.run,
            payee,
            OnboardingWorkflow.account_updated,
            [fact],
            workflow_id=_onboarding_id(payee),
            task_queue=PAYOUTS_QUEUE,
            found_by=search.attributes_of_payee(payee),
        )

    async def run_payouts(self, start: RunStart) -> str:
        """Start a payout run, or find it running; answers with its workflow id.

        Raises EngineBusy.
        """
        workflow_id = run_id(start)
        async with self._door.answers():
            await self._door.client.start_workflow(
                PayoutRunWorkflow.run,
                start,
                id=workflow_id,
                task_queue=PAYOUTS_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                static_summary=f"payouts of {start.terms.day}, {start.terms.market}",
            )
        return workflow_id

    async def tell_of_payout(self, start: PayoutStart, fact: PayoutChanged) -> None:
        """Tell a payout that Stripe has news of it; one that is over is taken up again.

        Raises EngineBusy.
        """
        await self._door.tell(
            PayoutWorkflow.run,
            start,
            PayoutWorkflow.payout_changed,
            [fact],
            workflow_id=_payout_id(start),
            task_queue=PAYOUTS_QUEUE,
        )

    async def hold(self, start: PayoutStart, hold: Hold) -> PayoutView:
        """Stop a payee's payouts or let them go on, through the payout that is under way.

        Raises Refused, EngineBusy.
        """
        view: PayoutView = await self._door.ask(
            PayoutWorkflow.hold,
            hold,
            start=taking_up(
                PayoutWorkflow.run,
                start,
                workflow_id=_payout_id(start),
                task_queue=PAYOUTS_QUEUE,
                why="taken up again: hold",
            ),
            key=hold.key,
        )
        return view


def _onboarding_id(payee: PayeeRef) -> str:
    return f"onboarding-{payee.payee_id}"


def _payout_id(start: PayoutStart) -> str:
    return f"payout-{start.payee_id}-{start.terms.day}"
