"""One worker process: the workflows, and the activities of each task queue.

    python worker.py

Any number of them may run; nothing is kept in a process.
"""

import asyncio
import gc
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
import uvloop
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import Worker, WorkerDeploymentConfig

import logs
from activities.announce import Announcer
from activities.dispatch import DispatchActivities
from activities.disputes import DisputeActivities
from activities.erasure import ErasureActivities
from activities.forecasts import Forecasts
from activities.handing_over import NotificationDrain
from activities.heartbeat import Heartbeats
from activities.identity import IdentityActivities
from activities.letters import LetterActivities, Post
from activities.locations import LocationActivities
from activities.market_terms import MarketTerms
from activities.messenger import Messenger
from activities.notifying import NotifyingActivities
from activities.onboarding import OnboardingActivities
from activities.orders import OrderActivities
from activities.overlooked import OverlookedActivities
from activities.overrides import OverrideActivities
from activities.payments import PaymentActivities
from activities.payouts import PayoutActivities
from activities.reconciliation import ReconciliationActivities
from activities.refunds import RefundActivities
from activities.relay import Drain, LiveDrain, Relay
from activities.roads import Roads
from activities.searching import SearchActivities, Zones
from activities.sent_log import SentLog
from activities.snapshot import Snapshots
from activities.suspensions import SuspensionActivities
from activities.tips import TipActivities
from activities.ways_set_up import mailing, texting, ways_of
from activities.webhook_drain import WebhookDrain
from activities.webhooks import WebhookActivities
from along import along
from domain.dispatch.nearest import nearest
from domain.dispatch.plan import Policy
from domain.dispatch.policy import Matching
from domain.dispatch.rules import Rules
from domain.dispatch.zones import Zoning
from providers.kitchen_pages import KitchenPages
from providers.live import Live
from providers.maps import TravelTimes
from providers.partners import Partners
from providers.positions import Positions
from providers.redis import connect_redis
from providers.shut_outs import ShutOuts
from providers.storage import Storage
from providers.stripe import Stripe
from providers.stripe_balance import PlatformBalance
from providers.stripe_payouts import Payouts
from schema.database import Database
from settings import Settings
from workflows.connection import connect
from workflows.dispute import DisputeWorkflow
from workflows.erasure import ErasureWorkflow
from workflows.forgetting import ForgettingWorkflow
from workflows.letter import LetterWorkflow
from workflows.notification import NotificationWorkflow
from workflows.onboarding import OnboardingWorkflow
from workflows.options import (
    ALL_QUEUES,
    DISPATCH_QUEUE,
    NOTIFICATIONS_QUEUE,
    ORDERS_QUEUE,
    PAYMENTS_QUEUE,
    PAYOUTS_QUEUE,
    WEBHOOKS_QUEUE,
)
from workflows.order import OrderWorkflow
from workflows.payout import PayoutWorkflow
from workflows.payout_run import PayoutDayWorkflow, PayoutRunWorkflow
from workflows.reconciliation import ReconciliationWorkflow
from workflows.refund import RefundWorkflow
from workflows.schedules import ensure_schedules
from workflows.suspension import SuspensionWorkflow
from workflows.webhook import WebhookWorkflow
from workflows.zone import ZoneDispatchWorkflow

# What an activity may take longer than the process is allowed to live is done again elsewhere.
GRACE = timedelta(seconds=10)
# After a worker is killed, its workflows wait this long before another one takes them.
STICKY = timedelta(seconds=1)

_log = structlog.get_logger()


