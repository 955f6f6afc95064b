"""dispatch by zones: searches, offers of several orders, bonuses"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_STATUSES = ("offered", "accepted", "declined", "expired", "cancelled")


def _statuses(*values: str) -> str:
    return f"status IN ({', '.join(repr(value) for value in values)})"


def _one_live_offer_per_driver(where: str) -> None:
    op.drop_index("one_live_offer_per_driver", "driver_assignments")
    op.create_index(
        "one_live_offer_per_driver",
        "driver_assignments",
        ["driver_id"],
        unique=True,
        postgresql_where=sa.text(where),
    )


def upgrade() -> None:
    op.create_table(
        "dispatch_searches",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("zones", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("bonus_cents", sa.Integer(), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hold_reason", sa.String(), nullable=True),
        sa.Column("preferred_driver_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("bonus_cents >= 0", name="dispatch_searches_bonus_not_negative"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.ForeignKeyConstraint(["preferred_driver_id"], ["drivers.id"]),
        sa.PrimaryKeyConstraint("order_id"),
    )
    op.add_column(
        "drivers", sa.Column("available_since", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("driver_assignments", sa.Column("offer_id", sa.Uuid(), nullable=True))
    op.execute("UPDATE driver_assignments SET offer_id = id")
    op.alter_column("driver_assignments", "offer_id", nullable=False)
    for name, kind, default in (
        ("stop", sa.Integer(), "1"),
        ("bonus_cents", sa.Integer(), "0"),
        ("why", postgresql.JSONB(astext_type=sa.Text()), "{}"),
    ):
        op.add_column(
            "driver_assignments", sa.Column(name, kind, nullable=False, server_default=default)
        )
        op.alter_column("driver_assignments", name, server_default=None)
    op.add_column(
        "driver_assignments",
        sa.Column("estimated_delivery_time", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_unique_constraint(
        "driver_assignments_offer_id_stop_key", "driver_assignments", ["offer_id", "stop"]
    )
    op.create_check_constraint("driver_assignments_stop_positive", "driver_assignments", "stop > 0")
    op.create_check_constraint(
        "driver_assignments_bonus_not_negative", "driver_assignments", "bonus_cents >= 0"
    )
    op.create_index(
        "idx_driver_assignments_driver_offered", "driver_assignments", ["driver_id", "offered_at"]
    )
    op.create_index("ix_driver_assignments_order_id", "driver_assignments", ["order_id"])
    _one_live_offer_per_driver("status = 'offered' AND stop = 1")
    op.drop_constraint("driver_assignments_status", "driver_assignments")
    op.create_check_constraint(
        "driver_assignments_status", "driver_assignments", _statuses(*_STATUSES, "withdrawn")
    )


def downgrade() -> None:
    op.drop_constraint("driver_assignments_status", "driver_assignments")
    op.execute("UPDATE driver_assignments SET status = 'cancelled' WHERE status = 'withdrawn'")
    op.create_check_constraint(
        "driver_assignments_status", "driver_assignments", _statuses(*_STATUSES)
    )
    # An order of a bundle that nobody has answered yet is asked for again.
    op.execute("DELETE FROM driver_assignments WHERE status = 'offered' AND stop > 1")
    _one_live_offer_per_driver("status = 'offered'")
    op.drop_index("ix_driver_assignments_order_id", "driver_assignments")
    op.drop_index("idx_driver_assignments_driver_offered", "driver_assignments")
    op.drop_constraint("driver_assignments_bonus_not_negative", "driver_assignments")
    op.drop_constraint("driver_assignments_stop_positive", "driver_assignments")
    op.drop_constraint("driver_assignments_offer_id_stop_key", "driver_assignments")
    for name in ("estimated_delivery_time", "why", "bonus_cents", "stop", "offer_id"):
        op.drop_column("driver_assignments", name)
    op.drop_column("drivers", "available_since")
    op.drop_table("dispatch_searches")
