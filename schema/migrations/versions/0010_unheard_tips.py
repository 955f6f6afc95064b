"""which transaction is a tip's, of what order"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("stripe_transactions", sa.Column("tip_of_order_id", sa.Uuid(), nullable=True))


def downgrade() -> None:
    op.drop_column("stripe_transactions", "tip_of_order_id")
