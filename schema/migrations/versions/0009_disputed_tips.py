"""disputes about the payment of a tip"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("disputes", sa.Column("tip_charge_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        "disputes_tip_charge_id_fkey", "disputes", "tip_charges", ["tip_charge_id"], ["id"]
    )
    op.create_index("ix_disputes_tip_charge_id", "disputes", ["tip_charge_id"])


def downgrade() -> None:
    op.drop_column("disputes", "tip_charge_id")
