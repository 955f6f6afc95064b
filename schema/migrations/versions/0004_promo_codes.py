"""promo codes"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "promo_codes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column(
            "discount_type",
            sa.Enum(
                "percent",
                "fixed",
                name="promo_codes_discount_type",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("discount_value", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("market", sa.String(), nullable=True),
        sa.Column("min_order_cents", sa.Integer(), nullable=False),
        sa.Column("max_discount_cents", sa.Integer(), nullable=True),
        sa.Column("max_uses", sa.Integer(), nullable=True),
        sa.Column("max_uses_per_customer", sa.Integer(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "code = upper(btrim(code)) AND code <> ''", name="promo_codes_normalised"
        ),
        sa.CheckConstraint(
            "discount_value > 0 AND (discount_type = 'fixed' OR discount_value <= 10000)",
            name="promo_codes_discount_in_range",
        ),
        sa.CheckConstraint(
            "min_order_cents >= 0 AND max_discount_cents > 0",
            name="promo_codes_cents_in_range",
        ),
        sa.CheckConstraint(
            "max_uses > 0 AND max_uses_per_customer > 0", name="promo_codes_limits_positive"
        ),
        sa.CheckConstraint("uses >= 0 AND uses <= max_uses", name="promo_codes_uses_within_limit"),
        sa.CheckConstraint("expires_at > starts_at", name="promo_codes_start_before_end"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )
    op.create_table(
        "promo_redemptions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("promo_code_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("discount_cents", sa.Integer(), nullable=False),
        sa.Column("redeemed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("discount_cents > 0", name="promo_redemptions_discount_positive"),
        sa.ForeignKeyConstraint(["customer_id"], ["users.id"]),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.ForeignKeyConstraint(["promo_code_id"], ["promo_codes.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("order_id"),
    )
    op.create_index(
        "idx_promo_redemptions_customer",
        "promo_redemptions",
        ["promo_code_id", "customer_id"],
        unique=False,
    )
    op.add_column("orders", sa.Column("promo_code", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("orders", "promo_code")
    op.drop_index("idx_promo_redemptions_customer", table_name="promo_redemptions")
    op.drop_table("promo_redemptions")
    op.drop_table("promo_codes")
