"""refund requests, and tips that are added after paying"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def _one_of(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.create_table(
        "refund_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("kind", _one_of("refund_requests_kind", "complaint", "admin"), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("items", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column(
            "status",
            _one_of("refund_requests_status", "asked", "granted", "rejected", "refunded", "failed"),
            nullable=False,
        ),
        sa.Column(
            "bearer",
            _one_of("refund_requests_bearer", "platform", "chef", "driver"),
            nullable=False,
        ),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_note", sa.String(), nullable=True),
        sa.Column("granted_cents", sa.Integer(), nullable=True),
        sa.Column("tax_cents", sa.Integer(), nullable=False),
        sa.Column("stripe_refund_id", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name="refund_requests_amount_positive"),
        sa.CheckConstraint("granted_cents > 0", name="refund_requests_granted_positive"),
        sa.CheckConstraint(
            "tax_cents BETWEEN 0 AND coalesce(granted_cents, amount_cents)",
            name="refund_requests_tax_within",
        ),
        sa.CheckConstraint(
            "granted_cents IS NOT NULL OR status IN ('asked', 'rejected')",
            name="refund_requests_granted_says_how_much",
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.ForeignKeyConstraint(["asked_by"], ["users.id"]),
        sa.ForeignKeyConstraint(["decided_by"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_refund_requests_order_id", "refund_requests", ["order_id"])
    op.create_index("idx_refund_requests_status", "refund_requests", ["status", "created_at"])
    op.create_index("idx_refund_requests_asked_by", "refund_requests", ["asked_by", "created_at"])
    op.add_column("refunds", sa.Column("refund_request_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        "refunds_refund_request_id_fkey",
        "refunds",
        "refund_requests",
        ["refund_request_id"],
        ["id"],
    )
    op.create_index("ix_refunds_refund_request_id", "refunds", ["refund_request_id"])
    op.create_table(
        "tip_charges",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("stripe_payment_intent_id", sa.String(), nullable=False),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name="tip_charges_amount_positive"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("stripe_payment_intent_id"),
    )
    op.create_index("ix_tip_charges_order_id", "tip_charges", ["order_id"])
    op.add_column("orders", sa.Column("promised_tip_cents", sa.Integer(), nullable=True))
    op.add_column("users", sa.Column("stripe_customer_id", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("users", "stripe_customer_id")
    op.drop_column("orders", "promised_tip_cents")
    op.drop_table("tip_charges")
    op.drop_constraint("refunds_refund_request_id_fkey", "refunds", type_="foreignkey")
    op.drop_column("refunds", "refund_request_id")
    op.drop_table("refund_requests")
