"""disputes"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _one_of(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.create_table(
        "disputes",
        sa.Column("stripe_dispute_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("inquiry", sa.Boolean(), nullable=False),
        sa.Column("evidence_due_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evidence_past_due", sa.Boolean(), nullable=False),
        sa.Column("evidence_text", sa.String(), nullable=True),
        sa.Column("evidence_submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("conceded", sa.Boolean(), nullable=False),
        sa.Column("fault", _one_of("disputes_fault", "platform", "chef", "driver"), nullable=True),
        sa.Column("withdrawn_cents", sa.Integer(), nullable=False),
        sa.Column("reinstated_cents", sa.Integer(), nullable=False),
        sa.Column("outcome", _one_of("disputes_outcome", "won", "lost", "dropped"), nullable=True),
        sa.Column("told", _one_of("disputes_told", "inquiry", "dispute", "closed"), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "amount_cents >= 0 AND withdrawn_cents >= 0 AND reinstated_cents >= 0",
            name="disputes_cents_not_negative",
        ),
        sa.CheckConstraint(
            "(outcome IS NULL) = (closed_at IS NULL)", name="disputes_closed_with_an_outcome"
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.PrimaryKeyConstraint("stripe_dispute_id"),
    )
    op.create_index("ix_disputes_order_id", "disputes", ["order_id"])
    op.create_index("idx_disputes_opened_at", "disputes", ["opened_at"])


def downgrade() -> None:
    op.drop_table("disputes")
