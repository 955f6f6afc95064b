"""An engine room: a Temporal server that skips time, a worker, and a hand for every lever."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import col
from stripe import PaymentIntent, StripeClient
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer
from uuid_utils.compat import uuid7

from domain.order_status import Actor, OrderStatus
from local.people import Wallet, until
from local.servers import program
from local.world import Somebody, World
from providers.stripe import TIP
from schema.database import Database
from schema.messages.dispatch import AssignmentStatus, Delivery, DriverCommand, Offer, OfferAnswer
from schema.messages.money import PaymentSucceeded, TipCharged
from schema.messages.order import (
    ChangeTip,
    Command,
    OrderStart,
    Placed,
    Placing,
    ReadyIn,
    StatusView,
    Terms,
    Who,
)
from schema.queries import drivers, offers, orders
from schema.tables import (
    DispatchSearch,
    Dispute,
    DriverAssignment,
    Notification,
    Order,
    Payment,
    RefundRequest,
    TipCharge,
)
from schema.tables.columns import now
from settings import Settings
from tests.workflows.short_zones import ShortZones
from worker import working, zoning
from workflows import search
from workflows.dispute import DisputeWorkflow
from workflows.options import ORDERS_QUEUE
from workflows.order import OrderWorkflow
from workflows.refund import RefundWorkflow
from workflows.zone import ZoneDispatchWorkflow

# The time-skipping server lacks what the SDK's core warns about at every start of a worker.
Runtime.set_default(
    Runtime(
        telemetry=TelemetryConfig(
            logging=LoggingConfig(filter=TelemetryFilter(core_level="ERROR", other_level="ERROR"))
        )
    )
)


_AT_ONCE = timedelta(minutes=10)
# What time is skipped over is still worked through: zones look at their orders less often. Not in
# step with anything else: the server that skips time can stop doing so when a timer is due at the
# very moment at which it is cancelled.
_QUIET = {"dispatch_tick_seconds": 47, "dispatch_watch_seconds": 53}

# A room whose histories are replayed at the end.
REPLAYED = "replayed"


@dataclass
class Room:
    """Where orders are run for one test."""

    env: WorkflowEnvironment
    client: Client
    database: Database
    stripe: StripeClient
    stripe_url: str
    wallet: Wallet
    world: World
    settings: Settings

    async def begin(
        self,
        terms: Terms | None = None,
        placing: Placing | None = None,
        *,
        task_timeout: timedelta | None = None,
    ) -> "Run":
        """Start an order and wait until it waits for its payment."""
        placing = placing or self.world.placing()
        handle = await self.client.start_workflow(
            OrderWorkflow.run,
            OrderStart(order_id=placing.order.id, terms=terms or Terms(), placing=placing),
            id=f"order-{placing.order.id}",
            task_queue=ORDERS_QUEUE,
            task_timeout=task_timeout,
        )
        placed = await handle.execute_update(OrderWorkflow.place, id="place")
        return Run(self, handle, placing, placed)

    async def stripe_control(self, path: str, body: dict[str, Any]) -> None:
        """Have Stripe's stand-in do something that only Stripe or a bank can."""
        async with httpx.AsyncClient(base_url=self.stripe_url) as http:
            (await http.post(f"/_control/{path}", json=body)).raise_for_status()

    @asynccontextmanager
    async def stripe_fault(self, match: str, kind: str, times: int = 1) -> AsyncIterator[None]:
        """Have Stripe's next requests go wrong, until left at the latest."""
        await self.stripe_control("faults", {"match": match, "kind": kind, "times": times})
        try:
            yield
        finally:
            async with httpx.AsyncClient(base_url=self.stripe_url) as http:
                (await http.delete("/_control/faults")).raise_for_status()

    @property
    def offer_lasts(self) -> timedelta:
        """How long a driver has to answer."""
        return self.settings.lasting("offer")

    def zone(self, placing: Placing) -> WorkflowHandle[ZoneDispatchWorkflow, None]:
        """The workflow of the zone that an order is in."""
        name = zoning(self.settings).zones_of(placing.order.kitchen)[0]
        return self.client.get_workflow_handle_for(ZoneDispatchWorkflow.run, f"dispatch-{name}")

    async def off_duty(self, *those: Somebody) -> None:
        """Let drivers not be asked; all of them unless some are named."""
        async with self.database.write() as session:
            for driver in those or self.world.drivers:
                await drivers.go_off_duty(session, driver.id)

    async def on_duty(self, *those: Somebody) -> None:
        """Let drivers be asked; all of them unless some are named."""
        async with self.database.write() as session:
            for driver in those or self.world.drivers:
                assert await drivers.go_on_duty(session, driver.id, now())

    async def skip(self, span: timedelta) -> None:
        """Let so much time pass, at once."""
        end = await self.env.get_current_time() + span
        # In parts, since the server takes as long for each as is worked in it.
        while (left := end - await self.env.get_current_time()) > timedelta(0):
            try:
                await self.env.sleep(min(left, _AT_ONCE))
            except RPCError as error:
                # On a busy machine that is longer than the SDK waits for an answer.
                if error.status is not RPCStatusCode.CANCELLED:
                    raise

    async def skip_to_a_new_day(self) -> None:
        """Let time pass until midnight (UTC), for what happens at most once a day."""
        passed = await self.env.get_current_time()
        midnight = datetime.combine(passed.date() + timedelta(days=1), time(), UTC)
        await self.skip(midnight - passed)

    async def replay(self) -> None:
        """Replay the latest histories of this world's orders, refunds and disputes."""
        chef = self.world.chef.id
        async with self.database.read() as session:
            orders_here = (
                await session.scalars(select(col(Order.id)).where(col(Order.chef_id) == chef))
            ).all()
            refunds = await session.scalars(
                select(col(RefundRequest.id)).where(col(RefundRequest.order_id).in_(orders_here))
            )
            disputes = await session.scalars(
                select(col(Dispute.stripe_dispute_id)).where(col(Dispute.order_id).in_(orders_here))
            )
            searches = await session.scalars(
                select(col(DispatchSearch.zones)).where(
                    col(DispatchSearch.order_id).in_(orders_here)
                )
            )
        replayer = Replayer(
            workflows=[OrderWorkflow, ZoneDispatchWorkflow, RefundWorkflow, DisputeWorkflow],
            data_converter=pydantic_data_converter,
        )
        for workflow_id in (
            *(f"order-{order_id}" for order_id in orders_here),
            *(f"refund-{request_id}" for request_id in refunds),
            *(f"dispute-{dispute_id}" for dispute_id in disputes),
            *(f"dispatch-{zone}" for zone in {name for names in searches for name in names}),
        ):
            handle = self.client.get_workflow_handle(workflow_id)
            await replayer.replay_workflow(await handle.fetch_history())


