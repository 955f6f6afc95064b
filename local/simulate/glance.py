"""What the dashboard shows: a few sums of the database's, and what the people know."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlmodel import col

from local.simulate.clock import CityClock
from local.simulate.diary import Diary
from local.simulate.referee import Violation
from local.simulate.spread import percentile
from local.simulate.telephones import Exchange
from schema.database import Database
from schema.tables import DriverAssignment, Order

_DELIVERED = func.extract("epoch", col(Order.delivered_at) - col(Order.created_at))


@dataclass(frozen=True)
class Glance:
    """An evening at a moment of the city's. Click-to-door in minutes of the city's.

    `requests` are those sent so far, `lag` by how many seconds of ours people woke up late (99 of
    100 less), `answer` how long the facade takes (half of the answers less).
    """

    at: float
    orders: Mapping[str, int]
    offers: Mapping[str, int]
    doing: Mapping[str, int]
    p50: float
    p90: float
    requests: int
    lag: float
    answer: float
    violations: Sequence[Violation]
    kills: int


async def glance(
    database: Database,
    clock: CityClock,
    diary: Diary,
    exchange: Exchange,
    violations: Sequence[Violation],
) -> Glance:
    """Look now."""
    async with database.read() as session:
        orders = await session.execute(
            select(col(Order.status), func.count()).group_by(col(Order.status))
        )
        offers = await session.execute(
            select(col(DriverAssignment.status), func.count()).group_by(
                col(DriverAssignment.status)
            )
        )
        halves = await session.execute(
            select(
                func.percentile_cont(0.5).within_group(_DELIVERED),
                func.percentile_cont(0.9).within_group(_DELIVERED),
            ).where(col(Order.delivered_at).is_not(None))
        )
        p50, p90 = (float(seconds or 0) * clock.speed / 60 for seconds in halves.one())
    doing = diary.samples[-1].doing if diary.samples else Counter[str]()
    return Glance(
        at=clock.now,
        orders={status.value: number for status, number in orders},
        offers={status.value: number for status, number in offers},
        doing=doing,
        p50=p50,
        p90=p90,
        requests=exchange.sent,
        lag=percentile(clock.lateness[-2000:], 0.99),
        answer=percentile(exchange.seconds[-2000:], 0.5),
        violations=violations,
        kills=len(diary.kills),
    )
