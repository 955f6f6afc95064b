"""drivers' vehicles, documents and shifts"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_VEHICLES = sa.Enum(
    "bicycle",
    "scooter",
    "motorcycle",
    "car",
    name="drivers_vehicle_type",
    native_enum=False,
    create_constraint=False,
    length=32,
)


def upgrade() -> None:
    # It was any text; whatever is no vehicle of ours is most likely one with a motor.
    op.execute(
        "UPDATE drivers SET vehicle_type = 'car'"
        " WHERE vehicle_type NOT IN ('bicycle', 'scooter', 'motorcycle', 'car')"
    )
    op.alter_column("drivers", "vehicle_type", existing_type=sa.String(), type_=_VEHICLES)
    op.create_check_constraint(
        "drivers_vehicle_type",
        "drivers",
        "vehicle_type IN ('bicycle', 'scooter', 'motorcycle', 'car')",
    )
    op.add_column("drivers", sa.Column("vehicle_plate", sa.String(), nullable=True))
    op.add_column("drivers", sa.Column("verification_reason", sa.String(), nullable=True))
    op.add_column("drivers", sa.Column("documents_expire_on", sa.Date(), nullable=True))
    op.add_column("drivers", sa.Column("on_duty_since", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "driver_documents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("driver_id", sa.Uuid(), nullable=False),
        sa.Column(
            "document_type",
            sa.Enum(
                "identity",
                "driving_licence",
                "insurance",
                "vehicle_registration",
                "background_check",
                name="driver_documents_document_type",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("file_url", sa.String(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "approved",
                "rejected",
                name="driver_documents_status",
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
        sa.ForeignKeyConstraint(["decided_by"], ["users.id"]),
        sa.ForeignKeyConstraint(["driver_id"], ["drivers.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "one_pending_document_per_type",
        "driver_documents",
        ["driver_id", "document_type"],
        unique=True,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        "idx_driver_documents_driver", "driver_documents", ["driver_id", "created_at"], unique=False
    )
    op.create_table(
        "driver_shifts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("driver_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name="driver_shifts_start_before_end"),
        sa.ForeignKeyConstraint(["driver_id"], ["drivers.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("driver_id", "starts_at"),
    )
    op.create_index(
        "idx_driver_shifts_driver_ends", "driver_shifts", ["driver_id", "ends_at"], unique=False
    )


def downgrade() -> None:
    op.drop_index("idx_driver_shifts_driver_ends", table_name="driver_shifts")
    op.drop_table("driver_shifts")
    op.drop_index("idx_driver_documents_driver", table_name="driver_documents")
    op.drop_index("one_pending_document_per_type", table_name="driver_documents")
    op.drop_table("driver_documents")
    op.drop_column("drivers", "on_duty_since")
    op.drop_column("drivers", "documents_expire_on")
    op.drop_column("drivers", "verification_reason")
    op.drop_column("drivers", "vehicle_plate")
    op.drop_constraint("drivers_vehicle_type", "drivers", type_="check")
    op.alter_column("drivers", "vehicle_type", existing_type=_VEHICLES, type_=sa.String())
