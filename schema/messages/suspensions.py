"""What a suspension does to open orders. Moments are UTC."""

from enum import StrEnum
from uuid import UUID

from domain.order_status import OrderStatus
from schema.messages.base import Message
from schema.messages.order import OrderRef


class SuspensionStart(Message):
    """Whose suspension."""

    user_id: UUID


class Deed(StrEnum):
    """What is done about an order."""

    CANCEL_OF_CUSTOMER = "cancel_of_customer"
    CANCEL_OF_CHEF = "cancel_of_chef"
    UNASSIGN = "unassign"


class OrderDue(OrderRef):
    """An order about which something is to be done; `sequence` is how far it is, `assignment_id`
    how its driver got it. `by` is the admin who has suspended somebody, `reason` why.
    """

    deed: Deed
    sequence: int
    status: OrderStatus
    assignment_id: UUID | None = None
    by: UUID
    reason: str

    @property
    def key(self) -> str:
        """The same for the same thing to be done, however often it is asked for."""
        return f"suspension:{self.deed}:{self.assignment_id or self.sequence}"
