"""How customers look for chefs: what they may ask for, and where a list goes on."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from sqlalchemy.ext.asyncio import AsyncSession

from api import examples_search as examples
from api import views
from api.bodies import Latitude, Longitude
from api.dependencies import Services
from api.errors import Problem, invalid
from api.examples import shown
from api.views import ChefOut
from domain.geo import ROAD_FACTOR, Point
from domain.opening import Clock, clock
from schema.messages.base import Message
from schema.queries import search, search_words
from schema.queries.search import After, Found, Sort, Wanted
from settings import Settings

_MARKET = "market:"

Asked = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100, strip_whitespace=True, pattern=r"^[^\x00]*$"),
]
Cursor = Annotated[str, StringConstraints(max_length=500, pattern=r"^[\x21-\x7e]*$")]


class _Query(BaseModel):
    """What stands behind the question mark, and nothing that we do not know."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )

    cursor: Cursor | None = Field(
        default=None, description="`nextCursor` of the page before, with the same question."
    )
    limit: int = Field(default=20, ge=1, le=100, description="How many to a page.")


class ChefQuery(_Query):
    """Which chefs."""

    search: Asked | None = Field(
        default=None, description="Words in names, cuisines, dishes, descriptions; typos forgiven."
    )
    cuisine: Asked | None = Field(default=None, description="One of `cuisineTypes`, in any case.")
    dietary_tag: Asked | None = Field(default=None, description="Some dish has it.")
    rating: float | None = Field(default=None, ge=0, le=5, description="At least.")
    max_price_cents: int | None = Field(
        default=None, ge=0, le=99_999_999, description="Some main costs as little."
    )
    open_now: bool = Field(default=False, description="Only those that are open.")
    latitude: Latitude | None = Field(
        default=None, description="With longitude: only those that deliver there."
    )
    longitude: Longitude | None = None
    sort: Sort | None = Field(
        default=None,
        description="Without it by relevance where words are searched, else by rating.",
    )


class NearbyQuery(_Query):
    """Which chefs nearby."""

    latitude: Latitude
    longitude: Longitude
    radius_km: float = Field(default=10, gt=0, le=100)


class FoundChefOut(ChefOut):
    """A chef who was found. With a point, how far away the kitchen is as the crow flies, and how
    many minutes cooking and the drive take by rule of thumb; with words, up to three dishes that
    have one of them.
    """

    distance_km: float | None
    delivery_minutes: int | None
    matching_dishes: list[str]


class FoundChefsOut(Message):
    """A part of a list; `nextCursor` leads to the next, and is null at the end."""

    model_config = shown(examples.FOUND)

    data: list[FoundChefOut]
    next_cursor: str | None


async def chefs(held: Services, asked: ChefQuery) -> FoundChefsOut:
    """The chefs that are asked for."""
    sort, point = _sort(asked), _point(asked)
    wanted = Wanted(
        sort=sort,
        limit=asked.limit + 1,
        cuisine=asked.cuisine,
        dietary_tag=asked.dietary_tag,
        least_rating=asked.rating,
        most_cents=asked.max_price_cents,
        point=point,
        minutes_per_km=_minutes_per_km(held.settings),
    )
    wanted = replace(wanted, after=_after(asked, wanted))
    async with held.database.read() as session:
        meant: list[list[str]] = []
        if asked.search is not None:
            meant = await search_words.understood(session, asked.search)
            if not meant or not all(meant):
                return FoundChefsOut(data=[], next_cursor=None)
            wanted = replace(wanted, words=search_words.tsquery(meant))
        if asked.open_now:
            zones = await search_words.zones(session)
            wanted = replace(wanted, open=clocks(held.settings, zones, datetime.now(UTC)))
        return await _answer(held, session, wanted, asked, meant)


async def nearby(held: Services, asked: NearbyQuery) -> FoundChefsOut:
    """The chefs around a point, the nearest first."""
    wanted = Wanted(
        sort=Sort.DISTANCE,
        limit=asked.limit + 1,
        point=Point(asked.latitude, asked.longitude),
        within_km=asked.radius_km,
    )
    wanted = replace(wanted, after=_after(asked, wanted))
    async with held.database.read() as session:
        return await _answer(held, session, wanted, asked, [])


