"""connected accounts: whom we pay, at Stripe"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "connected_accounts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column(
            "payee_kind",
            sa.Enum(
                "chef",
                "driver",
                name="connected_accounts_payee_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("payee_id", sa.Uuid(), nullable=False),
        sa.Column("details_submitted", sa.Boolean(), nullable=False),
        sa.Column("payouts_enabled", sa.Boolean(), nullable=False),
        sa.Column("requirements_due", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("disabled_reason", sa.String(), nullable=True),
        sa.Column("onboarded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("payee_id"),
    )
    # Ids that were written by hand stay; how their accounts stand is found out by a look at Stripe.
    op.execute(
        "INSERT INTO connected_accounts (id, payee_kind, payee_id, details_submitted,"
        " payouts_enabled, requirements_due, created_at, updated_at)"
        " SELECT stripe_account_id, 'chef', id, false, false, '[]', now(), now()"
        " FROM chefs WHERE stripe_account_id IS NOT NULL"
    )
    op.add_column("drivers", sa.Column("stripe_account_id", sa.String(), nullable=True))
    for table in ("chefs", "drivers"):
        op.create_unique_constraint(f"{table}_stripe_account_id_key", table, ["stripe_account_id"])
        op.create_foreign_key(
            f"{table}_stripe_account_id_fkey",
            table,
            "connected_accounts",
            ["stripe_account_id"],
            ["id"],
        )
    op.add_column(
        "chefs",
        sa.Column(
            "stripe_onboarding_complete", sa.Boolean(), nullable=False, server_default=sa.false()
        ),
    )
    op.alter_column("chefs", "stripe_onboarding_complete", server_default=None)


def downgrade() -> None:
    op.drop_column("chefs", "stripe_onboarding_complete")
    op.drop_constraint("chefs_stripe_account_id_fkey", "chefs")
    op.drop_constraint("chefs_stripe_account_id_key", "chefs")
    op.drop_column("drivers", "stripe_account_id")
    op.drop_table("connected_accounts")
