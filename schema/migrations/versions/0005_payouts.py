"""payouts, and the seeds' ledgers as views of what each payee earned and whether it is paid"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_LEDGER = """
    CREATE VIEW {kind}_ledger AS
    SELECT p.id, a.payee_id AS {kind}_id, m.order_id, m.event,
           -p.amount_cents AS earning_cents, p.currency,
           i.payout_id, coalesce(o.status, 'unpaid') AS payout_status, m.booked_at
    FROM ledger_postings p
    JOIN ledger_movements m ON m.id = p.movement_id
    JOIN ledger_accounts a ON a.code = p.account AND a.payee_kind = '{kind}'
    LEFT JOIN payout_items i ON i.posting_id = p.id AND i.released_at IS NULL
    LEFT JOIN payouts o ON o.id = i.payout_id
    WHERE m.event NOT IN ('payout_paid', 'payout_returned')
"""


def _kind(name: str) -> sa.Enum:
    return sa.Enum(
        "chef", "driver", name=name, native_enum=False, create_constraint=True, length=32
    )


def upgrade() -> None:
    op.create_table(
        "payout_holds",
        sa.Column("payee_id", sa.Uuid(), nullable=False),
        sa.Column("payee_kind", _kind("payout_holds_payee_kind"), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("held_by", sa.Uuid(), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["held_by"], ["users.id"]),
        sa.PrimaryKeyConstraint("payee_id"),
    )
    op.create_table(
        "payouts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("user_type", _kind("payouts_user_type"), nullable=False),
        sa.Column("payee_id", sa.Uuid(), nullable=False),
        sa.Column("market", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("total_paid_cents", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "claimed",
                "transferred",
                "in_transit",
                "paid",
                "returning",
                "failed",
                name="payouts_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("stripe_account_id", sa.String(), nullable=False),
        sa.Column("stripe_transfer_id", sa.String(), nullable=True),
        sa.Column("stripe_payout_id", sa.String(), nullable=True),
        sa.Column("stripe_reversal_id", sa.String(), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("transferred_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("total_paid_cents > 0", name="payouts_positive"),
        sa.ForeignKeyConstraint(["stripe_account_id"], ["connected_accounts.id"]),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("payee_id", "day", "currency", name="payouts_once_a_day"),
        sa.UniqueConstraint("stripe_payout_id"),
        sa.UniqueConstraint("stripe_reversal_id"),
        sa.UniqueConstraint("stripe_transfer_id"),
    )
    op.create_index("idx_payouts_day", "payouts", ["day", "status"])
    op.create_index(
        "idx_payouts_unsettled",
        "payouts",
        ["market", "currency", "id"],
        postgresql_where=sa.text("status NOT IN ('paid', 'failed')"),
    )
    op.create_index("idx_payouts_user", "payouts", ["user_id", "day"])
    op.create_table(
        "payout_items",
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column("posting_id", sa.Uuid(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["payout_id"], ["payouts.id"]),
        sa.ForeignKeyConstraint(["posting_id"], ["ledger_postings.id"]),
        sa.PrimaryKeyConstraint("payout_id", "posting_id"),
    )
    op.create_index(
        "one_live_payout_per_posting",
        "payout_items",
        ["posting_id"],
        unique=True,
        postgresql_where=sa.text("released_at IS NULL"),
    )
    for kind in ("chef", "driver"):
        op.execute(_LEDGER.format(kind=kind))


def downgrade() -> None:
    for kind in ("chef", "driver"):
        op.execute(f"DROP VIEW {kind}_ledger")
    for table in ("payout_items", "payouts", "payout_holds"):
        op.drop_table(table)
