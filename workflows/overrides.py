"""The part of the order's workflow by which operators change its search for a driver."""

from datetime import datetime
from uuid import UUID

from temporalio import workflow

from workflows.delivery import DriverSearch
from workflows.options import REQUESTED
from workflows.steps import Steps

with workflow.unsafe.imports_passed_through():
    from activities.overrides import OverrideActivities
    from schema.messages.order import StatusView
    from schema.messages.overrides import Hold, Override, OverrideAction, Overriding, Prefer


class Overrides:
    """Holds, and drivers who are preferred: what an operator may say without deciding himself."""

    _steps: Steps
    _search: DriverSearch

    @workflow.update
    async def operator_hold(self, ask: Hold) -> StatusView:
        """Nobody is asked for the order for a while, and it is not given up meanwhile."""
        until = ask.until or workflow.now() + ask.lasts
        return await self._override(OverrideAction.HOLD, ask, held_until=until)

    @workflow.update
    async def operator_release(self, ask: Override) -> StatusView:
        """Drivers are asked again."""
        return await self._override(OverrideAction.RELEASE, ask)

    @workflow.update
    async def operator_prefer(self, ask: Prefer) -> StatusView:
        """One driver is asked before all others, or nobody in particular any more."""
        return await self._override(OverrideAction.PREFER, ask, preferred_driver_id=ask.driver_id)

    async def _override(
        self,
        action: OverrideAction,
        ask: Override,
        *,
        held_until: datetime | None = None,
        preferred_driver_id: UUID | None = None,
    ) -> StatusView:
        async with self._steps.deciding():
            is_looking = await workflow.execute_local_activity_method(
                OverrideActivities.override_search,
                Overriding(
                    order_id=self._steps.order.id,
                    action=action,
                    key=ask.key,
                    admin_id=ask.admin_id,
                    reason=ask.reason,
                    at=workflow.now(),
                    held_until=held_until,
                    preferred_driver_id=preferred_driver_id,
                ),
                summary=f"{action} by hand",
                **REQUESTED,
            )
            if not is_looking:
                raise self._steps.refusal(
                    "NotLookingForADriver", "the order is not looking for a driver"
                )
            self._search.look_again()
        return self._steps.view()
