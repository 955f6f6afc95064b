"""What a customer's complaint does to a delivered order.

A complaint that waits for an admin makes the order disputed, and so does the customer's bank. Each
may come and go while the other is there: the order comes back when nothing keeps it disputed any
more. Which complaints wait, the database says, so that a fact which is told late or twice changes
nothing.
"""

from temporalio import workflow

from workflows.payment import OrderPayment
from workflows.steps import Steps

with workflow.unsafe.imports_passed_through():
    from domain.order_status import Actor, OrderStatus
    from schema.messages.order import Who
    from schema.messages.refund import Complaint


class Complaints:
    """The complaints about one order."""

    def __init__(self, steps: Steps, payment: OrderPayment) -> None:
        self._steps = steps
        self._payment = payment

    async def opened(self, fact: Complaint) -> None:
        """A complaint waits for an admin: the order is disputed."""
        async with self._steps.noting():
            if (
                self._steps.status is OrderStatus.DELIVERED
                and fact.request_id in await self._steps.open_complaints()
            ):
                by = Who(role=Actor.CUSTOMER, id=fact.by)
                await self._steps.move(OrderStatus.DISPUTED, by, reason=fact.reason)

    async def settled(self, fact: Complaint) -> None:
        """A complaint is decided, and what it granted is asked for: the order is delivered again,
        or refunded when all of its money has gone back.
        """
        await self._payment.look("complaint_granted")
        async with self._steps.noting():
            if (
                self._steps.status is OrderStatus.DISPUTED
                and not self._payment.is_disputed
                and not await self._steps.open_complaints()
            ):
                by = Who(role=Actor.ADMIN, id=fact.by)
                await self._steps.move(OrderStatus.DELIVERED, by, reason=fact.reason)