@dataclass
class Run:
    """One order under way."""

    room: Room
    handle: WorkflowHandle[OrderWorkflow, StatusView]
    placing: Placing
    placed: Placed

    @property
    def intent_id(self) -> str:
        """The payment at Stripe."""
        return self.placed.client_secret.split("_secret_")[0]

    async def ask(self, update: Any, request: Any, key: str | None = None) -> StatusView:
        """Send an update; its id is its name unless a `key` is given."""
        view: StatusView = await self.handle.execute_update(
            update, request, id=key or update.__name__
        )
        return view

    async def refusal(self, update: Any, request: Any, key: str | None = None) -> ApplicationError:
        """The refusal that an update meets."""
        with pytest.raises(WorkflowUpdateFailedError) as failed:
            await self.ask(update, request, key)
        assert isinstance(failed.value.cause, ApplicationError)
        return failed.value.cause

    async def status(self) -> StatusView:
        """What the workflow says of itself."""
        return await self.handle.query(OrderWorkflow.status)

    async def becomes(self, status: OrderStatus) -> None:
        """Wait until it is written down that the order is in a state."""

        async def has_become() -> bool:
            return (await self.row()).status is status

        await until(has_become)

    async def knows(self, status: OrderStatus) -> None:
        """Wait until the workflow says so, too: a signal is taken when there is time for it, and a
        task that wrote down what came of it may be lost.
        """
        await self.becomes(status)

        async def says_so() -> bool:
            return (await self.status()).status is status

        await until(says_so)

    async def catch_up(self) -> StatusView:
        """What the workflow says of itself once it knows what the database knows."""
        return await self.handle.execute_update(OrderWorkflow.catch_up)

    async def pay(self, card: str = "pm_card_visa") -> None:
        """Confirm the payment at Stripe, tell the workflow as the webhook would, and be heard."""
        await self.room.wallet.pay(self.placed.client_secret, card)
        await self.hear_of_payment()
        await until(self._is_paid)

    async def _is_paid(self) -> bool:
        return (await self.row()).paid_at is not None

    async def hear_of_payment(self) -> None:
        """Tell the workflow what Stripe's webhook would."""
        await self.handle.signal(OrderWorkflow.payment_succeeded, self.payment_fact())

    def payment_fact(self) -> PaymentSucceeded:
        """What Stripe's webhook would say of the payment."""
        intent = self.intent()
        captured = intent.status == "succeeded"
        return PaymentSucceeded(
            payment_intent_id=intent.id,
            amount_cents=intent.amount_received if captured else intent.amount_capturable,
            captured=captured,
        )

    def intent(self) -> PaymentIntent:
        """The payment as it stands at Stripe."""
        return self.room.stripe.v1.payment_intents.retrieve(self.intent_id)

    def command(self, by: Who, reason: str | None = None) -> Command:
        """A plain request by somebody."""
        return Command(by=by, reason=reason)

    async def accept(self, ready_in_minutes: int | None = None) -> StatusView:
        return await self.ask(
            OrderWorkflow.accept, ReadyIn(by=self.chef, ready_in_minutes=ready_in_minutes)
        )

    async def start(self) -> StatusView:
        return await self.ask(OrderWorkflow.start, ReadyIn(by=self.chef))

    async def ready(self) -> StatusView:
        return await self.ask(OrderWorkflow.ready, Command(by=self.chef))

    async def cook(self) -> None:
        """Paid, accepted, cooked: ready for pickup."""
        await self.pay()
        await self.accept()
        await self.start()
        await self.ready()

    async def offer(self) -> Offer | None:
        """The live offer, if there is one."""
        async with self.room.database.read() as session:
            return await offers.live_offer(session, self.placing.order.id)

    async def offered(self, driver: Somebody | None = None) -> Offer:
        """The live offer, as soon as there is one, to `driver` if he is named."""

        async def found() -> Offer | None:
            offer = await self.offer()
            return offer if driver is None or (offer and offer.driver_id == driver.id) else None

        return await until(found)

    async def take(self, driver: Somebody) -> StatusView:
        """Let a driver accept the live offer, which must be his."""
        answer = await self.answer(driver)
        return await self.ask(OrderWorkflow.accept_offer, answer, f"accept-{answer.offer_id}")

    async def decline(self, driver: Somebody) -> StatusView:
        """Let a driver decline the live offer, which must be his."""
        answer = await self.answer(driver)
        declined = await self.room.zone(self.placing).execute_update(
            ZoneDispatchWorkflow.decline, answer, id=f"decline-{answer.offer_id}"
        )
        return declined.view

    async def answer(self, driver: Somebody, reason: str | None = None) -> OfferAnswer:
        """A driver's answer to the live offer."""
        offer = await self.offered()
        assert offer.driver_id == driver.id, "the live offer is another driver's"
        return OfferAnswer(
            by=by_driver(driver), offer_id=offer.id, driver_id=driver.id, reason=reason
        )

    async def drive(self, driver: Somebody, *, to: OrderStatus = OrderStatus.DELIVERED) -> None:
        """Pick up, and go as far as `to`."""
        word = DriverCommand(by=by_driver(driver), driver_id=driver.id)
        await self.ask(OrderWorkflow.pick_up, word)
        if to is OrderStatus.PICKED_UP:
            return
        await self.ask(OrderWorkflow.in_transit, word)
        if to is OrderStatus.IN_TRANSIT:
            return
        await self.ask(
            OrderWorkflow.deliver,
            Delivery(by=by_driver(driver), driver_id=driver.id, proof={"note": "at the door"}),
        )

    async def deliver(self, driver: Somebody) -> None:
        """All the way from ready for pickup."""
        await self.take(driver)
        await self.drive(driver)

    async def row(self) -> Order:
        """The order's row."""
        async with self.room.database.read() as session:
            row = await session.get(Order, self.placing.order.id)
            assert row is not None
            return row

    async def payment(self) -> Payment:
        """The payment's row."""
        async with self.room.database.read() as session:
            found = await session.scalar(
                select(Payment).where(col(Payment.order_id) == self.placing.order.id)
            )
            assert found is not None
            return found

    async def trace(self) -> list[OrderStatus]:
        """The states that the database says the order went through."""
        async with self.room.database.read() as session:
            steps = await orders.steps_after(session, self.placing.order.id, 0)
        return [step.to for step in steps]

    async def tell_again(self, signal: Any, *fact: Any) -> None:
        """Tell a fact to an order whose workflow has ended, as the facade does."""
        self.handle = await self.room.client.start_workflow(
            OrderWorkflow.run,
            OrderStart(order_id=self.placing.order.id),
            id=self.handle.id,
            task_queue=ORDERS_QUEUE,
            start_signal=signal.__name__,
            start_signal_args=fact,
        )

    async def raise_tip(self, cents: int) -> StatusView:
        """Ask for another tip, as the facade does: an order that has ended is taken up again."""
        start = WithStartWorkflowOperation(
            OrderWorkflow.run,
            OrderStart(order_id=self.placing.order.id),
            id=self.handle.id,
            task_queue=ORDERS_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        return await self.room.client.execute_update_with_start_workflow(
            OrderWorkflow.change_tip,
            ChangeTip(by=self.customer, tip_cents=cents),
            id=str(uuid7()),
            start_workflow_operation=start,
        )

    async def tip_at_stripe(self, cents: int) -> TipCharged:
        """Charge a tip as the engine does, and be stopped before it is written down; what Stripe's
        webhook would say of it.
        """
        paid = self.intent()
        # Not the SDK's own asynchronous call: nobody would close its connection.
        charged = await asyncio.to_thread(
            self.room.stripe.v1.payment_intents.create,
            {
                "amount": cents,
                "currency": "usd",
                "customer": str(paid.customer),
                "payment_method": str(paid.payment_method),
                "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
                "off_session": True,
                "confirm": True,
                "metadata": {"order_id": str(self.placing.order.id), "purpose": TIP},
            },
        )
        return TipCharged(payment_intent_id=charged.id, amount_cents=charged.amount_received)

    async def tip_charges(self) -> list[TipCharge]:
        """The tips that were written down, the first first."""
        async with self.room.database.read() as session:
            found = await session.scalars(
                select(TipCharge)
                .where(col(TipCharge.order_id) == self.placing.order.id)
                .order_by(col(TipCharge.id))
            )
            return list(found)

    async def told(self, user: Somebody) -> list[str]:
        """What a person was told about this order, the first message first."""
        async with self.room.database.read() as session:
            found = await session.scalars(
                select(col(Notification.message))
                .where(
                    col(Notification.user_id) == user.user_id,
                    col(Notification.related_order_id) == self.placing.order.id,
                )
                .order_by(col(Notification.id))
            )
            return list(found)

    def given_back(self) -> int:
        """What Stripe has given back of the payment, in cents, or is giving."""
        refunds = self.room.stripe.v1.refunds.list({"payment_intent": self.intent_id})
        return sum(refund.amount for refund in refunds.data)

    async def assignments(self) -> list[tuple[UUID, AssignmentStatus]]:
        """Who was asked, in order, and how it ended."""
        async with self.room.database.read() as session:
            found = await session.execute(
                select(col(DriverAssignment.driver_id), col(DriverAssignment.status))
                .where(col(DriverAssignment.order_id) == self.placing.order.id)
                .order_by(col(DriverAssignment.offered_at), col(DriverAssignment.id))
            )
            return [(row[0], row[1]) for row in found]

    @property
    def customer(self) -> Who:
        return Who(role=Actor.CUSTOMER, id=self.room.world.customer.user_id)

    @property
    def chef(self) -> Who:
        return Who(role=Actor.CHEF, id=self.room.world.chef.user_id)

    @property
    def admin(self) -> Who:
        return Who(role=Actor.ADMIN, id=self.room.world.admin.user_id)


def by_driver(driver: Somebody) -> Who:
    """A driver's hand."""
    return Who(role=Actor.DRIVER, id=driver.user_id)


@asynccontextmanager
async def engine_room(
    settings: Settings,
    database: Database,
    world: World,
    *,
    cached_workflows: int,
    interceptors: Sequence[Any] = (),
    notifies: bool = False,
) -> AsyncIterator[Room]:
    """A room of its own for a test; with no workflow cached, each task replays from the start.

    Tests share a database: a room that `notifies` would send what all of them have told people.
    `interceptors` stand between its worker and what it does.
    """
    settings = settings.model_copy(update=_QUIET)
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=program("temporal-test-server"),
        data_converter=pydantic_data_converter,
        interceptors=[*interceptors, *([] if cached_workflows else [ShortZones()])],
    ) as env:
        await know_search_attributes(env.client)
        async with working(
            env.client, settings, notifies=notifies, max_cached_workflows=cached_workflows
        ):
            stripe = StripeClient(
                settings.stripe_api_key.get_secret_value(),
                base_addresses={"api": settings.stripe_api_base or ""},
            )
            url = settings.stripe_api_base or ""
            wallet = Wallet("pk_test_room", url)
            yield Room(env, env.client, database, stripe, url, wallet, world, settings)
            await wallet.close()


async def moment(env: WorkflowEnvironment) -> datetime:
    """What the server's clock says."""
    return await env.get_current_time()


async def know_search_attributes(client: Client) -> None:
    """Register what the dev server is told at its start."""
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(
            namespace=client.namespace,
            search_attributes={key.name: key.indexed_value_type for key in search.ALL},
        )
    )
