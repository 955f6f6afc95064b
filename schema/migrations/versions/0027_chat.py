"""what people say to each other about an order"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "order_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("thread", _one_of("order_messages_thread", "chef", "driver"), nullable=False),
        sa.Column("sender_id", sa.Uuid(), nullable=False),
        sa.Column(
            "sender_role",
            _one_of("order_messages_sender_role", "customer", "chef", "driver", "admin"),
            nullable=False,
        ),
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("masked_count", sa.Integer(), nullable=False),
        sa.Column("client_key", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.ForeignKeyConstraint(["sender_id"], ["users.id"]),
        sa.ForeignKeyConstraint(["recipient_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("order_id", "number"),
        sa.UniqueConstraint("order_id", "sender_id", "client_key"),
        sa.CheckConstraint("number > 0", name="order_messages_number_positive"),
        sa.CheckConstraint("masked_count >= 0", name="order_messages_masked_count_not_negative"),
    )
    op.create_index("idx_order_messages_sender", "order_messages", ["sender_id"])
    op.create_index("idx_order_messages_recipient", "order_messages", ["recipient_id"])
    op.create_index(
        "idx_order_messages_unread",
        "order_messages",
        ["order_id", "recipient_id"],
        postgresql_where=sa.text("read_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("order_messages")


def _one_of(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)
