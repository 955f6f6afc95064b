"""The part of the order's workflow that goes on when the order is delivered."""

from collections.abc import Mapping
from typing import Any

from temporalio import workflow

from workflows.complaints import Complaints
from workflows.steps import Steps
from workflows.tips import Tips

with workflow.unsafe.imports_passed_through():
    from schema.messages.money import TipCharged
    from schema.messages.order import ChangeTip, StatusView
    from schema.messages.refund import Complaint


class Aftermath:
    """Tips and complaints: what an order that has ended is taken up again for."""

    _steps: Steps
    _tips: Tips
    _complaints: Complaints
    # Why the order could not be written or read: a kind, words, and what else there is to say.
    _unplaceable: tuple[str, str, Mapping[str, Any] | None] | None

    @workflow.update
    async def change_tip(self, ask: ChangeTip) -> StatusView:
        """The customer gives another tip; once he has paid, a higher one."""
        if not await self._has_begun():
            raise self._steps.refusal("Unplaceable", "the order cannot be read")
        await self._tips.change(ask)
        return self._steps.view()

    @change_tip.validator
    def _may_change_tip(self, ask: ChangeTip) -> None:
        if self._steps.has_begun:
            self._tips.must_be_possible(ask)

    @workflow.signal
    async def tip_charged(self, fact: TipCharged) -> None:
        """Stripe: a tip that was added after paying is charged."""
        if await self._has_begun():
            await self._tips.heard_of(fact)

    @workflow.signal
    async def complaint_opened(self, fact: Complaint) -> None:
        """The customer complains, and an admin has to decide."""
        if await self._has_begun():
            await self._complaints.opened(fact)

    @workflow.signal
    async def complaint_settled(self, fact: Complaint) -> None:
        """A complaint is decided, and money may have gone back."""
        if await self._has_begun():
            await self._complaints.settled(fact)

    async def _has_begun(self) -> bool:
        """A fact may come with the very start of the run, before the order has been read.

        False when it cannot be read.
        """
        await workflow.wait_condition(
            lambda: self._steps.has_begun or self._unplaceable is not None
        )
        return self._steps.has_begun
