"""How long the database takes to find chefs, beside the same questions without indexes.

    make bench-search ARGS="--chefs 10000 --rounds 200 --json result.json"

Loads kitchens of five cities with twenty dishes each. Every kind of question is asked with other
random wishes each time; what counts is what PostgreSQL itself says (planning and execution, all
statements of a question together), the best of three times, since it is about the database and not
about what else the machine does. The plain question is what one writes without any of it: LIKE
over the tables, distances from latitudes and longitudes. Ends with status 1 if a kind takes longer
than it may for one question in twenty.
"""

import argparse
import json
import random
import re
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncSession

from api.browse import clocks
from bench import bulk, kitchens
from bench.kitchens import BASES, CITIES, CUISINES, MAINS, MANNERS, TAGS, Sayings
from domain.geo import Point
from local.stack import Stack
from schema.database import Database
from schema.queries import search, search_words
from schema.queries.search import Sort, Wanted
from settings import Settings

console = Console()

MOST_MS = 5.0
_EXPLAIN = "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) "
_TIME = re.compile(r"(?:Planning|Execution) Time: ([\d.]+) ms")
_NODE = re.compile(r"(?:Index|Bitmap Index|Index Only|Seq) Scan (?:using |on )(\w+)")
_LIMIT = 21
_PLAIN_EVERY = 20
_ASKED = 3
# Cooking and a drive at 30 km/h of a road 1.3 times as long as the crow flies.
_MINUTES_PER_KM = 2.6

# What one writes first.
_CIRCLE = """
    2 * 6371.0088 * asin(sqrt(
        sin(radians(latitude - $1::float) / 2) ^ 2 + cos(radians($1::float))
        * cos(radians(latitude)) * sin(radians(longitude - $2::float) / 2) ^ 2))
"""
_PLAIN_TEXT = """
    SELECT * FROM chefs WHERE verification_status = 'approved' AND (
        business_name ILIKE $1 OR description ILIKE $1 OR EXISTS (
            SELECT FROM menus JOIN menu_items ON menu_id = menus.id
            WHERE chef_id = chefs.id AND menu_items.deleted_at IS NULL
              AND (menu_items.name ILIKE $1 OR menu_items.description ILIKE $1)))
    ORDER BY rating DESC, id LIMIT 21
"""
_PLAIN_POINT = f"""
    SELECT * FROM chefs WHERE verification_status = 'approved'
      AND {_CIRCLE} <= service_radius_km ORDER BY {_CIRCLE}, id LIMIT 21
"""  # noqa: S608


@dataclass(frozen=True)
class Question:
    """What somebody asks, the words as he typed them; `plain` is asked beside it, if there is one
    that is not the same without indexes.
    """

    wanted: Wanted
    typed: str | None = None
    plain: str | None = None
    open_at: datetime | None = None


