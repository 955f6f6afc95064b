"""A person, and by which rows of ours he is known: what all that is about him is found by."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Mapped
from sqlmodel import col

from schema.tables import Chef, Driver, Order, RefundRequest, Review


@dataclass(frozen=True)
class Subject:
    """Somebody whose data are gathered or erased. What it names are questions, asked as a part of
    the statement that they stand in.
    """

    user_id: UUID

    @property
    def chefs(self) -> Select[UUID]:
        """The kitchen that is his."""
        return select(col(Chef.id)).where(col(Chef.user_id) == self.user_id)

    @property
    def drivers(self) -> Select[UUID]:
        """The driver that he is."""
        return select(col(Driver.id)).where(col(Driver.user_id) == self.user_id)

    @property
    def placed(self) -> Select[UUID]:
        """The orders that he has placed."""
        return select(col(Order.id)).where(col(Order.customer_id) == self.user_id)

    @property
    def involved(self) -> Select[UUID]:
        """The orders that he has placed, cooked or brought."""
        return select(col(Order.id)).where(self.takes_part)

    @property
    def takes_part(self) -> ColumnElement[bool]:
        """Whether an order is one that he has placed, cooked or brought."""
        return or_(
            col(Order.customer_id) == self.user_id,
            col(Order.chef_id).in_(self.chefs),
            col(Order.driver_id).in_(self.drivers),
        )

    @property
    def requests(self) -> Select[UUID]:
        """The requests for refunds that are his, or about his orders."""
        return select(col(RefundRequest.id)).where(
            (col(RefundRequest.asked_by) == self.user_id)
            | col(RefundRequest.order_id).in_(self.placed)
        )

    @property
    def reviews(self) -> Select[UUID]:
        """What he has said of others."""
        return select(col(Review.id)).where(col(Review.reviewer_id) == self.user_id)

    def is_payee(self, payee_id: Mapped[UUID]) -> ColumnElement[bool]:
        """Whether a column names him as a payee."""
        return payee_id.in_(self.chefs) | payee_id.in_(self.drivers)
