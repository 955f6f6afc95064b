"""in which words, which language and to which devices people are told"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def _one_of(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    for name, kind, default in (
        ("occasion", sa.String(), ""),
        ("audience", sa.String(), ""),
        ("words", JSONB(), "{}"),
    ):
        op.add_column(
            "notifications", sa.Column(name, kind, nullable=False, server_default=default)
        )
        op.alter_column("notifications", name, server_default=None)
    op.add_column("orders", sa.Column("timezone", sa.String(), nullable=True))
    op.create_index(
        "idx_notifications_unread",
        "notifications",
        ["user_id"],
        postgresql_where=sa.text("NOT is_read"),
    )
    op.add_column(
        "users",
        sa.Column(
            "language", _one_of("users_language", "en", "es"), nullable=False, server_default="en"
        ),
    )
    op.alter_column("users", "language", server_default=None)
    # Who has told us that he reads Spanish is written to in it.
    op.execute(
        "UPDATE users SET language = 'es' FROM user_profiles"
        " WHERE user_profiles.user_id = users.id AND split_part(locale, '-', 1) = 'es'"
    )
    op.create_table(
        "devices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", _one_of("devices_kind", "fcm", "web_push"), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("p256dh", sa.String(), nullable=True),
        sa.Column("auth", sa.String(), nullable=True),
        sa.Column("platform", sa.String(), nullable=True),
        sa.Column("label", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dead_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dead_reason", sa.String(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'web_push') = (p256dh IS NOT NULL AND auth IS NOT NULL)",
            name="devices_keys_of_web_push",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token"),
    )
    op.create_index("idx_devices_user", "devices", ["user_id", "created_at"])
    op.create_table(
        "dead_channels",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "channel",
            _one_of("dead_channels_channel", "in_app", "email", "sms", "push"),
            nullable=False,
        ),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("user_id", "channel"),
    )


def downgrade() -> None:
    op.drop_table("dead_channels")
    op.drop_table("devices")
    op.drop_column("users", "language")
    op.drop_index("idx_notifications_unread", "notifications")
    op.drop_column("orders", "timezone")
    for name in ("words", "audience", "occasion"):
        op.drop_column("notifications", name)
