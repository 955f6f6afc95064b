"""what estimates are made of: drives, pickups, a kitchen's latest orders"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("drive_seconds", sa.Float(), nullable=True))
    op.add_column(
        "orders", sa.Column("estimated_pickup_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_index(
        "idx_orders_chef_cooked",
        "orders",
        ["chef_id", "prepared_at"],
        postgresql_where=sa.text("prepared_at IS NOT NULL AND scheduled_for IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("idx_orders_chef_cooked", table_name="orders")
    op.drop_column("orders", "estimated_pickup_at")
    op.drop_column("orders", "drive_seconds")
