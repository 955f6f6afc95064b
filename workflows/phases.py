"""What an order waits for in each state, for how long, and what happens when it does not come."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from temporalio import workflow

from workflows.delivery import DriverSearch
from workflows.payment import OrderPayment
from workflows.steps import Steps, until
from workflows.tips import Tips

with workflow.unsafe.imports_passed_through():
    from domain.notifications import Alert
    from domain.order_status import ON_THE_WAY, Actor, OrderStatus
    from schema.messages.order import Terms, Who

COOKING = frozenset({OrderStatus.ACCEPTED, OrderStatus.PREPARING})
DEADLINE = Who(role=Actor.DEADLINE)
DISPATCH = Who(role=Actor.DISPATCH)

_LOOK_AGAIN = timedelta(hours=1)


class Phases:
    """The waiting between the steps of one order."""

    def __init__(
        self,
        steps: Steps,
        payment: OrderPayment,
        search: DriverSearch,
        tips: Tips,
        terms: Terms,
    ) -> None:
        self._steps = steps
        self._payment = payment
        self._search = search
        self._tips = tips
        self._terms = terms

    async def pass_through(self) -> None:
        """Wait until the order has left the state it is in, or has nothing to wait for there."""
        match self._steps.status:
            case OrderStatus.PENDING:
                await self._payment_comes()
            case OrderStatus.PAYMENT_CONFIRMED:
                await self._chef_answers()
            case OrderStatus.ACCEPTED | OrderStatus.PREPARING:
                await self._food_gets_ready()
            case OrderStatus.READY_FOR_PICKUP:
                await self._driver_is_found()
            case OrderStatus.ASSIGNED_TO_DRIVER:
                await self._driver_picks_up()
            case OrderStatus.PICKED_UP | OrderStatus.IN_TRANSIT:
                await self._driver_delivers()
            case OrderStatus.DISPUTED:
                await self._dispute_is_decided()
            case OrderStatus.CANCELLED:
                await self._payment.settle()
            case OrderStatus.DELIVERED | OrderStatus.REFUNDED:
                await self._tips.charge_promised()

    async def _payment_comes(self) -> None:
        if not self._payment.is_open:
            await self._payment.open()
        deadline = self._steps.order.placed_at + self._terms.payment_deadline
        self._steps.say(f"Waiting for the customer to pay until {_clock(deadline)}")
        if not await self._leaves({OrderStatus.PENDING}, deadline, "payment deadline"):
            await self._cancel_if_still(OrderStatus.PENDING, DEADLINE, "payment_expired")

    async def _chef_answers(self) -> None:
        order, waiting = self._steps.order, {OrderStatus.PAYMENT_CONFIRMED}
        opens = self._terms.chef_asked_from(order, workflow.now())
        deadline = opens + self._terms.chef_response
        self._steps.say(f"Waiting for chef {order.kitchen_name} until {_clock(deadline)}")
        half = opens + self._terms.chef_response / 2
        if await self._leaves(waiting, half, "remind the chef"):
            return
        await self._steps.alarm(Alert.CHEF_REMINDER)
        if not await self._leaves(waiting, deadline, "chef response deadline"):
            await self._cancel_if_still(
                OrderStatus.PAYMENT_CONFIRMED, DEADLINE, "chef_did_not_answer"
            )

    async def _food_gets_ready(self) -> None:
        if self._search.is_due:
            await self._search.join()
        kitchen = self._steps.order.kitchen_name
        promised = self._steps.order.estimated_ready_at
        self._steps.say(f"Waiting for {kitchen} to have it ready by {_clock(promised)}")

        def ready_or_promised_anew() -> bool:
            order = self._steps.order
            is_due = order.status not in COOKING or order.estimated_ready_at != promised
            return is_due or self._search.is_due

        if not await until(ready_or_promised_anew, promised, "promised ready time"):
            self._steps.say(f"{kitchen} is late: it was promised for {_clock(promised)}")
            # Once for each promise, whatever else happens in the kitchen.
            key = promised.isoformat()
            await self._overdue(Alert.CHEF_OVERDUE, ready_or_promised_anew, key)

    async def _driver_is_found(self) -> None:
        await self._search.find()
        await self._cancel_if_still(OrderStatus.READY_FOR_PICKUP, DISPATCH, "no_driver_found")

    async def _driver_picks_up(self) -> None:
        waiting = {OrderStatus.ASSIGNED_TO_DRIVER}
        due = workflow.now() + self._terms.pickup_overdue
        kitchen = self._steps.order.kitchen_name
        self._steps.say(f"Waiting for the driver to pick up at {kitchen} by {_clock(due)}")
        if not await self._leaves(waiting, due, "pickup overdue"):
            await self._overdue(Alert.PICKUP_OVERDUE, lambda: self._steps.status not in waiting)

    async def _driver_delivers(self) -> None:
        expected = self._steps.order.estimated_delivery_at
        due = max(expected, workflow.now()) + self._terms.delivery_overdue
        self._steps.say(f"On the way, expected at the door at {_clock(expected)}")
        if not await self._leaves(ON_THE_WAY, due, "delivery overdue"):
            await self._overdue(
                Alert.DELIVERY_OVERDUE, lambda: self._steps.status not in ON_THE_WAY
            )

    async def _overdue(self, alert: Alert, is_over: Callable[[], bool], key: str = "") -> None:
        """Sound the alarm, then wait for as long as it takes.

        What is waited for may have been recorded by a workflow task that got lost, with nobody who
        asks again: the database is looked at first, and every hour.
        """
        await self._steps.look()
        if is_over():
            return
        await self._steps.alarm(alert, key=key)
        while not await until(is_over, workflow.now() + _LOOK_AGAIN, "look at the database"):
            await self._steps.look()

    async def _dispute_is_decided(self) -> None:
        self._steps.say("Waiting for the customer's bank, or an admin, to decide the dispute")
        await workflow.wait_condition(lambda: self._steps.status is not OrderStatus.DISPUTED)

    async def _leaves(self, statuses: Collection[OrderStatus], by: datetime, deadline: str) -> bool:
        return await until(lambda: self._steps.status not in statuses, by, deadline)

    async def _cancel_if_still(self, status: OrderStatus, by: Who, reason: str) -> None:
        async with self._steps.noting():
            if self._steps.status is status:
                await self._steps.cancel(by, reason)


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M} UTC"
