"""An announcer at a Redis of the test's."""

from redis.asyncio import Redis

from activities.announce import Announcer
from activities.market_terms import MarketTerms
from providers.live import Live
from schema.database import Database
from settings import Settings


def announcer(database: Database, redis: Redis) -> Announcer:
    """One for which orders are placed under the usual rules."""
    return Announcer(database, Live(redis), MarketTerms(Settings.model_construct(), database))
