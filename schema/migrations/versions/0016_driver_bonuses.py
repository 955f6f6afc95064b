"""what the platform gives a driver beside the bill, how it is booked, and why orders wait"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
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
    op.add_column(
        "dispatch_searches",
        sa.Column(
            "held_back",
            sa.Enum(
                "operator",
                "food_not_soon",
                "driver_not_free_yet",
                "nobody_in_reach",
                "others_first",
                name="dispatch_searches_held_back",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
    )


def downgrade() -> None:
    op.drop_column("dispatch_searches", "held_back")
    _allow(tuple(event for event in _EVENTS if event != "bonus"))
    op.drop_column("orders", "driver_bonus_cents")


def _allow(events: tuple[str, ...]) -> None:
    op.drop_constraint("ledger_movements_event", "ledger_movements")
    op.create_check_constraint(
        "ledger_movements_event", "ledger_movements", sa.column("event").in_(events)
    )
