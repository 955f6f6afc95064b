"""Every SQL statement by which chefs are found.

Triggers of the database keep what they are found by (migration 0021).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    Select,
    SQLColumnExpression,
    Text,
    and_,
    case,
    false,
    func,
    literal,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, INT4MULTIRANGE, TSQUERY, Range
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.geo import EARTH_RADIUS_KM, Point
from domain.opening import Clock, Day, Minutes
from schema.tables import Chef, ChefSearch
from schema.tables.columns import Cube

# earthdistance's earth is a little larger than domain.geo's.
_SPHERE_M = 6378168
_ABOVE_ALL_RATINGS = 10


# Each has the words of the one before, too.
_TIERS: tuple[SQLColumnExpression[Any], ...] = (
    col(ChefSearch.names),
    col(ChefSearch.dishes),
    col(ChefSearch.document),
)


class Sort(StrEnum):
    """What comes first."""

    RELEVANCE = "relevance"
    RATING = "rating"
    POPULARITY = "popularity"
    DELIVERY_TIME = "delivery_time"
    DISTANCE = "distance"


_DOWN = {Sort.RELEVANCE, Sort.RATING, Sort.POPULARITY}


@dataclass(frozen=True)
class After:
    """The last of the page before: its values of what the list is sorted by, and its id."""

    values: tuple[float, ...]
    chef_id: UUID


@dataclass(frozen=True)
class Wanted:
    """Which chefs are wanted. What is None does not matter.

    They deliver to `point`, or with `within_km` are that near to it. `words` are a tsquery, `open`
    the clocks of all zones, by the zones that show the same.
    """

    sort: Sort
    limit: int
    cuisine: str | None = None
    dietary_tag: str | None = None
    least_rating: float | None = None
    most_cents: int | None = None
    point: Point | None = None
    within_km: float | None = None
    words: str | None = None
    open: Mapping[Clock, Sequence[str]] | None = None
    minutes_per_km: float = 0.0
    after: After | None = None

    @property
    def goes_by_tiers(self) -> bool:
        """Whether a place in the list is a tier and a rating."""
        return self.sort is Sort.RELEVANCE and self.point is None


@dataclass(frozen=True)
class Found:
    """A chef, how far (km) from the point that was asked for, and where the list goes on."""

    chef: Chef
    distance_km: float | None
    after: After


async def find(session: AsyncSession, wanted: Wanted) -> list[Found]:
    """The chefs that are wanted, at most `limit`: in one statement, by relevance in three at most.

    What has the words in its name comes first, then what has them in cuisines or dishes, then the
    rest, each by rating. Around a point there are few enough to sort them all; elsewhere it goes
    one after the other, since each is found by an index or soon.
    """
    if not wanted.goes_by_tiers:
        return await _found(session, wanted)
    found: list[Found] = []
    begin = int(wanted.after.values[0]) if wanted.after else 0
    for tier in range(begin, len(_TIERS)):
        left = wanted.limit - len(found)
        if left:
            after = wanted.after if tier == begin else None
            found += await _found(session, replace(wanted, limit=left, after=after), tier)
    return found


async def _found(session: AsyncSession, wanted: Wanted, tier: int | None = None) -> list[Found]:
    rows = await session.execute(_statement(wanted, tier))
    return [
        Found(
            chef=row[0],
            distance_km=row[1],
            after=After((row[2],) if tier is None else (tier, row[2]), row[0].id),
        )
        for row in rows
    ]


def _statement(wanted: Wanted, tier: int | None) -> Select[*tuple[Any, ...]]:
    page = _page(wanted, tier).subquery()
    return (
        select(Chef, page.c.distance_km, page.c.key)
        .join(page, page.c.chef_id == col(Chef.id))
        .order_by(page.c.key.desc() if wanted.sort in _DOWN else page.c.key, page.c.chef_id)
    )


def _page(wanted: Wanted, tier: int | None) -> Select[*tuple[Any, ...]]:
    key = _key(wanted)
    distance: SQLColumnExpression[Any] = null()
    if wanted.point is not None:
        distance = _kilometres(_away(wanted.point))
    return (
        select(col(ChefSearch.chef_id), distance.label("distance_km"), key.label("key"))
        .where(*_filters(wanted), *_words(wanted, tier), *_beyond(wanted, key))
        .order_by(key.desc() if wanted.sort in _DOWN else key, col(ChefSearch.chef_id))
        .limit(wanted.limit)
    )


def _key(wanted: Wanted) -> SQLColumnExpression[Any]:
    """What the list is sorted by, before the ids."""
    match wanted.sort:
        case Sort.RELEVANCE if wanted.point is not None and wanted.words is not None:
            names, dishes, _ = _TIERS
            tiers = [(names, 2 * _ABOVE_ALL_RATINGS), (dishes, _ABOVE_ALL_RATINGS)]
            words = literal(wanted.words).cast(TSQUERY)
            return col(ChefSearch.rating) + case(
                *((tier.op("@@", is_comparison=True)(words), worth) for tier, worth in tiers),
                else_=0,
            )
        case Sort.RATING | Sort.RELEVANCE:
            return col(ChefSearch.rating)
        case Sort.POPULARITY:
            return col(ChefSearch.total_orders)
        case Sort.DISTANCE if wanted.point is not None:
            return _away(wanted.point)
        case Sort.DELIVERY_TIME if wanted.point is not None:
            drive = wanted.minutes_per_km * _kilometres(_away(wanted.point))
            return col(ChefSearch.prep_minutes) + drive
        case Sort.DELIVERY_TIME:
            return col(ChefSearch.prep_minutes)
    raise ValueError(f"{wanted.sort} needs a point")


def _beyond(wanted: Wanted, key: SQLColumnExpression[Any]) -> list[ColumnElement[bool]]:
    """Whatever comes after the page before; the first condition is what an index goes by."""
    if wanted.after is None:
        return []
    value = wanted.after.values[-1]
    down = wanted.sort in _DOWN
    same_or_further, further = (key <= value, key < value) if down else (key >= value, key > value)
    return [same_or_further, or_(further, col(ChefSearch.chef_id) > wanted.after.chef_id)]


def _words(wanted: Wanted, tier: int | None) -> list[ColumnElement[bool]]:
    if wanted.words is None:
        return []
    words = literal(wanted.words).cast(TSQUERY)
    if tier is None:
        return [_TIERS[-1].op("@@", is_comparison=True)(words)]
    better = [~_TIERS[tier - 1].op("@@", is_comparison=True)(words)] if tier else []
    return [_TIERS[tier].op("@@", is_comparison=True)(words), *better]


def _filters(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.cuisine is not None:
        found.append(_has(col(ChefSearch.cuisines), wanted.cuisine))
    if wanted.dietary_tag is not None:
        found.append(_has(col(ChefSearch.dietary_tags), wanted.dietary_tag))
    if wanted.least_rating is not None:
        found.append(col(ChefSearch.rating) >= wanted.least_rating)
    if wanted.most_cents is not None:
        found.append(col(ChefSearch.main_from_cents) <= wanted.most_cents)
    if wanted.point is not None:
        found += _near(wanted.point, wanted.within_km)
    if wanted.open is not None:
        found.append(
            or_(false(), *(_is_open(clock, zones) for clock, zones in wanted.open.items()))
        )
    return found


def _has(column: SQLColumnExpression[Any], word: str) -> ColumnElement[bool]:
    has: ColumnElement[bool] = column.op("@>", is_comparison=True)(
        literal([word.lower()], ARRAY(Text))
    )
    return has


def _near(point: Point, within_km: float | None) -> list[ColumnElement[bool]]:
    if within_km is None:
        return [
            col(ChefSearch.reach).op("@>", is_comparison=True)(_sphere(point)),
            _away(point) <= col(ChefSearch.reach_chord),
        ]
    chord = 2 * _SPHERE_M * func.sin(within_km / (2 * EARTH_RADIUS_KM))
    box = func.cube_enlarge(_sphere(point), chord, 3)
    return [
        col(ChefSearch.place).op("<@", is_comparison=True)(box),
        _away(point) <= chord,
    ]


def _is_open(clock: Clock, zones: Sequence[str]) -> ColumnElement[bool]:
    """Whether a kitchen of these zones is open: the index knows those that may be."""
    return and_(
        col(ChefSearch.zone).in_(zones),
        col(ChefSearch.may_be_open).op("&&", is_comparison=True)(
            literal(list(clock.hours), ARRAY(Integer))
        ),
        # As a case, the planner takes it for as likely as not; as itself, for next to impossible.
        case((or_(_is_served(clock.today), _is_served(clock.yesterday)), true()), else_=false()),
    )


def _is_served(day: Day) -> ColumnElement[bool]:
    come = literal(_ranges(day.come), INT4MULTIRANGE)
    opens, closes = (
        case(
            (
                col(ChefSearch.exceptional).op("?", is_comparison=True)(day.date.isoformat()),
                col(ChefSearch.exceptional)[day.date.isoformat()][number].as_integer(),
            ),
            else_=usual[day.weekday],
        )
        for number, usual in enumerate((col(ChefSearch.opens), col(ChefSearch.closes)))
    )
    return and_(
        come.op("@>", is_comparison=True)(opens), ~come.op("@>", is_comparison=True)(closes)
    )


def _ranges(minutes: Sequence[Minutes]) -> list[Range[int]]:
    return [Range(*span) for span in minutes]


def _sphere(point: Point) -> ColumnElement[Any]:
    return func.ll_to_earth(point.latitude, point.longitude).cast(Cube)


def _away(point: Point) -> ColumnElement[float]:
    """The way through the sphere."""
    return col(ChefSearch.place).op("<->", return_type=Float())(_sphere(point))


def _kilometres(chord: ColumnElement[float]) -> ColumnElement[float]:
    half = func.least(1.0, chord / (2 * _SPHERE_M))
    return 2 * EARTH_RADIUS_KM * func.asin(half)
