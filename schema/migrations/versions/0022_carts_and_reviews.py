"""carts and reviews"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _add_filled(
        "order_items", sa.Column("took_stock", sa.Boolean(), nullable=False, server_default="false")
    )
    for name in ("rating_sum", "rating_count"):
        _add_filled("drivers", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.create_check_constraint(
        "drivers_ratings_one_to_five",
        "drivers",
        "rating_count >= 0 AND rating_sum BETWEEN rating_count AND 5 * rating_count",
    )
    # An order that is made of a cart is known by the cart's key, and by that of the app.
    op.drop_constraint("idempotency_keys_order_id_key", "idempotency_keys")
    op.create_index("ix_idempotency_keys_order_id", "idempotency_keys", ["order_id"])
    op.create_table(
        "carts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("chef_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["users.id"]),
        sa.ForeignKeyConstraint(["chef_id"], ["chefs.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("customer_id"),
    )
    op.create_table(
        "cart_items",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("cart_id", sa.Uuid(), nullable=False),
        sa.Column("menu_item_id", sa.Uuid(), nullable=False),
        sa.Column("choice", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("price_cents", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("options", JSONB(), nullable=False),
        sa.Column("special_instructions", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["cart_id"], ["carts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("cart_id", "choice"),
        sa.CheckConstraint("quantity > 0", name="cart_items_quantity_positive"),
        sa.CheckConstraint("price_cents >= 0", name="cart_items_price_not_negative"),
    )
    op.create_index("ix_cart_items_menu_item_id", "cart_items", ["menu_item_id"])
    op.create_table(
        "reviews",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("reviewer_id", sa.Uuid(), nullable=False),
        sa.Column(
            "reviewee_type",
            sa.Enum(
                "chef",
                "driver",
                name="reviews_reviewee_type",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reviewee_id", sa.Uuid(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("comment", sa.String(), nullable=True),
        sa.Column("photos", ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "visible",
                "pending",
                "hidden",
                name="reviews_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("status_reason", sa.String(), nullable=True),
        sa.Column("reply", sa.String(), nullable=True),
        sa.Column("replied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.ForeignKeyConstraint(["reviewer_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("order_id", "reviewee_type"),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name="reviews_rating_one_to_five"),
    )
    op.create_index(
        "idx_reviews_reviewee",
        "reviews",
        ["reviewee_type", "reviewee_id", "status", "created_at"],
    )
    op.create_index("idx_reviews_reviewer", "reviews", ["reviewer_id", "created_at"])
    op.create_index(
        "idx_reviews_queue",
        "reviews",
        ["created_at"],
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_table(
        "review_reports",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("reporter_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"]),
        sa.ForeignKeyConstraint(["reporter_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("review_id", "reporter_id"),
    )
    op.create_index(
        "idx_review_reports_open",
        "review_reports",
        ["review_id"],
        postgresql_where=sa.text("handled_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("review_reports")
    op.drop_table("reviews")
    op.drop_table("cart_items")
    op.drop_table("carts")
    op.drop_index("ix_idempotency_keys_order_id", "idempotency_keys")
    # Of several keys for one order the first is kept.
    op.execute(
        "DELETE FROM idempotency_keys k USING idempotency_keys other"
        " WHERE k.order_id = other.order_id AND k.ctid > other.ctid"
    )
    op.create_unique_constraint("idempotency_keys_order_id_key", "idempotency_keys", ["order_id"])
    op.drop_constraint("drivers_ratings_one_to_five", "drivers")
    op.drop_column("drivers", "rating_count")
    op.drop_column("drivers", "rating_sum")
    op.drop_column("order_items", "took_stock")


def _add_filled(table: str, column: sa.Column[object]) -> None:
    op.add_column(table, column)
    op.alter_column(table, column.name, server_default=None)