def clocks(settings: Settings, zones: Sequence[str], at: datetime) -> Mapping[Clock, Sequence[str]]:
    """What the clocks of the zones of `ChefSearch` show, and which show the same."""
    shown_by: dict[Clock, list[str]] = {}
    for zone in zones:
        name: str | None = zone
        if zone.startswith(_MARKET):
            market = settings.markets.get(zone.removeprefix(_MARKET))
            name = market.timezone if market else None
        try:
            shown = clock(at, name) if name else None
        except (ZoneInfoNotFoundError, ValueError):
            shown = None
        # Who lives by no clock that we know is never open.
        if shown is not None:
            shown_by.setdefault(shown, []).append(zone)
    return shown_by


async def _answer(
    held: Services,
    session: AsyncSession,
    wanted: Wanted,
    asked: _Query,
    meant: Sequence[Sequence[str]],
) -> FoundChefsOut:
    found = await search.find(session, wanted)
    page = found[: asked.limit]
    dishes: Mapping[UUID, list[str]] = {}
    if meant and page:
        dishes = await search_words.matching_dishes(session, [row.chef.id for row in page], meant)
    now = datetime.now(UTC)
    return FoundChefsOut(
        data=[
            FoundChefOut(
                **views.of_chef(held.settings, row.chef, now),
                **_distances(row, _minutes_per_km(held.settings)),
                matching_dishes=dishes.get(row.chef.id, []),
            )
            for row in page
        ],
        next_cursor=_cursor(asked, page[-1].after) if len(found) > len(page) else None,
    )


def _distances(found: Found, minutes_per_km: float) -> dict[str, Any]:
    if found.distance_km is None:
        return {"distance_km": None, "delivery_minutes": None}
    return {
        "distance_km": round(found.distance_km, 3),
        "delivery_minutes": round(found.chef.prep_minutes + minutes_per_km * found.distance_km),
    }


def _minutes_per_km(settings: Settings) -> float:
    return ROAD_FACTOR * 60 / settings.city_kmh


def _sort(asked: ChefQuery) -> Sort:
    sort = asked.sort or (Sort.RATING if asked.search is None else Sort.RELEVANCE)
    if sort is Sort.RELEVANCE and asked.search is None:
        raise invalid("sort", "nothing_searched", "relevance needs words to search")
    if sort is Sort.DISTANCE and asked.latitude is None:
        raise invalid("sort", "position_needed", "distance needs latitude and longitude")
    return sort


def _point(asked: ChefQuery) -> Point | None:
    if (asked.latitude is None) != (asked.longitude is None):
        raise invalid("latitude", "half_a_position", "latitude and longitude come together")
    if asked.latitude is None or asked.longitude is None:
        return None
    return Point(asked.latitude, asked.longitude)


def _cursor(asked: _Query, after: After) -> str:
    place = [*after.values, str(after.chef_id)]
    written = json.dumps([_digest(asked, place), *place], separators=(",", ":"))
    return urlsafe_b64encode(written.encode()).decode().rstrip("=")


def _after(asked: _Query, wanted: Wanted) -> After | None:
    """Where a cursor says that the list goes on. One that is not of this very list is refused: it
    would lead to a place that means nothing there.
    """
    if asked.cursor is None:
        return None
    try:
        padded = asked.cursor + "=" * (-len(asked.cursor) % 4)
        digest, *place = json.loads(urlsafe_b64decode(padded))
        *values, chef_id = place
        numbers = tuple(float(value) for value in values)
        after = After(numbers, UUID(chef_id))
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _wrong_cursor() from error
    if digest != _digest(asked, place) or len(numbers) != 1 + wanted.goes_by_tiers:
        raise _wrong_cursor()
    return after


def _wrong_cursor() -> Problem:
    return invalid("cursor", "invalid_cursor", "the cursor is not one of this list: begin anew")


def _digest(asked: _Query, place: Sequence[Any]) -> str:
    question = asked.model_dump(mode="json", exclude={"cursor", "limit"})
    written = json.dumps([type(asked).__name__, question, place])
    return blake2b(written.encode(), digest_size=9).hexdigest()
