"""kitchens with documents, hours and capacity; dishes with choices and stock"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# What kitchens and dishes of before have, until they say otherwise.
_CHEFS: tuple[sa.Column[Any], ...] = (
    sa.Column("hours_exceptions", JSONB(), nullable=False, server_default="{}"),
    sa.Column("prep_minutes", sa.Integer(), nullable=False, server_default="20"),
    sa.Column("specialties", ARRAY(sa.String()), nullable=False, server_default="{}"),
    sa.Column("kitchen_image_keys", ARRAY(sa.Text()), nullable=False, server_default="{}"),
    sa.Column("is_online", sa.Boolean(), nullable=False, server_default="true"),
    sa.Column("rating_sum", sa.Integer(), nullable=False, server_default="0"),
    sa.Column("rating_count", sa.Integer(), nullable=False, server_default="0"),
    sa.Column("total_orders", sa.Integer(), nullable=False, server_default="0"),
)
_ITEMS: tuple[sa.Column[Any], ...] = (
    sa.Column("position", sa.Integer(), nullable=False, server_default="0"),
    sa.Column(
        "created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")
    ),
)


def upgrade() -> None:
    for column in _CHEFS:
        _add_filled("chefs", column)
    op.add_column("chefs", sa.Column("timezone", sa.String(), nullable=True))
    op.add_column("chefs", sa.Column("capacity", sa.Integer(), nullable=True))
    op.add_column("chefs", sa.Column("profile_image_key", sa.String(), nullable=True))
    op.add_column("chefs", sa.Column("banner_image_key", sa.String(), nullable=True))
    op.add_column("chefs", sa.Column("verification_reason", sa.String(), nullable=True))
    op.add_column("chefs", sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint("chefs_capacity_positive", "chefs", "capacity > 0")
    op.create_check_constraint("chefs_prep_minutes_positive", "chefs", "prep_minutes > 0")
    op.create_check_constraint(
        "chefs_ratings_one_to_five",
        "chefs",
        "rating_count >= 0 AND rating_sum BETWEEN rating_count AND 5 * rating_count",
    )
    op.create_table(
        "chef_documents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("chef_id", sa.Uuid(), nullable=False),
        sa.Column(
            "document_type",
            sa.Enum(
                "identity",
                "food_license",
                "kitchen_photo",
                "insurance",
                name="chef_documents_document_type",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("storage_key", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "approved",
                "rejected",
                name="chef_documents_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["chef_id"], ["chefs.id"]),
        sa.ForeignKeyConstraint(["decided_by"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("idx_chef_documents_chef", "chef_documents", ["chef_id", "created_at"])
    op.create_index(
        "one_pending_chef_document_per_type",
        "chef_documents",
        ["chef_id", "document_type"],
        unique=True,
        postgresql_where=sa.text("status = 'pending'"),
    )
    _add_filled("menus", sa.Column("position", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("menus", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        "menus_deleted_not_active", "menus", "deleted_at IS NULL OR NOT is_active"
    )
    for column in _ITEMS:
        _add_filled("menu_items", column)
    op.add_column("menu_items", sa.Column("image_key", sa.String(), nullable=True))
    op.add_column("menu_items", sa.Column("stock", sa.Integer(), nullable=True))
    op.add_column("menu_items", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint("menu_items_stock_not_negative", "menu_items", "stock >= 0")
    op.create_table(
        "menu_item_option_groups",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("menu_item_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("min_choices", sa.Integer(), nullable=False),
        sa.Column("max_choices", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "min_choices >= 0 AND max_choices >= greatest(min_choices, 1)",
            name="menu_item_option_groups_choices_in_range",
        ),
        sa.ForeignKeyConstraint(["menu_item_id"], ["menu_items.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_menu_item_option_groups_menu_item_id", "menu_item_option_groups", ["menu_item_id"]
    )
    op.create_table(
        "menu_item_options",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("price_cents", sa.Integer(), nullable=False),
        sa.Column("is_available", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint("price_cents >= 0", name="menu_item_options_price_not_negative"),
        sa.ForeignKeyConstraint(["group_id"], ["menu_item_option_groups.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_menu_item_options_group_id", "menu_item_options", ["group_id"])
    _add_filled("order_items", sa.Column("options", JSONB(), nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("order_items", "options")
    op.drop_table("menu_item_options")
    op.drop_table("menu_item_option_groups")
    for name in ("deleted_at", "stock", "image_key", "created_at", "position"):
        op.drop_column("menu_items", name)
    op.drop_constraint("menus_deleted_not_active", "menus")
    op.drop_column("menus", "deleted_at")
    op.drop_column("menus", "position")
    op.drop_table("chef_documents")
    op.drop_constraint("chefs_ratings_one_to_five", "chefs")
    op.drop_constraint("chefs_prep_minutes_positive", "chefs")
    for name in (
        "verified_at",
        "verification_reason",
        "banner_image_key",
        "profile_image_key",
        "capacity",
        "timezone",
        *(column.name for column in _CHEFS),
    ):
        op.drop_column("chefs", name)


def _add_filled(table: str, column: sa.Column[Any]) -> None:
    """Add a column that has a value in every row; new rows say theirs."""
    op.add_column(table, column)
    op.alter_column(table, column.name, server_default=None)
