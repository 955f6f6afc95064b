"""proof of delivery: the code or the photo that an order's customer has asked for"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_KINDS = ("code", "photo", "none")


def upgrade() -> None:
    # Orders that are under way were placed without a word about it.
    op.add_column(
        "orders",
        sa.Column("proof_kind", sa.String(32), server_default="none", nullable=False),
    )
    op.alter_column("orders", "proof_kind", server_default=None)
    op.add_column("orders", sa.Column("delivery_code", sa.String(), nullable=True))
    op.create_check_constraint("orders_proof_kind", "orders", sa.column("proof_kind").in_(_KINDS))
    op.create_check_constraint(
        "orders_code_where_one_is_asked_for",
        "orders",
        "(proof_kind = 'code') = (delivery_code IS NOT NULL)",
    )
    op.create_table(
        "delivery_photos",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("driver_id", sa.Uuid(), nullable=False),
        sa.Column("storage_key", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column(
            "content_type",
            sa.Enum(
                "image/jpeg",
                "image/png",
                "image/webp",
                name="delivery_photos_content_type",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.ForeignKeyConstraint(["driver_id"], ["drivers.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("order_id", "driver_id", "digest"),
    )
    op.create_table(
        "wrong_codes",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("driver_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.ForeignKeyConstraint(["driver_id"], ["drivers.id"]),
        sa.PrimaryKeyConstraint("order_id", "code"),
    )


def downgrade() -> None:
    op.drop_table("wrong_codes")
    op.drop_table("delivery_photos")
    op.drop_column("orders", "delivery_code")
    op.drop_column("orders", "proof_kind")
