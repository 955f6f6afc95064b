"""What chefs and their dishes are found by. All of it is derived: triggers of the database keep it
(migration 0021), so that whoever changes a chef, a menu or a dish need not think of it.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Index, Integer, SmallInteger, String, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlmodel import Field, SQLModel

from schema.tables.columns import Cube, document, texts


def _gin(column: str) -> Index:
    return Index(
        f"idx_chef_search_{column}",
        column,
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )


def _gist(column: str) -> Index:
    return Index(f"idx_chef_search_{column}", column, postgresql_using="gist")


class ChefSearch(SQLModel, table=True):
    """What an approved chef is found by.

    `opens` and `closes` are minutes of the kitchen's clock, Monday first, null on a closed day; who
    closes after midnight does so after minute 1440. `exceptional` are those of single dates,
    `{"2026-12-31": [600, 840], "2026-12-25": null}`, `may_be_open` the hours of the week, counted
    from Monday, in which either may have the kitchen open. `zone` is the clock's, or
    `market:austin` where that is the market's. `place` is on earthdistance's sphere, `reach_chord`
    the way through it to where the kitchen still delivers, `reach` the box around that.
    `main_from_cents` is the cheapest main's price. The words are those of the name (`names`), with
    cuisines, specialties and dishes (`dishes`), and with descriptions (`document`).
    """

    __tablename__ = "chef_search"
    __table_args__ = (
        Index("idx_chef_search_rating", text("rating DESC"), "chef_id"),
        Index("idx_chef_search_popularity", text("total_orders DESC"), "chef_id"),
        Index("idx_chef_search_prep_minutes", "prep_minutes", "chef_id"),
        Index("idx_chef_search_zone", "zone"),
        Index("idx_chef_search_price", "main_from_cents"),
        *(_gist(column) for column in ("place", "reach")),
        *(
            _gin(column)
            for column in ("may_be_open", "cuisines", "dietary_tags", "names", "dishes", "document")
        ),
    )

    chef_id: UUID = Field(primary_key=True, foreign_key="chefs.id", ondelete="CASCADE")
    zone: str
    opens: list[int | None] = Field(sa_type=ARRAY(SmallInteger))
    closes: list[int | None] = Field(sa_type=ARRAY(SmallInteger))
    exceptional: dict[str, Any] = document()
    may_be_open: list[int] = Field(sa_type=ARRAY(Integer))
    rating: float
    total_orders: int
    prep_minutes: int
    main_from_cents: int | None
    cuisines: list[str] = texts()
    dietary_tags: list[str] = texts()
    place: str = Field(sa_type=Cube)
    reach: str = Field(sa_type=Cube)
    reach_chord: float
    names: str = Field(sa_type=TSVECTOR)
    dishes: str = Field(sa_type=TSVECTOR)
    document: str = Field(sa_type=TSVECTOR)


class SearchWord(SQLModel, table=True):
    """A word that some chef was found by, for those who mistype it."""

    __tablename__ = "search_words"
    __table_args__ = (
        Index(
            "idx_search_words_alike",
            "word",
            postgresql_using="gist",
            postgresql_ops={"word": "gist_trgm_ops"},
        ),
    )

    word: str = Field(primary_key=True, sa_type=String(collation="C"))