@asynccontextmanager
async def working(
    client: Client, settings: Settings, *, notifies: bool = True, **options: Any
) -> AsyncIterator[None]:
    """Work on all task queues until left; `options` go to those that run workflows. Unless it
    `notifies`, what people are told stays with what they find in the app.
    """
    database = Database(settings.database_url, pool_size=settings.database_pool_size)
    redis = connect_redis(settings.redis_url)
    live = Live(redis)
    terms = MarketTerms(settings, database)
    announcer = Announcer(database, live, terms)
    pages = KitchenPages(redis)
    orders = OrderActivities(database, announcer, pages)
    positions, rules = Positions(redis), dispatch_rules(settings)
    travel = TravelTimes.by_google(
        redis,
        api_key=settings.google_maps_api_key.get_secret_value(),
        base_url=settings.google_maps_base_url,
        timeout_seconds=settings.maps_timeout_seconds,
        city=settings.city,
        keep_for=timedelta(seconds=settings.travel_time_keep_seconds),
    )
    roads = Roads(travel, settings.pace)
    forecasts = Forecasts(
        database,
        evening=settings.lasting("dispatch_evening"),
        fresh_for=rules.watch,
        pace=settings.pace,
    )
    stripe = Stripe(
        settings.stripe_api_key.get_secret_value(),
        api_base=settings.stripe_api_base,
        timeout_seconds=settings.stripe_timeout_seconds,
        max_network_retries=settings.stripe_max_network_retries,
    )
    payments = PaymentActivities(database, stripe)
    refunds = RefundActivities(database, stripe)
    tips = TipActivities(database, stripe)
    disputes = DisputeActivities(database, stripe, settings.dispute_evidence_lead)
    messenger = Messenger(client, OrderWorkflow.run, ORDERS_QUEUE, terms)
    zones = Zones(client, ZoneDispatchWorkflow.run, ZoneDispatchWorkflow.join, DISPATCH_QUEUE)
    search = SearchActivities(database, zones, zoning(settings))
    overrides = OverrideActivities(database, zones)
    dispatch = DispatchActivities(
        database,
        positions,
        messenger=messenger,
        snapshots=Snapshots(database, positions, roads, forecasts, rules),
        roads=roads,
        policy=dispatch_policy(settings),
        rules=rules,
        found=OrderWorkflow.driver_found,
        dark=OrderWorkflow.driver_dark,
    )
    onboarding = OnboardingActivities(
        database, stripe, {name: market.country for name, market in settings.markets.items()}
    )
    payouts = PayoutActivities(database, Payouts(stripe))
    reconciliation = ReconciliationActivities(database, PlatformBalance(stripe))
    locations = LocationActivities(database)
    sent = SentLog(database)
    identity = IdentityActivities(database)
    mail, sms = mailing(settings), texting(settings)
    ways = ways_of(settings, mail, sms)
    notifying = NotifyingActivities(database, ways)
    letters = LetterActivities(
        database, Post(mail, sms, settings.app_url, settings.jwt_secret.get_secret_value())
    )
    storage = Storage(settings.storage_url, timeout_seconds=settings.storage_timeout_seconds)
    erasure = ErasureActivities(
        database,
        stripe,
        storage,
        positions,
        pages=pages,
        shut_outs=ShutOuts(redis, timedelta(minutes=settings.access_token_minutes), live),
    )
    overlooked = OverlookedActivities(database, client, RefundWorkflow.run, PAYOUTS_QUEUE)
    suspensions = SuspensionActivities(
        database,
        client,
        OrderWorkflow.run,
        cancel=OrderWorkflow.operator_cancel,
        unassign=OrderWorkflow.operator_unassign,
        catch_up=OrderWorkflow.catch_up,
        task_queue=ORDERS_QUEUE,
        terms=terms,
    )
    partners = Partners(private_targets=settings.webhook_private_targets)
    webhooks = WebhookActivities(
        database,
        partners,
        settings.partners_secret,
        at_once=settings.webhooks_at_once_to_each,
    )
    with _nothing_collected():
        workers = [
            Worker(
                client,
                task_queue=ORDERS_QUEUE,
                workflows=[OrderWorkflow, SuspensionWorkflow],
                activities=[
                    orders.begin_order,
                    orders.load_order,
                    orders.record_step,
                    orders.steps_after,
                    orders.set_price,
                    orders.promise_tip,
                    orders.note_tip,
                    orders.open_complaints,
                    orders.raise_alarm,
                    search.join_dispatch,
                    search.take_offer,
                    search.assign_early,
                    search.release_early,
                    overrides.override_search,
                    suspensions.orders_due,
                ],
                sticky_queue_schedule_to_start_timeout=STICKY,
                graceful_shutdown_timeout=GRACE,
                deployment_config=_deployment(settings, VersioningBehavior.PINNED),
                **options,
            ),
            Worker(
                client,
                task_queue=DISPATCH_QUEUE,
                workflows=[ZoneDispatchWorkflow],
                activities=[dispatch.plan_tick, dispatch.decline_offer],
                interceptors=[Heartbeats()],
                sticky_queue_schedule_to_start_timeout=STICKY,
                graceful_shutdown_timeout=GRACE,
                deployment_config=_deployment(settings, VersioningBehavior.AUTO_UPGRADE),
                **options,
            ),
            Worker(
                client,
                task_queue=PAYMENTS_QUEUE,
                activities=[
                    payments.open_payment,
                    payments.change_amount,
                    payments.capture_payment,
                    payments.settle_payment,
                    refunds.give_back,
                    tips.charge_tip,
                    disputes.look_at_dispute,
                    disputes.submit_evidence,
                    disputes.concede_dispute,
                ],
                max_task_queue_activities_per_second=settings.payment_activities_per_second,
                interceptors=[Heartbeats()],
                graceful_shutdown_timeout=GRACE,
            ),
            Worker(
                client,
                task_queue=PAYOUTS_QUEUE,
                workflows=[
                    DisputeWorkflow,
                    ErasureWorkflow,
                    ForgettingWorkflow,
                    OnboardingWorkflow,
                    PayoutWorkflow,
                    PayoutRunWorkflow,
                    PayoutDayWorkflow,
                    ReconciliationWorkflow,
                    RefundWorkflow,
                ],
                activities=[
                    orders.raise_alarm,
                    refunds.begin_refund,
                    refunds.load_refund,
                    refunds.decide_refund,
                    refunds.alarm_of_refund,
                    refunds.give_refund_up,
                    disputes.note_decision,
                    disputes.note_told,
                    disputes.unconcede,
                    onboarding.find_account,
                    onboarding.open_link,
                    onboarding.tell_payee,
                    payouts.payees_due,
                    payouts.claim_payout,
                    payouts.make_transfer,
                    payouts.pay_out,
                    payouts.look_at_payout,
                    payouts.fetch_back,
                    payouts.note_hold,
                    payouts.tell_payout_trouble,
                    reconciliation.begin_reconciliation,
                    reconciliation.read_transactions,
                    reconciliation.match_transactions,
                    reconciliation.untold_orders,
                    reconciliation.note_order_told,
                    reconciliation.finish_reconciliation,
                    overlooked.take_refunds_up,
                    locations.forget_locations,
                    identity.forget_expired,
                    sent.forget_webhooks,
                    sent.forget_deliveries,
                    erasure.begin_erasure,
                    erasure.take_erasure_back,
                    erasure.close_account,
                    erasure.forget_at_stripe,
                    erasure.forget_files,
                    erasure.erase,
                    erasure.forget_position,
                ],
                max_task_queue_activities_per_second=settings.payout_activities_per_second,
                interceptors=[Heartbeats()],
                sticky_queue_schedule_to_start_timeout=STICKY,
                graceful_shutdown_timeout=GRACE,
                deployment_config=_deployment(settings, VersioningBehavior.AUTO_UPGRADE),
                **options,
            ),
            Worker(
                client,
                task_queue=NOTIFICATIONS_QUEUE,
                workflows=[LetterWorkflow, NotificationWorkflow],
                activities=[
                    announcer.announce,
                    messenger.tell_order,
                    letters.send_letter,
                    notifying.send_notification,
                    notifying.give_notification_up,
                    suspensions.deal_with_order,
                ],
                interceptors=[Heartbeats()],
                sticky_queue_schedule_to_start_timeout=STICKY,
                graceful_shutdown_timeout=GRACE,
                deployment_config=_deployment(settings, VersioningBehavior.AUTO_UPGRADE),
                **options,
            ),
            Worker(
                client,
                task_queue=WEBHOOKS_QUEUE,
                workflows=[WebhookWorkflow],
                activities=[webhooks.deliver_webhook],
                max_concurrent_activities=settings.webhooks_at_once,
                interceptors=[Heartbeats()],
                sticky_queue_schedule_to_start_timeout=STICKY,
                graceful_shutdown_timeout=GRACE,
                deployment_config=_deployment(settings, VersioningBehavior.AUTO_UPGRADE),
                **options,
            ),
        ]
    async with AsyncExitStack() as stack:
        closing = (
            database.close,
            redis.aclose,
            stripe.aclose,
            roads.aclose,
            sms.aclose,
            ways.aclose,
            partners.aclose,
        )
        for close in closing:
            stack.push_async_callback(close)
        for worker in workers:
            await stack.enter_async_context(worker)
        async with along(Relay(database, _drains(database, live, client, notifies)).run()):
            yield


