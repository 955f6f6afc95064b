"""what became of each message on each channel"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def _one_of(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    table = "notification_deliveries"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column(
            "channel",
            _one_of(f"{table}_channel", "email", "sms", "push", "ops_webhook", "ops_email"),
            nullable=False,
        ),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column(
            "status",
            _one_of(f"{table}_status", "pending", "sent", "delivered", "failed", "skipped", "dead"),
            nullable=False,
        ),
        _moment("due_at"),
        _moment("good_until"),
        sa.Column("round", sa.Integer(), nullable=False),
        _moment("handed_over_at", nullable=True),
        _moment("started_at", nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _moment("sent_at", nullable=True),
        sa.Column("provider_id", sa.String(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        _moment("created_at"),
        sa.CheckConstraint("channel = 'push' OR device_id IS NULL", name=f"{table}_device_of_push"),
        sa.ForeignKeyConstraint(["notification_id"], ["notifications.id"]),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "notification_id",
            "channel",
            "device_id",
            name="one_delivery_per_way",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(
        f"idx_{table}_waiting",
        table,
        ["good_until", "id"],
        postgresql_where=sa.text("handed_over_at IS NULL"),
    )
    op.create_index(f"idx_{table}_created", table, ["created_at"])
    op.create_index(f"idx_{table}_device", table, ["device_id"])


def downgrade() -> None:
    op.drop_table("notification_deliveries")
