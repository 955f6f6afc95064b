"""What happens by the clock: Temporal's schedules, made or brought up to date by every worker that
starts. One that an operator has paused stays paused.
"""

from collections.abc import Mapping
from datetime import timedelta

import structlog
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from schema.messages.locations import Keeping
from schema.messages.payouts import MarketPayouts
from schema.messages.reconciliation import Patience, Reconciling
from settings import Settings
from workflows.forgetting import ForgettingWorkflow
from workflows.options import PAYOUTS_QUEUE
from workflows.payout_run import PayoutDayWorkflow
from workflows.reconciliation import ReconciliationWorkflow

RECONCILIATION = "reconciliation"
FORGETTING = "driver-locations"

# What was missed while Temporal was away for so long is made up for.
_CATCH_UP = timedelta(days=1)

_log = structlog.get_logger()


async def ensure_schedules(client: Client, settings: Settings) -> None:
    """Let every schedule be there, as the settings say. Safe to do from many processes at once."""
    for name, schedule in _schedules(settings).items():
        try:
            await _ensure(client, name, schedule)
        except RPCError as error:
            if error.status is not RPCStatusCode.UNIMPLEMENTED:
                raise
            # Temporal's server for tests, which skips time, has none.
            _log.warning("this Temporal has no schedules", schedule=name)


def _schedules(settings: Settings) -> Mapping[str, Schedule]:
    # One at a time; what is asked for meanwhile begins when it ends.
    policy = SchedulePolicy(overlap=ScheduleOverlapPolicy.BUFFER_ONE, catchup_window=_CATCH_UP)
    reconciliation = Schedule(
        action=ScheduleActionStartWorkflow(
            ReconciliationWorkflow.run,
            Reconciling(patience=patience(settings)),
            # Temporal adds the moment: reconciliation-2026-01-31T08:30:00Z.
            id=RECONCILIATION,
            task_queue=PAYOUTS_QUEUE,
            static_summary="Stripe's transactions against the books",
        ),
        spec=ScheduleSpec(cron_expressions=[settings.reconciliation_cron]),
        policy=policy,
    )
    forgetting = Schedule(
        action=ScheduleActionStartWorkflow(
            ForgettingWorkflow.run,
            Keeping(
                keep=timedelta(days=settings.driver_locations_keep_days),
                webhooks=timedelta(days=settings.webhook_deliveries_keep_days),
                deliveries=timedelta(days=settings.notification_deliveries_keep_days),
            ),
            id=FORGETTING,
            task_queue=PAYOUTS_QUEUE,
            static_summary="where drivers were long ago is forgotten",
        ),
        spec=ScheduleSpec(cron_expressions=[settings.driver_locations_cron]),
        policy=policy,
    )
    payouts = {
        f"payouts-{name}": Schedule(
            action=ScheduleActionStartWorkflow(
                PayoutDayWorkflow.run,
                market_payouts(settings, name),
                id=f"payouts-{name}",
                task_queue=PAYOUTS_QUEUE,
                static_summary=f"the day's payouts in {name}",
            ),
            spec=ScheduleSpec(
                cron_expressions=[market.payout_cron], time_zone_name=market.timezone
            ),
            policy=policy,
        )
        for name, market in settings.markets.items()
    }
    return {RECONCILIATION: reconciliation, FORGETTING: forgetting, **payouts}


def market_payouts(settings: Settings, name: str) -> MarketPayouts:
    """How a market's payees are paid."""
    market = settings.markets[name]
    return MarketPayouts(
        market=name,
        timezone=market.timezone,
        currency=market.rates.currency,
        minimum_cents=market.payout_minimum_cents,
        parallel=settings.payout_parallel,
    )


def patience(settings: Settings) -> Patience:
    """When something counts as missing."""
    return Patience(
        overlap=timedelta(seconds=settings.reconciliation_overlap_seconds),
        transaction=timedelta(seconds=settings.reconciliation_transaction_seconds),
        movement=timedelta(seconds=settings.reconciliation_movement_seconds),
    )


async def _ensure(client: Client, name: str, wanted: Schedule) -> None:
    def brought_up_to_date(there: ScheduleUpdateInput) -> ScheduleUpdate:
        found = there.description.schedule
        found.action, found.spec, found.policy = wanted.action, wanted.spec, wanted.policy
        return ScheduleUpdate(schedule=found)

    try:
        await client.create_schedule(name, wanted)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(name).update(brought_up_to_date)