def _drains(database: Database, live: Live, client: Client, notifies: bool) -> list[Drain]:
    """What is passed on once it is committed."""
    drains: list[Drain] = [
        LiveDrain(database, live),
        WebhookDrain(database, client, WebhookWorkflow.run, WebhookWorkflow.look, WEBHOOKS_QUEUE),
    ]
    if notifies:
        run = NotificationWorkflow.run
        drains.append(NotificationDrain(database, client, run, NOTIFICATIONS_QUEUE))
    return drains


def zoning(settings: Settings) -> Zoning:
    """How the earth is parted into zones."""
    return settings.zoning


def dispatch_rules(settings: Settings) -> Rules:
    """How zones go about it."""
    return Rules(
        widening=settings.widening,
        tick=settings.lasting("dispatch_tick"),
        watch=settings.lasting("dispatch_watch"),
        retry=settings.lasting("dispatch_retry"),
        offer=settings.lasting("offer"),
        ask_again=settings.lasting("dispatch_ask_again"),
        dark=settings.lasting("driver_dark"),
        fix_max_age=settings.driver_fix_max_age,
        patience=settings.lasting("dispatch_patience"),
        give_up=settings.lasting("dispatch_give_up"),
        bonus_cents=settings.dispatch_bonus_cents,
        capacity=settings.driver_capacity,
        handover=settings.handover_seconds,
        pace=settings.pace,
    )