class Asker:
    """Makes up questions of each kind."""

    def __init__(self, dice: random.Random, sayings: Sayings) -> None:
        self._dice = dice
        self._sayings = sayings

    def kinds(self) -> dict[str, Question]:
        """One question of each kind."""
        dice, here = self._dice, self._point()
        dish = [dice.choice(words) for words in (MANNERS, BASES, MAINS)]
        by_rating = Wanted(Sort.RATING, _LIMIT)
        delivering = replace(by_rating, point=here, minutes_per_km=_MINUTES_PER_KM)
        relevant = replace(by_rating, sort=Sort.RELEVANCE)
        return {
            "best rated": Question(by_rating),
            "popular, of a cuisine and a tag": Question(
                replace(
                    by_rating,
                    sort=Sort.POPULARITY,
                    cuisine=dice.choice(CUISINES),
                    dietary_tag=dice.choice(TAGS),
                )
            ),
            "cheap and good": Question(
                replace(by_rating, most_cents=dice.randrange(300, 800), least_rating=4.4)
            ),
            "open now": Question(by_rating, open_at=self._moment()),
            "delivers here, nearest": Question(
                replace(delivering, sort=Sort.DISTANCE), plain=_PLAIN_POINT
            ),
            "delivers here, soonest, open now": Question(
                replace(delivering, sort=Sort.DELIVERY_TIME), open_at=self._moment()
            ),
            "nearby": Question(
                replace(
                    delivering, sort=Sort.DISTANCE, within_km=dice.choice((2.0, 5.0, 10.0, 25.0))
                ),
                plain=_PLAIN_POINT.replace("service_radius_km", "10"),
            ),
            "a word that many have": Question(relevant, dice.choice(dish), _PLAIN_TEXT),
            "two words": Question(relevant, " ".join(dish[1:3])),
            "a rare word": Question(relevant, dice.choice(self._sayings.words), _PLAIN_TEXT),
            "a mistyped word": Question(relevant, self._mistyped(dish[1]), _PLAIN_TEXT),
            "a word, delivers here, open now": Question(
                replace(delivering, sort=Sort.RELEVANCE), dish[2], open_at=self._moment()
            ),
        }

    def _point(self) -> Point:
        centre = self._dice.choice(CITIES).centre
        return Point(
            centre.latitude + self._dice.gauss(0, 0.05),
            centre.longitude + self._dice.gauss(0, 0.05),
        )

    def _moment(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(
            minutes=self._dice.randrange(365 * 24 * 60)
        )

    def _mistyped(self, word: str) -> str:
        spot = self._dice.randrange(1, len(word) - 1)
        if self._dice.random() < 0.5:  # noqa: PLR2004 - heads or tails
            return word[:spot] + word[spot + 1 :]
        return word[:spot] + word[spot + 1] + word[spot] + word[spot + 2 :]


class Meter:
    """Asks questions, and PostgreSQL how long it took for them."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._sent: list[tuple[str, Any]] = []
        event.listen(
            database.engine.sync_engine,
            "before_cursor_execute",
            lambda _, __, statement, values, *___: self._sent.append((statement, values)),
        )

    async def ask(self, question: Question) -> tuple[float, list[str]]:
        """The milliseconds of a question, and the indexes and tables that it went through."""
        async with self._database.read() as session:
            self._sent.clear()
            await self._answer(session, question)
            sent = list(self._sent)
            return min([await _explained(session, sent) for _ in range(_ASKED)])

    async def ask_plainly(self, question: Question) -> float:
        """The milliseconds of the same without indexes, or of the plain question beside it."""
        async with self._database.snapshot() as session:
            if question.plain is not None:
                return (await _explained(session, [_plainly(question)]))[0]
            for kind in ("indexscan", "bitmapscan", "indexonlyscan"):
                await session.execute(text(f"SET LOCAL enable_{kind} = off"))
            self._sent.clear()
            await self._answer(session, question)
            return (await _explained(session, list(self._sent)))[0]

    async def _answer(self, session: AsyncSession, question: Question) -> None:
        wanted = question.wanted
        if question.typed is not None:
            meant = await search_words.understood(session, question.typed)
            if not all(meant):
                return
            wanted = replace(wanted, words=search_words.tsquery(meant))
        if question.open_at is not None:
            zones = await search_words.zones(session)
            wanted = replace(wanted, open=clocks(self._settings, zones, question.open_at))
        found = await search.find(session, wanted)
        if question.typed is not None:
            await search_words.matching_dishes(session, [row.chef.id for row in found], meant)


async def _explained(
    session: AsyncSession, sent: Sequence[tuple[str, Any]]
) -> tuple[float, list[str]]:
    connection = await session.connection()
    spent, ways = 0.0, []
    for statement, values in sent:
        plan = await connection.exec_driver_sql(_EXPLAIN + statement, values)
        lines = "\n".join(row[0] for row in plan)
        spent += sum(float(ms) for ms in _TIME.findall(lines))
        ways += _NODE.findall(lines)
    return spent, ways


def _plainly(question: Question) -> tuple[str, tuple[Any, ...]]:
    here = question.wanted.point
    values = (f"%{question.typed}%",) if here is None else (here.latitude, here.longitude)
    return question.plain or "", values


async def measure(stack: Stack, number: int, rounds: int) -> dict[str, Any]:
    """The times of all kinds of questions, on a database of its own."""
    environment = stack.environment()
    settings = Settings.of(environment)
    dice = random.Random(5)  # noqa: S311 - the same kitchens and questions each time
    url = await bulk.database(environment["DATABASE_URL"], "kitchens")
    database = Database(url, pool_size=2)
    try:
        with Progress(console=console) as progress:
            bar = progress.add_task("kitchens", total=number)
            sayings = await kitchens.load(url, number, dice, lambda n: progress.advance(bar, n))
            await kitchens.index(database)
            bar = progress.add_task("questions", total=rounds)
            asker, meter = Asker(dice, sayings), Meter(database, settings)
            quick: dict[str, list[float]] = {name: [] for name in asker.kinds()}
            plain: dict[str, list[float]] = {name: [] for name in quick}
            ways: dict[str, set[str]] = {name: set() for name in quick}
            for turn in range(rounds):
                for name, question in asker.kinds().items():
                    spent, through = await meter.ask(question)
                    quick[name].append(spent)
                    ways[name] |= set(through)
                    # Slow, and much the same each time.
                    if turn % _PLAIN_EVERY == 0:
                        plain[name].append(await meter.ask_plainly(question))
                progress.advance(bar)
    finally:
        await database.close()
    return {
        "chefs": number,
        "dishes": number * kitchens.DISHES_PER_KITCHEN,
        "rounds": rounds,
        "kinds": {name: _figures(quick[name], plain[name], ways[name]) for name in quick},
    }


def _figures(quick: Sequence[float], plain: Sequence[float], ways: set[str]) -> dict[str, Any]:
    p50, beside = statistics.median(quick), statistics.median(plain)
    return {
        "p50Ms": round(p50, 2),
        "p95Ms": round(statistics.quantiles(quick, n=20)[-1], 2),
        "worstMs": round(max(quick), 2),
        "plainMs": round(beside, 1),
        "ratio": round(beside / p50, 1),
        "through": sorted(ways),
    }


def show(result: Mapping[str, Any]) -> None:
    """The result, as a table."""
    title = f"{result['chefs']} chefs, {result['dishes']} dishes: milliseconds of database time"
    table = Table("question", "p50", "p95", "worst", "plain", "ratio", "through", title=title)
    for name, found in result["kinds"].items():
        figures = [f"{found[key]:g}" for key in ("p50Ms", "p95Ms", "worstMs", "plainMs", "ratio")]
        table.add_row(name, *figures, ", ".join(found["through"]))
    console.print(table)


def main() -> None:
    """Start servers of its own, load, measure, stop them."""
    parser = argparse.ArgumentParser(prog="python -m bench.search", description=__doc__)
    parser.add_argument("--chefs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=200, help="questions of each kind")
    parser.add_argument("--json", type=Path, help="where to leave the result as JSON")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        stack = Stack.apart(Path(home))
        with console.status("starting servers"):
            stack.up()
        try:
            result = uvloop.run(measure(stack, asked.chefs, asked.rounds))
        finally:
            stack.reset()
    show(result)
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=2) + "\n")
    sys.exit(any(found["p95Ms"] >= MOST_MS for found in result["kinds"].values()))


if __name__ == "__main__":
    main()
