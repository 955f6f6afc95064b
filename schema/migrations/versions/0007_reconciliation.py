"""reconciliation: Stripe's balance transactions, the runs, and what does not add up"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stripe_transactions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("fee_cents", sa.Integer(), nullable=False),
        sa.Column("net_cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=True),
        sa.Column("payment_intent_id", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("available_on", sa.DateTime(timezone=True), nullable=False),
        sa.Column("movement_id", sa.Uuid(), nullable=True),
        sa.Column("matched_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["movement_id"], ["ledger_movements.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("movement_id"),
    )
    op.create_index(
        "idx_stripe_transactions_unmatched",
        "stripe_transactions",
        ["id"],
        postgresql_where=sa.text("movement_id IS NULL"),
    )
    op.create_index("idx_stripe_transactions_matched_at", "stripe_transactions", ["matched_at"])
    op.create_index("ix_stripe_transactions_source_id", "stripe_transactions", ["source_id"])
    op.create_index(
        "ix_stripe_transactions_payment_intent_id", "stripe_transactions", ["payment_intent_id"]
    )
    op.create_table(
        "reconciliation_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("matched", sa.Integer(), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.Column("open_cases", sa.Integer(), nullable=False),
        sa.Column("balances", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_reconciliation_runs_finished_at", "reconciliation_runs", ["finished_at"])
    op.create_table(
        "reconciliation_cases",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "charge_without_order",
                "payment_unheard",
                "order_without_charge",
                "movement_without_transaction",
                "amount_differs",
                "refund_unknown",
                "unknown_transaction",
                "clearing_differs",
                name="reconciliation_cases_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("stripe_transaction_id", sa.String(), nullable=True),
        sa.Column("movement_id", sa.Uuid(), nullable=True),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("expected_cents", sa.Integer(), nullable=True),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("details", JSONB(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "open",
                "resolved",
                "closed",
                name="reconciliation_cases_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_how", sa.String(), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("close_reason", sa.String(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["stripe_transaction_id"], ["stripe_transactions.id"]),
        sa.ForeignKeyConstraint(["movement_id"], ["ledger_movements.id"]),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.ForeignKeyConstraint(["closed_by"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "one_open_case_per_subject",
        "reconciliation_cases",
        ["subject"],
        unique=True,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index("idx_reconciliation_cases_subject", "reconciliation_cases", ["subject"])
    op.create_index(
        "idx_reconciliation_cases_status", "reconciliation_cases", ["status", "opened_at"]
    )


def downgrade() -> None:
    for table in ("reconciliation_cases", "reconciliation_runs", "stripe_transactions"):
        op.drop_table(table)