def dispatch_policy(settings: Settings) -> Policy:
    """The policy that the settings name."""
    if settings.dispatch_policy == "nearest":
        return nearest
    return Matching(settings.dispatch_weights)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Keep garbage where it is while the sandbox imports our workflows.

    A finaliser that imports something, run by a collection in the midst of an import, makes that
    import fail before Python 3.12 (CPython issue 91351).
    """
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_collecting:
            gc.enable()


def _deployment(settings: Settings, behavior: VersioningBehavior) -> WorkerDeploymentConfig | None:
    """With a build id, orders stay with the build they began on until they end.

    What may live for months (a bank's dispute), or as long as a chef or driver, goes on with the
    newest.
    """
    if not settings.worker_build_id:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(settings.worker_deployment, settings.worker_build_id),
        use_worker_versioning=True,
        default_versioning_behavior=behavior,
    )


@contextmanager
def _ready(file: str) -> Iterator[None]:
    """While working, a file says so to whoever watches over this process, with its id."""
    if not file:
        yield
        return
    path = Path(file)
    path.write_text(str(os.getpid()))
    yield
    path.unlink(missing_ok=True)


async def main() -> None:
    """Work until told to stop."""
    stop = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    settings = Settings()
    logs.configure(settings.log_level)
    client = await connect()
    async with working(client, settings):
        await ensure_schedules(client, settings)
        _log.info("working", queues=ALL_QUEUES)
        with _ready(settings.worker_ready_file):
            await stop.wait()
    # A process that exits right after its workers closed can abort in the SDK's native threads.
    await asyncio.sleep(0.3)


if __name__ == "__main__":
    uvloop.run(main())
