"""The table of what people say to each other about an order."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import SQLModel

from domain.chat import Thread
from domain.permissions import Role
from schema.tables.columns import created, key, moment, one_of, reference


class OrderMessage(SQLModel, table=True):
    """A message about an order, as it may be read: what was masked in it (`masked_count` places) is
    kept nowhere. Evidence of a deal past the platform is that something was masked; the number
    itself would be one more thing to lose.

    `number` counts the messages of an order in the order in which they were committed. `client_key`
    is the sender's own, by which a message that is sent again is known.
    """

    __tablename__ = "order_messages"
    __table_args__ = (
        UniqueConstraint("order_id", "number"),
        UniqueConstraint("order_id", "sender_id", "client_key"),
        Index("idx_order_messages_sender", "sender_id"),
        Index("idx_order_messages_recipient", "recipient_id"),
        Index(
            "idx_order_messages_unread",
            "order_id",
            "recipient_id",
            postgresql_where=text("read_at IS NULL"),
        ),
        CheckConstraint("number > 0", name="order_messages_number_positive"),
        CheckConstraint("masked_count >= 0", name="order_messages_masked_count_not_negative"),
    )

    id: UUID = key()
    order_id: UUID = reference("orders.id")
    number: int
    thread: Thread = one_of(Thread, "order_messages_thread")
    sender_id: UUID = reference("users.id")
    sender_role: Role = one_of(Role, "order_messages_sender_role")
    recipient_id: UUID = reference("users.id")
    text: str
    masked_count: int = 0
    client_key: str | None = None
    created_at: datetime = created()
    read_at: datetime | None = moment(default=None)
