"""One message to a partner: tried at once, then for three days with longer and longer pauses."""

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow

from workflows.options import WEBHOOK

with workflow.unsafe.imports_passed_through():
    from activities.webhooks import WebhookActivities
    from domain import webhooks as rules
    from schema.messages.webhooks import Delivering, Try, Verdict


@workflow.defn
class WebhookWorkflow:
    """It knows which row says what is to be sent, and nothing of that. Whether there is anything to
    do is asked there before every try, so that it may be started and woken as often as one likes.
    """

    def __init__(self) -> None:
        self._is_woken = False

    @workflow.signal
    def look(self) -> None:
        """Somebody wants the message tried now, and from the beginning of the pauses."""
        self._is_woken = True

    @workflow.run
    async def run(self, start: Delivering) -> None:
        """Try until it has arrived, or nobody waits for that any more."""
        tries, busy, began = start.tries, start.busy, workflow.now() - start.tried_for
        while True:
            if self._is_woken:
                self._is_woken, tries, began = False, 0, workflow.now()
            attempt = self._attempt(start, tries + 1, busy, tried_for=workflow.now() - began)
            verdict = await self._try(attempt, tries + 1)
            tries, busy = (tries, busy + 1) if verdict.was_busy else (tries + 1, 0)
            if verdict.wait is None and not self._is_woken:
                return
            if verdict.wait is not None:
                with suppress(TimeoutError):
                    await workflow.wait_condition(
                        lambda: self._is_woken,
                        timeout=verdict.wait,
                        timeout_summary=f"before try {tries + 1}",
                    )
            # An endpoint that is busy for days is looked at more often than one history holds.
            if workflow.info().is_continue_as_new_suggested() and not self._is_woken:
                tried_for = workflow.now() - began
                workflow.continue_as_new(
                    start.model_copy(update={"tries": tries, "busy": busy, "tried_for": tried_for})
                )

    def _attempt(self, start: Delivering, tries: int, busy: int, tried_for: timedelta) -> Try:
        chance = workflow.random().random()
        return Try(
            delivery_id=start.delivery_id,
            pause=rules.pause(tries, tried_for, chance),
            if_busy=rules.while_busy(busy, chance),
            left=max(rules.PATIENCE - tried_for, timedelta()),
        )

    async def _try(self, attempt: Try, tries: int) -> Verdict:
        return await workflow.execute_activity_method(
            WebhookActivities.deliver_webhook, attempt, summary=f"try {tries}", **WEBHOOK
        )
