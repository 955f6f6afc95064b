"""what the platform gives a driver beside the bill, and how it is booked"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0011"
branch_labels = None
depends_on = None

_EVENTS = (
    "capture",
    "earned",
    "cancelled",
    "tip",
    "bonus",
    "refund",
    "refund_failed",
    "stripe_fee",
    "dispute_opened",
    "dispute_won",
    "dispute_lost",
    "transfer",
    "transfer_reversed",
    "payout_paid",
    "payout_returned",
    "adjustment",
    "correction",
)


def upgrade() -> None:
    # Workers of the version before this one go on writing orders while it is rolled out.
    op.add_column(
        "orders",
        sa.Column("driver_bonus_cents", sa.Integer(), nullable=False, server_default=sa.text("0")),
    )
    op.create_check_constraint(
        "orders_driver_bonus_not_negative", "orders", "driver_bonus_cents >= 0"
    )
    _allow(_EVENTS)


def downgrade() -> None:
    _allow(tuple(event for event in _EVENTS if event != "bonus"))
    op.drop_column("orders", "driver_bonus_cents")


def _allow(events: tuple[str, ...]) -> None:
    op.drop_constraint("ledger_movements_event", "ledger_movements")
    op.create_check_constraint(
        "ledger_movements_event", "ledger_movements", sa.column("event").in_(events)
    )
