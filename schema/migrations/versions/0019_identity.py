"""refresh tokens, codes, and logins elsewhere"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Whoever was let in so far did not have to prove his address, and is not locked out now.
    op.execute("UPDATE users SET is_verified = true")
    op.create_index("idx_users_email_lower", "users", [sa.text("lower(email)")], unique=True)
    op.drop_constraint("users_email_key", "users", type_="unique")
    op.add_column("user_profiles", sa.Column("verified_phone", sa.String(), nullable=True))
    op.create_table(
        "refresh_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_index("idx_refresh_tokens_family", "refresh_tokens", ["family_id"])
    op.create_index("idx_refresh_tokens_user", "refresh_tokens", ["user_id"])
    op.create_index("idx_refresh_tokens_expiry", "refresh_tokens", ["expires_at"])
    op.create_table(
        "challenges",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column(
            "purpose",
            sa.Enum(
                "verify_email",
                "reset_password",
                "change_email",
                "verify_phone",
                "already_registered",
                "email_changing",
                "password_changed",
                name="challenges_purpose",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("sent_to", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("attempts BETWEEN 0 AND 5", name="challenges_attempts_few"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("idx_challenges_user", "challenges", ["user_id", "purpose"])
    op.create_index("idx_challenges_expiry", "challenges", ["expires_at"])
    op.alter_column("users", "password_hash", existing_type=sa.String(), nullable=True)
    op.create_table(
        "social_identities",
        sa.Column(
            "provider",
            sa.Enum(
                "google",
                "facebook",
                "apple",
                name="social_identities_provider",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("provider", "subject"),
        sa.UniqueConstraint("user_id", "provider", name="social_identities_one_at_each"),
    )


def downgrade() -> None:
    op.drop_table("social_identities")
    # Whoever has no password gets one that nothing hashes to.
    op.execute("UPDATE users SET password_hash = '' WHERE password_hash IS NULL")
    op.alter_column("users", "password_hash", existing_type=sa.String(), nullable=False)
    op.drop_table("challenges")
    op.drop_table("refresh_tokens")
    op.drop_column("user_profiles", "verified_phone")
    op.create_unique_constraint("users_email_key", "users", ["email"])
    op.drop_index("idx_users_email_lower", "users")
