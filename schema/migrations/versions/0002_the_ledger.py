"""the ledger: accounts, movements and postings, guarded by the database itself"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_EVENTS = (
    "capture",
    "earned",
    "cancelled",
    "tip",
    "refund",
    "refund_failed",
    "stripe_fee",
    "dispute_opened",
    "dispute_won",
    "dispute_lost",
    "transfer",
    "transfer_reversed",
    "payout_paid",
    "payout_returned",
    "adjustment",
    "correction",
)

# What has been booked stays as it is.
_UNCHANGEABLE = """
    CREATE FUNCTION ledger_is_unchangeable() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% is never changed: book a reversing movement', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END $$
"""

# A movement is whole when its transaction commits: it has postings, and they sum to zero in each
# currency.
_BALANCED = """
    CREATE FUNCTION ledger_movement_is_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        off record;
    BEGIN
        SELECT currency, sum(amount_cents) AS cents INTO off FROM ledger_postings
            WHERE movement_id = NEW.id GROUP BY currency HAVING sum(amount_cents) <> 0 LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'movement % is off by % % cents', NEW.key, off.cents, off.currency
                USING ERRCODE = 'check_violation';
        END IF;
        IF NOT EXISTS (SELECT FROM ledger_postings WHERE movement_id = NEW.id) THEN
            RAISE EXCEPTION 'movement % has no postings', NEW.key
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    END $$
"""

# Postings belong to the transaction of their movement: none is added to it later, so that looking
# at each new movement once is enough.
_TOGETHER = """
    CREATE FUNCTION ledger_posting_comes_with_its_movement() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (
            SELECT FROM ledger_movements
            WHERE id = NEW.movement_id AND xmin = pg_current_xact_id()::xid
        ) THEN
            RAISE EXCEPTION 'movement % is booked already', NEW.movement_id
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$
"""


def upgrade() -> None:
    op.create_table(
        "ledger_accounts",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column(
            "payee_kind",
            sa.Enum(
                "chef",
                "driver",
                name="ledger_accounts_payee_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("payee_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(payee_kind IS NULL) = (payee_id IS NULL)", name="ledger_accounts_payee_whole"
        ),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_index("ix_ledger_accounts_payee_id", "ledger_accounts", ["payee_id"])
    op.create_table(
        "ledger_movements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column(
            "event",
            sa.Enum(
                *_EVENTS,
                name="ledger_movements_event",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("payout_id", sa.Uuid(), nullable=True),
        sa.Column("stripe_id", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("idx_ledger_movements_booked_at", "ledger_movements", ["booked_at"])
    op.create_index("ix_ledger_movements_order_id", "ledger_movements", ["order_id"])
    op.create_index("ix_ledger_movements_payout_id", "ledger_movements", ["payout_id"])
    op.create_index("ix_ledger_movements_stripe_id", "ledger_movements", ["stripe_id"])
    op.create_table(
        "ledger_postings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("movement_id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.CheckConstraint("amount_cents <> 0", name="ledger_postings_not_nothing"),
        sa.ForeignKeyConstraint(["account"], ["ledger_accounts.code"]),
        sa.ForeignKeyConstraint(["movement_id"], ["ledger_movements.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("idx_ledger_postings_account", "ledger_postings", ["account", "currency"])
    op.create_index("ix_ledger_postings_movement_id", "ledger_postings", ["movement_id"])
    for function in (_UNCHANGEABLE, _BALANCED, _TOGETHER):
        op.execute(function)
    for table in ("ledger_movements", "ledger_postings"):
        op.execute(
            f"CREATE TRIGGER {table}_unchangeable BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " EXECUTE FUNCTION ledger_is_unchangeable()"
        )
    op.execute(
        "CREATE CONSTRAINT TRIGGER ledger_movements_balanced AFTER INSERT ON ledger_movements"
        " DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION ledger_movement_is_balanced()"
    )
    op.execute(
        "CREATE TRIGGER ledger_postings_with_their_movement BEFORE INSERT ON ledger_postings"
        " FOR EACH ROW EXECUTE FUNCTION ledger_posting_comes_with_its_movement()"
    )


def downgrade() -> None:
    for table in ("ledger_postings", "ledger_movements", "ledger_accounts"):
        op.drop_table(table)
    for function in (
        "ledger_is_unchangeable",
        "ledger_movement_is_balanced",
        "ledger_posting_comes_with_its_movement",
    ):
        op.execute(f"DROP FUNCTION {function}()")
