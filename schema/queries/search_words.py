"""Every SQL statement about the words that chefs and dishes are found by, and about keeping what is
searched.
"""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import String, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Uuid

from schema.tables import ChefSearch

# More words than anybody types; each is looked up.
_MOST_WORDS = 8
# How many known words a mistyped one may have meant, and how much alike they are at least.
_MEANT = 3
_ALIKE = 0.25
_DISHES_TOLD = 3

# A word that begins a known one is that; any other may be the known ones most like it. A plural is
# asked for as what its singular begins.
UNDERSTOOD = text("""
    SELECT asked.word, coalesce(
        (SELECT ARRAY[asked.beginning] WHERE EXISTS (
            SELECT FROM search_words
            WHERE word >= asked.beginning AND word < asked.beginning || chr(1114111)
        )),
        (SELECT array_agg(word) FROM (
            SELECT word FROM search_words ORDER BY word <-> asked.word LIMIT :meant
        ) likely WHERE similarity(word, asked.word) >= :alike)
    )
    FROM (
        SELECT word, CASE WHEN length(word) > 3 THEN regexp_replace(word, 's$', '') ELSE word END
            COLLATE "C" AS beginning
        FROM unnest(search_words_of(:written)) word LIMIT :most
    ) asked
""")

DISHES = text("""
    SELECT chef_id, (array_agg(name ORDER BY position, id))[1 : :most] AS names FROM (
        SELECT menus.chef_id, menu_items.name, menu_items.position, menu_items.id
        FROM menus JOIN menu_items ON menu_items.menu_id = menus.id
        WHERE menus.chef_id = ANY(:chef_ids) AND menus.is_active
          AND menu_items.deleted_at IS NULL
          AND replace(lower(unaccent(menu_items.name)), '''', '') ~ :pattern
    ) matching
    GROUP BY chef_id
""").bindparams(bindparam("chef_ids", type_=ARRAY(Uuid())), bindparam("pattern", type_=String()))

_ZONES = text("""
    WITH RECURSIVE zones(zone) AS (
        SELECT min(zone) FROM chef_search
        UNION ALL
        SELECT (SELECT min(zone) FROM chef_search WHERE zone > zones.zone)
        FROM zones WHERE zones.zone IS NOT NULL
    )
    SELECT zone FROM zones WHERE zone IS NOT NULL
""")

# Most are found without holding anybody up; those few that nobody has begun to use since go.
_UNUSED = (
    """
    CREATE TEMPORARY TABLE unused_words ON COMMIT DROP AS SELECT word FROM search_words
    WHERE word NOT IN (SELECT word FROM ts_stat('SELECT document FROM chef_search'))
    """,
    "LOCK TABLE search_words IN SHARE ROW EXCLUSIVE MODE",
    """
    DELETE FROM search_words WHERE word IN (SELECT word FROM unused_words) AND NOT EXISTS (
        SELECT FROM chef_search WHERE document @@ quote_literal(word)::tsquery
    )
    """,
)

# For what was loaded past the triggers.
_ANEW = (
    "LOCK TABLE chef_search, search_words IN SHARE ROW EXCLUSIVE MODE",
    "DELETE FROM chef_search",
    "DELETE FROM search_words",
    "INSERT INTO chef_search ({columns}) SELECT {columns} FROM chef_search_now",
    "INSERT INTO search_words SELECT word FROM ts_stat('SELECT document FROM chef_search')",
)


async def understood(session: AsyncSession, written: str) -> list[list[str]]:
    """What somebody asks for: of each of his words, the beginnings of known words that he may mean.

    A word that is like none that is known has none.
    """
    rows = await session.execute(
        UNDERSTOOD, {"written": written, "most": _MOST_WORDS, "meant": _MEANT, "alike": _ALIKE}
    )
    return [list(row[1] or ()) for row in rows]


def tsquery(meant: Collection[Collection[str]]) -> str:
    """All of the words, each as any of the words that it may mean."""
    return " & ".join("(" + " | ".join(f"'{word}':*" for word in words) + ")" for words in meant)


async def matching_dishes(
    session: AsyncSession, chef_ids: Collection[UUID], meant: Collection[Collection[str]]
) -> Mapping[UUID, list[str]]:
    """The first few dishes of each chef whose names have one of the words."""
    rows = await session.execute(
        DISHES,
        {"chef_ids": list(chef_ids), "pattern": pattern(meant), "most": _DISHES_TOLD},
    )
    return {row[0]: row[1] for row in rows}


def pattern(meant: Collection[Collection[str]]) -> str:
    """A regular expression for what begins with one of the words, which have letters alone."""
    return r"\m(" + "|".join(word for words in meant for word in words) + ")"


async def zones(session: AsyncSession) -> list[str]:
    """The zones that kitchens are in, as `ChefSearch.zone` has them."""
    return list(await session.scalars(_ZONES))


async def forget_unused(session: AsyncSession) -> None:
    """Forget words that no chef is found by any more. Changes of kitchens wait meanwhile: a word
    that one of them begins to use would not be known.
    """
    for statement in _UNUSED:
        await session.execute(text(statement))


async def index_all(session: AsyncSession) -> None:
    """Make all that is searched anew, and with it the known words: those that nobody uses any more
    are forgotten. Questions go on meanwhile, changes of kitchens wait.
    """
    columns = ", ".join(column.name for column in ChefSearch.__table__.columns)  # type: ignore[attr-defined]
    for statement in _ANEW:
        await session.execute(text(statement.format(columns=columns)))
