"""market settings, suspended users, and an audit log that nobody can alter"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_KEPT = ("admin_actions", "market_settings")

# What was done is done, whoever would rather not have done it.
_UNCHANGEABLE = """
    CREATE FUNCTION record_is_unchangeable() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% is never changed: what was written stays', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END $$
"""


def upgrade() -> None:
    op.add_column("admin_actions", sa.Column("before", JSONB(), nullable=True))
    op.add_column("admin_actions", sa.Column("after", JSONB(), nullable=True))
    op.add_column("admin_actions", sa.Column("reason", sa.String(), nullable=True))
    op.execute("UPDATE admin_actions SET reason = details ->> 'reason'")
    op.create_index("idx_admin_actions_created_at", "admin_actions", ["created_at"])
    op.create_index("idx_admin_actions_admin", "admin_actions", ["admin_id", "created_at"])
    op.create_index("idx_admin_actions_target", "admin_actions", ["target_id"])
    op.add_column("users", sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("suspension_reason", sa.String(), nullable=True))
    op.add_column(
        "users",
        sa.Column(
            "suspended_from",
            sa.Enum(
                "pending",
                "approved",
                "rejected",
                "suspended",
                name="users_suspended_from",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
    )
    op.create_table(
        "market_settings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("market", sa.String(), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("values", JSONB(), nullable=False),
        sa.Column("withdraws", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "withdraws IS NULL OR values = '{}'::jsonb", name="market_settings_one_thing_each"
        ),
        sa.ForeignKeyConstraint(["withdraws"], ["market_settings.id"]),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("withdraws"),
    )
    op.create_index("idx_market_settings_market", "market_settings", ["market", "effective_from"])
    op.execute(_UNCHANGEABLE)
    for table in _KEPT:
        op.execute(
            f"CREATE TRIGGER {table}_unchangeable BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " EXECUTE FUNCTION record_is_unchangeable()"
        )


def downgrade() -> None:
    op.drop_table("market_settings")
    op.execute("DROP TRIGGER admin_actions_unchangeable ON admin_actions")
    op.execute("DROP FUNCTION record_is_unchangeable()")
    for name in ("suspended_from", "suspension_reason", "suspended_at"):
        op.drop_column("users", name)
    for name in ("target", "admin", "created_at"):
        op.drop_index(f"idx_admin_actions_{name}", "admin_actions")
    for name in ("reason", "after", "before"):
        op.drop_column("admin_actions", name)
