"""chefs and dishes, to be searched

What is found by is derived: the view `chef_search_now` says it of the chefs as they are, the table
`chef_search` keeps it with indexes, and triggers see to it when a transaction that has changed a
chef, a menu or a dish commits, whoever has changed it.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR

from schema.tables.columns import Cube

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# What stands between words. Apostrophes stand within them; accents and cases are all one. The
# words that every sentence has are none.
_WORDS = r"""
    CREATE FUNCTION search_words_of(written text) RETURNS text[]
    LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$
        SELECT coalesce(array_agg(DISTINCT word), '{}')
        FROM regexp_split_to_table(
            replace(lower(unaccent(written)), '''', ''), '[\x01-\x2f\x3a-\x60\x7b-\x7f]+'
        ) word
        WHERE word <> '' AND length(word) <= 40 AND word <> ALL (
            '{a,an,and,as,at,by,for,from,in,is,it,of,on,or,our,the,to,with}'
        )
    $$
"""

# From when to when a day's hours are, in minutes of its clock; null where there are none.
_SPAN = r"""
    CREATE FUNCTION search_span(hours jsonb) RETURNS smallint[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
        SELECT ARRAY[opens, closes + CASE WHEN closes > opens THEN 0 ELSE 1440 END]::smallint[]
        FROM (
            SELECT split_part(hours ->> 'open', ':', 1)::int * 60
                       + split_part(hours ->> 'open', ':', 2)::int AS opens,
                   split_part(hours ->> 'close', ':', 1)::int * 60
                       + split_part(hours ->> 'close', ':', 2)::int AS closes
            WHERE hours ->> 'open' ~ '^[0-9]{2}:[0-9]{2}$'
              AND hours ->> 'close' ~ '^[0-9]{2}:[0-9]{2}$'
        ) clock
    $$
"""

# Hours of a single date may fall on any day of the week: what may be open is more than what is.
_NOW = """
    CREATE VIEW chef_search_now AS
    SELECT
        chefs.id AS chef_id,
        coalesce(chefs.timezone, 'market:' || chefs.market) AS zone,
        week.opens,
        week.closes,
        single.days AS exceptional,
        coalesce((
            SELECT array_agg(DISTINCT hour % 168)
            FROM (
                SELECT (day - 1) * 1440 + week.opens[day], (day - 1) * 1440 + week.closes[day]
                FROM generate_series(1, 7) day WHERE week.opens[day] IS NOT NULL
                UNION ALL
                SELECT (day - 1) * 1440 + (hours ->> 0)::int, (day - 1) * 1440 + (hours ->> 1)::int
                FROM generate_series(1, 7) day, jsonb_each(single.days) dates(date, hours)
                WHERE jsonb_typeof(hours) = 'array'
            ) spans(begins, ends), generate_series(begins / 60, (ends - 1) / 60) hour
        ), '{}') AS may_be_open,
        chefs.rating,
        chefs.total_orders,
        chefs.prep_minutes,
        menu.main_from_cents,
        coalesce((
            SELECT array_agg(DISTINCT lower(cuisine)) FROM unnest(chefs.cuisine_types) cuisine
        ), '{}') AS cuisines,
        menu.dietary_tags,
        ll_to_earth(chefs.latitude, chefs.longitude)::cube AS place,
        cube_enlarge(
            ll_to_earth(chefs.latitude, chefs.longitude)::cube, circle.chord * 1.000001, 3
        ) AS reach,
        circle.chord AS reach_chord,
        array_to_tsvector(words.name) AS names,
        array_to_tsvector(words.name || words.dishes) AS dishes,
        array_to_tsvector(words.name || words.dishes || words.descriptions) AS document
    FROM chefs
    CROSS JOIN LATERAL (
        SELECT array_agg(span[1] ORDER BY day) AS opens, array_agg(span[2] ORDER BY day) AS closes
        FROM (
            SELECT day, search_span(chefs.operating_hours -> name) AS span
            FROM unnest(
                '{monday,tuesday,wednesday,thursday,friday,saturday,sunday}'::text[]
            ) WITH ORDINALITY names(name, day)
            OFFSET 0
        ) spans
    ) week
    CROSS JOIN LATERAL (
        SELECT coalesce(jsonb_object_agg(key, to_jsonb(search_span(value))), '{}') AS days
        FROM jsonb_each(
            CASE WHEN jsonb_typeof(chefs.hours_exceptions) = 'object'
                THEN chefs.hours_exceptions ELSE '{}' END
        )
    ) single
    CROSS JOIN LATERAL (
        SELECT
            min(price_cents) FILTER (WHERE category = 'main') AS main_from_cents,
            coalesce(string_agg(menu_items.name, ' '), '') AS dishes,
            coalesce(string_agg(menu_items.description, ' '), '') AS descriptions,
            coalesce((
                SELECT array_agg(DISTINCT lower(tag))
                FROM menus, menu_items, unnest(menu_items.dietary_tags) tag
                WHERE menus.chef_id = chefs.id AND menus.is_active
                  AND menu_items.menu_id = menus.id AND menu_items.deleted_at IS NULL
            ), '{}') AS dietary_tags
        FROM menus JOIN menu_items ON menu_items.menu_id = menus.id
        WHERE menus.chef_id = chefs.id AND menus.is_active AND menu_items.deleted_at IS NULL
    ) menu
    CROSS JOIN LATERAL (
        SELECT
            search_words_of(chefs.business_name) AS name,
            search_words_of(
                array_to_string(chefs.cuisine_types || chefs.specialties, ' ') || ' ' || menu.dishes
            ) AS dishes,
            search_words_of(chefs.description || ' ' || menu.descriptions) AS descriptions
        -- Each once, though used thrice.
        OFFSET 0
    ) words
    CROSS JOIN LATERAL (
        -- A circle on the earth of domain.geo, as a chord of earthdistance's slightly larger one.
        SELECT 2 * earth() * sin(least(chefs.service_radius_km / (2 * 6371.0088), pi() / 2)) AS chord
    ) circle
    WHERE chefs.verification_status = 'approved'
"""

_COLUMNS = (
    "zone, opens, closes, exceptional, may_be_open, rating, total_orders, prep_minutes,"
    " main_from_cents, cuisines, dietary_tags, place, reach, reach_chord, names, dishes, document"
)
_NEW = ", ".join(f"excluded.{name}" for name in _COLUMNS.split(", "))
_OLD = ", ".join(f"chef_search.{name}" for name in _COLUMNS.split(", "))

# The lock comes before the look: of two who have changed the same chef, the second sees what both
# have done. It is the last that a transaction waits for, so that nobody waits in a circle.
_INDEX = f"""
    CREATE FUNCTION index_chef(wanted uuid) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock(hashtext('chef_search'), hashtext(wanted::text) & 1023);
        INSERT INTO chef_search (chef_id, {_COLUMNS})
            SELECT chef_id, {_COLUMNS} FROM chef_search_now WHERE chef_id = wanted
            ON CONFLICT (chef_id) DO UPDATE SET ({_COLUMNS}) = ROW ({_NEW})
            WHERE ({_OLD}) IS DISTINCT FROM ({_NEW});
        DELETE FROM chef_search WHERE chef_id = wanted AND NOT EXISTS (
            SELECT FROM chefs WHERE id = wanted AND verification_status = 'approved'
        );
        INSERT INTO search_words
            SELECT word FROM (
                SELECT unnest(tsvector_to_array(document)) AS word
                FROM chef_search WHERE chef_id = wanted
            ) used
            WHERE NOT EXISTS (SELECT FROM search_words known WHERE known.word = used.word)
            ORDER BY word
            ON CONFLICT DO NOTHING;
    END $$
"""  # noqa: S608

_CHANGED = """
    CREATE FUNCTION chef_is_to_be_indexed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_TABLE_NAME = 'chefs' THEN
            PERFORM index_chef(NEW.id);
        ELSIF TG_TABLE_NAME = 'menus' THEN
            PERFORM index_chef(chef_id)
                FROM (SELECT OLD.chef_id UNION SELECT NEW.chef_id) both_sides(chef_id)
                WHERE chef_id IS NOT NULL ORDER BY chef_id;
        ELSE
            PERFORM index_chef(chef_id) FROM (
                SELECT DISTINCT chef_id FROM menus WHERE id IN (OLD.menu_id, NEW.menu_id)
                ORDER BY chef_id
            ) both_sides;
        END IF;
        RETURN NULL;
    END $$
"""

# What changes with every order needs no words read again.
_COUNTED = """
    CREATE FUNCTION chef_was_counted() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock(hashtext('chef_search'), hashtext(NEW.id::text) & 1023);
        UPDATE chef_search SET rating = chefs.rating, total_orders = chefs.total_orders
            FROM chefs WHERE chefs.id = NEW.id AND chef_id = NEW.id
            AND (chef_search.rating, chef_search.total_orders)
                IS DISTINCT FROM (chefs.rating, chefs.total_orders);
        RETURN NULL;
    END $$
"""

_TRIGGERS = {
    "chefs": "INSERT OR UPDATE OF market, business_name, description, cuisine_types, specialties,"
    " latitude, longitude, service_radius_km, timezone, operating_hours, hours_exceptions,"
    " prep_minutes, verification_status",
    "menus": "UPDATE OF chef_id, is_active OR DELETE",
    "menu_items": "INSERT OR UPDATE OF menu_id, name, description, category, price_cents,"
    " dietary_tags, deleted_at OR DELETE",
}


def upgrade() -> None:
    # Typing errors, and accents.
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.execute("CREATE EXTENSION IF NOT EXISTS unaccent")
    op.create_table(
        "chef_search",
        sa.Column("chef_id", sa.Uuid(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("opens", ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("closes", ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("exceptional", JSONB(), nullable=False),
        sa.Column("may_be_open", ARRAY(sa.Integer()), nullable=False),
        sa.Column("rating", sa.Float(), nullable=False),
        sa.Column("total_orders", sa.Integer(), nullable=False),
        sa.Column("prep_minutes", sa.Integer(), nullable=False),
        sa.Column("main_from_cents", sa.Integer(), nullable=True),
        sa.Column("cuisines", ARRAY(sa.Text()), nullable=False),
        sa.Column("dietary_tags", ARRAY(sa.Text()), nullable=False),
        sa.Column("place", Cube(), nullable=False),
        sa.Column("reach", Cube(), nullable=False),
        sa.Column("reach_chord", sa.Float(), nullable=False),
        sa.Column("names", TSVECTOR(), nullable=False),
        sa.Column("dishes", TSVECTOR(), nullable=False),
        sa.Column("document", TSVECTOR(), nullable=False),
        sa.ForeignKeyConstraint(["chef_id"], ["chefs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("chef_id"),
    )
    # Words are compared row by row where a point has left few: they stay with their rows.
    op.execute("ALTER TABLE chef_search SET (toast_tuple_target = 8160)")
    for name, order in (
        ("rating", "rating DESC"),
        ("popularity", "total_orders DESC"),
        ("prep_minutes", "prep_minutes"),
    ):
        op.create_index(f"idx_chef_search_{name}", "chef_search", [sa.text(order), "chef_id"])
    op.create_index("idx_chef_search_zone", "chef_search", ["zone"])
    op.create_index("idx_chef_search_price", "chef_search", ["main_from_cents"])
    for name in ("place", "reach"):
        op.create_index(f"idx_chef_search_{name}", "chef_search", [name], postgresql_using="gist")
    for name in ("may_be_open", "cuisines", "dietary_tags", "names", "dishes", "document"):
        # What is not yet sorted in would be looked through by every question.
        op.create_index(
            f"idx_chef_search_{name}",
            "chef_search",
            [name],
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
        )
    op.create_table(
        "search_words",
        sa.Column("word", sa.String(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("word"),
    )
    op.create_index(
        "idx_search_words_alike",
        "search_words",
        ["word"],
        postgresql_using="gist",
        postgresql_ops={"word": "gist_trgm_ops"},
    )
    for made in (_WORDS, _SPAN, _NOW, _INDEX, _CHANGED, _COUNTED):
        op.execute(made)
    for table, when in _TRIGGERS.items():
        op.execute(
            f"CREATE CONSTRAINT TRIGGER {table}_are_to_be_indexed AFTER {when} ON {table}"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION chef_is_to_be_indexed()"
        )
    op.execute(
        "CREATE CONSTRAINT TRIGGER chefs_are_counted AFTER UPDATE OF rating, total_orders ON chefs"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION chef_was_counted()"
    )
    op.execute("SELECT index_chef(id) FROM chefs ORDER BY id")


def downgrade() -> None:
    for table in _TRIGGERS:
        op.execute(f"DROP TRIGGER {table}_are_to_be_indexed ON {table}")
    op.execute("DROP TRIGGER chefs_are_counted ON chefs")
    op.execute("DROP FUNCTION chef_was_counted()")
    op.execute("DROP FUNCTION chef_is_to_be_indexed()")
    op.execute("DROP FUNCTION index_chef(uuid)")
    op.execute("DROP VIEW chef_search_now")
    op.execute("DROP FUNCTION search_span(jsonb)")
    op.execute("DROP FUNCTION search_words_of(text)")
    op.drop_table("search_words")
    op.drop_table("chef_search")
    op.execute("DROP EXTENSION unaccent")
    op.execute("DROP EXTENSION pg_trgm")
